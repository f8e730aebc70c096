"""Rows with missing cells as the imputer's networks see them."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..training import Batch, Rows
from ..training._rows import of_array
from ._coding import Coding


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
    counts : ndarray of shape (n_samples, n_members) or None, default=None
        How often each row counts.
    """

    def __init__(
        self,
        X: Any,
        coding: Coding,
        dtype: torch.dtype,
        device: torch.device,
        counts: np.ndarray | None = None,
    ) -> None:
        super().__init__(X.shape[0], coding.n_outputs, dtype, device)
        self._X, self._coding, self.counts = X, coding, counts

    def _batch(self, positions: Tensor | slice) -> Batch:
        chosen = of_array(positions)
        coded = torch.from_numpy(self._coding.encode(np.asarray(self._X[chosen])))
        x = coded.to(device=self.device, dtype=self.dtype)
        if self.counts is None:
            return Batch(x, x)
        return Batch(x, x, (torch.from_numpy(self.counts[chosen]).to(x),))


class JudgedRows(Rows):
    """Rows of which some observed cells are hidden, for those members that do not train on them.

    Parameters
    ----------
    module : ImputingEnsemble
        Whose first guesses are made once.
    batch : Batch
        The rows, and how often each counts for each member.
    hidden : Tensor of bool of shape (n_rows, n_columns)
        The cells to hide.
    size : int
        Number of rows to guess at once.
    """

    def __init__(self, module: Any, batch: Batch, hidden: Tensor, size: int) -> None:
        target = batch.target
        super().__init__(len(batch), target.shape[1], target.dtype, target.device)
        x = target.masked_fill(hidden, torch.nan)
        guesses = [module.first_guess(some) for some in x.split(size)]
        guess, scale = (torch.cat(each) for each in zip(*guesses, strict=True))
        is_held_out = (batch.extra[0] == 0).to(x)
        self.whole = Batch(x, target, (is_held_out, guess, scale))

    def _batch(self, positions: Tensor | slice) -> Batch:
        some = self.whole.input, self.whole.target, *self.whole.extra
        x, target, *extra = (each[positions] for each in some)
        return Batch(x, target, tuple(extra))
