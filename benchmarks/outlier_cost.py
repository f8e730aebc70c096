"""AutoencoderOutlierDetector fits in about the time of PyOD's AutoEncoder, and scores quickly.

CPU seconds of the fit, divided by those of PyOD's AutoEncoder with its defaults (targets: 2 for the
table of median size, 0.5 above 10,000 rows); of scoring, divided by those of a bare forward pass of
the same networks in chunks of the same size (target: 1.3); milliseconds for scoring a single row,
and how often the bare forward of the 32 rows that it is padded to goes into that (target: 3); and
the largest memory in use while 1,000,000 rows of 30 features are fitted and scored (target: 4 GB,
measured in a process of its own). One thread.

data: generated, rows near a five-dimensional subspace.
"""

import argparse
import resource
import subprocess
import sys
from typing import Any

import numpy as np
import torch
from _report import alternate, ratios, write_table

from skae import AutoencoderOutlierDetector

SIZES = [(200, 10), (1_600, 20), (5_000, 10), (12_000, 20), (50_000, 30)]


def table(n_rows: int, n_features: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 5)) @ rng.normal(size=(5, n_features))
    return X + 0.3 * rng.normal(size=X.shape)


def measure(
    n_rows: int, n_features: int, contamination: str | float, rounds: int
) -> dict[str, Any]:
    from pyod.models.auto_encoder import AutoEncoder

    X = table(n_rows, n_features)

    def ours() -> AutoencoderOutlierDetector:
        return AutoencoderOutlierDetector(contamination=contamination, random_state=0)

    fits = alternate(
        {
            "ours": lambda: ours().fit(X),
            "theirs": lambda: AutoEncoder(verbose=0, random_state=0).fit(X),
        },
        rounds,
    )
    detector = ours().fit(X)
    module, chunk = detector.estimator_.module_, 1024
    x = torch.from_numpy(X.astype(np.float32))

    def forward() -> None:
        with torch.inference_mode():
            for start in range(0, len(x), chunk):
                module.reconstructions(x[start : start + chunk])

    def forward_of_one() -> None:
        with torch.inference_mode():
            module.reconstructions(padded)

    scores = alternate({"score": lambda: detector.score_samples(X), "forward": forward}, 9)
    padded = x[:1].expand(32, -1).contiguous()
    row = {"row": lambda: detector.score_samples(X[:1]), "forward": forward_of_one}
    rows = alternate(row, 300)
    return {
        "rows": n_rows,
        "features": n_features,
        "contamination": str(contamination),
        "fit_seconds": float(np.median(fits["ours"])),
        "fit_vs_pyod": ratios(fits, "theirs")["ours"],
        "score_vs_forward": ratios(scores, "forward")["score"],
        "row_milliseconds": float(np.median(rows["row"])) * 1e3,
        "row_vs_forward": ratios(rows, "forward")["row"],
    }


def largest_memory() -> None:
    """Fit and score a million rows; print the gigabytes that this process had at most."""
    X = np.random.default_rng(0).normal(size=(1_000_000, 30))
    AutoencoderOutlierDetector(random_state=0).fit(X).score_samples(X)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true", help="only that, in this process")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.memory:
        largest_memory()
        return
    rows = [measure(*size, how, args.rounds) for size in SIZES for how in ("auto", 0)]
    command = [sys.executable, __file__, "--memory"]
    gigabytes = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows.append({"rows": 1_000_000, "features": 30, "gigabytes": float(gigabytes)})
    write_table("outlier_cost", rows)


if __name__ == "__main__":
    main()
