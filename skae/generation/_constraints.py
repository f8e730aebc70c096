"""Constraints of rows: checked on training data, and kept by learning the right quantities."""

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from .._plain import registered
from ..tables import FrameFormat
from ..tables._series import is_whole
from ..training._suggestions import did_you_mean
from ._dates import number_of_date
from ._grammar import Comparison, Term, comparisons_in

_TOLERANCE, _SINGLE_TOLERANCE = 1e-9, 1e-5  # of the sizes of the terms: sums round


@registered
class Inequality:
    """A sum of columns that is at most zero, less, or equal to it.

    Parameters
    ----------
    text : str
        What the user wrote.
    columns : list of int
        Positions of the columns.
    factors : list of float
        What they are multiplied by.
    constant : float
        What is added.
    relation : {"<=", "<", "=="}
        What the sum is, against zero.
    """

    text: str
    columns: list[int]
    factors: list[float]
    constant: float
    relation: str

    def violated(self, X: np.ndarray, tolerance: float) -> np.ndarray:
        """Tell which rows don't keep it.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_columns)
            Rows.
        tolerance : float
            Share of the sizes of the terms that sums may be wrong by.

        Returns
        -------
        ndarray of shape (n_samples,) of bool
            Which don't; rows keep it in which one of the columns is missing.
        """
        terms = X[:, self.columns].astype(np.float64) * self.factors
        total = terms.sum(axis=1) + self.constant
        slack = tolerance * (np.abs(terms).sum(axis=1) + abs(self.constant))
        if self.relation == "==":
            return np.abs(total) > slack
        return total > slack if self.relation == "<=" else total >= 0


