"""RateDistortionDisplay: what codecs make of images and sounds, at which length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from ..metrics import bits_per_pixel, ms_ssim, psnr, si_sdr
from ._codec import compress_at
from ._common import (
    check_curves,
    draw_curves,
    get_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_METRICS: Mapping[str, tuple[Callable[[Any, Any], float], str]] = {
    "psnr": (psnr, "PSNR [dB]"),
    "ms_ssim": (ms_ssim, "MS-SSIM"),
    "si_sdr": (lambda X, decoded: float(np.mean([*map(si_sdr, X, decoded)])), "SI-SDR [dB]"),
}


class RateDistortionDisplay:
    """Quality of compressed images or sounds over their rate, a curve for each codec.

    Higher and further left is better. It is recommended to use :meth:`from_estimator` or
    :meth:`from_predictions` to create a display. All parameters are stored as attributes.

    Parameters
    ----------
    rates : dict of str to array-like of shape (n_points,)
        Bits per pixel, or whatever `rate_name` says, of each codec at each of its settings, in any
        order; positive.

    quality : dict of str to array-like of shape (n_points,)
        Quality of the same codecs at the same settings. Values that are not finite, such as the
        PSNR of identical images, leave a gap.

    quality_name : str, default="PSNR [dB]"
        Name of the quality, with its unit.

    rate_name : str, default="bits per pixel"
        Name of the rate.

    Attributes
    ----------
    lines_ : dict of str to matplotlib Line2D
        Curve of each codec.

    ax_ : matplotlib Axes
        Axes with the curves.

    figure_ : matplotlib Figure
        Figure containing the curves.

    See Also
    --------
    CompressedImageDisplay : The images themselves.
    skae.metrics.bd_rate : The distance between two curves, in percent of bits.

    Examples
    --------
    >>> from skae.inspection import RateDistortionDisplay
    >>> display = RateDistortionDisplay.from_predictions(
    ...     {"JPEG": [0.25, 0.5, 1.0], "WebP": [0.2, 0.4, 0.8]},
    ...     {"JPEG": [28.0, 31.5, 34.5], "WebP": [28.5, 32.0, 35.0]},
    ... )
    >>> display.ax_.get_xlabel()
    'bits per pixel'
    """

    def __init__(
        self,
        rates: Mapping[str, ArrayLike],
        quality: Mapping[str, ArrayLike],
        *,
        quality_name: str = "PSNR [dB]",
        rate_name: str = "bits per pixel",
    ) -> None:
        self.rates, self.quality = check_curves("codecs", rates=rates, quality=quality)
        self.quality_name, self.rate_name = quality_name, rate_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        qualities: Iterable[Any],
        metric: Literal["auto", "psnr", "ms_ssim", "si_sdr"] | Callable[[Any, Any], float] = "auto",
        sample_rate: float | None = None,
        estimator_name: str | None = None,
        ax: Axes | None = None,
        log_scale: bool | Literal["auto"] = "auto",
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Compress images or sounds at several qualities, decode them, and draw what comes out.

        Parameters
        ----------
        estimator : estimator instance
            Fitted codec with `compress`, which takes signals and a keyword `quality` and returns a
            list of bytes, one for each of them, and `decompress`, which takes that list.

        X : array-like or list of array-likes
            Images, as in :func:`~skae.metrics.psnr`, or sounds, as in
            :func:`~skae.metrics.si_sdr`.

        qualities : iterable
            Settings of the codec, each of which is passed to `compress`.

        metric : {"auto", "psnr", "ms_ssim", "si_sdr"} or callable, default="auto"
            A metric of :mod:`skae.metrics`, of sounds the mean over them, or any function of the
            original and the decoded signals that returns a number. "auto" is "psnr" for images and
            "si_sdr" for sounds.

        sample_rate : float, default=None
            Samples per second of sounds, whose rate is drawn in kbit/s. None for images.

        estimator_name : str, default=None
            Name shown in the legend. If None, the name of the class.

        ax : matplotlib Axes, default=None
            Axes to draw on, such as those of another display. If None, a new figure is made.

        log_scale : bool or "auto", default="auto"
            Whether the axis of bits is logarithmic. "auto" chooses so when they span more than a
            decade.

        line_kwargs : dict, default=None
            Keywords for the curves, passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : RateDistortionDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator has no `compress` or no `decompress`.
        """
        if metric == "auto":
            metric = "psnr" if sample_rate is None else "si_sdr"
        if isinstance(metric, str) and metric not in _METRICS:
            raise ValueError(
                f"metric must be one of {sorted([*_METRICS, 'auto'])} or callable, got {metric!r}."
            )
        if sample_rate is not None and not sample_rate > 0:
            raise ValueError(f"sample_rate={sample_rate} must be positive.")

        def rate_of(streams: Any) -> float:
            if sample_rate is None:
                return bits_per_pixel(streams, X)
            return sum(map(len, streams)) / 125 / (sum(map(len, X)) / sample_rate)

        name = getattr(metric, "__name__", "quality")
        measure, quality_name = _METRICS.get(metric, (metric, name))
        points = [
            (rate_of(streams), measure(X, decoded))
            for streams, decoded in compress_at(estimator, X, qualities)
        ]
        rates, quality = np.reshape(points, (-1, 2)).T
        name = type(estimator).__name__ if estimator_name is None else estimator_name
        return cls.from_predictions(
            {name: rates},
            {name: quality},
            quality_name=quality_name,
            rate_name="bits per pixel" if sample_rate is None else "kbit/s",
            ax=ax,
            log_scale=log_scale,
            line_kwargs=line_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        rates: Mapping[str, ArrayLike],
        quality: Mapping[str, ArrayLike],
        *,
        quality_name: str = "PSNR [dB]",
        rate_name: str = "bits per pixel",
        ax: Axes | None = None,
        log_scale: bool | Literal["auto"] = "auto",
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw what was measured.

        Parameters
        ----------
        rates : dict of str to array-like of shape (n_points,)
            Bits per pixel, or whatever `rate_name` says, of each codec at each of its settings, in
            any order; positive.

        quality : dict of str to array-like of shape (n_points,)
            Quality of the same codecs at the same settings.

        quality_name : str, default="PSNR [dB]"
            Name of the quality, with its unit.

        rate_name : str, default="bits per pixel"
            Name of the rate.

        ax : matplotlib Axes, default=None
            Axes to draw on, such as those of another display. If None, a new figure is made.

        log_scale : bool or "auto", default="auto"
            Whether the axis of bits is logarithmic. "auto" chooses so when they span more than a
            decade.

        line_kwargs : dict, default=None
            Keywords for the curves, passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : RateDistortionDisplay
            The display, drawn.
        """
        return cls(rates, quality, quality_name=quality_name, rate_name=rate_name).plot(
            ax, log_scale=log_scale, line_kwargs=line_kwargs
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        log_scale: bool | Literal["auto"] = "auto",
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on, such as those of another display. If None, a new figure is made.

        log_scale : bool or "auto", default="auto"
            Whether the axis of bits is logarithmic. "auto" chooses so when they span more than a
            decade.

        line_kwargs : dict, default=None
            Keywords for the curves, passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : RateDistortionDisplay
            The display itself.
        """
        ax = get_axes(ax, f"{type(self).__name__}.plot")
        self.lines_ = draw_curves(ax, self.rates, self.quality, log_scale, line_kwargs)
        ax.set(xlabel=self.rate_name, ylabel=self.quality_name)
        self.ax_, self.figure_ = ax, ax.figure
        return self
