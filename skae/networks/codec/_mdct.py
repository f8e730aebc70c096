"""Samples as spectra of overlapping frames, and back without loss."""

import numpy as np
import torch
from torch import Tensor, nn

_BETA = 9.0


class MDCT(nn.Module):
    """Modified discrete cosine transform (Princen, Johnson & Bradley, ICASSP 1987).

    A frame has twice as many samples as coefficients, and every sample lies in two frames, whose
    aliasing cancels. The window is Kaiser-Bessel-derived, so the transform is orthogonal: errors of
    coefficients and of samples have the same size.

    Parameters
    ----------
    hop_length : int
        Number of samples from a frame to the next, and of coefficients.
    """

    basis: Tensor

    def __init__(self, hop_length: int) -> None:
        super().__init__()
        h = self.hop_length = hop_length
        rise = np.cumsum(np.kaiser(h + 1, _BETA))
        half = np.sqrt(rise[:h] / rise[-1])
        window = np.concatenate([half, half[::-1]])
        n, k = np.arange(2 * h)[:, None], np.arange(h)
        waves = np.cos(np.pi / h * (n + 0.5 + h / 2) * (k + 0.5)) * np.sqrt(2 / h)
        basis = torch.from_numpy(window[:, None] * waves).to(torch.get_default_dtype())
        self.register_buffer("basis", basis, persistent=False)  # it follows from the hop

    def forward(self, x: Tensor) -> Tensor:
        """Return the spectra of frames.

        Parameters
        ----------
        x : Tensor of shape (n_signals, (n_frames + 1) * hop_length, n_channels)
            Samples.

        Returns
        -------
        Tensor of shape (n_signals, n_frames, n_channels, hop_length)
            Coefficients.
        """
        h = self.hop_length
        return x.unfold(1, 2 * h, h) @ self.basis

    def inverse(self, spectra: Tensor) -> Tensor:
        """Return the samples of frames, added where they overlap.

        Parameters
        ----------
        spectra : Tensor of shape (n_signals, n_frames, n_channels, hop_length)
            Coefficients.

        Returns
        -------
        Tensor of shape (n_signals, (n_frames + 1) * hop_length, n_channels)
            Samples; of the first and of the last `hop_length` only this frame's part.
        """
        n, n_frames, n_channels, h = spectra.shape
        halves = (spectra @ self.basis.T).unflatten(-1, (2, h))
        x = spectra.new_zeros(n, n_frames + 1, n_channels, h)
        x[:, :-1] += halves[..., 0, :]
        x[:, 1:] += halves[..., 1, :]
        return x.transpose(2, 3).flatten(1, 2)
