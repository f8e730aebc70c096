"""Long tables are fitted, scored and drawn in little memory besides the data.

The largest resident memory of a fit of one epoch, of `score_samples` and of `sample`, above that
of a process that holds the data already, each in a process of its own, in MB of a million bytes,
and as a multiple of the data's size. What scores and draws was fitted to the first 2,000 rows; as
many rows are drawn as there are data, and VariationalAutoencoder takes 16 codes per row for scores.
One thread.

- numbers: 20 columns of float64.
- categories: a data frame of five columns of float64 and five of text, with 2 to 100 values.

data: generated. Peaks are read from /proc, on Linux.
"""

import argparse
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from _report import write_table

from skae import Autoencoder, AutoencoderOutlierDetector, VariationalAutoencoder

ROWS = (30_000, 100_000, 300_000)
FEW_ROWS = 2_000
N_VALUES = (2, 5, 10, 30, 100)


def numbers(n_rows: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 5)) @ rng.normal(size=(5, 20))
    return X + 0.3 * rng.normal(size=X.shape)


def categories(n_rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(n_rows, 5)), columns=list("abcde"))
    for n in N_VALUES:
        names = np.array([f"value {i}" for i in range(n)], dtype=object)
        frame[f"of {n}"] = names[(rng.random(n_rows) ** 2 * n).astype(int)]
    return frame


DATA: dict[str, Callable[[int], Any]] = {"numbers": numbers, "categories": categories}
ESTIMATORS: dict[str, Callable[[], Any]] = {
    "Autoencoder": lambda: Autoencoder(5, max_epochs=1, random_state=0),
    "AutoencoderOutlierDetector": lambda: AutoencoderOutlierDetector(random_state=0),
    "VariationalAutoencoder": lambda: VariationalAutoencoder(max_epochs=1, random_state=0),
}
CASES = [
    ("Autoencoder", "numbers"),
    ("AutoencoderOutlierDetector", "numbers"),
    ("VariationalAutoencoder", "numbers"),
    ("VariationalAutoencoder", "categories"),
]


def resident(peak: bool = False) -> float:
    """Return the memory that this process has, or the most since `forget_peak`, in MB."""
    name = "VmHWM:" if peak else "VmRSS:"
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(name))


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def peak(estimator: str, data: Path, method: str) -> float:
    """Return what a method takes above the data, in a process that has computed before."""
    with data.open("rb") as file:
        few = pickle.load(file)
        model = ESTIMATORS[estimator]().fit(few)
        codes = {"n_importance_samples": 16} if estimator == "VariationalAutoencoder" else {}
        model.score_samples(few, **codes)
        X = pickle.load(file)
    forget_peak()
    before = resident()
    if method == "fit":
        ESTIMATORS[estimator]().fit(X)
    elif method == "sample":
        model.sample(len(X))
    else:
        model.score_samples(X, **codes)
    return resident(peak=True) - before


def size(X: Any) -> float:
    """Return the size of data, in MB."""
    return (X.nbytes if isinstance(X, np.ndarray) else X.memory_usage(deep=True).sum()) / 1e6


def measure(estimator: str, kind: str, n_rows: int, folder: Path) -> dict[str, Any]:
    path = folder / "data.pickle"
    X = DATA[kind](n_rows)
    with path.open("wb") as file:
        for part in (X[:FEW_ROWS], X):
            pickle.dump(part, file, protocol=5)
    row: dict[str, Any] = {"estimator": estimator, "data": kind, "rows": n_rows, "data_mb": size(X)}
    for method in ("fit", "score_samples", "sample"):
        if method != "sample" or estimator == "VariationalAutoencoder":
            command = [sys.executable, __file__, "--peak", estimator, str(path), method]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            row[f"{method}_mb"] = float(output)
            row[f"{method}_ratio"] = float(output) / row["data_mb"]
    return row


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS))
    parser.add_argument("--estimators", nargs="+", choices=ESTIMATORS, default=list(ESTIMATORS))
    parser.add_argument("--peak", nargs=3, metavar=("ESTIMATOR", "DATA", "METHOD"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.peak:
        estimator, data, method = args.peak
        print(peak(estimator, Path(data), method))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for estimator, kind in CASES:
            for n_rows in args.rows if estimator in args.estimators else []:
                rows.append(measure(estimator, kind, n_rows, Path(folder)))
                print(
                    "{estimator} {data} {rows} fit {fit_mb:.0f} MB".format(**rows[-1]), flush=True
                )
    write_table("memory", rows, key=("estimator", "data", "rows"))


if __name__ == "__main__":
    main()
