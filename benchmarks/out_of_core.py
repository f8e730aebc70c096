"""Tables on disk are fitted and scored in bounded memory, as well as tables in memory.

A table of 30 columns that drifts from its first row to its last, in order of time, as Parquet (row
groups of 16,384 rows) and as ``.npy``. Each way to fit it runs in a process of its own, one thread:

- memory: the whole table read, then fitted.
- chunks: `partial_fit`, chunk after chunk in the order of the file.
- parquet, npy: ``fit(rows(path))``.

Measured are the error of held-out rows (of detectors and generators their mean score), CPU seconds
of reading and fitting, the largest memory that is not a map of a file (RssAnon) above that before
the fit, and the same for scoring all rows (not by VariationalAutoencoder, which decodes 128 codes
for each of them). With ``--limit`` the processes that read from disk may not allocate more than so
many MB (RLIMIT_DATA, which does not count maps of files).

data: generated. Peaks are read from /proc, on Linux. Needs pyarrow.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from _report import write_table

from skae import (
    AdversarialAutoencoder,
    Autoencoder,
    AutoencoderOutlierDetector,
    VariationalAutoencoder,
)
from skae.datasets import rows

N_COLUMNS, N_AT_ONCE, GROUP = 30, 2**18, 16_384
ESTIMATORS: dict[str, Any] = {
    "Autoencoder": lambda: Autoencoder(5, random_state=0),
    "AutoencoderOutlierDetector": lambda: AutoencoderOutlierDetector(random_state=0),
    "VariationalAutoencoder": lambda: VariationalAutoencoder(5, random_state=0),
    "AdversarialAutoencoder": lambda: AdversarialAutoencoder(5, random_state=0),
}
WAYS = ("memory", "chunks", "parquet", "npy")


def drifting(times: np.ndarray, seed: int) -> np.ndarray:
    """Return rows whose distribution moves with time, from -1 to 1."""
    fixed, random = np.random.default_rng(0), np.random.default_rng(seed)
    W, V = fixed.normal(size=(5, N_COLUMNS)), fixed.normal(size=N_COLUMNS)
    signal = np.tanh(random.normal(size=(len(times), 5)) @ W + 3 * times[:, None] * V)
    return (signal + 0.1 * random.normal(size=signal.shape)).astype(np.float32)


def write(folder: Path, n_rows: int) -> None:
    """Write the table in both forms, a part at a time."""
    (folder / "parquet").mkdir()
    array = np.lib.format.open_memmap(folder / "X.npy", "w+", np.float32, (n_rows, N_COLUMNS))
    for i, start in enumerate(range(0, n_rows, N_AT_ONCE)):
        stop = min(start + N_AT_ONCE, n_rows)
        part = drifting(np.linspace(-1, 1, n_rows)[start:stop], i + 1)
        array[start:stop] = part
        table = pa.table({f"x{j}": column for j, column in enumerate(part.T)})
        pq.write_table(table, folder / "parquet" / f"{i:05}.parquet", row_group_size=GROUP)
    array.flush()


class Peak(threading.Thread):
    """The largest memory, above that at the start, that is not a map of a file."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.start_mb = self.peak_mb = _anonymous_mb()
        self.ends = threading.Event()

    def __enter__(self) -> "Peak":
        self.start()
        return self

    def run(self) -> None:
        while not self.ends.wait(0.01):
            self.peak_mb = max(self.peak_mb, _anonymous_mb())

    def __exit__(self, *error: object) -> None:
        self.ends.set()
        self.join()
        self.peak_mb -= self.start_mb


def _anonymous_mb() -> float:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon")) / 1000


def chunks_of(folder: Path) -> Iterator[np.ndarray]:
    X = np.load(folder / "X.npy", mmap_mode="r")
    for start in range(0, len(X), 2**16):
        yield np.array(X[start : start + 2**16])


def measure(name: str, way: str, folder: Path, limit: int) -> dict[str, Any]:
    """Fit and score in this process."""
    test = drifting(np.random.default_rng(1).uniform(-1, 1, 10_000), 10**6)
    ESTIMATORS[name]().fit(test[:500])  # so that all is loaded
    if limit and way in ("parquet", "npy"):
        resource.setrlimit(resource.RLIMIT_DATA, (limit * 10**6,) * 2)
    estimator = ESTIMATORS[name]()
    start, wall = time.process_time(), time.perf_counter()
    with Peak() as peak:
        X: Any = None
        if way == "chunks":
            for chunk in chunks_of(folder):
                estimator.partial_fit(chunk)
        else:
            X = (
                np.load(folder / "X.npy")
                if way == "memory"
                else rows(folder / ("parquet" if way == "parquet" else "X.npy"))
            )
            estimator.fit(X)
    found: dict[str, Any] = {"fit [CPU s]": time.process_time() - start}
    found |= {"fit [s]": time.perf_counter() - wall, "fit_mb": peak.peak_mb}
    if X is not None and name != "VariationalAutoencoder":
        start = time.process_time()
        with Peak() as peak:
            estimator.score_samples(X)
        found |= {"score [CPU s]": time.process_time() - start, "score_mb": peak.peak_mb}
    frame = (
        test
        if way != "parquet"
        else pa.table({f"x{j}": column for j, column in enumerate(test.T)}).to_pandas()
    )
    return found | {"held-out": -float(estimator.score_samples(frame).mean())}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--estimators", nargs="+", choices=ESTIMATORS, default=list(ESTIMATORS))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--limit", type=int, default=0, help="in MB (default: none)")
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case:
        name, way, folder = arguments.case
        print(json.dumps(measure(name, way, Path(folder), arguments.limit)))
        return
    for n_rows in arguments.rows:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), n_rows)
            for name in arguments.estimators:
                for way in arguments.ways:
                    if way == "chunks" and not hasattr(ESTIMATORS[name](), "partial_fit"):
                        continue
                    case = ["--case", name, way, folder, "--limit", str(arguments.limit)]
                    done = subprocess.run(
                        [sys.executable, __file__, *case], capture_output=True, text=True
                    )
                    if done.returncode:
                        sys.exit(done.stderr)
                    line = {"estimator": name, "rows": n_rows, "from": way}
                    line |= json.loads(done.stdout.splitlines()[-1])
                    write_table("out_of_core", [line], key=("estimator", "rows", "from"))


if __name__ == "__main__":
    main()
