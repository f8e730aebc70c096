"""Images of any size as rows of equal tiles, and back."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._shapes import Images, read_images

# In pixels. What is left of a side is no multiple of 16, so that tiles start anywhere between the
# squares that a network sees as one, and errors of neighbours differ where they overlap.
_SIDE, OVERLAP = 64, 24
_CHANNELS = (1, 3, 4)


def images_of(X: Any, name: str, shape: Sequence[int] | None = None) -> Images:
    """Return images, with an axis of channels.

    Parameters
    ----------
    X : array-like, picture, or list of these
        What the user gave.
    name : str
        The parameter's name.
    shape : sequence of three ints or None, default=None
        Height, width and channels of tiles that the images are to be cut into.

    Returns
    -------
    Images
        At least one.

    Raises
    ------
    ValueError
        If they have other numbers of channels.
    """
    images = read_images(X, name).with_channels()
    found = {array.shape[2] for array in images.arrays}
    allowed = _CHANNELS if shape is None else (shape[2],)
    if len(found) > 1 or not found <= set(allowed):
        raise ValueError(
            f"{name} has images of {sorted(found)} channels; all must have the same number, "
            + (f"{shape[2]} as in fit" if shape is not None else "1, 3 or 4")
        )
    return images


def tile_shape(images: Images) -> tuple[int, int, int]:
    """Return height, width and channels of the tiles that training images are cut into.

    Parameters
    ----------
    images : Images
        With an axis of channels.

    Returns
    -------
    tuple of three ints
        No larger than the smallest image.
    """
    height, width = (min(array.shape[axis] for array in images.arrays) for axis in (0, 1))
    return min(height, _SIDE), min(width, _SIDE), images.arrays[0].shape[2]


def cut(array: NDArray, shape: Sequence[int], overlap: int = 0) -> tuple[NDArray, list[Any]]:
    """Return the tiles of an image as rows.

    Parameters
    ----------
    array : ndarray of shape (height, width, channels)
        An image; one that is smaller than a tile is repeated beyond its border.
    shape : sequence of three ints
        Height, width and channels of a tile.
    overlap : int, default=0
        How many pixels neighbours have in common at least.

    Returns
    -------
    rows : ndarray of shape (n_tiles, height * width * channels)
        Tiles, the last ones as far from the border as the first.
    places : list of tuples of two slices
        Where they lie.
    """
    h, w = shape[:2]
    missing = [max(0, side - size) for side, size in zip((h, w), array.shape, strict=False)]
    array = np.pad(array, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")
    places = [
        (slice(top, top + h), slice(left, left + w))
        for top in _starts(array.shape[0], h, overlap)
        for left in _starts(array.shape[1], w, overlap)
    ]
    return np.stack([array[place].reshape(-1) for place in places]), places


def _starts(size: int, side: int, overlap: int) -> list[int]:
    """Return where the tiles along an axis start."""
    step = max(1, side - min(overlap, side // 2))
    n = 1 + max(0, -(-(size - side) // step))
    return np.linspace(0, size - side, n).round().astype(int).tolist()


def joined(
    rows: NDArray, places: list[Any], shape: Sequence[int], size: Sequence[int]
) -> NDArray[np.float64]:
    """Return the image that tiles were cut from, blended where they overlap.

    Parameters
    ----------
    rows : ndarray of shape (n_tiles, height * width * channels)
        Tiles.
    places : list of tuples of two slices
        Where they lie.
    shape : sequence of three ints
        Height, width and channels of a tile.
    size : sequence of three ints
        Those of the image.

    Returns
    -------
    ndarray of shape (height, width, channels)
        The image.
    """
    h, w, channels = shape
    weight = np.multiply.outer(_ramp(h), _ramp(w))[:, :, None]
    sums = np.zeros((max(size[0], h), max(size[1], w), channels))
    weights = np.zeros((*sums.shape[:2], 1))
    for row, place in zip(rows, places, strict=True):
        sums[place] += weight * row.reshape(h, w, channels)
        weights[place] += weight
    return (sums / weights)[: size[0], : size[1]]


def _ramp(side: int) -> NDArray[np.float64]:
    """Return weights of the pixels along an axis, which fall towards both ends."""
    distance = np.arange(side)
    return np.minimum(np.minimum(distance, distance[::-1]) + 0.5, OVERLAP)
