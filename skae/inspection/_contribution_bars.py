"""The features of a row that contribute most to its score, as bars, one panel for each row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._common import PALETTE, add_grid, add_panels, get_axes, merge_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BAR = 0.24  # inches
BETWEEN = 0.42  # inches, room for the caption of a panel


def draw_contribution_bars(
    ax: Axes | None,
    caller: str,
    contributions: list[NDArray[np.float64]],
    labels: list[list[str]],
    captions: list[str],
    *,
    value_name: str,
    bar_kwargs: Mapping[str, Any] | None,
) -> tuple[Axes, NDArray[np.object_], list[Any]]:
    """Draw a panel of bars for each row, the first on top; return axes, panels and bars."""
    n_rows, n_bars = len(contributions), len(contributions[0])
    height = BAR * n_bars
    whole = n_rows * height + (n_rows - 1) * BETWEEN
    name_width = 0.065 * max(len(label) for row in labels for label in row)
    ax = get_axes(ax, caller, (3.6 + name_width, whole + 0.9))

    from matplotlib.patches import Rectangle

    style = merge_style(Rectangle, {"color": PALETTE[6], "height": 0.7}, bar_kwargs)
    tops = [1 - i * (height + BETWEEN) / whole for i in range(n_rows)]
    panels = add_panels(ax, [(0, top - height / whole, 1, height / whole) for top in tops])
    bars = []
    y = np.arange(n_bars)
    for i, panel in enumerate(panels):
        panel.spines["bottom"].set_visible(False)
        add_grid(panel, "x")
        bars.append(panel.barh(y, contributions[i], **style))
        panel.set_yticks(y, labels[i])
        panel.tick_params(length=0, labelsize="small", labelbottom=i == n_rows - 1)
        panel.set_ylim(n_bars - 0.5, -0.5)
        panel.set_title(captions[i], fontsize="medium", loc="left")
    panels[-1].set_xlabel(value_name)
    return ax, panels, bars
