"""How loud each band of a spectrum is: in few whole numbers, which shape what rounding erases."""

import numpy as np
import torch
from torch import Tensor, nn

_MEL_BREAK = 700.0  # hertz; below, the scale is about linear
_FRAMES = 2  # that share levels
_MELS_PER_BAND = 200.0
_FEWEST_BANDS, _MOST_BANDS = 8, 24
_PARTS = 16  # of a level, that levels between bands are told in
DECIBELS = 4.0  # of a level
LOWEST, _HIGHEST = -19, 45


class Envelope(nn.Module):
    """Levels of bands on the mel scale, every few frames.

    Parameters
    ----------
    hop_length : int
        Number of coefficients of a frame.
    sample_rate : float
        In hertz.
    """

    bins: Tensor
    parts: Tensor

    def __init__(self, hop_length: int, sample_rate: float) -> None:
        super().__init__()
        bands = band_of_bins(hop_length, sample_rate)
        self.n_bands, self.n_frames = int(bands[-1]) + 1, _FRAMES
        centers = np.array([np.flatnonzero(bands == b).mean() for b in range(self.n_bands)])
        weights = [np.interp(np.arange(hop_length), centers, row) for row in np.eye(self.n_bands)]
        parts = np.round(np.array(weights) * _PARTS)
        # Those of two bands that share a bin are one together.
        parts[parts.argmax(0), np.arange(hop_length)] += _PARTS - parts.sum(0)
        average = np.eye(self.n_bands)[bands] / np.bincount(bands)
        dtype = torch.get_default_dtype()
        # They stay with a model: on another machine, logarithms may round to another band.
        self.register_buffer("bins", torch.from_numpy(average).to(dtype))
        self.register_buffer("parts", torch.from_numpy(parts).to(dtype))

    def n_blocks(self, n_frames: int) -> int:
        """Return how many blocks of frames share levels."""
        return -(-n_frames // self.n_frames)

    def levels(self, spectra: Tensor) -> Tensor:
        """Return the levels of spectra.

        Parameters
        ----------
        spectra : Tensor of shape (n_signals, n_frames, n_channels, hop_length)
            Coefficients.

        Returns
        -------
        Tensor of shape (n_signals, n_blocks, n_channels, n_bands)
            Whole numbers, in steps of 4 decibels.
        """
        energies = spectra.square() @ self.bins
        missing = -energies.shape[1] % self.n_frames
        if missing:
            last = energies[:, -1:].expand(-1, missing, -1, -1)
            energies = torch.cat([energies, last], 1)
        means = energies.unflatten(1, (-1, self.n_frames)).mean(2)
        decibels = 10 * torch.log10(means + 1e-9)
        return (decibels / DECIBELS).round().clamp(LOWEST, _HIGHEST)

    def between(self, levels: Tensor, n_frames: int) -> Tensor:
        """Return the levels of bins.

        Parameters
        ----------
        levels : Tensor of shape (n_signals, n_blocks, ..., n_bands)
            Whole numbers.
        n_frames : int
            Number of frames.

        Returns
        -------
        Tensor of shape (n_signals, n_frames, ..., hop_length)
            Whole numbers, in sixteenths of levels.
        """
        return self.of_frames(levels @ self.parts.to(levels.dtype), n_frames)

    def of_frames(self, of_blocks: Tensor, n_frames: int) -> Tensor:
        """Return for each frame what is the same for all frames of a block."""
        return of_blocks.repeat_interleave(self.n_frames, 1)[:, :n_frames]


def in_decibels(fine: Tensor) -> Tensor:
    """Return what :meth:`Envelope.between` returns in decibels."""
    return fine * (DECIBELS / _PARTS)


def band_of_bins(hop_length: int, sample_rate: float) -> np.ndarray:
    """Return in which band each coefficient lies.

    Parameters
    ----------
    hop_length : int
        Number of coefficients.
    sample_rate : float
        In hertz.

    Returns
    -------
    ndarray of int of shape (hop_length,)
        Bands are equally wide in mel, but none has no coefficient.
    """
    mels = in_mels(frequencies(hop_length, sample_rate))
    n_bands = np.clip(mels[-1] / _MELS_PER_BAND, _FEWEST_BANDS, _MOST_BANDS)
    bands = np.floor(mels / mels[-1] * (1 - 1e-9) * round(n_bands))
    return np.unique(bands, return_inverse=True)[1]


def in_mels(hertz: np.ndarray) -> np.ndarray:
    """Return frequencies on the mel scale (O'Shaughnessy, Speech Communication, 1987)."""
    return 2595 * np.log10(1 + hertz / _MEL_BREAK)


def frequencies(hop_length: int, sample_rate: float) -> np.ndarray:
    """Return the frequencies of coefficients, in hertz."""
    return (np.arange(hop_length) + 0.5) / hop_length * sample_rate / 2
