"""What compressors of every medium share: contexts, tables, streams, the search for a quality."""

import copy
import math
from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import GradientNormClipping
from torch import nn

from .._base import NetEstimator, PlainFit
from .._settings import default_settings, inference
from ..coding import N_NUMBERS, N_PER_LEVEL, BaseStreams, Codec
from ..networks import BIT_WEIGHT
from ..training import AutoencoderNet
from ._reading import ReadsStreams
from ._signal_rows import SignalRows
from ._targets import Target
from ._texture_game import Game, trained_sharpener

VALUES_TO_COUNT = 2**24
_LARGEST_RATIO = 2.0**30
_CLIPPING = GradientNormClipping(1.0)


class BaseCompressor(
    ReadsStreams, PlainFit, ClassNamePrefixFeaturesOutMixin, TransformerMixin, NetEstimator
):
    """Base of the estimators that write signals as short byte strings.

    A medium says in :meth:`_checked` what signals are: an object with `arrays`, one for each signal
    with its channels last, `are_equal`, `dtype`, and `restored` for the way back to the form that
    they came in. It is kept as `_form`, without its arrays' values. :meth:`_streams_of` says how
    signals become streams, and the training rows are SignalRows.
    """

    _parameter_constraints: dict = {
        **NetEstimator._parameter_constraints,
        "quality": [Interval(Real, 0, 100, closed="both")],
    }
    _derived_attributes = (*NetEstimator._derived_attributes, "_codec")
    _values_to_learn = 2**26  # that contexts are fitted to
    _game: Game  # that teaches to draw what rounding erases
    _takes_valid = False  # they would have to be decoded as X is
    _sets_are_equal = True  # the signals of a data set have one shape
    _changeable = NetEstimator._changeable | {"quality", "adversarial_steps"}

    @abstractmethod
    def _streams_of(self, codec: Codec, *fingerprints: Any) -> BaseStreams:
        """Return what writes and reads streams; it computes the fingerprint if none is given."""

    @abstractmethod
    def compress(self, X: Any, *, quality: float | None = None) -> list[bytes]:
        """Write each signal as a byte string."""

    # ------------------------------------------------------------------ fit

    def _training_params(self) -> dict[str, Any]:
        params = super()._training_params()
        return {
            "iterator_valid__batch_size": self.batch_size,
            **params,
            "callbacks": [_CLIPPING, *params["callbacks"]],
        }

    def _adapt(self, X: Any) -> None:
        n_channels = self._form.arrays[0].shape[-1]
        for other in {array.shape[-1] for array in X.arrays} - {n_channels}:
            raise ValueError(
                f"X has signals of {other} channels, but the network that warm_start=True goes on "
                f"with was trained on {n_channels}"
            )

    def _frozen(self, net: AutoencoderNet, rows: SignalRows) -> Codec:
        """Set contexts and tables, which training has no part in."""
        generator = torch.Generator().manual_seed(net.generator.initial_seed())
        some = rows.some(self._values_to_learn, generator)
        trained: Any = net.averaged_module_
        if not (largest := float(some.abs().max()) / trained.span) < _LARGEST_RATIO:
            low, span = self._range
            raise ValueError(
                f"X has values up to {low + span * largest:.3g}, too large to compute with; those "
                f"of the first training data lie between {low:.3g} and {low + span:.3g}"
            )
        some = trained.varied(some)
        few = some[: max(1, VALUES_TO_COUNT // some[0].numel())].clone()
        y = trained.grid(some)
        del some  # it is as large
        trained.fit_contexts_to(y)
        del y
        codec = Codec(network_of(trained))
        grid = codec.network.grid(few.cpu().float())
        return codec.learned([grid], range(0, N_NUMBERS, N_PER_LEVEL))

    def _finish(self, net: AutoencoderNet, rows: Any, y: Any) -> dict[str, Any]:
        codec = rows.codec
        if codec is None:
            codec = self._frozen(net, rows)
        else:
            codec.network.load_state_dict(net.averaged_module_.state_dict())
        self._polish(net, rows, codec)
        return self._coding_attributes(codec)

    def _polish(self, net: AutoencoderNet, rows: SignalRows, codec: Codec) -> None:
        """Train the sharpener, which comes after decoding, if there is one."""
        trained: Any = net.averaged_module_
        if trained.sharpener is None:
            return
        rows = self._played(net, rows, codec)
        sharpener = trained_sharpener(self._game, net, rows, self.adversarial_steps, self.dtype)
        for network in (trained, net.module_, codec.network):
            network.sharpener.load_state_dict(sharpener.state_dict())

    def _played(self, net: AutoencoderNet, rows: SignalRows, codec: Codec) -> SignalRows:
        """Return what the sharpener learns from."""
        return rows.source

    def _coding_attributes(self, codec: Codec, former: tuple[int, ...] = ()) -> dict[str, Any]:
        """Return the fitted attributes that coding needs; `former` are earlier fingerprints."""
        return {
            "_codec": codec,
            "_tables": codec.tables,
            "fingerprint_": self._streams_of(codec).fingerprint,
            "_former_fingerprints": former,
        }

    @cached_property
    def _codec(self) -> Codec:
        return Codec(network_of(self.module_), self._tables)

    def _check_fingerprint(self, expected: int) -> None:
        """Raise ValueError if weights, tables or what else streams depend on are not as stored."""
        found = self._streams_of(self._codec).fingerprint
        if found != expected:
            raise ValueError(
                f"this {type(self).__name__} is damaged: it was stored as the model "
                f"{expected:08x}, but is {found:08x} now, and would read streams wrongly; take "
                "another copy"
            )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "fingerprint_" in state:
            self._check_fingerprint(self.fingerprint_)

    @property
    def _streams(self) -> Any:
        check_is_fitted(self)
        return self._streams_of(self._codec, self.fingerprint_, self._former_fingerprints)

    # ------------------------------------------------------------------ streams

    def _number(self, quality: float | None) -> int:
        """Return the number of the rounding step for a quality; None takes the estimator's."""
        quality = self.quality if quality is None else quality
        if isinstance(quality, bool) or not (isinstance(quality, Real) and 0 <= quality <= 100):
            raise ValueError(f"quality={quality!r} must be a number between 0 and 100")
        return round(float(quality) / 100 * (N_NUMBERS - 1))

    def _compressed(
        self, X: Any, quality: float | None, targets: Mapping[str, tuple[Any, ...]]
    ) -> list[bytes]:
        """Return a stream for each signal, of a quality or one that meets a target.

        `targets` has a value, or None, and further arguments of a Target for each parameter.
        """
        signals = self._checked(X)
        given = {"quality": quality, **{name: target[0] for name, target in targets.items()}}
        chosen = [name for name, value in given.items() if value is not None]
        if len(chosen) > 1:
            raise ValueError(f"{' and '.join(chosen)} exclude each other; give one of them")
        if not chosen or quality is not None:
            number = self._number(quality)
            return [self._streams.write([array], number) for array in signals.arrays]
        target = Target(chosen[0], *targets[chosen[0]])
        streams = [target.stream(array, self._searched) for array in signals.arrays]
        target.warn_if_missed()
        return streams

    def _searched(
        self, array: np.ndarray, is_high: Callable[[np.ndarray, bytes], bool]
    ) -> tuple[bytes, bytes]:
        """Return the last stream that is not high and the first that is, or one if all agree."""
        low, high = 0, N_NUMBERS  # the first high one lies in between, both included
        seen: dict[int, bytes] = {}
        while low < high:
            middle = (low + high) // 2
            seen[middle] = self._streams.write([array], middle)
            low, high = (low, middle) if is_high(array, seen[middle]) else (middle + 1, high)
        below, above = max(low - 1, 0), min(low, N_NUMBERS - 1)
        return seen[below], seen[above]

    def compress_dataset(
        self, X: Any, *, quality: float | None = None, chunk_size: int | None = None
    ) -> bytes:
        """Write many signals as one byte string.

        They share a header and checksums, so that small ones cost little more than their code.

        Parameters
        ----------
        X : array-like or list of ndarray
            Signals: images of one shape, or sounds of any lengths.
        quality : float, default=None
            From 0, few bits, to 100, high fidelity; None takes that of the estimator.
        chunk_size : int, default=None
            How many signals at most are coded together, and read together: the fewer, the faster is
            reading some of them, and the more bytes there are, about 12 for each chunk. None is
            256, or fewer large ones; sounds of unequal lengths, which are cut into segments, take
            nothing else.

        Returns
        -------
        bytes
            A stream, for :meth:`decompress_dataset`.
        """
        signals = self._checked(X)
        if self._sets_are_equal and not signals.are_equal:
            shapes = sorted({array.shape for array in signals.arrays})
            raise ValueError(f"compress_dataset needs data of one shape, but X has {shapes}")
        if not (chunk_size is None or (isinstance(chunk_size, Integral) and chunk_size >= 1)):
            raise ValueError(f"chunk_size={chunk_size!r} must be a positive whole number or None")
        return self._streams.write(signals.arrays, self._number(quality), chunk_size)

    # ------------------------------------------------------------------ codes and scores

    @inference()
    def transform(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Return the coefficients of signals, before they are rounded.

        Parameters
        ----------
        X : array-like or list of ndarray
            Signals.

        Returns
        -------
        ndarray of shape (n_signals, n_coefficients) or list of ndarray
            A list of such rows, if signals have different shapes.
        """
        signals, streams = self._checked(X), self._streams
        dtype = signals.dtype if signals.dtype.kind == "f" else np.dtype(np.float32)
        codes = [
            streams.coefficients([array]).flatten().numpy().astype(dtype)
            for array in signals.arrays
        ]
        return np.stack(codes) if signals.are_equal else codes

    def reconstruct(self, X: Any) -> Any:
        """Compress signals and decompress them again.

        Parameters
        ----------
        X : array-like or list of ndarray
            Signals.

        Returns
        -------
        ndarray or list of ndarray
            What is left of them at the estimator's quality.
        """
        return self.decompress(self.compress(X))

    def score_samples(self, X: Any) -> np.ndarray:
        """Return minus the cost of each signal at the estimator's quality.

        Parameters
        ----------
        X : array-like or list of ndarray
            Signals.

        Returns
        -------
        ndarray of shape (n_signals,)
            Minus the bits per value, and minus the mean squared error in the units in which it is
            worth a bit at this quality.

        Notes
        -----
        Bits are the ideal length of the code of each signal, without header and checksums, which
        those of a data set share.
        """
        signals, number = self._checked(X), self._number(None)
        worth = BIT_WEIGHT * self._codec.network.step_size(number / N_PER_LEVEL) ** 2
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for i, array in enumerate(signals.arrays):
            by_shape.setdefault(array.shape, []).append(i)
        scores = np.empty(len(signals.arrays))
        for shape, indices in by_shape.items():
            arrays = [signals.arrays[i] for i in indices]
            bits, squares = self._streams.costs(arrays, number)
            scores[indices] = -(bits + squares / worth) / math.prod(shape)
        return scores

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean of :meth:`score_samples`.

        Parameters
        ----------
        X : array-like or list of ndarray
            Signals.
        y : Ignored
            Not used, present for API consistency.

        Returns
        -------
        float
            Minus the mean cost; higher is better.
        """
        return float(np.mean(self.score_samples(X)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


@default_settings()
def network_of(module: nn.Module) -> Any:
    """Return a copy of a network that coding can use."""
    return copy.deepcopy(module).cpu().float()
