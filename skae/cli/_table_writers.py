"""Tables of results, written block by block: Parquet, CSV and NPY."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ._outcomes import CommandError

SUFFIXES = (".csv", ".npy", ".parquet")
Write = Callable[[Mapping[str, Any]], None]


def check_suffix(path: Path) -> None:
    """Raise CommandError if the name of a file does not say a format that is known.

    Parameters
    ----------
    path : Path
        The file.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise CommandError(f"{path}: its suffix must say the format, one of {', '.join(SUFFIXES)}")


def columns_of(rows: Any, names: Callable[[], Iterable[Any]]) -> dict[str, Any]:
    """Return the columns of what an estimator gives, as Arrow or NumPy has them.

    Parameters
    ----------
    rows : ndarray or data frame of shape (n_rows, n_columns)
        Of pandas, polars or Arrow.
    names : callable
        Returns the names of the columns of an array.

    Returns
    -------
    dict
        Columns by their names.
    """
    if hasattr(rows, "to_arrow"):  # polars
        rows = rows.to_arrow()
    if hasattr(rows, "iloc"):
        import pyarrow as pa

        rows = pa.Table.from_pandas(rows, preserve_index=False)
    if hasattr(rows, "column_names"):
        return dict(zip(rows.column_names, rows.columns, strict=True))
    return dict(zip(map(str, names()), rows.T, strict=True))


def table_writer(path: Path, suffix: str, n_rows: int) -> contextlib.AbstractContextManager[Write]:
    """Write a table in parts.

    Parameters
    ----------
    path : Path
        The file.
    suffix : {".csv", ".npy", ".parquet"}
        Its format.
    n_rows : int
        How many rows there will be.

    Returns
    -------
    context manager
        Its value is called with one part after the other: arrays of one dimension, of NumPy or
        Arrow, by the names of the columns.
    """
    return _WRITERS[suffix](path, n_rows)


@contextlib.contextmanager
def _arrow(kind: str, path: Path, n_rows: int) -> Iterator[Write]:
    try:
        import pyarrow as pa
        from pyarrow import csv, parquet
    except ImportError as error:
        raise CommandError(
            "tables are written by pyarrow, which is missing: pip install 'skae[parquet]'"
        ) from error
    new = {"csv": csv.CSVWriter, "parquet": parquet.ParquetWriter}[kind]
    with contextlib.ExitStack() as stack:
        writer: Any = None

        def write(columns: Mapping[str, Any]) -> None:
            nonlocal writer
            part = pa.table(dict(columns))
            if writer is None:
                writer = stack.enter_context(new(path, part.schema))
            writer.write_table(part)

        yield write


@contextlib.contextmanager
def _npy(path: Path, n_rows: int) -> Iterator[Write]:
    import numpy as np

    array: Any = None
    start = 0

    def write(columns: Mapping[str, Any]) -> None:
        nonlocal array, start
        part = np.column_stack([np.asarray(column) for column in columns.values()])
        if part.dtype.kind not in "biuf":
            raise CommandError("NPY holds numbers alone: write this table as .csv or .parquet")
        part = part[:, 0] if len(columns) == 1 else part
        if array is None:
            shape = (n_rows, *part.shape[1:])
            array = np.lib.format.open_memmap(path, "w+", part.dtype, shape)
        array[start : start + len(part)] = part
        start += len(part)

    yield write
    array.flush()


_WRITERS: dict[str, Callable[[Path, int], contextlib.AbstractContextManager[Write]]] = {
    ".csv": partial(_arrow, "csv"),
    ".npy": _npy,
    ".parquet": partial(_arrow, "parquet"),
}
