"""A million users x 100,000 items fit, and are recommended to, within 4 GB besides the data.

- memory: the largest resident memory of `fit` on all users and of `recommend` (10 items) for the
  first users, above that of a process that holds the data already, each model in a process of its
  own, in MB of a million bytes. What `recommend` takes includes the fitted model. A network trains
  for one epoch.
- rank: what low rank loses. NDCG@100 of hidden items of new users for ShallowRecommender solved
  exactly and with ever more components, and as `to_exact` its share of what is exact, on items of
  20 groups, of which a low rank is enough, and of 1,000.

CPU seconds with one thread. data: generated (_generated.py). Peaks are read from /proc, on Linux.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _generated import grouped
from _recommenders import Popularity
from _report import write_table
from memory import forget_peak, resident
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

import skae
from skae.metrics import hide_items, ndcg_at_k

LIMIT = 4_000
GROUPS = (20, 1_000)
COMPONENTS = (16, 64, 128, 256, 512, 1_024)

MODELS: Mapping[str, Callable[[], Any]] = {
    "ShallowRecommender(128)": lambda: skae.ShallowRecommender(128, random_state=0),
    "AutoencoderRecommender(64)": lambda: skae.AutoencoderRecommender(
        64, n_negatives=1_000, max_epochs=1, random_state=0
    ),
}


def peaks(model: str, folder: Path, n_recommended: int) -> None:
    """Print memory and CPU seconds of a fit and of lists, in the only process that does both."""
    data, indices, indptr, shape = (
        np.load(folder / f"{name}.npy") for name in ("data", "indices", "indptr", "shape")
    )
    X = csr_array((data, indices, indptr), shape=tuple(shape))
    X.sum_duplicates()  # once and for all finds out that there are none
    forget_peak()
    before, start = resident(), time.process_time()
    estimator = MODELS[model]().fit(X)
    fit = resident(peak=True) - before, time.process_time() - start
    forget_peak()
    start = time.process_time()
    estimator.recommend(X[:n_recommended], k=10)
    print(*fit, resident(peak=True) - before, time.process_time() - start)


def memory(
    models: list[str], n_users: int, n_items: int, n_entries: int, n_recommended: int
) -> list[dict[str, Any]]:
    X = grouped(n_users, n_items, 1.13 * n_entries / n_users, n_groups=n_items // 50)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("data", "indices", "indptr"):
            np.save(Path(folder, name), getattr(X, name))
        np.save(Path(folder, "shape"), X.shape)
        size = {"users": n_users, "items": n_items, "entries": X.nnz}
        size["data_mb"] = (X.data.nbytes + X.indices.nbytes + X.indptr.nbytes) / 1e6
        del X
        for model in models:
            command = [sys.executable, __file__, "--peaks", model, folder, str(n_recommended)]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            figures = map(float, output.split())
            names = ("fit_mb", "fit_cpu_s", "recommend_mb", "recommend_cpu_s")
            row = {"method": model} | size | dict(zip(names, figures, strict=True))
            row["recommended"] = n_recommended
            row["verdict"] = "met" if max(row["fit_mb"], row["recommend_mb"]) <= LIMIT else "MISSED"
            rows.append(row)
            print(f"{model}: {row['fit_mb']:.0f} MB in {row['fit_cpu_s']:.0f} s", file=sys.stderr)
    return rows


def rank(n_users: int, n_items: int) -> list[dict[str, Any]]:
    rows = []
    models: dict[str, Callable[[], Any]] = {
        "ShallowRecommender()": lambda: skae.ShallowRecommender(random_state=0),
        "popularity": Popularity,
    }
    for n in COMPONENTS:
        models[f"ShallowRecommender({n})"] = lambda n=n: skae.ShallowRecommender(n, random_state=0)
    for n_groups in GROUPS:
        X = grouped(n_users, n_items, 30, n_groups=n_groups, skew=1.0)
        n_new = n_users // 10
        shown, hidden = hide_items(X[:n_new], random_state=0)
        for name, make in models.items():
            start = time.process_time()
            model = make().fit(X[n_new:])
            seconds = time.process_time() - start
            ndcg = ndcg_at_k(hidden, model.recommend(shown, k=100), 100)
            row = {"groups": n_groups, "method": name, "ndcg@100": ndcg, "fit_cpu_s": seconds}
            exact = next((r["ndcg@100"] for r in rows if r["groups"] == n_groups), ndcg)
            rows.append(row | {"to_exact": ndcg / exact})
            print(f"{n_groups} groups, {name}: {ndcg:.4f}", file=sys.stderr, flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = ["memory", "rank"]
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--entries", type=int, default=20_000_000)
    parser.add_argument("--recommended", type=int, default=20_000, help="users given lists")
    parser.add_argument("--peaks", nargs=3, metavar=("MODEL", "FOLDER", "USERS"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        if args.peaks:
            model, folder, n_recommended = args.peaks
            peaks(model, Path(folder), int(n_recommended))
            return
        if "memory" in args.parts:
            rows = memory(args.models, args.users, args.items, args.entries, args.recommended)
            write_table("recommendation_scale", rows, key=("method", "users", "items"))
        if "rank" in args.parts:
            write_table("recommendation_rank", rank(20_000, 5_000))


if __name__ == "__main__":
    main()
