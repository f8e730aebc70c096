"""Likelihoods of rows by importance sampling, a bounded number of codes at a time."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from scipy.special import logsumexp
from scipy.stats import norm, qmc
from torch import Tensor, nn
from torch.distributions import MultivariateNormal

from .._settings import ROW_MULTIPLE, inference, whole_rows
from ..networks import displaced
from ..training import Batch

_TAIL = 1e-6
_CELLS = 2**20  # that are computed at once
# If only some columns are given, codes of a row come from so many posteriors,
_POSTERIORS = 16
_COMPLETED = 64  # of so many rows with the same given cells,
_LIKE = 16  # chosen as if so many of the pool were like the row.
_WIDER = 1.2  # than what they say, as what is too narrow is worse
_GOLDEN = (5**0.5 - 1) / 2
_HALVINGS = 30


@dataclass(frozen=True)
class ImportanceWeights:
    """The log of the sum of the importance weights of some codes of each row, for each class.

    Parameters
    ----------
    criterion : Likelihood
        What decoded codes are.
    class_scores : callable
        Gives the log-densities of codes, float64 and on the CPU, in each class.
    noise : ndarray of shape (n_codes, n_components)
        Normal noise, the same for all rows.
    width : int
        How many numbers a code takes while it is decoded.
    """

    criterion: Any
    class_scores: Callable[[Tensor], Tensor]
    noise: np.ndarray
    width: int

    @property
    def n_rows(self) -> int:
        """How many rows at most to take at once."""
        return whole_rows(_CELLS // self.width)

    def __call__(self, module: Any, batch: Batch) -> Tensor:
        """Return the logs, of shape (n_rows, n_classes) and float64."""
        self.criterion.check_target(batch.input)
        n_own = self._n_decoded(len(batch) - batch.n_padding)
        x, log_volume, mean, log_variance = (
            each[:n_own] for each in (batch.input, *batch.extra, *module.posterior(batch.input))
        )
        noise = torch.from_numpy(self.noise).to(mean.device, mean.dtype).unsqueeze(1)
        logs = []
        for part in noise.split(max(1, _CELLS // (len(x) * self.width))):
            z = displaced(mean, log_variance, part)
            codes = z.flatten(0, 1)
            output = module.decode(codes).unflatten(0, z.shape[:2])
            log_prob = self.criterion.log_prob(output, x.expand(len(part), -1, -1)).sum(-1)
            log_q = -0.5 * (part.square() + log_variance + math.log(2 * math.pi)).sum(-1)
            prior = self.class_scores(codes)
            ratio = (log_prob - log_q).double().cpu()
            logs.append((ratio.unsqueeze(-1) + prior.unflatten(0, z.shape[:2])).logsumexp(0))
        return torch.stack(logs).logsumexp(0) + log_volume.cpu().unsqueeze(1)

    def _n_decoded(self, n_rows: int) -> int:
        """Return for how many rows to decode codes, so that the codes make whole batches."""
        step = ROW_MULTIPLE // math.gcd(ROW_MULTIPLE, len(self.noise))
        return -(-n_rows // step) * step


@dataclass(frozen=True)
class Pool:
    """Rows that the generator has drawn, all of which serve all rows.

    Parameters
    ----------
    codes : Tensor of shape (n_drawn, n_components)
        Codes from the prior.
    outputs : Tensor of shape (n_drawn, n_outputs)
        What the decoder makes of them.
    rows : Tensor of shape (n_drawn, n_features)
        Rows drawn from that.
    """

    codes: Tensor
    outputs: Tensor
    rows: Tensor


@dataclass(frozen=True)
class MarginalWeights(ImportanceWeights):
    """The same, of the likelihood of some columns.

    Codes of a row come from a mixture: of the prior, in a pool for all rows; of the posteriors of
    the row itself and of others that have its cells in these columns, and elsewhere those of rows
    of the pool that are like it; and of the normal distribution with the mean and covariance of
    these posteriors.

    Parameters
    ----------
    counted : Tensor of shape (n_features,) of bool
        Columns of the network's view that are given.
    pool : Pool
        Drawn rows.
    factors : callable
        Gives for outputs of the decoder, in each class, what the weights of rows by their other
        columns change in the logarithm of the likelihood.
    log_shares : ndarray of shape (n_classes,)
        Logarithms of the shares of the classes.
    """

    counted: Tensor
    pool: Pool
    factors: Callable[[Tensor], Tensor]
    log_shares: np.ndarray

    def __call__(self, module: Any, batch: Batch) -> Tensor:
        """Return the logs, of shape (n_rows, n_classes) and float64."""
        x, pool = batch.input, self.pool
        self.criterion.check_target(x)
        of_pool = self._of_codes(pool.codes), self.factors(pool.outputs)
        n_cells = max(pool.rows.numel(), len(self.noise) * self.width)
        size = max(1, _CELLS // n_cells)
        return torch.cat([self._logs(module, some, of_pool) for some in x.split(size)])

    def _of_codes(self, z: Tensor) -> Tensor:
        """Return log-densities of codes in each class."""
        return self.class_scores(z.flatten(0, -2)).unflatten(0, z.shape[:-1])

    def _log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        return self.criterion.log_prob(output, x)[..., self.counted].sum(-1).double().cpu()

    def _logs(self, module: Any, x: Tensor, of_pool: tuple[Tensor, Tensor]) -> Tensor:
        pool, n_drawn, n = self.pool, len(self.pool.codes), len(self.noise)
        noise = torch.from_numpy(self.noise).to(x.device, x.dtype)
        likelihoods = self._log_prob(pool.outputs.unsqueeze(1), x.expand(n_drawn, -1, -1))
        completed = self._completed(x, likelihoods.numpy())
        mean, log_variance = module.posterior(completed.flatten(0, 1))
        shape = (_COMPLETED, len(x), -1)  # of one posterior after the other, for all rows
        mean, log_variance = mean.view(shape), log_variance.view(shape)
        normal, of_normal = _moments(mean, log_variance), noise[: n // 2]
        which = torch.arange(n - n // 2) % _POSTERIORS
        drawn = [
            normal.loc + torch.einsum("rij,nj->nri", normal.scale_tril, of_normal),
            displaced(mean[which], log_variance[which], noise[n // 2 :].unsqueeze(1)),
        ]
        z = torch.cat(drawn)
        output = module.decode(z.flatten(0, 1)).unflatten(0, z.shape[:2])
        log_prob = self._log_prob(output, x.expand(n, -1, -1))
        every = torch.cat([pool.codes.unsqueeze(1).expand(-1, len(x), -1), z])
        of_classes, factors = (
            torch.cat([each.unsqueeze(1).expand(-1, len(x), -1), new])
            for each, new in zip(of_pool, (self._of_codes(z), self.factors(output)), strict=True)
        )
        log_q = torch.stack(
            [
                (of_classes + torch.from_numpy(self.log_shares)).logsumexp(-1),
                normal.log_prob(every).double().cpu(),
                _log_density(every, mean[which], log_variance[which]).cpu(),
            ]
        )
        counts = torch.tensor([n_drawn, n // 2, n - n // 2]).double()
        log_q = (log_q + counts.log()[:, None, None]).logsumexp(0)
        ratios = torch.cat([likelihoods, log_prob]) - log_q
        return (ratios.unsqueeze(-1) + of_classes + factors).logsumexp(0) + math.log(n)

    def _completed(self, x: Tensor, likelihoods: np.ndarray) -> Tensor:
        """Return rows with their given cells, the first ones as they are."""
        n, rows = _COMPLETED - 1, self.pool.rows
        logs = power(likelihoods, _LIKE) * likelihoods
        ends = np.exp(logs - logsumexp(logs, axis=0)).cumsum(axis=0)
        places = (np.arange(n) + 0.5) / n
        chosen = np.stack([np.searchsorted(end, places) for end in ends.T], axis=1)
        # The first few have posteriors of their own, and are to stand for all.
        chosen = chosen[np.argsort(np.arange(n) * _GOLDEN % 1)].clip(max=len(rows) - 1)
        others = rows[torch.from_numpy(chosen).to(x.device)]
        return torch.cat([x.unsqueeze(0), torch.where(self.counted, x, others)])


def _log_density(z: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the log-density of codes in the mean of some normal distributions for each row."""
    z, mean = z.double().transpose(0, 1), mean.double().movedim(0, -1)
    log_variance = log_variance.double().movedim(0, -1)
    precision = (-log_variance).exp()
    squares = z.square() @ precision - 2 * z @ (mean * precision)
    constant = (mean.square() * precision + log_variance + math.log(2 * math.pi)).sum(1)
    logs = -0.5 * (squares + constant.unsqueeze(1))
    return (logs.logsumexp(-1) - math.log(mean.shape[-1])).T


