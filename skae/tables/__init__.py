"""Tables: data frames as matrices, and columns as networks like them.

Knows no estimator and no task. ``_frames.py`` turns a frame of any kind into a matrix and back,
``_columns.py`` a matrix into what a network sees and back, batch by batch.
"""

from ._columns import Columns
from ._frames import FrameFormat, is_frame, refuse_lazy
from ._normal_scores import NormalScores
from ._rows import ColumnRows

__all__ = ["ColumnRows", "Columns", "FrameFormat", "NormalScores", "is_frame", "refuse_lazy"]
