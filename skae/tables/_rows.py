"""Rows of a table, encoded batch by batch."""

import numpy as np
import torch
from torch import Tensor

from ..training import ArrayRows, Batch, Rows
from ..training._rows import inference_rows, of_array
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
    positions : ndarray of shape (1, n_numbers) or None, default=None
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
        self.row_source = getattr(X, "row_source", None)

    def _batch(self, positions: Tensor | slice) -> Batch:
        encoded, log_volume = self._columns.encode(self._X[of_array(positions)], self._positions)
        x = torch.from_numpy(encoded).to(device=self.device, dtype=self.dtype)
        return Batch(x, x, (torch.from_numpy(log_volume),))

    def held(self, device: torch.device) -> Rows:
        """Return rows that are encoded once and held on a device, for many passes over them.

        The scores of frequent values lie at random places of their intervals.

        Parameters
        ----------
        device : torch.device
            Which one.

        Returns
        -------
        Rows
            The same rows.
        """
        sizes = self._columns.group_sizes
        n, n_plain = len(self), self.n_features - sum(sizes)
        plain = torch.empty(n, n_plain, dtype=self.dtype)
        chosen = torch.empty(n, len(sizes), dtype=torch.int32)
        random = np.random.default_rng(0)
        size = inference_rows(self.n_features)
        for rows in (slice(start, start + size) for start in range(0, n, size)):
            X = self._X[rows]
            places = random.random((len(X), len(self._columns.scores)))
            encoded = torch.from_numpy(self._columns.encode(X, places)[0])
            plain[rows] = encoded[:, :n_plain]
            for i, group in enumerate(encoded[:, n_plain:].split(sizes, 1) if sizes else []):
                chosen[rows, i] = group.argmax(1).int()
        if not sizes:
            return ArrayRows(plain.numpy(), self.dtype, device)
        return _GroupedRows(plain.to(device), chosen.to(device), sizes)


class _GroupedRows(Rows):
    """Rows that end in groups of columns of which one is 1, held as the positions of the ones."""

    def __init__(self, plain: Tensor, chosen: Tensor, sizes: list[int]) -> None:
        n, n_plain = plain.shape
        super().__init__(n, n_plain + sum(sizes), plain.dtype, plain.device)
        starts = np.cumsum([n_plain, *sizes[:-1]])
        self._plain, self._ones = plain, chosen + torch.from_numpy(starts).to(chosen)

    def _batch(self, positions: Tensor | slice) -> Batch:
        if isinstance(positions, Tensor):
            positions = positions.to(self.device)
        plain, ones = self._plain[positions], self._ones[positions]
        x = plain.new_zeros(len(plain), self.n_features)
        x[:, : plain.shape[1]] = plain
        x.scatter_(1, ones.long(), 1)
        return Batch(x, x)
