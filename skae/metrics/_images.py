"""Decoded images against their originals: how like them they are, and what they cost."""

import warnings
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from .._shapes import read_images
from ._checks import check_same_images, check_same_number

_WEIGHTS = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
_SIGMA, _RADIUS = 1.5, 5  # pixels, of the window
_WINDOW = 2 * _RADIUS + 1
_K1, _K2 = 0.01, 0.03
_LEAST_SHARE = 1 / 16  # of the values that a dtype has: with less, others are meant

_CONSTRAINTS: dict = {
    "X_true": "no_validation",
    "X_pred": "no_validation",
    "max_value": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
}


@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def psnr(X_true: Any, X_pred: Any, *, max_value: float | Literal["auto"] = "auto") -> float:
    r"""Peak signal-to-noise ratio in decibels, the mean over images.

    Parameters
    ----------
    X_true : array-like, picture, or list of these
        Original images: one of shape (height, width) or (height, width, n_channels), an array of
        several, or a list, whose images may differ in shape. An array of three axes is one image if
        the last axis has at most 4 values, and else several images of one channel. If the second
        has at most 8 values too, it may be either, and must come as a list or with four axes. In
        these, 1, 3 or 4 channels may come before height and width, if both are above 8 or equal.
        Tensors of PyTorch and pictures of Pillow are taken, too.
    X_pred : array-like, picture, or list of these
        Decoded images of the same shapes.
    max_value : float or "auto", default="auto"
        Span from the least to the greatest value that a pixel can have. "auto" is 255 for images of
        uint8, 65,535 for uint16, and 1 for truth values and for floats whose originals lie between
        0 and 1; for anything else, as images of 12 bits, or where the dtypes of the two differ, it
        must be given.

    Returns
    -------
    float
        The ratio in dB, higher is better; infinite if any image is identical with its original.

    Raises
    ------
    ValueError
        If the images are not pairs of equal shape, hold values that are not finite, or do not tell
        the `max_value`.

    See Also
    --------
    ms_ssim : Is closer to what people see.
    bits_per_pixel : What the quality costs.

    Notes
    -----
    With the mean squared error :math:`E` over all pixels and channels of an image, its ratio is

    .. math:: 10 \log_{10} \frac{\mathtt{max\_value}^2}{E} .

    Ratios are computed image by image and then averaged, as is usual for codecs: the ratio of the
    mean error would hardly tell more than that of the worst image.

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import psnr
    >>> image = np.full((32, 32, 3), 100, dtype=np.uint8)
    >>> round(psnr(image, image + np.uint8(5)), 2)
    34.15
    """
    return _mean_over_images(_psnr, X_true, X_pred, max_value)


