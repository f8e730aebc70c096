"""Tables of numbers in files that pyarrow reads: folders of Parquet, above all."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._arrow_blocks import ArrowBlocks, number_type
from ._row_source import RowSource


class ArrowSource(RowSource):
    """Blocks of a :class:`pyarrow.dataset.Dataset`: row groups of Parquet, else whole files.

    Parameters
    ----------
    dataset : pyarrow.dataset.Dataset
        The files.
    columns : sequence of str or None
        Which columns to read, in this order; None takes all.
    buffer_rows : int
        As for :class:`RowSource`.
    """

    def __init__(self, dataset: Any, columns: Sequence[str] | None, buffer_rows: int) -> None:
        self._tables = ArrowBlocks(dataset, columns)
        names = self._tables.names
        types = [number_type(name, kind) for name, kind in self._tables.types.items()]
        dtype = np.result_type(*types)
        super().__init__(self._tables.sizes, len(names), dtype, names, buffer_rows)

    def _read(self, block: int) -> NDArray:
        table = self._table(block, None)
        values = np.empty((table.num_rows, self.n_features), self.dtype)
        for j, column in enumerate(table.columns):
            values[:, j] = column.to_numpy()
        return values

    def _read_column(self, block: int, column: int) -> NDArray:
        assert self.feature_names is not None
        if block in self._cache:
            return self._block(block)[:, column]
        table = self._table(block, [self.feature_names[column]])
        return table.column(0).to_numpy().astype(self.dtype)

    def _table(self, block: int, columns: Sequence[str] | None) -> Any:
        table = self._tables.table(block, columns)
        # Gaps are NaN; only numbers that have none keep the precision of whole numbers.
        for name, column in zip(table.column_names, table.columns, strict=True):
            if column.null_count and self.dtype.kind != "f":
                raise ValueError(
                    f"column {name!r} holds {self.dtype} and has {column.null_count} missing "
                    f"values in {self._tables.path_of(block)}; .map(...) can't help: store it as "
                    "floats"
                )
        return table
