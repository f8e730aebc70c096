"""Images as principal components of their patches, and back."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ._patches import LappedPatches


class PatchTransform(nn.Module):
    """Principal components of overlapping patches.

    Parameters
    ----------
    patch_shape : tuple of two ints
        Height and width of a patch.
    n_values : int
        Number of values of a patch.
    n_components : int
        Number of principal components.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, patch_shape: Sequence[int], n_values: int, n_components: int) -> None:
        super().__init__()
        self.lapped = LappedPatches(patch_shape)
        self.register_buffer("mean", torch.zeros(n_values))
        self.register_buffer("spread", torch.ones(n_components))
        self.analysis = nn.Parameter(torch.eye(n_values, n_components))
        self.synthesis = nn.Parameter(torch.eye(n_components, n_values))

    def components(self, x: Tensor) -> Tensor:
        """Return the principal components of images.

        Parameters
        ----------
        x : Tensor of shape (n_images, height, width, channels)
            Images.

        Returns
        -------
        Tensor of shape (n_images, rows, columns, n_components)
            Principal components, in the units of the images.
        """
        return (self.lapped.patches(x) - self.mean) @ self.analysis

    def images(self, y: Tensor) -> Tensor:
        """Return the images that have some principal components.

        Parameters
        ----------
        y : Tensor of shape (n_images, rows, columns, n_components)
            Principal components.

        Returns
        -------
        Tensor of shape (n_images, height, width, channels)
            Images.
        """
        return self.lapped.images(y @ self.synthesis + self.mean)

    def differences(self, y: Tensor) -> Tensor:
        """Return by how much images differ for differences of principal components."""
        return self.lapped.images(y @ self.synthesis)

    @torch.no_grad()
    def fit(self, x: Tensor) -> None:
        """Set mean, basis, and how widely the components are spread.

        Parameters
        ----------
        x : Tensor of shape (n_images, height, width, channels)
            Training images.
        """
        flat = self.lapped.patches(x).flatten(0, 2)
        mean = flat.mean(0, dtype=torch.float64)
        flat = flat - mean.to(x)
        variances, vectors = torch.linalg.eigh((flat.T @ flat).double() / len(flat))
        k = len(self.spread)
        basis = vectors.flip(1)[:, :k].to(x)
        self.mean.copy_(mean)
        self.spread.copy_(variances.flip(0)[:k].clamp(min=1).sqrt())
        self.analysis.copy_(basis)
        self.synthesis.copy_(basis.T)
