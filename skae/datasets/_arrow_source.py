"""Tables in files that pyarrow reads: folders of Parquet, above all."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        names = list(dataset.schema.names if columns is None else columns)
        if unknown := [name for name in names if name not in dataset.schema.names]:
            raise ValueError(
                f"columns={unknown} are not in the data, which have {dataset.schema.names}"
            )
        types = [_number_type(name, dataset.schema.field(name).type) for name in names]
        self._groups = [
            group
            for fragment in dataset.get_fragments()
            for group in _groups_of(fragment)
            if _n_rows_of(group)
        ]
        if not self._groups or not names:
            raise ValueError(f"found no rows in {getattr(dataset, 'files', dataset)}")
        self._schema = dataset.schema
        sizes = [_n_rows_of(group) for group in self._groups]
        super().__init__(sizes, len(names), np.result_type(*types), names, buffer_rows)

    def _read(self, block: int) -> NDArray:
        table = self._table(block, self.feature_names)
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

    def _table(self, block: int, columns: Any) -> Any:
        import pyarrow as pa

        group = self._groups[block]
        try:
            table = group.to_table(schema=self._schema, columns=columns, use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{group.path} can't be read: {error}") from error
        # Gaps are NaN; only numbers that have none keep the precision of whole numbers.
        for name, column in zip(columns, table.columns, strict=True):
            if column.null_count and self.dtype.kind != "f":
                raise ValueError(
                    f"column {name!r} holds {self.dtype} and has {column.null_count} missing "
                    f"values in {group.path}; .map(...) can't help: store it as floats"
                )
        return table


def _groups_of(fragment: Any) -> list[Any]:
    """Return the parts of a file that can be read alone."""
    split = getattr(fragment, "split_by_row_group", None)
    return [fragment] if split is None else split()


def _n_rows_of(group: Any) -> int:
    """Return how many rows a part of a file has."""
    row_groups = getattr(group, "row_groups", None)
    return group.count_rows() if row_groups is None else sum(g.num_rows for g in row_groups)


def _number_type(name: str, kind: Any) -> np.dtype:
    """Return NumPy's type for the numbers of a column."""
    import pyarrow as pa

    if pa.types.is_boolean(kind):
        return np.dtype(np.uint8)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return np.dtype(kind.to_pandas_dtype())
    raise TypeError(
        f"column {name!r} holds {kind}, but rows() reads numbers: leave it out by columns=[...], "
        "or encode it beforehand"
    )
