"""How loud bands of a sound are, about as ears tell it."""

import numpy as np
import torch
from torch import Tensor, nn

from ._envelope import in_mels

_EXPONENT = 0.23  # of energy, after Zwicker's law
_SILENT = 1e-4  # energy, where training data have 1 per sample
_LEAST = 1e-20


class Loudness(nn.Module):
    """Loudness of bands on the mel scale, in frames of two lengths.

    Parameters
    ----------
    hop_length : int
        Half of the longer frames, and all of the shorter ones.
    sample_rate : float
        In hertz.
    """

    def __init__(self, hop_length: int, sample_rate: float) -> None:
        super().__init__()
        self.lengths = [2 * hop_length, max(2, hop_length)]
        for i, length in enumerate(self.lengths):
            bands = torch.from_numpy(_triangles(length, sample_rate, 42 if i == 0 else 24))
            self.register_buffer(f"bands_{i}", bands.float(), persistent=False)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return loudness.

        Parameters
        ----------
        x : Tensor of shape (n_signals, n_samples)
            Samples.

        Returns
        -------
        list of Tensor of shape (n_signals, n_frames, n_bands)
            One for each length of frames.
        """
        loudness = []
        for i, length in enumerate(self.lengths):
            window = torch.hann_window(length, dtype=x.dtype, device=x.device)
            spectra = torch.stft(x, length, length // 2, window=window, return_complex=True)
            bands = getattr(self, f"bands_{i}").to(x)
            energies = spectra.abs().square().transpose(1, 2) @ bands
            loudness.append((energies + _SILENT) ** _EXPONENT)
        return loudness

    def differences(self, x: Tensor, target: Tensor) -> Tensor:
        """Return how differently loud two sounds are.

        Parameters
        ----------
        x, target : Tensor of shape (n_signals, n_samples, n_channels)
            Samples.

        Returns
        -------
        Tensor of shape (n_signals,)
            Mean absolute differences of loudness, and roots of mean squares, added.
        """
        pairs = (self(z.transpose(1, 2).flatten(0, 1)) for z in (x, target))
        total = x.new_zeros(len(x))
        for a, b in zip(*pairs, strict=True):
            differences = (a - b).unflatten(0, (len(x), -1)).flatten(1)
            squares = differences.square().mean(1).clamp(min=_LEAST)  # where roots have a slope
            total = total + differences.abs().mean(1) + squares.sqrt()
        return total


def _triangles(length: int, sample_rate: float, n_bands: int) -> np.ndarray:
    """Return how much each frequency belongs to each band, of shape (length // 2 + 1, n_bands)."""
    mels = in_mels(np.arange(length // 2 + 1) * sample_rate / length)
    edges = np.linspace(0, mels[-1], n_bands + 2)
    rise = (mels[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - mels[:, None]) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rise, fall))
