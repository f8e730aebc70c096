"""Report: a page of HTML that shows what was found, in one file and without a network."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache
from html import escape
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ._report_text import as_json, element, plain_text

Fact = tuple[str, str, str]  # what it is, the value, how to read it
Section = dict[str, Any]  # a title, a note and a figure: what report.js knows how to draw

_HEIGHT = 720  # pixels, in a notebook


class Report:
    """What reports have in common: they are shown in notebooks, and written as one file.

    A report is made of facts, which are text, and of sections, whose figures are drawn by the
    page's own script from numbers that the page holds as JSON. The page loads nothing, and its
    content security policy lets no script run but this one.
    """

    def __init__(self, title: str, facts: list[Fact], sections: list[Section]) -> None:
        self._title, self._facts, self._sections = plain_text(title), facts, sections

    def __repr__(self) -> str:
        lines = [f"{label}: {value}" for label, value, _ in self._facts]
        return "\n  ".join([self._title, *lines])

    def _repr_html_(self) -> str:
        # The page stands in a frame of its own: neither its style nor its script, which may not
        # reach out of it, meets those of the notebook.
        page = self._page().replace("&", "&amp;").replace("'", "&#39;")
        style = f"width:100%;height:{_HEIGHT}px;border:0"
        frame = f'title="{escape(self._title)}" sandbox="allow-scripts" style="{style}"'
        return f"<iframe {frame} srcdoc='{page}'></iframe>"

    def write_html(self, path: str | PathLike[str]) -> None:
        """Write the report as one file, which any browser shows, also without a network.

        Parameters
        ----------
        path : str or path-like
            Name of the file, such as "report.html". A file of that name is replaced.
        """
        Path(path).write_text(self._page(), encoding="utf-8", newline="\n")

    def _page(self) -> str:
        style, script = _asset("report.css"), _asset("report.js")
        policy = (
            "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
            f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
        )
        head = (
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            element("title", escape(self._title)),
            f"<style>{style}</style>",
        )
        facts = (
            element(
                "div",
                element("dt", escape(label)),
                element("dd", escape(value), class_="value"),
                element("dd", escape(note), class_="note"),
            )
            for label, value, note in self._facts
        )
        sections = as_json(self._sections)
        body = (
            element("h1", escape(self._title)),
            element("dl", *facts, class_="facts"),
            "<noscript><p>The figures and lists below need JavaScript.</p></noscript>",
            '<div id="sections"></div>',
            f'<script type="application/json" id="data">{sections}</script>',
            f"<script>{script}</script>",
        )
        return (
            f'<!DOCTYPE html>\n<html lang="en"><head>{"".join(head)}</head>'
            f"<body><main>{''.join(body)}</main></body></html>\n"
        )


@cache
def _asset(name: str) -> str:
    """Return a file that lies beside this one."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """Return what a content security policy names a script or a style by."""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def rounded(values: Any, digits: int = 4) -> list[float | None]:
    """Return numbers with few digits, which makes pages short; those not finite become None."""
    return [
        float(f"{value:.{digits}g}") if np.isfinite(value) else None
        for value in np.asarray(values, dtype=np.float64)
    ]
