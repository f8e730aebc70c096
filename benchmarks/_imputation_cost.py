"""CPU seconds and memory of imputers on long tables, each in a process of its own.

- adult: all 32,561 rows of the training part with categories, 30 % of the cells removed. Trees in
  IterativeImputer would take hours: their fit to 1,000 rows is multiplied by the ratio of the rows,
  less than all rows take, for the cost of a tree rises faster than that.
- mapped: a million rows of 30 columns, float32 in a memory map, a fifth of the cells missing, for
  `fit` and for the `transform` of the first 100,000 rows.

Memory is the largest resident memory above that of a process that holds the data already, in MB of
a million bytes. Peaks are read from /proc, on Linux.
"""

import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _imputers import IMPUTERS, OURS
from _missing import Case, make_case
from memory import forget_peak, resident
from threadpoolctl import threadpool_limits

ALL_ROWS = 10**9
FEW_ROWS = 1_000
TREES = "ExtraTrees(100)"
MAPPED_ROWS, MAPPED_COLUMNS, TRANSFORMED = 1_000_000, 30, 100_000
COSTLY = ("boosting", TREES, OURS)


def adult(max_rows: int = ALL_ROWS) -> Case:
    return make_case("adult", max_rows, "MCAR", 0.3, seed=0, train_share=1)


def write_mapped(path: Path) -> None:
    """Write a table of 8 factors and noise, a million rows in parts."""
    shape = (MAPPED_ROWS, MAPPED_COLUMNS)
    X = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    rng = np.random.default_rng(0)
    loadings = rng.normal(size=(8, MAPPED_COLUMNS))
    for start in range(0, MAPPED_ROWS, 50_000):
        part = rng.normal(size=(50_000, 8)) @ loadings
        part = np.tanh(part) + 0.3 * rng.normal(size=part.shape)
        part[rng.random(part.shape) < 0.2] = np.nan
        X[start : start + 50_000] = part
    X.flush()


def peaks(method: str, path: str | None) -> None:
    """Print CPU seconds and MB of `fit` and `transform`, in the only process that does both."""
    if path is None:
        case = adult(FEW_ROWS if method == TREES else ALL_ROWS)
        X, n_categories = case.incomplete, case.table.n_categories
        del case
        new = X
    else:
        X, n_categories = np.load(path, mmap_mode="r"), np.zeros(MAPPED_COLUMNS, dtype=int)
        new = X[:TRANSFORMED]
    few = X[:200]
    IMPUTERS["boosting" if method == TREES else method](n_categories, 0).fit(few).transform(few)
    imputer = IMPUTERS[method](n_categories, 0)
    for step in (lambda: imputer.fit(X), lambda: imputer.transform(new)):
        forget_peak()
        before, start = resident(), time.process_time()
        step()
        print(time.process_time() - start, resident(peak=True) - before)


def measured(method: str, path: Path | None = None) -> dict[str, Any]:
    command = [sys.executable, __file__, method, *([str(path)] if path else [])]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    names = ("fit_cpu_s", "fit_mb", "transform_cpu_s", "transform_mb")
    return dict(zip(names, map(float, output.split()), strict=True))


def costs(methods: list[str]) -> Iterator[dict[str, Any]]:
    n_rows = len(adult().table.X)
    for method in [name for name in COSTLY if name in methods]:
        row = {"what": "adult", "method": method, "rows": n_rows} | measured(method)
        if method == TREES:
            row |= {"fitted_rows": FEW_ROWS, "fit_cpu_s": row["fit_cpu_s"] * n_rows / FEW_ROWS}
            row = {name: value for name, value in row.items() if not name.startswith("transform")}
        yield row
    if OURS in methods:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "mapped.npy")
            write_mapped(path)
            size = {"what": "mapped", "method": OURS, "rows": MAPPED_ROWS}
            yield size | measured(OURS, path)


if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        peaks(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
