"""Numbers as short byte strings: what every medium's compression has in common, and no medium.

Signals become bytes in three stages. A medium turns its samples into coefficients; `Codec` rounds
coefficients and turns them into bytes; `pack` frames the bytes of many chunks as a stream that
notices damage. `StreamCodec` goes through all three, chunk by chunk, in both directions.

Open ``_streams.py`` first: its abstract methods are what a medium has to say. Below it are
``_container.py``, the stream seen from outside, and ``_codec.py``, with its tables in
``_tables.py`` and ``_tally.py`` and its coder of integers in ``_entropy.py``.
"""

from ._codec import N_NUMBERS, N_PER_LEVEL, Codec
from ._container import CODED, RAW, Header, pack, unpack
from ._errors import BitstreamError
from ._streams import MAX_VALUES, StreamCodec
from ._tables import CodecTables
from ._varints import read_varint, varint

__all__ = [
    "CODED",
    "MAX_VALUES",
    "N_NUMBERS",
    "N_PER_LEVEL",
    "RAW",
    "BitstreamError",
    "Codec",
    "CodecTables",
    "Header",
    "StreamCodec",
    "pack",
    "read_varint",
    "unpack",
    "varint",
]
