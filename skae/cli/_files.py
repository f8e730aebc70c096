"""Files as whole ones or none, and standard streams."""

import contextlib
import io
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

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
    """Write a file as a whole or not at all; a link is replaced, never written through.

    Parameters
    ----------
    output : Path or None
        None for the standard output. Pipes and devices are written to.
    content : bytes
        Its content.
    force : bool
        Whether to replace a file that is there by now.

    Raises
    ------
    CommandError
        If that is not possible.
    """
    if output is None:
        if sys.stdout.isatty():
            raise CommandError("the standard output is a terminal; name a file with -o")
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        is_other = not os.path.isfile(output) and not os.path.isdir(output)
        if is_other and os.path.exists(output):
            output.write_bytes(content)
        else:
            _write_beside(output, content, force)
    except OSError as error:
        raise CommandError(f"{output} can't be written: {error.strerror or error}") from None


def _write_beside(output: Path, content: bytes, force: bool) -> None:
    """Write a new file in the same folder, and rename it when all of it is on the disk."""
    output.parent.mkdir(parents=True, exist_ok=True)
    beside = output.with_name(f".skae-{secrets.token_hex(8)}")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if not force:
            check_free(output)
        beside.replace(output)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
