"""Coefficients to bytes and back, by a model that is frozen: whole numbers decide everything."""

import copy
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..networks import (
    BIT_WEIGHT,
    DEAD_ZONE,
    LOG_SCALES,
    N_LEVELS,
    ImageCodecNetwork,
    interpolated,
)
from ._coder import BitstreamError, Decoder, Encoder, Table

N_PER_LEVEL = 16
N_QUALITIES = N_PER_LEVEL * (N_LEVELS - 1) + 1
_N_TABLES = 64
_LOG_LEAST, _LOG_GREATEST = LOG_SCALES
_LARGEST_RADIUS = 1000
_FRACTION_BITS = 12
_PRIOR_WEIGHT = 30.0
_LARGEST_SUM = 2**16
_N_CENTROIDS, _N_LENGTHS = 3, 34

# floor(8 log2(1 + sum)) of all sums, from whole numbers: the same on every machine.
_OCTAVE_EIGHTHS = np.searchsorted(
    np.ceil(2 ** (np.arange(1, 129) / 8) - 1e-9), np.arange(1, _LARGEST_SUM + 1), side="right"
)
_LOGS = torch.from_numpy(_OCTAVE_EIGHTHS.astype(np.float64))


def whole_log(sums: Tensor) -> Tensor:
    """Return whole eighths of octaves.

    Parameters
    ----------
    sums : Tensor
        Whole numbers.

    Returns
    -------
    Tensor of float64
        ``floor(8 * log2(1 + sums))``, for sums up to 65,535.
    """
    places = sums.clamp(max=_LARGEST_SUM - 1).int()
    return _LOGS.index_select(0, places.flatten()).reshape(sums.shape)


def _scales() -> np.ndarray:
    return np.exp(np.linspace(_LOG_LEAST, _LOG_GREATEST, _N_TABLES))


