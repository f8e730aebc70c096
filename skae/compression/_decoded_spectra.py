"""Training data of the network that corrects decoded spectra."""

import torch
from torch import Tensor

from .._settings import inference
from ..coding import N_NUMBERS, N_PER_LEVEL, Codec
from ..training import Batch
from ._segments import Segments
from ._signal_rows import SignalRows
from ._windows import Windows

_AT_ONE_NUMBER, _FEW_AT_ONE_NUMBER = 32, 8


class DecodedSpectra(SignalRows):
    """Windows of signals, and the coefficients that they are decoded to at random qualities.

    The input is what is decoded, the target the samples, and what comes besides is how large what
    was rounded to zero is expected to be, and the level of the rounding.

    Parameters
    ----------
    windows : Windows
        Flattened windows.
    codec : Codec
        The codec.
    n_windows : int
        How many to decode at most; of more, some are chosen.
    generator : torch.Generator
        Draws windows and qualities.
    is_coarse : bool, default=False
        Whether low qualities are more frequent, and fewer windows share one: for what learns to
        draw, which low ones need most.
    """

    def __init__(
        self,
        windows: Windows,
        codec: Codec,
        n_windows: int,
        generator: torch.Generator,
        is_coarse: bool = False,
    ) -> None:
        order = torch.randperm(len(windows), generator=generator)[:n_windows]
        network, n_frames = codec.network, windows.length // windows.hop_length - 1
        segments = Segments(codec, n_frames)
        n_values = n_frames * network.n_columns
        n, size = len(order), _FEW_AT_ONE_NUMBER if is_coarse else _AT_ONE_NUMBER
        super().__init__(n, n_values, windows.dtype, windows.device)
        self._decoded, self._sizes = torch.empty(2, n, n_values)
        self._samples = torch.empty(n, windows.n_features)
        self._levels = torch.empty(n)
        with inference():
            for start in range(0, n, size):
                part = slice(start, start + size)
                x = windows.batch(order[part]).input.cpu().float()
                number = int(torch.randint(N_NUMBERS, (), generator=generator))
                number = number**2 // N_NUMBERS if is_coarse else number
                codes = codec.encode_each(network.coefficients(x), number)
                y, sizes = segments.decoded(codes, (1, n_frames), number)
                self._samples[part], self._levels[part] = x, number / N_PER_LEVEL
                self._decoded[part], self._sizes[part] = y.flatten(1), sizes.flatten(1)
        self._source, self.codec = windows, codec

    @property
    def source(self) -> SignalRows:
        return self._source

    def _batch(self, positions: Tensor | slice) -> Batch:
        parts = (self._decoded, self._samples, self._sizes, self._levels)
        decoded, samples, sizes, levels = (
            part[positions].to(device=self.device, dtype=self.dtype) for part in parts
        )
        return Batch(decoded, samples, (sizes, levels))
