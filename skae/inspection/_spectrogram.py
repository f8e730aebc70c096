"""SpectrogramDisplay: what a codec leaves of a recording, over time and frequency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..metrics._recordings import checked_pair, frame_length, spectra
from ._common import add_panels, get_axes, merge_style, three_digits
from ._panel_grid import lay_out

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PANEL, _GAP = (6.2, 1.55), (0.0, 0.34)  # inches; the gap holds a title
_OVERLAP = 4  # frames that a sample is in, as far as the picture is wide enough to show it
_MOST_FRAMES = 1500
_GREATEST_DIFFERENCE = 30.0  # dB


class SpectrogramDisplay:
    """Spectrograms of a recording, of its decoded version, and their difference in decibels.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to create a display.
    All parameters are stored as attributes.

    Parameters
    ----------
    recording : array-like of shape (n_samples,) or (n_samples, n_channels)
        The original, of int16, int32 or floats; floats have a full scale of 1.

    decoded : array-like of the same shape
        Its decoded version.

    sample_rate : float
        Samples per second, in Hz.

    name : str, default="decoded"
        Title of the decoded version.

    frame_ms : float, default=32.0
        Length of a frame in milliseconds: long ones tell tones apart, short ones beats.

    dynamic_range : float, default=80.0
        Decibels from the strongest amplitude of the original to the weakest that is drawn. What is
        weaker counts as that, in the difference, too.

    Attributes
    ----------
    levels_ : ndarray of shape (2, n_frequencies, n_frames)
        Amplitudes of the original and of the decoded version in decibels below full scale; of
        several channels, the root of their mean square.

    images_ : ndarray of shape (3,) of matplotlib AxesImage
        The original, the decoded version, and the difference.

    axes_ : ndarray of shape (3,) of matplotlib Axes
        Their axes.

    ax_ : matplotlib Axes
        Axes in whose place they are.

    figure_ : matplotlib Figure
        Figure containing them.

    See Also
    --------
    RateDistortionDisplay : Rates and qualities, as curves.
    skae.metrics.log_spectral_distance : The difference as a number.

    Examples
    --------
    >>> import numpy as np
    >>> from skae.inspection import SpectrogramDisplay
    >>> time = np.arange(8000) / 8000
    >>> chirp = 0.5 * np.sin(2 * np.pi * 1500 * time**2)
    >>> display = SpectrogramDisplay.from_predictions(chirp, np.round(16 * chirp) / 16, 8000)
    >>> display.levels_.shape
    (2, 129, 126)
    """

    def __init__(
        self,
        recording: ArrayLike,
        decoded: ArrayLike,
        sample_rate: float,
        *,
        name: str = "decoded",
        frame_ms: float = 32.0,
        dynamic_range: float = 80.0,
    ) -> None:
        self.recording, self.decoded = recording, decoded
        self.sample_rate, self.frame_ms = sample_rate, frame_ms
        self.name, self.dynamic_range = name, dynamic_range

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        recording: ArrayLike,
        sample_rate: float,
        *,
        quality: Any,
        frame_ms: float = 32.0,
        dynamic_range: float = 80.0,
        ax: Axes | None = None,
        image_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Compress a recording, decode it, and draw what comes out.

        Parameters
        ----------
        estimator : estimator instance
            Fitted codec with `compress`, which takes a list of recordings and a keyword `quality`
            and returns a list of bytes, and `decompress`, which takes that list.

        recording : array-like of shape (n_samples,) or (n_samples, n_channels)
            The original, of int16, int32 or floats.

        sample_rate : float
            Samples per second, in Hz.

        quality : object
            Setting of the codec, which is passed to `compress`.

        frame_ms : float, default=32.0
            Length of a frame in milliseconds.

        dynamic_range : float, default=80.0
            Decibels from the strongest amplitude of the original to the weakest that is drawn.

        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        image_kwargs : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.imshow` for the two spectrograms.

        Returns
        -------
        display : SpectrogramDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator has no `compress` or no `decompress`.
        """
        if not (hasattr(estimator, "compress") and hasattr(estimator, "decompress")):
            raise TypeError(
                f"estimator must have compress and decompress; {type(estimator).__name__} has not."
            )
        recording = np.asarray(recording)
        streams = estimator.compress([recording], quality=quality)
        kbps = 8 * len(streams[0]) / (len(recording) / sample_rate) / 1000
        return cls.from_predictions(
            recording,
            estimator.decompress(streams)[0],
            sample_rate,
            name=f"quality {quality}, {three_digits(kbps)} kbit/s",
            frame_ms=frame_ms,
            dynamic_range=dynamic_range,
            ax=ax,
            image_kwargs=image_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        recording: ArrayLike,
        decoded: ArrayLike,
        sample_rate: float,
        *,
        name: str = "decoded",
        frame_ms: float = 32.0,
        dynamic_range: float = 80.0,
        ax: Axes | None = None,
        image_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the given recordings.

        Parameters
        ----------
        recording : array-like of shape (n_samples,) or (n_samples, n_channels)
            The original, of int16, int32 or floats.

        decoded : array-like of the same shape
            Its decoded version.

        sample_rate : float
            Samples per second, in Hz.

        name : str, default="decoded"
            Title of the decoded version.

        frame_ms : float, default=32.0
            Length of a frame in milliseconds.

        dynamic_range : float, default=80.0
            Decibels from the strongest amplitude of the original to the weakest that is drawn.

        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        image_kwargs : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.imshow` for the two spectrograms.

        Returns
        -------
        display : SpectrogramDisplay
            The display, drawn.
        """
        display = cls(
            recording,
            decoded,
            sample_rate,
            name=name,
            frame_ms=frame_ms,
            dynamic_range=dynamic_range,
        )
        return display.plot(ax, image_kwargs=image_kwargs)

    def plot(
        self, ax: Axes | None = None, *, image_kwargs: Mapping[str, Any] | None = None
    ) -> Self:
        """Draw the recording, its decoded version, and their difference.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes whose place the picture takes. If None, a new figure is made.

        image_kwargs : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.imshow` for the two spectrograms, such as
            `cmap`, `vmin` and `vmax`.

        Returns
        -------
        display : SpectrogramDisplay
            The display itself.

        Raises
        ------
        ValueError
            If the recordings differ in shape, are shorter than a frame, have values that are not
            finite or another dtype, or the original is silent.
        """
        self.levels_ = self._levels()
        strongest = self.levels_[0].max()
        weakest = strongest - self.dynamic_range
        difference = np.subtract(*np.maximum(self.levels_, weakest)[::-1])
        whole, places = lay_out(3, 1, _PANEL, _GAP)
        ax = get_axes(ax, f"{type(self).__name__}.plot", (whole[0] + 1.5, whole[1] + 0.8))
        from matplotlib.image import AxesImage

        style = merge_style(
            AxesImage, {"cmap": "magma", "vmin": weakest, "vmax": strongest}, image_kwargs
        )
        change = {"cmap": "RdBu_r", "vmin": -_GREATEST_DIFFERENCE, "vmax": _GREATEST_DIFFERENCE}
        pictures = [
            ("original", self.levels_[0], style, "dB of full scale"),
            (self.name, self.levels_[1], style, "dB of full scale"),
            ("decoded less original", difference, change, "dB"),
        ]
        self.axes_ = add_panels(ax, places, share_y=True)
        self.images_ = np.array(
            [self._draw(panel, *each) for panel, each in zip(self.axes_, pictures, strict=True)],
            dtype=object,
        )
        for panel in self.axes_[:-1]:
            panel.tick_params(labelbottom=False)
        self.axes_[-1].set_xlabel("time (s)")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _levels(self) -> NDArray[np.float64]:
        """Return amplitudes in dB below full scale, frequencies x frames, of both recordings."""
        pair = checked_pair(self.recording, self.decoded, names=("recording", "decoded"))
        n_samples, n_channels = pair[0].shape
        length = frame_length(self.frame_ms, self.sample_rate, n_samples, least=2)
        hop = max(length // _OVERLAP, n_samples // _MOST_FRAMES, 1)
        powers = [
            sum(np.concatenate([*spectra(X[:, c], length, hop)]) ** 2 for c in range(n_channels))
            for X in pair
        ]
        # Below the weakest float of 32 bits, so that digital silence has a level.
        return 10 * np.log10(np.array(powers).swapaxes(1, 2) / n_channels + 1e-45)

    def _draw(
        self, panel: Axes, title: str, levels: NDArray, style: Mapping[str, Any], unit: str
    ) -> Any:
        highest = self.sample_rate / 2
        scale, hertz = (1000, "kHz") if highest >= 2000 else (1, "Hz")
        image = panel.imshow(
            levels,
            origin="lower",
            aspect="auto",
            extent=(0, len(np.asarray(self.recording)) / self.sample_rate, 0, highest / scale),
            **style,
        )
        panel.set_title(title, loc="left", fontsize="medium", pad=3)
        panel.set_ylabel(hertz)
        bar = panel.inset_axes((1.015, 0, 0.018, 1))
        panel.figure.colorbar(image, cax=bar, label=unit)
        return image
