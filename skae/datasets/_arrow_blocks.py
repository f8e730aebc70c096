"""Tables in files that pyarrow reads, one part after the other, as Arrow tables."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np


class ArrowBlocks:
    """Parts of a :class:`pyarrow.dataset.Dataset`: row groups of Parquet, else whole files.

    Parameters
    ----------
    dataset : pyarrow.dataset.Dataset
        The files.
    columns : sequence of str or None, default=None
        Which columns to read, in this order; None takes all.

    Attributes
    ----------
    names : list of str
        Names of the columns.
    sizes : list of int
        Number of rows of each part.

    Raises
    ------
    ValueError
        If there are no rows, or a column is not there.
    """

    def __init__(self, dataset: Any, columns: Sequence[str] | None = None) -> None:
        self.names = list(dataset.schema.names if columns is None else columns)
        if unknown := [name for name in self.names if name not in dataset.schema.names]:
            raise ValueError(
                f"columns={unknown} are not in the data, which have {dataset.schema.names}"
            )
        self._groups = [
            group
            for fragment in dataset.get_fragments()
            for group in _groups_of(fragment)
            if _n_rows_of(group)
        ]
        if not self._groups or not self.names:
            raise ValueError(f"found no rows in {getattr(dataset, 'files', 'the table')}")
        self._schema = dataset.schema
        self.sizes = [_n_rows_of(group) for group in self._groups]

    def __len__(self) -> int:
        return sum(self.sizes)

    @property
    def n_blocks(self) -> int:
        """How many parts there are."""
        return len(self.sizes)

    @property
    def types(self) -> dict[str, Any]:
        """Types of the columns, by their names."""
        return {name: self._schema.field(name).type for name in self.names}

    @property
    def has_gaps(self) -> bool:
        """Whether cells are missing, by what Parquet notes down, or else by reading."""
        return any(map(self._n_missing, range(self.n_blocks)))

    def _n_missing(self, block: int) -> int:
        metadata = getattr(self._groups[block], "metadata", None)
        if metadata is None:
            return sum(column.null_count for column in self.table(block).columns)
        columns = [
            metadata.row_group(group.id).column(j)
            for group in self._groups[block].row_groups
            for j in range(metadata.num_columns)
        ]
        notes = [c.statistics for c in columns if c.path_in_schema in self.names]
        return sum(note.null_count for note in notes if note is not None and note.has_null_count)

    def table(self, block: int, columns: Sequence[str] | None = None) -> Any:
        """Return a part as an Arrow table.

        Parameters
        ----------
        block : int
            Which one.
        columns : sequence of str or None, default=None
            Some of the columns; None reads all that are wanted.

        Returns
        -------
        pyarrow.Table
            The part.

        Raises
        ------
        ValueError
            If it can't be read.
        """
        import pyarrow as pa

        group, names = self._groups[block], self.names if columns is None else list(columns)
        try:
            return group.to_table(schema=self._schema, columns=names, use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{self.path_of(block)} can't be read: {error}") from error

    def whole(self) -> Any:
        """Return all parts as one Arrow table."""
        import pyarrow as pa

        return pa.concat_tables(self.blocks())

    def blocks(self) -> Iterator[Any]:
        """Yield all parts."""
        return map(self.table, range(self.n_blocks))

    def place(self, block: int) -> slice:
        """Return where the rows of a part are among all."""
        stop = sum(self.sizes[: block + 1])
        return slice(stop - self.sizes[block], stop)

    def path_of(self, block: int) -> str:
        """Return the file that a part is in."""
        return getattr(self._groups[block], "path", "the table")


def dataset_at(path: Path) -> Any:
    """Return what pyarrow finds at a path.

    Parameters
    ----------
    path : Path
        A file, or a folder of Parquet. Empty cells of text in CSV are missing, as those of numbers.

    Returns
    -------
    pyarrow.dataset.Dataset
        The files.

    Raises
    ------
    ImportError
        If there is no pyarrow.
    FileNotFoundError
        If there is nothing.
    ValueError
        If it can't be read.
    """
    try:
        import pyarrow as pa
        import pyarrow.csv
        import pyarrow.dataset
    except ImportError as error:
        raise ImportError(
            "files of tables are read by pyarrow, which is missing: pip install 'skae[parquet]'"
        ) from error
    if not path.exists():
        raise FileNotFoundError(f"there is neither a file nor a folder at {str(path)!r}")
    kind = path.suffix.lstrip(".").lower() if path.is_file() else "parquet"
    try:
        if kind == "csv":  # types by all of its rows, not by the first million bytes
            empty_is_missing = pyarrow.csv.ConvertOptions(strings_can_be_null=True)
            table = pyarrow.csv.read_csv(path, convert_options=empty_is_missing)
            return pyarrow.dataset.dataset(table.combine_chunks())
        return pyarrow.dataset.dataset(path, format=kind or "parquet")
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ValueError(f"{str(path)!r} can't be read as {kind or 'parquet'}: {error}") from error


def are_numbers(kind: Any) -> bool:
    """Return whether a type of Arrow is that of numbers or truth values."""
    import pyarrow as pa

    checks = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating)
    return any(check(kind) for check in checks)


def number_type(name: str, kind: Any) -> np.dtype:
    """Return NumPy's type for the numbers of a column.

    Parameters
    ----------
    name : str
        Name of the column.
    kind : pyarrow.DataType
        Its type.

    Returns
    -------
    dtype
        That of truth values is uint8.

    Raises
    ------
    TypeError
        If it does not hold numbers.
    """
    import pyarrow as pa

    if pa.types.is_boolean(kind):
        return np.dtype(np.uint8)
    if are_numbers(kind):
        return np.dtype(kind.to_pandas_dtype())
    raise TypeError(
        f"column {name!r} holds {kind}, but rows() reads numbers: leave it out by columns=[...], "
        "or encode it beforehand"
    )


def _groups_of(fragment: Any) -> list[Any]:
    """Return the parts of a file that can be read alone."""
    split = getattr(fragment, "split_by_row_group", None)
    return [fragment] if split is None else split()


def _n_rows_of(group: Any) -> int:
    """Return how many rows a part of a file has."""
    row_groups = getattr(group, "row_groups", None)
    return group.count_rows() if row_groups is None else sum(g.num_rows for g in row_groups)
