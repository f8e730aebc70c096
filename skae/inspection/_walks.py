"""Ways through the latent space of an estimator, decoded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MOST_WALKS = 8  # where the components are chosen for the user


def interpolate(
    estimator: Any, X_start: ArrayLike, X_stop: ArrayLike, n_steps: int
) -> NDArray[np.float64]:
    """Return what is between pairs of samples, of shape (n_walks, n_steps, n_features)."""
    estimator = getattr(estimator, "best_estimator_", estimator)
    if hasattr(estimator, "interpolate"):
        return estimator.interpolate(X_start, X_stop, n_steps)
    start, stop = estimator.transform(X_start), estimator.transform(X_stop)
    t = np.linspace(0, 1, n_steps)[:, None]
    return _decode(estimator, start[:, None] * (1 - t) + stop[:, None] * t)


def traverse(
    estimator: Any,
    X: ArrayLike,
    components: int | Sequence[int] | None,
    values: NDArray[np.float64],
    *,
    standardize: bool,
) -> tuple[NDArray[np.float64], list[str]]:
    """Return what components of codes change, of shape (n_walks, n_steps, n_features), and names.

    Without `components`, those that change the samples most, by the largest changes of features or,
    with `standardize`, of features in units of their standard deviations.
    """
    estimator = getattr(estimator, "best_estimator_", estimator)
    codes = np.asarray(estimator.transform(X), dtype=np.float64)
    chosen = _check_components(components, codes.shape[1])
    if hasattr(estimator, "traverse"):
        walks = estimator.traverse(X, chosen, values)
    else:
        walks = _decode(estimator, _change_components(codes, chosen, values))
    if components is None:
        largest = _largest_changes(walks, standardize=standardize)
        walks, chosen = walks[:, largest], chosen[largest]
    names = [f"component {component}" for component in chosen]
    if len(walks) > 1:
        names = [f"sample {i}, {name}" for i in range(len(walks)) for name in names]
    return walks.reshape(-1, *walks.shape[2:]), names


def _check_components(components: int | Sequence[int] | None, n: int) -> NDArray[np.intp]:
    if components is None:
        return np.arange(n)
    chosen = np.atleast_1d(components)
    is_whole = chosen.ndim == 1 and chosen.dtype.kind in "iu"
    if not (is_whole and len(chosen) and np.isin(chosen, np.arange(n)).all()):
        raise ValueError(f"components must be integers from 0 to {n - 1}, got {components!r}.")
    return chosen.astype(np.intp)


def _change_components(
    codes: NDArray[np.float64], components: NDArray[np.intp], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    shape = (len(codes), len(components), len(values), codes.shape[1])
    changed = np.broadcast_to(codes[:, None, None], shape).copy()
    for i, component in enumerate(components):
        changed[:, i, :, component] = values
    return changed


def _decode(estimator: Any, codes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Decode codes of shape (..., n_components)."""
    rows = np.asarray(estimator.inverse_transform(codes.reshape(-1, codes.shape[-1])))
    return rows.reshape(*codes.shape[:-1], -1)


def _largest_changes(walks: NDArray[np.float64], *, standardize: bool) -> NDArray[np.intp]:
    """Return the positions of the components that change most, in ascending order."""
    variances = walks.var(axis=2).mean(axis=0)
    if standardize:
        whole = walks.var(axis=(0, 1, 2))
        variances = variances / np.where(whole > 0, whole, 1)
    order = np.argsort(-variances.sum(axis=1), kind="stable")
    return np.sort(order[:_MOST_WALKS])
