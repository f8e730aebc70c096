"""What images look like to their neighbours: how strong their edges are, by direction and place."""

import math
from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .._plain import registered
from .._shapes import ImageShape
from ._views import SMALL, like, padded

_N_DIRECTIONS = 8
_MOST_PLACES = 7  # along each side
_AT_ONCE = 64  # images


@registered
class OrientedGradients:
    """Features of images: their gradients, by direction, in overlapping windows on a grid.

    As in HOG (Dalal & Triggs, CVPR 2005), with the roots of histograms, and with Gaussian windows.
    Small shifts, and how light an image is, change them little.

    Parameters
    ----------
    layout : tuple of int
        Shape of an image before it was flattened.
    channels_last : bool
        Whether its last axis is that of the channels.
    center : ndarray of shape (n_features,)
        What was subtracted from flattened images.
    rows, columns : ndarray of shape (n_places, side)
        Weights of pixels along each side; those of a window add up to 1.
    level : float
        Gradients are divided by their mean in the window and this.
    """

    layout: tuple[int, int, int]
    channels_last: bool
    center: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    level: float

    @classmethod
    def of(cls, X: np.ndarray, shape: ImageShape, center: np.ndarray) -> Self:
        """Learn how strong gradients are.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Scaled training images without NaN.
        shape : ImageShape
            Their shape.
        center : ndarray of shape (n_features,)
            What was subtracted from them.

        Returns
        -------
        OrientedGradients
            The features.
        """
        rows, columns = (_windows(side) for side in shape[1:])
        features = cls(shape.layout, shape.channels_last, center, rows, columns, 0.0)
        sums = [
            _magnitudes(*_slopes(features._images(torch.from_numpy(part)))).double().sum()
            for part in np.array_split(X, math.ceil(len(X) / _AT_ONCE))
        ]
        features.level = max(float(sum(sums)) / X.size / 2, SMALL)
        return features

    def _images(self, x: Tensor) -> Tensor:
        """Return flattened images as they were before, channels first."""
        images = (x + like(self.center, x)).view(-1, *self.layout)
        return images.movedim(-1, 1) if self.channels_last else images

    def __call__(self, x: Tensor) -> Tensor:
        """Return the features of flattened images.

        Parameters
        ----------
        x : Tensor of shape (n_images, n_features)
            Scaled images.

        Returns
        -------
        Tensor of shape (n_images, n_channels * 8 * n_places)
            At least 0.
        """
        rows, columns = like(self.rows, x), like(self.columns, x)
        parts = [
            oriented(self._images(padded(part)), rows, columns, self.level)[: len(part)]
            for part in x.split(_AT_ONCE)
        ]
        return torch.cat(parts)

    def over_pixels(self, cells: Tensor) -> Tensor:
        """Return what features add to something as what pixels do, by the windows they are in."""
        n_channels = self.layout[-1 if self.channels_last else 0]
        sizes = n_channels, _N_DIRECTIONS, len(self.rows), len(self.columns)
        windows = padded(cells).unflatten(1, sizes).sum(2)
        pixels = like(self.rows, cells).T @ windows @ like(self.columns, cells)
        pixels = pixels.movedim(1, -1) if self.channels_last else pixels
        return pixels.flatten(1)[: len(cells)]


def oriented(images: Tensor, rows: Tensor, columns: Tensor, level: float) -> Tensor:
    """Return the features of images.

    Parameters
    ----------
    images : Tensor of shape (n_images, n_channels, height, width)
        Images; products are the same for a multiple of 32.
    rows, columns : Tensor of shape (n_places, side)
        Weights of pixels in windows.
    level : float
        What mean gradients in windows are compared with.

    Returns
    -------
    Tensor of shape (n_images, n_channels * 8 * n_places)
        The features.
    """
    down, right = _slopes(images)
    strength = _magnitudes(down, right)
    angles = [2 * math.pi * i / _N_DIRECTIONS for i in range(_N_DIRECTIONS)]
    along = torch.stack([math.cos(a) * right + math.sin(a) * down for a in angles], dim=2)
    # Multiplied by the squared cosine, so that it counts for the nearest directions above all.
    along = along.clamp(min=0)
    along = along * (along / (strength + SMALL)[:, :, None]).square()
    mean = (rows @ strength @ columns.T)[:, :, None]
    return ((rows @ along @ columns.T) / (mean + level)).clamp(min=0).sqrt().flatten(1)


def _slopes(images: Tensor) -> Sequence[Tensor]:
    """Return the differences between the next pixels on both sides, down and to the right."""
    framed = F.pad(images, (1, 1, 1, 1), mode="replicate")
    down = (framed[..., 2:, 1:-1] - framed[..., :-2, 1:-1]) / 2
    return down, (framed[..., 1:-1, 2:] - framed[..., 1:-1, :-2]) / 2


def _magnitudes(down: Tensor, right: Tensor) -> Tensor:
    return (down.square() + right.square()).sqrt()


def _windows(side: int) -> np.ndarray:
    """Return Gaussian weights of pixels around places that are equally far from each other."""
    n_places = min(_MOST_PLACES, side)
    distance = side / n_places
    centers = (np.arange(n_places) + 0.5) * distance - 0.5
    weights = np.exp(-2 * np.square((np.arange(side) - centers[:, None]) / distance))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
