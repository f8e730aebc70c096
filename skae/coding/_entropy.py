"""Entropy coding of integers by tables of frequencies: asymmetric numeral systems.

The coder is that of `constriction`, if it is installed; otherwise a slow one that writes and reads
the same bytes. Duda, arXiv:1311.2540; Bamler, arXiv:2201.01741.
"""

from typing import Any

import numpy as np

from ._errors import BitstreamError
from ._tables import PRECISION, Table
from ._varints import read_varint, varint

try:
    import constriction
except ImportError:
    constriction = None

_WORD, _MASK = 32, (1 << 32) - 1


class Encoder:
    """Collects integers and the tables that they are coded by."""

    def __init__(self) -> None:
        self._runs: list[tuple[Table, np.ndarray]] = []
        self._escaped: list[int] = []

    def put(self, symbols: np.ndarray, tables: list[Table], which: np.ndarray) -> None:
        """Add integers, each with the number of its table.

        Parameters
        ----------
        symbols : ndarray of int, of any shape
            What to code.
        tables : list of Table
            Tables.
        which : ndarray of uint8, of the same shape
            Which of the tables each symbol is coded by.
        """
        if not symbols.size:
            return
        order, counts, radii = _by_table(which, tables)
        symbols = symbols.reshape(-1)[order]
        positions = symbols + radii
        if len(escapes := np.flatnonzero(np.abs(symbols) > radii)):
            excess = np.abs(symbols[escapes]) - radii[escapes] - 1
            self._escaped += (2 * excess + (symbols[escapes] < 0)).tolist()
            positions[escapes] = 2 * radii[escapes] + 1
        stops = np.cumsum(list(counts.values()))[:-1]
        runs = np.split(positions.astype(np.int32, copy=False), stops)
        self._runs += zip((tables[table] for table in counts), runs, strict=True)

    def finish(self) -> bytes:
        """Return the stream.

        Returns
        -------
        bytes
            All that was put in.
        """
        coder = _coder()
        for table, positions in reversed(self._runs):
            coder.encode_reverse(positions, _model(table))
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
        self._coder = _coder(words)
        self._stream, self._position = stream, stop

    def take(self, tables: list[Table], which: np.ndarray) -> np.ndarray:
        """Read integers.

        Parameters
        ----------
        tables : list of Table
            Tables.
        which : ndarray of uint8, of any shape
            Which of the tables each symbol was coded by.

        Returns
        -------
        ndarray of int32, of the same shape
            The symbols.
        """
        order, counts, radii = _by_table(which, tables)
        # The arguments of the two coders are in the same order.
        runs = [self._coder.decode(_model(tables[table]), n) for table, n in counts.items()]
        positions = np.concatenate(runs) if runs else np.empty(0, np.int32)
        found = positions - radii
        for i in np.flatnonzero(found > radii):
            value, self._position = read_varint(self._stream, self._position)
            magnitude = value // 2 + int(radii[i]) + 1
            if magnitude > np.iinfo(np.int32).max:
                raise BitstreamError(f"a symbol of magnitude {magnitude} is out of range")
            found[i] = -magnitude if value % 2 else magnitude
        symbols = np.empty(which.size, np.int32)
        symbols[order] = found
        return symbols.reshape(which.shape)

    def finish(self) -> None:
        """Make sure that nothing is left.

        Raises
        ------
        BitstreamError
            If something is.
        """
        if not self._coder.is_empty() or self._position != len(self._stream):
            raise BitstreamError("there are data behind the last symbol")


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
            low = self.state & ((1 << PRECISION) - 1)
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


def _coder(words: np.ndarray | None = None) -> Any:
    """Return the fast coder, or else the slow one."""
    return _Stack(words) if constriction is None else constriction.stream.stack.AnsCoder(words)


def _model(table: Table) -> Any:
    """Return a table as the coder of :func:`_coder` takes it."""
    return table if constriction is None else table.model


def _by_table(
    which: np.ndarray, tables: list[Table]
) -> tuple[np.ndarray, dict[int, int], np.ndarray]:
    """Return the order that sorts symbols by tables, how many each has, and then their radii."""
    which = which.reshape(-1)
    counts = np.bincount(which)
    used = np.flatnonzero(counts)
    radii = np.array([tables[table].radius for table in used], np.int32)
    order = np.argsort(which, kind="stable")
    return (
        order,
        dict(zip(used.tolist(), counts[used].tolist(), strict=True)),
        np.repeat(radii, counts[used]),
    )