class Codec:
    """An entropy coder of coefficients.

    Which table a number is coded by is computed from numbers that were decoded before, in sums and
    products of whole numbers that float64 holds exactly: the same on every machine, with any number
    of threads, and in any order of summation.

    Parameters
    ----------
    network : ImageCodecNetwork
        The trained network, on the CPU.
    """

    def __init__(self, network: ImageCodecNetwork) -> None:
        self.network = network
        width = (_LOG_GREATEST - _LOG_LEAST) / (_N_TABLES - 1)
        scales = network.contexts.scales.detach().double().cpu().clone()
        scales[..., 0] -= _LOG_LEAST - width / 2  # the nearest table, not the next below
        self.weights = (scales / width * 2**_FRACTION_BITS).round()
        values = _scales()
        self.centroids = np.repeat(_centroid(values)[:, None], _N_CENTROIDS, 1)
        self.tables = [_laplace_table(scale) for scale in values]
        self._derive()

    def _derive(self) -> None:
        """Set what follows from tables and centroids."""
        self._lengths: Tensor | None = None
        shifts = np.concatenate([np.zeros((_N_TABLES, 1)), self.centroids], 1)
        # Of the integers from the least that has one of its own to the greatest.
        both = np.concatenate([-shifts[:, :0:-1], shifts], 1)
        self._shifts = torch.from_numpy(both).float()
        # The lengths of the codes of 0, 1, ... in each table, as far as rounding looks at them.
        bits = np.empty((_N_TABLES, _N_LENGTHS))
        for row, table in zip(bits, self.tables, strict=True):
            known = table.bits[table.radius : -1][:_N_LENGTHS]
            row[: len(known)] = known
            row[len(known) :] = table.bits[-1] + 8
        # Below these, a magnitude between two integers costs less as the lower one.
        n = np.arange(_N_LENGTHS)
        values = n + shifts[:, n.clip(max=_N_CENTROIDS)]
        dearer = np.diff(values**2) + BIT_WEIGHT * np.diff(bits)
        self._thresholds = torch.from_numpy(dearer / (2 * np.diff(values))).float()

    def state(self) -> dict[str, np.ndarray]:
        """Return all that a stream depends on, besides the network, as arrays."""
        return {
            "weights": self.weights.numpy().astype(np.int32),
            "centroids": self.centroids,
            "sizes": np.array([len(table.frequencies) for table in self.tables], np.int32),
            "tables": np.concatenate([t.frequencies.astype(np.int32) for t in self.tables]),
        }

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Go back to what :meth:`state` returned.

        Parameters
        ----------
        state : mapping of ndarray
            Arrays.
        """
        self.weights = torch.from_numpy(state["weights"].astype(np.float64))
        self.centroids = state["centroids"]
        parts = np.split(state["tables"], np.cumsum(state["sizes"])[:-1])
        self.tables = [Table(frequencies) for frequencies in parts]
        self._derive()

    def fingerprint(self) -> int:
        """Return a checksum of everything that a stream depends on."""
        checksum, state = 0, self.state()
        for tensor in self.network.stream_tensors():
            checksum = zlib.crc32(tensor.detach().cpu().contiguous().numpy().tobytes(), checksum)
        for part in (state["weights"], state["centroids"], state["tables"]):
            checksum = zlib.crc32(np.ascontiguousarray(part).tobytes(), checksum)
        return checksum

    def double(self) -> "Codec":
        """Return a codec that differs in nothing but that the network computes in float64."""
        twin = copy.copy(self)
        twin.network = copy.deepcopy(self.network).double()
        return twin

    # ------------------------------------------------------------------ the walk

    def _walk(
        self,
        shape: Sequence[int],
        quality: int,
        code: Callable[[slice, Tensor, Tensor, Tensor], Tensor],
        n_groups: int | None = None,
    ) -> Tensor:
        """Visit all numbers in the order of coding; return the decoded values, in steps.

        `code` is given channels, squares, means and the numbers of tables; it returns the integers.
        """
        contexts = self.network.contexts
        low = min(quality // N_PER_LEVEL, N_LEVELS - 2)
        part = quality - low * N_PER_LEVEL
        scales = self.weights[low] * (N_PER_LEVEL - part) + self.weights[low + 1] * part
        others = [interpolated(w, quality / N_PER_LEVEL) for w in contexts.weights[1:]]

        def of_tables(channels: slice, squares: Tensor, mean: Tensor, weighted: Tensor) -> Any:
            # A power of two: nothing is rounded but here, towards zero.
            numbers = (
                weighted.mul_(2.0**-_FRACTION_BITS / N_PER_LEVEL).clamp_(0, _N_TABLES - 1).int()
            )
            integers = code(channels, squares, mean, numbers)
            return integers, mean + self._values(integers, numbers)

        return contexts.walk(shape, (scales, *others), of_tables, whole_log, n_groups)

    def _values(self, integers: Tensor, numbers: Tensor) -> Tensor:
        """Return the expected values of what was rounded to integers."""
        places = integers.clamp(-_N_CENTROIDS, _N_CENTROIDS) + _N_CENTROIDS
        return integers + _looked_up(self._shifts, numbers, places)

    @torch.inference_mode()
    def encode(self, y: Tensor, quality: int) -> bytes:
        """Round coefficients and code them.

        Parameters
        ----------
        y : Tensor of shape (n_images, rows, columns, n_components)
            Coefficients.
        quality : int
            Number of the rounding step.

        Returns
        -------
        bytes
            The code.
        """
        parts: list[tuple[int, np.ndarray, np.ndarray]] = []

        def keep(stop: int, integers: Tensor, numbers: Tensor, residuals: Tensor) -> None:
            parts.append((stop, integers.numpy(), numbers.byte().numpy()))

        self._round_all(y, quality, keep)
        # Groups of zeros behind the last other number are left out.
        last = max((stop for stop, integers, _ in parts if integers.any()), default=0)
        n_groups = sum(stop <= last for _, stop in self.network.contexts.groups)
        encoder = Encoder()
        for stop, integers, numbers in parts:
            if stop <= last:
                encoder.put(integers, self.tables, numbers)
        return bytes([n_groups]) + encoder.finish()

    @torch.inference_mode()
    def cost(self, y: Tensor, quality: int) -> tuple[Tensor, np.ndarray]:
        """Round coefficients, and measure the code of each image alone.

        Parameters
        ----------
        y : Tensor of shape (n_images, rows, columns, n_components)
            Coefficients.
        quality : int
            Number of the rounding step.

        Returns
        -------
        decoded : Tensor of shape (n_images, rows, columns, n_components)
            What :meth:`decode` returns for images that were coded alone.
        n_bits : ndarray of shape (n_images,)
            Ideal lengths of their codes.
        """
        if self._lengths is None:
            self._lengths = _code_lengths(self.tables)
        lengths, r = self._lengths, _LARGEST_RADIUS
        stops, n_bits, n_others = [], [], []

        def measure(stop: int, integers: Tensor, numbers: Tensor, residuals: Tensor) -> None:
            stops.append(stop)
            bits = _looked_up(lengths, numbers, integers.clamp(-r, r) + r)
            n_bits.append(bits.sum((1, 2), dtype=torch.float64))
            n_others.append(integers.count_nonzero((1, 2)))

        decoded = self._round_all(y, quality, measure)
        # As in `encode`, the last group of an image is the last one with another number than zero.
        stop = torch.tensor(stops)[:, None]
        last = (stop * (torch.stack(n_others) > 0)).amax(0)
        total = (torch.stack(n_bits) * (stop <= last)).sum(0)
        is_coded = torch.arange(y.shape[-1]) < last[:, None, None, None]
        factors = self.network.steps(quality / N_PER_LEVEL)[1]
        return decoded * is_coded * factors, total.numpy()

    def _round_all(self, y: Tensor, quality: int, tell: Callable[..., None]) -> Tensor:
        """Return what coefficients are rounded to, in steps.

        `tell` is told, part by part, of the last channel, the integers, the numbers of their tables
        and what was rounded.
        """
        shape = y.shape
        y = (y / self.network.steps(quality / N_PER_LEVEL)[0]).flatten(1, 2)

        def code(channels: slice, squares: Tensor, means: Tensor, numbers: Tensor) -> Tensor:
            residuals = y[:, squares, channels] - means
            integers = self._rounded(residuals, numbers)
            tell(channels.stop, integers, numbers, residuals)
            return integers

        return self._walk(shape, quality, code)

    @torch.inference_mode()
    def decode(
        self, stream: bytes | memoryview, shape: tuple[int, int, int], quality: int
    ) -> Tensor:
        """Read coefficients.

        Parameters
        ----------
        stream : bytes or memoryview
            The code.
        shape : tuple of three ints
            Number of images, rows and columns.
        quality : int
            Number of the rounding step.

        Returns
        -------
        Tensor of shape (n_images, rows, columns, n_components)
            Coefficients.

        Raises
        ------
        BitstreamError
            If that is not what :meth:`encode` has written.
        """
        if not stream:
            raise BitstreamError("it is empty")
        n_groups, n_known = stream[0], len(self.network.contexts.groups)
        if n_groups > n_known:
            raise BitstreamError(f"it has {n_groups} groups of channels, the model {n_known}")
        decoder = Decoder(stream[1:])

        def code(channels: slice, squares: Tensor, means: Tensor, numbers: Tensor) -> Tensor:
            return torch.from_numpy(decoder.take(self.tables, numbers.byte().numpy()))

        decoded = self._walk((*shape, self.network.n_components), quality, code, n_groups)
        decoder.finish()
        return decoded * self.network.steps(quality / N_PER_LEVEL)[1]

    def _rounded(self, residuals: Tensor, numbers: Tensor) -> Tensor:
        """Return whichever of the two nearest integers costs less, in squared error and bits."""
        magnitude = residuals.abs()
        low = magnitude.clamp(max=2**30).int()
        known = low.clamp(max=_N_LENGTHS - 2)
        is_high = magnitude - (low - known) > _looked_up(self._thresholds, numbers, known)
        return residuals.sign().int() * (low + is_high)

    # ------------------------------------------------------------------ freezing

    @torch.inference_mode()
    def learn_tables(self, grids: list[Tensor], qualities: list[int]) -> None:
        """Count how often each integer is coded by each table, and where its values lie.

        Parameters
        ----------
        grids : list of Tensors of shape (n_images, rows, columns, n_components)
            Coefficients of training images.
        qualities : list of int
            Numbers of rounding steps.
        """
        n = _LARGEST_RADIUS + 1
        counts = np.zeros((_N_TABLES, n))
        shifts = np.zeros((2, _N_TABLES, _N_CENTROIDS))

        def tally(stop: int, integers: Tensor, numbers: Tensor, residuals: Tensor) -> None:
            magnitude = integers.abs().reshape(-1)
            place = numbers.reshape(-1)
            joint = place * n + magnitude.clamp(max=n - 1)
            counts[:] += torch.bincount(joint, minlength=_N_TABLES * n).reshape(-1, n).numpy()
            shift = (residuals.abs().reshape(-1) - magnitude).double()
            some = magnitude > 0
            joint = place * _N_CENTROIDS + (magnitude - 1).clamp(0, _N_CENTROIDS - 1)
            for total, weight in zip(shifts, (shift, torch.ones_like(shift)), strict=True):
                total += (
                    torch.bincount(joint[some], weight[some], minlength=total.size)
                    .reshape(total.shape)
                    .numpy()
                )

        for grid in grids:
            for quality in qualities:
                self._round_all(grid, quality, tally)
        weight = _PRIOR_WEIGHT
        self.centroids = (shifts[0] + weight * self.centroids) / (shifts[1] + weight)
        self.tables = [
            _learned_table(scale, seen, weight)
            for scale, seen in zip(_scales(), counts, strict=True)
        ]
        self._derive()


def _looked_up(table: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return entries of a table, the fastest way."""
    places = torch.add(columns, rows, alpha=table.shape[1])
    return table.flatten().index_select(0, places.flatten()).reshape(places.shape)


