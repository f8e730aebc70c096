"""Shapes of images: one order for flattened ones, and one reader of all others.

The ground floor of the house: numpy only, for rooms that know torch and for rooms that don't.
Pictures of Pillow and tensors of torch are known by what they can do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod
from numbers import Integral
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import Arrays
from ._plain import registered

_CHANNELS = (1, 3, 4)  # of pictures, unless it is said that there may be others
_MOST_CHANNELS = 4  # a longer last axis is a width
_WIDEST_ICON = 8  # beside a last axis of channels, a longer axis is that of one image
_MANY_CHANNELS = 4  # times as long as the first axis are two that look like height and width
# Modes of Pillow that are taken as they are, and those that others lose nothing in.
_MODES = ("L", "LA", "RGB", "RGBA", "I", "I;16", "I;16L", "I;16B", "I;16N", "F")
_TURNED_INTO = {"1": "L", "P": "RGB", "PA": "RGBA", "RGBX": "RGB", "RGBa": "RGBA", "La": "LA"}


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
    if not all(isinstance(size, Integral) for size in image_shape):
        raise ValueError(f"image_shape={tuple(image_shape)} must hold integers")
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
class Images(Arrays):
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
        False for what :func:`read_images` reads or has a word on: an array of three or four
        dimensions, a picture, a list of arrays of two or three dimensions, of pictures or of paths.
    """
    if isinstance(X, Iterator) or _is_picture(X) or _is_path(X):
        return False
    if (images := _listed(X)) is not None:
        is_image = bool(images) and (_is_picture(images[0]) or _is_path(images[0]))
        return not is_image and _n_axes(images) < 3
    return getattr(X, "ndim", 2) not in (3, 4)


def _is_picture(X: Any) -> bool:
    return hasattr(X, "mode") and hasattr(X, "getbands")


def _is_path(X: Any) -> bool:
    return isinstance(X, str | bytes | PathLike)


def _listed(X: Any) -> list | None:
    """Return what is given one by one, also in an array or column of objects, as a list."""
    is_list = isinstance(X, list | tuple)
    is_column = getattr(X, "ndim", 0) == 1 and getattr(X, "dtype", None) == np.object_
    return list(X) if is_list or is_column else None


def _n_axes(X: Any) -> int:
    if isinstance(X, list | tuple):
        return 1 + (_n_axes(X[0]) if X else 0)
    return int(getattr(X, "ndim", 0))


def read_images(X: Any, name: str) -> Images:
    """Return images that did not come as rows.

    Parameters
    ----------
    X : array-like, picture, or list of these
        What the user gave: an image of shape (height, width) or (height, width, channels), an array
        of images of equal shape, or a list of images. Tensors of torch are arrays, and so are
        pictures of Pillow, as they are stored; those of a palette become RGB. Channels may come
        before height and width, in an array of four axes or in a list, where they are unmistakable:
        1, 3 or 4, beside two sides that are equal or above 8 pixels.
    name : str
        The parameter's name.

    Returns
    -------
    Images
        At least one image of at least one pixel, each in its own dtype, of finite numbers in the
        byte order of this machine.

    Raises
    ------
    ValueError, TypeError
        If it is nothing of that, or an array that may be one image or many, or of channels that may
        come first or last.
    """
    images = _listed(X)
    if images is None:
        X = as_array(X, name)
        if X.ndim < 3 or (X.ndim == 3 and _is_one_image(X.shape, name)):
            return Images([read_image(X, name)], "image", X.ndim == 2)
    if not len(X if images is None else images):
        raise ValueError(f"{name} must hold at least one image, got 0.")
    arrays, first = [], None
    for i, image in enumerate(X if images is None else images):
        image = read_image(image, here := f"{name}[{i}]")
        given = (name, X.shape) if images is None else (here, image.shape)
        channels_first = image.ndim == 3 and _has_channels_first(image.shape, *given)
        arrays.append(np.ascontiguousarray(np.moveaxis(image, 0, -1)) if channels_first else image)
        first = channels_first if first is None else first
    form = "array" if images is None else "list"
    return Images(arrays, form, arrays[0].ndim == 2, bool(first))


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


def _has_channels_first(shape: tuple[int, ...], name: str, whole: tuple[int, ...]) -> bool:
    """Tell whether channels come first in an image; `name` and `whole` are of what was given."""
    first, second, last = shape
    # Two equal sides are height and width.
    if last in _CHANNELS or first == second:
        return False
    is_square, shorter = second == last, min(second, last)
    if first in _CHANNELS and (is_square or shorter > _WIDEST_ICON):
        return True
    if first in _CHANNELS or (is_square and first < last) or _MANY_CHANNELS * first <= shorter:
        axis = len(whole) - 3
        channels_last = (*whole[:axis], second, last, first)
        raise ValueError(
            f"{name} of shape {whole} has channels before height and width, or {last} channels "
            f"after them. For the former, pass np.moveaxis({name}, {axis}, -1), of shape "
            f"{channels_last}."
        )
    return False


def read_image(X: Any, name: str) -> NDArray:
    """Return one image.

    Parameters
    ----------
    X : array-like, tensor or picture
        What the user gave.
    name : str
        The parameter's name.

    Returns
    -------
    ndarray of shape (height, width) or (height, width, n_channels)
        The image, as in :func:`read_images`.

    Raises
    ------
    ValueError, TypeError
        If it is no such image.
    """
    image = as_array(X, name)
    if image.ndim not in (2, 3) or not image.size:
        raise ValueError(
            f"{name} must be an image of shape (height, width) or (height, width, n_channels) "
            f"with at least one pixel, got shape {image.shape}."
        )
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        found = "NaN" if np.isnan(image).any() else "infinity"
        raise ValueError(f"Input {name} contains {found}.")
    return image


def as_array(X: ArrayLike, name: str) -> NDArray:
    """Return an image or many as an array of numbers in the byte order of this machine.

    Parameters
    ----------
    X : array-like, tensor or picture
        What the user gave.
    name : str
        Its name, for messages.

    Returns
    -------
    ndarray
        Of the same shape and dtype.

    Raises
    ------
    ValueError, TypeError
        If it does not hold real numbers alone.
    """
    given: Any = X
    if _is_path(given) or isinstance(given, Iterator):
        advice = f"list({name})" if isinstance(given, Iterator) else "PIL.Image.open of each file"
        raise TypeError(
            f"{name} must be an image or hold images, got {type(given).__name__}: pass {advice}."
        )
    if _is_picture(given):
        given = _in_known_mode(given, name)
    elif hasattr(given, "detach"):
        given = given.detach().cpu()
    elif isinstance(given, np.ma.MaskedArray) and np.ma.is_masked(given):
        raise ValueError(
            f"{name} has {int(np.ma.getmaskarray(given).sum())} masked values: fill them, as by "
            f"{name}.filled(0)."
        )
    try:
        array = np.asarray(given)
        array = array.astype(np.float64) if array.dtype.kind == "O" else array
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} can't be read as an image: {error}") from error
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold real numbers, got dtype {array.dtype}.")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _in_known_mode(picture: Any, name: str) -> Any:
    """Return a picture of Pillow in a mode whose values are those of pixels."""
    mode = picture.mode
    if mode in _MODES:
        return picture
    if mode not in _TURNED_INTO:
        raise ValueError(
            f"{name} is a picture of mode {mode}, which is not read as it is: pass "
            f"{name}.convert('RGB'), or the array."
        )
    has_palette_of_alpha = mode == "P" and "transparency" in picture.info
    return picture.convert("RGBA" if has_palette_of_alpha else _TURNED_INTO[mode])