def power(log_weights: np.ndarray, least: float) -> np.ndarray:
    """Return the highest power, at most 1, of weights that are worth so many equal ones.

    Parameters
    ----------
    log_weights : ndarray of shape (n_weights, n_sets)
        Logarithms of sets of weights; minus infinity for zero.
    least : float
        The effective sample size that the powers of the weights of a set shall have.

    Returns
    -------
    ndarray of shape (n_sets,)
        The powers.
    """
    logs = np.where(np.isfinite(log_weights), log_weights, -1e300)
    low, high = np.zeros(logs.shape[1]), np.ones(logs.shape[1])
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        sizes = 2 * logsumexp(middle * logs, axis=0) - logsumexp(2 * middle * logs, axis=0)
        is_enough = sizes >= math.log(least)
        low, high = np.where(is_enough, middle, low), np.where(is_enough, high, middle)
    return low


def _moments(mean: Tensor, log_variance: Tensor) -> MultivariateNormal:
    """Return the normal distribution with the moments of the mean of some for each row."""
    n, k = len(mean), mean.shape[-1]
    center = mean.mean(0)
    deviations = (mean - center).movedim(0, -1)
    between = deviations @ deviations.mT / n
    variances = log_variance.exp().mean(0)
    # Of few codes, covariances are noise, and variances are less so.
    kept = n**2 / (n**2 + k**2)
    covariance = kept * between + torch.diag_embed(
        (1 - kept) * between.diagonal(dim1=-2, dim2=-1) + variances
    )
    tril = torch.linalg.cholesky(_WIDER * covariance)
    return MultivariateNormal(center, scale_tril=tril, validate_args=False)


