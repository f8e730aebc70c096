"""Mixtures of logistic distributions: densities, probabilities of intervals, and draws."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ._draws import spread_choices

_LOG_SCALE = (-6.0, 3.0)
_TINY = 1e-7
_FAR = 1e3  # a number beyond all others


def mixture(parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return logarithms of shares, means, and logarithms of scales.

    Parameters
    ----------
    parameters : Tensor of shape (..., 3 * n_logistics)
        What a network gave.

    Returns
    -------
    log_shares, means, log_scales : Tensor of shape (..., n_logistics)
        The mixture.
    """
    shares, mean, log_scale = parameters.unflatten(-1, (3, -1)).unbind(-2)
    return shares.log_softmax(-1), mean, log_scale.clamp(*_LOG_SCALE)


def log_density(parameters: Tensor, x: Tensor) -> Tensor:
    """Return log-densities.

    Parameters
    ----------
    parameters : Tensor of shape (..., 3 * n_logistics)
        As for :func:`mixture`.
    x : Tensor of shape (...)
        Numbers.

    Returns
    -------
    Tensor of shape (...)
        In nats.
    """
    log_shares, mean, log_scale = mixture(parameters)
    z = (x.unsqueeze(-1) - mean) * (-log_scale).exp()
    return (log_shares + F.logsigmoid(z) + F.logsigmoid(-z) - log_scale).logsumexp(-1)


def log_inside(parameters: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Return the log-probabilities of intervals in each of the logistic distributions, shared.

    Parameters
    ----------
    parameters : Tensor of shape (..., 3 * n_logistics)
        As for :func:`mixture`.
    low, high : Tensor of shape (..., n_intervals)
        Their ends, finite.

    Returns
    -------
    Tensor of shape (..., n_intervals, n_logistics)
        Their :func:`torch.logsumexp` over the last axis is the log-probability of an interval.
    """
    log_shares, mean, log_scale = (each.unsqueeze(-2) for each in mixture(parameters))
    inverse = (-log_scale).exp()
    a, b = (low.unsqueeze(-1) - mean) * inverse, (high.unsqueeze(-1) - mean) * inverse
    width = (b - a).clamp(min=_TINY)
    return log_shares + F.logsigmoid(b) + F.logsigmoid(-a) + (-torch.expm1(-width)).log()


def draw_number(
    parameters: Tensor,
    absent: Tensor,
    spikes: tuple[Tensor, Tensor, Tensor],
    generator: torch.Generator,
    limits: Any = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw numbers, some of which are spikes, and some missing.

    Parameters
    ----------
    parameters : Tensor of shape (n_samples, 3 * n_logistics)
        As for :func:`mixture`.
    absent : Tensor of shape (n_samples, 1)
        Log-odds of being missing.
    spikes : tuple of Tensors of shapes (n_samples,), (n_samples, n_spikes) and (n_spikes,)
        Logarithms of the probabilities that a number comes from the mixture, and that it is one of
        the spikes; and these.
    generator : torch.Generator
        The only source of randomness.
    limits : tuple or None, default=None
        Lower and upper ends of intervals, arrays of shape (n_intervals,), and whether a number may
        be missing; None allows all.

    Returns
    -------
    x : Tensor of shape (n_samples,)
        Numbers.
    missing : Tensor of shape (n_samples,) of bool
        Which of them are missing.
    log_probs : Tensor of shape (n_samples,)
        Logarithm of the probability of the limits.
    """
    low, high, may_be_missing = ([-_FAR], [_FAR], True) if limits is None else limits
    low, high = (torch.as_tensor(np.clip(end, -_FAR, _FAR)).to(parameters) for end in (low, high))
    log_body, log_spikes, places = spikes
    inside = log_inside(parameters, low, high).flatten(1) + log_body.unsqueeze(1)
    allowed = ((low.unsqueeze(1) <= places) & (places <= high.unsqueeze(1))).any(0)
    present = torch.cat([inside, log_spikes.masked_fill(~allowed, -math.inf)], 1)
    log_absent = F.logsigmoid(absent).masked_fill(torch.tensor(not may_be_missing), -math.inf)
    logs, log_probs = limited(torch.cat([present + F.logsigmoid(-absent), log_absent], 1))
    chosen = spread_choices(logs.exp(), generator)
    missing = chosen == logs.shape[1] - 1
    if not len(low):
        return torch.zeros_like(log_probs), missing, log_probs
    n_inside = inside.shape[1]
    x = draw_inside(parameters, low, high, torch.where(chosen < n_inside, chosen, 0), generator)
    if len(places):
        spike = (chosen - n_inside).clamp(0, len(places) - 1)
        x = torch.where((chosen >= n_inside) & ~missing, places[spike], x)
    return x, missing, log_probs


def draw_inside(
    parameters: Tensor, low: Tensor, high: Tensor, chosen: Tensor, generator: torch.Generator
) -> Tensor:
    """Draw numbers from intervals.

    Parameters
    ----------
    parameters : Tensor of shape (n_samples, 3 * n_logistics)
        As for :func:`mixture`.
    low, high : Tensor of shape (n_intervals,)
        Ends of the intervals, finite.
    chosen : Tensor of shape (n_samples,) of int64
        From which interval, and which logistic distribution in it, each number comes: a position in
        what :func:`log_inside` gives, flattened.
    generator : torch.Generator
        The only source of randomness.

    Returns
    -------
    Tensor of shape (n_samples,)
        Numbers.
    """
    _, means, log_scales = mixture(parameters)
    which = (chosen % means.shape[1]).unsqueeze(1)
    low, high = (end[chosen // means.shape[1]] for end in (low, high))
    mean, scale = means.gather(1, which)[:, 0], log_scales.gather(1, which)[:, 0].exp()
    a, b = (low - mean) / scale, (high - mean) / scale
    # On the right, probabilities are so near to 1 that they have no digits: take the mirror image.
    sign = torch.where(a > 0, -1.0, 1.0)
    a, b = torch.where(a > 0, -b, a).sigmoid(), torch.where(a > 0, -a, b).sigmoid()
    place = torch.rand(len(mean), dtype=mean.dtype, generator=generator, device=mean.device)
    score = mean + scale * sign * torch.logit(a + place * (b - a))
    return torch.minimum(torch.maximum(score.nan_to_num(), low), high)


def limited(logs: Tensor, allowed: Any = None) -> tuple[Tensor, Tensor]:
    """Return log-probabilities given what is allowed, and that of being allowed.

    Parameters
    ----------
    logs : Tensor of shape (n_samples, n_values)
        Log-probabilities of values.
    allowed : sequence of bool or None, default=None
        Which values are; None for all.

    Returns
    -------
    logs : Tensor of shape (n_samples, n_values)
        Log-probabilities that add up to one; where nothing is possible, all values are alike.
    log_total : Tensor of shape (n_samples,)
        Logarithm of what they added up to.
    """
    if allowed is not None:
        logs = logs.masked_fill(~torch.as_tensor(allowed, device=logs.device), -math.inf)
    total = logs.logsumexp(1, keepdim=True)
    return torch.where(total > -math.inf, logs - total, torch.zeros_like(logs)), total[:, 0]


def slices(sizes: Sequence[int]) -> list[slice]:
    """Return where parts of given sizes are that follow each other.

    Parameters
    ----------
    sizes : sequence of int
        Their sizes.

    Returns
    -------
    list of slice
        Their places.
    """
    ends = torch.tensor([0, *sizes], device="cpu").cumsum(0).tolist()
    return [slice(start, stop) for start, stop in pairwise(ends)]
