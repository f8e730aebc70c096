"""Distributions over codes, fitted after the training of the network."""

import copy
import warnings
from typing import Any, Protocol

import numpy as np
from scipy.special import logsumexp
from sklearn import config_context
from sklearn.covariance import LedoitWolf
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.utils import check_random_state

from .._plain import registered

MOST_MIXED = 120
# Tried beside a single Gaussian: of many codes so many Gaussians, of few codes one per so many.
_NUMBERS_OF_MANY = [(20, "full"), (MOST_MIXED, "full")]
_ROWS_OF_FEW = [(60, "tied"), (90, "full"), (15, "tied")]
MOST_ROWS = 30_000
_SEARCH_ROWS = 10_000
_REG_COVAR, _LEAST_REG_COVAR = 1e-4, 1e-6
_ROW_ITERATIONS, _ITERATIONS = 100_000, (2, 100)
_RARE, _LEAST_RARE = 0.1, 5  # share of the rows, and number of them


class Prior(Protocol):
    """What a prior can do."""

    def score_samples(self, X: np.ndarray) -> np.ndarray:
        """Return log-densities of codes."""

    def sample(self, n_samples: int) -> Any:
        """Return codes, and whatever else."""


@registered
class NormalPrior:
    """The standard normal distribution, which the training assumes.

    Parameters
    ----------
    n_components : int
        Width of the code.
    random_state : int, RandomState instance or None, default=None
        Draws the samples.
    """

    n_components: int
    random_state: Any = None

    def score_samples(self, X: np.ndarray) -> np.ndarray:
        """Return log-densities.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_components)
            Codes.

        Returns
        -------
        ndarray of shape (n_samples,)
            In nats.
        """
        return -0.5 * (np.square(X).sum(axis=1) + self.n_components * np.log(2 * np.pi))

    def sample(self, n_samples: int) -> tuple[np.ndarray, None]:
        """Draw codes.

        Parameters
        ----------
        n_samples : int
            How many.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_components)
            Codes.
        labels : None
            As of :meth:`sklearn.mixture.GaussianMixture.sample`.
        """
        random = check_random_state(self.random_state)
        return random.standard_normal((n_samples, self.n_components)), None


