"""Libraries of data frames: what is a frame, what it is converted into, and new ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..metrics._checks import is_frame
from ._series import is_number, numbers_of

# Libraries whose arrays are not in memory, and what else to do with them.
_UNREAD = {"dask": ", or let Dask call the estimator, X.map_blocks(...)", "h5py": "", "zarr": ""}


def refuse_unusable(X: Any) -> None:
    """Raise an error for data of which scikit-learn's checks would make something else, or nothing.

    Parameters
    ----------
    X : object
        What the user gave.

    Raises
    ------
    TypeError
        If they would have to be computed or read as a whole, or are an array of dates or records.
    ValueError
        If they are sparse and have values outside of the matrix, where SciPy would read.
    """
    if hasattr(X, "collect") and not is_arrow(X):
        raise TypeError(
            f"X is a {type(X).__name__}: call its method collect() first or, if it does not fit "
            "into memory, write it to files and give skae.datasets.rows(path)"
        )
    dtype = getattr(X, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "mMV":  # NumPy turns NaT into a number
        raise TypeError(
            f"X is an array of {dtype}, but an array must hold numbers: give a data frame, such as "
            "pandas.DataFrame(X), whose columns may be dates and durations"
        )
    if getattr(X, "format", None) in ("csr", "csc") and len(X.indices):
        low, high, n = X.indices.min(), X.indices.max(), X.shape[X.format == "csr"]
        if low < 0 or high >= n or (np.diff(X.indptr) < 0).any():
            raise ValueError(
                f"X is no valid {X.format.upper()}: its indices reach from {low} to {high}, but "
                f"must be at least 0 and below {n}, and its indptr must not fall"
            )
    library = type(X).__module__.partition(".")[0]
    if library in _UNREAD:
        raise TypeError(
            f"X is a {type(X).__name__} of {library}, which would be loaded as a whole: give "
            f"skae.datasets.rows(X), which reads it block by block{_UNREAD[library]}"
        )


def is_arrow(X: Any) -> bool:
    """Tell whether something is a table of Arrow.

    Parameters
    ----------
    X : object
        What the user gave.

    Returns
    -------
    bool
        Whether it is a table or a batch of records of pyarrow.
    """
    library = type(X).__module__.partition(".")[0]
    return library == "pyarrow" and hasattr(X, "column_names") and hasattr(X, "schema")


def framed(X: Any) -> Any:
    """Return a table of Arrow as a frame of pandas with the types of Arrow.

    Parameters
    ----------
    X : object
        What the user gave.

    Returns
    -------
    object
        A frame; anything else as it is.

    Raises
    ------
    ImportError
        If there is no pandas.
    """
    if not is_arrow(X):
        return X
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("tables of Arrow are read by pandas: pip install pandas") from error
    import pyarrow as pa

    viewed = {"string_view": pa.large_string(), "binary_view": pa.large_binary()}

    def dtype_of(arrow: Any) -> Any:
        if pa.types.is_dictionary(arrow):
            return None
        # There is not much that Arrow can do with views.
        return pd.ArrowDtype(viewed.get(str(arrow), arrow))

    return X.to_pandas(types_mapper=dtype_of)


def unmasked(X: Any, allow_nan: bool, name: str) -> Any:
    """Return a masked array as one with NaN.

    Parameters
    ----------
    X : object
        What the user gave.
    allow_nan : bool
        Whether values may be missing.
    name : str
        Of the estimator, for the message.

    Returns
    -------
    object
        An array; anything else as it is.

    Raises
    ------
    ValueError
        If something is masked where nothing may be missing.
    """
    if not isinstance(X, np.ma.MaskedArray):
        return X
    masked = np.ma.getmaskarray(X)
    if not masked.any():
        return X.data
    if not allow_nan:
        raise ValueError(
            f"X is a masked array with {masked.sum():,} masked cells, but {name} takes arrays "
            "without missing values: fill them, for instance by AutoencoderImputer"
        )
    dtype = X.dtype if X.dtype.kind == "f" else np.float64
    return np.ma.filled(X.astype(dtype), np.nan)


def cells_of(X: Any) -> np.ndarray:
    """Return the cells of rows in any container.

    Parameters
    ----------
    X : array-like, data frame or CSR matrix or array of shape (n_samples, n_columns)
        Rows.

    Returns
    -------
    ndarray of shape (n_samples, n_columns)
        Numbers, or the objects of a frame that holds something else.
    """
    if hasattr(X, "toarray"):
        return X.toarray()
    X = framed(X)
    if not is_frame(X) or all(is_number(dtype) for dtype in X.dtypes):
        return np.asarray(X)
    cells = np.empty(X.shape, dtype=object)
    for j, name in enumerate(X.columns):
        cells[:, j] = X[name].to_list()
    return cells


def arrow_schema(X: Any) -> bytes:
    """Return the names and types of a table of Arrow as bytes.

    Parameters
    ----------
    X : object
        What the user gave.

    Returns
    -------
    bytes
        For :func:`arrow_table`; none for anything else.
    """
    return X.schema.remove_metadata().serialize().to_pybytes() if is_arrow(X) else b""


def arrow_table(frame: Any, schema: bytes) -> Any:
    """Return a frame of pandas as a table of Arrow.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_samples, n_columns)
        As from :func:`framed`.
    schema : bytes
        As from :func:`arrow_schema`; of columns that are not in it, the types are found out.

    Returns
    -------
    pyarrow.Table of shape (n_samples, n_columns)
        The table.
    """
    import pyarrow as pa

    known = pa.ipc.read_schema(pa.py_buffer(schema))
    columns = [
        pa.array(frame[name], type=known.field(name).type if name in known.names else None)
        for name in frame.columns
    ]
    return pa.table(dict(zip(frame.columns, columns, strict=True)))


def polars_frame(columns: dict[Any, Any], dtypes: list[Any]) -> Any:
    """Return a frame of polars.

    Parameters
    ----------
    columns : dict of str to sequence
        Values by names.
    dtypes : list of polars dtypes
        Of the columns.

    Returns
    -------
    polars.DataFrame
        The frame.
    """
    import polars as pl

    return pl.DataFrame(
        [
            pl.Series(name, values, strict=False, nan_to_null=True).cast(dtype)
            for (name, values), dtype in zip(columns.items(), dtypes, strict=True)
        ]
    )


def polars_filled(column: Any, missing: np.ndarray, values: Any) -> Any:
    """Return a column with other values where cells are missing, in its own dtype if it has one.

    Parameters
    ----------
    column : polars.Series of shape (n_samples,)
        The column.
    missing : ndarray of shape (n_samples,) of bool
        Where to put others.
    values : polars.Series of shape (n_samples,)
        The others.

    Returns
    -------
    polars.Series of shape (n_samples,)
        A new column.
    """
    import polars as pl

    if column.dtype == pl.Null:
        column = column.cast(values.dtype)
    return values.cast(column.dtype).zip_with(pl.Series(missing), column)


def pandas_frame(columns: dict[Any, Any], dtypes: list[Any], of_objects: Any) -> Any:
    """Return a frame of pandas.

    Parameters
    ----------
    columns : dict of object to sequence
        Values by names.
    dtypes : list of dtypes
        Of the columns.
    of_objects : container of int
        Positions of the columns whose values are objects, such as categories.

    Returns
    -------
    pandas.DataFrame
        The frame.
    """
    import pandas as pd

    series = {
        name: pd.Series(values, dtype=dtype) if j in of_objects else pd.Series(values).astype(dtype)
        for j, ((name, values), dtype) in enumerate(zip(columns.items(), dtypes, strict=True))
    }
    return pd.DataFrame(series, columns=list(columns))


@contextmanager
def columns_named(X: Any, allow_nan: bool = False) -> Iterator[None]:
    """Name the column that is to blame, if something that takes numbers refuses a frame.

    Parameters
    ----------
    X : object
        What the user gave.
    allow_nan : bool, default=False
        Whether numbers may be missing.

    Yields
    ------
    None
        While something looks at the frame.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        is_about_cells = "feature" not in str(error)  # and neither names nor number of columns
        if is_about_cells and is_frame(X) and len(set(X.columns)) == len(X.columns):
            for name in X.columns:
                numbers_of(X[name], name, allow_nan)
        raise
