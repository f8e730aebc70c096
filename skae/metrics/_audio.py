"""Decoded recordings against their originals: by samples, frame by frame, and by spectra."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, validate_params

from ._recordings import checked_pair, frame_length, spectra

_LEAST_RATIO, _GREATEST_RATIO = -10.0, 35.0  # dB, of a frame

_POSITIVE = Interval(Real, 0, None, closed="neither")
_PAIR: dict = {"X_true": "no_validation", "X_pred": "no_validation"}
_FRAMED: dict = {
    **_PAIR,
    "sample_rate": [_POSITIVE],
    "frame_ms": [_POSITIVE],
    "active_db": [_POSITIVE],
}


@validate_params(_PAIR, prefer_skip_nested_validation=True)
def si_sdr(X_true: Any, X_pred: Any) -> float:
    r"""Scale-invariant signal-to-distortion ratio in decibels.

    Parameters
    ----------
    X_true : array-like of shape (n_samples,) or (n_samples, n_channels)
        The original recording, of int16, int32 or floats.
    X_pred : array-like of the same shape
        The decoded recording, aligned with it; its dtype may be another one.

    Returns
    -------
    float
        The ratio in dB, higher is better: infinite if the decoded recording is the original times
        a number, minus infinity if it has nothing of the original.

    Raises
    ------
    ValueError
        If the shapes differ, a recording has no samples or values that are not finite, a dtype is
        another one, or the original is silent.

    See Also
    --------
    segmental_snr : The ratio of each short frame, without a free scale.
    log_spectral_distance : Does not ask for the same waveform.

    Notes
    -----
    With the original :math:`x` and the decoded :math:`y` as vectors of all samples [1]_,

    .. math::
        10 \log_{10} \frac{\lVert a x \rVert^2}{\lVert y - a x \rVert^2}
        \quad\text{with}\quad
        a = \frac{\langle x, y \rangle}{\lVert x \rVert^2} .

    Means are not subtracted. All channels share one scale :math:`a`, because their balance is a
    part of the recording; so a silent channel is no special case.

    Codecs that keep the sound but not the waveform, as Opus and all that decode noise, get low
    values that tell nothing about how they are heard.

    References
    ----------
    .. [1] J. Le Roux, S. Wisdom, H. Erdogan and J. R. Hershey. "SDR - half-baked or well done?".
       ICASSP (2019).

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import si_sdr
    >>> time = np.arange(8000) / 8000
    >>> tone, other = np.sin(2 * np.pi * 440 * time), np.sin(2 * np.pi * 550 * time)
    >>> round(si_sdr(tone, 0.5 * (tone + 0.1 * other)), 2)
    20.0
    """
    true, pred = checked_pair(X_true, X_pred)
    if not pred.any():
        return -np.inf
    # Squares of very small or very large floats would leave the range of float64.
    true, pred = (X / np.abs(X).max() for X in (true, pred))
    target = np.vdot(true, pred) / np.vdot(true, true) * true
    with np.errstate(divide="ignore"):
        ratio = np.vdot(target, target) / np.sum((pred - target) ** 2)
        return float(10 * np.log10(ratio))


@validate_params(_FRAMED, prefer_skip_nested_validation=True)
def segmental_snr(
    X_true: Any,
    X_pred: Any,
    sample_rate: float,
    *,
    frame_ms: float = 20.0,
    active_db: float = 40.0,
) -> float:
    r"""Signal-to-noise ratio in decibels of short frames, the mean over frames.

    Parameters
    ----------
    X_true : array-like of shape (n_samples,) or (n_samples, n_channels)
        The original recording, of int16, int32 or floats. Whole numbers are divided by
        :math:`2^{15}` or :math:`2^{31}`, so that they can be compared with floats.
    X_pred : array-like of the same shape
        The decoded recording, aligned with it; its dtype may be another one.
    sample_rate : float
        Samples per second, in Hz.
    frame_ms : float, default=20.0
        Length of a frame in milliseconds. Frames do not overlap, and an incomplete last one does
        not count.
    active_db : float, default=40.0
        Frames of the original count whose energy is at most that many decibels below the one with
        the most.

    Returns
    -------
    float
        The ratio in dB, from -10 to 35; higher is better.

    Raises
    ------
    ValueError
        If the shapes differ, a recording is shorter than a frame or has values that are not finite,
        a dtype is another one, the original is silent, or a frame is shorter than a sample.

    See Also
    --------
    si_sdr : One ratio of the whole recording.

    Notes
    -----
    With the samples :math:`x_f` of frame :math:`f`, of one channel, in the original and
    :math:`y_f` in the decoded recording, the mean over all :math:`f` that count of

    .. math::
        \min\left(35, \max\left(-10,
        10 \log_{10} \frac{\lVert x_f \rVert^2}{\lVert y_f - x_f \rVert^2} \right)\right) .

    Frames are held within -10 and 35 dB, as is usual [1]_: beyond these, differences are not
    heard. Frames of all channels are compared with the same loudest one.

    References
    ----------
    .. [1] J. H. L. Hansen and B. L. Pellom. "An effective quality evaluation protocol for speech
       enhancement algorithms". ICSLP (1998).

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import segmental_snr
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> round(segmental_snr(tone, 0.9 * tone, sample_rate=16000), 2)
    20.0
    """
    true, pred = checked_pair(X_true, X_pred)
    length = frame_length(frame_ms, sample_rate, len(true))

    def energies(X: NDArray[np.float64]) -> NDArray[np.float64]:
        whole = X[: len(X) // length * length]
        return np.sum(np.square(whole).reshape(-1, length, X.shape[1]), axis=1)

    signal, noise = energies(true), energies(pred - true)
    loudest = signal.max()
    if loudest == 0:
        raise ValueError("X_true must not be silent in all frames, got zeros only.")
    counts = signal >= loudest * 10 ** (-active_db / 10)
    counts &= signal > 0  # of the smallest floats, the threshold itself may be 0
    with np.errstate(divide="ignore"):
        ratios = 10 * (np.log10(signal[counts]) - np.log10(noise[counts]))
    return float(np.mean(np.clip(ratios, _LEAST_RATIO, _GREATEST_RATIO)))


@validate_params(
    {**_FRAMED, "hop_ms": [_POSITIVE, None], "floor_db": [Interval(Real, None, 0, closed="left")]},
    prefer_skip_nested_validation=True,
)
def log_spectral_distance(
    X_true: Any,
    X_pred: Any,
    sample_rate: float,
    *,
    frame_ms: float = 32.0,
    hop_ms: float | None = None,
    floor_db: float = -100.0,
    active_db: float = 40.0,
) -> float:
    r"""Distance of short-time spectra in decibels, the mean over frames.

    Parameters
    ----------
    X_true : array-like of shape (n_samples,) or (n_samples, n_channels)
        The original recording, of int16, int32 or floats. Whole numbers are divided by
        :math:`2^{15}` or :math:`2^{31}`; floats have a full scale of 1.
    X_pred : array-like of the same shape
        The decoded recording, aligned with it; its dtype may be another one.
    sample_rate : float
        Samples per second, in Hz.
    frame_ms : float, default=32.0
        Length of a frame in milliseconds.
    hop_ms : float, default=None
        Milliseconds from one frame to the next, at most `frame_ms`; by default half of that.
    floor_db : float, default=-100.0
        An amplitude in decibels below full scale that is added to all amplitudes, so that
        differences between what nobody hears do not count. The default is a third of a step of
        int16.
    active_db : float, default=40.0
        Frames of the original count whose strongest frequency is at most that many decibels below
        the strongest of all.

    Returns
    -------
    float
        The distance in dB, 0 for identical recordings; lower is better.

    Raises
    ------
    ValueError
        If the shapes differ, a recording is shorter than a frame or has values that are not finite,
        a dtype is another one, the original is silent, a frame has fewer than 2 samples, or the hop
        is shorter than a sample or longer than a frame.

    See Also
    --------
    si_sdr : Asks for the same waveform.

    Notes
    -----
    The amplitude :math:`|X_{fk}|` of frame :math:`f` at frequency :math:`k` is that of the discrete
    Fourier transform under a Hann window whose values sum to 1, so that a sine of full scale has
    .5. Half a frame of zeros is put before and after the recording, and zeros that complete the
    last frame. With the floor :math:`c = 10^{\mathtt{floor\_db} / 20}`, the distance is the mean
    over all :math:`f` that count, of all channels, of [1]_

    .. math::
        \sqrt{\frac{1}{K} \sum_{k=1}^{K}
        \left(20 \log_{10} \frac{|X_{fk}| + c}{|Y_{fk}| + c}\right)^2} .

    A codec that leaves frequencies out, and writes zeros, is punished by up to the distance of
    these to the floor. Compare only values with equal frames, hop and floor.

    References
    ----------
    .. [1] L. R. Rabiner and B.-H. Juang. "Fundamentals of speech recognition". Prentice Hall
       (1993), section 4.5.

    Examples
    --------
    >>> import numpy as np
    >>> from skae.metrics import log_spectral_distance
    >>> noise = np.random.default_rng(0).normal(scale=0.1, size=16000)
    >>> round(log_spectral_distance(noise, 0.5 * noise, sample_rate=16000), 1)
    6.0
    """
    true, pred = checked_pair(X_true, X_pred)
    length = frame_length(frame_ms, sample_rate, len(true), least=2)
    hop = length // 2 if hop_ms is None else round(hop_ms * sample_rate / 1000)
    if not 1 <= hop <= length:
        raise ValueError(
            f"hop_ms must be from 1 to the {length} samples of a frame, got {hop_ms} ms, "
            f"{hop} samples at {sample_rate:g} Hz."
        )
    floor = 10 ** (floor_db / 20)
    peaks, distances = [], []
    for channel in range(true.shape[1]):
        both = (spectra(X[:, channel], length, hop) for X in (true, pred))
        for S_true, S_pred in zip(*both, strict=True):
            difference = 20 * (np.log10(S_true + floor) - np.log10(S_pred + floor))
            peaks.append(S_true.max(axis=1))
            distances.append(np.sqrt(np.mean(difference**2, axis=1)))
    strongest = np.concatenate(peaks)
    counts = strongest > strongest.max() * 10 ** (-active_db / 20)
    return float(np.mean(np.concatenate(distances)[counts]))
