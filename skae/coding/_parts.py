"""The parts of a stream that comes in piece by piece, and may be damaged."""

import zlib

from ._container import CHECKSUM, END_SIZE, checksum_at
from ._errors import BitstreamError
from ._varints import read_varint

_LONGEST_NUMBER = 9
_FIRST_SEARCH = 64


class Parts:
    """What follows the header of a stream that has an end: chunks, and the end.

    Parameters
    ----------
    first : int
        Checksum of the header.
    longest : int
        How many bytes a chunk has at most, so that a hostile length is not waited for.
    skips : bool
        Whether what is damaged is passed over; else it is an error.

    Attributes
    ----------
    checksum : int
        That of all chunks that were read.
    """

    def __init__(self, first: int, longest: int, skips: bool) -> None:
        self.checksum = self._first = first
        self._longest, self._skips = longest, skips
        self._bytes = bytearray()
        self._n_read = 0
        self._patience = _FIRST_SEARCH

    def __len__(self) -> int:
        """Return how many bytes were not read yet."""
        return len(self._bytes)

    def push(self, stream: bytes) -> None:
        """Take further bytes.

        Parameters
        ----------
        stream : bytes
            Any number of them.
        """
        self._bytes += stream

    def next(self, is_last: bool = False) -> tuple[bytes, bool] | None:
        """Return the next part.

        Parameters
        ----------
        is_last : bool, default=False
            Whether no bytes follow.

        Returns
        -------
        tuple of bytes and bool, or None
            Its content, and whether it is the end; None if not all of it is there.

        Raises
        ------
        BitstreamError
            If it is damaged, unless that is passed over.
        """
        found = self._searched(is_last) if self._skips else self._at(0)
        if found is None:
            return None
        start, body, stop = found
        content = bytes(self._bytes[body:stop])
        if is_chunk := body > start:
            self.checksum = zlib.crc32(self._bytes[start:stop], self.checksum)
        del self._bytes[: stop + CHECKSUM.size]
        self._n_read, self._patience = self._n_read + 1, _FIRST_SEARCH
        return content, not is_chunk

    def bare(self, length: int, is_last: bool = False) -> tuple[bool, bytes] | None:
        """Return the values of a stream that is nothing else.

        Parameters
        ----------
        length : int
            How many bytes they have.
        is_last : bool, default=False
            Whether no bytes follow.

        Returns
        -------
        tuple of bool and bytes, or None
            Whether they are not damaged, and as many of them as there are; None if not all are.
        """
        stop = length + CHECKSUM.size
        if not is_last and len(self._bytes) < stop:
            return None
        content = bytes(self._bytes[:length])
        rest = self._bytes[length:stop]
        del self._bytes[:stop]
        return CHECKSUM.pack(zlib.crc32(content, self._first)) == rest, content

    def _searched(self, is_last: bool) -> tuple[int, int, int] | None:
        """Return the first part that is not damaged."""
        n = len(self._bytes)
        # All bytes are gone through when there are twice as many as at the last time.
        for start in range(n if is_last or n >= self._patience else min(n, 1)):
            try:
                found = self._at(start)
            except BitstreamError:
                continue
            if found is not None:
                return found
        if n >= self._patience:
            del self._bytes[: max(n - self._longest, 0)]
            self._patience = 2 * len(self._bytes)
        return None

    def _at(self, start: int) -> tuple[int, int, int] | None:
        """Return start, start of the content, and end of a part; None if not all of it is there."""
        try:
            length, body = read_varint(self._bytes, start)
        except BitstreamError:
            if len(self._bytes) - start < _LONGEST_NUMBER:
                return None
            raise
        if length > self._longest:
            raise BitstreamError(
                f"part {self._n_read} has {length} bytes, but it can't have more than "
                f"{self._longest}"
            )
        if not length:
            body, length = start, END_SIZE - CHECKSUM.size
        stop = body + length
        if stop + CHECKSUM.size > len(self._bytes):
            return None
        expected = checksum_at(self._bytes, stop + CHECKSUM.size)
        if zlib.crc32(self._bytes[start:stop], self._first) != expected:
            raise BitstreamError(f"part {self._n_read} is damaged: its checksum does not fit")
        return start, body, stop
