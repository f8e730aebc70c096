"""Likelihoods of rows by importance sampling, a bounded number of codes at a time."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.stats import norm, qmc
from torch import Tensor, nn

from .._settings import inference
from ..networks import displaced
from ..training import Batch

_TAIL = 1e-6
_CELLS = 2**20  # that are computed at once
_PRIOR_EVERY = 8  # code of a row comes from the prior, if only some columns are given
_MOST_POSTERIORS = 16


@dataclass(frozen=True)
class ImportanceWeights:
    """The log of the sum of the importance weights of some codes of each row, for each class.

    Parameters
    ----------
    criterion : Likelihood
        What decoded codes are.
    class_scores : callable
        Gives the log-densities of codes, float64, in each class.
    noise : ndarray of shape (n_codes, n_components)
        Normal noise, the same for all rows.
    width : int
        How many numbers a code takes while it is decoded.
    """

    criterion: Any
    class_scores: Callable[[np.ndarray], np.ndarray]
    noise: np.ndarray
    width: int

    @property
    def n_rows(self) -> int:
        """How many rows at most to take at once."""
        return max(32, _CELLS // self.width // 32 * 32)

    def __call__(self, module: Any, batch: Batch) -> Tensor:
        """Return the logs, of shape (n_rows, n_classes) and float64."""
        x, (log_volume,) = batch.input, batch.extra
        self.criterion.check_target(x)
        mean, log_variance = module.posterior(x)
        noise = torch.from_numpy(self.noise).to(mean.device, mean.dtype).unsqueeze(1)
        logs = []
        for part in noise.split(max(1, _CELLS // (len(x) * self.width))):
            z = displaced(mean, log_variance, part)
            codes = z.flatten(0, 1)
            output = module.decode(codes).unflatten(0, z.shape[:2])
            log_prob = self.criterion.log_prob(output, x.expand(len(part), -1, -1)).sum(-1)
            log_q = -0.5 * (part.square() + log_variance + math.log(2 * math.pi)).sum(-1)
            prior = torch.from_numpy(self.class_scores(codes.cpu().double().numpy()))
            ratio = (log_prob - log_q).double().cpu()
            logs.append((ratio.unsqueeze(-1) + prior.unflatten(0, z.shape[:2])).logsumexp(0))
        return torch.stack(logs).logsumexp(0) + log_volume.cpu().unsqueeze(1)


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

    Codes of a row come from a mixture: of the prior, of the row's own posterior, and of the
    posteriors of rows that have its cells in these columns and, in the others, those of rows of a
    pool, which are chosen as their codes go with these columns.

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
        x = batch.input
        self.criterion.check_target(x)
        n_cells = max(self.pool.rows.numel(), len(self.noise) * self.width)
        size = max(1, _CELLS // n_cells)
        return torch.cat([self._logs(module, some) for some in x.split(size)])

    def _log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        return self.criterion.log_prob(output, x)[..., self.counted].sum(-1).double()

    def _logs(self, module: Any, x: Tensor) -> Tensor:
        noise = torch.from_numpy(self.noise).to(x.device, x.dtype)
        n_prior = len(noise) // _PRIOR_EVERY
        n_posteriors = min(_MOST_POSTERIORS, len(noise) - n_prior)
        mean, log_variance = module.posterior(self._completed(x, n_posteriors).flatten(0, 1))
        shape = (n_posteriors, len(x), -1)  # of one posterior after the other, for all rows
        mean, log_variance = mean.view(shape), log_variance.view(shape)
        which = torch.arange(len(noise) - n_prior) % n_posteriors
        z = displaced(mean[which], log_variance[which], noise[n_prior:].unsqueeze(1))
        own = self.pool.codes[:n_prior].unsqueeze(1).expand(-1, len(x), -1)
        z = torch.cat([own, z])
        output = module.decode(z.flatten(0, 1)).unflatten(0, z.shape[:2])
        log_prob = self._log_prob(output, x.expand(len(z), -1, -1)).cpu()
        of_classes = torch.from_numpy(self.class_scores(z.flatten(0, 1).cpu().double().numpy()))
        of_classes = of_classes.unflatten(0, z.shape[:2])
        factors = self.factors(output)
        prior = (of_classes + torch.from_numpy(self.log_shares)).logsumexp(-1)
        density = [_log_density(each, mean, log_variance) for each in z]
        share = n_prior / len(noise)
        log_q = torch.stack(density).cpu() + math.log1p(-share)
        if n_prior:
            log_q = torch.logaddexp(log_q, prior + math.log(share))
        return ((log_prob - log_q).unsqueeze(-1) + of_classes + factors).logsumexp(0)

    def _completed(self, x: Tensor, n: int) -> Tensor:
        """Return rows with their given cells, the first ones as they are."""
        pool = self.pool
        logs = self._log_prob(pool.outputs.unsqueeze(1), x.expand(len(pool.codes), -1, -1))
        ends = (logs - logs.logsumexp(0)).exp().cumsum(0).T.contiguous()
        places = (torch.arange(n - 1, device=x.device).double() + 0.5) / max(n - 1, 1)
        chosen = torch.searchsorted(ends, places.expand(len(x), -1).contiguous())
        others = pool.rows[chosen.T.clamp(max=len(pool.codes) - 1)]
        return torch.cat([x.unsqueeze(0), torch.where(self.counted, x, others)])


def _log_density(z: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the log-density of codes in the mean of some normal distributions."""
    squares = (z - mean).square() / log_variance.exp()
    logs = -0.5 * (squares + log_variance + math.log(2 * math.pi)).sum(-1)
    return logs.double().logsumexp(0) - math.log(len(mean))


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
