"""Where to look for codes of rows that meet conditions."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.special import logsumexp
from sklearn.utils import check_random_state

from ._importance import power
from ._priors import Prior, fit_mixture

_N_CODES = 4096  # of a round
_MOST_ROUNDS = 12
_ENOUGH = 0.1  # share of the codes that an acceptable round is worth
_TEMPERED = 0.05  # the same, of what the next proposal is fitted to
_CLIPPED = 0.01  # share of the weight that may be lost to the bound
_PRIOR_SHARE = 0.5
_LEAST_RATE = -20.0  # its logarithm


@dataclass
class Proposal:
    """A distribution of codes, near those that meet conditions, which covers the prior.

    A mixture of the prior and of a Gaussian, so that no weight is far above what the prior alone
    would give: a defensive mixture (Hesterberg, Technometrics 37, 1995).

    Parameters
    ----------
    prior : Prior
        The distribution of all codes.
    near : Prior or None
        One of codes near those that meet the conditions.
    log_bound : float
        Logarithm of the weight from which on a code is always taken.
    log_evidence : float
        Logarithm of the mean weight: of the probability of the conditions.
    effective_size : float
        How many independent codes those that were tried are worth.
    n_tried : int, default=0
        How many codes were tried.
    random_state : int, RandomState instance or None, default=None
        Draws the samples.
    """

    prior: Prior
    near: Prior | None = None
    log_bound: float = 0.0
    log_evidence: float = 0.0
    effective_size: float = 0.0
    n_tried: int = 0
    random_state: Any = None

    @classmethod
    def adapted(
        cls,
        prior: Prior,
        log_prob: Callable[[np.ndarray], np.ndarray],
        random: np.random.RandomState,
    ) -> Self:
        """Find out where codes are that meet conditions.

        Each round fits a Gaussian to the codes of the one before, weighted by as high a power of
        their weights as leaves enough of them, until the weights themselves do: the cross-entropy
        method (Rubinstein, Methodology and Computing in Applied Probability 1, 1999).

        Parameters
        ----------
        prior : Prior
            The distribution of all codes.
        log_prob : callable
            Gives the logarithms of the probability of the conditions given codes.
        random : RandomState
            Draws codes.

        Returns
        -------
        Proposal
            The best one.
        """
        proposal = best = cls(prior)
        for n_rounds in range(1, _MOST_ROUNDS + 1):
            proposal.random_state = random
            Z, _ = proposal.sample(_N_CODES)
            log_weights = log_prob(Z) + proposal.log_ratios(Z)
            proposal.judge(log_weights)
            if proposal.effective_size > best.effective_size:
                best = proposal
            best.n_tried = n_rounds * _N_CODES
            if proposal.effective_size >= _ENOUGH * _N_CODES or not np.isfinite(log_weights).any():
                break
            exponent = power(log_weights[:, None], _TEMPERED * _N_CODES)
            weights = np.exp(exponent * (log_weights - log_weights.max()))
            chosen = random.choice(len(Z), len(Z), p=weights / weights.sum())
            proposal = cls(prior, fit_mixture(Z[chosen], 1, 0))
        return best

    def judge(self, log_weights: np.ndarray) -> None:
        """Learn the bound, and what the weights say of the conditions and of the proposal.

        Parameters
        ----------
        log_weights : ndarray of shape (n_samples,)
            Logarithms of the weights of what it draws.
        """
        total = logsumexp(log_weights)
        self.log_evidence = total - np.log(len(log_weights))
        if total == -np.inf:
            self.effective_size = 0.0
            return
        shares = np.exp(log_weights - total)
        self.effective_size = 1 / np.square(shares).sum()
        ordered = np.sort(shares)[::-1]
        lost = np.cumsum(ordered) - ordered * np.arange(1, len(ordered) + 1)
        self.log_bound = np.log(ordered[np.searchsorted(lost, _CLIPPED, side="right") - 1]) + total

    @property
    def rate(self) -> float:
        """About which share of the codes is taken."""
        return float(np.exp(np.clip(self.log_evidence - self.log_bound, _LEAST_RATE, 0.0)))

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
        if self.near is None:
            return _sampled(self.prior, n_samples, random), None
        is_of_prior = random.random_sample(n_samples) < _PRIOR_SHARE
        parts = []
        for each, is_of_each in ((self.prior, is_of_prior), (self.near, ~is_of_prior)):
            if n := np.count_nonzero(is_of_each):
                parts.append(_sampled(each, n, random))
        codes = np.concatenate(parts)
        return codes[np.argsort(np.argsort(~is_of_prior, kind="stable"), kind="stable")], None

    def log_ratios(self, Z: np.ndarray) -> np.ndarray:
        """Return how much denser codes lie in the prior.

        Parameters
        ----------
        Z : ndarray of shape (n_samples, n_components)
            Codes.

        Returns
        -------
        ndarray of shape (n_samples,)
            Logarithms.
        """
        if self.near is None:
            return np.zeros(len(Z))
        excess = self.near.score_samples(Z) - self.prior.score_samples(Z)
        return -np.logaddexp(np.log(_PRIOR_SHARE), np.log1p(-_PRIOR_SHARE) + excess)


def _sampled(prior: Any, n: int, random: np.random.RandomState) -> np.ndarray:
    prior = copy.copy(prior)
    prior.random_state = random
    return random.permutation(prior.sample(n)[0])
