"""Components of equal variance, told apart by their direction."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

_RATIO = 1.3  # of variances that count as equal: turning such a pair costs .01 bits at most
_LEAST = 0.05  # of what two components have in common; less is left as it is
_N_SWEEPS = 3


def oriented(basis: Tensor, covariance: Tensor, patch_shape: Sequence[int]) -> Tensor:
    """Turn pairs of principal components, so that each varies along rows or along columns.

    Where horizontal and vertical details are about equally frequent, any rotation of them has as
    good variances. Those that are not mixed are better told from their neighbours.

    Parameters
    ----------
    basis : Tensor of float64 of shape (n_values, n_components)
        Principal components of patches.
    covariance : Tensor of float64 of shape (n_values, n_values)
        That of the values.
    patch_shape : sequence of two ints
        Height and width of a patch; its channels come last.

    Returns
    -------
    Tensor of float64 of shape (n_values, n_components)
        Orthonormal, sorted by variance, the largest first.
    """
    n, k = patch_shape[0] * patch_shape[1], basis.shape[1]
    pixels = np.eye(n).reshape(n, *patch_shape)
    along = [np.diff(pixels, axis=axis).reshape(n, -1) for axis in (2, 1)]
    both = [np.kron(x @ x.T, np.eye(len(basis) // n)) for x in along]
    vectors = basis.cpu().numpy().T.copy()
    variances = np.einsum("ki,ij,kj->k", vectors, covariance.cpu().numpy(), vectors)
    difference = vectors @ (both[0] - both[1]) @ vectors.T
    slopes = np.sqrt(np.einsum("ki,ij,kj->k", vectors, both[0] + both[1], vectors))
    for _ in range(_N_SWEEPS):
        for i in range(k):
            for j in range(i + 1, k):
                if variances[i] > _RATIO * variances[j]:
                    break  # those that follow have smaller ones
                mixed = difference[i, j]
                if abs(mixed) <= _LEAST * slopes[i] * slopes[j]:
                    continue
                apart = difference[i, i] - difference[j, j]
                angle = 0.5 * np.arctan2(np.copysign(1, apart) * 2 * mixed, abs(apart))
                c, s = np.cos(angle), np.sin(angle)
                turn, pair = np.array([[c, s], [-s, c]]), [i, j]
                vectors[pair] = turn @ vectors[pair]
                difference[pair] = turn @ difference[pair]
                difference[:, pair] = difference[:, pair] @ turn.T
    turned = torch.from_numpy(vectors.T).to(basis)
    order = (turned * (covariance @ turned)).sum(0).argsort(descending=True, stable=True)
    return turned[:, order]
