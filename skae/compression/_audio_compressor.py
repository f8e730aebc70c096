"""An estimator that learns to write sounds and other sampled signals as short byte strings."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import torch
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .._plain import Part
from ..coding import Codec
from ..networks import MDCT
from ..training import AutoencoderNet, Recipe, Rows
from ._audio_header import n_frames_of
from ._audio_streams import AudioStreams, in_hops
from ._bundled import SPEECH, fitted
from ._clip_streams import ClipStreams
from ._coded_sounds import CodesSounds
from ._compressor import BaseCompressor
from ._decoded_spectra import DecodedSpectra
from ._objectives import AudibleRestoration
from ._signal_rows import SignalRows
from ._signals import Signals, checked_signals, location_and_scale, scaled
from ._texture_game import NOISE
from ._windows import FRAMES_TOGETHER, Windows, best_hop_length, frames_of_windows

_RATE = 16_000.0
# What people hear: shaping, companding, tilt and filling of speech, and of wider bands.
_SPEECH = {"shaping": 0.35, "companding": 0.85, "tilt": 1.4, "filling": 0.7}
_MUSIC = {"shaping": 0.8, "companding": 1.0, "tilt": 0.0, "filling": 0.5}
_FIDELITY = {"shaping": 0.0, "companding": 1.0, "tilt": 0.0, "filling": 0.0}
_LOWEST_AUDIBLE, _WIDE, _HIGHEST_AUDIBLE = 4_000.0, 24_000.0, 48_000.0
_KERNELS = {"conv": 3, "mlp": 1}
_EPOCHS, _WINDOWS, _FEW_WINDOWS = 20, 512, 16
_MOST_FRAMES = 512
_NOT_DRAWN = {"adversarial": False, "adversarial_steps": 200}


class AudioCompressor(CodesSounds):
    """Lossy compression of speech, music and other sampled signals by a codec fitted to them.

    Signals are cut into overlapping frames, whose spectra are divided by a power of their envelope,
    so that noise stays where it is least heard, and rounded. Rounded coefficients are coded by how
    widely they are spread, given those around them that were coded before. All of it has a closed
    form and is fitted in seconds.

    Parameters
    ----------
    sample_rate : float, default=None
        Samples per second, from 1 Hz to 10 MHz; None is 16,000. It says where bands lie, what can
        be heard, and goes into the streams; signals are not converted.
    shaping : {"auto", "fidelity"} or float, default="auto"
        Where noise goes. "fidelity" spreads it evenly, for the least squared error, as for signals
        that are measured. A number from 0 to 1 is the power of the envelope of a frame that noise
        follows. "auto" is for ears: speech up to 24 kHz, wider bands up to 48 kHz; other rates,
        which ears do not hear, get "fidelity".
    hop_length : "auto" or int, default="auto"
        Number of samples from a frame to the next. "auto" takes the power of two whose spectra are
        told in the fewest digits.
    segment_duration : float, default=1.0
        Seconds of the segments that signals are coded in, one by one: what damage costs, and how
        much has to be read to hear a part. .25 costs about 2 % more bits.
    quality : float, default=50
        From 0, few bits, to 100, high fidelity, for methods that are not told another one.
    adversarial : bool, default=False
        Whether to train a network that draws what rounding erases, against critics of spectrograms
        of three resolutions. Streams stay the same, bit for bit; `realism` of :meth:`decompress`
        tells how much of it sounds have.
    adversarial_steps : int, default=200
        Number of steps of that training, whatever `max_epochs` is.
    module : {"conv", "mlp"}, default="conv"
        A residual network that corrects how loud decoded coefficients, and the noise in place of
        zeros, are. It looks at the neighbours of a place in the spectrogram, or at each place
        alone. It starts at zero and changes no stream.
    optimizer : {"adamw", "adam", "sgd", ...} or torch optimizer class, default="adamw"
        Optimizer.
    lr : float, default=2e-3
        Learning rate.
    batch_size : int, default=8
        Number of windows, about as long as a segment, that are trained on at once.
    max_epochs : int or "auto", default=0
        Passes over at most 512 windows, which the network is trained on; 0 leaves it out. "auto" is
        20, a few minutes for speech.
    early_stopping : bool, default=False
        Whether to hold out windows, and to stop when they are not decoded better any more.
    validation_fraction : float, default=0.1
        How many.
    n_iter_no_change : int, default=10
        Number of epochs without an improvement of at least `tol`, after which to stop.
    tol : float, default=1e-4
        See `n_iter_no_change`.
    warm_start : bool, default=False
        Whether :meth:`fit` goes on with the fitted network; contexts and tables are fitted anew.
    callbacks : list of skorch callbacks, default=None
        Callbacks of the net.
    device : str or torch.device, default="auto"
        Where to train. Coding is done on the CPU.
    dtype : {"float32", "float64"}, default="float32"
        Type that is computed in while fitting.
    random_state : int, RandomState instance or None, default=None
        Chooses the windows that tables are counted on, if there are more than needed; determines
        weights and the order of training.
    verbose : int, default=0
        Whether to print the losses of every epoch.
    **kwargs : dict
        ``module__width=16`` and ``module__n_blocks=2`` of the network; others as in
        :class:`skae.Autoencoder`.

    Attributes
    ----------
    fingerprint_ : int
        Checksum of all that streams depend on; a stream can be read by the model that wrote it.
    hop_length_ : int
        Number of samples from a frame to the next.
    sample_rate_ : float
        Samples per second.
    shaping_ : float
        Power of the envelope that noise follows.

    See Also
    --------
    ImageCompressor : For images.
    skae.metrics.si_sdr : How like the original a decoded signal is.

    Notes
    -----
    Whole numbers are shares of their greatest value, so int16 and floats between -1 and 1 are the
    same sound; floats may be larger. Fit on signals as loud as those to come.

    References
    ----------
    .. [1] J. P. Princen, A. W. Johnson and A. B. Bradley. "Subband/transform coding using filter
       bank designs based on time domain aliasing cancellation". ICASSP (1987).
    .. [2] J. Duda. "Asymmetric numeral systems". arXiv:0902.0271 (2009).

    Examples
    --------
    >>> import numpy as np
    >>> from skae import AudioCompressor
    >>> random = np.random.default_rng(0)
    >>> time = np.arange(8000) / 8000
    >>> tones = random.uniform(200, 900, (20, 1))
    >>> sounds = list(np.sin(2 * np.pi * tones * time) * np.exp(-3 * time))
    >>> compressor = AudioCompressor(sample_rate=8000).fit(sounds[:19])
    >>> (stream,) = compressor.compress(sounds[19:], quality=60)
    >>> len(stream) < 2000
    True
    >>> compressor.decompress([stream])[0].shape
    (8000,)
    """

    _parameter_constraints: dict = {
        **BaseCompressor._parameter_constraints,
        "module": [StrOptions(set(_KERNELS))],
        "sample_rate": [Interval(Real, 1, 1e7, closed="both"), None],
        "shaping": [StrOptions({"auto", "fidelity"}), Interval(Real, 0, 1, closed="both")],
        "hop_length": [StrOptions({"auto"}), Interval(Integral, 2, 2**16, closed="both")],
        "segment_duration": [Interval(Real, 0, None, closed="neither")],
        "adversarial": ["boolean"],
        "adversarial_steps": [Interval(Integral, 0, None, closed="left")],
    }
    _game = NOISE
    _values_to_learn = 2**22  # more bring less than .1 %

    def __init__(
        self,
        *,
        sample_rate: float | None = None,
        shaping: str | float = "auto",
        hop_length: str | int = "auto",
        segment_duration: float = 1.0,
        quality: float = 50,
        adversarial: bool = False,
        adversarial_steps: int = 200,
        module: str = "conv",
        optimizer: str | type[torch.optim.Optimizer] = "adamw",
        lr: float = 2e-3,
        batch_size: int = 8,
        max_epochs: str | int = 0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        warm_start: bool = False,
        callbacks: Sequence[Any] | None = None,
        device: str | torch.device = "auto",
        dtype: str = "float32",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        **kwargs: Any,
    ) -> None:
        self.sample_rate = sample_rate
        self.shaping = shaping
        self.hop_length = hop_length
        self.segment_duration = segment_duration
        self.quality = quality
        self.adversarial = adversarial
        self.adversarial_steps = adversarial_steps
        self.module = module
        self.optimizer = optimizer
        self.lr = lr
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose
        self._nested_params = kwargs

    # ------------------------------------------------------------------ signals

    def _checked(self, X: Any, *, reset: bool = False) -> Signals:
        if not reset:
            check_is_fitted(self)
        signals = checked_signals(self, X, reset)
        n_channels = signals.arrays[0].shape[1]
        if not reset:
            if n_channels != (expected := self._form.arrays[0].shape[1]):
                raise ValueError(
                    f"X has signals of {n_channels} channels, but {type(self).__name__} was fitted "
                    f"on signals of {expected}"
                )
            return signals
        self._location, self._scale = location_and_scale(signals)
        self._range = -self._scale, 2 * self._scale
        self._form = Signals([signals.arrays[0][:0].copy()], signals.kind, signals.is_flat)
        self._shape = signals.arrays[0].shape if signals.are_equal else None
        return signals

    def _scaled(self, array: np.ndarray) -> torch.Tensor:
        return scaled(array, self._location, self._scale)

    # ------------------------------------------------------------------ fit

    def _plan(self, X: Signals) -> Recipe:
        rate = _RATE if self.sample_rate is None else float(self.sample_rate)
        hop = self.hop_length
        if isinstance(hop, str):
            hop = best_hop_length(X.arrays, self._scaled, MDCT)
        n_frames = round(self.segment_duration * rate / hop / FRAMES_TOGETHER) * FRAMES_TOGETHER
        self._n_frames = min(max(n_frames, FRAMES_TOGETHER), _MOST_FRAMES)
        lengths = [len(array) for array in X.arrays]
        window = frames_of_windows(lengths, hop, self._n_frames)
        self.hop_length_, self.sample_rate_ = int(hop), rate
        powers = self._powers(rate)
        self.shaping_ = powers["shaping"]
        params = {
            "objective": AudibleRestoration(),
            "module__window_shape": ((window + 1) * hop, X.arrays[0].shape[1]),
            "module__hop_length": hop,
            "module__sample_rate": rate,
            "module__kernel_size": _KERNELS[self.module],
            "module__adversarial": self.adversarial,
            **{f"module__{name}": power for name, power in powers.items()},
            **self._nested_params,
        }
        module = Part("networks", "SpectralCodecNetwork", {})
        return Recipe(module, "squared_error", self.optimizer, self.dtype, params)

    def _powers(self, rate: float) -> dict[str, float]:
        """Return what the network is told about noise."""
        for_ears = _SPEECH if rate <= _WIDE else _MUSIC
        if isinstance(self.shaping, str):
            is_audible = _LOWEST_AUDIBLE <= rate <= _HIGHEST_AUDIBLE
            return for_ears if is_audible and self.shaping == "auto" else _FIDELITY
        return {**_MUSIC, "shaping": float(self.shaping)} if self.shaping else _FIDELITY

    def _view(
        self, X: Signals, dtype: torch.dtype, device: torch.device, *, training: bool = False
    ) -> Rows:
        h, (length, _) = self.hop_length_, self._fitted_recipe.params["module__window_shape"]
        signals = [in_hops(self._scaled(array), h) for array in X.arrays]
        return Windows(signals, h, length // h - 1, dtype, device)

    def _auto_epochs(self, recipe: Recipe, device: torch.device, seed: int, rows: Rows) -> int:
        return _EPOCHS

    def _prepared(self, net: AutoencoderNet, rows: Any, max_epochs: int) -> SignalRows:
        # All but the network that corrects has its final state now.
        codec = self._frozen(net, rows)
        net.module_.contexts.load_state_dict(codec.network.contexts.state_dict())
        generator = torch.Generator().manual_seed(net.generator.initial_seed())
        n_windows = _WINDOWS if max_epochs else _FEW_WINDOWS
        return DecodedSpectra(rows, codec, n_windows, generator)

    def _played(self, net: AutoencoderNet, rows: SignalRows, codec: Codec) -> SignalRows:
        generator = torch.Generator().manual_seed(net.generator.initial_seed())
        windows: Any = rows.source
        return DecodedSpectra(windows, codec, _WINDOWS, generator, is_coarse=True)

    def _coding_attributes(self, codec: Codec, former: tuple[int, ...] = ()) -> dict[str, Any]:
        attributes = super()._coding_attributes(codec, former)
        if self._shape is not None:
            n_frames = n_frames_of(self._shape[0], self.hop_length_)
            attributes["_n_features_out"] = n_frames * codec.network.n_columns
        return attributes

    def _streams_of(self, codec: Codec, *fingerprints: Any) -> AudioStreams:
        units = self._location, self._scale, self.sample_rate_
        return ClipStreams(codec, *units, self._n_frames, *fingerprints)

    # ------------------------------------------------------------------ state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if params := state.get("_fitted_params"):  # perhaps from before there was a choice
            state = {**state, "_fitted_params": {"adversarial": False, **params}}
        super().__setstate__({**_NOT_DRAWN, **state})

    @classmethod
    def pretrained(cls, **params: Any) -> Self:
        """Return a compressor that has been fitted to speech of 16 kHz.

        Parameters
        ----------
        **params : dict
            Parameters of the estimator. Those of its network, `sample_rate`, `shaping`,
            `hop_length`, `module` and `adversarial`, are fixed.

        Returns
        -------
        AudioCompressor
            Fitted to 320 clips of speech in one channel (Apache License 2.0), by
            ``benchmarks/pretrained_audio_compressor.py``. With ``warm_start=True``, its :meth:`fit`
            goes on from there.
        """
        return fitted(cls, SPEECH, params)
