"""Fitted estimators as files that hold arrays and plain values, and nothing that is executed.

A file goes through three stages: ``_encoding.py`` turns an estimator into JSON and arrays and
``_decoding.py`` back, by the names in ``_classes.py``; ``_container.py`` puts both into a file in
the format of safetensors; ``_files.py``, which is to be read first, is what users call. How a class
stores itself never lives here: what is in a file is what ``__getstate__`` returns.
"""

from ._card import model_card
from ._errors import ModelFileError
from ._files import load, save

__all__ = ["ModelFileError", "load", "model_card", "save"]
