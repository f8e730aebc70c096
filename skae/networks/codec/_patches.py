"""Images as patches that overlap, and back."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class LappedPatches(nn.Module):
    """Patches after an orthogonal transform across their borders.

    So they hold something of their neighbours, as in a lapped transform (Malvar & Staelin, 1989;
    Tran et al., 2003), and the borders do not show in images that are put together from them.

    Parameters
    ----------
    patch_shape : tuple of two ints
        Height and width of a patch.
    """

    across_rows: Tensor
    across_columns: Tensor

    def __init__(self, patch_shape: Sequence[int]) -> None:
        super().__init__()
        self.patch_shape = patch_shape
        across = [_across_border(length) for length in patch_shape]
        self.register_buffer("across_rows", across[0], persistent=False)
        self.register_buffer("across_columns", across[1], persistent=False)

    def patches(self, x: Tensor) -> Tensor:
        """Cut images into overlapping patches.

        Parameters
        ----------
        x : Tensor of shape (n_images, height, width, channels)
            Images, of whole patches.

        Returns
        -------
        Tensor of shape (n_images, rows, columns, n_values)
            Patches.
        """
        n, height, width, channels = x.shape
        ph, pw = self.patch_shape
        x = _mixed(_mixed(x, 1, self.across_rows), 2, self.across_columns)
        x = x.reshape(n, height // ph, ph, width // pw, pw, channels)
        return x.movedim(3, 2).flatten(3)

    def images(self, patches: Tensor) -> Tensor:
        """Put patches together.

        Parameters
        ----------
        patches : Tensor of shape (n_images, rows, columns, n_values)
            Patches.

        Returns
        -------
        Tensor of shape (n_images, height, width, channels)
            Images.
        """
        n, rows, columns = patches.shape[:3]
        ph, pw = self.patch_shape
        x = patches.reshape(n, rows, columns, ph, pw, -1).movedim(2, 3)
        x = x.reshape(n, rows * ph, columns * pw, -1)
        return _mixed(_mixed(x, 1, self.across_rows.T), 2, self.across_columns.T)


def _across_border(length: int) -> Tensor:
    """Return the orthogonal matrix that acts on `length` values, half of them on each side.

    It leaves sums of opposite values as they are, and turns their differences by two cosine
    transforms (Tran, Liang & Tu, IEEE Transactions on Signal Processing 2003).
    """
    half = length // 2
    i, scale = torch.arange(half, dtype=torch.float64), (2 / max(half, 1)) ** 0.5
    second = scale * torch.cos(math.pi / max(half, 1) * i[:, None] * (i + 0.5))
    second[:1] /= 2**0.5
    fourth = scale * torch.cos(math.pi / max(half, 1) * (i[:, None] + 0.5) * (i + 0.5))
    one = torch.eye(half, dtype=torch.float64)
    butterfly = torch.cat([torch.cat([one, one.flip(0)], 1), torch.cat([one.flip(0), -one], 1)])
    turned = torch.block_diag(one, (second.T @ fourth).flip(0, 1))
    matrix = torch.eye(length, dtype=torch.float64)
    matrix[: 2 * half, : 2 * half] = butterfly @ turned @ butterfly / 2
    return matrix.float()


def _mixed(x: Tensor, dim: int, matrix: Tensor) -> Tensor:
    """Apply a matrix across all borders of patches along one dimension."""
    length = len(matrix)
    half, n_borders = length // 2, x.shape[dim] // length - 1
    if not half or n_borders < 1:
        return x
    first, inside, last = x.split([length - half, n_borders * length, half], dim)
    inside = inside.unflatten(dim, (n_borders, length))
    inside = torch.tensordot(inside, matrix, ([dim + 1], [1])).movedim(-1, dim + 1)
    return torch.cat([first, inside.flatten(dim, dim + 1), last], dim)
