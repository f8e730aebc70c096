"""Tables of results, written block by block: Parquet, CSV and NPY."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
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
        Its value is called with one part after the other: arrays of one dimension, by the names of
        the columns.
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
        part = np.column_stack(list(columns.values()))
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
