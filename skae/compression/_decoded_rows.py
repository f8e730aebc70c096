"""Training data of the network that corrects the pixels of decoded images."""

import numpy as np
import torch

from ..coding import N_NUMBERS, N_PER_LEVEL, Codec
from ..training import Rows

_N_QUALITIES_WANTED, _AT_ONE_QUALITY = 64, (32, 256)


class DecodedRows(Rows):
    """Images beside what they are decoded to at random qualities.

    A row holds an image, the decoded one before its pixels are corrected, and the level of its
    rounding.

    Parameters
    ----------
    images : Rows
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
        images: Rows,
        codec: Codec,
        n_copies: int,
        max_values: int,
        generator: torch.Generator,
    ) -> None:
        network, d = codec.network, images.X.shape[1]
        order = torch.cat(
            [torch.randperm(len(images), generator=generator) for _ in range(n_copies)]
        )[: max(1, max_values // (2 * d + 1))]
        X = np.empty((len(order), 2 * d + 1), np.float32)
        size = int(np.clip(len(order) // _N_QUALITIES_WANTED, *_AT_ONE_QUALITY))
        with torch.inference_mode():
            for start in range(0, len(order), size):
                part = X[start : start + size]
                x = images.take(order[start : start + size]).cpu().float()
                number = int(torch.randint(N_NUMBERS, (), generator=generator))
                y, _ = codec.cost(network.coefficients(x), number)
                part[:, :d], part[:, -1] = x, number / N_PER_LEVEL
                part[:, d:-1] = network.projected(y).flatten(1)
        super().__init__(X, images.dtype, images.device)
        self.images, self.codec = images, codec
