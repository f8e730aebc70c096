"""Images that can be compressed, and their values as the network sees them."""

import warnings
from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.validation import validate_data
from torch import Tensor

from .._plain import registered
from .._shapes import Images, ImageShape, as_array, checked_image_shape, read_images
from ..tables import refuse_unusable

DTYPES = ("uint8", "uint16", "float32", "float64")
_PIXELS = DTYPES[:2]
_DARK, _BRIGHT = 0.01, 10  # in ranges of the training images: likely other units


@registered
class CodedImages(Images):
    """Images in a dtype that streams have, and how to give back what they were.

    Parameters
    ----------
    given : str
        Name of the dtype that they had.
    bounds : tuple of two floats or None
        What values are never below or above, if that was said.
    """

    given: str = DTYPES[0]
    bounds: tuple[float, float] | None = None

    @classmethod
    def of(cls, images: Images, dtype: Any, bounds: tuple[float, float] | None) -> "CodedImages":
        """Return images that are converted.

        Parameters
        ----------
        images : Images
            As they were given.
        dtype : dtype
            One that streams have.
        bounds : tuple of two floats or None
            See above.

        Returns
        -------
        CodedImages
            The same images.
        """
        parts = {field.name: getattr(images, field.name) for field in fields(Images)}
        parts["arrays"] = [array.astype(dtype, copy=False) for array in images.arrays]
        return cls(**parts, given=images.dtype.name, bounds=bounds)

    def _as_given(self, array: np.ndarray) -> np.ndarray:
        if self.given not in DTYPES or self.bounds is not None:
            array = self._values_as_given(array)
        return super()._as_given(array)

    def _values_as_given(self, array: np.ndarray) -> np.ndarray:
        """Round and limit values to those that the images could have."""
        dtype = array.dtype if self.given in DTYPES else np.dtype(self.given)
        if dtype.kind == "b":
            return array >= 0.5
        limits = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)
        low, high = float(limits.min), float(limits.max)
        if self.bounds is not None:
            low, high = max(low, self.bounds[0]), min(high, self.bounds[1])
        if dtype.kind in "iu" and array.dtype.kind == "f":
            array = np.rint(array)
        exact = array.dtype.type
        return array.clip(exact(low), exact(high)).astype(dtype, copy=False)


def coded_dtype(dtype: np.dtype) -> np.dtype:
    """Return the dtype that images of another one have in streams.

    Parameters
    ----------
    dtype : dtype
        Of real numbers.

    Returns
    -------
    dtype
        The same one if streams have it, else floats that hold its values.
    """
    wide = dtype if dtype.name in DTYPES else np.promote_types(dtype, np.float32)
    return min(wide, np.dtype(np.float64), key=lambda each: each.itemsize)


def range_of(
    images: Images, max_value: float | str
) -> tuple[tuple[float, float], tuple[float, float] | None]:
    """Return the range of values that quality is relative to.

    Parameters
    ----------
    images : Images
        Training images, as they were given.
    max_value : float or "auto"
        What was said about it.

    Returns
    -------
    range : tuple of two floats
        The least value, and by how much the greatest one exceeds it.
    bounds : tuple of two floats or None
        What no value is below or above, if that was said; whole numbers are never below 0 if those
        of the training images are not.

    Raises
    ------
    ValueError
        If the images do not keep to what was said.
    """
    low, high = images.min(), images.max()
    if low == high:
        warnings.warn(f"X has the value {low:g} everywhere: nothing to learn from", stacklevel=6)
    if not isinstance(max_value, str):
        low = min(low, 0.0)
        if high - low > max_value:
            raise ValueError(
                f"X has values from {low:g} to {high:g}, more than max_value={max_value:g} spans"
            )
        return (low, float(max_value)), (0.0, float(max_value)) if low == 0 else None
    if images.dtype.kind == "f" or low < 0:
        return (low, (high - low) or 1.0), None
    full = np.iinfo(images.dtype).max if images.dtype.name in _PIXELS else 1
    scale = 0.0, float(2 ** int(high).bit_length() - 1 or full)
    return scale, None if images.dtype.name in _PIXELS else (0.0, np.inf)


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


def check_like(images: Images, others: CodedImages, owner: str) -> None:
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
    given, fitted = images.dtype, np.dtype(others.given)
    are_whole = given.kind in "iu" and fitted.kind in "iu"
    is_other_depth = given != fitted and {given.name, fitted.name} <= set(_PIXELS)
    if (given.kind != fitted.kind and not are_whole) or is_other_depth:
        raise ValueError(
            f"X has dtype {given}, but {owner} was fitted on images of {fitted}: give images of "
            "the same dtype, with the same range"
        )


def coded_like(images: Images, form: CodedImages, scale: tuple[float, float]) -> CodedImages:
    """Return images in a dtype that streams have, and that a model takes.

    Parameters
    ----------
    images : Images
        Of a kind that the model takes.
    form : CodedImages
        Of the training images.
    scale : tuple of two floats
        Their range: the least value, and by how much the greatest one exceeds it.

    Returns
    -------
    CodedImages
        The same images.

    Raises
    ------
    ValueError
        If there are values that the dtype, or the `max_value` of the model, does not allow.
    """
    dtype = coded_dtype(images.dtype if images.dtype.kind == "f" else form.dtype)
    least, most = form.bounds or (-np.inf, np.inf)
    if dtype.kind == "u":
        least, most = max(least, 0), min(most, np.iinfo(dtype).max)
    for i, array in enumerate(images.arrays):
        if array.min() < least or array.max() > most:
            raise ValueError(
                f"X[{i}] has values from {array.min()} to {array.max()}, but those of a model of "
                f"{form.given} lie between {least:g} and {most:g}"
            )
    top, (low, span) = images.max(), scale
    share = (top - low) / span
    if not (_DARK <= share <= _BRIGHT) and images.min() < top:
        warnings.warn(
            f"X has values up to {top:.3g}, and the range of the training images is {low:.3g} to "
            f"{low + span:.3g}, which quality is relative to: are these the same units?",
            stacklevel=4,
        )
    return CodedImages.of(images, dtype, form.bounds)


def checked_images(X: Any, reset: bool) -> Images:
    """Return images that did not come as rows.

    Parameters
    ----------
    X : array-like of shape (n_images, height, width[, channels]), list of array-likes or pictures
        Images; a single picture of Pillow is a list of one.
    reset : bool
        Whether they are training data, which have the same number of channels.

    Returns
    -------
    Images
        The images, all with an axis of channels.

    Raises
    ------
    ValueError, TypeError
        If one of them is empty, not finite, or of another dtype or number of channels.
    """
    images = read_images(X, "X").with_channels()
    first = images.arrays[0]
    if images.form == "image" and hasattr(X, "getbands"):
        return replace(images, form="list")
    if images.form == "image":
        height, width, channels = first.shape
        raise ValueError(
            f"X of shape {first.shape} looks like one image of {channels} channels: pass [X], or "
            f"X[..., None] for {height} images of {width} x {channels} pixels"
        )
    for i, image in enumerate(images.arrays):
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
    refuse_unusable(X)
    X = validate_data(estimator, X, accept_sparse="csr", dtype="numeric", reset=reset)
    X = as_array(X.toarray() if sparse.issparse(X) else X, "X")
    if X.dtype.name not in DTYPES:  # rows of whole numbers equal those of floats, as everywhere
        X = X.astype(np.float64)
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
