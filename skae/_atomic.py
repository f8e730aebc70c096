"""Files as whole ones or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Yield a new file in the same folder, and rename it when all of it is on the disk.

    Parameters
    ----------
    path : Path
        What it becomes. A link is replaced, never written through.

    Yields
    ------
    Path
        The file to write to, which is removed if anything fails.
    """
    beside = path.with_name(f".skae-{secrets.token_hex(8)}")
    try:
        beside.open("xb").close()
        yield beside
        with beside.open("r+b") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
