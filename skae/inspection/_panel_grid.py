"""A panel for each of some features: which ones, and where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def lay_out(
    n_panels: int, n_columns: int, panel: tuple[float, float], gap: tuple[float, float]
) -> tuple[NDArray[np.float64], list[tuple[float, float, float, float]]]:
    """Return width and height of all in inches, and the place of each panel in parts of them."""
    n_columns = min(n_panels, n_columns)
    step = np.add(panel, gap)
    whole = step * (n_columns, -(-n_panels // n_columns)) - gap
    width, height = panel / whole
    corners = [step * divmod(i, n_columns)[::-1] / whole for i in range(n_panels)]
    return whole, [(left, 1 - top - height, width, height) for left, top in corners]


def choose_features(
    parameter: str, features: Sequence[int | str] | None, names: list[str]
) -> list[int]:
    """Return the positions of features that are given by position or name; without any, of all."""
    n_features = len(names)
    if features is None:
        return list(range(n_features))
    chosen = [names.index(f) if isinstance(f, str) and f in names else f for f in features]
    if not chosen or not all(f in range(n_features) for f in chosen):
        raise ValueError(
            f"{parameter} must be names or positions from 0 to {n_features - 1}, got {features!r}."
        )
    return chosen
