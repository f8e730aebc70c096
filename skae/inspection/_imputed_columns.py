"""What stood in the columns of a table, and what was put into their empty cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..metrics._checks import aligned_columns, is_frame, kind_of_column
from ..metrics._common_frame import column_values
from ._common import check_names, check_rows, check_same_length, check_same_shape
from ._panel_grid import choose_features

MAX_COLUMNS = 12  # unless the user names more

Columns = dict[str, NDArray]


def split_columns(
    X: Any,
    X_imputed: Any,
    columns: Sequence[int | str] | None,
    feature_names: ArrayLike | None,
) -> tuple[Columns, Columns]:
    """Return the values of chosen columns that are in X, and those that only X_imputed has."""
    check_same_length(X=X, X_imputed=X_imputed)
    before, after = (_of_frames if is_frame(X) else _of_arrays)(X, X_imputed)
    names = check_names(feature_names, X, len(before)).tolist()
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"The columns of X must have different names, twice: {twice}.")
    known = [~_is_missing(values) for values in before]
    filled = [~(_is_missing(values) | k) for values, k in zip(after, known, strict=True)]
    if columns is None:
        chosen = _most_imputed([int(cells.sum()) for cells in filled])
    else:
        chosen = choose_features("columns", columns, names)
    return (
        {names[i]: before[i][known[i]] for i in chosen},
        {names[i]: after[i][filled[i]] for i in chosen},
    )


def check_columns(
    observed: Mapping[str, ArrayLike], imputed: Mapping[str, ArrayLike]
) -> tuple[Columns, Columns]:
    """Return the values as numbers, dates or labels, the same for both of a column."""
    if not observed or list(observed) != list(imputed):
        raise ValueError(
            "observed and imputed must be of the same columns, at least one, got "
            f"{list(observed)} and {list(imputed)}."
        )
    checked: tuple[Columns, Columns] = {}, {}
    for name in observed:
        pair = [
            _check_values(values[name], f"{given}[{name!r}]")
            for values, given in ((observed, "observed"), (imputed, "imputed"))
        ]
        kinds = {values.dtype.kind for values in pair if len(values)}
        for values, into in zip(pair, checked, strict=True):
            into[name] = values.astype(str) if len(kinds) > 1 else values
    return checked


def _of_frames(X: Any, X_imputed: Any) -> tuple[list[NDArray], list[NDArray]]:
    if is_frame(X_imputed):
        X_imputed = aligned_columns(X, X_imputed, ("X", "X_imputed"))
    else:
        # Imputers of scikit-learn make arrays of frames, of objects if there are categories.
        rows = np.asarray(X_imputed)
        check_same_shape(X=X, X_imputed=rows)
        X_imputed = type(X)(dict(zip(X.columns, map(list, rows.T), strict=True)))
    kinds = {name: kind_of_column(X[name]) for name in X.columns}
    before, after = (
        [_restored(column_values(frame[name], kind), kind) for name, kind in kinds.items()]
        for frame in (X, X_imputed)
    )
    return before, after


def _of_arrays(X: ArrayLike, X_imputed: ArrayLike) -> tuple[list[NDArray], list[NDArray]]:
    before = check_rows(X, "X", allow_nan=True)
    after = check_rows(X_imputed, "X_imputed", allow_nan=True)
    check_same_shape(X=before, X_imputed=after)
    return list(before.T), list(after.T)


def _restored(values: NDArray, kind: str) -> NDArray:
    """Return microseconds as dates, or, of durations, as days."""
    if kind == "m":
        return values / 86_400e6
    if kind != "M":
        return values
    missing = np.isnan(values)
    dates = np.where(missing, 0, values).astype("M8[us]")
    dates[missing] = np.datetime64("NaT")
    return dates


def _is_missing(values: NDArray) -> NDArray[np.bool_]:
    if values.dtype.kind == "O":
        return np.array([value is None for value in values], dtype=bool)
    return np.isnat(values) if values.dtype.kind == "M" else np.isnan(values)


def _most_imputed(n_filled: list[int]) -> list[int]:
    """Return the positions of the columns with the most imputed cells, in ascending order."""
    ranked = np.argsort(-np.array(n_filled), kind="stable")[:MAX_COLUMNS]
    chosen = sorted(i for i in ranked.tolist() if n_filled[i])
    if not chosen:
        raise ValueError(
            "X_imputed fills no cell that is missing in X: there is nothing to compare. Name "
            "columns=[...] to draw them nevertheless."
        )
    return chosen


def _check_values(values: ArrayLike, name: str) -> NDArray:
    """Return numbers as float64, dates as microseconds, all else as labels."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must have shape (n_values,), got shape {array.shape}.")
    if array.dtype.kind not in "biufM":
        labels = array.astype(object)
        missing = [value is None or value != value for value in labels]
        array = array.astype(str)
    elif array.dtype.kind == "M":
        array = array.astype("M8[us]")
        missing = np.isnat(array)
    else:
        array = array.astype(np.float64)
        missing = ~np.isfinite(array)
    if np.any(missing):
        raise ValueError(
            f"{name} has {np.sum(missing)} values that are missing or infinite; leave them out."
        )
    return array
