"""A bar while something is going on, if somebody looks."""

import sys
from collections.abc import Iterable
from typing import Any


def tracked(items: Iterable[Any], n_items: int) -> Iterable[Any]:
    """Show a bar if there are many items, somebody looks, and rich is installed.

    Parameters
    ----------
    items : iterable
        What takes its time.
    n_items : int
        How many there are.

    Returns
    -------
    iterable
        The same.
    """
    if n_items < 2 or not sys.stderr.isatty():
        return items
    try:
        from rich.console import Console
        from rich.progress import track
    except ModuleNotFoundError:
        return items
    return track(items, console=Console(stderr=True), description="", total=n_items)
