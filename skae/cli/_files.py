"""Files as whole ones or none, and standard streams."""

import contextlib
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from .._atomic import replaced
from ._outcomes import CommandError
from ._plan import check_free


@contextlib.contextmanager
def opened(source: Path | None) -> Iterator[BinaryIO]:
    """Open a file, or the standard input if it is None, so that any place of it can be read."""
    if source is None:
        yield io.BytesIO(sys.stdin.buffer.read())
        return
    with source.open("rb") as file:
        yield file if file.seekable() else io.BytesIO(file.read())


def write(output: Path | None, content: bytes, *, force: bool) -> None:
    """Write a file as a whole or not at all; see :func:`written`."""
    with written(output, force=force) as path:
        path.write_bytes(content)


@contextlib.contextmanager
def written(output: Path | None, *, force: bool) -> Iterator[Path]:
    """Yield a file to write to, which becomes the output if all went well, else is removed.

    Parameters
    ----------
    output : Path or None
        None for the standard output. Pipes and devices are written to; a link is replaced, never
        written through.
    force : bool
        Whether to replace a file that is there by now.

    Raises
    ------
    CommandError
        If it can't be written.
    """
    if output is None:
        if sys.stdout.isatty():
            raise CommandError("the standard output is a terminal; name a file with -o")
        with _temporary() as path:
            yield path
            _copy(path, sys.stdout.buffer)
        return
    try:
        is_other = not os.path.isfile(output) and not os.path.isdir(output)
        if is_other and os.path.exists(output):
            with _temporary() as path:
                yield path
                with output.open("wb") as file:
                    _copy(path, file)
        else:
            with _beside(output, force) as path:
                yield path
    except OSError as error:
        raise CommandError(f"{output} can't be written: {error.strerror or error}") from None


@contextlib.contextmanager
def _temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="skae-") as folder:
        yield Path(folder, "output")


def _copy(path: Path, file: BinaryIO) -> None:
    with path.open("rb") as source:
        shutil.copyfileobj(source, file)
    file.flush()


@contextlib.contextmanager
def _beside(output: Path, force: bool) -> Iterator[Path]:
    output.parent.mkdir(parents=True, exist_ok=True)
    with replaced(output) as beside:
        yield beside
        if not force:
            check_free(output)
