"""Tables: data frames as matrices, and columns as networks like them.

Knows no estimator and no task. ``_frames.py`` turns a frame of any kind into a matrix and back,
column by column with ``_series.py``, and ``_columns.py`` a matrix into what a network sees and
back, batch by batch. What is missing is NaN in matrices.
"""

from ._columns import Columns
from ._frames import FrameFormat, columns_named, is_frame, refuse_lazy
from ._lazy import LazyTable
from ._normal_scores import NormalScores
from ._rows import ColumnRows

__all__ = [
    "ColumnRows",
    "Columns",
    "FrameFormat",
    "LazyTable",
    "NormalScores",
    "columns_named",
    "is_frame",
    "refuse_lazy",
]