def _code_lengths(tables: list[Table]) -> Tensor:
    """Return how many bits each table spends on the integers up to the largest radius."""
    integers = np.arange(-_LARGEST_RADIUS, _LARGEST_RADIUS + 1)
    lengths = np.empty((_N_TABLES, len(integers)))
    for row, table in zip(lengths, tables, strict=True):
        excess = np.abs(integers) - table.radius - 1
        row[:] = table.bits[np.where(excess < 0, integers + table.radius, -1)]
        # An escape is followed by bytes of seven bits.
        n_bytes = np.ceil(np.log2(2 * excess.clip(0) + 2) / 7)
        row += 8 * n_bytes * (excess >= 0)
    return torch.from_numpy(lengths).float()


def _magnitudes(scale: float, n: int) -> np.ndarray:
    """Return the probabilities of rounded magnitudes, and of all greater, under a Laplace law."""
    edges = np.concatenate([[0], np.arange(1, n + 1) - DEAD_ZONE])
    beyond = np.exp(-edges / scale)
    return np.append(beyond[:-1] - beyond[1:], beyond[-1])


def _radius(scale: float) -> int:
    return int(min(_LARGEST_RADIUS - 1, np.ceil(12 * scale) + 2))


def _table(magnitudes: np.ndarray) -> Table:
    """Return a symmetric table from the probabilities of magnitudes, and of all greater."""
    half = magnitudes[1:-1] / 2
    return Table.from_probabilities(
        np.concatenate([half[::-1], magnitudes[:1], half, magnitudes[-1:] + 1e-7])
    )


def _laplace_table(scale: float) -> Table:
    return _table(_magnitudes(scale, _radius(scale) + 1))


def _learned_table(scale: float, counts: np.ndarray, weight: float) -> Table:
    n = _radius(scale) + 1
    seen = np.append(counts[:n], counts[n:].sum())
    return _table((seen + weight * _magnitudes(scale, n)) / (counts.sum() + weight))


def _centroid(scales: np.ndarray) -> np.ndarray:
    """Return how far the mean lies from the integer, in an interval of length one."""
    return -DEAD_ZONE + scales - 1 / np.expm1(np.minimum(1 / scales, 60))
