"""Log-densities of codes under fitted priors, on the device where the codes are."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor

from ._local import with_density
from ._priors import NormalPrior

Densities = Callable[[Tensor], Tensor]


def class_densities(priors: Sequence[Any]) -> Densities:
    """Return a function that gives the log-densities of codes under some priors.

    Parameters
    ----------
    priors : sequence of Prior
        The priors.

    Returns
    -------
    callable
        Takes codes, a tensor of shape (n_codes, n_components), and returns their log-densities in
        nats, float64 and on the CPU, of shape (n_codes, n_priors).
    """
    functions = [_densities(prior) for prior in priors]
    return lambda z: torch.stack([f(_wide(z)).cpu() for f in functions], dim=1)


def _wide(z: Tensor) -> Tensor:
    return (z.cpu() if z.device.type == "mps" else z).double()  # mps has no float64


def _densities(prior: Any) -> Densities:
    prior = with_density(prior)
    if isinstance(prior, GaussianMixture):
        return _of_mixture(prior)
    if isinstance(prior, NormalPrior):
        return lambda z: -0.5 * (z.square().sum(1) + z.shape[1] * math.log(2 * math.pi))
    return lambda z: torch.from_numpy(prior.score_samples(z.cpu().numpy()))


def _of_mixture(mixture: GaussianMixture) -> Densities:
    """Return the log-densities of a mixture: of all Gaussians by one product of matrices.

    The exponents are quadratic in the codes, so that they are linear in these and their products.
    """
    center = torch.from_numpy(np.mean(mixture.means_, axis=0, dtype=np.float64))
    means = torch.from_numpy(np.array(mixture.means_, np.float64)) - center
    roots = torch.from_numpy(np.array(mixture.precisions_cholesky_, np.float64))
    n, k = means.shape
    roots = roots.expand(n, k, k)
    precisions = roots @ roots.mT
    linear = (precisions @ means.unsqueeze(-1)).squeeze(-1)
    constant = torch.from_numpy(np.log(np.array(mixture.weights_, np.float64)))
    constant = constant + roots.diagonal(dim1=1, dim2=2).log().sum(1)
    constant = constant - 0.5 * (linear * means).sum(1) - 0.5 * k * math.log(2 * math.pi)
    i, j = torch.triu_indices(k, k, device="cpu")
    squares = -precisions[:, i, j] * torch.where(i == j, 0.5, 1.0)
    factors = torch.cat([squares, linear], dim=1).T.contiguous()

    def densities(z: Tensor) -> Tensor:
        z = z - center.to(z.device)
        products = torch.cat([z[:, i.to(z.device)] * z[:, j.to(z.device)], z], dim=1)
        return torch.addmm(constant.to(z.device), products, factors.to(z.device)).logsumexp(1)

    return densities
