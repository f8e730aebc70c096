"""Columns of a table as a network likes them, and the way back."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from numbers import Real
from typing import Any, Self

import numpy as np

from .._plain import Part, registered
from .._weights import row_hashes
from ..losses import BernoulliLikelihood, GaussianLikelihood
from ..training._nested import check_nested_names
from ._kinds import (
    decimals_of,
    looked_at,
    means_and_unit,
    one_hot_groups,
    share_a_range,
    with_weights,
)
from ._normal_scores import NormalScores
from ._seen_values import SeenValues, levels_of

_FEWEST_PIXELS = 64
_LEAST_VARIANCE = 1e-3  # of columns that have variance 1
_MOST_BY_CHANCE = 0.02  # share of new rows that may be drawn again without harm to any share


@registered
class Columns:
    """What kinds of columns a matrix has, the network's view of them, and their likelihood.

    Parameters
    ----------
    names : list
        Names of the columns, for messages.
    low, high : ndarray of shape (n_columns,)
        Least and greatest training value of each.
    scale : {"normal_scores", "range", "unit", None}
        How the network sees numbers that are not binary.
    numbers : ndarray of int
        Positions of these.
    scores : list of NormalScores
        One for each of them, with "normal_scores".
    offset : ndarray of shape (n_numbers,)
        What is subtracted from them, if there are no normal scores.
    factor : float
        What they are divided by.
    binary : ndarray of int
        Positions of columns of two values or one.
    levels : SeenValues
        The values of these.
    groups : list of list of int
        Positions of neighbouring columns of which exactly one is 1.
    categories : dict of int to int
        Columns that hold the numbers of categories, and how many there are.
    incomplete : ndarray of int
        Numbers that training rows lacked: the network sees zeros, and more columns that say so.
    n_rows : int or float
        Number of training rows, or the sum of their weights.
    hashes : ndarray of uint64
        Of the training rows that occur once, sorted; none where rows can't be told apart.
    decimals : ndarray of int
        How many the training values of numbers have after the point, -1 where these are more than
        six; empty if nobody looked.
    """

    names: list
    low: np.ndarray
    high: np.ndarray
    scale: str | None
    numbers: np.ndarray
    scores: list[NormalScores]
    offset: np.ndarray
    factor: float
    binary: np.ndarray
    levels: SeenValues
    groups: list[list[int]]
    categories: dict[int, int]
    incomplete: np.ndarray
    n_rows: float
    hashes: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint64))
    decimals: np.ndarray = field(default_factory=lambda: np.empty(0, int))

    @classmethod
    def of(
        cls,
        X: np.ndarray,
        n_categories: Mapping[int, int],
        scale: str | None,
        is_mixed: bool,
        names: Sequence[Any] | None = None,
        weights: np.ndarray | None = None,
    ) -> Self:
        """Learn what columns there are.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_columns)
            Training data.
        n_categories : mapping of int to int
            Columns that hold the numbers of categories, and how many there are.
        scale : {"auto", "normal_scores", "range", "unit", None}
            What to do with numbers that are not binary: put all into [0, 1] together by "range",
            centre them and divide all by the root of their mean variance by "unit".
        is_mixed : bool
            Whether binary columns are told from others.
        names : sequence or None, default=None
            Names of the columns, for messages; None takes their positions.
        weights : ndarray of shape (n_samples,) or None, default=None
            How often each row counts; None for once.

        Returns
        -------
        Columns
            The columns; no training rows are remembered.
        """
        names = list(range(X.shape[1]) if names is None else names)
        low, high, is_incomplete, is_binary = looked_at(X, names)
        is_category = np.isin(range(X.shape[1]), list(n_categories))
        is_binary &= ~is_category & is_mixed
        is_number = ~is_category & ~is_binary
        if is_incomplete.any() and (scale == "range" or not is_mixed):
            choice = "scale='range'" if is_mixed else "this likelihood"
            raise ValueError(
                f"Input X contains NaN in column {names[is_incomplete.argmax()]!r}, and {choice} "
                "can't learn missing numbers: replace them, or leave likelihood and scale 'auto'"
            )
        if scale == "auto":
            is_wide = X.shape[1] >= _FEWEST_PIXELS and not is_incomplete.any()
            together = is_wide and share_a_range(low[is_number], high[is_number])
            scale = "range" if together else "normal_scores"
        if scale == "range" and is_number.any():  # pixels of the margin may have one value or two
            is_number |= is_binary
            is_binary &= ~is_number
        numbers, binary = np.flatnonzero(is_number), np.flatnonzero(is_binary)
        offset, factor = np.zeros(len(numbers)), 1.0
        if scale == "range" and len(numbers):
            offset += low[is_number].min()
            factor = float(high[is_number].max() - offset[0]) or 1.0
        elif scale == "unit" and len(numbers):
            offset, factor = means_and_unit(X, numbers, weights)
        scored = numbers if scale == "normal_scores" else ()
        groups = one_hot_groups(X, binary)
        binary = np.setdiff1d(binary, [j for group in groups for j in group])
        return cls(
            names=names,
            low=low,
            high=high,
            scale=scale,
            numbers=numbers,
            scores=[NormalScores.of(*with_weights(X[:, j], weights)) for j in scored],
            offset=offset,
            factor=factor,
            binary=binary,
            levels=levels_of(X, binary, low, high, weights),
            groups=groups,
            categories=dict(n_categories),
            incomplete=np.flatnonzero(is_incomplete[numbers]),
            n_rows=len(X) if weights is None else float(weights.sum()),
            decimals=np.array([decimals_of(X[:, j]) for j in scored], dtype=int),
        )

    @property
    def are_pixels(self) -> bool:
        """Whether the numbers were scaled together."""
        return self.scale == "range"

    @property
    def group_sizes(self) -> list[int]:
        """Widths of the groups of columns, of which one is 1, that the network sees."""
        return [len(group) for group in self.groups] + list(self.categories.values())

    @property
    def n_outputs(self) -> int:
        """Number of columns that the network sees."""
        return self._n_plain + sum(self.group_sizes)

    @property
    def _n_plain(self) -> int:
        """Number of columns before the groups."""
        return len(self.numbers) + len(self.binary) + len(self.incomplete)

    @property
    def has_ties(self) -> bool:
        """Whether some values stand for intervals of scores."""
        return any(len(scores.atoms) for scores in self.scores)

    def encode(
        self, X: np.ndarray, positions: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the network's view of rows.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_columns)
            Rows.
        positions : ndarray of shape (n_samples or 1, n_numbers) or None, default=None
            Where in their intervals the scores of frequent values lie, from 0 to 1; None takes the
            middle.

        Returns
        -------
        encoded : ndarray of shape (n_samples, n_outputs)
            Numbers, then binary columns, then which of the incomplete numbers are missing, then
            groups of columns of which one is 1.
        log_volume : ndarray of shape (n_samples,)
            What to add to the log-density of `encoded` to get that of `X`. A cell that is missing
            where none was in training, a category that is new, and a group of which not exactly one
            column is 1, count as events that have not been seen.
        """
        m, place = len(self.numbers), self._n_plain - len(self.incomplete)
        out = np.empty((len(X), self.n_outputs), dtype=X.dtype)
        missing = np.isnan(X)
        if is_missing := missing.any():
            X = np.where(missing, self.low, X)
        logs = self._encode_numbers(X, positions, out)
        if is_missing:
            out[:, :m][missing[:, self.numbers]] = 0
            logs[missing[:, self.numbers]] = 0
        log_volume = logs.sum(axis=1)
        is_upper = self._is_upper(X, self.binary)
        out[:, m:place] = is_upper
        n_values = 1 + (self.low < self.high)[self.binary]
        nearest = np.cumsum(n_values) - n_values + is_upper
        log_volume += self.levels.log_share(X[:, self.binary], nearest).sum(axis=1)
        out[:, place : self._n_plain] = expected = missing[:, self.numbers[self.incomplete]]
        n_unexpected = missing.sum(axis=1) - expected.sum(axis=1)
        place = self._n_plain
        for group in self.groups:
            ones = X[:, group]
            chosen = ones.argmax(axis=1, keepdims=True) == np.arange(len(group))
            out[:, place : place + len(group)] = chosen
            n_unexpected += (chosen != ones).any(axis=1)
            place += len(group)
        for j, size in self.categories.items():
            out[:, place : place + size] = (X[:, [j]] == np.arange(size)) & ~missing[:, [j]]
            place += size
        return out, log_volume - n_unexpected * math.log(2 * self.n_rows + 2)

    def _encode_numbers(
        self, X: np.ndarray, positions: np.ndarray | None, out: np.ndarray
    ) -> np.ndarray:
        """Fill in the first columns, and return their logarithms of volumes."""
        m = len(self.numbers)
        if self.scale != "normal_scores":
            out[:, :m] = (X[:, self.numbers].astype(np.float64) - self.offset) / self.factor
            return np.full((len(X), m), -math.log(self.factor))
        logs = np.empty((len(X), m))
        for i, (j, scores) in enumerate(zip(self.numbers, self.scores, strict=True)):
            position = 0.5 if positions is None else positions[:, i]
            out[:, i], logs[:, i] = scores.forward(X[:, j].astype(np.float64), position)
        return logs

    def _is_upper(self, X: np.ndarray, columns: Any) -> np.ndarray:
        """Tell where binary columns have their upper value, or are nearer to it."""
        low, high = self.low[columns], self.high[columns]
        return (low < high) & (low / 2 + high / 2 < X[:, columns])

    def decode(self, encoded: np.ndarray) -> np.ndarray:
        """Return the rows that the network's view of them stands for.

        Parameters
        ----------
        encoded : ndarray of shape (n_samples, n_outputs)
            As from :meth:`encode`; probabilities in place of zeros and ones are fine.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
            Rows in float64; probabilities become the values between those of a binary column,
            categories the likeliest one, and numbers NaN where that is likelier than a number.
        """
        encoded = encoded.astype(np.float64, copy=False)
        X = np.empty((len(encoded), len(self.low)))
        m = len(self.numbers)
        if self.scale == "normal_scores":
            for i, (j, scores) in enumerate(zip(self.numbers, self.scores, strict=True)):
                X[:, j] = scores.inverse(encoded[:, i])
        else:
            X[:, self.numbers] = encoded[:, :m] * self.factor + self.offset
        place, incomplete = self._n_plain, self.numbers[self.incomplete]
        n_before = place - len(incomplete)
        is_missing = encoded[:, n_before:place] > 0.5
        X[:, incomplete] = np.where(is_missing, np.nan, X[:, incomplete])
        for columns, end in [(self.binary, n_before), *self._group_ends(place)]:
            part = encoded[:, end - len(columns) : end]
            X[:, columns] = self.low[columns] * (1 - part) + self.high[columns] * part
        place += sum(len(group) for group in self.groups)
        for j, size in self.categories.items():
            X[:, j] = encoded[:, place : place + size].argmax(axis=1)
            place += size
        return X

    def _group_ends(self, place: int) -> list[tuple[Any, int]]:
        ends = place + np.cumsum([len(group) for group in self.groups], dtype=int)
        return list(zip(self.groups, ends, strict=True))

    def likelihood(self, given: Mapping[str, Any] | None = None, per_feature: bool = True) -> Part:
        """Return the likelihood that suits the columns.

        Parameters
        ----------
        given : mapping or None, default=None
            Parameters of the Gaussian part that were chosen otherwise.
        per_feature : bool, default=True
            Whether numbers of a table have variances of their own.

        Returns
        -------
        Part
            The likelihood.
        """
        m, b = len(self.numbers), len(self.binary)
        numbers = _likelihood_of_numbers(self, dict(given or {}), per_feature)
        sizes = {"sizes": self.group_sizes, "may_be_empty": True}
        end = self._n_plain
        complete = np.setdiff1d(np.arange(m), self.incomplete).tolist()
        incomplete = [*self.incomplete.tolist(), *range(m + b, end)]
        kinds = [
            (numbers, complete),
            (Part("losses", "IncompleteLikelihood", {"likelihood": numbers}), incomplete),
            (Part("losses", "BernoulliLikelihood", {}), list(range(m, m + b))),
            (Part("losses", "CategoricalLikelihood", sizes), list(range(end, self.n_outputs))),
        ]
        parts = [(part, columns) for part, columns in kinds if columns]
        if len(parts) == 1 and not self.group_sizes and not incomplete:
            return parts[0][0]
        return Part("losses", "ColumnLikelihoods", {"parts": parts})

    def remembering(self, X: np.ndarray) -> Self:
        """Return the same columns, which know the training rows, where these can be told apart.

        A row that occurs once belongs to somebody, one that occurs several times to nobody. But
        where a table has few different rows, many a new one equals one that occurs once, by chance.
        The share that does is about that of the training rows that occur twice (Good, Biometrika
        40, 1953, equation 2). Above two per cent, and for images, no rows are remembered.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_columns)
            All training rows.

        Returns
        -------
        Columns
            A copy.
        """
        hashes, counts = np.unique(row_hashes(X[:0] if self.are_pixels else X), return_counts=True)
        by_chance = 2 * np.count_nonzero(counts == 2) / len(X)
        return replace(self, hashes=hashes[(counts == 1) & (by_chance <= _MOST_BY_CHANCE)])

    def seen(self, X: np.ndarray) -> np.ndarray:
        """Tell which rows equal a training row that is remembered.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_columns)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,) of bool
            Whether they do.
        """
        hashes = row_hashes(X)
        if not len(self.hashes):
            return np.zeros(len(X), dtype=bool)
        place = np.searchsorted(self.hashes, hashes).clip(max=len(self.hashes) - 1)
        return self.hashes[place] == hashes


def _likelihood_of_numbers(columns: Columns, given: dict[str, Any], per_feature: bool) -> Part:
    """Return the Gaussian part of a likelihood."""
    is_used = len(columns.numbers) > 0
    check_nested_names("criterion", given, GaussianLikelihood if is_used else BernoulliLikelihood)
    if given and not is_used:
        raise ValueError(
            f"criterion__{min(given)} is for numbers, but X has binary columns and categories"
        )
    gaussian: dict[str, Any] = {"per_feature": per_feature}
    if columns.are_pixels:
        gaussian = {"bounds": (0.0, 1.0)}
    elif columns.scale == "normal_scores":
        gaussian["least_variance"] = _LEAST_VARIANCE
    elif columns.scale == "unit":  # what is given is in the units of the data
        squares = {"variance", "least_variance"}
        for name in squares & {n for n, value in given.items() if isinstance(value, Real)}:
            given[name] = given[name] / columns.factor**2
    return Part("losses", "GaussianLikelihood", gaussian | given)
