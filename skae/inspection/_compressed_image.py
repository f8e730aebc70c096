"""CompressedImageDisplay: an image beside what a codec leaves of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array

from .._shapes import read_image
from ..metrics import bits_per_pixel, psnr
from ._codec import compress_at
from ._common import (
    check_at_least_one,
    check_same_length,
    clear_frame,
    get_axes,
    merge_style,
    three_digits,
)
from ._image_grid import draw_tile

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_N_COLUMNS = 4
_TILE, _WIDTH, _HEIGHT = 3.0, 9.5, 8.5  # inches, at most: of an image, and of all of them
_GAP, _TITLE, _TITLE_WIDTH = 0.12, 0.4, 1.35  # inches


class CompressedImageDisplay:
    """An image beside its decoded versions, with bits per pixel and PSNR.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to create a display.
    All parameters are stored as attributes.

    Parameters
    ----------
    image : array-like of shape (height, width) or (height, width, n_channels)
        The original, with 1 or 3 channels.

    decoded : list of array-likes of the same shape
        Its decoded versions.

    rates : array-like of shape (n_decoded,)
        Bits per pixel of each.

    names : list of str, default=None
        Name of each, such as that of a codec. If None, there are only numbers.

    crop : tuple of int, default=None
        The part that is drawn, as (top, left, height, width) in pixels. Bits and PSNR are those of
        the whole image. If None, all is drawn.

    max_value : float or "auto", default="auto"
        Span from the least to the greatest value that a pixel can have, as in
        :func:`~skae.metrics.psnr`.

    Attributes
    ----------
    psnr_ : ndarray of shape (n_decoded,)
        Peak signal-to-noise ratio of each decoded version, in dB.

    images_ : ndarray of shape (1 + n_decoded,) of matplotlib AxesImage
        The original and its decoded versions.

    ax_ : matplotlib Axes
        Axes that holds all images.

    figure_ : matplotlib Figure
        Figure containing the images.

    See Also
    --------
    RateDistortionDisplay : The numbers of many images, as curves.

    Examples
    --------
    >>> from sklearn.datasets import load_sample_image
    >>> from skae.inspection import CompressedImageDisplay
    >>> image = load_sample_image("flower.jpg")
    >>> coarse = [image // 16 * 16 + 8, image // 64 * 64 + 32]
    >>> display = CompressedImageDisplay.from_predictions(image, coarse, [12.0, 6.0])
    >>> display.psnr_.round()
    array([34., 22.])
    """

    def __init__(
        self,
        image: ArrayLike,
        decoded: Sequence[ArrayLike],
        rates: ArrayLike,
        *,
        names: Sequence[str] | None = None,
        crop: Sequence[int] | None = None,
        max_value: float | Literal["auto"] = "auto",
    ) -> None:
        self.image = _check_image(image, "image")
        self.decoded = [_check_image(each, f"decoded[{i}]") for i, each in enumerate(decoded)]
        for i, each in enumerate(self.decoded):
            if each.shape != self.image.shape:
                raise ValueError(
                    f"decoded[{i}] must have the shape of the image, {self.image.shape}, "
                    f"got {each.shape}."
                )
        self.rates = check_array(rates, ensure_2d=False, dtype=np.float64, input_name="rates")
        self.names = None if names is None else list(names)
        check_same_length(decoded=self.decoded, rates=self.rates, names=self.names)
        self.crop = None if crop is None else _check_crop(crop, self.image)
        self.max_value = max_value

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        image: ArrayLike,
        *,
        qualities: Iterable[Any],
        crop: Sequence[int] | None = None,
        max_value: float | Literal["auto"] = "auto",
        ax: Axes | None = None,
        n_columns: int | None = None,
        image_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Compress an image at several qualities, decode it, and draw what comes out.

        Parameters
        ----------
        estimator : estimator instance
            Fitted codec with `compress`, which takes an array of images and a keyword `quality` and
            returns a list of bytes, and `decompress`, which takes that list.

        image : array-like of shape (height, width) or (height, width, n_channels)
            The original, with 1 or 3 channels.

        qualities : iterable
            Settings of the codec, each of which is passed to `compress`.

        crop : tuple of int, default=None
            The part that is drawn, as (top, left, height, width) in pixels. If None, all is drawn.

        max_value : float or "auto", default="auto"
            Span of the values that a pixel can have, as in :func:`~skae.metrics.psnr`.

        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        n_columns : int, default=None
            Length of a row, after which the next one begins. If None, at most 4.

        image_kwargs : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`, `vmin` and `vmax`.

        Returns
        -------
        display : CompressedImageDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator has no `compress` or no `decompress`.
        """
        image, qualities = _check_image(image, "image"), list(qualities)
        runs = list(compress_at(estimator, image[None], qualities))
        return cls.from_predictions(
            image,
            [images[0] for _, images in runs],
            [bits_per_pixel(streams, image[None]) for streams, _ in runs],
            names=[f"quality {quality}" for quality in qualities],
            crop=crop,
            max_value=max_value,
            ax=ax,
            n_columns=n_columns,
            image_kwargs=image_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        image: ArrayLike,
        decoded: Sequence[ArrayLike],
        rates: ArrayLike,
        *,
        names: Sequence[str] | None = None,
        crop: Sequence[int] | None = None,
        max_value: float | Literal["auto"] = "auto",
        ax: Axes | None = None,
        n_columns: int | None = None,
        image_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the given images.

        Parameters
        ----------
        image : array-like of shape (height, width) or (height, width, n_channels)
            The original, with 1 or 3 channels.

        decoded : list of array-likes of the same shape
            Its decoded versions.

        rates : array-like of shape (n_decoded,)
            Bits per pixel of each.

        names : list of str, default=None
            Name of each, such as that of a codec. If None, there are only numbers.

        crop : tuple of int, default=None
            The part that is drawn, as (top, left, height, width) in pixels. If None, all is drawn.

        max_value : float or "auto", default="auto"
            Span of the values that a pixel can have, as in :func:`~skae.metrics.psnr`.

        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        n_columns : int, default=None
            Length of a row, after which the next one begins. If None, at most 4.

        image_kwargs : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`, `vmin` and `vmax`.

        Returns
        -------
        display : CompressedImageDisplay
            The display, drawn.
        """
        return cls(image, decoded, rates, names=names, crop=crop, max_value=max_value).plot(
            ax, n_columns=n_columns, image_kwargs=image_kwargs
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        n_columns: int | None = None,
        image_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the image and all its decoded versions.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        n_columns : int, default=None
            Length of a row, after which the next one begins. If None, at most 4.

        image_kwargs : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.imshow`, such as `cmap`, `vmin` and `vmax`.

        Returns
        -------
        display : CompressedImageDisplay
            The display itself.
        """
        check_at_least_one("n_columns", n_columns)
        self.psnr_ = np.array(
            [psnr([self.image], [each], max_value=self.max_value) for each in self.decoded]
        )
        tiles = [self._drawn_part(each) for each in (self.image, *self.decoded)]
        n_rows = -(-len(tiles) // min(n_columns or _N_COLUMNS, len(tiles)))
        # By default, rows are about equally long.
        n_columns = min(n_columns or -(-len(tiles) // n_rows), len(tiles))
        height, width = tiles[0].shape[:2]
        inch = max(
            max(height, width) / _TILE, n_columns * width / _WIDTH, n_rows * height / _HEIGHT
        )
        step_x = max(width + _GAP * inch, _TITLE_WIDTH * inch)
        step_y = height + (_TITLE + _GAP) * inch
        whole = n_columns * step_x, n_rows * step_y
        ax = get_axes(ax, f"{type(self).__name__}.plot", (whole[0] / inch, whole[1] / inch))
        from matplotlib.image import AxesImage

        clear_frame(ax)
        style = merge_style(AxesImage, {"cmap": "gray", **_value_range(self.image)}, image_kwargs)
        self.images_ = np.empty(len(tiles), dtype=object)
        for i, (tile, title) in enumerate(zip(tiles, self._titles(), strict=True)):
            top, left = np.multiply(divmod(i, n_columns), (step_y, step_x))
            self.images_[i] = draw_tile(ax, tile, left, top, (height, width), style)
            ax.annotate(title, (left, top), (0, 3), textcoords="offset points", fontsize="small")
        gaps = (_GAP * inch, (_TITLE + _GAP) * inch)
        ax.set(
            xlim=(0, whole[0] - gaps[0]),
            ylim=(whole[1] - gaps[1], -_TITLE * inch),
            aspect="equal",
        )
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _drawn_part(self, image: NDArray) -> NDArray:
        """Return what is to be seen, a single channel without an axis of its own."""
        if self.crop is not None:
            top, left, height, width = self.crop
            image = image[top : top + height, left : left + width]
        return image[..., 0] if image.shape[2:] == (1,) else image

    def _titles(self) -> list[str]:
        """Return two lines for each image."""
        depth = 8 * self.image.itemsize * int(np.prod(self.image.shape[2:]))
        names = [""] * len(self.decoded) if self.names is None else self.names
        titles = [f"original\n{depth} bpp"]
        for name, rate, ratio in zip(names, self.rates, self.psnr_, strict=True):
            quality = "lossless" if np.isinf(ratio) else f"{ratio:.1f} dB"
            titles.append(f"{name}\n{three_digits(rate)} bpp, {quality}")
        return titles


def _check_image(image: ArrayLike, name: str) -> NDArray:
    image = read_image(image, name)
    if image.shape[2:] not in ((), (1,), (3,)):
        raise ValueError(
            f"{name} must have shape (height, width) or (height, width, n_channels) with 1 or 3 "
            f"channels, got shape {image.shape}."
        )
    return image


def _check_crop(crop: Sequence[int], image: NDArray) -> tuple[int, ...]:
    crop = tuple(int(size) for size in crop)
    starts, sizes = np.array(crop[:2]), np.array(crop[2:])
    inside = len(crop) == 4 and np.all(starts + sizes <= image.shape[:2])
    if not inside or starts.min() < 0 or sizes.min() < 1:
        raise ValueError(
            "crop must be (top, left, height, width) of a part of the image of shape "
            f"{image.shape[:2]}, got {crop}."
        )
    return crop


def _value_range(image: NDArray) -> dict[str, Any]:
    """Return what is black and what is white: by the dtype, of floats those of the original."""
    if image.dtype.kind == "u":
        return {"vmin": 0, "vmax": np.iinfo(image.dtype).max}
    return {"vmin": image.min(), "vmax": image.max()}
