"""An autoencoder of sounds and other signals, whose code is made to be rounded and compressed."""

import math
from typing import Any

import torch
from torch import Tensor

from ._corrections import PlaneCorrection
from ._envelope import DECIBELS, LOWEST, Envelope, frequencies, in_decibels
from ._loudness import Loudness
from ._mdct import MDCT
from ._quantizer import N_LEVELS, Quantizer
from ._signs import random_signs
from ._spectral_contexts import SpectralContexts
from ._texture import SpectralSharpener, own_noise
from ._transform_codec import TransformCodec

# In units in which companded coefficients of training data have the root mean square 60.
_SIZE = 60.0
_COARSEST, _FINEST = 200.0, 1.5
_VALUES_TO_FIT = 2**22
_CORNER = 2000.0  # hertz, above which rounding may be coarser
_N_FEATURES, _SLOW = 5, 0.3
_ROTATED = 1 << 21  # samples that the rotation of channels is fitted to
_OTHER_GAINS, _EVERY = (0.1, 3.0, 0.3), 8


class SpectralCodecNetwork(TransformCodec):
    """Spectra of overlapping frames, divided by a power of their envelope, and companded.

    Samples have about the root mean square 1. Everything has a closed form. A code has a row for
    each frame: levels of the bands of each channel, which are whole numbers and are not rounded
    further, and coefficients of each channel.

    Parameters
    ----------
    window_shape : tuple of two ints
        Length and channels of the flattened windows that it is trained on; others may have another
        length, of at least two hops.
    hop_length : int
        Number of samples from a frame to the next.
    sample_rate : float
        In hertz.
    shaping : float
        Power of the envelope that the weights of coefficients fall with: with 0, noise is as loud
        everywhere, with 1, it is as far below the signal everywhere.
    companding : float
        Power of coefficients that is rounded.
    tilt : float
        Power of the frequency, above 2 kHz, that weights fall with.
    filling : float
        How loud the noise is that stands for coefficients that were rounded to zero, in shares of
        their expected magnitude.
    width : int, default=16
        Channels of the residual network that corrects what is decoded.
    n_blocks : int, default=2
        Its residual blocks.
    kernel_size : int, default=3
        How many places of a spectrogram a convolution looks at in each direction; 1 makes
        perceptrons of single places.
    adversarial : bool, default=False
        Whether there is a sharpener.
    """

    span = 1.0
    unit: Tensor
    slope: Tensor
    contexts: SpectralContexts
    rotation: Tensor

    def __init__(
        self,
        window_shape: tuple[int, int],
        hop_length: int,
        sample_rate: float,
        shaping: float,
        companding: float = 1.0,
        tilt: float = 0.0,
        filling: float = 0.0,
        width: int = 16,
        n_blocks: int = 2,
        kernel_size: int = 3,
        adversarial: bool = False,
    ) -> None:
        super().__init__()
        self.window_shape, self.hop_length = tuple(window_shape), hop_length
        self.n_channels = window_shape[1]
        self.shaping, self.companding, self.tilt = shaping, companding, tilt
        self.filling = filling
        self.n_components = 1
        self.mdct = MDCT(hop_length)
        self.envelope = Envelope(hop_length, sample_rate)
        self.quantizer = Quantizer(1, _COARSEST, _FINEST).requires_grad_(False)
        self.contexts = SpectralContexts(self.envelope, hop_length, self.n_channels, N_LEVELS)
        slope = (1 + frequencies(hop_length, sample_rate) / _CORNER) ** -tilt
        self.register_buffer("slope", torch.from_numpy(slope).float(), persistent=False)
        self.decoder = PlaneCorrection(_N_FEATURES, 2, width, n_blocks, kernel_size)
        sizes = _N_FEATURES, width, n_blocks, kernel_size
        self.sharpener = SpectralSharpener(*sizes) if adversarial else None
        self.loudness = Loudness(hop_length, sample_rate)
        self.register_buffer("unit", torch.ones(()))
        self.register_buffer("rotation", torch.eye(self.n_channels))

    @property
    def n_columns(self) -> int:
        """Number of levels and coefficients of a frame."""
        return self.contexts.first_bin + self.n_channels * self.hop_length

    @property
    def constants(self) -> tuple[float, ...]:
        """Numbers that streams depend on besides tensors."""
        steps = self.quantizer.coarsest, self.quantizer.finest
        return self.shaping, self.companding, self.tilt, self.filling, DECIBELS, LOWEST, *steps

    def stream_tensors(self) -> list[Tensor]:
        contexts = self.contexts
        of_contexts = [contexts.scales, contexts.middle, contexts.beside]
        return [self.unit, self.rotation, self.envelope.parts, *of_contexts]

    def steps(self, level: float) -> tuple[Tensor, Tensor]:
        size = self.rotation.new_full((self.n_columns, 1), self.step_size(level))
        size[: self.contexts.first_bin] = 1
        return size, size

    # ------------------------------------------------------------------ coefficients

    def spectra(self, x: Tensor) -> Tensor:
        """Return the spectra of rotated channels.

        Parameters
        ----------
        x : Tensor of shape (n_signals, n_samples, n_channels) or (n_signals, n_features)
            Samples of whole hops, at least two.

        Returns
        -------
        Tensor of shape (n_signals, n_frames, n_channels, hop_length)
            Coefficients.
        """
        x = x.reshape(len(x), *self.window_shape) if x.ndim == 2 else x
        return self.mdct(x @ self.rotation)

    def coefficients(self, x: Tensor) -> Tensor:
        spectra = self.spectra(x)
        levels = self.envelope.levels(spectra)
        values = self._companded(spectra, levels)
        columns = levels.flatten(2).repeat_interleave(self.envelope.n_frames, 1)
        code = torch.cat([columns[:, : spectra.shape[1]], values.flatten(2)], 2)
        return code[..., None]

    def synthesize(self, y: Tensor, level: float, realism: float = 0.0) -> Tensor:
        return self.mdct.inverse(self.expanded(y)) @ self.rotation.T

    def expanded(self, y: Tensor) -> Tensor:
        """Return the spectra that are coded.

        Parameters
        ----------
        y : Tensor of shape (n_signals, n_frames, n_columns, 1)
            Levels and coefficients.

        Returns
        -------
        Tensor of shape (n_signals, n_frames, n_channels, hop_length)
            Coefficients of rotated channels.
        """
        first, levels = self.contexts.first_bin, self._levels_of(y)
        values = y[:, :, first:, 0].unflatten(2, (self.n_channels, -1)) / self.unit
        sizes = values.abs() ** (1 / self.companding)
        spectra = values.sign() * sizes / self._weights(levels, y.shape[1])
        is_silent = levels.amax(-1) <= LOWEST
        return spectra.masked_fill_(self.envelope.of_frames(is_silent, y.shape[1])[..., None], 0)

    def _levels_of(self, y: Tensor) -> Tensor:
        """Return the levels in a code, of shape (n_signals, n_blocks, n_channels, n_bands)."""
        levels = y[:, :: self.envelope.n_frames, : self.contexts.first_bin, 0].round()
        return levels.unflatten(2, (self.n_channels, -1))

    def is_silent(self, y: Tensor) -> bool:
        """Tell whether signals are silence.

        Parameters
        ----------
        y : Tensor of shape (n_signals, n_frames, n_columns, 1)
            Levels and coefficients.

        Returns
        -------
        bool
            Whether they are, throughout.
        """
        return bool((y[:, :: self.envelope.n_frames, : self.contexts.first_bin] <= LOWEST).all())

    def _companded(self, spectra: Tensor, levels: Tensor) -> Tensor:
        even = spectra * self._weights(levels, spectra.shape[1])
        return even.sign() * even.abs() ** self.companding * self.unit

    def _weights(self, levels: Tensor, n_frames: int) -> Tensor:
        decibels = in_decibels(self.envelope.between(levels, n_frames))
        return 10 ** (decibels * (-self.shaping / 20)) * self.slope

    # ------------------------------------------------------------------ what zeros were

    def filled(
        self, y: Tensor, sizes: Tensor, levels: Tensor, start: int = 0, realism: float = 0.0
    ) -> Tensor:
        """Return coefficients with noise in place of zeros, corrected by the networks.

        Parameters
        ----------
        y : Tensor of shape (n_signals, n_frames, n_columns, 1)
            Levels and coefficients that were rounded.
        sizes : Tensor of the same shape
            Expected magnitudes, in steps, of what was rounded to zero; zero elsewhere.
        levels : Tensor of shape (n_signals,)
            How finely it was rounded, from 0 to ``N_LEVELS - 1``.
        start : int, default=0
            Number of the first frame, which decides the signs of the noise.
        realism : float, default=0.0
            How much of what the sharpener draws to add, from 0 to 1.

        Returns
        -------
        Tensor of shape (n_signals, n_frames, n_columns, 1)
            Coefficients.
        """
        first = self.contexts.first_bin
        step = self.step_size(levels)[:, None, None]
        envelope, values = y[:, :, :first], y[:, :, first:, 0]
        sizes = sizes[:, :, first:, 0]
        signs = random_signs(start, y.shape[1], y.shape[2] - first).to(y)
        noise = self.filling * step * sizes * signs
        is_corrected = self.training or self.decoder.outer.weight.any()
        if is_corrected or realism:
            of_planes = levels.repeat_interleave(self.n_channels) / N_LEVELS
            seen = self._seen(y, values / step, sizes)
        if is_corrected:
            gains = _columns(self.decoder(seen, of_planes), len(y))
            values = values * gains[..., 0].mul(_SLOW).exp()
            noise = noise * gains[..., 1].exp()
        made = values + noise
        if realism:
            sharpener: Any = self.sharpener
            own = own_noise(start, y.shape[1], y.shape[2] - first).to(y).expand_as(values)
            parts = [values / step, noise / step, sizes, own]
            parts = [_planes(part, self.n_channels) for part in parts]
            detail = sharpener.detail(seen, *parts, of_planes)
            made = made + realism * step * _columns(detail, len(y))
        return torch.cat([envelope, made[..., None]], 2)

    def _seen(self, y: Tensor, values: Tensor, sizes: Tensor) -> Tensor:
        """Return what the networks see."""
        given = self.envelope.between(self._levels_of(y), y.shape[1]).flatten(2)
        parts = given, values, sizes
        given, values, sizes = (_planes(part, self.n_channels) for part in parts)
        place = torch.linspace(-1, 1, self.hop_length).to(y).expand_as(values)
        seen = [torch.log2(1 + values.abs()) / 2, (values == 0).to(y)]
        seen += [torch.log2(sizes + 0.02) / 4, given / 160, place]
        return torch.stack(seen, -1)

    def restored(
        self, y: Tensor, sizes: Tensor, levels: Tensor, start: int = 0, realism: float = 0.0
    ) -> Tensor:
        """Return the samples of flattened coefficients that were rounded.

        Parameters
        ----------
        y, sizes : Tensor of shape (n_signals, n_frames * n_columns)
            As in :meth:`filled`.
        levels : Tensor of shape (n_signals,)
            How finely it was rounded, from 0 to ``N_LEVELS - 1``.
        start, realism : int and float, default=0
            As in :meth:`filled`.

        Returns
        -------
        Tensor of shape (n_signals, n_samples, n_channels)
            Samples.
        """
        y, sizes = (x.reshape(len(y), -1, self.n_columns, 1) for x in (y, sizes))
        return self.synthesize(self.filled(y, sizes, levels, start, realism), 0)

    def audible_errors(self, x: Tensor, target: Tensor) -> Tensor:
        """Return how differently loud two sounds are, or how far apart where that is wanted.

        Parameters
        ----------
        x, target : Tensor of shape (n_signals, n_samples, n_channels)
            Samples, complete but for the first and the last hop.

        Returns
        -------
        Tensor of shape (n_signals,)
            Errors.
        """
        h = self.hop_length
        if not self.filling:
            return (x - target)[:, h:-h].square().mean((1, 2))
        return self.loudness.differences(x[:, h:-h], target[:, h:-h])

    def unrounded(self, y: Tensor) -> Tensor:
        """Return samples for coefficients that were not rounded.

        Parameters
        ----------
        y : Tensor of shape (n_signals, n_frames, n_columns, 1)
            Levels and coefficients.

        Returns
        -------
        Tensor of shape (n_signals, (n_frames + 1) * hop_length, n_channels)
            Samples.
        """
        return self.synthesize(y, self.highest_level)

    def decode(self, z: Tensor) -> Tensor:
        """Return flattened windows for codes, as if nothing had been rounded.

        Parameters
        ----------
        z : Tensor of shape (n_signals, n_coefficients)
            Codes.

        Returns
        -------
        Tensor of shape (n_signals, n_features)
            Samples.
        """
        return self.unrounded(z.reshape(len(z), -1, self.n_columns, 1)).flatten(1)

    # ------------------------------------------------------------------ closed form

    def varied(self, x: Tensor) -> Tensor:
        """Return training data, and some of them as loud as others may be.

        Where all are about as loud, nothing else would tell how scales follow levels, and sounds
        that are softer would take more bits than these.

        Parameters
        ----------
        x : Tensor of shape (n_windows, n_features)
            Training data.

        Returns
        -------
        Tensor of shape (n_more_windows, n_features)
            With an eighth more.
        """
        some = x[_EVERY - 1 :: _EVERY]
        gains = some.new_tensor(_OTHER_GAINS).repeat(len(some) // len(_OTHER_GAINS) + 1)
        return torch.cat([x, some * gains[: len(some), None]])

    @torch.no_grad()
    def initialize(self, x: Tensor, target: Tensor) -> None:
        """Set the rotation of channels, and the size of coefficients.

        Parameters
        ----------
        x : Tensor of shape (n_windows, n_features)
            Training data.
        target : Tensor
            Not used.
        """
        some = x[: max(1, _VALUES_TO_FIT // x.shape[1])].reshape(-1, *self.window_shape)
        if self.n_channels > 1:
            flat = some.flatten(0, 1)[:_ROTATED].double()
            _, vectors = torch.linalg.eigh(flat.T @ flat)
            vectors = vectors.flip(1)  # the loudest first
            at = vectors.abs().argmax(0)
            signs = vectors[at, torch.arange(self.n_channels)].sign()
            self.rotation.copy_(vectors * signs)
        self.unit.fill_(1)
        spectra = self.spectra(some)
        values = self._companded(spectra, self.envelope.levels(spectra))
        size = float(values.double().square().mean().sqrt())
        self.unit.fill_(_SIZE / size if size > 0 and math.isfinite(_SIZE / size) else _SIZE)


def _planes(columns: Tensor, n_channels: int) -> Tensor:
    """Return the channels in the columns of frames as planes, those of a signal together."""
    return columns.unflatten(2, (n_channels, -1)).transpose(1, 2).flatten(0, 1)


def _columns(planes: Tensor, n_signals: int) -> Tensor:
    """Return the way back; planes may have further axes."""
    return planes.unflatten(0, (n_signals, -1)).transpose(1, 2).flatten(2, 3)
