"""A mixture of normal distributions of patches, and what it lets expect of noisy ones."""

import torch
from torch import Tensor, nn

_MOST_PATCHES, _N_STEPS, _CHUNK = 50_000, 12, 4096
_ORDINARY = 1.0  # patches in every dimension, of common shape, that each part is learned with
_LEAST = 1e-9  # of variances, in shares of the largest; of weights


class PatchMixture(nn.Module):
    """Parts that differ in the directions in which patches vary, as edges and textures do.

    Patches are normal given their part. Of a noisy patch, the expected clean one is the mean of the
    parts' Wiener filters, weighted by the probability of each part given the patch (Zoran and
    Weiss, "From learning models of natural image patches to whole image restoration", ICCV 2011).

    Parameters
    ----------
    n_parts : int
        Number of parts.
    n_features : int
        Number of components of a patch.
    """

    weights: Tensor
    variances: Tensor
    axes: Tensor

    def __init__(self, n_parts: int, n_features: int) -> None:
        super().__init__()
        self.register_buffer("weights", torch.full((n_parts,), 1 / n_parts))
        self.register_buffer("variances", torch.ones(n_parts, n_features))
        self.register_buffer("axes", torch.eye(n_features).repeat(n_parts, 1, 1))

    @torch.no_grad()
    def initialize(self, patches: Tensor, noise: float = 0.0) -> None:
        """Learn the parts by expectation maximisation, in which each patch has one part.

        Parameters
        ----------
        patches : Tensor of shape (n_patches, n_features)
            Principal components of patches, with mean zero.
        noise : float, default=0
            Variance of white noise in them.
        """
        x = patches[:: max(1, len(patches) // _MOST_PATCHES)].double()
        common = x.square().mean(0)
        common = common.clamp(min=_LEAST * max(common.max().item(), _LEAST))
        part = _first_parts(x / common.sqrt(), len(self.weights))
        for _ in range(_N_STEPS):
            weights, values, axes = self._parts(x, part, common)
            # In single precision: all that counts is which part is the largest.
            roots = (axes / values.sqrt()[:, None]).float()
            offset = weights.log() - values.log().sum(1) / 2
            chunks = []
            for rows in x.float().split(_CHUNK):
                squares = [(rows @ root).square().sum(1) for root in roots]
                chunks.append((offset.float() - torch.stack(squares, 1) / 2).argmax(1))
            part = torch.cat(chunks)
        weights, values, axes = self._parts(x, part, common)
        self.weights.copy_(weights)
        self.variances.copy_((values - noise).clamp(min=_LEAST * values.max().item()))
        self.axes.copy_(axes)

    def _parts(self, x: Tensor, part: Tensor, common: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return weights, variances and axes of the parts, each of which has some patches."""
        n_ordinary, scatters, counts = _ORDINARY * x.shape[1], [], []
        for k in range(len(self.weights)):
            rows = x[part == k]
            scatter, n = rows.T @ rows, len(rows)
            # A common shape, of the contrast that the part has.
            contrast = (scatter.diagonal() / common).mean() / max(n, 1)
            shape = torch.diag(contrast.clamp(min=_LEAST) * common)
            scatters.append((scatter + n_ordinary * shape) / (n + n_ordinary))
            counts.append(n + 1)
        values, axes = torch.linalg.eigh(torch.stack(scatters))
        weights = torch.tensor(counts, dtype=x.dtype)
        return weights / weights.sum(), values.clamp(min=_LEAST * common.max().item()), axes

    def forward(self, patches: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return the expected clean patches.

        Parameters
        ----------
        patches : Tensor of shape (n_images, n_patches, n_features)
            Components of noisy patches.
        noise : Tensor of shape (n_images, 1, 1)
            Variance of their noise.

        Returns
        -------
        patches : Tensor of shape (n_images, n_patches, n_features)
            Clean ones.
        errors : Tensor of shape (n_images, n_patches, 1)
            Squared errors that are expected to be left, summed over components.
        """
        best = torch.full_like(patches[:, :, :1], -torch.inf)
        share, error, mean = torch.zeros_like(best), torch.zeros_like(best), patches * 0
        for weight, variances, axes in zip(self.weights, self.variances, self.axes, strict=True):
            sums = variances + noise
            # The inverse of the covariance of noisy patches gives both likelihoods and means.
            whitened = patches @ ((axes / sums) @ axes.T)
            evidence = weight.log() - sums.log().sum(2, keepdim=True) / 2
            evidence = evidence - (whitened * patches).sum(2, keepdim=True) / 2
            before, best = best, torch.maximum(best, evidence)
            kept, new = (before - best).exp(), (evidence - best).exp()
            left = (variances * noise / sums).sum(2, keepdim=True)
            share, error = share * kept + new, error * kept + new * left
            mean = torch.addcmul(mean * kept, new, whitened)
        return patches - noise * mean / share, error / share


def _first_parts(x: Tensor, n_parts: int) -> Tensor:
    """Return which part each patch belongs to at first: that of the most similar of a few."""
    x = x / x.square().sum(1, keepdim=True).sqrt().clamp(min=1e-30)
    generator = torch.Generator().manual_seed(0)
    few = x[torch.randperm(len(x), generator=generator)[:n_parts]]
    return (x @ few.T).abs().argmax(1)
