"""What the columns of a table are taken for: a description to read, and wishes to check."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..training._suggestions import did_you_mean

KINDS = ("number", "category", "date")
_MOST_NAMED, _WIDEST = 6, 60


@dataclass(frozen=True)
class ColumnSchema:
    """What a column of a frame is taken for.

    Parameters
    ----------
    name : object
        Its name.
    dtype : str
        Its dtype in the training data.
    kind : {"number", "category", "date"}
        What its values are; times and durations are dates, and truth values beside other kinds are
        categories.
    categories : list or None
        The values of a column of categories, sorted; None among them stands for a missing one,
        where that is a category too.
    has_missing : bool
        Whether values were missing in the training data.
    """

    name: Any
    dtype: str
    kind: str
    categories: list | None
    has_missing: bool


class Schema(tuple[ColumnSchema, ...]):
    """The columns of a frame in their order, each a :class:`ColumnSchema`; prints as a table.

    Parameters
    ----------
    iterable : iterable of ColumnSchema
        The columns.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        rows = [("column", "kind", "dtype", "missing", "categories")]
        rows += [
            (str(c.name), c.kind, c.dtype, "yes" if c.has_missing else "", _named(c.categories))
            for c in self
        ]
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )


def _named(categories: list | None) -> str:
    """Return how many categories there are, and the first of them."""
    if categories is None:
        return ""
    shown = ", ".join(map(repr, categories[:_MOST_NAMED]))
    shown = shown if len(shown) <= _WIDEST else f"{shown[:_WIDEST]}..."
    more = ", ..." if len(categories) > _MOST_NAMED and not shown.endswith("...") else ""
    return f"{len(categories)}: {shown}{more}"


def checked_kinds(column_kinds: Mapping[Any, str] | None, names: Iterable[Any] | None) -> dict:
    """Return which kinds a user wants columns to be of.

    Parameters
    ----------
    column_kinds : mapping of object to str, or None
        Kinds by names of columns.
    names : iterable or None
        The columns of the training data; None if these are no frame.

    Returns
    -------
    dict
        The same.

    Raises
    ------
    ValueError
        If a column or a kind is unknown, or there are no columns with names.
    """
    kinds = dict(column_kinds or {})
    if kinds and names is None:
        raise ValueError(
            f"column_kinds={kinds} names columns of a data frame, but X is none: put the columns "
            "into a frame, such as pandas.DataFrame(X)"
        )
    known = list(names or [])
    for name, kind in kinds.items():
        if name not in known:
            meant = did_you_mean(name, known) if isinstance(name, str) else ""
            raise ValueError(f"column_kinds names a column {name!r}, but X has {known}{meant}")
        if kind not in KINDS:
            raise ValueError(f"column_kinds[{name!r}]={kind!r} must be one of {sorted(KINDS)}")
    return kinds
