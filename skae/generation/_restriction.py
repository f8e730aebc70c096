"""Conditions as the decoder sees them: their probabilities, and cells that meet them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from scipy.special import log_ndtr, logsumexp, ndtr, ndtri
from torch import Tensor

from ..tables import Columns
from ._conditions import Condition

_HALVINGS = 80
_LEAST_WIDTH = 1e-9  # of an interval of scores: what is narrower is a value without probability


@dataclass(frozen=True)
class _Number:
    """A number, which is normal given the code.

    Parameters
    ----------
    place : int
        Column of the network's view.
    flag : int or None
        The one that says whether the number is missing.
    missing : bool
        Whether it may be.
    low, high : ndarray of shape (n_intervals,)
        Ends of the intervals of scores, one of which it has to lie in.
    """

    place: int
    flag: int | None
    missing: bool
    low: np.ndarray
    high: np.ndarray

    def logs(self, mean: np.ndarray, scale: np.ndarray, absent: np.ndarray) -> np.ndarray:
        """Return log-probabilities of each interval, and after them of being missing."""
        low = (self.low - mean[:, None]) / scale[:, None]
        high = (self.high - mean[:, None]) / scale[:, None]
        is_right = low > 0  # on the left, small probabilities have digits
        low, high = np.where(is_right, -high, low), np.where(is_right, -low, high)
        of_low, of_high = log_ndtr(low), log_ndtr(high)
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = of_high + np.log(-np.expm1(of_low - of_high))
            return np.column_stack(
                [
                    np.nan_to_num(inside, nan=-np.inf) + np.log1p(-absent)[:, None],
                    np.log(absent if self.missing else 0 * absent),
                ]
            )

    def drawn(
        self, mean: np.ndarray, scale: np.ndarray, chosen: np.ndarray, random: Any
    ) -> np.ndarray:
        """Draw scores from the chosen intervals."""
        low, high = self.low[chosen], self.high[chosen]
        a, b = (low - mean) / scale, (high - mean) / scale
        sign = np.where(a > 0, -1.0, 1.0)
        a, b = np.where(a > 0, -b, a), np.where(a > 0, -a, b)
        share = random.random_sample(len(mean))
        score = ndtri(ndtr(a) + share * (ndtr(b) - ndtr(a)))
        # Where all of it has the probability zero in float64, the end that is nearer.
        score = np.where(np.isfinite(score), score, b)
        return (mean + scale * sign * score).clip(low, high)


@dataclass(frozen=True)
class _Choice:
    """One of two values, or one of the columns of a group.

    Parameters
    ----------
    places : ndarray of shape (n_columns,)
        Columns of the network's view; one for two values.
    allowed : ndarray of shape (n_values,) of bool
        Which values are.
    """

    places: np.ndarray
    allowed: np.ndarray

    def logs(self, means: np.ndarray) -> np.ndarray:
        """Return log-probabilities of each value, minus infinity where it is not allowed."""
        if len(self.places) < len(self.allowed):
            means = np.column_stack([1 - means, means])
        with np.errstate(divide="ignore"):
            return np.log(np.where(self.allowed, means, 0))


@dataclass(frozen=True)
class Restriction:
    """Conditions on columns that are independent given a code, by their probabilities.

    Parameters
    ----------
    numbers : list of _Number
        Conditions on numbers.
    choices : list of _Choice
        Those on columns of few values.
    """

    numbers: list[_Number]
    choices: list[_Choice]

    @classmethod
    def of(
        cls,
        conditions: list[Condition],
        columns: Columns,
        values_of: Callable[[np.ndarray], np.ndarray],
    ) -> Self:
        """Translate conditions.

        Parameters
        ----------
        conditions : list of Condition
            On different columns.
        columns : Columns
            What the network sees.
        values_of : callable
            Gives the matrix of rows for the network's view of them. Each number rises with its
            score and depends on nothing else.

        Returns
        -------
        Restriction
            The same conditions.

        Raises
        ------
        ValueError
            If none of the numbers that a column can have meets its condition.
        """
        numbers, binary = columns.numbers.tolist(), columns.binary.tolist()
        n_plain = columns.n_outputs - sum(columns.group_sizes)
        starts = n_plain + np.cumsum([0, *columns.group_sizes])
        first_flag = len(numbers) + len(binary)
        found: list[_Number] = []
        choices: dict[int, _Choice] = {}
        ends = _scores_of(conditions, columns, values_of)
        for condition, low, high in ends:
            i = numbers.index(condition.column)
            flags = np.flatnonzero(columns.incomplete == i)
            flag = first_flag + int(flags[0]) if len(flags) else None
            found.append(_Number(i, flag, condition.missing, low, high))
        groups = [*columns.groups, *([j] for j in columns.categories)]
        for condition in conditions:
            j = condition.column
            if j in binary:
                places = np.array([len(numbers) + binary.index(j)])
                values = np.array([columns.low[j], columns.high[j]])
                choices[places[0]] = _Choice(places, condition.allows(values))
            elif j not in numbers:
                g = next(g for g, group in enumerate(groups) if j in group)
                places = np.arange(starts[g], starts[g + 1])
                allowed = condition.allows(np.arange(len(places), dtype=float))
                if g < len(columns.groups):  # of which one is 1
                    no, yes = condition.allows(np.array([0.0, 1.0]))
                    allowed = np.where(np.array(groups[g]) == j, yes, no)
                    if starts[g] in choices:
                        allowed &= choices[starts[g]].allowed
                choices[starts[g]] = _Choice(places, allowed)
        return cls(found, list(choices.values()))

    def limits(self) -> dict[int, Any]:
        """Return what cells may be, as a chain of columns takes it.

        Returns
        -------
        dict
            As for :meth:`skae.networks.ColumnChain.draw`.
        """
        numbers = {each.place: (each.low, each.high, each.missing) for each in self.numbers}
        return numbers | {int(each.places[0]): each.allowed for each in self.choices}

    def parameters(self, criterion: Any, output: Tensor) -> Tensor:
        """Return what the distributions of the restricted cells depend on.

        Parameters
        ----------
        criterion : Likelihood
            In which numbers are normal.
        output : Tensor of shape (n_codes, n_outputs)
            What the decoder gave.

        Returns
        -------
        Tensor of shape (n_codes, n_parameters)
            For each number mean, standard deviation and the probability that it is missing; then
            the probabilities of each choice.
        """
        mean = criterion.mean(output)
        parts = []
        if self.numbers:
            present = mean.clone()
            present[:, [n.flag for n in self.numbers if n.flag is not None]] = 0
            density = criterion.log_prob(output, present)  # at its top, 1 / sqrt(2 pi variance)
            for number in self.numbers:
                scale = (-density[:, number.place]).exp() / math.sqrt(2 * math.pi)
                zero = torch.zeros_like(scale)
                absent = zero if number.flag is None else mean[:, number.flag]
                parts.append(torch.stack([mean[:, number.place], scale, absent], 1))
        return torch.cat(parts + [mean[:, choice.places.tolist()] for choice in self.choices], 1)

    def _split(self, parameters: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        sizes = [3] * len(self.numbers) + [len(choice.places) for choice in self.choices]
        parts = np.split(parameters.astype(np.float64), np.cumsum(sizes)[:-1], axis=1)
        return parts[: len(self.numbers)], parts[len(self.numbers) :]

    def log_prob(self, parameters: np.ndarray) -> np.ndarray:
        """Return how probable the conditions are.

        Parameters
        ----------
        parameters : ndarray of shape (n_codes, n_parameters)
            As from :meth:`parameters`.

        Returns
        -------
        ndarray of shape (n_codes,)
            Logarithms, float64.
        """
        of_numbers, of_choices = self._split(parameters)
        total = np.zeros(len(parameters))
        for number, part in zip(self.numbers, of_numbers, strict=True):
            total += logsumexp(number.logs(*part.T), axis=1)
        for choice, means in zip(self.choices, of_choices, strict=True):
            total += logsumexp(choice.logs(means), axis=1)
        return total

    def impose(self, encoded: np.ndarray, parameters: np.ndarray, random: Any) -> None:
        """Draw the restricted cells of rows anew, so that they meet the conditions.

        Parameters
        ----------
        encoded : ndarray of shape (n_rows, n_outputs)
            Drawn rows; changed in place.
        parameters : ndarray of shape (n_rows, n_parameters)
            As from :meth:`parameters`.
        random : RandomState
            What draws.
        """
        of_numbers, of_choices = self._split(parameters)
        for number, part in zip(self.numbers, of_numbers, strict=True):
            chosen = _chosen(number.logs(*part.T), random)
            is_absent = chosen == len(number.low)
            chosen = chosen.clip(max=max(len(number.low) - 1, 0))
            if len(number.low):
                encoded[:, number.place] = number.drawn(part[:, 0], part[:, 1], chosen, random)
            if number.flag is not None:
                encoded[:, number.flag] = is_absent
        for choice, means in zip(self.choices, of_choices, strict=True):
            chosen = _chosen(choice.logs(means), random)
            ones = chosen[:, None] == np.arange(len(choice.allowed))
            encoded[:, choice.places] = ones[:, -len(choice.places) :]


def _chosen(logs: np.ndarray, random: Any) -> np.ndarray:
    """Draw positions in proportion to the exponentials of rows of numbers."""
    shares = np.exp(logs - logs.max(axis=1, keepdims=True)).cumsum(axis=1)
    return (shares <= random.random_sample((len(logs), 1)) * shares[:, -1:]).sum(axis=1)


def _scores_of(
    conditions: list[Condition],
    columns: Columns,
    values_of: Callable[[np.ndarray], np.ndarray],
) -> list[tuple[Condition, np.ndarray, np.ndarray]]:
    """Return the intervals of scores whose values meet conditions on numbers."""
    numbers = columns.numbers.tolist()
    asked = [(c, numbers.index(c.column)) for c in conditions if c.column in numbers]
    jobs = [
        (place, c.column, end, is_high)
        for c, place in asked
        for interval in c.intervals
        for end, is_high in zip(interval, (False, True), strict=True)
    ]
    if not jobs:
        return [(c, np.empty(0), np.empty(0)) for c, _ in asked]
    place, column, end, is_high = (np.array(each) for each in zip(*jobs, strict=True))
    each = np.arange(len(jobs))
    # Scores of the least and the greatest value: beyond them values don't change any more.
    outer, _ = columns.encode(np.stack([columns.low, columns.high]).astype(np.float64))
    start, stop = outer[0, place], outer[1, place]

    def is_beyond(scores: np.ndarray) -> np.ndarray:
        encoded = np.zeros((len(jobs), columns.n_outputs))
        encoded[each, place] = scores
        values = values_of(encoded)[each, column]
        return np.where(is_high, values > end, values >= end)

    below, above = start.copy(), stop.copy()  # not beyond, and beyond
    for _ in range(_HALVINGS):
        middle = below + (above - below) / 2
        beyond = is_beyond(middle)
        below, above = np.where(beyond, below, middle), np.where(beyond, middle, above)
    at_start, at_stop = is_beyond(start), is_beyond(stop)
    found = np.where(is_high, below, above)
    found = np.where(at_start, -np.inf, np.where(at_stop, found, np.inf)).reshape(-1, 2)
    result, used = [], 0
    for c, _ in asked:
        low, high = found[used : used + len(c.intervals)].T
        used += len(c.intervals)
        has_any = high - low > _LEAST_WIDTH
        if not has_any.any() and not c.missing:
            raise ValueError(
                f"{c.text} has the probability zero: no value of the column is there, or it is a "
                "single number of a column in which none occurs often; give an interval, such as "
                "(low, high)"
            )
        result.append((c, low[has_any], high[has_any]))
    return result
