"""Columns of a table as a network likes them, and the way back."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import ndtri

from ..losses import (
    BernoulliLikelihood,
    CategoricalLikelihood,
    ColumnLikelihoods,
    GaussianLikelihood,
    Likelihood,
)
from ..training import check_nested_names

_FEWEST_PIXELS = 64
_LEAST_TIES, _LEAST_SHARE_OF_TIES = 10, 0.01
_ROWS_PER_KNOT, _MOST_KNOTS = 50, 500
_IS_NORMAL = 0.998
_RESOLUTION = 1e-6  # of values, the training rows may have had another precision
_LEAST_VARIANCE = 1e-3  # of columns that have variance 1


class NormalScores:
    """A column made normal by its own distribution, and back.

    Values that occur often (all of them in a column of whole numbers, the cap of a capped one) own
    an interval of scores as wide as their share says; between other values scores are interpolated.
    Beyond the training values they go on as a line. A column that is nearly normal is only centred
    and scaled.

    Parameters
    ----------
    x : ndarray of shape (n_samples,)
        The training values.
    """

    def __init__(self, x: np.ndarray) -> None:
        values, counts = np.unique(x, return_counts=True)
        n, ends = len(x), np.cumsum(counts)
        self.low, self.high = values[0], values[-1]
        self.mean, self.slope = x.mean(), 1 / x.std()  # beyond the training values

        def share(rank: np.ndarray) -> np.ndarray:
            return rank.clip(0.5, n - 0.5) / n

        self.is_discrete = len(values) <= n / 2
        least = 1 if self.is_discrete else max(_LEAST_TIES, _LEAST_SHARE_OF_TIES * n)
        tied = counts >= least
        self.atoms = values[tied]
        self.starts, self.stops = share((ends - counts)[tied]), share(ends[tied])
        middles = ndtri(share(ends - counts / 2))
        standardized = (np.repeat(values, counts) - self.mean) * self.slope
        likeness = np.mean(np.repeat(middles, counts) * standardized)
        self.is_normal = not tied.any() and likeness > _IS_NORMAL
        free = np.flatnonzero(~tied)
        n_knots = min(_MOST_KNOTS, 10 + n // _ROWS_PER_KNOT, len(free))
        chosen = free[np.unique(np.linspace(0, len(free) - 1, n_knots).round().astype(int))]
        knots = np.concatenate([values[chosen], self.atoms, self.atoms])
        scores = np.concatenate([middles[chosen], ndtri(self.starts), ndtri(self.stops)])
        order = np.lexsort([scores, knots])
        self.knots, self.knot_scores = knots[order], scores[order]

    def forward(self, x: np.ndarray, position: Any = 0.5) -> tuple[np.ndarray, np.ndarray]:
        """Return the scores of values, and the logarithm of what volumes are multiplied by.

        Parameters
        ----------
        x : ndarray of shape (n_samples,)
            Values.
        position : float or ndarray of shape (n_samples,), default=0.5
            Where in its interval, from 0 to 1, the score of a frequent value lies: which share of
            the interval's probability is to the left of it.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            About standard normal for the training values.
        log_volume : ndarray of shape (n_samples,)
            Logarithm of the derivative of the score; for a frequent value that of its share over
            the normal density at the score, which a mean over positions integrates over.
        """
        if self.is_normal:
            return (x - self.mean) * self.slope, np.full(len(x), np.log(self.slope))
        scores, log_volume = np.empty(len(x)), np.empty(len(x))
        if not self.is_discrete:
            place = np.searchsorted(self.knots, x, side="right").clip(1, len(self.knots) - 1)
            x0, u0 = self.knots[place - 1], self.knot_scores[place - 1]
            width, rise = self.knots[place] - x0, self.knot_scores[place] - u0
            below, above = x < self.knots[0], x > self.knots[-1]
            slope = np.where(below | above, self.slope, rise / np.where(width > 0, width, 1))
            x0 = np.where(above, self.knots[-1], x0)
            u0 = np.where(above, self.knot_scores[-1], u0)
            scores, log_volume = u0 + slope * (x - x0), np.log(slope.clip(min=1e-12 * self.slope))
        if len(self.atoms):
            atom = self._nearest_atom(x)
            tied = self.is_discrete | (self.atoms[atom] == x)
            start, stop = self.starts[atom], self.stops[atom]
            inside = ndtri(start + position * (stop - start))
            scores = np.where(tied, inside, scores)
            density = 0.5 * (inside**2 + np.log(2 * np.pi))
            log_volume = np.where(tied, np.log(stop - start) + density, log_volume)
        return scores, log_volume

    def _nearest_atom(self, x: np.ndarray) -> np.ndarray:
        """Return the position of the nearest value that owns an interval."""
        if len(self.atoms) == 1:
            return np.zeros(len(x), dtype=int)
        right = np.searchsorted(self.atoms, x).clip(1, len(self.atoms) - 1)
        return right - (x - self.atoms[right - 1] <= self.atoms[right] - x)

    def inverse(self, scores: np.ndarray) -> np.ndarray:
        """Return the values that scores stand for, none beyond the training values.

        Parameters
        ----------
        scores : ndarray of shape (n_samples,)
            Scores.

        Returns
        -------
        ndarray of shape (n_samples,)
            Values.
        """
        if self.is_discrete:
            return self.atoms[np.searchsorted(ndtri(self.stops[:-1]), scores)]
        if self.is_normal:
            return (self.mean + scores / self.slope).clip(self.low, self.high)
        return np.interp(scores, self.knot_scores, self.knots)


class Columns:
    """What kinds of columns a matrix has, the network's view of them, and their likelihood.

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

    Attributes
    ----------
    n_outputs : int
        Number of columns that the network sees.
    are_pixels : bool
        Whether the numbers were scaled together.
    """

    def __init__(
        self,
        X: np.ndarray,
        n_categories: Mapping[int, int],
        scale: str | None,
        is_mixed: bool,
        names: Sequence[Any] | None = None,
    ) -> None:
        self.names = list(range(X.shape[1]) if names is None else names)
        low, high = X.min(axis=0), X.max(axis=0)
        self.low, self.high = low, high
        is_category = np.isin(np.arange(X.shape[1]), list(n_categories))
        is_binary = ((low == X) | (high == X)).all(axis=0) & ~is_category & is_mixed
        is_number = ~is_category & ~is_binary
        if scale == "auto":
            together = X.shape[1] >= _FEWEST_PIXELS and _share_a_range(
                low[is_number], high[is_number]
            )
            scale = "range" if together else "normal_scores"
        self.are_pixels = scale == "range"
        if self.are_pixels and is_number.any():  # pixels of the margin may have one value or two
            is_number |= is_binary
            is_binary &= ~is_number
        self.numbers = np.flatnonzero(is_number)
        self.scale = scale
        self.offset, self.factor = 0.0, 1.0
        self.scores: list[NormalScores] = []
        if scale == "normal_scores":
            self.scores = [NormalScores(X[:, j]) for j in self.numbers]
        elif scale == "range" and len(self.numbers):
            self.offset = float(low[is_number].min())
            self.factor = float(high[is_number].max()) - self.offset or 1.0
        binary = np.flatnonzero(is_binary)
        self.groups = _one_hot_groups(X, binary)
        grouped = [j for group in self.groups for j in group]
        self.binary = np.setdiff1d(binary, grouped)
        self.categories = dict(n_categories)
        widths = [len(group) for group in self.groups] + list(self.categories.values())
        self.group_sizes = widths
        self.n_outputs = len(self.numbers) + len(self.binary) + sum(widths)
        self.n_columns = X.shape[1]
        self.has_ties = any(len(scores.atoms) for scores in self.scores)
        self.remember(X)

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
        X = np.empty((len(encoded), self.n_columns), dtype=encoded.dtype)
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

    def likelihood(self, given: Mapping[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Return the likelihood that suits the columns.

        Parameters
        ----------
        given : mapping or None, default=None
            Parameters of the Gaussian part that were chosen otherwise.

        Returns
        -------
        likelihood : class or Likelihood
            A class if it is the same for all columns.
        parameters : dict
            Parameters of the class.
        """
        m, b, given = len(self.numbers), len(self.binary), given or {}
        gaussian: dict[str, Any] = {"per_feature": True}
        if self.are_pixels:
            gaussian = {"bounds": (0.0, 1.0)}
        elif self.scale == "normal_scores":
            gaussian["least_variance"] = _LEAST_VARIANCE
        gaussian |= given
        if m == self.n_outputs:
            return GaussianLikelihood, gaussian
        if b == self.n_outputs:
            return BernoulliLikelihood, dict(given)
        parts: list[tuple[Likelihood, Sequence[int]]] = []
        check_nested_names("criterion", given, GaussianLikelihood)
        if given and not m:
            raise ValueError(
                f"criterion__{min(given)} is for numbers, but X has binary columns and categories"
            )
        if m:
            parts.append((GaussianLikelihood(**gaussian), range(m)))
        if b:
            parts.append((BernoulliLikelihood(), range(m, m + b)))
        if self.group_sizes:
            parts.append((CategoricalLikelihood(self.group_sizes), range(m + b, self.n_outputs)))
        return ColumnLikelihoods(parts), {}

    def remember(self, X: np.ndarray) -> None:
        """Note which rows are training rows, unless they are images.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_columns)
            All training rows.
        """
        self.hashes = np.unique(_hashes(X[:0] if self.are_pixels else X))

    def seen(self, X: np.ndarray) -> np.ndarray:
        """Tell which rows equal a training row.

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
    factors = np.random.default_rng(0).integers(2**63, size=X.shape[1], dtype=np.uint64)
    bits = (X.astype(np.float64) + 0.0).view(np.uint64)  # the sum makes -0.0 the same as 0.0
    bits ^= bits >> np.uint64(32)
    return (bits * (2 * factors + np.uint64(1))).sum(axis=1, dtype=np.uint64)


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
