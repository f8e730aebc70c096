"""Rows of a table, encoded batch by batch."""

import numpy as np
import torch
from torch import Tensor

from ..training import ArrayRows, Batch, Rows
from ..training._rows import of_array
from ._columns import Columns


class ColumnRows(Rows):
    """Rows of a matrix as the network sees its columns.

    What a batch has besides is the logarithm of what volumes are multiplied by in each row.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
        Checked data, categories by their numbers.
    columns : Columns
        What encodes them.
    dtype : torch.dtype
        Type of the batches.
    device : torch.device
        Where the batches go.
    positions : ndarray of shape (n_samples or 1, n_numbers) or None, default=None
        Where in their intervals the scores of frequent values lie; None takes the middle.
    """

    def __init__(
        self,
        X: np.ndarray,
        columns: Columns,
        dtype: torch.dtype,
        device: torch.device,
        positions: np.ndarray | None = None,
    ) -> None:
        super().__init__(len(X), columns.n_outputs, dtype, device)
        self._X, self._columns, self._positions = X, columns, positions

    def _batch(self, positions: Tensor | slice) -> Batch:
        chosen = of_array(positions)
        places = self._positions
        if places is not None and len(places) > 1:
            places = places[chosen]
        encoded, log_volume = self._columns.encode(self._X[chosen], places)
        x = torch.from_numpy(encoded).to(device=self.device, dtype=self.dtype)
        return Batch(x, x, (torch.from_numpy(log_volume),))

    def held(self, device: torch.device) -> ArrayRows:
        """Return rows that are encoded once and held on a device, for many passes over them.

        Parameters
        ----------
        device : torch.device
            Which one; these rows are on the CPU.

        Returns
        -------
        ArrayRows
            The same rows.
        """
        encoded = torch.empty(len(self), self.n_features, dtype=self.dtype)
        start = 0
        for batch in self.batches():
            encoded[start : start + len(batch)] = batch.input
            start += len(batch)
        return ArrayRows(encoded.numpy(), self.dtype, device)
