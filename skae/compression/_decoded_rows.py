"""Training data of the network that corrects the pixels of decoded images."""

import numpy as np
import torch
from torch import Tensor

from .._settings import inference
from ..coding import N_NUMBERS, N_PER_LEVEL, Codec
from ..training import Batch
from ._signal_rows import SignalRows

_N_NUMBERS_WANTED, _AT_ONE_NUMBER = 64, (32, 256)


class DecodedRows(SignalRows):
    """Images, and what they are decoded to at random qualities.

    The input is the decoded image before its pixels are corrected, the target the image, and what
    comes besides is the level of the rounding.

    Parameters
    ----------
    images : SignalRows
        Flattened images.
    codec : Codec
        The codec.
    n_copies : int
        At how many qualities each image is coded.
    max_values : int
        How many numbers to hold at most; of more images, some are chosen.
    generator : torch.Generator
        Draws images and qualities.
    """

    def __init__(
        self,
        images: SignalRows,
        codec: Codec,
        n_copies: int,
        max_values: int,
        generator: torch.Generator,
    ) -> None:
        network, d = codec.network, images.n_features
        order = torch.cat(
            [torch.randperm(len(images), generator=generator) for _ in range(n_copies)]
        )[: max(1, max_values // (2 * d + 1))]
        n = len(order)
        super().__init__(n, d, images.dtype, images.device)
        self._images, self._decoded = torch.empty(2, n, d)
        self._levels = torch.empty(n)
        size = int(np.clip(n // _N_NUMBERS_WANTED, *_AT_ONE_NUMBER))
        with inference():
            for start in range(0, n, size):
                part = slice(start, start + size)
                x = images.batch(order[part]).input.cpu().float()
                number = int(torch.randint(N_NUMBERS, (), generator=generator))
                y = codec.restored(network.coefficients(x), number)
                self._images[part], self._levels[part] = x, number / N_PER_LEVEL
                self._decoded[part] = network.projected(y).flatten(1)
        self._source, self.codec = images, codec

    @property
    def source(self) -> SignalRows:
        return self._source

    def _batch(self, positions: Tensor | slice) -> Batch:
        parts = (self._decoded, self._images, self._levels)
        decoded, images, levels = (
            part[positions].to(device=self.device, dtype=self.dtype) for part in parts
        )
        return Batch(decoded, images, (levels,))
