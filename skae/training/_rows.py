"""From data to batches: dense, sparse or memory-mapped rows, sliced and never collated."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor
from torch.utils.data import Dataset

from .._settings import ROW_MULTIPLE, whole_rows
from .._units import Units
from .._weights import weighted_mean
from ..datasets import RowSource
from ._batch import Batch
from ._distributed import mean_of_all

_MOST_CELLS_HELD, _CELLS_AT_ONCE = 2**24, 2**19


class Rows(Dataset):
    """Base class: rows that come in batches. A subclass says in :meth:`_batch` what is in one.

    Parameters
    ----------
    n_rows : int
        How many there are.
    n_features : int
        Number of columns of the input.
    dtype : torch.dtype
        Type of the batches.
    device : torch.device
        Where the batches go.
    """

    indices: Tensor | None = None  # of a subset
    weights: Tensor | None = None  # of all rows
    _mean_weight = 1.0
    row_source: RowSource | None = None  # of rows that are read block by block
    row_multiple = ROW_MULTIPLE  # of batches of an inference

    def __init__(
        self, n_rows: int, n_features: int, dtype: torch.dtype, device: torch.device
    ) -> None:
        self.n_rows, self.n_features = n_rows, n_features
        self.dtype, self.device = dtype, device

    def __len__(self) -> int:
        return self.n_rows if self.indices is None else len(self.indices)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        batch = self.batch(torch.tensor([row]))
        x = batch.input[0]
        return x, x if batch.target is batch.input else batch.target[0]

    def batch(self, positions: Tensor | slice) -> Batch:
        """Return some of the rows.

        Parameters
        ----------
        positions : Tensor of int64 on the CPU, or slice
            Which ones, counted among the rows of this subset.

        Returns
        -------
        Batch
            Of the wanted dtype, on the wanted device.
        """
        if self.indices is not None:
            positions = self.indices[positions]
        batch = self._batch(positions)
        if self.weights is None:
            return batch
        weight = self.weights[positions] / self._mean_weight
        return replace(batch, weight=weight.to(self.device, self.dtype))

    def _batch(self, positions: Tensor | slice) -> Batch:
        """Return some of the rows, counted among all."""
        raise NotImplementedError

    def subset(self, positions: Tensor) -> "Rows":
        """Return the rows at some positions, without copying any data.

        Parameters
        ----------
        positions : Tensor of int64 on the CPU
            Which ones.

        Returns
        -------
        Rows
            A view.
        """
        view = copy.copy(self)
        view.indices = positions if self.indices is None else self.indices[positions]
        return view

    def weighted(self, weights: Any) -> "Rows":
        """Return the same rows with weights.

        Parameters
        ----------
        weights : ndarray of shape (n_rows,) or None
            How much each of all rows counts. None leaves them as they are.

        Returns
        -------
        Rows
            A view.
        """
        if weights is None:
            return self
        view = copy.copy(self)
        view.weights, view._mean_weight = torch.from_numpy(weights), float(weights.mean())
        return view

    def weighted_together(self, weights: Any) -> "Rows":
        """Return the same rows with weights, of which other processes have more.

        Parameters
        ----------
        weights : ndarray of shape (n_rows,) or None
            How much each of all rows of this process counts. None leaves them as they are.

        Returns
        -------
        Rows
            A view.
        """
        view = self.weighted(weights)
        if view is not self:
            view._mean_weight = mean_of_all(view._mean_weight, len(weights))
        return view

    def mean(self, values: np.ndarray) -> float:
        """Return the mean of what the rows of this subset have.

        Parameters
        ----------
        values : ndarray of shape (n_rows,)
            Their values.

        Returns
        -------
        float
            The mean, weighted if the rows are.
        """
        return weighted_mean(values, self.own_weights)

    @property
    def own_weights(self) -> np.ndarray | None:
        """The weights of the rows of this subset."""
        if self.weights is None:
            return None
        return (self.weights if self.indices is None else self.weights[self.indices]).numpy()

    def held_out(self) -> "Rows":
        """Return the rows in the form in which they judge a training that has not seen them.

        Returns
        -------
        Rows
            These, unless a task hides something of each row and asks for it.
        """
        return self

    def batches(self, size: int | None = None) -> Iterator[Batch]:
        """Yield all rows in their order.

        Parameters
        ----------
        size : int or None, default=None
            Number of rows of a batch; None takes as many as fit caches and memory.

        Yields
        ------
        Batch
            The last one may be smaller.
        """
        size = size or inference_rows(self.n_features)
        for start in range(0, len(self), size):
            yield self.batch(slice(start, start + size))


class ArrayRows(Rows):
    """Rows of a checked array or CSR, as dense tensors.

    Parameters
    ----------
    X : ndarray, memmap or CSR matrix or array of shape (n_samples, n_features)
        Checked data.
    dtype : torch.dtype
        Type of the batches.
    device : torch.device
        Where the batches go.
    held : bool, default=True
        Whether an array in memory becomes one tensor, for many passes over it: without a copy where
        dtype and device allow. Otherwise, and of memory-mapped, sparse or very many data, only the
        wanted rows are ever converted.
    units : Units or None, default=None
        What the batches are measured in; None leaves the units of the data.
    """

    def __init__(
        self,
        X: Any,
        dtype: torch.dtype,
        device: torch.device,
        held: bool = True,
        units: Units | None = None,
    ) -> None:
        super().__init__(X.shape[0], X.shape[1], dtype, device)
        self._units = units
        self._X = X
        if isinstance(X, RowSource):
            self.row_source = X
        if held and isinstance(X, np.ndarray) and not _is_memory_mapped(X):
            if units is None and _shares_memory(X, dtype, device):
                self._X = torch.from_numpy(X)
            elif X.size <= _MOST_CELLS_HELD:
                self._X = self._converted(torch.arange(len(X), device="cpu"))

    def _converted(self, positions: Tensor) -> Tensor:
        """Return rows as one tensor, with little more in memory meanwhile."""
        n_rows = max(1, _CELLS_AT_ONCE // self.n_features)
        if len(positions) <= n_rows:
            return self._tensor(positions)
        x = torch.empty(len(positions), self.n_features, dtype=self.dtype, device=self.device)
        for some, places in zip(positions.split(n_rows), x.split(n_rows), strict=True):
            places.copy_(self._tensor(some))
        return x

    def _tensor(self, positions: Tensor | slice) -> Tensor:
        """Return rows as a tensor that shares no memory with them."""
        rows = self._X[of_array(positions)]
        rows = rows.toarray() if sparse.issparse(rows) else np.asarray(rows)
        native = rows.dtype.newbyteorder("=")
        rows = np.array(rows, native, order="C") if not self._units else self._units.apply(rows)
        return torch.from_numpy(rows).to(device=self.device, dtype=self.dtype)

    def _batch(self, positions: Tensor | slice) -> Batch:
        if isinstance(self._X, Tensor) and isinstance(positions, slice):
            # Never a view: a network that works in place must not write into the user's array.
            x = self._X[positions].clone()
        elif isinstance(self._X, Tensor):
            x = self._X[torch.as_tensor(positions, device=self._X.device)]
        elif isinstance(positions, slice):
            x = self._tensor(positions)
        else:
            x = self._converted(positions)
        return Batch(x, x)


class PairedRows(Rows):
    """Rows whose input and target are different data: damaged and clean, filled and incomplete.

    Parameters
    ----------
    inputs, targets : Rows
        As many of both.
    """

    def __init__(self, inputs: Rows, targets: Rows) -> None:
        super().__init__(len(inputs), inputs.n_features, inputs.dtype, inputs.device)
        self.inputs, self.targets = inputs, targets
        self.row_source = inputs.row_source

    def _batch(self, positions: Tensor | slice) -> Batch:
        x, y = self.inputs.batch(positions), self.targets.batch(positions)
        return Batch(x.input, y.target, x.extra + y.extra)


def of_array(positions: Tensor | slice) -> Any:
    """Return positions as NumPy and SciPy take them.

    Parameters
    ----------
    positions : Tensor of int64 on the CPU, or slice
        As in :meth:`Rows.batch`.

    Returns
    -------
    ndarray of int64 or slice
        The same.
    """
    return positions if isinstance(positions, slice) else positions.numpy()


def _shares_memory(X: np.ndarray, dtype: torch.dtype, device: torch.device) -> bool:
    """Tell whether torch can take an array as it is: neither read-only nor of negative strides."""
    as_it_is = X.flags.writeable and X.flags.c_contiguous and X.dtype == str(dtype)[6:]
    return as_it_is and device.type == "cpu"


def _is_memory_mapped(X: Any) -> bool:
    while X is not None and not isinstance(X, np.memmap):
        X = getattr(X, "base", None)
    return X is not None


def inference_rows(n_features: int) -> int:
    """Return how many rows to process at once when there is no gradient.

    Parameters
    ----------
    n_features : int
        Number of columns.

    Returns
    -------
    int
        A multiple of `ROW_MULTIPLE`, at most 4096: about a million cells, as caches hold.
    """
    return min(4096, whole_rows(2**20 // n_features))
