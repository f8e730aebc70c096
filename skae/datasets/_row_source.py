"""A table that is read block by block, and looks like a matrix to those who take parts of it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._units import Summary

BUFFER_ROWS = 2**16


class RowSource:
    """Base class: a table of numbers that is read block by block. Made by :func:`rows`.

    A subclass says in :meth:`_read` what is in a block. As a matrix, a source has a `shape` and a
    `dtype`, and gives dense arrays for a slice of rows or for positions of rows; so it serves
    wherever an estimator takes parts of a table. The blocks read last are kept: as many as hold
    `buffer_rows` rows, and one more, which a thread reads ahead.

    Parameters
    ----------
    sizes : sequence of int
        How many rows each block has.
    n_features : int
        Number of columns.
    dtype : dtype
        Type of the numbers.
    feature_names : sequence of str or None, default=None
        Names of the columns, if they have any.
    buffer_rows : int, default=65536
        How many rows are mixed with each other in training, and held in memory for it.
    """

    ndim = 2

    def __init__(
        self,
        sizes: Sequence[int],
        n_features: int,
        dtype: Any,
        feature_names: Sequence[str] | None = None,
        buffer_rows: int = BUFFER_ROWS,
    ) -> None:
        sizes = [size for size in sizes if size > 0]
        self._ends = np.cumsum(sizes, dtype=np.int64)
        self.n_rows, self.n_features = int(sum(sizes)), n_features
        self.dtype = np.dtype(dtype)
        self.feature_names = None if feature_names is None else list(feature_names)
        self.buffer_rows = buffer_rows
        self._cache: OrderedDict[int, Future[NDArray]] = OrderedDict()
        self._lock = threading.Lock()
        self._reader: ThreadPoolExecutor | None = None

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.n_rows:,} rows of {self.n_features} features, "
            f"{self.dtype}, in {self.n_blocks} blocks)"
        )

    # ------------------------------------------------------------------ what it is

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        return self.n_rows, self.n_features

    def __len__(self) -> int:
        return self.n_rows

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return len(self._ends)

    @property
    def blocks_at_once(self) -> int:
        """How many blocks hold `buffer_rows` rows, at least one."""
        return max(1, min(self.n_blocks, self.buffer_rows * self.n_blocks // max(1, self.n_rows)))

    def _read(self, block: int) -> NDArray:
        """Return a block as an array of shape (its number of rows, n_features)."""
        raise NotImplementedError

    def _read_column(self, block: int, column: int) -> NDArray:
        """Return one column of a block."""
        return self._block(block)[:, column]

    def place(self, block: int) -> slice:
        """Return where the rows of a block are among all.

        Parameters
        ----------
        block : int
            Number of the block.

        Returns
        -------
        slice
            From its first row to that after its last.
        """
        return slice(int(self._ends[block - 1]) if block else 0, int(self._ends[block]))

    def blocks_of(self, positions: NDArray) -> NDArray:
        """Return in which block each row is.

        Parameters
        ----------
        positions : ndarray of int64
            Positions among all rows.

        Returns
        -------
        ndarray of int64
            Numbers of blocks.
        """
        return np.searchsorted(self._ends, positions, side="right")

    def blocks(self) -> Iterator[NDArray]:
        """Yield all blocks in their order.

        Yields
        ------
        ndarray of shape (n_rows_of_block, n_features)
            Not to be written to.
        """
        for block in range(self.n_blocks):
            values = self._block(block)
            if block + 1 < self.n_blocks:
                self.expect(block + 1)
            yield values

    def head(self) -> Any:
        """Return something with the names and the number of the columns, but no data.

        Returns
        -------
        ndarray or pyarrow.Table of shape (1, n_features)
            Zeros, in a table if the columns have names.
        """
        zeros = np.zeros((1, self.n_features), self.dtype)
        if self.feature_names is None:
            return zeros
        import pyarrow as pa  # which the names come from

        return pa.Table.from_arrays([pa.array(each) for each in zeros.T], self.feature_names)

    @cached_property
    def summary(self) -> Summary:
        """What a fit has to know of all values, from one pass over them."""
        return Summary.of(self.blocks(), self.n_features)

    def min(self) -> float:
        """Return the lowest value that is not NaN, of all columns.

        Returns
        -------
        float
            The value.
        """
        return self.summary.low

    def max(self) -> float:
        """Return the highest value that is not NaN, of all columns.

        Returns
        -------
        float
            The value.
        """
        return self.summary.high

    def map(self, function: Any) -> "RowSource":
        """Return a source whose blocks go through a function as they are read.

        Parameters
        ----------
        function : callable or fitted transformer
            Takes a block, an array of shape (n_rows, n_features), and returns as many rows.
            Of a transformer, such as a :class:`~sklearn.preprocessing.StandardScaler` that has seen
            the blocks by `partial_fit`, it is the method `transform`.

        Returns
        -------
        RowSource
            The same rows, changed. This source is left as it is.
        """
        return MappedSource(self, function)

    # ------------------------------------------------------------------ as a matrix

    def __getitem__(self, key: Any) -> NDArray:
        """Return rows by a slice, positions or a mask; or one column by a slice and its number."""
        if isinstance(key, tuple):
            rows, column = key
            whole = [self._read_column(block, column) for block in range(self.n_blocks)]
            return np.concatenate(whole)[rows]
        if isinstance(key, slice):
            start, stop, step = key.indices(self.n_rows)
            if step == 1:
                return self._span(start, max(start, stop))
            key = np.arange(start, stop, step)
        positions = np.asarray(key)
        if positions.dtype == bool:
            positions = np.flatnonzero(positions)
        return self._gathered(np.where(positions < 0, positions + self.n_rows, positions))

    def _span(self, start: int, stop: int) -> NDArray:
        """Return the rows of a slice: a view, if they lie in one block."""
        first = int(np.searchsorted(self._ends, start, side="right"))
        parts = []
        for block in range(first, self.n_blocks):
            place = self.place(block)
            if place.start >= stop:
                break
            parts.append(self._block(block)[max(start - place.start, 0) : stop - place.start])
        if not parts:
            return np.empty((0, self.n_features), self.dtype)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _gathered(self, positions: NDArray) -> NDArray:
        """Return the rows at some positions, in the order of these."""
        of_blocks = self.blocks_of(positions)
        rows = np.empty((len(positions), self.n_features), self.dtype)
        for block in np.unique(of_blocks):
            chosen = of_blocks == block
            rows[chosen] = self._block(block)[positions[chosen] - self.place(block).start]
        return rows

    # ------------------------------------------------------------------ blocks in memory

    def expect(self, block: int) -> None:
        """Read a block in a thread, because it is wanted soon.

        Parameters
        ----------
        block : int
            Number of the block.
        """
        with self._lock:
            if block in self._cache:
                return
            if self._reader is None:
                self._reader = ThreadPoolExecutor(1, "skae-rows")
            self._keep(block, self._reader.submit(self._checked_block, block))

    def _block(self, block: int) -> NDArray:
        """Return a block, from memory if it is there."""
        with self._lock:
            known = self._cache.get(block)
            if known is None:
                future: Future[NDArray] = Future()
                self._keep(block, future)
            else:
                self._cache.move_to_end(block)
        try:
            if known is not None:
                return known.result()
            future.set_result(self._checked_block(block))
        except BaseException as error:
            with self._lock:
                self._cache.pop(block, None)
            if known is None:
                future.set_exception(error)
            raise
        return future.result()

    def _keep(self, block: int, future: "Future[NDArray]") -> None:
        self._cache[block] = future
        while len(self._cache) > self.blocks_at_once + 1:
            self._cache.popitem(last=False)

    def _checked_block(self, block: int) -> NDArray:
        values = np.asarray(self._read(block))
        place = self.place(block)
        wanted = (place.stop - place.start, self.n_features)
        if values.shape != wanted:
            raise ValueError(
                f"block {block} of X has the shape {values.shape}, but {wanted} was promised; did "
                "the data change meanwhile?"
            )
        return values

    def __getstate__(self) -> dict[str, Any]:
        state = vars(self).copy()
        del state["_lock"]
        return state | {"_cache": OrderedDict(), "_reader": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._lock = threading.Lock()


class MappedSource(RowSource):
    """A source whose blocks go through a function as they are read.

    Parameters
    ----------
    source : RowSource
        What the blocks are taken from.
    function : callable or fitted transformer
        As in :meth:`RowSource.map`.
    """

    def __init__(self, source: RowSource, function: Any) -> None:
        self._source = source
        self._function: Callable[[NDArray], NDArray] = getattr(function, "transform", function)
        if not callable(self._function):
            raise TypeError(
                "function must be callable or have a method transform, got "
                f"{type(function).__name__}"
            )
        first = self._mapped(source[:1])
        names = source.feature_names
        if hasattr(function, "get_feature_names_out") and names is not None:
            names = list(function.get_feature_names_out())
        elif first.shape[1] != source.n_features:
            names = None
        sizes = np.diff(source._ends, prepend=0)
        super().__init__(sizes, first.shape[1], first.dtype, names, source.buffer_rows)

    def _mapped(self, values: NDArray) -> NDArray:
        found: Any = self._function(values)
        mapped = np.asarray(found.toarray() if hasattr(found, "toarray") else found)
        if mapped.ndim != 2 or len(mapped) != len(values):
            raise ValueError(
                f"the function given to map must return an array with the {len(values)} rows it is "
                f"given, it returned one of shape {mapped.shape}"
            )
        return mapped

    def _read(self, block: int) -> NDArray:
        return self._mapped(self._source._read(block))
