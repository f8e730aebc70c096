"""Features along ways through a latent space, one panel for each feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._common import PALETTE, add_panels, get_axes, merge_style
from ._panel_grid import choose_features, lay_out

if TYPE_CHECKING:
    from matplotlib.axes import Axes

N_COLUMNS = 4
PANEL = (1.7, 1.0)  # inches
GAP = (0.55, 0.5)  # inches, room for the ticks and the name of a feature
MAX_PANELS = 40  # unless the user chooses more


def draw_walk_panels(
    ax: Axes | None,
    caller: str,
    walks: NDArray[np.float64],
    positions: NDArray[np.float64],
    *,
    features: Sequence[int | str] | None,
    walk_names: Sequence[str] | None,
    feature_names: NDArray[np.str_],
    position_name: str,
    line_kwargs: Mapping[str, Any] | None,
) -> tuple[Axes, NDArray[np.object_], NDArray[np.object_]]:
    """Draw a line for each walk; return enclosing axes, panels, and lines by feature and walk.

    Features are chosen by position or name, and walks without names are numbered.
    """
    chosen = choose_features("features", features, feature_names.tolist())
    if features is None and len(chosen) > MAX_PANELS:
        raise ValueError(
            f"{len(chosen)} features are too many for a panel each, at most {MAX_PANELS} are "
            "drawn; choose some with features=, or give the image_shape of images."
        )
    n_walks, n_features = len(walks), len(chosen)
    if walk_names is None:
        walk_names = [f"way {i}" for i in range(n_walks)]
    whole, places = lay_out(n_features, N_COLUMNS, PANEL, GAP)
    legend_width = 0.6 + 0.08 * max(map(len, walk_names)) if n_walks > 1 else 0
    height = max(whole[1] + 0.9, 0.3 + 0.23 * n_walks)
    ax = get_axes(ax, caller, (whole[0] + 0.8 + legend_width, height))

    from matplotlib.ticker import MaxNLocator

    styles = _line_styles(walk_names, line_kwargs)
    panels = add_panels(ax, places)
    lines = np.empty((n_features, n_walks), dtype=object)
    for j, (panel, feature) in enumerate(zip(panels, chosen, strict=True)):
        for i, style in enumerate(styles):
            (lines[j, i],) = panel.plot(positions, walks[i, :, feature], **style)
        panel.set_title(feature_names[feature], fontsize="small", loc="left")
        panel.yaxis.set_major_locator(MaxNLocator(3))
        panel.tick_params(labelsize="small", labelbottom=j + N_COLUMNS >= n_features)
    ax.set_xlabel(position_name, labelpad=18)
    if n_walks > 1:
        ax.legend(
            handles=list(lines[0]),
            loc="upper left",
            bbox_to_anchor=(1, 1),
            borderaxespad=0.2,
            frameon=False,
        )
    return ax, panels, lines


def _line_styles(names: Sequence[str], given: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    from matplotlib.lines import Line2D

    styles = [
        {"color": PALETTE[i % len(PALETTE)], "linewidth": 1.5, "label": name}
        for i, name in enumerate(names)
    ]
    return [merge_style(Line2D, style, given) for style in styles]
