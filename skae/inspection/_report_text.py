"""Values of any kind as text that can be shown, and text as a part of a page."""

from __future__ import annotations

import json
import re
from html import escape
from numbers import Integral, Real
from typing import Any

import numpy as np

_MOST_LETTERS = 200  # of a value
# What would not be seen, or would turn the text around it: control characters, halves of pairs,
# marks of direction, and the ends of lines that only Unicode knows.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def value_text(value: Any) -> str | None:
    """Return a value of a cell as text, None if it is missing."""
    if value is None or is_nothing(value):
        return None
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return number_text(float(value))
    return plain_text(value)


def is_nothing(value: Any) -> bool:
    """Tell whether a value is NaN, NaT or pandas.NA."""
    if type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating | np.datetime64 | np.timedelta64) and bool(
        value != value
    )


def number_text(value: float) -> str:
    """Write a number by four digits, large ones whole."""
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:.4g}"


def plain_text(value: Any) -> str:
    """Return what a value says in one line, without letters that can't be seen, and not too long.

    Bytes are written as Python writes them.
    """
    text = value if isinstance(value, str) else str(value)
    text = _UNSEEN.sub(lambda found: ascii(found[0])[1:-1], text[: _MOST_LETTERS + 1])
    return text if len(text) <= _MOST_LETTERS else text[: _MOST_LETTERS - 1] + "…"


def element(name: str, *children: str, **attributes: str) -> str:
    """Return an element of HTML around others; attributes are escaped, texts need `escape`.

    A trailing underscore of an attribute's name is left out, and one inside becomes a hyphen.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{given}>{''.join(children)}</{name}>"


def as_json(data: Any) -> str:
    """Return JSON that a script element can hold, whatever the texts in it are."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # None of these stands outside of strings.
    return re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)
