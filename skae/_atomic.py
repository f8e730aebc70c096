"""Files as whole ones or not at all."""

import errno
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
    check_place(path)
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


def check_place(path: Path) -> None:
    """Raise FileNotFoundError or IsADirectoryError if there can be no file.

    Parameters
    ----------
    path : Path
        Where it is to be.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
