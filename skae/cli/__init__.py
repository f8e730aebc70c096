"""The command `skae`: photographs and sounds to small files and back, and models of tables.

``_parser.py`` says what can be typed, ``_plan.py`` which file becomes which, and ``_runner.py``
does the work, file by file, so that nothing that is wrong with one stops the others.
``_media.py`` tells what a file is, and ``_commands.py`` what there is to do, by
``_image_commands.py`` or ``_sound_commands.py``. Pictures are read in ``_pictures.py``: which files
are refused, because of what would be lost, and how colors become those that models are fitted to.
Sounds are read in ``_recordings.py`` and written in ``_sound_writer.py``, block by block. What is
done with tables is in ``_tables.py``, by ``skae.datasets.rows``.

Nothing here imports torch, numpy, Pillow or soundfile before all options are checked.
"""

from ._pictures import read_image
from ._runner import main

__all__ = ["main", "read_image"]
