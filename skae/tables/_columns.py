"""Columns of a table as a network likes them, and the way back."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Self

import numpy as np

from .._plain import Part, registered
from ..losses import BernoulliLikelihood, GaussianLikelihood
from ..training._nested import check_nested_names
from ._normal_scores import NormalScores

_FEWEST_PIXELS = 64
_RESOLUTION = 1e-6  # of values, the training rows may have had another precision
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
    scale : {"normal_scores", "range", None}
        How the network sees numbers that are not binary.
    numbers : ndarray of int
        Positions of these.
    scores : list of NormalScores
        One for each of them, with "normal_scores".
    offset, factor : float
        Their least value and range, with "range".
    binary : ndarray of int
        Positions of columns of two values or one.
    groups : list of list of int
        Positions of neighbouring columns of which exactly one is 1.
    categories : dict of int to int
        Columns that hold the numbers of categories, and how many there are.
    hashes : ndarray of uint64
        Of the training rows that occur once, sorted; none where rows can't be told apart.
    """

    names: list
    low: np.ndarray
    high: np.ndarray
    scale: str | None
    numbers: np.ndarray
    scores: list[NormalScores]
    offset: float
    factor: float
    binary: np.ndarray
    groups: list[list[int]]
    categories: dict[int, int]
    hashes: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint64))

    @classmethod
    def of(
        cls,
        X: np.ndarray,
        n_categories: Mapping[int, int],
        scale: str | None,
        is_mixed: bool,
        names: Sequence[Any] | None = None,
    ) -> Self:
        """Learn what columns there are.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_columns)
            Training data.
        n_categories : mapping of int to int
            Columns that hold the numbers of categories, and how many there are.
        scale : {"auto", "normal_scores", "range", None}
            What to do with numbers that are not binary.
        is_mixed : bool
            Whether binary columns are told from others.
        names : sequence or None, default=None
            Names of the columns, for messages; None takes their positions.

        Returns
        -------
        Columns
            The columns; no training rows are remembered.
        """
        low, high = X.min(axis=0), X.max(axis=0)
        is_category = np.isin(np.arange(X.shape[1]), list(n_categories))
        is_binary = ((low == X) | (high == X)).all(axis=0) & ~is_category & is_mixed
        is_number = ~is_category & ~is_binary
        if scale == "auto":
            is_wide = X.shape[1] >= _FEWEST_PIXELS
            together = is_wide and _share_a_range(low[is_number], high[is_number])
            scale = "range" if together else "normal_scores"
        if scale == "range" and is_number.any():  # pixels of the margin may have one value or two
            is_number |= is_binary
            is_binary &= ~is_number
        numbers, binary = np.flatnonzero(is_number), np.flatnonzero(is_binary)
        offset, factor = 0.0, 1.0
        if scale == "range" and len(numbers):
            offset = float(low[is_number].min())
            factor = float(high[is_number].max()) - offset or 1.0
        groups = _one_hot_groups(X, binary)
        return cls(
            names=list(range(X.shape[1]) if names is None else names),
            low=low,
            high=high,
            scale=scale,
            numbers=numbers,
            scores=[NormalScores.of(X[:, j]) for j in numbers if scale == "normal_scores"],
            offset=offset,
            factor=factor,
            binary=np.setdiff1d(binary, [j for group in groups for j in group]),
            groups=groups,
            categories=dict(n_categories),
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
        return len(self.numbers) + len(self.binary) + sum(self.group_sizes)

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
            Numbers, then binary columns, then groups of columns of which one is 1.
        log_volume : ndarray of shape (n_samples,)
            What to add to the log-density of `encoded` to get that of `X`.

        Raises
        ------
        ValueError
            If a column of two values has another one.
        """
        n = len(X)
        out = np.empty((n, self.n_outputs), dtype=X.dtype)
        log_volume = np.zeros(n)
        m = len(self.numbers)
        if self.scale == "normal_scores":
            for i, (j, scores) in enumerate(zip(self.numbers, self.scores, strict=True)):
                position = 0.5 if positions is None else positions[:, i]
                out[:, i], each = scores.forward(X[:, j].astype(np.float64), position)
                log_volume += each
        else:
            out[:, :m] = (X[:, self.numbers] - self.offset) / self.factor
            log_volume -= m * math.log(self.factor)
        place = m + len(self.binary)
        out[:, m:place] = self._ones(X, self.binary)
        for group in self.groups:
            out[:, place : place + len(group)] = self._ones(X, group)
            place += len(group)
        for j, size in self.categories.items():
            out[:, place : place + size] = X[:, [j]] == np.arange(size)
            place += size
        return out, log_volume

    def _ones(self, X: np.ndarray, columns: Any) -> np.ndarray:
        """Tell where binary columns have their upper value, or other than their only one."""
        X, low, high = X[:, columns], self.low[columns], self.high[columns]
        is_upper = (low + high) / 2 < X
        distance = np.abs(X - np.where(is_upper, high, low))
        is_other = distance > _RESOLUTION * np.maximum(np.abs(low), np.abs(high))
        has_two = low < high
        if (wrong := is_other & has_two).any():
            i, j = np.argwhere(wrong)[0]
            raise ValueError(
                f"column {self.names[columns[j]]!r} has the value {X[i, j]:g}, but all training "
                f"rows had {low[j]:g} or {high[j]:g}"
            )
        return np.where(has_two, is_upper, is_other)

    def decode(self, encoded: np.ndarray) -> np.ndarray:
        """Return the rows that the network's view of them stands for.

        Parameters
        ----------
        encoded : ndarray of shape (n_samples, n_outputs)
            As from :meth:`encode`; probabilities in place of zeros and ones are fine.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
            Rows; probabilities become the values between those of a binary column, and categories
            the likeliest one.
        """
        X = np.empty((len(encoded), len(self.low)), dtype=encoded.dtype)
        m = len(self.numbers)
        if self.scale == "normal_scores":
            for i, (j, scores) in enumerate(zip(self.numbers, self.scores, strict=True)):
                X[:, j] = scores.inverse(encoded[:, i])
        else:
            X[:, self.numbers] = encoded[:, :m] * self.factor + self.offset
        place = m + len(self.binary)
        for columns, end in [(self.binary, place), *self._group_ends(place)]:
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

    def likelihood(self, given: Mapping[str, Any] | None = None) -> Part:
        """Return the likelihood that suits the columns.

        Parameters
        ----------
        given : mapping or None, default=None
            Parameters of the Gaussian part that were chosen otherwise.

        Returns
        -------
        Part
            The likelihood.
        """
        m, b, given = len(self.numbers), len(self.binary), dict(given or {})
        check_nested_names("criterion", given, GaussianLikelihood if m else BernoulliLikelihood)
        if given and not m:
            raise ValueError(
                f"criterion__{min(given)} is for numbers, but X has binary columns and categories"
            )
        gaussian: dict[str, Any] = {"per_feature": True}
        if self.are_pixels:
            gaussian = {"bounds": (0.0, 1.0)}
        elif self.scale == "normal_scores":
            gaussian["least_variance"] = _LEAST_VARIANCE
        sizes = {"sizes": self.group_sizes}
        kinds = [
            (Part("losses", "GaussianLikelihood", gaussian | given), range(m)),
            (Part("losses", "BernoulliLikelihood", {}), range(m, m + b)),
            (Part("losses", "CategoricalLikelihood", sizes), range(m + b, self.n_outputs)),
        ]
        parts = [(part, list(columns)) for part, columns in kinds if len(columns)]
        if len(parts) == 1 and not self.group_sizes:
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
        hashes, counts = np.unique(_hashes(X[:0] if self.are_pixels else X), return_counts=True)
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
        hashes = _hashes(X)
        if not len(self.hashes):
            return np.zeros(len(X), dtype=bool)
        place = np.searchsorted(self.hashes, hashes).clip(max=len(self.hashes) - 1)
        return self.hashes[place] == hashes


def _hashes(X: np.ndarray) -> np.ndarray:
    """Return a number of 64 bits for every row, the same for equal rows."""
    hashes = np.zeros(len(X), np.uint64)
    factors: Any = np.random.default_rng(0).integers(2**63, size=X.shape[1], dtype=np.uint64)
    for j in range(X.shape[1]):
        bits = (X[:, j].astype(np.float64) + 0.0).view(np.uint64)  # makes -0.0 the same as 0.0
        bits ^= bits >> np.uint64(32)
        hashes += bits * (2 * factors[j] + np.uint64(1))
    return hashes


def _share_a_range(low: np.ndarray, high: np.ndarray) -> bool:
    """Tell the columns of images from those of tables."""
    if not len(low):
        return False
    least, width = low.min(), high.max() - low.min()
    reach = (low <= least + 0.4 * width) & (high >= least + 0.6 * width)
    return bool(reach.mean() >= 0.75)


def _one_hot_groups(X: np.ndarray, binary: np.ndarray) -> list[list[int]]:
    """Return runs of neighbouring binary columns of which exactly one is 1 in every row."""
    groups: list[list[int]] = []
    run: list[int] = []
    total = np.zeros(len(X))
    for j in binary.tolist():
        column = X[:, j]
        if column.min() != 0 or column.max() != 1 or (run and j != run[-1] + 1):
            run, total = [], np.zeros(len(X))
        if column.min() != 0 or column.max() != 1:
            continue
        run.append(j)
        total = total + column
        while total.max() > 1:  # what stands left of a group is none of its columns
            total = total - X[:, run.pop(0)]
        if len(run) > 1 and total.min() == 1:
            groups.append(run)
            run, total = [], np.zeros(len(X))
    return groups
