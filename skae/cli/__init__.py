"""The command `skae`: photographs to small files and back.

``_parser.py`` says what can be typed, ``_plan.py`` which file becomes which, and ``_runner.py``
does the work, file by file, so that nothing that is wrong with one stops the others. What each
command does with a file is in ``_commands.py``. Pictures are read in ``_pictures.py``: which files
are refused, because of what would be lost, and how colors become those that models are fitted to.

Nothing here imports torch, numpy or Pillow before all options are checked.
"""

from ._pictures import read_image
from ._runner import main

__all__ = ["main", "read_image"]
