"""Images as principal components of their patches, and back."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ._orientation import oriented
from ._parts import in_parts
from ._patches import LappedPatches

_OF_CROPS = 16  # patches: images of so many in a row are mostly crops of larger ones
_RTOL = 0.1  # directions of gray patches that known components tell less of are left out


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

    @torch.no_grad()
    def tell_gray(self, n_channels: int) -> Tensor:
        """Return which components tell of gray images, whose channels are equal.

        Parameters
        ----------
        n_channels : int
            Number of channels.

        Returns
        -------
        Tensor of bool of shape (n_components,)
            True where more than half of a component lies among the gray patches. Whole numbers
            decide, so that every machine chooses the same.
        """
        basis = (self.analysis.double() * 2**20).round().unflatten(0, (-1, n_channels))
        return 2 * basis.sum(1).square().sum(0) > n_channels * basis.square().sum((0, 1))

    def of_gray(self, y: Tensor, n_channels: int) -> Tensor:
        """Return all components of gray images, from those that tell of them.

        Parameters
        ----------
        y : Tensor of shape (n_images, rows, columns, n_components)
            Principal components, of which those that :meth:`tell_gray` names are read.
        n_channels : int
            Number of channels.

        Returns
        -------
        Tensor of shape (n_images, rows, columns, n_components)
            Principal components.
        """
        known = self.tell_gray(n_channels)
        basis, mean = self.analysis.double(), self.mean.double() @ self.analysis.double()
        # What each gray value of a patch adds to the components.
        basis = basis.unflatten(0, (-1, n_channels)).sum(1)
        others = torch.linalg.pinv(basis[:, known], rtol=_RTOL) @ basis
        return ((y[..., known] + mean[known]) @ others - mean).to(y)

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
        parts, n, sums = in_parts(x), 0, []
        for part in parts:
            flat = self._inside(part)
            n += len(flat)
            sums.append(flat.sum(0, dtype=torch.float64))
        mean = torch.stack(sums).sum(0) / n
        gram = x.new_zeros(len(self.mean), len(self.mean), dtype=torch.float64)
        for part in parts:
            flat = self._inside(part) - mean.to(x)
            gram += (flat.T @ flat).double()
        covariance = gram / n
        basis = torch.linalg.eigh(covariance)[1].flip(1)[:, : len(self.spread)]
        if n > len(x):  # patches have neighbours
            basis = oriented(basis, covariance, self.lapped.patch_shape)
        self.mean.copy_(mean)
        self.spread.copy_((basis * (covariance @ basis)).sum(0).clamp(min=1).sqrt())
        basis = basis.to(x)
        self.analysis.copy_(basis)
        self.synthesis.copy_(basis.T)

    def _inside(self, x: Tensor) -> Tensor:
        """Return patches of images, without those at borders where crops were cut."""
        patches = self.lapped.patches(x)
        for dim in (1, 2):
            if patches.shape[dim] >= _OF_CROPS:
                patches = patches.narrow(dim, 1, patches.shape[dim] - 2)
        return patches.flatten(0, 2)
