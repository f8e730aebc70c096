"""Checks of input: each message names the array that is at fault."""

from collections.abc import Sized
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.utils.validation import check_array, check_scalar

_LARGEST = 1e150  # whose square is a number of float64


def checked_array(
    X: ArrayLike, name: str, *, allow_nan: bool = False, n_min: int = 1, why: str = "The metric"
) -> NDArray[np.float64]:
    """Return an array of numbers.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        What the user gave.
    name : str
        The parameter's name.
    allow_nan : bool, default=False
        Whether missing values are allowed.
    n_min : int, default=1
        Least number of rows.
    why : str, default="The metric"
        What needs that many.

    Returns
    -------
    ndarray of shape (n_samples, n_features) of float64
        The same numbers.

    Raises
    ------
    ValueError
        If it is not such an array.
    """
    refuse_masked(X, name)
    finite = "allow-nan" if allow_nan else True
    try:
        checked = check_array(
            X, dtype=np.float64, ensure_all_finite=finite, ensure_min_samples=0, input_name=name
        )
    except (TypeError, ValueError) as error:
        if f"Input {name} " in str(error):
            raise
        if other := _columns_of_no_numbers(X):
            raise ValueError(
                f"{name} must have columns of numbers only, got other values in {other}. Encode "
                "them by a OneHotEncoder or OrdinalEncoder that was fitted on the real rows, or "
                "take two_sample_auc, which needs no encoding."
            ) from error
        raise ValueError(f"{name}: {error}") from error
    check_rows(checked, name, n_min, why)
    if len(checked) and (largest := np.fmax.reduce(np.abs(checked), axis=None)) > _LARGEST:
        raise ValueError(f"{name} has values up to {largest:.3g}, too large: scale them.")
    return checked


