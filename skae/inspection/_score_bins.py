"""The bars of a histogram of scores, at whose ends stand those of far tails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ._common import n_bars, use_log_scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes


ROOM = 0.5  # inches, between the tick at an end and the others


def bin_edges(
    scores: NDArray[np.float64],
    offset: float | None,
    bins: int | None,
    log_scale: bool | Literal["auto"],
) -> tuple[NDArray[np.float64], bool]:
    """Return the edges of the bars, and whether they are evenly spaced in the logarithm."""
    n_bins = n_bars(len(scores)) if bins is None else bins
    errors = -scores[scores < 0]
    limit = scores.max() if offset is None else max(scores.max(), offset)
    possible = bool(len(errors)) and limit <= 0 and offset != 0
    if log_scale is True and not possible:
        raise ValueError(
            "log_scale=True needs scores and an offset that are negative, but the largest of them "
            f"is {limit:g}."
        )
    smallest, largest = np.quantile(errors, [0.01, 0.99]) if possible else (0.0, 0.0)
    log = use_log_scale(log_scale, smallest, largest)
    if log:
        low, high = -min(errors.max(), largest * 10), -max(errors.min(), smallest / 10)
    else:
        low, high = span_without_tails(scores, scores)
    if offset is not None:
        low, high = min(low, offset), max(high, offset)
    if log:
        low, high = (low, high) if low < high else (2 * low, high / 2)
        return -np.geomspace(-low, -high, n_bins + 1), True
    return np.histogram_bin_edges([low, high], bins=n_bins), False


def span_without_tails(
    values: NDArray[np.float64], reference: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the span of values as far as it is not far from the bulk of a reference."""
    low, high = values.min(), values.max()
    first, third = np.quantile(reference, [0.25, 0.75])
    if third > first:
        # Six interquartile ranges hold any normal distribution.
        reach = 6 * (third - first)
        low, high = max(low, first - reach), min(high, third + reach)
    return low, high


def mark_clipped_tails(ax: Axes, scores: NDArray[np.float64], edges: NDArray[np.float64]) -> None:
    """Let the tick at an end of the axis say that scores beyond it are counted there."""
    from matplotlib.ticker import ScalarFormatter

    low, high = edges[0], edges[-1]
    ends = [(low, "≤")] * bool(scores.min() < low) + [(high, "≥")] * bool(scores.max() > high)
    if not ends:
        return
    ticks = [tick for tick in ax.get_xticks() if low <= tick <= high]
    position = ax.transData.transform([(tick, 0) for tick in ticks])[:, 0]
    for end, _ in ends:
        far = np.abs(position - ax.transData.transform((end, 0))[0]) > ROOM * ax.figure.dpi
        ticks, position = np.array(ticks)[far], position[far]
    names = ax.xaxis.get_major_formatter().format_ticks(ticks)
    digits = [f"{end:.0f}" if 1e3 <= abs(end) < 1e5 else f"{end:.3g}" for end, _ in ends]
    names += [
        f"{sign} {ScalarFormatter.fix_minus(text)}"
        for (_, sign), text in zip(ends, digits, strict=True)
    ]
    ax.set_xticks([*ticks, *(end for end, _ in ends)], names)
