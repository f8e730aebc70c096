"""Tables that need not fit into memory, read block by block.

Here live the sources of rows: what knows files and arrays on disk, and gives blocks of numbers.
What becomes of the blocks is a matter of `training/_rows.py`; nothing here knows torch or an
estimator.
Read `_row_source.py` first.
"""

from ._open import rows
from ._row_source import RowSource

__all__ = ["RowSource", "rows"]
