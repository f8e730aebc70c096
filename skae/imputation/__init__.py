"""Imputation: missing cells of tables, filled once or many times.

``_imputer.py`` has the estimator. ``_coding.py`` says how columns are seen, ``_normal.py`` fits the
normal distribution that guesses first, and ``_objectives.py`` what networks that correct it learn.
``_spread.py`` knows how far off they are: draws and intervals.
"""

from ._imputer import AutoencoderImputer

__all__ = ["AutoencoderImputer"]
