"""Arrays and text as a file in the format of safetensors, with a checksum over all of it.

Eight bytes give the length of a header of JSON, which says what arrays there are and where; then
come their bytes. The format is read and written here, for what it is used for is more than that of
the library: every byte is covered by the checksum, names must not occur twice, and nothing is read
before it is known to be there.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .._atomic import replaced
from ._errors import ModelFileError

LARGEST_HEADER = 32 * 2**20
# Of JSON; a small file must not take much more memory and time than it looks like.
_MOST_VALUES, _BYTES_PER_VALUE = 500_000, 16
_MOST_DIMENSIONS = 32
_START = b'{"__metadata__":{"sha256":"'
_DIGITS = 64
DTYPES: Mapping[str, str] = {
    "BOOL": "|b1",
    "U8": "|u1",
    "I8": "|i1",
    "U16": "<u2",
    "I16": "<i2",
    "F16": "<f2",
    "U32": "<u4",
    "I32": "<i4",
    "F32": "<f4",
    "U64": "<u8",
    "I64": "<i8",
    "F64": "<f8",
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}


def write(path: Path, texts: Mapping[str, str], arrays: Mapping[str, np.ndarray]) -> None:
    """Write a file as a whole or not at all.

    Parameters
    ----------
    path : Path
        The file.
    texts : mapping of str to str
        What the header says besides.
    arrays : mapping of str to ndarray
        Contiguous arrays of the dtypes in ``DTYPES``.
    """
    # The widest first, so that all are aligned.
    ordered = sorted(arrays.items(), key=lambda item: -item[1].itemsize)
    table: dict[str, Any] = {}
    stop = 0
    for name, array in ordered:
        start, stop = stop, stop + array.nbytes
        dtype = _NAMES[array.dtype.str]
        table[name] = {"dtype": dtype, "shape": array.shape, "data_offsets": [start, stop]}
    head = {"__metadata__": {"sha256": "0" * _DIGITS, **texts}, **table}
    header = json.dumps(head, separators=(",", ":"), allow_nan=False).encode()
    header += b" " * (-len(header) % 8)
    if len(header) > LARGEST_HEADER or _n_values(header) > most_values(stop):
        raise ModelFileError(
            f"{path} can't be written: all that is not an array takes {len(header):,} bytes and "
            f"{_n_values(header):,} values of JSON, and no more than {LARGEST_HEADER:,} and "
            f"{most_values(stop):,} are read. Store it by pickle or skops."
        )
    parts = [len(header).to_bytes(8, "little"), header, *(_bytes(array) for _, array in ordered)]
    digest = _digest(parts)
    parts[1] = header.replace(b"0" * _DIGITS, digest, 1)
    with replaced(path) as beside, beside.open("wb") as file:
        file.writelines(parts)


def read(file: BinaryIO) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Read a file.

    Parameters
    ----------
    file : binary file
        The file, of which any place can be read.

    Returns
    -------
    texts : dict of str to str
        What the header says besides.
    arrays : dict of str to ndarray
        The arrays.

    Raises
    ------
    ModelFileError
        If it is no such file, or a single byte of it is not as it was.
    """
    size = file.seek(0, 2)
    file.seek(0)
    prefix = file.read(8)
    length = int.from_bytes(prefix, "little")
    if not len(_START) + _DIGITS < length <= min(size - 8, LARGEST_HEADER):
        raise ModelFileError("it is no model file, or damaged: it has no header")
    header = file.read(length)
    if not header.startswith(_START):
        raise ModelFileError("it is no model file, or damaged: its header is another")
    texts, table = _parsed(header, most_values(size - 8 - length))
    _check_table(table, size - 8 - length)
    arrays = {name: _array(file, entry) for name, entry in table.items()}
    expected = texts.pop("sha256")
    neutral = _START + b"0" * _DIGITS + header[len(_START) + _DIGITS :]
    if _digest([prefix, neutral, *map(_bytes, arrays.values())]).decode() != expected:
        raise ModelFileError("it is damaged: its checksum is not that of its content")
    return texts, arrays


def most_values(n_bytes: int) -> int:
    """Return how many values of JSON there may be beside arrays of so many bytes."""
    return _MOST_VALUES + n_bytes // _BYTES_PER_VALUE


def unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON, if no name occurs twice."""
    pairs = list(pairs)
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ModelFileError("it is damaged: a name occurs twice in it")
    return made


def parsed_json(text: str | bytes, most: int) -> Any:
    """Return what a text of JSON holds, if it is neither too much nor too deep.

    Parameters
    ----------
    text : str or bytes
        The text.
    most : int
        How many values it may have.

    Returns
    -------
    object
        Its content.
    """
    content = text.encode() if isinstance(text, str) else text
    if _n_values(content) > most:
        raise ModelFileError(f"it has more than {most:,} values of JSON")
    try:
        return json.loads(content, object_pairs_hook=unique)
    except RecursionError:
        raise ModelFileError("it is damaged: its values are nested too deeply") from None
    except ValueError as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"it is damaged: its header is no JSON ({error})") from None


def _n_values(content: bytes) -> int:
    return sum(content.count(sign) for sign in (b",", b"[", b"{"))


def _parsed(header: bytes, most: int) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    table = parsed_json(header, most)
    texts = table.pop("__metadata__")
    if not all(isinstance(text, str) for text in texts.values()):
        raise ModelFileError("it is damaged: what its header says of it is no text")
    return texts, table


def _check_table(table: Mapping[str, Any], size: int) -> None:
    """Raise if the arrays are not just what is in the file, one after the other."""
    stop = 0
    for name, entry in table.items():
        if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
            raise ModelFileError(f"it is damaged: array {name[:20]!r} is not described")
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if dtype not in DTYPES:
            raise ModelFileError(f"it has an array of the unknown dtype {str(dtype)[:20]!r}")
        if (
            not isinstance(shape, list)
            or len(shape) > _MOST_DIMENSIONS
            or not all(type(n) is int and n >= 0 for n in shape)
        ):
            raise ModelFileError(f"it is damaged: array {name[:20]!r} has no shape")
        start, stop = stop, stop + math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize
        if offsets != [start, stop] or stop > size:
            raise ModelFileError(
                f"it is damaged: array {name[:20]!r} of shape {str(shape)[:60]} is not where it "
                f"should be, or not all there"
            )
    if stop != size:
        raise ModelFileError(f"it is damaged: it has {size:,} bytes of arrays, not {stop:,}")


def _array(file: BinaryIO, entry: Mapping[str, Any]) -> np.ndarray:
    array = np.empty(entry["shape"], DTYPES[entry["dtype"]])
    if file.readinto(_bytes(array)) != array.nbytes:  # type: ignore[attr-defined]
        raise ModelFileError("it was changed while it was read")
    return array


def _bytes(array: np.ndarray) -> Any:
    return array.reshape(-1).view(np.uint8).data


def _digest(parts: Iterable[Any]) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest().encode()
