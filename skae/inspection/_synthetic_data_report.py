"""SyntheticDataReport: how like real rows are synthetic ones, as a page."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.validation import _num_samples

from ..metrics import two_sample_auc
from ..metrics._checks import (
    aligned_columns,
    check_same_columns,
    checked_array,
    is_frame,
    kind_of_column,
)
from ..metrics._closest_record import _to_closest
from ..metrics._common_frame import common_columns
from ._dependencies import dependencies, numbered
from ._marginals import Marginal
from ._report import Report, Section
from ._report_charts import entries, histogram, table
from ._report_text import number_text

_FEWEST_ROWS = 10
_MOST_ROWS = 5000  # for what takes longer than a pass over the rows
_MOST_DRAWN = 40  # columns, in the picture of their dependencies
_MOST_PAIRS = 5  # of columns, in words
_MOST_LABELS = 50  # of a column, that distances tell apart

Columns = dict[Any, NDArray]


class SyntheticDataReport(Report):
    """How like real rows are synthetic ones, and whether they give real rows away, as a page.

    The page shows, for each column, how its values are spread in both tables; how strongly columns
    depend on one another in both; whether a classifier can tell the rows apart; and how far from
    the closest real row the synthetic ones are, beside the same of real rows.

    A notebook shows the report where it is the last expression of a cell. :meth:`write_html` writes
    it as one file, which needs no network and no Python. It holds summaries, among them the most
    frequent values and the extremes of columns, but no row.

    Parameters
    ----------
    real : {array-like, data frame} of shape (n_real, n_features)
        Real rows, at least 10, best those that the generator was trained on: an array of numbers,
        NaN where they are missing, or a data frame of pandas or polars with any kind of column.

    synthetic : {array-like, data frame} of shape (n_synthetic, n_features)
        Synthetic rows, at least 10: an array with as many columns, or a frame with the same ones in
        any order.

    holdout : {array-like, data frame} of shape (n_holdout, n_features), default=None
        Real rows that the generator has not seen, at least 10. With them, the page says whether
        synthetic rows are closer to the rows learned from than to these.

    title : str, default=None
        Heading of the page.

    random_state : int, RandomState instance or None, default=0
        Draws rows where there are many, splits them, and seeds the classifier.

    Attributes
    ----------
    distances_ : dict of str to float
        Distance of each column between 0 and 1: of numbers the largest difference between the
        distribution functions (Kolmogorov and Smirnov), of categories half the sum of the
        differences of shares (total variation); or the difference of the shares of missing values,
        if that is larger.

    dependency_gap_ : float
        Mean absolute difference of the dependencies of two columns, NaN if there is one column.

    two_sample_auc_ : float
        Area under the ROC curve of a classifier that tells real from synthetic rows.

    share_copied_ : float
        Share of synthetic rows that equal a real one in every column.

    share_closer_to_real_ : float or None
        Share of synthetic rows that are closer to a real row than to a row of `holdout`, of equally
        many; about 0.5 if nothing was memorized.

    Raises
    ------
    ValueError
        If the tables differ in their columns, have fewer than 10 rows, or are arrays of anything
        but numbers.

    See Also
    --------
    skae.metrics.two_sample_auc : The score of the classifier alone.
    skae.metrics.distance_to_closest_record : Distances alone.

    Notes
    -----
    Distributions of columns and copies are those of all rows; classifier, dependencies and
    distances take 5,000 rows at most of each table. Numbers depend on one another by Spearman's
    rank correlation, anything else by Cramér's V. Distances between rows are Euclidean, of numbers
    in units of their standard deviations; two different categories are 1 apart, a missing number is
    an average one, and 1 apart from a known one.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skae import VariationalAutoencoder
    >>> from skae.inspection import SyntheticDataReport
    >>> table = load_wine(as_frame=True).frame
    >>> model = VariationalAutoencoder(max_epochs=5, random_state=0).fit(table)
    >>> report = SyntheticDataReport(table, model.sample(178))
    >>> report.share_copied_
    0.0
    >>> report.write_html("synthetic.html")  # doctest: +SKIP
    """

    def __init__(
        self,
        real: Any,
        synthetic: Any,
        *,
        holdout: Any = None,
        title: str | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        rng = check_random_state(random_state)
        tables = {"real": real, "synthetic": synthetic}
        if holdout is not None:
            tables["holdout"] = holdout
        tables = _checked(tables)
        kinds, columns = _columns(tables)
        n_real, n_synthetic = (_num_samples(tables[name]) for name in ("real", "synthetic"))
        marginals = [
            Marginal(name, kinds[name], columns["real"][name], columns["synthetic"][name])
            for name in columns["real"]
        ]
        self.distances_ = {each.name: each.distance for each in marginals}
        rows = _encoded(columns)
        self.share_copied_ = _share_copied(columns)
        few = {
            name: np.sort(rng.permutation(_num_samples(given))[:_MOST_ROWS])
            for name, given in tables.items()
        }
        self.two_sample_auc_ = two_sample_auc(
            *(_safe_indexing(tables[name], few[name]) for name in ("real", "synthetic")),
            random_state=rng,
        )
        dependency = self._dependencies(columns, few, [each.name for each in marginals])
        closeness = self._closeness(rows, few, rng)
        facts = [
            ("rows", f"{n_synthetic:,}", f"synthetic, beside {n_real:,} real ones"),
            ("told apart (AUC)", f"{self.two_sample_auc_:.3f}", "0.5 if no classifier can"),
            (
                "columns, mean distance",
                f"{np.mean(list(self.distances_.values())):.3f}",
                "0 if all are spread alike",
            ),
            ("copies of real rows", f"{self.share_copied_:.2%}", "equal in every column"),
        ]
        if np.isfinite(self.dependency_gap_):
            note = "mean difference, 0 if all are alike"
            facts.insert(3, ("dependencies", f"{self.dependency_gap_:.3f}", note))
        if self.share_closer_to_real_ is not None:
            share = f"{self.share_closer_to_real_:.1%}"
            facts.append(("closer to real than to held-out", share, "50 % if none is memorized"))
        super().__init__(
            "Synthetic rows beside real ones" if title is None else title,
            facts,
            [_list_of(marginals), *dependency, closeness],
        )

    def _dependencies(
        self, columns: dict[str, Columns], few: dict[str, NDArray], names: list[str]
    ) -> list[Section]:
        some = {
            which: {name: values[few[which]] for name, values in columns[which].items()}
            for which in ("real", "synthetic")
        }
        real, synthetic = (dependencies(some[which], some["real"]) for which in some)
        gaps = np.abs(real - synthetic)
        n = len(names)
        self.dependency_gap_ = float(gaps.sum() / (n * (n - 1))) if n > 1 else np.nan
        if n < 2:
            return []
        chosen = np.sort(np.argsort(-gaps.max(axis=1), kind="stable")[:_MOST_DRAWN])
        note = (
            "Of every two columns: rank correlation of numbers, Cramér's V of anything else. The "
            "stronger the colour, the larger the difference between both tables."
        )
        if len(chosen) < n:
            note += f" These are the {len(chosen)} of {n} columns that differ most."
        figure = {
            "kind": "matrix",
            "label": f"differences of dependencies, on average {self.dependency_gap_:.3f}",
            "labels": [names[i] for i in chosen],
            "values": [[round(min(float(gaps[i, j]), 1.0), 3) for j in chosen] for i in chosen],
            "names": [
                [f"real {real[i, j]:.2f}, synthetic {synthetic[i, j]:.2f}" for j in chosen]
                for i in chosen
            ],
        }
        pairs = sorted(((gaps[i, j], i, j) for i in range(n) for j in range(i)), reverse=True)
        largest = table(
            ("largest differences", "real", "synthetic"),
            [
                [f"{names[j]} and {names[i]}", f"{real[i, j]:.2f}", f"{synthetic[i, j]:.2f}"]
                for _, i, j in pairs[:_MOST_PAIRS]
            ],
            numbers=(1, 2),
        )
        title = "Dependencies between columns"
        return [{"title": title, "note": note, "figures": [figure, largest]}]

    def _closeness(
        self, rows: dict[str, NDArray], few: dict[str, NDArray], rng: np.random.RandomState
    ) -> Section:
        real, synthetic = rows["real"], rows["synthetic"][few["synthetic"]]
        self.share_closer_to_real_ = None
        if "holdout" in rows:
            n = min(len(real), len(rows["holdout"]), _MOST_ROWS)
            others, learned = (
                some[rng.permutation(len(some))[:n]] for some in (rows["holdout"], real)
            )
            who, where = "held-out rows", "real rows"
            to_others, distances = _to_closest(synthetic, others), _to_closest(synthetic, learned)
            ties = np.isclose(distances, to_others, rtol=1e-9, atol=0)
            closer = np.where(ties, 0.5, distances < to_others)
            self.share_closer_to_real_ = float(closer.mean())
        else:
            order = rng.permutation(len(real))[: 2 * _MOST_ROWS]
            learned, others = real[order[::2]], real[order[1::2]]
            who, where = "the other half of the real rows", "half of the real rows"
            distances = _to_closest(synthetic, learned)
        beside = _to_closest(others, learned)
        high = float(np.quantile(np.concatenate([distances, beside]), 0.995)) or 1.0
        return {
            "title": "Distance to the closest real row",
            "note": f"Of synthetic rows, and of {who}, to the closest of {where}. Synthetic rows "
            "that are closer than real ones may have been copied with little noise; those much "
            f"farther are like no real row. Medians: {number_text(float(np.median(distances)))} "
            f"and {number_text(float(np.median(beside)))}.",
            "figures": [
                histogram(
                    {who: beside, "synthetic rows": distances},
                    np.linspace(0, high, 25),
                    x="distance, in standard deviations",
                    y="share of rows",
                    shares=True,
                )
            ],
        }


def _list_of(marginals: list[Marginal]) -> Section:
    order = sorted(marginals, key=lambda each: -each.distance)
    items = [{"cells": m.cells, "groups": [], "figures": m.figures} for m in order]
    return {
        "title": "Columns, those that differ most first",
        "note": "The distance of a column is 0 if its values are spread alike in both tables and 1 "
        "if they have nothing in common. Open a column to see both.",
        "figures": [
            entries(
                items,
                ("column", "kind", "distance"),
                unit="columns",
                search="Search columns",
                opened=True,
            )
        ],
    }


def _checked(tables: dict[str, Any]) -> dict[str, Any]:
    """Return tables with the same columns in the same order, arrays as floats."""
    first = tables["real"]
    checked = {}
    for name, given in tables.items():
        if is_frame(given) != is_frame(first):
            raise ValueError(
                f"real and {name} must both be data frames or both be arrays, got "
                f"{type(first).__name__} and {type(given).__name__}."
            )
        if is_frame(given):
            checked[name] = aligned_columns(first, given, ("real", name))
        else:
            checked[name] = checked_array(given, name, allow_nan=True)
            check_same_columns(checked["real"], checked[name], ("real", name))
        n = _num_samples(given)
        if n < _FEWEST_ROWS:
            raise ValueError(f"{name} must have at least {_FEWEST_ROWS} rows, got {n}.")
    return checked


def _columns(tables: dict[str, Any]) -> tuple[dict[Any, str], dict[str, Columns]]:
    """Return the kind of each column, and the columns of all tables in comparable form."""
    real = tables["real"]
    if not is_frame(real):
        kinds = {f"x{i}": "f" for i in range(real.shape[1])}
        return kinds, {
            name: dict(zip(kinds, given.T, strict=True)) for name, given in tables.items()
        }
    n = _num_samples(real)
    kinds = {}
    for name in real.columns:
        each = {kind_of_column(given[name]) for given in tables.values()}
        kinds[name] = each.pop() if len(each) == 1 else "O"
    columns: dict[str, Columns] = {}
    for name, given in tables.items():
        stacked = common_columns(real, given)
        columns[name] = {key: values[n:] for key, values in stacked.items()}
        infinite = [
            key for key, v in columns[name].items() if v.dtype != object and np.isinf(v).any()
        ]
        if infinite:
            raise ValueError(
                f"{name} must hold finite numbers, NaN where they are missing, got infinite ones "
                f"in the columns {infinite}."
            )
    return kinds, columns


def _encoded(columns: dict[str, Columns]) -> dict[str, NDArray[np.float64]]:
    """Return all tables as matrices whose rows have distances, as the class says."""
    parts: dict[str, list[NDArray]] = {name: [] for name in columns}
    for key, real in columns["real"].items():
        if real.dtype == object:
            labels, codes = numbered(real)
            kept = np.argsort(-np.bincount(codes), kind="stable")[:_MOST_LABELS]
            column = {labels[code]: i for i, code in enumerate(kept)}
            for name, given in columns.items():
                # Labels that are none of these stand nowhere.
                place = np.array([column.get(value, -1) for value in given[key]])
                parts[name].append((place[:, None] == np.arange(len(kept))) * np.sqrt(0.5))
            continue
        known = real[~np.isnan(real)]
        # Neither sums nor squares of shares of the largest value are too large.
        unit = float(np.abs(known).max(initial=0.0)) or 1.0
        known = known / unit
        mean, scale = (known.mean(), known.std() or 1.0) if len(known) else (0.0, 1.0)
        gone = {name: np.isnan(given[key]) for name, given in columns.items()}
        for name, given in columns.items():
            parts[name].append(
                (np.where(gone[name], mean, given[key] / unit) - mean)[:, None] / scale
            )
            if any(each.any() for each in gone.values()):
                parts[name].append(gone[name][:, None].astype(np.float64))
    return {name: np.hstack(each) for name, each in parts.items()}


def _share_copied(columns: dict[str, Columns]) -> float:
    """Return the share of synthetic rows that are among the real ones, missing values included."""
    real, synthetic = (
        list(zip(*(_hashable(v) for v in columns[name].values()), strict=True))
        for name in ("real", "synthetic")
    )
    known = set(real)
    return float(np.mean([row in known for row in synthetic]))


def _hashable(values: NDArray) -> list:
    """Return values of which a missing one equals another."""
    if values.dtype == object:
        return values.tolist()
    return [None if value != value else value for value in values.tolist()]
