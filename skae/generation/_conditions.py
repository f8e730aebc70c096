"""Conditions that rows are to meet: what users write, in the numbers of matrices."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils._missing import is_pandas_na, is_scalar_nan

from ..tables import Columns, FrameFormat
from ..tables._dates import dates_of
from ..tables._series import is_boolean
from ..training._suggestions import did_you_mean
from ._constraints import Constraints
from ._dates import number_of_date

_MOST_SHOWN = 8


@dataclass(frozen=True)
class Condition:
    """What the cells of a column are to be.

    Parameters
    ----------
    column : int
        Position of the column.
    intervals : ndarray of shape (n_intervals, 2)
        Ends of closed intervals that do not overlap, one of which a number has to lie in.
    missing : bool
        Whether a cell may be missing instead.
    text : str
        What the user wrote, for messages.
    """

    column: int
    intervals: np.ndarray
    missing: bool
    text: str

    def allows(self, values: np.ndarray) -> np.ndarray:
        """Tell which values meet the condition.

        Parameters
        ----------
        values : ndarray of shape (n_values,)
            Of the column, in the numbers of a matrix.

        Returns
        -------
        ndarray of shape (n_values,) of bool
            Which do.
        """
        low, high = self.intervals.T
        inside = (low <= values[:, None]) & (values[:, None] <= high)
        return inside.any(axis=1) | (self.missing & np.isnan(values))


@dataclass(frozen=True)
class Table:
    """What is known of the columns of the training data.

    Parameters
    ----------
    form : FrameFormat
        Names, dtypes and categories.
    columns : Columns
        Their kinds.
    constraints : Constraints or None
        What holds in every row, if anything does.
    """

    form: FrameFormat
    columns: Columns
    constraints: Constraints | None

    @property
    def low(self) -> np.ndarray:
        """Least value of each column."""
        return (self.constraints or self.columns).low

    @property
    def high(self) -> np.ndarray:
        """Greatest value of each column."""
        return (self.constraints or self.columns).high

    def is_plain(self, j: int) -> bool:
        """Tell whether the network learns a column itself.

        Parameters
        ----------
        j : int
            Its position.

        Returns
        -------
        bool
            Whether it does, and not a difference.
        """
        return self.constraints is None or j not in self.constraints.learned

    @property
    def names(self) -> list:
        """Names of the columns, or their positions."""
        return self.columns.names

    @property
    def incomplete(self) -> np.ndarray:
        """Positions of columns of numbers that are missing in some rows."""
        return self.columns.numbers[self.columns.incomplete]

    def position(self, name: Any, parameter: str) -> int:
        """Return the position of a column.

        Parameters
        ----------
        name : object
            Its name, or its position in an array.
        parameter : str
            The argument that names it, for messages.

        Returns
        -------
        int
            The position.
        """
        if not isinstance(name, bool) and name in self.names:
            return self.names.index(name)
        if self.form.container:
            found = f"column {name!r}, which X does not have"
            names = [each for each in self.names if isinstance(each, str)]
            hint = did_you_mean(name, names) if isinstance(name, str) else ""
            raise ValueError(f"{parameter} names the {found}{hint}; it has {_short(self.names)}")
        raise ValueError(
            f"{parameter} names the column {name!r}, but X was an array: columns are named by "
            f"their positions, integers from 0 to {len(self.names) - 1}"
        )

    def holds(self, j: int) -> str:
        """Say what a column holds.

        Parameters
        ----------
        j : int
            Its position.

        Returns
        -------
        str
            What.
        """
        if j in self.form.categories:
            return f"column {self.names[j]!r} holds {_short(self.form.categories[j])}"
        low, high = self._shown(j, self.low[j]), self._shown(j, self.high[j])
        missing = ", and missing ones" if j in self.incomplete else ""
        return f"column {self.names[j]!r} holds values from {low} to {high}{missing}"

    def _shown(self, j: int, value: float) -> str:
        """Return a value as the user knows it."""
        if j not in self.form.dates:
            is_truth = is_boolean(self.form.dtypes[j if self.form.container else 0])
            return str(bool(value)) if is_truth else f"{value:.12g}"
        origin, unit = self.form.dates[j]
        ticks = np.array([round(value) * unit + origin])
        return str(dates_of(ticks, np.zeros(1, dtype=bool), self.form.dtypes[j])[0])

    def number(self, j: int, value: Any) -> float:
        """Return the number that stands for a value in matrices, NaN for one that is missing.

        Parameters
        ----------
        j : int
            Position of the column.
        value : object
            The value.

        Returns
        -------
        float
            The number.
        """
        missing = is_missing(value)
        if j in self.form.categories:
            known = self.form.categories[j]
            value = None if missing else value
            if value not in known:
                raise ValueError(f"{value!r} is in no row")
            return known.index(value)
        if missing:
            if j not in self.incomplete:
                raise ValueError("no value is missing in the training data")
            return math.nan
        if j in self.form.dates:
            return number_of_date(self.form, j, value)
        if not isinstance(value, Real | Decimal | np.bool_):
            raise ValueError(f"{value!r} is no number")
        return float(value)


def conditions_of(given: Any, table: Table, parameter: str = "given") -> list[Condition]:
    """Read conditions.

    Parameters
    ----------
    given : mapping or None
        For names of columns, or positions, what their cells are to be: a value, several in a list
        or set, or the two ends of an interval in a tuple, None for one that is open.
    table : Table
        The columns.
    parameter : str, default="given"
        The argument that says so, for messages.

    Returns
    -------
    list of Condition
        One for each column.

    Raises
    ------
    ValueError
        If a column is unknown, or none of its values meets the condition.
    """
    if given is None:
        return []
    if not isinstance(given, Mapping):
        raise ValueError(
            f"{parameter}={given!r} must be a dict from columns to what they are to be"
        )
    return [_condition(table, name, wanted, parameter) for name, wanted in given.items()]


def is_missing(value: Any) -> bool:
    """Tell whether a value stands for a missing one.

    Parameters
    ----------
    value : object
        None, NaN, NA, NaT or anything else.

    Returns
    -------
    bool
        Whether it does.
    """
    is_no_time = type(value).__name__ == "NaTType" or (
        isinstance(value, np.datetime64 | np.timedelta64) and bool(np.isnat(value))
    )
    return value is None or is_scalar_nan(value) or is_pandas_na(value) or is_no_time


def _condition(table: Table, name: Any, wanted: Any, parameter: str) -> Condition:
    j, text = table.position(name, parameter), f"{parameter}={{{name!r}: {wanted!r}}}"
    is_list = isinstance(wanted, Iterable) and not isinstance(wanted, str | bytes | tuple | Mapping)
    items = list(wanted) if is_list else [wanted]
    if not items:
        raise ValueError(f"{text} names no value; {table.holds(j)}")
    try:
        pairs = [_interval(table, j, item) for item in items]
    except ValueError as error:
        raise ValueError(f"{text}: {error}; {table.holds(j)}") from error
    ends = np.array([pair for pair in pairs if not math.isnan(pair[0])]).reshape(-1, 2)
    missing = len(ends) < len(pairs)
    is_there = (ends[:, 0] <= table.high[j]) & (table.low[j] <= ends[:, 1])
    if not (is_there.any() or missing or j in table.form.categories):
        raise ValueError(f"{text} fits no row; {table.holds(j)}")
    return Condition(j, _merged(ends), missing, text)


def _interval(table: Table, j: int, item: Any) -> tuple[float, float]:
    if not isinstance(item, tuple):
        number = table.number(j, item)
        return number, number
    if j in table.form.categories:
        raise ValueError(f"{item!r} is an interval; several values go into a list")
    if len(item) != 2:
        raise ValueError(
            f"an interval has two ends, not {len(item)}; several values go into a list"
        )
    low, high = (
        end if value is None else table.number(j, value)
        for value, end in zip(item, (-math.inf, math.inf), strict=True)
    )
    if not low <= high:  # or NaN
        raise ValueError("an interval goes from low to high, None where it is open")
    return low, high


def _merged(ends: np.ndarray) -> np.ndarray:
    """Return the same intervals, ascending, those that overlap as one."""
    merged: list[list[float]] = []
    for low, high in sorted(ends.tolist()):
        if merged and low <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], high)
        else:
            merged.append([low, high])
    return np.array(merged).reshape(-1, 2)


def _short(values: list) -> str:
    shown = ", ".join(map(repr, values[:_MOST_SHOWN]))
    return shown + (f" and {len(values) - _MOST_SHOWN} more" if len(values) > _MOST_SHOWN else "")
