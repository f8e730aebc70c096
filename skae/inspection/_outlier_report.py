"""OutlierReport: the alarms of a detector and what makes each of them, as a page."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from ._common import check_at_least_one, check_length
from ._explained_rows import find_detector, name_rows
from ._outlier_scores import scores_of
from ._report import Report, Section
from ._report_charts import entries, histogram, table
from ._report_text import number_text, plain_text, value_text
from ._score_bins import bin_edges

_MOST_GROUPS = 50  # features to choose from, in the menu of a page
_HEADS = ("feature", "value", "expected", "share of the score")
_READING = (
    "Open a row to see which values make it an alarm, and what the detector expects in their "
    "place, given the rest of the row. Where several values are wrong, what is expected of the "
    "others may be wrong as well."
)


class OutlierReport(Report):
    """The alarms of an outlier detector as a page: which rows, how sure, and because of what.

    The page shows how the scores are spread and where the threshold stands, and lists the alarms,
    worst first, with p-values if the detector has them. An alarm opens to the features that
    contribute most to its score, each with the value found and the value expected. The list can be
    searched, and filtered by feature.

    A notebook shows the report where it is the last expression of a cell. :meth:`write_html` writes
    it as one file, which needs no network and no Python. All that comes from the data is shown as
    text, whatever it holds.

    Parameters
    ----------
    detector : estimator instance
        Fitted outlier detector with `score_samples` and `offset_`, or with `decision_function`, or
        a Pipeline or search that ends in one. Explanations need its `explain`, as of
        :class:`~skae.AutoencoderOutlierDetector`, and pandas; with a Pipeline, they are in terms of
        what its last step is given.

    X : {array-like, data frame, sparse matrix} of shape (n_samples, n_features)
        Rows to look for outliers in.

    n_features : int, default=5
        Number of features that an alarm is explained by, those that contribute most first.

    max_alarms : int, default=1000
        Number of alarms that are listed at most, the worst; all are counted.

    row_names : array-like of shape (n_samples,), default=None
        Names of the rows. If None, the index of a pandas data frame `X`, or 0, 1, ...

    title : str, default=None
        Heading of the page. If None, it names the class of the detector.

    Attributes
    ----------
    scores_ : ndarray of shape (n_samples,)
        Score of each row; higher is more normal.

    offset_ : float
        Threshold: rows with a lower score are alarms.

    alarms_ : ndarray of int of shape (n_alarms,)
        Positions of all alarms, worst first.

    p_values_ : ndarray of shape (n_listed,) or None
        Of the alarms that are listed, the probability of normal rows at least as outlying.

    Raises
    ------
    TypeError
        If the detector can't score rows, or has no threshold.

    See Also
    --------
    OutlierScoreDisplay : The scores alone, drawn with matplotlib.
    OutlierExplanationDisplay : Some alarms, drawn with matplotlib, also those of images.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skae import AutoencoderOutlierDetector
    >>> from skae.inspection import OutlierReport
    >>> X = load_wine(as_frame=True).data
    >>> detector = AutoencoderOutlierDetector(contamination=0.05, random_state=0).fit(X)
    >>> report = OutlierReport(detector, X)
    >>> len(report.alarms_)
    9
    >>> report.write_html("alarms.html")  # doctest: +SKIP
    """

    def __init__(
        self,
        detector: Any,
        X: Any,
        *,
        n_features: int = 5,
        max_alarms: int = 1000,
        row_names: ArrayLike | None = None,
        title: str | None = None,
    ) -> None:
        check_at_least_one("n_features", n_features)
        check_at_least_one("max_alarms", max_alarms)
        n_samples = _num_samples(X)
        names = np.asarray(
            name_rows(X, n_samples) if row_names is None else row_names, dtype=object
        )
        check_length(names, "row_names", n_samples, each="one name for each row of X")
        scores, offset = scores_of(detector, X)
        if offset is None:
            raise TypeError(
                "detector must have offset_ beside score_samples, or decision_function; "
                f"{type(detector).__name__} has neither. Fit it first, or pass an outlier detector."
            )
        self.scores_, self.offset_ = np.asarray(scores, dtype=np.float64), float(offset)
        alarms = np.flatnonzero(self.scores_ < self.offset_)
        self.alarms_ = alarms[np.argsort(self.scores_[alarms], kind="stable")]
        self.p_values_ = None
        listed = self.alarms_[:max_alarms]
        items, groups = self._items(detector, X, listed, names, n_features)
        facts = [
            ("rows", f"{n_samples:,}", f"scored by {_class_of(detector)}"),
            ("alarms", f"{len(alarms):,}", f"{len(alarms) / n_samples:.2%} of the rows"),
            ("threshold", number_text(self.offset_), "rows with a lower score are alarms"),
            ("lowest score", number_text(self.scores_.min()), "the higher, the more normal"),
        ]
        super().__init__(
            f"Outliers found by {_class_of(detector)}" if title is None else title,
            facts,
            [self._distribution(), self._list(items, groups)],
        )

    def _distribution(self) -> Section:
        finite = self.scores_[np.isfinite(self.scores_)]
        edges, log = bin_edges(finite, self.offset_, None, "auto")
        return {
            "title": "Scores of all rows",
            "note": "Rows left of the threshold are alarms. How well they stand apart from the "
            "rest says more than their number.",
            "figures": [
                histogram(
                    {"rows": self.scores_},
                    edges,
                    x="score (higher is more normal)",
                    log=log,
                    marks={"threshold": self.offset_},
                    split=True,
                )
            ],
        }

    def _items(
        self,
        detector: Any,
        X: Any,
        listed: NDArray[np.intp],
        names: NDArray[np.object_],
        n_features: int,
    ) -> tuple[list[dict[str, Any]], list[str]]:
        """Return an entry for each alarm that is listed, and the features to filter them by."""
        if not len(listed):
            return [], []
        model, rows = _last_step(detector, _unnamed(_safe_indexing(X, listed)))
        self.p_values_ = _p_values(model, rows)
        explained = _explanations(model, rows, n_features)
        features = [lines[0][0] for lines in explained if lines]
        counts = {name: features.count(name) for name in dict.fromkeys(features)}
        groups = sorted(counts, key=lambda name: -counts[name])[:_MOST_GROUPS]
        items = []
        for i, position in enumerate(listed):
            lines = explained[i] if explained else []
            cells = [value_text(names[position]), number_text(self.scores_[position])]
            if self.p_values_ is not None:
                cells.append(f"{self.p_values_[i]:.2g}")
            if explained:
                cells.append(lines[0][0] if lines else None)
            items.append(
                {
                    "cells": cells,
                    "groups": [groups.index(line[0]) for line in lines[:1] if line[0] in groups],
                    "figures": [table(_HEADS, lines, numbers=(1, 2), share=3)] if lines else [],
                }
            )
        return items, groups

    def _list(self, items: list[dict[str, Any]], groups: list[str]) -> Section:
        heads = ["row", "score"]
        if self.p_values_ is not None:
            heads.append("p-value")
        explained = bool(groups)
        if explained:
            heads.append("main reason")
        note = _READING if explained else "This detector says nothing about the reasons."
        if self.p_values_ is not None:
            note += (
                " A p-value is the probability that a normal row looks at least as strange; "
                "those of rows that the detector has learned from are too large."
            )
        if len(items) < len(self.alarms_):
            note += f" The {len(items):,} worst of {len(self.alarms_):,} alarms are listed."
        if not items:
            note = "No row is below the threshold."
        return {
            "title": "Alarms, worst first",
            "note": note,
            "figures": [
                entries(
                    items,
                    heads,
                    unit="alarms",
                    search="Search rows, features and values",
                    group="Main reason",
                    groups=groups,
                    optional=(2,) if self.p_values_ is not None and explained else (),
                    opened=True,
                )
            ],
        }


def _class_of(detector: Any) -> str:
    """Return the name of the class, for pipelines and searches that of what does the work."""
    while True:
        if hasattr(detector, "best_estimator_"):
            detector = detector.best_estimator_
        elif getattr(detector, "steps", None):
            detector = detector.steps[-1][1]
        else:
            return type(detector).__name__


def _unnamed(rows: Any) -> Any:
    """Return rows whose names are positions, also where several had the same name."""
    return rows.reset_index(drop=True) if hasattr(rows, "iloc") else rows


def _last_step(detector: Any, rows: Any) -> tuple[Any, Any]:
    try:
        return find_detector(detector, rows)
    except TypeError:  # it has no feature_errors
        return detector, rows


def _p_values(model: Any, rows: Any) -> NDArray[np.float64] | None:
    if not hasattr(model, "p_values"):
        return None
    try:
        return np.asarray(model.p_values(rows))
    except ValueError:  # no row was held out
        return None


def _explanations(model: Any, rows: Any, n_features: int) -> list[list[list[str | None]]]:
    """Return feature, value, expected value and share of the features that make each alarm."""
    if not hasattr(model, "explain"):
        return []
    lines: list[list[list[str | None]]] = [[] for _ in range(_num_samples(rows))]
    explained = _unnamed(model.explain(rows, n_features=n_features))
    named = hasattr(model, "feature_names_in_")
    for row, feature, value, expected, share in zip(
        *(explained[name] for name in ("row", "feature", "value", "expected", "share")), strict=True
    ):
        name = plain_text(feature) if named else f"x{feature}"
        lines[row].append([name, value_text(value), value_text(expected), f"{share:.0%}"])
    return lines
