"""Types of columns as plain values, so that they can be stored, and back."""

from typing import Any

import numpy as np

_POLARS_PARAMETERS = {
    "Datetime": ("time_unit", "time_zone"),
    "Decimal": ("precision", "scale"),
    "Duration": ("time_unit",),
    "Enum": ("categories",),
}


def described(dtype: Any) -> tuple:
    """Return what a type is made of.

    Parameters
    ----------
    dtype : numpy, pandas or polars dtype, or object
        The type of a column or an array.

    Returns
    -------
    tuple
        The name of the library, and what :func:`dtype_of` needs.
    """
    if isinstance(dtype, np.dtype):
        return ("numpy", dtype.str)
    library = type(dtype).__module__.partition(".")[0]
    if library == "polars" or hasattr(dtype, "is_numeric"):
        name = dtype.base_type().__name__
        values = [getattr(dtype, each) for each in _POLARS_PARAMETERS.get(name, ())]
        return ("polars", name, *(v.to_list() if hasattr(v, "to_list") else v for v in values))
    if library == "pandas":
        if dtype.name == "category":
            categories = dtype.categories
            if categories is None:
                return ("pandas", "category", None, None, dtype.ordered)
            of = described(categories.dtype)
            return ("pandas", "category", categories.to_list(), of, dtype.ordered)
        if dtype.name in ("str", "string"):
            return ("pandas", "string", dtype.storage, dtype.na_value is np.nan)
        if (arrow := getattr(dtype, "pyarrow_dtype", None)) is not None:
            return _of_arrow(arrow, str(dtype))
        return ("pandas", str(dtype))
    return ("", str(dtype))


def dtype_of(description: tuple) -> Any:
    """Return the type that :func:`described` has described.

    Parameters
    ----------
    description : tuple
        What it is made of.

    Returns
    -------
    numpy, pandas or polars dtype, or str
        The type; of another library, its name.
    """
    library, name, *parameters = description
    if library == "numpy":
        return np.dtype(name)
    if library == "polars":
        import polars as pl

        kind = getattr(pl, name)
        if not (isinstance(kind, type) and issubclass(kind, pl.DataType)):  # a state may say so
            raise ValueError(f"polars has no dtype {name!r}")
        return kind(*parameters) if parameters else kind()
    if library == "pandas":
        import pandas as pd

        if name == "category":
            values, of, is_ordered = parameters
            categories = None if of is None else pd.Index(values, dtype=dtype_of(of))
            return pd.CategoricalDtype(categories, is_ordered)
        if name == "string":
            storage, is_nan = parameters
            return pd.StringDtype(storage, na_value=np.nan if is_nan else pd.NA)
        if name == "string[pyarrow]":  # which pandas takes for its own type
            import pyarrow as pa

            return pd.ArrowDtype(pa.string())
        return pd.api.types.pandas_dtype(name)
    if library == "pyarrow":
        import pandas as pd
        import pyarrow as pa

        return pd.ArrowDtype(pa.ipc.read_schema(pa.py_buffer(parameters[0])).field(0).type)
    return name


def _of_arrow(arrow: Any, name: str) -> tuple:
    """Return the name of a type of Arrow, or where it has none that can be read, all of it."""
    import pyarrow as pa

    if not (pa.types.is_decimal(arrow) or pa.types.is_dictionary(arrow)):
        return ("pandas", name)
    schema = pa.schema([("", arrow)]).serialize().to_pybytes()
    return ("pyarrow", name, schema)


def is_known(dtype: Any) -> bool:
    """Tell whether a type can be made again from its description.

    Parameters
    ----------
    dtype : numpy, pandas or polars dtype, or object
        The type.

    Returns
    -------
    bool
        Whether it can.
    """
    try:
        return dtype_of(described(dtype)) == dtype
    except (AttributeError, NotImplementedError, TypeError, ValueError):
        return False
