"""Tables and timings that all benchmarks share."""

import csv
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def write_table(name: str, rows: Sequence[Mapping[str, Any]], key: Sequence[str] = ()) -> None:
    """Print rows as an aligned table and write them to ``benchmarks/results/<name>.csv``.

    With `key`, names of columns that together tell rows apart, the rows of the file that were not
    measured anew stay in it, so that what takes long need not run again. Columns are the keys of
    all rows, in the order in which they first appear. A missing cell stays empty. Numbers stand
    right-aligned with four significant digits, in the file as in the table.
    """
    rows = save_table(name, rows, key)
    columns, *cells = _cells(rows)
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    numeric = [any(isinstance(row.get(c), int | float) for row in rows) for c in columns]

    def line(texts: Sequence[str]) -> str:
        parts = zip(texts, widths, numeric, strict=True)
        return "  ".join(t.rjust(w) if right else t.ljust(w) for t, w, right in parts).rstrip()

    print("\n".join([line(columns), line(["-" * width for width in widths]), *map(line, cells)]))
    print(f"written to benchmarks/results/{name}.csv")


def save_table(
    name: str, rows: Sequence[Mapping[str, Any]], key: Sequence[str] = ()
) -> list[Mapping[str, Any]]:
    """Write the file as `write_table` does, without printing, and return all of its rows.

    For rows that take long: one by one, so that an interrupted run loses no more than one.
    """
    if key:
        rows = list(_by_key([*read_table(name), *rows], key).values())
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.csv"
    unfinished = path.with_suffix(".part")
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(_cells(rows))
    unfinished.replace(path)
    return list(rows)


def alternate(
    functions: Mapping[str, Callable[[], Any]], rounds: int = 5
) -> dict[str, list[float]]:
    """Time functions in alternation: CPU seconds of each, one per round, after a warm-up round.

    Alternation lets what disturbs the machine disturb all of them alike. CPU seconds are those of
    all threads of this process.
    """
    times: dict[str, list[float]] = {name: [] for name in functions}
    for i in range(rounds + 1):
        for name, function in functions.items():
            start = time.process_time()
            function()
            elapsed = time.process_time() - start
            if i > 0:
                times[name].append(elapsed)
    return times


def ratios(times: Mapping[str, Sequence[float]], reference: str) -> dict[str, float]:
    """Return for every function the median over rounds of its time divided by the reference's."""
    return {
        name: statistics.median(t / r for t, r in zip(series, times[reference], strict=True))
        for name, series in times.items()
    }


def read_table(name: str) -> list[dict[str, Any]]:
    """Return the rows of ``benchmarks/results/<name>.csv``; none if there is no such file."""
    path = RESULTS / f"{name}.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [{c: _value(text) for c, text in row.items()} for row in csv.DictReader(file)]


def _cells(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return the names of the columns and, below them, the texts of the cells."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return [columns, *([_text(row.get(column)) for column in columns] for row in rows)]


def _by_key(rows: Sequence[Mapping[str, Any]], key: Sequence[str]) -> dict[tuple, Mapping]:
    return {tuple(row[column] for column in key): row for row in rows}


def _value(text: str) -> Any:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text or None


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
