"""Draws of values with given probabilities, and probabilities that add up to given shares."""

import math

import torch
from torch import Tensor

_MOST_SHIFT = 3.0  # what is twenty times too rare can't be mended
_LEAST_SHARE = 1e-5
_ROUNDS = 50


def spread_choices(probs: Tensor, generator: torch.Generator) -> Tensor:
    """Draw one of some values for each row, so that values come up about as often as expected.

    Each row has its own probabilities exactly, but rows are not independent. Those of like
    probabilities form strata, as many as each has rows, in which places in the distributions are
    evenly spread. So a value is drawn almost as often as its probabilities add up to, and little
    more or less often by chance: of 4,000 rows with probabilities of one half, the standard
    deviation of the number is about 4 instead of 32.

    Parameters
    ----------
    probs : Tensor of shape (n_samples, n_values)
        Probabilities, which add up to one.
    generator : torch.Generator
        The only source of randomness.

    Returns
    -------
    Tensor of shape (n_samples,) of int64
        Which value each row has.
    """
    n, device = len(probs), probs.device
    ends = probs.double().cumsum(1)
    order = torch.randperm(n, generator=generator, device=device)  # of what is alike
    order = order[ends[:, :-1].sum(1)[order].argsort(stable=True)]
    size = math.isqrt(n - 1) + 1 if n else 1
    rank = torch.arange(n, device=device)
    stratum = rank // size
    shuffled = (stratum + _places(n, generator, device)).argsort()
    n_own = (n - stratum * size).clamp(max=size)
    places = torch.empty_like(ends[:, -1])
    places[order[shuffled]] = (rank % size + _places(n, generator, device)) / n_own
    chosen = torch.searchsorted(ends, (places * ends[:, -1]).unsqueeze(1), right=True)[:, 0]
    last = (probs > 0).long().cumsum(1).argmax(1)  # what is rounded up to 1 is still possible
    return torch.minimum(chosen, last)


def _places(n: int, generator: torch.Generator, device: torch.device) -> Tensor:
    return torch.rand(n, dtype=torch.float64, generator=generator, device=device)


def shift_to_shares(logits: Tensor, shares: Tensor) -> Tensor:
    """Return what to add to log-odds, so that probabilities have a certain mean.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, n_values)
        Logarithms of probabilities, up to a constant for each row. A single column holds the
        log-odds of one of two values.
    shares : Tensor of shape (n_values,)
        The mean.

    Returns
    -------
    Tensor of shape (n_values,)
        At most 3 and at least -3; the mean is as near to the shares as that allows.
    """
    if len(shares) == 1:
        both = torch.cat([torch.zeros_like(logits), logits], 1)
        low, high = shift_to_shares(both, torch.cat([1 - shares, shares]))
        return (high - low).unsqueeze(0)
    logs = shares.clamp(min=_LEAST_SHARE).log()
    shift = torch.zeros_like(logs)
    for _ in range(_ROUNDS):
        means = (logits + shift).softmax(1).mean(0).clamp(min=_LEAST_SHARE)
        shift = (shift + logs - means.log()).clamp(-_MOST_SHIFT, _MOST_SHIFT)
    return shift