@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def ms_ssim(X_true: Any, X_pred: Any, *, max_value: float | Literal["auto"] = "auto") -> float:
    r"""Multi-scale structural similarity, the mean over channels and images.

    Compares local luminance, contrast and structure at up to five scales [1]_: closer to what
    people see than squared errors are.

    Parameters
    ----------
    X_true : array-like, picture, or list of these
        Original images: one of shape (height, width) or (height, width, n_channels), an array of
        several, or a list, whose images may differ in shape. An array of three axes is one image if
        the last axis has at most 4 values, and else several images of one channel. In a list, and
        in an array of four axes, 1, 3 or 4 channels may come before height and width. Sides have at
        least 11 pixels. Tensors of PyTorch and pictures of Pillow are taken, too.
    X_pred : array-like, picture, or list of these
        Decoded images of the same shapes.
    max_value : float or "auto", default="auto"
        Span from the least to the greatest value that a pixel can have. "auto" is 255 for images of
        uint8, 65,535 for uint16, and 1 for truth values and for floats whose originals lie between
        0 and 1; for anything else, as images of 12 bits, or where the dtypes of the two differ, it
        must be given.

    Returns
    -------
    float
        The similarity, from 0 to 1 for identical images.

    Raises
    ------
    ValueError
        If the images are not pairs of equal shape, are too small, hold values that are not finite,
        or do not tell the `max_value`.

    See Also
    --------
    psnr : Squared errors, in decibels.

    Notes
    -----
    Means, variances and the covariance are taken in Gaussian windows of 11 by 11 pixels with a
    standard deviation of 1.5 that lie inside the image. With
    :math:`C_1 = (0.01 \, \mathtt{max\_value})^2` and :math:`C_2 = (0.03 \, \mathtt{max\_value})^2`,
    averages over all windows of

    .. math::
        c = \frac{2 \sigma_{xy} + C_2}{\sigma_x^2 + \sigma_y^2 + C_2}
        \quad\text{and}\quad
        l c, \quad l = \frac{2 \mu_x \mu_y + C_1}{\mu_x^2 + \mu_y^2 + C_1}

    are multiplied over the scales, :math:`c` of each but the last and :math:`l c` of the last one,
    raised to the powers 0.0448, 0.2856, 0.3001, 0.2363 and 0.1333. Averages below 0, where noise is
    the negative of what it hides, count as 0. Each scale halves the one before by averages of 2 by
    2 pixels; an odd last row or column is repeated.

    Five scales need a shorter side of 176 pixels. Smaller images get as many scales as leave at
    least a window, that is 4 from 88, 3 from 44, 2 from 22 and 1 from 11 pixels, the first of the
    powers, and these divided by their sum. Compare only values of images of similar sizes.

    Differences close to 1 are easier to read in decibels, ``-10 * log10(1 - ms_ssim)``.

    References
    ----------
    .. [1] Z. Wang, E. P. Simoncelli and A. C. Bovik. "Multiscale structural similarity for image
       quality assessment". Asilomar Conference on Signals, Systems and Computers (2003).

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import ms_ssim
    >>> rng = np.random.default_rng(0)
    >>> image = rng.random((200, 300))
    >>> ms_ssim(image, image)
    1.0
    >>> ms_ssim(image, image + 0.1 * rng.normal(size=image.shape)) < 0.99
    True
    """
    return _mean_over_images(_ms_ssim, X_true, X_pred, max_value)


@validate_params(
    {"streams": [list, tuple, bytes], "X": "no_validation"}, prefer_skip_nested_validation=True
)
def bits_per_pixel(streams: bytes | Sequence[bytes], X: Any) -> float:
    """Length of compressed images relative to their size, the mean over images.

    Parameters
    ----------
    streams : list of bytes, or bytes
        The compressed images, or a single one.
    X : array-like, picture, list of these, or list of tuples
        The images in the same order, as in :func:`psnr`, or a list of their shapes
        (height, width) or (height, width, n_channels).

    Returns
    -------
    float
        Bits per pixel; all channels of a place are one pixel.

    Raises
    ------
    ValueError
        If there are not as many streams as images.
    TypeError
        If a stream is not bytes.

    See Also
    --------
    bd_rate : Difference in bits between two codecs.

    Examples
    --------
    >>> from skae.metrics import bits_per_pixel
    >>> bits_per_pixel([b"1234", b"123456"], [(4, 8, 3), (8, 8, 3)])
    0.875
    """
    streams = [streams] if isinstance(streams, bytes) else streams
    for i, stream in enumerate(streams):
        if not isinstance(stream, bytes):
            raise TypeError(f"streams must be bytes, got {type(stream).__name__} as streams[{i}].")
    sizes = _sizes(X)
    check_same_number(streams, sizes, ("streams", "X"), "images")
    return float(np.mean([8 * len(s) / size for s, size in zip(streams, sizes, strict=True)]))


def _mean_over_images(
    metric: Callable[[NDArray, NDArray, float], float],
    X_true: Any,
    X_pred: Any,
    max_value: float | Literal["auto"],
) -> float:
    """Check the images, and return the mean of the metric."""
    names = ("X_true", "X_pred")
    images_true, images_pred = (
        read_images(X, name).arrays for X, name in zip((X_true, X_pred), names, strict=True)
    )
    check_same_images(images_true, images_pred, names)
    pairs = list(zip(images_true, images_pred, strict=True))
    if max_value == "auto":
        spans = [_span(true, pred, i) for i, (true, pred) in enumerate(pairs)]
        _warn_of_unused_bits(images_true, max(spans))
    else:
        spans = [float(max_value)] * len(pairs)
    values = [
        metric(true.astype(np.float64), pred.astype(np.float64), span)
        for (true, pred), span in zip(pairs, spans, strict=True)
    ]
    return float(np.mean(values))


