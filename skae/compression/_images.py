"""Images that can be compressed, and crops of them to train on."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._shapes import Images, read_images
from ..training import Batch, Rows

DTYPES = (np.uint8, np.uint16, np.float32, np.float64)


def are_alike(dtype: np.dtype, other: np.dtype) -> bool:
    """Tell whether images of one dtype can stand for those of another: floats of any width can.

    Parameters
    ----------
    dtype, other : dtype
        Two of the dtypes that images can have.

    Returns
    -------
    bool
        False for integers and floats, and for integers of different width.
    """
    return dtype == other or "u" not in (dtype.kind, other.kind)


def checked_images(X: Any) -> Images:
    """Return images that did not come as rows.

    Parameters
    ----------
    X : ndarray of shape (n_images, height, width[, channels]) or list of ndarray
        Images.

    Returns
    -------
    Images
        The images, all with an axis of channels.

    Raises
    ------
    ValueError, TypeError
        If one of them is empty or not finite, of another dtype or number of channels.
    """
    images = read_images(X, "X").with_channels()
    first = images.arrays[0]
    if images.form == "image":
        height, width, channels = first.shape
        raise ValueError(
            f"X of shape {first.shape} looks like one image of {channels} channels: pass [X], or "
            f"X[..., None] for {height} images of {width} x {channels} pixels"
        )
    for i, image in enumerate(images.arrays):
        if image.dtype.type not in DTYPES:
            raise TypeError(
                f"X[{i}] has dtype {image.dtype}, but images must be uint8, uint16, float32 or "
                "float64"
            )
        if image.shape[2] != first.shape[2] or image.dtype != first.dtype:
            raise ValueError(
                f"all images must have the same number of channels and dtype, but X[0] has "
                f"{first.shape[2]} of {first.dtype} and X[{i}] {image.shape[2]} of {image.dtype}"
            )
    return images


def padded_image(array: np.ndarray, patch_shape: tuple[int, int]) -> np.ndarray:
    """Repeat the last pixels of an image until patches fit in.

    Parameters
    ----------
    array : ndarray of shape (height, width, channels)
        Image.
    patch_shape : tuple of two ints
        Height and width of a patch.

    Returns
    -------
    ndarray
        The image, with multiples of both for height and width.
    """
    padding = [(0, -n % p) for n, p in zip(array.shape, patch_shape, strict=False)]
    return np.pad(array, [*padding, (0, 0)], mode="edge") if np.any(padding) else array


def scaled(array: np.ndarray, offset: float, factor: float) -> Tensor:
    """Return values as the network sees them.

    Parameters
    ----------
    array : ndarray
        Images.
    offset, factor : float
        Values are shifted and multiplied by these, in float64 if they have it.

    Returns
    -------
    Tensor of float32
        Values between 0 and 255 in training images; infinite where they are too large.
    """
    wide = array.astype(np.promote_types(array.dtype, np.float32), copy=False)
    with np.errstate(over="ignore"):
        return torch.from_numpy(((wide - offset) * factor).astype(np.float32, copy=False))


class Crops(Rows):
    """Crops of images, cut when they are needed.

    Parameters
    ----------
    arrays : list of ndarray of shape (height, width, channels)
        Images, none smaller than a crop.
    shape : tuple of two ints
        Height and width of a crop.
    offset, factor : float
        Values are shifted and multiplied by these.
    seed : int
        Determines where the crops lie.
    dtype : torch.dtype
        Type of the batches.
    device : torch.device
        Where the batches go.
    """

    def __init__(
        self,
        arrays: list[np.ndarray],
        shape: tuple[int, int],
        offset: float,
        factor: float,
        seed: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        random = np.random.default_rng(seed)
        h, w = shape
        areas = np.array([a.shape[0] * a.shape[1] for a in arrays], dtype=float)
        # As many as cover the images, or each image at least once.
        counts = np.ceil(areas / (h * w)).astype(int)
        which = np.repeat(np.arange(len(arrays)), counts)
        self.places = [
            (
                i,
                random.integers(arrays[i].shape[0] - h + 1),
                random.integers(arrays[i].shape[1] - w + 1),
            )
            for i in which
        ]
        self.mirrored = random.random(len(which)) < 0.5
        self.arrays, self.shape, self.offset, self.factor = arrays, shape, offset, factor
        super().__init__(len(which), h * w * arrays[0].shape[2], dtype, device)

    def _batch(self, positions: Tensor | slice) -> Batch:
        """Cut some of the crops."""
        chosen = torch.arange(self.n_rows)[positions]
        h, w = self.shape
        crops = []
        for row in chosen.tolist():
            i, top, left = self.places[row]
            crop = self.arrays[i][top : top + h, left : left + w]
            crops.append(crop[:, ::-1] if self.mirrored[row] else crop)
        values = scaled(np.stack(crops).reshape(len(crops), -1), self.offset, self.factor)
        x = values.to(device=self.device, dtype=self.dtype)
        return Batch(x, x)
