"""Arrays that are not in memory, or are sparse: memory maps, HDF5, Zarr, Dask, CSR."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ._row_source import RowSource

_CELLS_OF_A_BLOCK = 2**20


class ArraySource(RowSource):
    """Blocks of an array that can be sliced.

    Parameters
    ----------
    array : object
        Has a `shape` of two numbers and a `dtype`, and gives rows for slices: a memory map, an HDF5
        dataset, a Zarr array, or a CSR matrix or array.
    buffer_rows : int
        As for :class:`RowSource`.
    """

    def __init__(self, array: Any, buffer_rows: int) -> None:
        self._array = array
        n_rows, n_features = array.shape
        size = min(max(1, _CELLS_OF_A_BLOCK // max(1, n_features)), max(1, buffer_rows))
        # Chunks of a file are read and unpacked as a whole.
        if chunks := getattr(array, "chunks", None):
            size = math.ceil(size / chunks[0]) * chunks[0]
        sizes = [min(size, n_rows - start) for start in range(0, n_rows, size)]
        super().__init__(sizes, n_features, array.dtype, None, buffer_rows)

    def _read(self, block: int) -> NDArray:
        part = self._array[self.place(block)]
        return part.toarray() if sparse.issparse(part) else np.array(part)


class DaskSource(RowSource):
    """Blocks of a Dask array, each computed when it is wanted.

    Parameters
    ----------
    array : dask.array.Array of shape (n_samples, n_features)
        The array.
    buffer_rows : int
        As for :class:`RowSource`.
    """

    def __init__(self, array: Any, buffer_rows: int) -> None:
        if any(math.isnan(size) for sizes in array.chunks for size in sizes):
            raise ValueError(
                "the Dask array does not know how many rows its chunks have: call its method "
                "compute_chunk_sizes() first, or make it with to_dask_array(lengths=True)"
            )
        self._array = array.rechunk({1: -1})
        super().__init__(self._array.chunks[0], array.shape[1], array.dtype, None, buffer_rows)
        self._numbers = [i for i, size in enumerate(self._array.chunks[0]) if size > 0]

    def _read(self, block: int) -> NDArray:
        part = self._array.blocks[self._numbers[block], 0].compute()
        return part.toarray() if sparse.issparse(part) else np.asarray(part)
