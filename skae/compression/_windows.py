"""Windows of signals that a codec is fitted to."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ..training import Batch
from ._signal_rows import SignalRows

FRAMES_TOGETHER = 4  # segments, and windows of short signals have a multiple of so many frames
_DEPTH = 0.03  # of the root mean square: what spectra are told apart down to
_SAMPLES_TO_COMPARE = 2**20
_SHORTEST, _LONGEST = 4, 2048  # matrices of longer frames are slow
_FAR = 1.1  # times the least cost: longer frames won't be better


class Windows(SignalRows):
    """Windows of a number of frames, cut when they are needed: each frame lies in one of them.

    Parameters
    ----------
    signals : list of Tensor of shape (n_samples, n_channels)
        Signals, as the network sees them, in whole hops, with one of zeros around them.
    hop_length : int
        Number of samples from a frame to the next.
    n_frames : int
        How many frames a window has; zeros follow those that are shorter.
    dtype : torch.dtype
        Type of the batches.
    device : torch.device
        Where the batches go.
    """

    def __init__(
        self,
        signals: list[Tensor],
        hop_length: int,
        n_frames: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        h = self.hop_length = hop_length
        self.signals, self.length = signals, (n_frames + 1) * h
        self.places = [
            (i, start)
            for i, x in enumerate(signals)
            for start in range(0, len(x) - h, n_frames * h)
        ]
        n_features = self.length * signals[0].shape[1]
        super().__init__(len(self.places), n_features, dtype, device)

    def _batch(self, positions: Tensor | slice) -> Batch:
        rows = torch.arange(self.n_rows)[positions].tolist()
        windows = torch.zeros(len(rows), self.length, self.signals[0].shape[1])
        for window, row in zip(windows, rows, strict=True):
            i, start = self.places[row]
            part = self.signals[i][start : start + self.length]
            window[: len(part)] = part
        x = windows.flatten(1).to(device=self.device, dtype=self.dtype)
        return Batch(x, x)


def frames_of_windows(lengths: list[int], hop_length: int, most: int) -> int:
    """Return how many frames windows have, of which short signals fill most.

    Parameters
    ----------
    lengths : list of int
        Lengths of signals.
    hop_length : int
        Number of samples from a frame to the next.
    most : int
        That of a segment.

    Returns
    -------
    int
        The number of frames.
    """
    typical = int(np.median(lengths)) // hop_length + 1
    return min(most, max(1, typical // FRAMES_TOGETHER) * FRAMES_TOGETHER)


def best_hop_length(
    arrays: list[np.ndarray], scaled: Callable[[np.ndarray], Tensor], transform: type
) -> int:
    """Return the number of samples per frame whose spectra are told in the fewest digits.

    Parameters
    ----------
    arrays : list of ndarray of shape (n_samples, n_channels)
        Signals, of which some are looked at.
    scaled : callable
        Makes their root mean square 1.
    transform : type
        Makes a transform of a hop length.

    Returns
    -------
    int
        A power of two: 256 for speech of 16 kHz, 1,024 or 2,048 for music of 48 kHz.
    """
    longest = max(len(x) for x in arrays)
    left, some = _SAMPLES_TO_COMPARE, []
    for x in arrays[:: max(1, len(arrays) // 64)]:
        some.append(scaled(x[: max(1, left)]))
        left -= len(x)
        if left <= 0:
            break
    costs: dict[int, float] = {}
    hop = _SHORTEST
    while hop <= _LONGEST and (hop <= longest or not costs):
        mdct, total = transform(hop), 0.0
        for x in some:
            missing = -len(x) % hop
            padded = torch.nn.functional.pad(x, (0, 0, hop, hop + missing))
            total += float(torch.log2(1 + mdct(padded[None]).abs() / _DEPTH).sum())
        costs[hop] = total
        if total > _FAR * min(costs.values()):
            break
        hop *= 2
    return min(costs, key=lambda h: costs[h])
