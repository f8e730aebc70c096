"""Features along ways through a latent space, one panel for each feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._common import PALETTE, clear_frame, get_axes, merge_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

N_COLUMNS = 4
PANEL = (1.7, 1.0)  # inches
GAP = (0.55, 0.5)  # inches, room for the ticks and the name of a feature


def draw_walk_panels(
    ax: Axes | None,
    caller: str,
    walks: NDArray[np.float64],
    positions: NDArray[np.float64],
    *,
    walk_names: Sequence[str],
    feature_names: NDArray[np.str_],
    position_name: str,
    line_kwargs: Mapping[str, Any] | None,
) -> tuple[Axes, NDArray[np.object_], NDArray[np.object_]]:
    """Draw a line for each walk; return enclosing axes, panels, and lines by feature and walk."""
    n_walks, _, n_features = walks.shape
    n_columns = min(n_features, N_COLUMNS)
    n_rows = -(-n_features // n_columns)
    step = np.add(PANEL, GAP)
    whole = step * (n_columns, n_rows) - GAP
    legend_width = 0.6 + 0.08 * max(map(len, walk_names)) if n_walks > 1 else 0
    height = max(whole[1] + 0.9, 0.3 + 0.23 * n_walks)
    ax = get_axes(ax, caller, (whole[0] + 0.8 + legend_width, height))

    from matplotlib.lines import Line2D
    from matplotlib.ticker import MaxNLocator

    clear_frame(ax)
    lines = np.empty((n_features, n_walks), dtype=object)
    panels: list[Axes] = []
    for j, name in enumerate(feature_names):
        row, column = divmod(j, n_columns)
        left, top = step * (column, row) / whole
        size = PANEL / whole
        place = (left, 1 - top - size[1], *size)
        panel = ax.inset_axes(place, sharex=panels[0] if panels else None)
        for i in range(n_walks):
            style = {"color": PALETTE[i % len(PALETTE)], "linewidth": 1.5}
            style = merge_style(Line2D, style | {"label": walk_names[i]}, line_kwargs)
            (lines[j, i],) = panel.plot(positions, walks[i, :, j], **style)
        panel.set_title(name, fontsize="small", loc="left")
        panel.spines[["top", "right"]].set_visible(False)
        panel.yaxis.set_major_locator(MaxNLocator(3))
        panel.tick_params(labelsize="small", labelbottom=j + n_columns >= n_features)
        panels.append(panel)
    ax.set_xlabel(position_name, labelpad=18)
    if n_walks > 1:
        ax.legend(
            handles=list(lines[0]),
            loc="upper left",
            bbox_to_anchor=(1, 1),
            borderaxespad=0.2,
            frameon=False,
        )
    return ax, np.array(panels, dtype=object), lines
