"""Entropy coding of integers by tables of frequencies: asymmetric numeral systems.

The coder is that of `constriction`, if it is installed; otherwise a slow one that writes and reads
the same bytes. Duda, arXiv:1311.2540; Bamler, arXiv:2201.01741.
"""

from functools import cached_property
from typing import Any

import numpy as np

try:
    import constriction
except ImportError:
    constriction = None

PRECISION = 24
_WORD, _MASK = 32, (1 << 32) - 1
_TOTAL = 1 << PRECISION


class BitstreamError(ValueError):
    """A stream can't be decoded: it is damaged, truncated, or of another model or version."""

    __module__ = "skae.compression"  # what tracebacks show, and users import it from


class Table:
    """Frequencies of the integers from -radius to radius, and of an escape to all others.

    Parameters
    ----------
    frequencies : ndarray of shape (2 * radius + 2,)
        Positive integers, that of the escape last, with the sum 2 ** 24.
    """

    def __init__(self, frequencies: np.ndarray) -> None:
        self.frequencies = np.asarray(frequencies, dtype=np.int64)
        if self.frequencies.min() < 1 or self.frequencies.sum() != _TOTAL:
            raise ValueError(f"frequencies must be positive, with the sum {_TOTAL}")
        self.radius = len(frequencies) // 2 - 1

    @classmethod
    def from_probabilities(cls, probabilities: np.ndarray) -> "Table":
        """Return the table that is nearest to some probabilities.

        Parameters
        ----------
        probabilities : ndarray of shape (2 * radius + 2,)
            Not negative; they need not have the sum 1.

        Returns
        -------
        Table
            The table.
        """
        free = _TOTAL - 2 * len(probabilities)
        frequencies = 2 + np.floor(probabilities / probabilities.sum() * free).astype(np.int64)
        frequencies[frequencies.argmax()] += _TOTAL - frequencies.sum()
        return cls(frequencies)

    @cached_property
    def bounds(self) -> np.ndarray:
        """Cumulative frequencies, from 0 to 2 ** 24."""
        return np.concatenate([[0], np.cumsum(self.frequencies)])

    @cached_property
    def bits(self) -> np.ndarray:
        """Length of the code of every symbol, in bits."""
        return PRECISION - np.log2(self.frequencies)

    @cached_property
    def model(self) -> Any:
        """The same for constriction.

        It turns probabilities into whole numbers by rounding down what they add up to. These add up
        to halves, so that no rounding error in floating point can change the result.
        """
        free = _TOTAL - len(self.frequencies)
        cumulated = (np.cumsum(self.frequencies - 1) + 0.5) / free
        cumulated[-1] = 1
        probabilities = np.diff(cumulated, prepend=0)
        return constriction.stream.model.Categorical(probabilities, perfect=False)


class _Stack:
    """A coder with the bitstream of ``constriction.stream.stack.AnsCoder``, symbol by symbol."""

    def __init__(self, words: np.ndarray | None = None) -> None:
        self.words = [] if words is None else words.tolist()
        self.state = 0
        while self.words and self.state < 1 << _WORD:
            self.state = self.state << _WORD | self.words.pop()

    def encode_reverse(self, positions: np.ndarray, table: Table) -> None:
        bounds, frequencies = table.bounds.tolist(), table.frequencies.tolist()
        for position in positions[::-1].tolist():
            frequency = frequencies[position]
            if self.state >= frequency << 2 * _WORD - PRECISION:
                self.words.append(self.state & _MASK)
                self.state >>= _WORD
            high, low = divmod(self.state, frequency)
            self.state = high << PRECISION | low + bounds[position]

    def decode(self, table: Table, n: int) -> np.ndarray:
        bounds, frequencies = table.bounds, table.frequencies.tolist()
        positions = np.empty(n, np.int32)
        for i in range(n):
            low = self.state & (_TOTAL - 1)
            position = int(np.searchsorted(bounds, low, side="right")) - 1
            high = self.state >> PRECISION
            self.state = high * frequencies[position] + low - int(bounds[position])
            if self.state < 1 << _WORD and self.words:
                self.state = self.state << _WORD | self.words.pop()
            positions[i] = position
        return positions

    def get_compressed(self) -> np.ndarray:
        words, state = list(self.words), self.state
        while state:
            words.append(state & _MASK)
            state >>= _WORD
        return np.array(words, np.uint32)

    def is_empty(self) -> bool:
        return not self.words and not self.state


