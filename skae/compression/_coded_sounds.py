"""What a fitted compressor of sounds does with them."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from .._base import checked_codes
from .._settings import inference
from ..coding import MAX_VALUES, BitstreamError
from ._audio_decoder import AudioDecoder
from ._audio_encoder import AudioEncoder
from ._audio_streams import span_of
from ._compressor import BaseCompressor
from ._reading import checked_streams
from ._signals import full_scale


class CodesSounds(BaseCompressor):
    """Base of the compressor of sounds: streams of whole sounds, of parts, and of those that go on.

    The estimator says in :meth:`_streams_of` what writes and reads them.
    """

    sample_rate_: float
    hop_length_: int
    _sets_are_equal = False

    def compress(
        self,
        X: Any,
        *,
        quality: float | None = None,
        target_kbps: float | None = None,
        target_snr: float | None = None,
    ) -> list[bytes]:
        """Write each signal as a byte string.

        Parameters
        ----------
        X : list of array-likes, or array-like of shape (n_signals, n_samples[, n_channels])
            Signals, in any form that :meth:`fit` takes.
        quality : float, default=None
            From 0, few bits, to 100, high fidelity; None takes that of the estimator.
        target_kbps : float, default=None
            Instead of a quality: the best one with at most so many thousand bits per second, for
            each signal.
        target_snr : float, default=None
            Instead of a quality: the least one with a signal-to-noise ratio of at least so many
            decibels, for each signal.

        Returns
        -------
        list of bytes
            A stream for each signal. If no quality meets a target, the one that comes closest, and
            a warning says what was reached.
        """
        targets = {
            "target_kbps": (target_kbps, self._kbps, "kbit/s", True),
            "target_snr": (target_snr, self._snr, "dB", False),
        }
        return self._compressed(X, quality, targets)

    def _kbps(self, array: np.ndarray, stream: bytes) -> float:
        return len(stream) / 125 / (len(array) / self.sample_rate_)

    def _snr(self, array: np.ndarray, stream: bytes) -> float:
        full = full_scale(array.dtype)
        errors = (self._streams.read(stream)[0] - array.astype(np.float64)) / full
        noise = float(np.square(errors).sum())
        signal = float(np.square(array / full).sum())
        return 10 * math.log10(signal / noise) if noise and signal else math.inf

    def decompress(
        self,
        streams: Sequence[bytes],
        *,
        start: int | None = None,
        stop: int | None = None,
        realism: float | None = None,
        errors: str = "raise",
        max_values: int = MAX_VALUES,
    ) -> Any:
        """Read signals.

        Parameters
        ----------
        streams : list of bytes
            What :meth:`compress` has returned.
        start, stop : int, default=None
            The samples that are wanted, as in a slice; only the segments that hold them are
            decoded. None for all.
        realism : float, default=None
            From 0, the most faithful, to 1, with all that the model has learned to draw in place of
            what rounding erases. None is 1 for a model that was fitted with ``adversarial=True``,
            else 0.
        errors : {"raise", "conceal"}, default="raise"
            What becomes of segments that are damaged or missing: an error, or silence.
        max_values : int, default=2**30
            How many bytes all signals may have: protection against hostile streams.

        Returns
        -------
        ndarray or list of ndarray
            Signals, in the form of the training data and the dtype that they had.

        Raises
        ------
        BitstreamError
            If a stream was changed, or written by another model.
        """
        if errors not in ("raise", "conceal"):
            raise ValueError(f"errors={errors!r} must be 'raise' or 'conceal'")
        region = slice(start, stop)
        if errors == "raise":
            both = {"realism": realism, "max_values": max_values}
            return super().decompress(streams, region=region, **both)
        check_is_fitted(self)
        realism = self._checked_realism(realism)
        arrays: list[np.ndarray] = []
        for stream in checked_streams(streams):
            left = max_values - sum(array.nbytes for array in arrays)
            decoder = AudioDecoder(self._streams, False, errors, left, realism)
            array = np.concatenate([decoder.push(stream), decoder.flush()])
            if not len(array):
                raise BitstreamError("nothing is left of the stream but its header")
            first, last = span_of(region, len(array))
            arrays.append(array[first:last])
        return self._form.restored(arrays)

    def encoder(self, quality: float | None = None) -> AudioEncoder:
        """Return what writes a signal piece by piece.

        Parameters
        ----------
        quality : float, default=None
            From 0, few bits, to 100, high fidelity; None takes that of the estimator.

        Returns
        -------
        AudioEncoder
            ``push(samples)`` and ``flush()`` return bytes. Together they are what :meth:`compress`
            writes of the whole sound, unless that are the samples themselves, because coding would
            take more: once a segment is written there is no way back, and a sound that is nothing
            like the training data may take more than its samples, at most 8 bytes for each
            coefficient and each level of a band.

        Raises
        ------
        ValueError
            By `push`, if samples have other channels than the training data, another dtype than
            those before, or are not finite.
        """
        check_is_fitted(self)
        return AudioEncoder(self._streams, self._number(quality))

    def decoder(self, *, realism: float | None = None, errors: str = "raise") -> AudioDecoder:
        """Return what reads a signal piece by piece.

        Parameters
        ----------
        realism : float, default=None
            As in :meth:`decompress`.
        errors : {"raise", "conceal"}, default="raise"
            What becomes of segments that are damaged or missing: an error, or silence.

        Returns
        -------
        AudioDecoder
            ``push(stream)`` and ``flush()`` return samples.

        Raises
        ------
        BitstreamError
            By `push`, if the stream is of another model, rate or number of channels, or damaged; by
            `flush`, if it is not at its end.
        """
        check_is_fitted(self)
        realism = self._checked_realism(realism)
        return AudioDecoder(self._streams, self._form.is_flat, errors, realism=realism)

    @inference()
    def inverse_transform(self, X: Any) -> Any:
        """Return the signals of codes that were not rounded.

        Parameters
        ----------
        X : array-like of shape (n_signals, n_coefficients)
            What :meth:`transform` returns for signals of the training signals' length.

        Returns
        -------
        ndarray or list of ndarray
            Signals, in the form of the training data, as floats.

        Raises
        ------
        ValueError
            If the training signals had different lengths.
        """
        check_is_fitted(self)
        if self._shape is None:
            raise ValueError(
                "inverse_transform needs training signals of one length; decompress reads signals "
                "of any"
            )
        Z = checked_codes(self, X)
        streams, network, h = self._streams, self._codec.network, self.hop_length_
        y = torch.from_numpy(Z.astype(np.float32)).reshape(len(Z), -1, network.n_columns, 1)
        x = network.unrounded(y)[:, h : h + self._shape[0]]
        return self._form.restored(streams.unscaled(x, np.dtype(self._dtype_of_codes(Z))))

    def _dtype_of_codes(self, Z: np.ndarray) -> Any:
        dtype = self._form.dtype
        return dtype if dtype.kind == "i" else Z.dtype
