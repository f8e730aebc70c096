"""CompressionReport: what a codec leaves of images, and at which length, as a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from .._shapes import read_images
from ..metrics import ms_ssim, psnr
from ._codec import compress_at
from ._common import check_at_least_one, check_length, three_digits
from ._png import png_source
from ._report import Report, Section
from ._report_charts import curve, entries, table
from ._report_text import value_text

_LEAST_SIDE = 11  # pixels, for MS-SSIM
_MOST_PICTURES = 1_300_000  # characters of all pictures together

Point = tuple[float, float, float]  # bits per pixel, PSNR, MS-SSIM


class CompressionReport(Report):
    """What a codec leaves of images and what that costs, as a page with crops to compare.

    The page shows rate and distortion at several qualities, as a curve and in numbers. For some
    images, a crop of the original lies beside the decoded ones, with a slider between them: the
    part that has suffered most at the lowest rate.

    A notebook shows the report where it is the last expression of a cell. :meth:`write_html` writes
    it as one file, which needs no network and no Python.

    Parameters
    ----------
    codec : estimator instance
        Fitted codec with `compress`, which takes images and a keyword `quality` and returns a list
        of bytes, one for each of them, and `decompress`, which takes that list.

    images : array-like, picture, or list of these
        Images, as in :func:`~skae.metrics.psnr`.

    qualities : iterable, default=(20, 40, 60, 80)
        Settings of the codec, each of which is passed to `compress`.

    n_images : int, default=4
        Number of images that are shown, the first ones; all are measured. Fewer are shown where
        their pictures would make the file longer than 1.3 MB.

    crop_size : int, default=160
        Height and width of the crops in pixels.

    image_names : list of str, default=None
        Name of each image. If None, 0, 1, ...

    max_value : float or "auto", default="auto"
        Span from the least to the greatest value that a pixel can have, as in
        :func:`~skae.metrics.psnr`.

    title : str, default=None
        Heading of the page. If None, it names the class of the codec.

    Attributes
    ----------
    rates_ : ndarray of shape (n_qualities,)
        Bits per pixel, the mean over images.

    psnr_ : ndarray of shape (n_qualities,)
        Peak signal-to-noise ratio in dB, the mean over images; infinite where one is restored
        exactly.

    ms_ssim_ : ndarray of shape (n_qualities,)
        Multi-scale structural similarity, the mean over images; NaN if a side of one has fewer than
        11 pixels.

    Raises
    ------
    TypeError
        If the codec has no `compress` or no `decompress`.
    ValueError
        If `qualities` is empty, or the codec changes shapes.

    See Also
    --------
    RateDistortionDisplay : The curve alone, drawn with matplotlib.
    CompressedImageDisplay : One image, drawn with matplotlib.

    Examples
    --------
    >>> from sklearn.datasets import load_sample_image
    >>> from skae import ImageCompressor
    >>> from skae.inspection import CompressionReport
    >>> petals = load_sample_image("flower.jpg")[200:280, 200:280]
    >>> report = CompressionReport(ImageCompressor.pretrained(), [petals], qualities=[20, 60])
    >>> bool(report.rates_[0] < report.rates_[1])
    True
    >>> report.write_html("petals.html")  # doctest: +SKIP
    """

    def __init__(
        self,
        codec: Any,
        images: Any,
        *,
        qualities: Iterable[Any] = (20, 40, 60, 80),
        n_images: int = 4,
        crop_size: int = 160,
        image_names: Sequence[str] | None = None,
        max_value: float | Literal["auto"] = "auto",
        title: str | None = None,
    ) -> None:
        check_at_least_one("n_images", n_images)
        check_at_least_one("crop_size", crop_size)
        qualities = list(qualities)
        if not qualities:
            raise ValueError("qualities must hold at least one setting of the codec, got none.")
        originals = read_images(images, "images").arrays
        names = range(len(originals)) if image_names is None else image_names
        names = np.asarray([value_text(name) for name in names], dtype=object)
        check_length(names, "image_names", len(originals), each="one name for each image")
        decoded: list[list[NDArray]] = []
        points: list[list[Point]] = []  # of each quality, of each image
        for streams, restored in compress_at(codec, images, qualities):
            pairs = zip(originals, _like(originals, restored), strict=True)
            decoded.append([pair[1] for pair in pairs])
            points.append(
                [
                    _measured(original, each, stream, max_value)
                    for original, each, stream in zip(originals, decoded[-1], streams, strict=True)
                ]
            )
        self.rates_, self.psnr_, self.ms_ssim_ = np.mean(points, axis=1).T
        raw = np.mean([_depth(image) for image in originals])
        settings = [f"quality {value_text(quality)}" for quality in qualities]
        name = type(codec).__name__
        super().__init__(
            f"Images compressed by {name}" if title is None else title,
            [
                ("images", f"{len(originals):,}", f"of {_sizes(originals)} pixels"),
                ("uncompressed", f"{raw:g} bpp", "bits per pixel, all channels together"),
                *(
                    (setting, f"{three_digits(rate)} bpp", f"1 : {raw / rate:.0f}, {_db(ratio)}")
                    for setting, rate, ratio in zip(settings, self.rates_, self.psnr_, strict=True)
                ),
            ],
            [
                *self._curve(settings),
                self._crops(originals, decoded, points, settings, names, n_images, crop_size),
            ],
        )

    def _curve(self, settings: list[str]) -> list[Section]:
        finite = np.isfinite(self.psnr_)
        order = np.flatnonzero(finite)[np.argsort(self.rates_[finite])]
        numbers = zip(self.rates_, self.psnr_, self.ms_ssim_, strict=True)
        rows = [
            [setting, three_digits(rate), _db(ratio), None if np.isnan(alike) else f"{alike:.4f}"]
            for setting, (rate, ratio, alike) in zip(settings, numbers, strict=True)
        ]
        heads = ("setting", "bits per pixel", "PSNR", "MS-SSIM")
        figures = [table(heads, rows, numbers=(1, 2, 3))]
        if len(order) > 1:
            drawn = curve(
                self.rates_[order],
                self.psnr_[order],
                [f"{settings[i]}: {rows[i][1]} bpp, {rows[i][2]}" for i in order],
                x_name="bits per pixel",
                y_name="PSNR [dB]",
            )
            figures.insert(0, drawn)
        note = "Means over all images. Higher is closer to the original, further left is shorter."
        return [{"title": "Rate and distortion", "note": note, "figures": figures}]

    def _crops(
        self,
        originals: list[NDArray],
        decoded: list[list[NDArray]],
        points: list[list[Point]],
        settings: list[str],
        names: NDArray[np.object_],
        n_images: int,
        crop_size: int,
    ) -> Section:
        lowest = int(np.argmin(self.rates_))
        shown = [i for i, image in enumerate(originals) if image.shape[2:] in ((), (1,), (3,))]
        items, length = [], 0
        for i in shown[:n_images]:
            part = _worst_part(originals[i], decoded[lowest][i], crop_size)
            bits = f"original, {_depth(originals[i]):g} bpp"
            pictures = [{"name": bits, "source": _source(originals[i], originals[i], part)}]
            for setting, images, of in zip(settings, decoded, points, strict=True):
                rate, ratio, _ = of[i]
                label = f"{setting}: {three_digits(rate)} bpp, {_db(ratio)}"
                source = _source(images[i], originals[i], part)
                pictures.append({"name": label, "source": source})
            length += sum(len(picture["source"]) for picture in pictures)
            if items and length > _MOST_PICTURES:
                break
            figure = {"kind": "compare", "images": pictures, "first": lowest}
            size = "{} x {}".format(*originals[i].shape[:2])
            rate, ratio, _ = points[lowest][i]
            cells = [names[i], size, three_digits(rate), _db(ratio)]
            items.append({"cells": cells, "groups": [], "figures": [figure]})
        side = f"{crop_size} x {crop_size} pixels at most"
        note = (
            f"The part of each image, {side}, that differs most from the original at "
            f"{settings[lowest]}; move the slider to compare."
            if items
            else "Only images of 1 or 3 channels are shown."
        )
        heads = ("image", "height x width", "bits per pixel", "PSNR")
        listed = entries(
            items, heads, unit="images", search="Search images", optional=(1,), opened=True
        )
        return {"title": "Crops side by side", "note": note, "figures": [listed]}


def _like(originals: list[NDArray], restored: Any) -> list[NDArray]:
    """Return decoded images in the shapes of the originals."""
    decoded = read_images(restored, "decoded images").arrays
    shapes = [image.shape for image in originals], [image.shape for image in decoded]
    if shapes[0] != shapes[1]:
        differs = next((pair for pair in zip(*shapes, strict=False) if pair[0] != pair[1]), None)
        found = f"{differs[1]} for {differs[0]}" if differs else f"{len(decoded)} images"
        raise ValueError(
            f"codec must give back the shapes of {len(originals)} images, got {found}."
        )
    return decoded


def _measured(
    original: NDArray, decoded: NDArray, stream: bytes, max_value: float | Literal["auto"]
) -> Point:
    rate = 8 * len(stream) / (original.shape[0] * original.shape[1])
    similar = np.nan
    if min(original.shape[:2]) >= _LEAST_SIDE:
        similar = ms_ssim([original], [decoded], max_value=max_value)
    return rate, psnr([original], [decoded], max_value=max_value), similar


def _depth(image: NDArray) -> int:
    """Return the bits per pixel of an image as it is."""
    return 8 * image.itemsize * int(np.prod(image.shape[2:]))


def _sizes(images: list[NDArray]) -> str:
    sizes = {"{} x {}".format(*image.shape[:2]) for image in images}
    return sizes.pop() if len(sizes) == 1 else f"{len(sizes)} sizes, in"


def _db(ratio: float) -> str:
    return "lossless" if np.isinf(ratio) else f"{ratio:.1f} dB"


def _worst_part(original: NDArray, decoded: NDArray, size: int) -> tuple[slice, slice]:
    """Return where the mean squared error over a square is largest."""
    errors = (original.astype(np.float64) - decoded.astype(np.float64)) ** 2
    errors = errors.reshape(*errors.shape[:2], -1).sum(axis=2)
    sizes = [min(size, side) for side in errors.shape]
    means = uniform_filter(errors, sizes, mode="constant")
    # Means of squares that lie inside the image: the filter's stand in the middle, n // 2.
    inner = [(n // 2, n // 2 + side - n + 1) for n, side in zip(sizes, errors.shape, strict=True)]
    means = means[tuple(slice(*span) for span in inner)]
    top, left = np.unravel_index(int(means.argmax()), means.shape)
    return slice(top, top + sizes[0]), slice(left, left + sizes[1])


def _source(image: NDArray, original: NDArray, part: tuple[slice, slice]) -> str:
    """Return a part as a picture, black and white as in the original."""
    if original.dtype == np.uint8 and image.dtype == np.uint8:
        return png_source(image[part])
    low, high = float(original.min()), float(original.max())
    if original.dtype.kind == "u":
        low, high = 0.0, float(np.iinfo(original.dtype).max)
    shares = (image[part].astype(np.float64) - low) / ((high - low) or 1.0)
    return png_source(np.round(255 * shares.clip(0, 1)).astype(np.uint8))
