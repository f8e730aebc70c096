"""Shapes of images: one order for flattened ones, and one reader of arrays and lists.

The ground floor of the house: numpy only, for rooms that know torch and for rooms that don't.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._plain import registered

_CHANNELS = (1, 3, 4)  # of pictures, unless it is said that there may be others
_MOST_CHANNELS = 4  # a longer last axis is a width
_WIDEST_ICON = 8  # beside a last axis of channels, a longer axis is that of one image


class ImageShape(tuple[int, int, int]):
    """Channels, height and width of images, and the layout of their rows.

    Attributes
    ----------
    channels_last : bool
        Whether a row is an image of shape (height, width, channels), flattened; else it is one of
        (channels, height, width).
    """

    channels_last = False

    @property
    def layout(self) -> tuple[int, int, int]:
        """The shape of an image before it was flattened."""
        channels, height, width = self
        return (height, width, channels) if self.channels_last else (channels, height, width)

    def planes(self, rows: NDArray) -> NDArray:
        """Return flattened images as an array of shape (n_images, channels, height, width)."""
        images = rows.reshape(-1, *self.layout)
        return np.moveaxis(images, -1, 1) if self.channels_last else images

    def pictures(self, rows: NDArray) -> NDArray:
        """Return flattened images as an array of shape (n_images, height, width, channels)."""
        return np.ascontiguousarray(np.moveaxis(self.planes(rows), 1, -1))


def checked_image_shape(
    image_shape: Sequence[int],
    n_features: int,
    *,
    channels: Sequence[int] = _CHANNELS,
    min_side: int = 1,
) -> ImageShape:
    """Return the shape of flattened images.

    Parameters
    ----------
    image_shape : sequence of int
        What the user gave: (channels, height, width) or (height, width). The order (height, width,
        channels) is understood where it is the only one with a plausible number of channels.
    n_features : int
        Number of columns of the rows.
    channels : sequence of int, default=(1, 3, 4)
        Plausible numbers of channels.
    min_side : int, default=1
        Least plausible height and width.

    Returns
    -------
    ImageShape
        Channels, height and width, in this order.

    Raises
    ------
    ValueError
        If it is no such shape, does not fit the rows, or may be read in both orders.
    """
    shape = tuple(int(size) for size in image_shape)
    if len(shape) not in (2, 3) or min(shape) < 1:
        raise ValueError(
            f"image_shape must be (height, width) or (channels, height, width), got {shape}."
        )
    if prod(shape) != n_features:
        raise ValueError(
            f"image_shape={shape} holds {prod(shape)} values, but X has {n_features} features."
        )
    if len(shape) == 2:
        return ImageShape((1, *shape))
    first, last = ImageShape(shape), ImageShape((shape[2], *shape[:2]))
    last.channels_last = True
    is_first, is_last = (s[0] in channels and min(s[1:]) >= min_side for s in (first, last))
    if is_first and is_last:
        raise ValueError(
            f"image_shape={shape} may be (channels, height, width), {_words(first)}, or (height, "
            f"width, channels), {_words(last)}. If there is 1 channel, give (height, width); else "
            "pad the images, so that no side is as short as the channels are many."
        )
    return last if is_last else first


def _words(shape: ImageShape) -> str:
    channels, height, width = shape
    return f"{channels} channel{'s' * (channels > 1)} of {height} x {width} pixels"


@registered
class Images:
    """Images, and the form that they came in.

    Parameters
    ----------
    arrays : list of ndarray of shape (height, width[, channels])
        Images.
    form : {"image", "array", "list", "rows"}
        What they were given as: one image, an array of many, a list, or the rows of a matrix.
    is_gray : bool
        Whether they came without an axis of channels.
    channels_first : bool, default=False
        Whether the axis of channels came before height and width.
    """

    arrays: list[np.ndarray]
    form: str
    is_gray: bool
    channels_first: bool = False

    @property
    def dtype(self) -> np.dtype:
        """Their dtype."""
        return self.arrays[0].dtype

    @property
    def are_equal(self) -> bool:
        """Whether all have the same shape."""
        return len({array.shape for array in self.arrays}) == 1

    def min(self) -> float:
        """Return the least value."""
        return min(float(array.min()) for array in self.arrays)

    def max(self) -> float:
        """Return the greatest value."""
        return max(float(array.max()) for array in self.arrays)

    def with_channels(self) -> "Images":
        """Return the same images, all with an axis of channels."""
        arrays = [array if array.ndim == 3 else array[..., None] for array in self.arrays]
        return replace(self, arrays=arrays)

    def restored(self, arrays: np.ndarray | list[np.ndarray]) -> Any:
        """Return images in this form.

        Parameters
        ----------
        arrays : ndarray or list of ndarray of shape (height, width, channels)
            Images; an array may hold none.

        Returns
        -------
        ndarray or list of ndarray
            Rows, an array or a list; a list also if their shapes differ.
        """
        is_one_shape = isinstance(arrays, np.ndarray) or len({a.shape for a in arrays}) == 1
        if self.form == "list" or not is_one_shape:
            return [self._as_given(array) for array in arrays]
        if isinstance(arrays, list):  # a single image is not copied
            arrays = np.stack(arrays) if len(arrays) > 1 else arrays[0][None]
        images = self._as_given(arrays)
        if self.form == "rows":
            return images.reshape(len(images), prod(images.shape[1:]))
        return images

    def _as_given(self, array: np.ndarray) -> np.ndarray:
        """Drop or move the last axis, that of channels, if these images came like that."""
        is_gray = self.is_gray or self.arrays[0].shape[-1] > 1  # gray among colored ones
        if is_gray and array.shape[-1] == 1:
            return array[..., 0]
        return np.moveaxis(array, -1, -3) if self.channels_first else array


def are_rows(X: Any) -> bool:
    """Tell whether an input that holds many images holds them flattened.

    Parameters
    ----------
    X : array-like
        Input.

    Returns
    -------
    bool
        False for an array of three or four dimensions and for a list of arrays of two or three.
    """
    if isinstance(X, list | tuple) and X and hasattr(X[0], "ndim"):
        return X[0].ndim < 2
    return getattr(X, "ndim", 2) not in (3, 4)


def read_images(X: Any, name: str) -> Images:
    """Return images that did not come as rows.

    Parameters
    ----------
    X : array-like, or list of array-likes
        What the user gave: an image of shape (height, width) or (height, width, channels), an array
        of images of equal shape, or a list of images. Channels may come before height and width,
        where they are unmistakable: 1, 3 or 4 beside two sides of more than 8 pixels, in an array
        of four axes or in a list.
    name : str
        The parameter's name.

    Returns
    -------
    Images
        At least one image of at least one pixel, each in its own dtype, of finite numbers.

    Raises
    ------
    ValueError
        If it is nothing of that, or an array that may be one image or many.
    """
    is_list = isinstance(X, list | tuple)
    if not is_list:
        X = np.asarray(X)
        if X.ndim < 3 or (X.ndim == 3 and _is_one_image(X.shape, name)):
            return Images([_checked_image(X, name)], "image", X.ndim == 2)
    if not len(X):
        raise ValueError(f"{name} must hold at least one image, got 0.")
    arrays, first = [], None
    for i, image in enumerate(X):
        image = _checked_image(image, f"{name}[{i}]")
        channels_first = (is_list or X.ndim == 4) and _has_channels_first(image.shape)
        arrays.append(np.ascontiguousarray(np.moveaxis(image, 0, -1)) if channels_first else image)
        first = channels_first if first is None else first
    return Images(arrays, "list" if is_list else "array", arrays[0].ndim == 2, bool(first))


def _is_one_image(shape: tuple[int, ...], name: str) -> bool:
    """Tell whether three axes are those of one image."""
    n, height, channels = shape
    if channels > _MOST_CHANNELS:
        return False
    if height > _WIDEST_ICON:
        return True
    raise ValueError(
        f"{name} of shape {shape} may be one image of {n} x {height} pixels, or {n} images of "
        f"{height} x {channels}: pass [{name}] for the one, {name}[..., None] for the others."
    )


def _has_channels_first(shape: tuple[int, ...]) -> bool:
    return len(shape) == 3 and shape[0] in _CHANNELS and min(shape[1:]) > _WIDEST_ICON


def _checked_image(X: ArrayLike, name: str) -> NDArray:
    image = np.asarray(X)
    if image.ndim not in (2, 3) or not image.size:
        raise ValueError(
            f"{name} must be an image of shape (height, width) or (height, width, n_channels) "
            f"with at least one pixel, got shape {image.shape}."
        )
    if image.dtype.kind == "O":
        image = image.astype(np.float64)
    if image.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold real numbers, got dtype {image.dtype}.")
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        found = "NaN" if np.isnan(image).any() else "infinity"
        raise ValueError(f"Input {name} contains {found}.")
    return image
