"""Units in which rows are drawn: features of different sizes on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array

from ._common import check_rows
from ._mixed_frames import as_frame, columns_as_numbers, is_mixed
from ._row_panels import MAX_DOTS


def check_units(
    center: ArrayLike | None, scale: ArrayLike | None, n_features: int
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Return what the user gave, as an array of a value for each feature where it is not None."""
    center = _check_per_feature(center, "center", n_features)
    scale = _check_per_feature(scale, "scale", n_features)
    if scale is not None and not np.all(scale > 0):
        raise ValueError(f"scale must be positive, its smallest value is {scale.min()}.")
    return center, scale


def _check_per_feature(
    values: ArrayLike | None, name: str, n_features: int
) -> NDArray[np.float64] | None:
    if values is None:
        return None
    values = check_array(values, ensure_2d=False, dtype=np.float64, input_name=name)
    if values.shape != (n_features,):
        raise ValueError(f"{name} must have shape ({n_features},), got {values.shape}.")
    return values


def suitable_units(
    X: ArrayLike, standardize: bool | Literal["auto"], image_shape: Sequence[int] | None
) -> dict[str, NDArray[np.float64]]:
    """Return `center` and `scale` of the features, or nothing if they are drawn as they are."""
    if standardize not in (True, False, "auto"):
        raise ValueError(f'standardize must be True, False or "auto", got {standardize!r}.')
    if standardize is False or image_shape is not None:
        return {}
    X = as_frame(X)
    mixed = is_mixed(X)
    X = columns_as_numbers(X) if mixed else check_rows(X, "X", allow_nan=True)
    if standardize == "auto" and X.shape[1] > MAX_DOTS:
        return {}
    X = np.ma.masked_invalid(X)
    center, scale = X.mean(axis=0).filled(0.0), X.std(axis=0).filled(0.0)
    varying = scale > 0
    spread = varying.any() and scale.max() > 10 * scale[varying].min()
    if standardize == "auto" and not (mixed or spread):
        return {}
    return {"center": center, "scale": np.where(varying, scale, 1.0)}
