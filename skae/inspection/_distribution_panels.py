"""Two distributions of each of some columns, one panel for each column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._common import (
    PALETTE,
    add_grid,
    add_legend_above,
    add_panels,
    draw_histogram,
    get_axes,
    merge_style,
    n_bars,
)
from ._panel_grid import lay_out
from ._score_bins import mark_clipped_tails, span_without_tails

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

COLORS = (PALETTE[0], PALETTE[6])
N_COLUMNS = 4
PANEL = (1.9, 1.15)  # inches
GAP = (0.55, 0.8)  # inches, room for ticks and titles
LIFT = 0.42  # inches, room for the title of a panel
MAX_BARS = 24
MAX_CATEGORIES = 6
MAX_LABEL, MAX_TITLE = 12, 24  # characters


class DistributionPanels(NamedTuple):
    """What was drawn: the panels, and a pair of histograms or of bars for each column."""

    ax: Axes
    axes: NDArray[np.object_]
    histograms: dict[str, tuple[Any, Any]]
    bars: dict[str, tuple[Any, Any]]


def draw_distribution_panels(
    ax: Axes | None,
    caller: str,
    columns: Mapping[str, tuple[NDArray, NDArray]],
    names: tuple[str, str],
    captions: Mapping[str, str],
    *,
    bins: int | None,
    histogram_kwargs: Mapping[str, Any] | None,
    bar_kwargs: Mapping[str, Any] | None,
) -> DistributionPanels:
    """Draw shares of two groups of values, of categories as bars, of all else as histograms."""
    categories = {
        name: _find_categories(pair) for name, pair in columns.items() if pair[0].dtype.kind == "U"
    }
    longest = max((len(label) for labels, _ in categories.values() for label in labels), default=0)
    label_width = 0.07 * longest
    gap = (max(GAP[0], 0.2 + label_width), GAP[1])
    whole, places = lay_out(len(columns), N_COLUMNS, PANEL, gap)
    ax = get_axes(ax, caller, (max(whole[0] + gap[0] + 0.2, 3.2), whole[1] + 1.2))

    panels = add_panels(ax, places, share_x=False)
    histograms, bars = {}, {}
    for panel, (name, pair) in zip(panels, columns.items(), strict=True):
        panel.tick_params(labelsize="small")
        _add_title(panel, name, captions[name])
        if name in categories:
            bars[name] = _draw_bars(panel, *categories[name], bar_kwargs)
        elif any(map(len, pair)):
            histograms[name] = _draw_histograms(panel, pair, bins, histogram_kwargs)
    _add_legend(ax, names)
    return DistributionPanels(ax, panels, histograms, bars)


def _draw_histograms(
    panel: Axes, pair: tuple[NDArray, NDArray], bins: int | None, given: Mapping[str, Any] | None
) -> tuple[Any, Any]:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
    from matplotlib.ticker import MaxNLocator

    are_dates = pair[0].dtype.kind == "M"
    numbers = [date2num(values) if are_dates else values for values in pair]
    together = np.concatenate(numbers)
    reference = numbers[0] if len(numbers[0]) else together
    edges = _bin_edges(together, reference, bins, are_dates)
    first, second = (
        draw_histogram(panel, values, edges, color, given, shares=True)
        for values, color in zip(numbers, COLORS, strict=True)
    )
    panel.set(ylim=(0, None), xmargin=0.02)
    _label_shares(panel.yaxis)
    if are_dates:
        locator = AutoDateLocator(minticks=2, maxticks=5)
        panel.xaxis.set_major_locator(locator)
        panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    else:
        whole = not np.any(reference % 1)
        panel.xaxis.set_major_locator(MaxNLocator(4, integer=whole))
        mark_clipped_tails(panel, together, edges)
    return first, second


def _bin_edges(
    values: NDArray[np.float64],
    reference: NDArray[np.float64],
    bins: int | None,
    with_tails: bool,
) -> NDArray[np.float64]:
    """Return edges; if all of the reference are whole, each bar is of as many whole numbers."""
    low, high = (
        (values.min(), values.max()) if with_tails else span_without_tails(values, reference)
    )
    n_bins = min(n_bars(len(values)), MAX_BARS) if bins is None else bins
    if bins is None and not np.any(reference % 1):
        low, high = np.floor(low), np.ceil(high)
        width = np.ceil((high - low + 1) / n_bins)
        n_bins = int(np.ceil((high - low + 1) / width))
        return low - 0.5 + width * np.arange(n_bins + 1)
    return np.histogram_bin_edges([low, high], bins=n_bins)


def _find_categories(pair: tuple[NDArray, NDArray]) -> tuple[list[str], list[NDArray[np.float64]]]:
    """Return the most frequent labels of both, and their shares of each; the rest is one more."""
    labels, index = np.unique(np.concatenate(pair), return_inverse=True)
    counts = [np.bincount(part, minlength=len(labels)) for part in np.split(index, [len(pair[0])])]
    shares = [count / max(count.sum(), 1) for count in counts]
    order = np.lexsort((labels, -shares[1], -shares[0]))
    few = len(labels) <= MAX_CATEGORIES
    shown, rest = (order, []) if few else np.split(order, [MAX_CATEGORIES - 1])
    names = [_shortened(str(label), MAX_LABEL) for label in labels[shown]]
    heights = [share[shown] for share in shares]
    if not few:
        names.append(f"{len(rest)} others")
        heights = [np.append(share[shown], share[rest].sum()) for share in shares]
    return names, heights


def _draw_bars(
    panel: Axes,
    names: list[str],
    shares: list[NDArray[np.float64]],
    given: Mapping[str, Any] | None,
) -> tuple[Any, Any]:
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Rectangle

    y = np.arange(len(names))
    bars = []
    for offset, color, widths in zip((-0.2, 0.2), COLORS, shares, strict=True):
        style = {"facecolor": to_rgba(color, 0.4), "edgecolor": color, "linewidth": 1.2}
        style = merge_style(Rectangle, style | {"height": 0.36}, given)
        bars.append(panel.barh(y + offset, widths, **style))
    panel.set_yticks(y, names)
    panel.set_ylim(max(len(names), 3) - 0.45, -0.55)
    panel.tick_params(axis="y", length=0)
    panel.set_xlim(0, None)
    _label_shares(panel.xaxis)
    add_grid(panel, "x")
    return bars[0], bars[1]


def _label_shares(axis: Axis) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(3, steps=(1, 2, 5, 10)))
    axis.set_major_formatter(lambda share, _: f"{100 * share:g}%")


def _add_title(panel: Axes, name: str, caption: str) -> None:
    panel.set_title(_shortened(name, MAX_TITLE), loc="left", fontsize="medium", pad=16)
    panel.annotate(
        caption,
        (0, 1),
        xytext=(0, 4),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize="small",
        color="0.4",
    )


def _add_legend(ax: Axes, names: tuple[str, str]) -> None:
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=to_rgba(color, 0.4), edgecolor=color, linewidth=1.2, label=name)
        for color, name in zip(COLORS, names, strict=True)
    ]
    add_legend_above(ax, handles, lift=LIFT)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"
