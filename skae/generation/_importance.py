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
