"""What a denoiser is built from, by its parameters and its training data."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import nn

from .._base import module_params
from .._plain import Part
from .._shapes import checked_image_shape
from .._units import Units, common_limits, mean_and_scale
from .._weights import drawn_positions
from ..losses import PoissonNoise
from ..networks import MOST_SEEN_AT_ONCE, ConvCorrection, DenseCorrection
from ..training import Recipe
from ..training._suggestions import did_you_mean
from ..training._trainer import check_magnitude
from ._level import noise_level
from ._noise import IN_UNITS_OF_THE_DATA, levels_of, made_noise
from ._objectives import RATIO, Denoising, Recorrupted

_NETWORKS: Mapping[str, type[nn.Module]] = {"conv": ConvCorrection, "mlp": DenseCorrection}
_N_PARTS = 24  # of the mixture of patches of large images
_LEAST_EPOCHS, _MANY_TILES = 10, 10_000  # by "auto"; seen in training
_MOST_COMPONENTS = 64  # of the code of a user's network
_LEAST_SIGMA = 1e-4  # of noise, in standard deviations: rows without any are left as they are


def check_combination(estimator: Any) -> None:
    """Raise ValueError if parameters of a denoiser do not fit each other.

    Parameters
    ----------
    estimator : AutoencoderDenoiser
        The denoiser.
    """
    level, noise = estimator.noise_level, estimator.noise
    is_noisy = estimator.supervision == "noisy"
    if isinstance(estimator.module, str) and estimator.module not in _NETWORKS:
        raise ValueError(
            f"module={estimator.module!r} must be one of {sorted(_NETWORKS)}, a class or an "
            f"instance of nn.Module{did_you_mean(estimator.module, _NETWORKS)}"
        )
    if is_noisy and noise != "gaussian":
        raise ValueError(
            "supervision='noisy' learns from rows with normal noise, noise='gaussian', got "
            f"noise={noise!r}"
        )
    if isinstance(level, str):
        return
    levels = tuple(level) if isinstance(level, tuple | list) else (level, level)
    are_numbers = len(levels) == 2 and all(isinstance(each, Real) for each in levels)
    if not are_numbers or not 0 <= levels[0] <= levels[1] < np.inf:
        raise ValueError(
            f"noise_level={level} must be 'auto', a number or two, the lowest level, at least 0, "
            "and the highest"
        )
    if is_noisy and isinstance(level, tuple | list):
        raise ValueError(f"noise_level={level} must be 'auto' or a number with supervision='noisy'")
    if isinstance(noise, str) and noise not in IN_UNITS_OF_THE_DATA and levels[1] > 1:
        raise ValueError(
            f"noise_level={level} is a share of the cells with noise={noise!r}, and must be at "
            "most 1"
        )


def recipe_for(estimator: Any, X: np.ndarray) -> tuple[Recipe, Any, float]:
    """Return what the net of a denoiser is built from.

    Parameters
    ----------
    estimator : AutoencoderDenoiser
        The denoiser.
    X : ndarray of shape (n_samples, n_features)
        What it should give, or noisy rows, if there is nothing else.

    Returns
    -------
    recipe : Recipe
        The recipe.
    level : float or tuple of two floats
        Level of the noise, in the units of the data.
    span : float
        From the least to the greatest value of clean rows; 0 if there are none.
    """
    check_magnitude(X, torch.float64)
    n_features, is_noisy = X.shape[1], estimator.supervision == "noisy"
    image_shape = estimator._image_shape
    shape = None if image_shape is None else checked_image_shape(image_shape, n_features)
    weights = estimator._weights
    mean, scale = mean_and_scale(X, weights)
    limits = None if is_noisy else common_limits(X, weights)
    if limits is not None:
        scale = limits[1] - limits[0]
    units, fills = Units(mean, scale), estimator._fills
    # As it was given, for (height, width) is never mistaken.
    layout = None if image_shape is None else tuple(map(int, image_shape))
    network: dict[str, Any] = {"n_features": n_features, "fills": fills, "image_shape": layout}
    params: dict[str, Any] = {}
    if is_noisy:
        rows = X if weights is None else X[drawn_positions(weights, len(X))]
        level: Any = _level_of_noisy(estimator.noise_level, rows)
        sigma = max(level / scale, _LEAST_SIGMA)
        network |= {"levels": (sigma, sigma * (1 + RATIO**2) ** 0.5), "sigma": sigma}
        params["objective"] = Recorrupted(None, sigma)
    else:
        level = estimator.noise_level
        level = tuple(map(float, level)) if isinstance(level, tuple | list) else level
        noise = made_noise(estimator.noise, level, scale, shape)
        level, noise = noise.level, noise.in_units(units)
        network["levels"] = (0.0, 1.0) if fills else levels_of(noise, X, units)
        params["objective"] = Denoising(noise)
        if isinstance(noise, PoissonNoise) and (low := X.min()) < 0:
            raise ValueError(
                f"Negative values in data passed to {type(estimator).__name__}: "
                f"noise={estimator.noise!r} is that of counts, at least 0, but clean rows hold "
                f"{low:.6g}. Subtract the least value, or set noise='gaussian'"
            )
    if shape is not None and n_features > MOST_SEEN_AT_ONCE and not fills:
        network |= _of_patches(estimator, len(X), shape[0], params["objective"])
    if limits is not None:
        params["criterion__bounds"] = limits
    width = min(max(n_features, 64), 512)
    params |= module_params(
        estimator,
        _NETWORKS,
        (width, width // 2, width),
        n_features=n_features,
        n_components=min(n_features, _MOST_COMPONENTS),
        n_levels=n_features if fills else 1,
        image_shape=layout,
    )
    params |= estimator._nested_params
    module = estimator.module
    if isinstance(module, str):
        module = Part("networks", _NETWORKS[module].__name__, {})
    wrap = Part("networks", "DenoisingNetwork", network)
    loss, optimizer, dtype = "squared_error", estimator.optimizer, estimator.dtype
    recipe = Recipe(module, loss, optimizer, dtype, params, wrap=wrap, units=units)
    return recipe, level, 0.0 if is_noisy else float(X.max()) - float(X.min())


def _of_patches(estimator: Any, n_tiles: int, n_channels: int, objective: Any) -> dict[str, Any]:
    """Return which filter of patches a network starts from.

    Under normal noise the mixture is better by one decibel on gray photographs, and by two in
    color, but a U-Net learns less from there. One that starts from a single normal distribution
    has made up for one decibel after about 10,000 tiles, and then ends higher in the same time.
    """
    noise, epochs = objective.noise, estimator.max_epochs
    if isinstance(noise, PoissonNoise):
        return {"n_parts": _N_PARTS, "offset": np.asarray(noise.offset, np.float32)}
    n_seen = n_tiles * (_LEAST_EPOCHS if isinstance(epochs, str) else epochs)
    learns_more = estimator.module == "conv" and n_channels == 1 and n_seen >= _MANY_TILES
    return {"n_parts": 0 if learns_more else _N_PARTS}


def _level_of_noisy(level: float | str, X: np.ndarray) -> float:
    """Return the standard deviation of the noise in noisy rows."""
    if not isinstance(level, str):
        return float(level)
    if min(X.shape) < 2:
        raise ValueError(
            "noise_level='auto' needs at least 2 rows and 2 columns to tell noise from data, got "
            f"n_samples={X.shape[0]} and n_features={X.shape[1]}; set a number"
        )
    return noise_level(X)