def checked_values(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return finite numbers of any shape with an axis or more.

    Parameters
    ----------
    values : array-like
        What the user gave.
    name : str
        The parameter's name.

    Returns
    -------
    ndarray of float64
        The same numbers.

    Raises
    ------
    ValueError
        If they are none, not numbers, or not finite.
    """
    refuse_masked(values, name)
    try:
        return check_array(
            values, ensure_2d=False, allow_nd=True, dtype=np.float64, input_name=name
        )
    except (TypeError, ValueError) as error:
        if f"Input {name} " in str(error):
            raise
        raise ValueError(f"{name}: {error}") from error


def refuse_masked(X: Any, name: str) -> None:
    """Raise ValueError for an array with masked values, which no other check would see.

    Parameters
    ----------
    X : object
        What the user gave.
    name : str
        The parameter's name.
    """
    if isinstance(X, np.ma.MaskedArray) and (n_masked := np.ma.getmaskarray(X).sum()):
        raise ValueError(f"{name} has {n_masked} masked values: fill them, or leave them out.")


def check_share(share: Any, name: str) -> None:
    """Raise an error unless something is a number between 0 and 1, and neither of them.

    Parameters
    ----------
    share : object
        What the user gave.
    name : str
        The parameter's name.
    """
    check_scalar(share, name, Real, min_val=0, max_val=1, include_boundaries="neither")
    if np.isnan(share):
        raise ValueError(f"{name} is NaN, must be between 0 and 1")


def checked_csr(X: Any, name: str) -> sparse.csr_array:
    """Return a matrix as a new CSR array without duplicates and stored zeros.

    Parameters
    ----------
    X : {array-like, sparse matrix or array} of shape (n_rows, n_columns)
        The matrix.
    name : str
        Its name, for messages.

    Returns
    -------
    csr_array of shape (n_rows, n_columns)
        In its own dtype.
    """
    refuse_masked(X, name)
    csr = sparse.csr_array(
        check_array(X, accept_sparse="csr", dtype=None, input_name=name), copy=True
    )
    csr.sum_duplicates()
    csr.eliminate_zeros()
    return csr


def is_frame(X: Any) -> bool:
    """Tell whether something is a data frame, such as those of pandas and polars.

    Parameters
    ----------
    X : object
        What the user gave.

    Returns
    -------
    bool
        Whether it has named columns.
    """
    return hasattr(X, "columns") and hasattr(X, "dtypes")


def kind_of_column(column: Any) -> str:
    """Return NumPy's letter for the values of a frame's column.

    Parameters
    ----------
    column : pandas or polars Series
        The column.

    Returns
    -------
    str
        "f" for numbers and truth values, "M" for dates, "m" for durations, "O" for anything else.
    """
    dtype = column.dtype
    if hasattr(dtype, "kind"):  # pandas
        return "f" if dtype.kind in "biu" else dtype.kind
    if dtype.is_numeric() or str(dtype) in ("Boolean", "Null"):
        return "f"
    return column.to_numpy().dtype.kind


def _columns_of_no_numbers(X: Any) -> list:
    return [name for name in X.columns if kind_of_column(X[name]) != "f"] if is_frame(X) else []


def check_rows(X: Sized, name: str, n_min: int, why: str) -> None:
    """Raise an error if there are too few rows.

    Parameters
    ----------
    X : ndarray or data frame of shape (n_samples, n_features)
        The rows.
    name : str
        The parameter's name.
    n_min : int
        Least number of rows.
    why : str
        What needs that many.
    """
    if len(X) < n_min:
        rows = "row" if n_min == 1 else "rows"
        raise ValueError(f"{why} needs at least {n_min} {rows} in {name}, got {len(X)}.")


def aligned_columns(X: Any, Y: Any, names: tuple[str, str]) -> Any:
    """Put the columns of a frame into the order that they have in another one.

    Parameters
    ----------
    X, Y : array-like or data frame of shape (n_samples, n_features)
        The tables.
    names : tuple of two str
        Their parameters' names.

    Returns
    -------
    array-like or data frame of shape (n_samples, n_features)
        `Y` in the order of `X`; as it is if not both have names of columns.

    Raises
    ------
    ValueError
        If both are frames and their columns have different names, or one name is there twice.
    """
    if not (is_frame(X) and is_frame(Y)):
        return Y
    columns = list(X.columns), list(Y.columns)
    for frame_columns, name in zip(columns, names, strict=True):
        if len(set(frame_columns)) < len(frame_columns):
            twice = [c for i, c in enumerate(frame_columns) if c in frame_columns[:i]]
            raise ValueError(f"The columns of {name} must have different names, twice: {twice}.")
    if set(columns[0]) != set(columns[1]):
        only_X, only_Y = (
            [c for c in some if c not in other] for some, other in (columns, columns[::-1])
        )
        raise ValueError(
            f"{names[0]} and {names[1]} must have the same columns, "
            f"only {names[0]} has {only_X} and only {names[1]} has {only_Y}."
        )
    return Y[columns[0]]


def check_same_columns(X: NDArray, Y: NDArray, names: tuple[str, str]) -> None:
    """Raise an error if two arrays differ in their numbers of columns.

    Parameters
    ----------
    X, Y : ndarray of shape (n_samples, n_features)
        The arrays.
    names : tuple of two str
        Their parameters' names.
    """
    if X.shape[1] != Y.shape[1]:
        raise ValueError(
            f"{names[0]} and {names[1]} must have the same columns, "
            f"got {X.shape[1]} and {Y.shape[1]} of them."
        )


def check_same_images(X: list[NDArray], Y: list[NDArray], names: tuple[str, str]) -> None:
    """Raise an error if two lists of images differ in their numbers or shapes.

    Parameters
    ----------
    X, Y : list of ndarrays
        The images.
    names : tuple of two str
        Their parameters' names.
    """
    check_same_number(X, Y, names, "images")
    for i, (x, y) in enumerate(zip(X, Y, strict=True)):
        if x.shape != y.shape:
            raise ValueError(
                f"Images of {names[0]} and {names[1]} must have the same shape, "
                f"got {x.shape} and {y.shape} of image {i}."
            )


def check_same_number(X: Sized, Y: Sized, names: tuple[str, str], what: str) -> None:
    """Raise an error if two lists differ in length.

    Parameters
    ----------
    X, Y : sequence
        The lists.
    names : tuple of two str
        Their parameters' names.
    what : str
        What they hold.
    """
    if len(X) != len(Y):
        raise ValueError(
            f"{names[0]} and {names[1]} must have as many {what}, got {len(X)} and {len(Y)}."
        )
