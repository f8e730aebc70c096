"""Domains: the values that a loss is defined on, and how to say which others were found."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor


class OutsideDomainError(ValueError):
    """Data have values that a loss is not defined on.

    Parameters
    ----------
    problem : str
        Which values are needed, and what was found.
    column : object
        Position or name of the first column that is to blame; None if there are none.
    advice : str
        What to do.
    """

    def __init__(self, problem: str, column: Any, advice: str) -> None:
        super().__init__(problem, column, advice)

    def __str__(self) -> str:
        problem, column, advice = self.args
        return f"{problem}{'' if column is None else f', first in column {column!r}'}; {advice}"

    def named(self, names: Sequence[Any]) -> "OutsideDomainError":
        """Return the same error with the name of the column in place of its position.

        Parameters
        ----------
        names : sequence
            Names of all columns.

        Returns
        -------
        OutsideDomainError
            The error; the same one if there is no such column.
        """
        problem, column, advice = self.args
        if not isinstance(column, int) or column >= len(names):
            return self
        return OutsideDomainError(problem, names[column], advice)


def first_column(cells: Tensor) -> int | None:
    """Return the column of the first of some cells.

    Parameters
    ----------
    cells : Tensor of bool
        Where they are.

    Returns
    -------
    int or None
        Its position; None for the stored values of sparse data, which have no columns.
    """
    return int(cells.nonzero()[0, -1]) if cells.ndim > 1 else None


@dataclass(frozen=True)
class Domain:
    """All real numbers, and base class of smaller domains.

    A new domain overrides :meth:`check`. NaN stands for a missing cell and lies in every domain;
    estimators that need complete rows have said so before.
    """

    def check(self, X: Tensor, choice: str) -> None:
        """Raise ValueError when values lie outside.

        Parameters
        ----------
        X : Tensor of shape (..., n_features)
            Data, or the stored values of sparse data.
        choice : str
            The parameter and its value that ask for the domain, for the message.
        """


@dataclass(frozen=True)
class Interval(Domain):
    """Numbers from `low` to `high`, both included.

    Parameters
    ----------
    low : float
        Least value.
    high : float, default=inf
        Largest value.
    """

    low: float
    high: float = math.inf

    def __str__(self) -> str:
        if self.high == math.inf:
            return f"of at least {self.low}"
        return f"in [{self.low}, {self.high}]"

    @property
    def advice(self) -> str:
        """What to do with other values."""
        if self.high == math.inf:
            return "a column with values below that needs another loss, such as 'squared_error'"
        return f"MinMaxScaler(({self.low:g}, {self.high:g}), clip=True) puts all columns there"

    def check(self, X: Tensor, choice: str) -> None:
        outside = (self.low > X) | (self.high < X)
        if outside.any():
            least, most = X[~X.isnan()].aminmax()
            problem = (
                f"{choice} needs values {self}, but X reaches from {float(least):.6g} to "
                f"{float(most):.6g}"
            )
            raise OutsideDomainError(problem, first_column(outside), self.advice)


class Counts(Interval):
    """The numbers 0, 1, 2 and so on."""

    def __init__(self) -> None:
        super().__init__(0)

    def __str__(self) -> str:
        return "that are counts"

    @property
    def advice(self) -> str:
        """What to do with other values."""
        return "numbers that are none need another likelihood, such as 'gaussian'"

    def check(self, X: Tensor, choice: str) -> None:
        super().check(X, choice)
        broken = (X - X.round()).abs() > 0
        if broken.any():
            problem = f"{choice} needs values {self}, but X has {float(X[broken][0]):.6g}"
            raise OutsideDomainError(problem, first_column(broken), self.advice)