class Encoder:
    """Collects integers and the tables that they are coded by."""

    def __init__(self) -> None:
        self._runs: list[tuple[Table, np.ndarray]] = []
        self._escaped: list[int] = []

    def put(self, symbols: np.ndarray, tables: list[Table], numbers: np.ndarray) -> None:
        """Add integers, each with the number of its table.

        Parameters
        ----------
        symbols : ndarray of int, of any shape
            What to code.
        tables : list of Table
            Tables.
        numbers : ndarray of uint8, of the same shape
            Which of the tables each symbol is coded by.
        """
        order, counts, radii = _by_table(numbers, tables)
        symbols = symbols.reshape(-1)[order]
        positions = symbols + radii
        if len(escapes := np.flatnonzero(np.abs(symbols) > radii)):
            excess = np.abs(symbols[escapes]) - radii[escapes] - 1
            self._escaped += (2 * excess + (symbols[escapes] < 0)).tolist()
            positions[escapes] = 2 * radii[escapes] + 1
        stops = np.cumsum(list(counts.values()))[:-1]
        runs = np.split(positions.astype(np.int32, copy=False), stops)
        self._runs += zip((tables[number] for number in counts), runs, strict=True)

    def finish(self) -> bytes:
        """Return the stream.

        Returns
        -------
        bytes
            All that was put in.
        """
        coder = _Stack() if constriction is None else constriction.stream.stack.AnsCoder()
        for table, positions in reversed(self._runs):
            coder.encode_reverse(positions, table if constriction is None else table.model)
        words = coder.get_compressed()
        escaped = b"".join(varint(value) for value in self._escaped)
        return varint(len(words)) + words.astype("<u4").tobytes() + escaped


class Decoder:
    """Reads what an :class:`Encoder` has written, by the same tables in the same order.

    Parameters
    ----------
    stream : bytes or memoryview
        The stream.
    """

    def __init__(self, stream: bytes | memoryview) -> None:
        n_words, start = read_varint(stream, 0)
        stop = start + 4 * n_words
        if stop > len(stream):
            raise BitstreamError(
                f"it announces {n_words} words, but has {len(stream) - start} bytes for them"
            )
        words = np.frombuffer(stream[start:stop], "<u4").astype(np.uint32)
        if n_words and not words[-1]:
            raise BitstreamError("its last word is zero")
        is_slow = constriction is None
        self._coder = _Stack(words) if is_slow else constriction.stream.stack.AnsCoder(words)
        self._stream, self._position = stream, stop

    def take(self, tables: list[Table], numbers: np.ndarray) -> np.ndarray:
        """Read integers.

        Parameters
        ----------
        tables : list of Table
            Tables.
        numbers : ndarray of uint8, of any shape
            Which of the tables each symbol was coded by.

        Returns
        -------
        ndarray of int32, of the same shape
            The symbols.
        """
        order, counts, radii = _by_table(numbers, tables)
        runs = []
        for number, count in counts.items():
            table = tables[number]
            model: Any = table if constriction is None else table.model
            # The arguments of the two coders are in the same order.
            runs.append(self._coder.decode(model, count))
        positions = np.concatenate(runs) if runs else np.empty(0, np.int32)
        found = positions - radii
        for i in np.flatnonzero(found > radii):
            value, self._position = read_varint(self._stream, self._position)
            magnitude = value // 2 + int(radii[i]) + 1
            if magnitude > np.iinfo(np.int32).max:
                raise BitstreamError(f"a symbol of magnitude {magnitude} is out of range")
            found[i] = -magnitude if value % 2 else magnitude
        symbols = np.empty(numbers.size, np.int32)
        symbols[order] = found
        return symbols.reshape(numbers.shape)

    def finish(self) -> None:
        """Make sure that nothing is left.

        Raises
        ------
        BitstreamError
            If something is.
        """
        if not self._coder.is_empty() or self._position != len(self._stream):
            raise BitstreamError("there are data behind the last symbol")


def _by_table(
    numbers: np.ndarray, tables: list[Table]
) -> tuple[np.ndarray, dict[int, int], np.ndarray]:
    """Return the order that sorts symbols by tables, how many each has, and then their radii."""
    numbers = numbers.reshape(-1)
    counts = np.bincount(numbers)
    used = np.flatnonzero(counts)
    radii = np.array([tables[number].radius for number in used], np.int32)
    order = np.argsort(numbers, kind="stable")
    return (
        order,
        dict(zip(used.tolist(), counts[used].tolist(), strict=True)),
        np.repeat(radii, counts[used]),
    )


def varint(value: int) -> bytes:
    """Return an integer in seven bits per byte, low bits first.

    Parameters
    ----------
    value : int
        Not negative.

    Returns
    -------
    bytes
        One byte below 128, two below 16,384 and so on.
    """
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def read_varint(stream: bytes | memoryview, position: int) -> tuple[int, int]:
    """Read what :func:`varint` has written.

    Parameters
    ----------
    stream : bytes or memoryview
        A stream.
    position : int
        Where the integer starts.

    Returns
    -------
    value : int
        The integer, below 2 ** 63.
    position : int
        Where it ends.
    """
    value = 0
    for i in range(9):
        if position + i >= len(stream):
            raise BitstreamError(f"the stream ends inside of a number, at byte {len(stream)}")
        byte = stream[position + i]
        value |= (byte & 127) << 7 * i
        if byte < 128:
            return value, position + i + 1
    raise BitstreamError(f"the number at byte {position} is too long")
