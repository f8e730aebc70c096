"""How the values of a column are spread in two tables, side by side."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._dependencies import numbered
from ._report_charts import bars, histogram, table
from ._report_text import number_text, plain_text
from ._score_bins import span_without_tails

_MOST_BARS, _MOST_VALUES = 24, 12
_NARROWEST, _WIDEST = 1e-300, 1e300  # half of an axis: beyond, its numbers can't be computed
_KINDS = {"f": "numbers", "M": "dates", "m": "durations", "O": "categories"}
_NAMES = ("real", "synthetic")


class Marginal:
    """A column of real and of synthetic rows: how far apart, and what is drawn of it."""

    def __init__(self, name: Any, kind: str, real: NDArray, synthetic: NDArray) -> None:
        self.name, self.kind = plain_text(name), kind
        self._both = real, synthetic
        self._missing = [_is_missing(values) for values in self._both]
        self._known = [v[~gone] for v, gone in zip(self._both, self._missing, strict=True)]
        self.distance = self._distance()

    @property
    def cells(self) -> list[str]:
        """What the list of columns says of this one."""
        return [self.name, _KINDS[self.kind], f"{self.distance:.3f}"]

    @property
    def figures(self) -> list[dict[str, Any]]:
        """What is seen when the column is opened."""
        drawn = [self._categories() if self.kind == "O" else self._numbers()]
        return [figure for figure in drawn if figure is not None] + [self._table()]

    def _distance(self) -> float:
        """Return the largest difference of shares; of missing values if that is larger."""
        missing = [float(np.mean(gone)) for gone in self._missing]
        gap = abs(missing[0] - missing[1])
        real, synthetic = self._known
        if not len(real) or not len(synthetic):
            return gap
        if self.kind == "O":
            labels, shares = self._shares()
            return max(gap, float(np.abs(shares[0] - shares[1]).sum() / 2)) if labels else gap
        everything = np.sort(np.concatenate([real, synthetic]))
        ranks = [np.searchsorted(np.sort(v), everything, "right") / len(v) for v in self._known]
        return max(gap, float(np.abs(ranks[0] - ranks[1]).max()))

    def _shares(self) -> tuple[list[str], list[NDArray[np.float64]]]:
        """Return the labels, the most frequent ones first, and their shares."""
        labels, codes = numbered(np.concatenate(self._known))
        halves = np.split(codes, [len(self._known[0])])
        counts = [np.bincount(half, minlength=len(labels)) for half in halves]
        shares = [c / max(c.sum(), 1) for c in counts]
        order = np.argsort(-(shares[0] + shares[1]), kind="stable")
        return [str(labels[i]) for i in order], [each[order] for each in shares]

    def _categories(self) -> dict[str, Any] | None:
        labels, shares = self._shares()
        if not labels:
            return None
        rows = [
            [plain_text(label), f"{a:.1%}", f"{b:.1%}"]
            for label, a, b in zip(labels[:_MOST_VALUES], *shares, strict=False)
        ]
        if len(labels) > _MOST_VALUES:
            rest = [each[_MOST_VALUES:].sum() for each in shares]
            rows.append([f"{len(labels) - _MOST_VALUES:,} others", *(f"{r:.1%}" for r in rest)])
        return table(("value", *_NAMES), rows, numbers=(1, 2))

    def _numbers(self) -> dict[str, Any] | None:
        real, synthetic = self._known
        if not len(real) or not len(synthetic):
            return None
        whole = np.unique(real)
        if len(whole) <= _MOST_VALUES and np.isin(synthetic, whole).all():
            heights = {
                name: np.array([float(np.mean(values == each)) for each in whole])
                for name, values in zip(_NAMES, self._known, strict=True)
            }
            ticks = [((i + 0.5) / len(whole), self._write(float(v))) for i, v in enumerate(whole)]
            names = [self._write(float(v)) for v in whole]
            return bars(heights, ticks, names, x=self.name, y="share of rows")
        with np.errstate(over="ignore", invalid="ignore"):
            low, high = span_without_tails(real, real)
        high = high if low < high else low + 1
        if not _NARROWEST < high / 2 - low / 2 < _WIDEST:
            return None
        edges = np.linspace(low, high, _MOST_BARS + 1)
        return histogram(
            dict(zip(_NAMES, self._known, strict=True)),
            edges,
            x=self.name,
            y="share of rows",
            shares=True,
            write=self._write,
        )

    def _table(self) -> dict[str, Any]:
        moments = {"different values": _n_different} if self.kind == "O" else _MOMENTS
        with np.errstate(over="ignore", invalid="ignore"):
            rows = [
                [name, *(self._write(of(each)) if len(each) else None for each in self._known)]
                for name, of in moments.items()
                if name != "standard deviation" or self.kind != "M"
            ]
        rows.append(["missing", *(f"{np.mean(gone):.1%}" for gone in self._missing)])
        return table(("", *_NAMES), rows, numbers=(1, 2))

    def _write(self, value: float) -> str:
        """Write a number of this column, which is of microseconds for dates and durations."""
        if self.kind in ("f", "O"):
            return number_text(value)
        if self.kind == "m":
            return str(timedelta(seconds=round(value / 1e6)))
        try:
            return str((datetime(1970, 1, 1) + timedelta(microseconds=round(value))).date())
        except OverflowError:  # beyond the years that Python knows
            return str(np.datetime64(round(value), "us").astype("datetime64[D]"))


_MOMENTS = {
    "mean": lambda values: float(np.mean(values)),
    "standard deviation": lambda values: float(np.std(values)),
    "minimum": lambda values: float(np.min(values)),
    "median": lambda values: float(np.median(values)),
    "maximum": lambda values: float(np.max(values)),
}


def _n_different(values: NDArray) -> float:
    return float(len(set(values.tolist())))


def _is_missing(values: NDArray) -> NDArray[np.bool_]:
    if values.dtype == object:
        return np.array([value is None for value in values], dtype=bool)
    return np.isnan(values)
