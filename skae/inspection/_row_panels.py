"""Rows and their reconstructions feature by feature, one panel for each row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._common import (
    DARK,
    PALETTE,
    add_grid,
    add_legend_above,
    add_panels,
    get_axes,
    merge_style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

MAX_DOTS = 40  # features that have room for a name of their own
GAP_DOTS, GAP_CURVES = 0.1, 0.28  # between panels, in parts of a panel


def draw_row_panels(
    ax: Axes | None,
    caller: str,
    original: NDArray[np.float64],
    reconstructed: NDArray[np.float64],
    captions: list[str],
    *,
    feature_names: NDArray[np.str_],
    value_name: str,
    line_kwargs: Mapping[str, Any] | None,
    texts: NDArray[np.object_] | None = None,
) -> tuple[Axes, NDArray[np.object_], NDArray[np.object_]]:
    """Draw the rows; return enclosing axes, panels, and lines by series and sample."""
    n_samples, n_features = original.shape
    dots = n_features <= MAX_DOTS
    if dots:
        name_width = 0.08 * max(map(len, feature_names))
        figsize = (0.4 + name_width + max(3.0, 1.5 * n_samples), 1.0 + 0.19 * n_features)
    else:
        figsize = (7.0, 0.7 + 1.1 * n_samples)
    if texts is not None:
        figsize = figsize[0] + 0.5 * n_samples, figsize[1]
    ax = get_axes(ax, caller, figsize)
    panels = add_panels(ax, _places(n_samples, side_by_side=dots), share_y=True)
    draw = _draw_dots if dots else _draw_curves
    lines = np.empty((2, n_samples), dtype=object)
    for i, panel in enumerate(panels):
        lines[:, i] = draw(panel, original[i], reconstructed[i], line_kwargs)
        if texts is not None and dots:
            _write(panel, texts[i], np.fmax(original[i], reconstructed[i]))
        panel.set_title(captions[i], fontsize="small", loc="center" if dots else "right")
        panel.tick_params(labelleft=i == 0 or not dots, labelbottom=i == n_samples - 1 or dots)

    # A label in the middle of all panels: in the middle panel, or in the gap before it.
    middle, odd = panels[n_samples // 2], n_samples % 2
    if dots:
        panels[0].set_yticks(np.arange(n_features), feature_names)
        panels[0].set_ylim(n_features - 0.5, -0.5)
        middle.set_xlabel(value_name, x=0.5 if odd else -GAP_DOTS / 2)
    else:
        panels[-1].set_xlabel("feature")
        middle.set_ylabel(value_name, y=0.5 if odd else 1 + GAP_CURVES / 2)
    add_legend_above(ax, list(lines[:, 0]), lift=0.2 if dots else 0.0)
    return ax, panels, lines


def _places(n_panels: int, *, side_by_side: bool) -> list[tuple[float, float, float, float]]:
    """Return left, bottom, width and height of each panel, in parts of the whole."""
    gap = GAP_DOTS if side_by_side else GAP_CURVES
    size = 1 / (n_panels + gap * (n_panels - 1))
    starts = [i * size * (1 + gap) for i in range(n_panels)]
    if side_by_side:
        return [(start, 0, size, 1) for start in starts]
    return [(0, 1 - start - size, 1, size) for start in starts]


def _draw_dots(
    ax: Axes,
    original: NDArray[np.float64],
    reconstructed: NDArray[np.float64],
    line_kwargs: Mapping[str, Any] | None,
) -> tuple[Line2D, Line2D]:
    from matplotlib.lines import Line2D

    y = np.arange(len(original))
    style = {"color": PALETTE[6], "marker": "o", "markerfacecolor": "white", "markersize": 5}
    style |= {"linestyle": "none", "label": "reconstruction", "zorder": 3}
    style = merge_style(Line2D, style, line_kwargs)
    add_grid(ax, "y")
    ax.hlines(y, original, reconstructed, color=style["color"], linewidth=1.2, zorder=1)
    (line,) = ax.plot(original, y, "o", color=DARK, markersize=5, label="original", zorder=2)
    (guess,) = ax.plot(reconstructed, y, **style)
    return line, guess


def _write(ax: Axes, texts: NDArray[np.object_], x: NDArray[np.float64]) -> None:
    """Write texts to the right of dots."""
    for y, text in enumerate(texts):
        if text:
            style = {"textcoords": "offset points", "va": "center", "fontsize": "x-small"}
            ax.annotate(text, (x[y], y), xytext=(5, 0), color=DARK, **style)


def _draw_curves(
    ax: Axes,
    original: NDArray[np.float64],
    reconstructed: NDArray[np.float64],
    line_kwargs: Mapping[str, Any] | None,
) -> tuple[Line2D, Line2D]:
    from matplotlib.lines import Line2D

    style = {"color": PALETTE[6], "linewidth": 1.2, "label": "reconstruction"}
    (line,) = ax.plot(original, color=DARK, linewidth=1.2, label="original")
    (guess,) = ax.plot(reconstructed, **merge_style(Line2D, style, line_kwargs))
    return line, guess
