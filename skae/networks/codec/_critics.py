"""Critics, which tell what decoders have drawn from what was there."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

_FLOOR = 1e-4  # energy, where training data have about 1
_AROUND = (9, 5)  # frequencies and frames
_NATS = 3.0


class PatchCritic(nn.Module):
    """Gives each of many overlapping patches a number, higher for what it takes for real.

    Its layers have spectral norm 1 (Miyato et al., ICLR 2018).

    Parameters
    ----------
    n_channels : int
        Channels of the pictures that it looks at.
    width : int
        Channels of its first layer.
    """

    def __init__(self, n_channels: int, width: int) -> None:
        super().__init__()
        # An even kernel at a stride of two sees all pixels equally often; the padding leaves
        # something of images of any size.
        self.layers = nn.Sequential(
            spectral_norm(nn.Conv2d(n_channels, width, 4, 2, 2)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(width, 2 * width, 4, 2, 2)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(2 * width, 2 * width, 3, 1, 1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(2 * width, 1, 3, 1, 1)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return opinions.

        Parameters
        ----------
        x : Tensor of shape (n_images, height, width, n_channels)
            Pictures.

        Returns
        -------
        Tensor of shape (n_images, 1, n_rows, n_columns)
            Numbers.
        """
        return self.layers(x.movedim(-1, 1))


class SpectrogramCritic(nn.Module):
    """Gives patches of spectrograms of several resolutions numbers, higher for what is real.

    All levels are beside what was decoded around them. Without that, what a sound is hides what
    rounding does to it, and a critic learns hardly anything.

    Parameters
    ----------
    lengths : sequence of int
        Numbers of samples of the frames, one for each resolution.
    width : int
        Channels of the first layers.
    """

    def __init__(self, lengths: Sequence[int], width: int) -> None:
        super().__init__()
        self.lengths = tuple(lengths)
        self.critics = nn.ModuleList([PatchCritic(4, width) for _ in self.lengths])

    def forward(self, x: Tensor) -> Tensor:
        """Return opinions.

        Parameters
        ----------
        x : Tensor of shape (n_signals, n_samples, 3)
            What is judged; what it is without anything drawn, and without any noise.

        Returns
        -------
        Tensor of shape (n_signals, n_patches)
            Numbers.
        """
        both = zip(self.lengths, self.critics, strict=True)
        return torch.cat([critic(_seen(x, n)).flatten(1) for n, critic in both], 1)


def _seen(x: Tensor, length: int) -> Tensor:
    """Return levels of shape (n_signals, n_frequencies, n_frames, 4), in units of 13 decibels."""
    window = torch.hann_window(length, dtype=x.dtype, device=x.device)
    flat = x.movedim(-1, 1).flatten(0, 1)
    spectra = torch.stft(
        flat, length, length // 4, window=window, pad_mode="constant", normalized=True,
        return_complex=True,
    )  # fmt: skip
    energies = torch.view_as_real(spectra).square().sum(-1).unflatten(0, (-1, 3))
    padding = [size // 2 for size in _AROUND]
    around = F.avg_pool2d(energies[:, 1:2], _AROUND, 1, padding, count_include_pad=False)
    judged, _, bare = torch.log(energies + _FLOOR).unbind(1)
    around = torch.log(around[:, 0] + _FLOOR)
    place = torch.linspace(-_NATS, _NATS, judged.shape[1]).to(x)[:, None].expand_as(judged)
    return torch.stack([judged - around, bare - around, around + _NATS, place], -1) / _NATS
