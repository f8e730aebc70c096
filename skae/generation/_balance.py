"""Samples in which the values of a column, or the classes, have certain shares."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from ._conditions import Condition, Table, conditions_of

_ROUNDING = 1e-6


def counts_of(shares: np.ndarray, n: int) -> np.ndarray:
    """Return whole numbers in proportion to shares, by the method of the largest remainder.

    Parameters
    ----------
    shares : ndarray of shape (n_values,)
        Shares that add up to one.
    n : int
        What the numbers add up to.

    Returns
    -------
    ndarray of shape (n_values,) of int
        The numbers; of equal remainders, the first are rounded up.
    """
    exact = shares * n
    counts = np.floor(exact + _ROUNDING).astype(int)
    rest = np.argsort(counts - exact, kind="stable")[: n - counts.sum()]
    counts[rest] += 1
    return counts


def balanced(
    balance: Any, n: int, table: Table, classes: np.ndarray | None
) -> tuple[Any, list[Any], np.ndarray]:
    """Read what is to be balanced.

    Parameters
    ----------
    balance : object
        A column, for equal shares of its values, or a dict from a column to shares of its values.
    n : int
        Number of rows.
    table : Table
        The columns.
    classes : ndarray of shape (n_classes,) or None
        Labels of the classes, which the name "y" stands for; None if there are none.

    Returns
    -------
    column : object
        The column, or "y".
    values : list
        Values of the column.
    counts : ndarray of shape (n_values,)
        How many rows each gets.
    """
    shares = None
    if isinstance(balance, Mapping):
        if len(balance) != 1:
            raise ValueError(
                f"balance={balance!r} must have one column, and a dict with the shares of its "
                "values"
            )
        ((balance, shares),) = balance.items()
    is_y = classes is not None and isinstance(balance, str) and balance == "y"
    if shares is None:
        values = classes.tolist() if is_y else _values(table, table.position(balance, "balance"))
        return balance, values, counts_of(np.full(len(values), 1 / len(values)), n)
    numbers = list(shares.values()) if isinstance(shares, Mapping) else []
    if not (
        numbers
        and all(isinstance(s, Real) and s >= 0 for s in numbers)
        and abs(sum(numbers) - 1) <= _ROUNDING
    ):
        raise ValueError(
            f"balance={{{balance!r}: {shares!r}}} must have shares, numbers of at least 0 that add "
            "up to 1, for values of the column"
        )
    if is_y and (unknown := [v for v in shares if v not in classes.tolist()]):
        raise ValueError(f"balance has classes {unknown}, but y had {classes.tolist()}")
    return balance, list(shares), counts_of(np.array(numbers, dtype=float), n)


def conditions_with(
    conditions: list[Condition], column: Any, value: Any, table: Table
) -> list[Condition]:
    """Add a condition to others.

    Parameters
    ----------
    conditions : list of Condition
        The others.
    column : object
        A column that is balanced.
    value : object
        One of its values.
    table : Table
        The columns.

    Returns
    -------
    list of Condition
        All of them.
    """
    (own,) = conditions_of({column: value}, table, "balance")
    for each in conditions:
        if each.column == own.column:
            raise ValueError(f"{each.text} is of the column that balance is of, too; take one")
    return [*conditions, own]


def _values(table: Table, j: int) -> list[Any]:
    """Return the values of a column of few."""
    columns = table.columns
    if j in table.form.categories:
        return [value for value in table.form.categories[j] if value is not None]
    if j in columns.binary:
        return sorted({float(table.low[j]), float(table.high[j])})
    if any(j in group for group in columns.groups):
        return [0.0, 1.0]
    numbers = columns.numbers.tolist()
    if j in numbers and columns.scores and j not in table.form.dates:
        scores = columns.scores[numbers.index(j)]
        if scores.seen is not None and table.is_plain(j):
            return scores.atoms.tolist()
    raise ValueError(
        f"balance={table.names[j]!r} needs a column of categories or of few values, but "
        f"{table.holds(j)}; name shares, as in balance={{{table.names[j]!r}: {{(low, high): 0.5, "
        "...}}"
    )