@registered
class Difference:
    """A column in place of which the network learns how far it is from a sum of others.

    Parameters
    ----------
    column : int
        Position of the column.
    others : list of int
        Positions of the others.
    factors : list of float
        What these are multiplied by.
    constant : float
        What is added to them.
    """

    column: int
    others: list[int]
    factors: list[float]
    constant: float

    def sum(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the sum of the others, and the sizes of its terms."""
        total, size = np.zeros(len(X)), np.full(len(X), abs(self.constant))
        for j, factor in zip(self.others, self.factors, strict=True):
            term = factor * X[:, j].astype(np.float64)
            total, size = total + term, size + np.abs(term)
        return total + self.constant, size


@registered
class Constraints:
    """What holds in every row.

    Parameters
    ----------
    inequalities : list of Inequality
        What it is.
    differences : list of Difference
        Columns that are learned as differences, in an order in which they can be undone.
    low, high : ndarray of shape (n_columns,)
        Least and greatest training value of each column.
    tolerance : float
        Share of the sizes of terms that sums may be wrong by.
    """

    inequalities: list[Inequality]
    differences: list[Difference]
    low: np.ndarray
    high: np.ndarray
    tolerance: float

    @classmethod
    def of(cls, texts: Sequence[str], form: FrameFormat, X: Any, learn: bool) -> Self:
        """Read constraints, and check that the training data keep them.

        Parameters
        ----------
        texts : sequence of str
            The constraints.
        form : FrameFormat
            Of the training data.
        X : ndarray or LazyTable of shape (n_samples, n_columns)
            The training data.
        learn : bool
            Whether columns may be learned as differences.

        Returns
        -------
        Constraints
            What was read.

        Raises
        ------
        ValueError
            If a constraint can't be read, names an unknown column, or rows violate it.
        """
        for text in texts:
            if not isinstance(text, str):
                raise ValueError(f"constraints must be text, but one is {text!r}")
        compared = [c for text in texts for c in comparisons_in(text)]
        inequalities = [_inequality(c, form, X.shape[1]) for c in compared]
        rows = _dense(X)
        low, high = np.fmin.reduce(rows, axis=0), np.fmax.reduce(rows, axis=0)
        tolerance = _TOLERANCE if rows.dtype == np.float64 else _SINGLE_TOLERANCE
        constraints = cls(inequalities, [], low, high, tolerance)
        constraints.check(rows)
        if learn:
            is_complete = ~np.isnan(rows).any(axis=0)
            constraints.differences = _differences(inequalities, compared, form, is_complete)
        return constraints

    @property
    def learned(self) -> set[int]:
        """Positions of the columns that are learned as differences."""
        return {each.column for each in self.differences}

    def check(self, X: np.ndarray) -> None:
        """Raise ValueError if training rows violate a constraint.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_columns)
            The rows.
        """
        for each in self.inequalities:
            wrong = np.flatnonzero(each.violated(X, self.tolerance))
            if len(wrong):
                raise ValueError(
                    f"constraint {each.text!r} is violated by {len(wrong)} of {len(X)} training "
                    f"rows, first by row {wrong[0]}, counted from 0; leave such rows out, or the "
                    "constraint"
                )

    def kept(self, X: np.ndarray) -> np.ndarray:
        """Tell which drawn rows keep all constraints, and the ranges of the training data.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_columns)
            The rows.

        Returns
        -------
        ndarray of shape (n_samples,) of bool
            Which do.
        """
        kept = np.ones(len(X), dtype=bool)
        for each in self.inequalities:
            kept &= ~each.violated(X, self.tolerance)
        for j in self.learned:
            kept &= (self.low[j] <= X[:, j]) & (X[:, j] <= self.high[j])
        return kept

    def applied(self, X: Any) -> Any:
        """Return rows with differences in place of columns.

        Parameters
        ----------
        X : ndarray or LazyTable of shape (n_samples, n_columns)
            Rows.

        Returns
        -------
        ndarray or LazyTable of shape (n_samples, n_columns)
            A copy, or the same where no column is learned as a difference.
        """
        if not self.differences:
            return X
        rows = _dense(X)
        changed = rows.copy()
        for each in self.differences:
            total, size = each.sum(rows)
            column = rows[:, each.column].astype(np.float64)
            difference = column - total
            slack = self.tolerance * (np.abs(column) + size)
            changed[:, each.column] = np.where(np.abs(difference) <= slack, 0.0, difference)
        return changed

    def undone(self, X: np.ndarray) -> np.ndarray:
        """Return the rows that rows with differences stand for.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_columns)
            As from :meth:`applied`; changed in place.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
            The same array.
        """
        for each in self.differences:
            X[:, each.column] = each.sum(X)[0] + X[:, each.column]
        return X


def _dense(X: Any) -> np.ndarray:
    return X if isinstance(X, np.ndarray) else X[: len(X)]


def _inequality(compared: Comparison, form: FrameFormat, n_columns: int) -> Inequality:
    """Return a comparison in the numbers of matrices: left minus right."""
    names = list(form.names) if form.names is not None else [f"x{j}" for j in range(n_columns)]
    by_name = {str(name): j for j, name in enumerate(names)}
    factors: dict[int, float] = {}
    constant, texts = 0.0, []
    for side, sign in ((compared.left, 1.0), (compared.right, -1.0)):
        for term in side:
            if term.text is not None:
                texts.append((term, sign * term.factor))
            elif term.column is None:
                constant += sign * term.factor
            elif term.column in by_name:
                j = by_name[term.column]
                factors[j] = factors.get(j, 0.0) + sign * term.factor
            else:
                hint = did_you_mean(term.column, by_name)
                named = "" if form.container else "; columns of an array are x0, x1 and so on"
                raise ValueError(
                    f"constraint {compared.text!r} names the column {term.column!r}, which X does "
                    f"not have{hint}{named}"
                )
    if not factors:
        raise ValueError(f"constraint {compared.text!r} names no column")
    for j in factors:
        if j in form.categories:
            raise ValueError(
                f"constraint {compared.text!r} compares numbers or dates, but column {names[j]!r} "
                "holds categories"
            )
    if any(j in form.dates for j in factors):
        factors, constant = _of_dates(compared.text, factors, constant, texts, form)
    elif texts:
        raise ValueError(
            f"constraint {compared.text!r} compares numbers with the text {texts[0][0].text!r}"
        )
    columns = list(factors)
    return Inequality(
        compared.text, columns, [factors[j] for j in columns], constant, compared.relation
    )


def _of_dates(
    text: str,
    factors: dict[int, float],
    constant: float,
    texts: list[tuple[Term, float]],
    form: FrameFormat,
) -> tuple[dict[int, float], float]:
    """Return factors and constant of a sum of dates that are counted from different ones."""
    dtypes = {j: str(form.dtypes[j]) for j in factors}
    if constant or not all(j in form.dates for j in factors) or len(set(dtypes.values())) > 1:
        found = ", ".join(f"{form.names[j]!r} of {dtypes[j]}" for j in factors)
        raise ValueError(
            f"constraint {text!r} must compare dates with dates of the same dtype, or with text "
            f"such as '2020-01-31'; its columns are {found}"
        )
    first = min(factors)
    origin, unit = form.dates[first]
    whole = {j: round(factor) for j, factor in factors.items()}
    if any(whole[j] != factor for j, factor in factors.items()):
        raise ValueError(f"constraint {text!r} multiplies dates by fractions")
    ticks = sum(whole[j] * form.dates[j][0] for j in factors)  # integers, which don't round
    for term, sign in texts:
        number = number_of_date(form, first, term.text)
        ticks += round(sign) * (origin + round(number * unit))
    common = math.gcd(*(form.dates[j][1] for j in factors))
    scaled = {j: whole[j] * (form.dates[j][1] // common) for j in factors}
    return {j: float(factor) for j, factor in scaled.items()}, ticks / common


def _differences(
    inequalities: list[Inequality],
    compared: list[Comparison],
    form: FrameFormat,
    is_complete: np.ndarray,
) -> list[Difference]:
    """Choose columns to learn as differences: each stands alone on a side of a comparison."""
    chosen: dict[int, Difference] = {}
    for each, sides in zip(inequalities, compared, strict=True):
        if len(each.columns) < 2 or not is_complete[each.columns].all():
            continue
        # The greater side first; of an equation, what is defined stands on the left.
        order = (sides.left, sides.right) if each.relation == "==" else (sides.right, sides.left)
        for side in order:
            if len(side) != 1 or side[0].column is None or abs(side[0].factor) != 1:
                continue
            names = [str(n) for n in form.names] if form.names else None
            j = names.index(side[0].column) if names else int(side[0].column[1:])
            difference = _difference(each, j, form)
            if difference is None or j in chosen or _depends(chosen, difference.others, j):
                continue
            chosen[j] = difference
            break
    ordered: list[Difference] = []
    while chosen:  # what others depend on is undone before them
        free = next(j for j, each in chosen.items() if not set(each.others) & (chosen.keys() - {j}))
        ordered.append(chosen.pop(free))
    return ordered


def _difference(each: Inequality, column: int, form: FrameFormat) -> Difference | None:
    """Solve an equation for a column; None if whole numbers would become others."""
    own = each.factors[each.columns.index(column)]
    others = [j for j in each.columns if j != column]
    factors = [-each.factors[each.columns.index(j)] / own for j in others]
    constant = -each.constant / own + 0.0
    whole = [j in form.dates or _is_whole(form, j) for j in (column, *others)]
    if whole[0] and not (all(whole) and all(float(f).is_integer() for f in (*factors, constant))):
        return None
    return Difference(column, others, factors, constant)


def _is_whole(form: FrameFormat, j: int) -> bool:
    return is_whole(form.dtypes[j if form.container else 0])


def _depends(chosen: dict[int, Difference], columns: list[int], target: int) -> bool:
    """Tell whether columns are, directly or not, made of a certain one."""
    return any(
        j == target or (j in chosen and _depends(chosen, chosen[j].others, target)) for j in columns
    )
