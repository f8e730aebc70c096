"""Points, in the colours and shapes of their categories if they have any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._common import PALETTE, merge_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.legend import Legend

MARKERS = "os^D"
MAX_CATEGORIES = len(PALETTE) * len(MARKERS)
MAX_LEGEND_ROWS = 14
MAX_INTEGER_CATEGORIES = 20  # integers with more distinct values are drawn as a quantity


class Categories(NamedTuple):
    """The names of categories, and the category of each sample."""

    names: NDArray[np.str_]
    index: NDArray[np.intp]

    @property
    def n_legend_columns(self) -> int:
        """How many columns the legend has."""
        return 1 + (len(self.names) - 1) // MAX_LEGEND_ROWS

    @property
    def width(self) -> float:
        """Width in inches of a figure with room for the legend."""
        return 4.8 + self.n_legend_columns * (0.4 + 0.08 * max(map(len, self.names)))


def find_categories(labels: NDArray[Any] | None) -> Categories | None:
    """Return the categories that labels are, None if they are a quantity."""
    if labels is None or (labels.dtype.kind == "f" and np.any(labels % 1)):
        return None
    values, index = np.unique(labels, return_inverse=True)
    if labels.dtype.kind in "iuf" and len(values) > MAX_INTEGER_CATEGORIES:
        return None
    if len(values) > MAX_CATEGORIES:
        raise ValueError(
            f"labels has {len(values)} categories, at most {MAX_CATEGORIES} can be told apart; "
            "merge the rare ones."
        )
    if labels.dtype.kind == "f":
        values = values.astype(np.int64)
    return Categories(values.astype(str), index)


def scatter(
    ax: Axes,
    x: NDArray[np.float64],
    y: ArrayLike,
    color: Mapping[str, Any],
    given: Mapping[str, Any] | None,
) -> PathCollection:
    """Draw points, the smaller and paler the more there are."""
    from matplotlib.collections import PathCollection

    n_samples = len(x)
    style = {
        "s": np.clip(500 / np.sqrt(n_samples), 2, 36),
        "alpha": np.clip(3 * n_samples**-0.18, 0.25, 0.9),
        "linewidth": 0,
        "rasterized": n_samples > 5000,
    }
    return ax.scatter(x, y, **merge_style(PathCollection, style | dict(color), given))


def scatter_categories(
    ax: Axes,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    index: NDArray[np.intp],
    given: Mapping[str, Any] | None,
) -> PathCollection:
    """Draw points in the colour and the shape of the category of each."""
    from matplotlib.colors import to_rgba_array
    from matplotlib.markers import MarkerStyle

    # In a shuffled order no category hides another.
    order = np.random.default_rng(0).permutation(len(x))
    marker, color = np.divmod(index[order], len(PALETTE))
    points = scatter(ax, x[order], y[order], {"c": to_rgba_array(PALETTE)[color]}, given)
    if marker.any():
        styles = [MarkerStyle(name) for name in MARKERS]
        paths = [style.get_path().transformed(style.get_transform()) for style in styles]
        points.set_paths([paths[i] for i in marker])
    return points


def add_category_legend(ax: Axes, categories: Categories, title: str | None) -> Legend:
    """Name the categories to the right of the axes."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=MARKERS[i // len(PALETTE)],
            color=PALETTE[i % len(PALETTE)],
            label=name,
        )
        for i, name in enumerate(categories.names)
    ]
    return ax.legend(
        handles=handles,
        title=title,
        loc="upper left",
        bbox_to_anchor=(1.0, 1.02),
        ncols=categories.n_legend_columns,
        frameon=False,
        handletextpad=0.2,
    )
