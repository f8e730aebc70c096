"""Checks that estimators share, and the undoing of a fit that fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import assert_all_finite, get_tags
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from .._units import chunks_of
from ..datasets import RowSource
from ..metrics._checks import refuse_masked
from ..tables import (
    FrameFormat,
    LazyTable,
    columns_named,
    framed,
    is_frame,
    refuse_unusable,
    unmasked,
)

DTYPES = [np.float64, np.float32]


def checked_sizes(name: str, sizes: Any) -> tuple[int, ...]:
    """Return the widths of hidden layers as integers, if they are.

    Parameters
    ----------
    name : str
        The parameter, for the message.
    sizes : array-like of int
        Its value.

    Returns
    -------
    tuple of int
        The widths.
    """
    sizes = tuple(sizes)
    if not all(isinstance(size, Integral) and size >= 1 for size in sizes):
        raise ValueError(f"{name}={sizes} must all be at least 1, integers")
    return tuple(int(size) for size in sizes)


def checked_input(
    estimator: BaseEstimator, X: Any, *, reset: bool = False, as_it_is: bool = False
) -> Any:
    """Return the input of an estimator as an array or CSR, if it is fitted and `X` like its data.

    Whether sparse data and missing values are allowed is what its tags say.

    Parameters
    ----------
    estimator : estimator
        The estimator.
    X : {array-like, CSR matrix or array} of shape (n_samples, n_features)
        What its method was given.
    reset : bool, default=False
        Whether `X` are training data that make the estimator forget those before.
    as_it_is : bool, default=False
        Whether an array or CSR of integers, booleans or floats is left in its dtype, for those who
        convert it batch by batch.

    Returns
    -------
    ndarray or CSR matrix or array of shape (n_samples, n_features)
        Float64, or float32 if `X` is.
    """
    if not reset:
        check_is_fitted(estimator)
    if isinstance(X, RowSource):
        return checked_source(estimator, X, reset=reset)
    if not reset and _is_as_in_fit(estimator, X):
        return X
    refuse_unusable(X)
    tags = get_tags(estimator).input_tags
    finite = "allow-nan" if tags.allow_nan else True
    X = unmasked(X, tags.allow_nan, type(estimator).__name__)
    as_it_is = as_it_is and _holds_numbers(X)
    with columns_named(X, tags.allow_nan):
        checked = validate_data(
            estimator,
            X,
            accept_sparse="csr" if tags.sparse else False,
            dtype=None if as_it_is else DTYPES,
            ensure_all_finite=False if as_it_is else finite,
            reset=reset,
        )
    if as_it_is:
        # At once, it takes a mask as large as the data, or more.
        name = type(estimator).__name__
        for values in chunks_of(checked.data[:, None] if sparse.issparse(checked) else checked):
            assert_all_finite(values, allow_nan=tags.allow_nan, estimator_name=name, input_name="X")
    return checked


def checked_source(estimator: BaseEstimator, X: RowSource, *, reset: bool) -> RowSource:
    """Return rows that are read block by block, if an estimator can take them.

    Parameters
    ----------
    estimator : estimator
        The estimator.
    X : RowSource
        What its method was given.
    reset : bool
        Whether `X` are training data that make the estimator forget those before.

    Returns
    -------
    RowSource
        The same.

    Raises
    ------
    ValueError
        If its columns are not those of the fit, or a value is one that the estimator does not take.
    """
    validate_data(estimator, X.head(), skip_check_array=True, reset=reset)
    names = X.feature_names
    bad = X.summary.infinite or (
        None if get_tags(estimator).input_tags.allow_nan else X.summary.nan
    )
    if bad is not None:
        block, row, column = bad
        value = X[X.place(block)][row, column]
        where = f"column {column}" if names is None else f"column {names[column]!r}"
        raise ValueError(
            f"{type(estimator).__name__} takes finite numbers, but X has {value} in row {row} of "
            f"block {block}, {where} (row {X.place(block).start + row} of all). Mend the data, or "
            "give X.map(function) with a function that replaces such values"
        )
    return X


def _is_as_in_fit(estimator: Any, X: Any) -> bool:
    """Tell whether nothing is left to check: finite floats, in as many columns without names.

    Scikit-learn's checks would take about as long as a network takes for one row.
    """
    if type(X) is not np.ndarray or X.dtype not in DTYPES or X.ndim != 2 or not len(X):
        return False
    if X.shape[1] != estimator.n_features_in_ or hasattr(estimator, "feature_names_in_"):
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(X.sum()))


def _holds_numbers(X: Any) -> bool:
    """Tell whether the dtype of an array or sparse matrix is one that batches are made of."""
    if sparse.issparse(X) and (not X.dtype.isnative or X.dtype == np.float16):
        return False  # which SciPy can't compute with
    of_numpy = isinstance(X, np.ndarray) or sparse.issparse(X)
    return of_numpy and X.dtype.kind in "biuf" and X.dtype.itemsize <= 8


def check_out(out: Any, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Raise an error if an array can't take what is to be written into it.

    Parameters
    ----------
    out : object
        What a method was given.
    shape : tuple of int
        Of the result.
    dtype : dtype
        Of the result.

    Raises
    ------
    TypeError
        If it is no array.
    ValueError
        If its shape or dtype is another one, or if it can't be written to.
    """
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be an array of NumPy, got {type(out).__name__}")
    if out.shape != shape or not np.can_cast(dtype, out.dtype, "same_kind"):
        raise ValueError(
            f"out has the shape {out.shape} and holds {out.dtype}, but the result has the shape "
            f"{shape} and holds {dtype}"
        )
    if not out.flags.writeable:
        raise ValueError("out can't be written to")