def _span(true: NDArray, pred: NDArray, i: int) -> float:
    """Return what the greatest value of a pixel must be."""
    if true.dtype == pred.dtype and true.dtype in (np.bool_, np.uint8, np.uint16):
        return 1.0 if true.dtype == np.bool_ else float(np.iinfo(true.dtype).max)
    low, high = float(true.min()), float(true.max())
    if true.dtype.kind == pred.dtype.kind == "f" and low >= 0 and high <= 1:
        return 1.0
    raise ValueError(
        'max_value="auto" needs images that are both uint8, both uint16, both bool, or both floats '
        f"with originals from 0 to 1, got {true.dtype} from {low:g} to {high:g} and {pred.dtype} "
        f"of image {i}: give the max_value."
    )


def _warn_of_unused_bits(images: list[NDArray], span: float) -> None:
    """Warn if whole numbers are so small that they hardly use the span of their dtype."""
    greatest = max(int(image.max()) for image in images)
    if 0 < greatest < _LEAST_SHARE * span and images[0].dtype.kind == "u":
        warnings.warn(
            f"X_true has no value above {greatest}, but the result is relative to {span:g}, the "
            f"span of {images[0].dtype}: give the max_value, such as "
            f"{2 ** greatest.bit_length() - 1}",
            stacklevel=5,
        )


def _psnr(true: NDArray[np.float64], pred: NDArray[np.float64], max_value: float) -> float:
    error = np.mean((true - pred) ** 2)
    return float(10 * np.log10(max_value**2 / error)) if error else np.inf


def _ms_ssim(true: NDArray[np.float64], pred: NDArray[np.float64], max_value: float) -> float:
    side = min(true.shape[:2])
    if side < _WINDOW:
        raise ValueError(
            f"ms_ssim needs images of at least {_WINDOW} by {_WINDOW} pixels, got {true.shape}."
        )
    weights = _WEIGHTS[: (side // _WINDOW).bit_length()]
    similarity = 1.0
    for scale, weight in enumerate(weights / weights.sum()):
        if scale:
            true, pred = _halved(true), _halved(pred)
        luminance, contrast = _luminance_and_contrast(true, pred, max_value)
        last = scale == len(weights) - 1
        means = np.mean(luminance * contrast if last else contrast, axis=(0, 1))
        similarity = similarity * np.maximum(means, 0) ** weight
    return float(np.mean(similarity))


def _luminance_and_contrast(
    x: NDArray[np.float64], y: NDArray[np.float64], max_value: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the similarity of means and that of variances, in each window."""
    mean_x, mean_y = _windowed(x), _windowed(y)
    products = mean_x * mean_y
    squares = mean_x**2 + mean_y**2
    C1, C2 = (_K1 * max_value) ** 2, (_K2 * max_value) ** 2
    covariance = _windowed(x * y) - products
    variances = _windowed(x**2 + y**2) - squares
    return (2 * products + C1) / (squares + C1), (2 * covariance + C2) / (variances + C2)


def _windowed(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted mean of each window that lies inside the image."""
    means = gaussian_filter(x, _SIGMA, radius=_RADIUS, axes=(0, 1))
    return means[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS]


def _halved(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return means of squares of four pixels."""
    height, width = x.shape[:2]
    x = np.pad(x, [(0, height % 2), (0, width % 2)] + [(0, 0)] * (x.ndim - 2), mode="edge")
    return (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4


def _sizes(X: Any) -> list[int]:
    """Return the number of pixels of each image."""
    if isinstance(X, list | tuple) and X and all(isinstance(shape, tuple) for shape in X):
        for i, shape in enumerate(X):
            whole = all(isinstance(n, Integral) and int(n) > 0 for n in shape)
            if len(shape) not in (2, 3) or not whole:
                raise ValueError(
                    "Shapes in X must be (height, width) or (height, width, n_channels), "
                    f"got {shape} as X[{i}]."
                )
        shapes = list(X)
    else:
        shapes = [image.shape for image in read_images(X, "X").arrays]
    return [int(shape[0] * shape[1]) for shape in shapes]