def fit_mixture(
    Z: np.ndarray, n_components: int | str, seed: int, traits: np.ndarray | None = None
) -> GaussianMixture:
    """Fit a Gaussian mixture to codes.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, n_components)
        Codes.
    n_components : int or "auto"
        Number of Gaussians. "auto" takes the one of a few numbers up to 120 that serves held-out
        codes best.
    seed : int
        Determines where the fit starts, and which codes are held out or left out.
    traits : ndarray of shape (n_samples, n_traits) of bool or None, default=None
        What rows are: their categories. "auto" tries Gaussians that start from what is rare too,
        and takes them if they serve held-out codes as well: means over all codes don't notice what
        is special about a per cent of them.

    Returns
    -------
    GaussianMixture
        The mixture. With few codes the Gaussians may have a covariance in common, and that of a
        single one is shrunk after Ledoit & Wolf.
    """
    order = np.random.default_rng(seed).permutation(len(Z))[:MOST_ROWS]
    Z = Z[order]
    if len(Z) < _SEARCH_ROWS:  # more are worth the speed of float32
        Z = Z.astype(np.float64)
    if not isinstance(n_components, str):
        return _mixture(Z, n_components, seed)
    n = len(Z)
    is_large = n >= _SEARCH_ROWS  # the last fit is the dear one: it is not repeated
    n_valid = n // (10 if is_large else 5)
    numbers = _NUMBERS_OF_MANY if is_large else [(n // rows, kind) for rows, kind in _ROWS_OF_FEW]
    candidates: list[tuple] = [
        (1, "full"),
        *((min(most, MOST_MIXED), kind) for most, kind in numbers if most > 1),
    ]
    if len(candidates) == 1:
        return _mixture(Z, 1, seed)
    starts = [None] * len(candidates)
    shares = None if traits is None else _rare_shares(traits[order], Z.dtype)
    if shares is not None:
        candidates = [(shares.shape[1], kind) for kind in ("tied", "full")] + candidates
        starts = [shares] * 2 + starts
    mixtures = [
        _mixture(Z[n_valid:], n_each, seed, kind, None if start is None else start[n_valid:])
        for (n_each, kind), start in zip(candidates, starts, strict=True)
    ]
    scores = np.stack([mixture.score_samples(Z[:n_valid]) for mixture in mixtures])
    # Of gains that might be chance, the first candidates are the safer choice.
    losses = scores[scores.mean(axis=1).argmax()] - scores
    chosen = int(np.argmax(losses.mean(axis=1) <= losses.std(axis=1) / n_valid**0.5))
    if is_large:
        return mixtures[chosen]
    n_each, kind = candidates[chosen]
    return _mixture(Z, n_each, seed, kind, starts[chosen])


def _mixture(
    Z: np.ndarray, n: int, seed: int, kind: str = "full", shares: np.ndarray | None = None
) -> GaussianMixture:
    """Fit so many Gaussians, which may start from the shares that codes have in each."""
    if min(n, len(Z)) == 1:
        return _shrunk_gaussian(Z)
    low, high = _ITERATIONS
    mixture = GaussianMixture(
        min(n, len(Z)),
        covariance_type=kind,
        reg_covar=max(_REG_COVAR * float(Z.var(axis=0).mean()), _LEAST_REG_COVAR),
        max_iter=min(high, max(low, _ROW_ITERATIONS // len(Z))),
        random_state=seed,
        **({} if shares is None else _start(Z, shares, kind)),
    )
    # Codes are numpy arrays here, and k-means is a start that is good already.
    with config_context(array_api_dispatch=False), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            mixture.fit(Z)
        except ValueError:  # codes that are all alike
            return _shrunk_gaussian(Z)
    # Samples need covariances that are symmetric in float64.
    covariances = mixture.covariances_.astype(np.float64)
    mixture.covariances_ = (covariances + covariances.swapaxes(-1, -2)) / 2
    return mixture


def _rare_shares(traits: np.ndarray, dtype: np.dtype) -> np.ndarray | None:
    """Return the shares that rows have in each rare trait, and before these in the rest."""
    # Of two values the rarer one, once.
    traits = np.unique(np.where(traits.mean(axis=0) > 0.5, ~traits, traits), axis=1)
    counts = traits.sum(axis=0)
    rare = np.flatnonzero((counts >= _LEAST_RARE) & (counts <= _RARE * len(traits)))
    rare = rare[np.argsort(-counts[rare], kind="stable")][: MOST_MIXED - 1]
    if not len(rare):
        return None
    shares = np.column_stack([~traits[:, rare].any(axis=1), traits[:, rare]]).astype(dtype)
    return shares / shares.sum(axis=1, keepdims=True)


def _start(Z: np.ndarray, shares: np.ndarray, kind: str) -> dict[str, np.ndarray]:
    """Return where Gaussians start that have shares in codes: their covariance is that within."""
    n, k = Z.shape
    counts = shares.sum(axis=0) + 10 * np.finfo(Z.dtype).eps
    means = (shares.T @ Z) / counts[:, None]
    within = (Z.T @ Z - (means.T * counts) @ means) / n + _LEAST_REG_COVAR * np.eye(
        k, dtype=Z.dtype
    )
    precision = np.linalg.inv((within + within.T) / 2)
    precision = (precision + precision.T) / 2
    return {
        "weights_init": counts / counts.sum(),
        "means_init": means,
        "precisions_init": precision if kind == "tied" else np.tile(precision, (len(means), 1, 1)),
    }


def _shrunk_gaussian(Z: np.ndarray) -> GaussianMixture:
    """Return a mixture of one Gaussian, which may come from fewer codes than they have columns."""
    n, k = Z.shape
    mean, covariance = Z.mean(axis=0, dtype=np.float64), np.eye(k)
    if n > 1:
        estimate = LedoitWolf().fit(Z.astype(np.float64))
        covariance = (n * estimate.covariance_ + covariance) / (n + 1)
    mixture = GaussianMixture()
    mixture.weights_, mixture.means_ = np.ones(1), mean[None]
    mixture.covariances_, precision = covariance[None], np.linalg.inv(covariance)
    mixture.precisions_ = precision[None]
    mixture.precisions_cholesky_ = np.linalg.cholesky(precision)[None]
    mixture.converged_, mixture.n_iter_, mixture.n_features_in_ = True, 0, k
    return mixture


@registered
class ClassPriors:
    """A prior for each class, mixed in the proportions of the classes.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted labels.
    shares : ndarray of shape (n_classes,)
        Their proportions.
    priors : list of Prior
        One for each class.
    random_state : int, RandomState instance or None, default=None
        Draws the samples.
    """

    classes: np.ndarray
    shares: np.ndarray
    priors: list[Prior]
    random_state: Any = None

    def sample(self, n_samples: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw codes.

        Parameters
        ----------
        n_samples : int
            How many.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_components)
            Codes.
        labels : ndarray of shape (n_samples,)
            Their classes.
        """
        random = check_random_state(self.random_state)
        numbers = random.choice(len(self.classes), n_samples, p=self.shares)
        return drawn(self.priors, numbers, random), self.classes[numbers]

    def class_scores(self, X: np.ndarray) -> np.ndarray:
        """Return log-densities of codes under the prior of each class.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_components)
            Codes.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In nats.
        """
        return np.stack([prior.score_samples(X) for prior in self.priors], axis=1)

    def score_samples(self, X: np.ndarray) -> np.ndarray:
        """Return log-densities of codes.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_components)
            Codes.

        Returns
        -------
        ndarray of shape (n_samples,)
            In nats.
        """
        return logsumexp(self.class_scores(X) + np.log(self.shares), axis=1)


def drawn(priors: list[Prior], numbers: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    """Draw codes from several priors.

    Parameters
    ----------
    priors : list of Prior
        The priors.
    numbers : ndarray of shape (n_samples,)
        Which of them each code comes from.
    random : RandomState
        Draws the codes.

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        Codes.
    """
    parts, places = [], []
    for number in np.unique(numbers):
        prior: Any = copy.copy(priors[number])
        prior.random_state = random
        # A mixture gives its codes component by component.
        places.append(random.permutation(np.flatnonzero(numbers == number)))
        parts.append(prior.sample(len(places[-1]))[0])
    return np.concatenate(parts)[np.argsort(np.concatenate(places))]
