"""A prior of codes from many small Gaussians, each made from a few similar codes."""

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from sklearn.utils import check_random_state

from .._plain import registered
from ._priors import ClassPriors

_ROWS_OF_EACH, _N_AXES, _BORROWED = 10, 8, 1
_BATCH_SIZE, _EPOCHS = 4096, 5
_LEAST_VARIANCE = 1e-6


@registered
class LocalPrior:
    """Gaussians of the codes of a few rows each, which draw, and a mixture of fewer, which scores.

    A few rows give a mean and the main axes of a covariance. What is left of their variance is
    spread as that of all rows around their means.

    Parameters
    ----------
    mixture : GaussianMixture
        The density of codes.
    shares : ndarray of shape (n_gaussians,)
        Shares of the rows.
    means : ndarray of shape (n_gaussians, n_components)
        Means of their codes.
    axes : ndarray of shape (n_gaussians, n_axes, n_components)
        Main axes, as long as the standard deviations along them.
    rests : ndarray of shape (n_gaussians,)
        Standard deviations of the rest.
    root : ndarray of shape (n_components, n_components)
        What standard normal numbers are multiplied by to be spread as the rest is.
    random_state : int, RandomState instance or None, default=None
        Draws the samples.
    """

    mixture: Any
    shares: np.ndarray
    means: np.ndarray
    axes: np.ndarray
    rests: np.ndarray
    root: np.ndarray
    random_state: Any = None

    def score_samples(self, X: np.ndarray) -> np.ndarray:
        """Return log-densities of the mixture.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_components)
            Codes.

        Returns
        -------
        ndarray of shape (n_samples,)
            In nats.
        """
        return self.mixture.score_samples(X)

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
            Which Gaussian each is from.
        """
        random = check_random_state(self.random_state)
        labels = random.choice(len(self.shares), n_samples, p=self.shares)
        along = random.standard_normal((n_samples, 1, self.axes.shape[1]))
        rest = random.standard_normal((n_samples, len(self.root))) @ self.root
        own = (along @ self.axes[labels])[:, 0] + self.rests[labels, None] * rest
        return self.means[labels] + own, labels


def fit_local(Z: np.ndarray, mixture: Any, seed: int) -> LocalPrior:
    """Fit a Gaussian per ten codes.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, n_components)
        Codes.
    mixture : GaussianMixture
        Their density.
    seed : int
        Determines which codes go together.

    Returns
    -------
    LocalPrior
        The prior.
    """
    n, k = Z.shape
    n_gaussians = max(1, n // _ROWS_OF_EACH)
    means = MiniBatchKMeans(
        n_gaussians, n_init=1, batch_size=_BATCH_SIZE, max_iter=_EPOCHS, random_state=seed
    ).fit(Z.astype(np.float32))
    counts = np.bincount(means.labels_, minlength=n_gaussians)
    parts = np.split(Z[np.argsort(means.labels_, kind="stable")], np.cumsum(counts)[:-1])
    parts = [part.astype(np.float64) for part in parts if len(part)]
    centres = np.stack([part.mean(axis=0) for part in parts])
    axes = np.zeros((len(parts), min(_N_AXES, k), k))
    rests, within = np.zeros(len(parts)), _LEAST_VARIANCE * np.eye(k)
    for i, part in enumerate(parts):
        residual = (part - centres[i]) / len(part) ** 0.5
        within += residual.T @ residual * (len(part) / n)
        _, lengths, directions = np.linalg.svd(residual, full_matrices=False)
        own = (lengths[:, None] * directions)[: axes.shape[1]]
        axes[i, : len(own)] = own
        rests[i] = np.square(lengths[axes.shape[1] :]).sum()
    # As if each had one more row, spread as all are: a lone row is not to be drawn again.
    counts = counts[counts > 0]
    kept = counts / (counts + _BORROWED)
    rests = (kept * rests + (1 - kept) * np.trace(within)) ** 0.5
    axes *= kept[:, None, None] ** 0.5
    root = np.linalg.cholesky(within / np.trace(within)).T
    return LocalPrior(mixture, counts / n, centres, axes.astype(np.float32), rests, root)


def with_density(prior: Any) -> Any:
    """Return a prior that draws what its densities say: importance sampling needs both.

    Parameters
    ----------
    prior : Prior
        Any.

    Returns
    -------
    Prior
        The same, or the mixture of a `LocalPrior`.
    """
    if isinstance(prior, ClassPriors):
        return replace(prior, priors=[with_density(each) for each in prior.priors])
    return prior.mixture if isinstance(prior, LocalPrior) else prior
