"""Checks of input: each message names the array that is at fault."""

from collections.abc import Sized

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array


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
    finite = "allow-nan" if allow_nan else True
    try:
        checked = check_array(
            X, dtype=np.float64, ensure_all_finite=finite, ensure_min_samples=0, input_name=name
        )
    except ValueError as error:
        if f"Input {name} " in str(error):
            raise
        raise ValueError(f"{name}: {error}") from error
    check_rows(checked, name, n_min, why)
    return checked


def check_rows(X: Sized, name: str, n_min: int, why: str) -> None:
    """Raise an error if there are too few rows.

    Parameters
    ----------
    X : ndarray or pandas DataFrame of shape (n_samples, n_features)
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
