"""What became of a file, and how it is told in one line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class CommandError(Exception):
    """What the user is told in one line."""


@dataclass(frozen=True)
class Outcome:
    """What became of a file.

    Parameters
    ----------
    summary : str
        What is told of it; nothing if it is empty.
    facts : mapping, default={}
        The same for programs.
    notes : tuple of str, default=()
        What the user may not expect.
    status : {"done", "skipped", "missed", "failed"}, default="done"
        "missed" if the output is there, but not what was asked for.
    """

    summary: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    status: str = "done"

    @classmethod
    def failure(cls, error: BaseException, source: Path | None = None) -> "Outcome":
        """Return what an exception means for a file."""
        message = _message(error, source)
        return cls(message, {"error": message}, (), "failed")

    @property
    def is_good(self) -> bool:
        """Whether there is what was asked for."""
        return self.status in ("done", "skipped")

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing to note."""
        return self.is_good and not self.notes

    def line(self, source: Path | None) -> str:
        """Return what is told of a file; it is named first if there is something to note."""
        if self.is_plain:
            return _printable(self.summary)
        return _printable(f"skae: {name_of(source)}: {'; '.join([*self.notes, self.summary])}")

    def json(self, source: Path | None) -> str:
        """Return the same as an object of JSON."""
        about = {"file": name_of(source), "status": self.status, **self.facts}
        return json.dumps({**about, "notes": self.notes} if self.notes else about)


def name_of(path: Path | None) -> str:
    """Return the name of a file, "-" for a standard stream."""
    return "-" if path is None else str(path)


def _message(error: BaseException, source: Path | None) -> str:
    if isinstance(error, MemoryError):
        return "there is not enough memory for it"
    if isinstance(error, OSError) and error.strerror:
        is_other = error.filename is not None and str(error.filename) != str(source)
        return f"{error.filename}: {error.strerror}" if is_other else error.strerror
    text = " ".join(str(error).split())
    is_for_users = isinstance(error, CommandError | OSError | ValueError)
    return text if text and is_for_users else f"{type(error).__name__}: {text}"


def _printable(text: str) -> str:
    """Return one line of text, for names of files may hold line breaks and worse."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
