"""Rows with missing cells as the imputer's networks see them."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..networks._normal import completed, wide
from ..tables import Coding
from ..training import Batch, Rows
from ..training._rows import of_array
from ._normal import Normal

_JUDGED_SHARE = 0.25  # of the observed cells of a row


def own_random() -> np.random.Generator:
    """Return a generator to hide cells by, always in the same state.

    Returns
    -------
    Generator
        One that draws nothing like ``default_rng(0)``, by which cells may have been removed before.
    """
    return np.random.default_rng([0, 25])


class IncompleteRows(Rows):
    """Coded rows, NaN where cells are missing, and how often each counts for each member.

    Parameters
    ----------
    X : ndarray or LazyTable of shape (n_samples, n_features)
        Checked data.
    coding : Coding
        What codes them.
    dtype : torch.dtype
        Type of the batches.
    device : torch.device
        Where the batches go.
    counts : ndarray of shape (n_samples, n_members)
        How often each row counts.
    """

    hidden: np.ndarray | None = None  # cells of all rows, in the form that judges

    def __init__(
        self,
        X: Any,
        coding: Coding,
        dtype: torch.dtype,
        device: torch.device,
        counts: np.ndarray,
    ) -> None:
        super().__init__(X.shape[0], coding.n_outputs, dtype, device)
        self._X, self._coding, self.counts = X, coding, counts

    def _batch(self, positions: Tensor | slice) -> Batch:
        chosen = of_array(positions)
        rows, counts = np.asarray(self._X[chosen]), torch.from_numpy(self.counts[chosen].copy())
        x = target = self._coded(rows)
        if self.hidden is not None:
            x = self._coded(np.where(self.hidden[chosen], np.nan, rows))
        return Batch(x, target, (counts.to(x),))

    def _coded(self, rows: np.ndarray) -> Tensor:
        return torch.from_numpy(self._coding.encode(rows)).to(device=self.device, dtype=self.dtype)

    def held_out(self) -> "IncompleteRows":
        """Return the rows with a quarter of their observed cells hidden, which every member judges.

        Returns
        -------
        IncompleteRows
            The same cells are hidden whenever a row is looked at.
        """
        view = copy.copy(self)
        view.hidden = own_random().random(self._X.shape) < _JUDGED_SHARE
        view.counts = np.broadcast_to(np.ones((1, 1), dtype=np.uint8), self.counts.shape)
        return view


class JudgedRows(Rows):
    """Rows of which cells are hidden, for those members that do not train on them.

    Parameters
    ----------
    rows : IncompleteRows
        Rows that train, each in the fold of one member.
    normals : sequence of Normal
        What guesses first, for the rows of each fold.
    size : int
        Number of rows to guess at once.
    """

    def __init__(self, rows: IncompleteRows, normals: Sequence[Normal], size: int) -> None:
        super().__init__(len(rows), rows.n_features, rows.dtype, rows.device)
        batch = rows.held_out().batch(slice(None))
        x, is_out = batch.input, rows.batch(slice(None)).extra[0] == 0
        guess, scale = torch.empty_like(x), torch.empty_like(x)
        for of_fold, normal in zip(is_out.T, normals, strict=True):
            mean, precision = (torch.tensor(each) for each in (normal.mean, normal.precision))
            for some in of_fold.nonzero()[:, 0].split(size):
                filled, variances = completed(wide(x[some].cpu()), mean, precision)
                guess[some], scale[some] = filled.to(guess), variances.sqrt().to(scale)
        self.whole = Batch(x, batch.target, (is_out.to(x), guess, scale))

    def _batch(self, positions: Tensor | slice) -> Batch:
        x, target = self.whole
        extra = tuple(each[positions] for each in self.whole.extra)
        return Batch(x[positions], target[positions], extra)
