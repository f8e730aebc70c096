"""Numbers as short byte strings: what every medium's compression has in common, and no medium.

Signals become bytes in three stages. A medium turns its samples into coefficients; `Codec` rounds
coefficients and turns them into bytes; `pack` frames the bytes of many chunks as a stream that
notices damage. `StreamCodec` goes through all three, tile by tile, in both directions; what it has
in common with media whose chunks overlap is `BaseStreams`.

Open ``_medium.py`` first, what a medium has to say, and then ``_streams.py``. Below them are
``_container.py``, ``_chunks.py`` and ``_parts.py``, the stream seen from outside, written, read,
and read while it comes in, and
``_codec.py``, with the walk over coefficients in ``_model.py``, its tables in ``_tables.py`` and
``_tally.py``, how streams move them in ``_offsets.py``, and its coder of integers in
``_entropy.py``. ``_selection.py`` finds what is asked for.
"""

from ._base_streams import MAX_VALUES, BaseStreams
from ._chunks import Chunks, opened, unpack
from ._codec import Codec
from ._container import CODED, RAW, Framing, Header, pack
from ._errors import BitstreamError
from ._model import N_NUMBERS, N_PER_LEVEL
from ._parts import Parts
from ._streams import StreamCodec
from ._tables import FRACTION_BITS, CodecTables
from ._varints import read_varint, varint

__all__ = [
    "CODED",
    "FRACTION_BITS",
    "MAX_VALUES",
    "N_NUMBERS",
    "N_PER_LEVEL",
    "RAW",
    "BaseStreams",
    "BitstreamError",
    "Chunks",
    "Codec",
    "CodecTables",
    "Framing",
    "Header",
    "Parts",
    "StreamCodec",
    "opened",
    "pack",
    "read_varint",
    "unpack",
    "varint",
]
