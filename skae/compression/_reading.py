"""How compressors of every medium read streams."""

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..coding import MAX_VALUES, BaseStreams
from ._datasets import CompressedDataset


def checked_streams(streams: Sequence[bytes]) -> Sequence[bytes]:
    """Return a list of streams, or raise an error if it is a single one, or empty."""
    if isinstance(streams, bytes | bytearray | memoryview):
        raise TypeError("streams must be a list of bytes, got bytes; pass [stream]")
    if not len(streams):
        raise ValueError("streams holds no stream, at least 1 is required")
    return streams


class ReadsStreams:
    """Mixin of estimators that read streams: one by one, as a data set, and in parts."""

    _codec: Any
    _form: Any

    @property
    def _streams(self) -> BaseStreams:
        """What reads streams."""
        raise NotImplementedError

    def decompress(
        self,
        streams: Sequence[bytes],
        *,
        region: tuple[slice, ...] | None = None,
        realism: float | None = None,
        max_values: int = MAX_VALUES,
    ) -> Any:
        """Read signals.

        Parameters
        ----------
        streams : list of bytes
            What :meth:`compress` has returned.
        region : tuple of slices, default=None
            The part of each axis that is wanted: of images, the rows and the columns. Only the
            chunks that hold it are decoded. None for all.
        realism : float, default=None
            From 0, the most faithful, to 1, with all that the model has learned to draw in place of
            what rounding erases: texture of images, noise of sounds. None is 1 for a model that was
            fitted with ``adversarial=True``, else 0.
        max_values : int, default=2**30
            How many bytes all signals may have: protection against hostile streams.

        Returns
        -------
        ndarray or list of ndarray
            Signals, in the form of the training data.

        Raises
        ------
        BitstreamError
            If a stream was changed, or written by another model.
        """
        check_is_fitted(self)
        realism = self._checked_realism(realism)
        arrays: list[np.ndarray] = []
        n_bytes = 0
        for stream in checked_streams(streams):
            signals = self._streams.read(
                stream, max_values, realism=realism, region=region, n_before=n_bytes
            )
            arrays.extend(signals)
            n_bytes += sum(signal.nbytes for signal in signals)
        return self._form.restored(arrays)

    def decompress_dataset(
        self,
        stream: bytes,
        indices: Any = None,
        *,
        realism: float | None = None,
        max_values: int = MAX_VALUES,
    ) -> Any:
        """Read signals of a data set.

        Parameters
        ----------
        stream : bytes
            What :meth:`compress_dataset` has returned.
        indices : int, slice or array-like of int or bool, default=None
            Which signals; None for all. Only the chunks that hold them are decoded, but all are
            checked; :meth:`open_dataset` does without.
        realism : float, default=None
            As in :meth:`decompress`.
        max_values : int, default=2**30
            How many bytes these signals may have.

        Returns
        -------
        ndarray or list of ndarray
            Signals, in the form of the training data.

        Raises
        ------
        BitstreamError
            If the stream was changed, or written by another model.
        """
        check_is_fitted(self)
        realism = self._checked_realism(realism)
        return self._form.restored(
            self._streams.read(stream, max_values, indices=indices, realism=realism)
        )

    def open_dataset(
        self, source: Any, *, realism: float | None = None, max_values: int = MAX_VALUES
    ) -> CompressedDataset:
        """Return signals of a data set as something that looks like an array, and stays compressed.

        Parameters
        ----------
        source : path, bytes, memoryview, mmap or another buffer
            What :meth:`compress_dataset` has returned, or the name of a file that holds it, which
            is mapped into memory.
        realism : float, default=None
            As in :meth:`decompress`.
        max_values : int, default=2**30
            How many bytes signals may have that are read at once; the data set may have any number.

        Returns
        -------
        CompressedDataset
            Has a length, and takes whole numbers, slices and arrays of whole numbers in brackets.

        Raises
        ------
        BitstreamError
            If it is no data set of this model. Chunks are checked when they are first read.
        """
        check_is_fitted(self)
        return CompressedDataset(self, source, realism, max_values)

    def _checked_realism(self, realism: float | None) -> float:
        has_texture = self._codec.network.has_texture
        if realism is None:
            return float(has_texture)
        if isinstance(realism, bool) or not (isinstance(realism, Real) and 0 <= realism <= 1):
            raise ValueError(f"realism={realism!r} must be a number between 0 and 1")
        if realism > 0 and not has_texture:
            raise ValueError(
                f"realism={realism} needs a model that draws what is lost: one that was fitted "
                "with adversarial=True"
            )
        return float(realism)
