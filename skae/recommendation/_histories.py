"""Histories of users in batches: what a network sees, and what it should rank."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from scipy import sparse
from torch import Tensor

from ..metrics import hide_items
from ..training import Batch, SparseRows
from ..training._rows import inference_rows, of_array
from ._recommender import HIDDEN
from ._weighting import Weighting

_MOST_CELLS_HELD = 2**25

Start = Callable[[sparse.csr_array, sparse.csr_array | None], Tensor]


@dataclass(frozen=True, slots=True)
class HiddenBatch(Batch):
    """A batch whose input is a part of each history, and whose target is the rest."""


class Histories(SparseRows):
    """Rows of users x items as sparse tensors, and what scores of items start from.

    Parameters
    ----------
    X : csr_array of shape (n_users, n_items)
        Interactions.
    weighting : Weighting
        How they are weighted.
    dtype : torch.dtype
        Type of the batches.
    device : torch.device
        Where the batches go.
    takes_sparse : bool, default=True
        Whether the network takes sparse tensors. If not, its input is dense, and only that.
    start : callable or None, default=None
        Given some rows, and the whole histories of these users if they were trained on, returns
        scores of all items, which become the `extra` of batches.
    trained_on : bool, default=False
        Whether they are those that `start` was fitted on.
    hidden : csr_array of shape (n_users, n_items) or None, default=None
        The target, if it is not the input.
    """

    def __init__(
        self,
        X: sparse.csr_array,
        weighting: Weighting,
        dtype: torch.dtype,
        device: torch.device,
        *,
        takes_sparse: bool = True,
        start: Start | None = None,
        trained_on: bool = False,
        hidden: sparse.csr_array | None = None,
    ) -> None:
        super().__init__(X, dtype, device)
        self.weighting = weighting
        self.takes_sparse, self.start, self.trained_on = takes_sparse, start, trained_on
        self.hidden = hidden
        self._starts: Tensor | None = None
        if start is not None and trained_on and X.shape[0] * X.shape[1] <= _MOST_CELLS_HELD:
            positions = torch.arange(X.shape[0]).split(inference_rows(X.shape[1]))
            self._starts = torch.cat([self._batch(some).extra[0] for some in positions])

    def _start_of(self, shown: sparse.csr_array, hidden: sparse.csr_array | None) -> Tensor:
        """Return what the scores of some rows start from."""
        assert self.start is not None  # or nobody asks
        whole = None
        if self.trained_on:
            whole = shown if hidden is None else shown + hidden
        return self.start(shown, whole).to(device=self.device, dtype=self.dtype)

    def _batch(self, positions: Tensor | slice) -> Batch:
        shown = self._X[of_array(positions)]
        x = target = self.tensor(shown)
        hidden = None
        if self.hidden is not None:
            hidden = self.hidden[of_array(positions)]
            target = self.tensor(hidden)
        extra: tuple[Tensor, ...] = ()
        if self._starts is not None:
            extra = (self._starts[positions],)
        elif self.start is not None:
            extra = (self._start_of(shown, hidden),)
        kind = Batch if self.hidden is None else HiddenBatch
        return kind(x if self.takes_sparse else x.to_dense(), target, extra)

    def tensor(self, X: Any) -> Tensor:
        return super().tensor(self.weighting.weighted(X, str(self.dtype)[6:]))

    def held_out(self) -> "Histories":
        """Return the users whose history has two items or more, with a fifth of each hidden.

        Returns
        -------
        Histories
            These rows as they are, if there are no such users.
        """
        X = self._X if self.indices is None else self._X[of_array(self.indices)]
        shown, hidden = hide_items(X, HIDDEN, random_state=0)
        judged = hidden.indptr[1:] > hidden.indptr[:-1]
        if not judged.any():
            return self
        return Histories(
            shown[judged],
            self.weighting,
            self.dtype,
            self.device,
            takes_sparse=self.takes_sparse,
            start=self.start,
            trained_on=self.trained_on,
            hidden=hidden[judged],
        )