def checked_codes(estimator: BaseEstimator, X: Any) -> np.ndarray:
    """Return codes as an array, if the estimator is fitted and they are as wide as its own.

    Parameters
    ----------
    estimator : estimator
        The estimator.
    X : array-like of shape (n_samples, n_components)
        What its method was given.

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        Float64, or float32 if `X` is.
    """
    check_is_fitted(estimator)
    refuse_masked(X, "X")
    X = check_array(X, dtype=DTYPES, input_name="X")
    if X.shape[1] != estimator._n_features_out:
        raise ValueError(
            f"X has {X.shape[1]} columns, but the code of this {type(estimator).__name__} has "
            f"{estimator._n_features_out} components"
        )
    return X


def checked_table(
    estimator: BaseEstimator, X: Any, form: FrameFormat | None, *, reset: bool = False
) -> Any:
    """Return the input of an estimator that takes tables as a matrix of numbers.

    Parameters
    ----------
    estimator : estimator
        The estimator.
    X : {array-like, data frame, CSR matrix or array} of shape (n_samples, n_features)
        What its method was given.
    form : FrameFormat or None
        Of the training data; None if there have not been any.
    reset : bool, default=False
        Whether `X` are training data that make the estimator forget those before.

    Returns
    -------
    ndarray or LazyTable of shape (n_samples, n_features)
        Float64, or float32 if `X` is; categories by their positions, and NaN for what is missing
        besides, if the tags of the estimator allow it.
    """
    if not reset:
        check_is_fitted(estimator)
    assert form is not None  # or it is not fitted
    refuse_unusable(X)
    X = framed(X)
    if is_frame(X) and form.container:
        validate_data(estimator, X, skip_check_array=True, reset=reset)
        allow_nan = form.fills or get_tags(estimator).input_tags.allow_nan
        finite = "allow-nan" if allow_nan else True
        return check_array(
            form.matrix(X), dtype=DTYPES, ensure_all_finite=finite, estimator=estimator
        )
    if not form.is_numeric:
        j = min([*form.categories, *form.dates])
        raise ValueError(
            f"X must be a data frame, as in fit, because column {form.names[j]!r} holds "
            f"{'categories' if j in form.categories else 'dates'}; got {type(X).__name__}"
        )
    try:
        X = checked_input(estimator, X, reset=reset, as_it_is=True)
    except (TypeError, ValueError) as error:
        if "could not convert string" in str(error):
            raise ValueError(
                f"{error}. An array must hold numbers; text is taken from the columns of a data "
                "frame, as categories"
            ) from error
        raise
    is_lazy = sparse.issparse(X) or isinstance(X, RowSource) or X.dtype not in DTYPES
    return LazyTable(X) if is_lazy else X


def checked_weights(weights: Any, n_rows: int) -> np.ndarray:
    """Return weights of rows as an array, if that is what they are.

    Parameters
    ----------
    weights : array-like of shape (n_rows,)
        What a method was given as `sample_weight`.
    n_rows : int
        Number of rows of `X`.

    Returns
    -------
    ndarray of shape (n_rows,)
        Float64, at least 0, not all of them 0.
    """
    name = "sample_weight"
    refuse_masked(weights, name)
    try:
        weights = check_array(weights, ensure_2d=False, dtype=np.float64, input_name=name)
    except (TypeError, ValueError) as error:
        if name in str(error):
            raise
        raise ValueError(f"{name} must hold a number for every row: {error}") from error
    if weights.shape != (n_rows,):
        raise ValueError(
            f"{name} has the shape {weights.shape}, but X has {n_rows} rows: it must have the "
            f"shape ({n_rows},), a weight for every row"
        )
    if (weights < 0).any():
        i = int((weights < 0).argmax())
        raise ValueError(
            f"{name} has {int((weights < 0).sum())} negative weights, the first of them "
            f"{weights[i]:g} of row {i}; they must be at least 0, and 0 leaves a row out"
        )
    if not weights.any():
        raise ValueError(f"{name} has only weights of zero: no row would be left")
    return weights


def given_weights(weights: Any, n_rows: int) -> np.ndarray | None:
    """Return weights as :func:`checked_weights` does, None if none were given.

    Parameters
    ----------
    weights : array-like of shape (n_rows,) or None
        What a method was given as `sample_weight`.
    n_rows : int
        Number of rows of `X`.

    Returns
    -------
    ndarray of shape (n_rows,) or None
        The weights.
    """
    return None if weights is None else checked_weights(weights, n_rows)


@contextmanager
def attributes_kept_on_failure(estimator: BaseEstimator) -> Iterator[None]:
    """Undo what a fit has set if the rest of it fails.

    Parameters
    ----------
    estimator : estimator
        The estimator that is being fitted.
    """
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        # scikit-learn has yet to close the callbacks of this fit.
        callbacks = {name: v for name, v in vars(estimator).items() if "_callback" in name}
        vars(estimator).clear()
        vars(estimator).update(before | callbacks)
        raise
