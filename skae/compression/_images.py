"""Images that can be compressed, and their values as the network sees them."""

from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.validation import validate_data
from torch import Tensor

from .._shapes import Images, ImageShape, checked_image_shape, read_images

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


def are_gray_among_colors(n_channels: int, expected: int) -> bool:
    """Tell whether images can stand for those of a model that have colors, as gray ones can.

    Parameters
    ----------
    n_channels, expected : int
        Number of channels of the images, and of those that the model was fitted to.

    Returns
    -------
    bool
        True for one channel instead of three.
    """
    return (n_channels, expected) == (1, 3)


def check_like(images: Images, others: Images, owner: str) -> None:
    """Raise ValueError unless images can be coded by a model of others.

    Parameters
    ----------
    images, others : Images
        What a method was given, and the form of the training images.
    owner : str
        The estimator, for the message.
    """
    expected = others.arrays[0].shape[2]
    for n_channels in {array.shape[2] for array in images.arrays} - {expected}:
        if not are_gray_among_colors(n_channels, expected):
            raise ValueError(
                f"X has {n_channels} channels, but {owner} was fitted on images of {expected}"
            )
    if not are_alike(images.dtype, others.dtype):
        raise ValueError(
            f"X has dtype {images.dtype}, but {owner} was fitted on images of {others.dtype}"
        )


def checked_images(X: Any, reset: bool) -> Images:
    """Return images that did not come as rows.

    Parameters
    ----------
    X : ndarray of shape (n_images, height, width[, channels]) or list of ndarray
        Images.
    reset : bool
        Whether they are training data, which have the same number of channels.

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
        is_like = image.shape[2] == first.shape[2] or not reset
        if not is_like or image.dtype != first.dtype:
            raise ValueError(
                f"all images must have the same number of channels and dtype, but X[0] has "
                f"{first.shape[2]} of {first.dtype} and X[{i}] {image.shape[2]} of {image.dtype}"
            )
    return images


def images_in_rows(estimator: Any, X: Any, reset: bool) -> Images:
    """Return images that came as the rows of a matrix.

    Parameters
    ----------
    estimator : ImageCompressor
        Says what shape they have.
    X : {array-like, CSR matrix or array} of shape (n_images, n_features)
        Flattened images.
    reset : bool
        Whether they are training data.

    Returns
    -------
    Images
        The images.
    """
    dtypes = [np.float64, np.float32, np.uint8, np.uint16]
    X = validate_data(estimator, X, accept_sparse="csr", dtype=dtypes, reset=reset)
    X = X.toarray() if sparse.issparse(X) else X
    shape = ImageShape((1, 1, X.shape[1]))
    if estimator.image_shape is not None:
        shape = checked_image_shape(estimator.image_shape, X.shape[1])
    return Images(list(shape.pictures(X)), "rows", shape[0] == 1, not shape.channels_last)


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
