"""How widely each coefficient of a spectrogram is spread, told from those coded before it."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ._base_contexts import Code, Contexts, log_magnitude
from ._envelope import Envelope
from ._evidence import Log
from ._lattice import N_PASSES, LatticePass, around, box_sums, lattice, summed_area
from ._law import Law
from ._quantizer import rounded
from ._regression import scale_regression

_MOST_BANDS, _BINS_PER_BAND = 32, 8
_N_FEATURES = 7
_N_BESIDE = 4
_UNIT = 64  # of the weights of levels beside
_LARGEST = 2.0**15  # magnitude that sums tell from larger ones
_RIDGE = 10.0


class SpectralContexts(Contexts):
    """Predict the scales of coefficients from those that were coded before.

    A spectrogram has a row for each frame. In it stand, for each channel, the levels of its bands,
    in the first frame of each block, and then, for each channel, its coefficients. Both are coded
    from coarse to fine: places twice and then once apart, in five passes (He et al., CVPR 2021, for
    images). Levels have means, linear in four neighbours. Coefficients have none, as their signs
    are random: the logarithm of their scale is linear in the level of their place and in logarithms
    of sums of the magnitudes around them, and of those in the channel before.

    All that decides how something is coded are whole numbers.

    Parameters
    ----------
    envelope : Envelope
        Says which levels there are.
    hop_length : int
        Number of coefficients of a channel of a frame.
    n_channels : int
        Number of channels.
    n_levels : int
        Number of levels of rounding, between which weights are interpolated.
    """

    scales: Tensor
    middle: Tensor
    beside: Tensor
    groups = ((0, 1),)
    ends_early = False  # levels and noise stand where all numbers are zero

    def __init__(self, envelope: Envelope, hop_length: int, n_channels: int, n_levels: int) -> None:
        super().__init__()
        self.envelope = envelope
        self.hop_length, self.n_channels = hop_length, n_channels
        self.n_bands = min(_MOST_BANDS, max(1, hop_length // _BINS_PER_BAND))
        n_rows = N_PASSES * (1 + n_channels * self.n_bands)
        self.register_buffer("scales", torch.zeros(n_levels, n_rows, _N_FEATURES))
        self.register_buffer("middle", torch.zeros(n_channels, envelope.n_bands))
        self.register_buffer("beside", torch.zeros(N_PASSES, _N_BESIDE))

    @property
    def first_bin(self) -> int:
        """How many columns of levels stand before the coefficients."""
        return self.n_channels * self.envelope.n_bands

    @property
    def weights(self) -> tuple[Tensor, ...]:
        """Those of scales, of all levels."""
        return (self.scales,)

    def walk(
        self,
        shape: Sequence[int],
        weights: Sequence[Tensor],
        code: Code,
        log: Log = log_magnitude,
        n_groups: int | None = None,
    ) -> Tensor:
        """Visit all numbers in the order of coding.

        Parameters
        ----------
        shape : sequence of four ints
            Numbers of signals, frames and columns, and 1.
        weights : sequence of one Tensor
            Those of :attr:`weights`, of one level.
        code : callable
            As in :meth:`ChannelContexts.walk`: all numbers stand in one channel.
        log : callable
            Logarithm of sums of magnitudes.
        n_groups : int or None, default=None
            Not used: there is one.

        Returns
        -------
        Tensor of shape (n_signals, n_frames, n_columns, 1)
            What is decoded.
        """
        n, n_frames, n_columns, _ = shape
        (scales,) = weights
        decoded = self.scales.new_zeros(n, n_frames * n_columns, 1)

        def visit(places: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
            integers, values = code(slice(0, 1), places, mean[..., None], log_scale[..., None])
            # Levels are what they are coded as, whatever coefficients of their tables are.
            is_level = places[0] % n_columns < self.first_bin
            decoded[:, places] = (mean[..., None] + integers if is_level else values).to(decoded)
            return integers[..., 0]

        before = None
        for channel in range(self.n_channels):
            levels = self._visit_levels(channel, shape, scales, visit)
            given = self.envelope.between(levels, n_frames)
            before = self._visit_bins(channel, shape, given, before, scales, visit, log)
        return decoded.unflatten(1, (n_frames, n_columns))

    def _visit_levels(
        self, channel: int, shape: Sequence[int], scales: Tensor, visit: Callable[..., Tensor]
    ) -> Tensor:
        """Visit the levels of a channel; return them, of shape (n, n_blocks, n_bands)."""
        n, n_frames, n_columns, _ = shape
        envelope = self.envelope
        n_blocks, n_bands = envelope.n_blocks(n_frames), envelope.n_bands
        middle = self.middle[channel].to(scales)
        known = scales.new_zeros(n, n_blocks * n_bands + 1)
        for i, now in enumerate(lattice(n_blocks, n_bands)):
            if not len(now.places):
                continue
            mean = self._level_mean(i, now, known)
            at = torch.div(now.places, n_bands, rounding_mode="floor") * envelope.n_frames
            places = at * n_columns + channel * n_bands + now.bins
            log_scale = scales[i, 0].expand(n, len(places)).clone()
            integers = visit(places, mean + middle[now.bins], log_scale)
            known[:, now.places] = mean + integers
        return known[:, :-1].unflatten(1, (n_blocks, n_bands)) + middle

    def _level_mean(self, i: int, now: LatticePass, known: Tensor) -> Tensor:
        """Return what levels are expected to be, in whole numbers."""
        if not now.beside:
            return known.new_zeros(len(known), len(now.places))
        weights = self.beside[i].to(known)
        sums = _neighbours(known, now) @ weights
        return (sums / _UNIT).round()

    def _visit_bins(
        self,
        channel: int,
        shape: Sequence[int],
        given: Tensor,
        before: Tensor | None,
        scales: Tensor,
        visit: Callable[..., Tensor],
        log: Log,
    ) -> Tensor:
        """Visit the coefficients of a channel; return sums of magnitudes around each of them."""
        _, n_frames, n_columns, _ = shape
        first = self.first_bin + channel * self.hop_length
        plane = _Plane(given, before, log)
        for i, now in enumerate(lattice(n_frames, self.hop_length)):
            if not len(now.places):
                continue
            rows = scales[self._rows(channel, i)][self._bands(now.bins)]
            log_scale = torch.einsum("npf,pf->np", plane.features(now).to(scales), rows)
            at = torch.div(now.places, self.hop_length, rounding_mode="floor")
            mean = log_scale.new_zeros(1).expand_as(log_scale)
            places = at * n_columns + first + now.bins
            plane.put(now, visit(places, mean, log_scale))
        return plane.around()

    def _rows(self, channel: int, i: int) -> slice:
        """Return where the weights of a pass over a channel stand, a row for each band."""
        start = N_PASSES + (channel * N_PASSES + i) * self.n_bands
        return slice(start, start + self.n_bands)

    def _bands(self, bins: Tensor) -> Tensor:
        return torch.div(bins * self.n_bands, self.hop_length, rounding_mode="floor")

    # ------------------------------------------------------------------ closed form

    @torch.no_grad()
    def fit(self, level: int, y: Tensor, law: Law | None = None) -> None:
        """Set the weights of a level.

        Parameters
        ----------
        level : int
            Which one.
        y : Tensor of shape (n_signals, n_frames, n_columns, 1)
            Levels and coefficients, in steps.
        law : Law or None, default=None
            Not used: scales are fitted to magnitudes.
        """
        n_frames = y.shape[1]
        n_bands = self.envelope.n_bands
        blocks = y[:, :: self.envelope.n_frames, : self.first_bin, 0]
        blocks = blocks.unflatten(2, (self.n_channels, n_bands))
        self.middle.copy_(blocks.mean((0, 1)).round())
        self._fit_levels(level, (blocks - self.middle).transpose(1, 2).flatten(0, 1))
        bins = y[..., self.first_bin :, 0].unflatten(2, (self.n_channels, -1))
        before = None
        for channel in range(self.n_channels):
            given = self.envelope.between(blocks[:, :, channel], n_frames)
            plane = _Plane(given, before, log_magnitude)
            flat = bins[:, :, channel].flatten(1)
            integers = rounded(flat)
            for i, now in enumerate(lattice(n_frames, self.hop_length)):
                if len(now.places):
                    features, values = plane.features(now), flat[:, now.places].abs()
                    rows, bands = self._rows(channel, i), self._bands(now.bins)
                    self.scales[level, rows] = _fitted(features, values, bands, self.n_bands)
                plane.put(now, integers[:, now.places])
            before = plane.around()

    def _fit_levels(self, level: int, levels: Tensor) -> None:
        """Set the weights of levels, of shape (n_signals, n_blocks, n_bands)."""
        flat = levels.flatten(1)
        known = torch.cat([flat, flat.new_zeros(len(flat), 1)], 1)
        for i, now in enumerate(lattice(*levels.shape[1:])):
            if not len(now.places):
                continue
            values = flat[:, now.places]
            if now.beside:
                X, target = _neighbours(known, now).flatten(0, 1).double(), values.flatten()
                gram = X.T @ X + _RIDGE * torch.eye(_N_BESIDE).to(X)
                weights = torch.linalg.solve(gram, X.T @ target.double())
                self.beside[i] = (_UNIT * weights).round()
            errors = (values - self._level_mean(i, now, known)).abs()
            self.scales[level, i, 0] = errors.mean().clamp(min=0.1).log()


class _Plane:
    """The coefficients of a channel, as far as they have been coded.

    Parameters
    ----------
    given : Tensor of shape (n_signals, n_frames, hop_length)
        Levels of their places.
    before : Tensor of shape (n_signals, n_frames * hop_length) or None
        Logarithms of sums around each place in the channel before.
    log : callable
        Logarithm of sums of magnitudes.
    """

    def __init__(self, given: Tensor, before: Tensor | None, log: Log) -> None:
        n, self._n_rows, self._n_columns = given.shape
        self._given, self._before, self._log = given.flatten(1), before, log
        # What the last place is followed by stands for no place at all.
        self._known = given.new_zeros(n, self._n_rows * self._n_columns + 1, dtype=torch.float64)

    def _table(self) -> Tensor:
        return summed_area(self._known[:, :-1].unflatten(1, (self._n_rows, self._n_columns)))

    def features(self, now: LatticePass) -> Tensor:
        """Return what scales are told from, of shape (n_signals, n_places, 7)."""
        given = self._given[:, now.places]
        features = torch.zeros(*given.shape, _N_FEATURES, dtype=torch.float64)
        features[..., 0] = 1
        features[..., 1] = given
        if self._before is not None:
            features[..., 2] = self._before[:, now.places]
        i = 3
        for numbers in now.beside:
            features[..., i] = self._log(self._known[:, numbers].sum(-1))
            i += 1
        if now.corners:
            table = self._table()
        for corners in now.corners:
            features[..., i] = self._log(box_sums(table, corners))
            i += 1
        return features

    def put(self, now: LatticePass, integers: Tensor) -> None:
        """Take in what a pass has been coded to."""
        self._known[:, now.places] = integers.abs().double().clamp(max=_LARGEST)

    def around(self) -> Tensor:
        """Return logarithms of sums around all places, of shape (n_signals, n_places)."""
        return self._log(box_sums(self._table(), around(self._n_rows, self._n_columns)))


def _neighbours(known: Tensor, now: LatticePass) -> Tensor:
    """Return the four neighbours of places, of shape (n, n_places, 4)."""
    return known[:, torch.cat(now.beside, 1)]


def _fitted(features: Tensor, magnitudes: Tensor, bands: Tensor, n_bands: int) -> Tensor:
    """Return the weights of each band, of shape (n_bands, 7)."""
    weights: list[Tensor] = []
    for band in range(n_bands):
        some = bands == band
        if not some.any():  # of grids too small for this pass to reach it: as the band before
            weights.append(weights[-1] if weights else features.new_zeros(_N_FEATURES))
            continue
        X, y = features[:, some].flatten(0, 1), magnitudes[:, some].flatten()
        weights.append(scale_regression(X.float(), y[:, None].float())[0, :-1].double())
    return torch.stack(weights)
