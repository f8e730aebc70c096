"""What the script of a report is told to draw: bars, lines, and tables, with their axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._report_text import number_text

Ticks = list[tuple[float, str]]  # places between 0 and 1, and what stands there


def round_numbers(low: float, high: float, n: int = 5) -> NDArray[np.float64]:
    """Return about `n` numbers of few digits that are evenly spaced between two others."""
    if not low < high:
        return np.array([low])
    step = (high - low) / n
    power = 10.0 ** np.floor(np.log10(step))
    step = power * min(factor for factor in (1, 2, 5, 10) if factor * power >= step * 0.999)
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    return np.arange(first, last + 1) * step + 0.0  # no minus before a zero


def bars(
    heights: Mapping[str, NDArray[np.float64]],
    x_ticks: Ticks,
    bins: Sequence[str],
    *,
    x: str,
    y: str,
    marks: Ticks = (),
    split: bool = False,
) -> dict[str, Any]:
    """Return a chart with the heights of each series in bins that are named by `bins`.

    With `split`, bars before the first mark have a colour of their own.
    """
    top = max(max(float(values.max()) for values in heights.values()), 1e-12)
    whole = all((values == np.round(values)).all() for values in heights.values())
    unit = "" if whole else "%"
    series = [
        {
            "name": name,
            "heights": [round(float(value) / top, 4) for value in values],
            "names": [
                f"{where}: {value:,.0f}" if whole else f"{where}: {value:.1%}"
                for where, value in zip(bins, values, strict=True)
            ],
        }
        for name, values in heights.items()
    ]
    ticks = round_numbers(0, top if whole else 100 * top, 4)
    scale = top if whole else 100 * top
    return {
        "kind": "bars",
        "label": f"{y} by {x}: {', '.join(heights)}",
        "x": x,
        "y": y,
        "x_ticks": x_ticks,
        "y_ticks": [
            (float(tick / scale), f"{tick:,.10g}{unit}")
            for tick in ticks
            if not whole or tick.is_integer()
        ],
        "series": series,
        "marks": list(marks),
        "split": split,
    }


def histogram(
    values: Mapping[str, NDArray[np.float64]],
    edges: NDArray[np.float64],
    *,
    x: str,
    y: str = "rows",
    log: bool = False,
    shares: bool = False,
    marks: Mapping[str, float] | None = None,
    split: bool = False,
    write: Callable[[float], str] = number_text,
) -> dict[str, Any]:
    """Return a chart of counts, or shares, of values in bins; those beyond are in the end bins."""
    low, high = edges[0], edges[-1]
    everything = np.concatenate(list(values.values()))
    below, above = (everything < low).any(), (everything > high).any()
    heights = {}
    for name, each in values.items():
        counts = np.histogram(np.clip(each, low, high), bins=edges)[0].astype(np.float64)
        heights[name] = counts / max(len(each), 1) if shares else counts
    if log:
        powers = 10.0 ** np.arange(-300, 300)
        ticks = np.sort(np.concatenate([-powers, powers]))
        if ((ticks >= low) & (ticks <= high)).sum() < 3:
            ticks = np.sort(np.concatenate([ticks, 2 * ticks, 5 * ticks]))
    else:
        ticks = round_numbers(low, high)
    ticks = ticks[(ticks >= low) & (ticks <= high)]
    places = np.linspace(0, 1, len(edges))
    x_ticks = [(float(np.interp(tick, edges, places)), write(float(tick))) for tick in ticks]
    # The ends that hold more say so, and come before ticks that they would touch.
    far = 0.12
    if below:
        x_ticks = [(0.0, f"≤ {write(float(low))}"), *(t for t in x_ticks if t[0] > far)]
    if above:
        x_ticks = [*(t for t in x_ticks if t[0] < 1 - far), (1.0, f"≥ {write(float(high))}")]
    written = [write(float(edge)) for edge in edges]
    bins = [f"{a} to {b}" for a, b in pairwise(written)]
    places_of_marks = [
        (float(np.interp(value, edges, places)), name) for name, value in (marks or {}).items()
    ]
    return bars(heights, x_ticks, bins, x=x, y=y, marks=places_of_marks, split=split)


def curve(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    names: Sequence[str],
    *,
    x_name: str,
    y_name: str,
) -> dict[str, Any]:
    """Return a chart of one line through points, which are named."""
    spans = [_span(values) for values in (x, y)]
    ticks = []
    for low, high in spans:
        each = round_numbers(low, high)
        each = each[(each >= low) & (each <= high)]
        ticks.append([((float(tick) - low) / (high - low), f"{tick:,.6g}") for tick in each])
    shares = [
        (values - low) / (high - low) for values, (low, high) in zip((x, y), spans, strict=True)
    ]
    points = [[round(float(a), 4), round(float(b), 4)] for a, b in zip(*shares, strict=True)]
    return {
        "kind": "lines",
        "label": f"{y_name} by {x_name}: {'; '.join(names)}",
        "x": x_name,
        "y": y_name,
        "x_ticks": ticks[0],
        "y_ticks": ticks[1],
        "series": [{"name": y_name, "points": points, "names": list(names)}],
    }


def _span(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the least and greatest value, with some room around them."""
    low, high = float(values.min()), float(values.max())
    room = 0.08 * (high - low) or max(abs(low), 1.0) * 0.1
    return low - room, high + room


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str | None]],
    *,
    numbers: Sequence[int] = (),
    share: int = -1,
) -> dict[str, Any]:
    """Return a table of texts; columns in `numbers` are aligned so, `share` gets bars."""
    return {
        "kind": "table",
        "heads": list(heads),
        "rows": [list(row) for row in rows],
        "numbers": list(numbers),
        "share": share,
    }


def entries(
    items: Sequence[Mapping[str, Any]],
    heads: Sequence[str],
    *,
    unit: str,
    search: str,
    group: str = "",
    groups: Sequence[str] = (),
    optional: Sequence[int] = (),
    opened: bool = False,
) -> dict[str, Any]:
    """Return a list of entries, each with cells, groups, and figures that are seen when it opens.

    Columns in `optional` are left out where there is little room.
    """
    return {
        "kind": "list",
        "items": list(items),
        "heads": list(heads),
        "unit": unit,
        "search": search,
        "group": group,
        "groups": list(groups),
        "optional": list(optional),
        "open": opened,
    }
