"""A column of a table made normal by its own distribution, and back."""

from typing import Any, Self

import numpy as np
from scipy.special import ndtri

from .._plain import registered
from ._kinds import mean_and_variance
from ._seen_values import SeenValues

_LEAST_TIES, _LEAST_SHARE_OF_TIES = 10, 0.01
_ROWS_PER_KNOT, _MOST_KNOTS = 50, 500
_IS_NORMAL = 0.998


@registered
class NormalScores:
    """A column made normal by its own distribution, and back.

    Values that occur often (all of them in a column of whole numbers, the cap of a capped one) own
    an interval of scores as wide as their share says; between other values scores are interpolated.
    Beyond the training values they go on as lines, which make densities fall. A column that is
    nearly normal is only centred and scaled.

    Parameters
    ----------
    low, high : float
        Least and greatest training value.
    mean, slope : float
        The mean, and one over the standard deviation.
    tails : ndarray of shape (2,)
        Slopes of the lines on which scores go on below `low` and above `high`.
    seen : SeenValues or None
        The values of a column in which all own an interval.
    is_normal : bool
        Whether the column is only centred and scaled.
    atoms : ndarray of shape (n_atoms,)
        Values that own an interval.
    starts, stops : ndarray of shape (n_atoms,)
        Where their intervals begin and end, as shares of the probability; the outermost not quite
        at its ends, where scores are infinite.
    shares : ndarray of shape (n_atoms,)
        Their shares of the training values.
    knots, knot_scores : ndarray of shape (n_knots,)
        Values and scores to interpolate between.
    """

    low: float
    high: float
    mean: float
    slope: float
    tails: np.ndarray
    seen: SeenValues | None
    is_normal: bool
    atoms: np.ndarray
    starts: np.ndarray
    stops: np.ndarray
    shares: np.ndarray
    knots: np.ndarray
    knot_scores: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, weights: np.ndarray | None = None) -> Self:
        """Learn the distribution of a column.

        Parameters
        ----------
        x : ndarray of shape (n_samples,)
            The training values, none of them missing.
        weights : ndarray of shape (n_samples,) or None, default=None
            How often each row counts; None for once.

        Returns
        -------
        NormalScores
            What turns it into a normal one.
        """
        if weights is None:
            values, counts = np.unique(x, return_counts=True)
            n, mean, deviation = len(x), x.mean(), x.std()
        else:
            values, places = np.unique(x, return_inverse=True)
            counts = np.bincount(places, weights)
            n = counts.sum()
            mean, variance = mean_and_variance(x, weights)
            deviation = variance**0.5
        ends, slope = np.cumsum(counts), 1 / (deviation or 1.0)

        def share(rank: np.ndarray) -> np.ndarray:
            return rank.clip(0.5, n - 0.5) / n

        is_discrete = len(values) <= max(n / 2, 1)
        least = 1 if is_discrete else max(_LEAST_TIES, _LEAST_SHARE_OF_TIES * n)
        tied = counts >= least
        atoms, starts, stops = values[tied], share((ends - counts)[tied]), share(ends[tied])
        middles = ndtri(share(ends - counts / 2))
        standardized = (values - mean) * slope
        if weights is None:
            likeness = np.mean(np.repeat(middles, counts) * np.repeat(standardized, counts))
        else:
            likeness = np.average(middles * standardized, weights=counts)
        is_normal = bool(not tied.any() and likeness > _IS_NORMAL)
        free = np.flatnonzero(~tied)
        n_knots = min(_MOST_KNOTS, 10 + int(n // _ROWS_PER_KNOT), len(free))
        chosen = free[np.unique(np.linspace(0, len(free) - 1, n_knots).round().astype(int))]
        knots = np.concatenate([values[chosen], atoms, atoms])
        scores = np.concatenate([middles[chosen], ndtri(starts), ndtri(stops)])
        order = np.lexsort([scores, knots])
        knots, scores = knots[order], scores[order]
        with np.errstate(divide="ignore", invalid="ignore"):  # where a value owns an interval
            outermost = (np.diff(scores) / np.diff(knots))[[0, -1]]
        return cls(
            low=values[0],
            high=values[-1],
            mean=mean,
            slope=slope,
            tails=np.where(outermost > 0, outermost, np.inf).clip(max=slope),
            seen=SeenValues.of(values, counts) if is_discrete else None,
            is_normal=is_normal,
            atoms=atoms,
            starts=starts,
            stops=stops,
            shares=counts[tied] / n,
            knots=knots,
            knot_scores=scores,
        )

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
            the normal density at the score, which a mean over positions integrates over. An unseen
            value of a column of frequent ones has a part of the share of the nearest.
        """
        if self.is_normal:
            return (x - self.mean) * self.slope, np.full(len(x), np.log(self.slope))
        scores, log_volume = np.empty(len(x)), np.empty(len(x))
        if self.seen is None:
            place = 1 + self.knots[1:-1].searchsorted(x, side="right")
            x0, u0 = self.knots[place - 1], self.knot_scores[place - 1]
            width, rise = self.knots[place] - x0, self.knot_scores[place] - u0
            below, above = x < self.knots[0], x > self.knots[-1]
            slope = rise / np.where(width > 0, width, 1)
            slope = np.where(below, self.tails[0], np.where(above, self.tails[1], slope))
            x0 = np.where(above, self.knots[-1], x0)
            u0 = np.where(above, self.knot_scores[-1], u0)
            scores = u0 + slope * (x - x0)
            log_volume = np.log(np.maximum(slope, 1e-12 * self.slope))
        if len(self.atoms):
            atom = self._nearest_atom(x)
            tied = (self.seen is not None) | (self.atoms[atom] == x)
            start, stop = self.starts[atom], self.stops[atom]
            inside = ndtri(start + position * (stop - start))
            scores = np.where(tied, inside, scores)
            density = 0.5 * (inside**2 + np.log(2 * np.pi))
            log_volume = np.where(tied, np.log(self.shares[atom]) + density, log_volume)
            if self.seen is not None:
                log_volume += self.seen.log_share(x, atom)
        return scores, log_volume

    def _nearest_atom(self, x: np.ndarray) -> np.ndarray:
        """Return the position of the nearest value that owns an interval."""
        if len(self.atoms) == 1:
            return np.zeros(len(x), dtype=int)
        right = 1 + self.atoms[1:-1].searchsorted(x)
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
        if self.seen is not None:
            return self.atoms[np.searchsorted(ndtri(self.stops[:-1]), scores)]
        if self.is_normal:
            return (self.mean + scores / self.slope).clip(self.low, self.high)
        return np.interp(scores, self.knot_scores, self.knots)
