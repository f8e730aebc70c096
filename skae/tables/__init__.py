"""Tables: data frames as matrices, and columns as networks like them.

Knows no estimator and no task. ``_frames.py`` turns a frame of any kind into a matrix and back,
column by column with ``_series.py``, and ``_schema.py`` says what each column was taken for. From
there it goes on in two ways, both batch by batch and back: ``_columns.py`` for those that need a
likelihood, ``_coding.py`` and ``_view.py`` for those that need errors. What is missing is NaN in
matrices.
"""

from ..metrics._checks import is_frame
from ._coding import Coding
from ._columns import Columns
from ._containers import cells_of, columns_named, framed, refuse_unusable, unmasked
from ._frames import FrameFormat
from ._lazy import LazyTable
from ._normal_scores import NormalScores
from ._rows import ColumnRows
from ._schema import ColumnSchema, Schema
from ._view import TableView, ViewedRows

__all__ = [
    "Coding",
    "ColumnRows",
    "ColumnSchema",
    "Columns",
    "FrameFormat",
    "LazyTable",
    "NormalScores",
    "Schema",
    "TableView",
    "ViewedRows",
    "cells_of",
    "columns_named",
    "framed",
    "is_frame",
    "refuse_unusable",
    "unmasked",
]