def spread_noise(n_samples: int, n_components: int) -> np.ndarray:
    """Return normal noise that fills space more evenly than random numbers, always the same.

    Parameters
    ----------
    n_samples, n_components : int
        How much.

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        Points of a Sobol sequence.
    """
    return _spread_noise(n_samples, n_components).copy()


@lru_cache(maxsize=4)
def _spread_noise(n_samples: int, n_components: int) -> np.ndarray:
    n_bits = math.ceil(math.log2(n_samples))
    points = qmc.Sobol(n_components, rng=0).random_base2(n_bits)[:n_samples]
    return norm.ppf(points.clip(_TAIL, 1 - _TAIL))


def decoding_width(module: Any, x: Tensor) -> int:
    """Return how many numbers the widest layer makes of a code.

    Parameters
    ----------
    module : nn.Module
        Has ``encode(x)`` and ``decode(z)``. No other thread may use it meanwhile.
    x : Tensor of shape (n_samples, n_features)
        Some rows.

    Returns
    -------
    int
        At least the number of columns of the code and of what is decoded.
    """
    widths = []

    def note(layer: nn.Module, inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            widths.append(output.numel() // len(x))

    with inference():
        code = module.encode(x)
        hooks = [layer.register_forward_hook(note) for layer in module.modules()]
        try:
            output = module.decode(code)
        finally:
            for hook in hooks:
                hook.remove()
    return max([*widths, code.shape[1], output.shape[1]])
