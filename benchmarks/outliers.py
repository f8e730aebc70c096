"""Untuned, AutoencoderOutlierDetector ranks outliers best, with and without outliers in training.

Area under the ROC curve and average precision of detectors with the settings that they come with,
on labelled tables, in two settings. "contaminated": fitted to all rows without labels, and scored
on them. "clean": fitted to a random half of the normal rows, scored on all others. Columns are
standardised by the training rows for every detector. A table of more than --max-rows rows is
sampled, its share of outliers kept, but at least ten of them. "contamination=0" and score matching
are for clean training rows only, and are left out of the other setting. What a detector does not
manage (an error) counts as AUROC .5 and the share of outliers as average precision.

The last table gives means over tables and seeds, the mean rank among all detectors by AUROC, the
largest loss of AUROC against IsolationForest on one table, and the p-value of a two-sided Wilcoxon
test over tables that a detector is as good as AutoencoderOutlierDetector, with contamination=0 on
clean rows. Where some detectors were run on some of the tables only, there are two groups of lines.

data: .npz files with X and y (1 for outliers), such as those of ADBench, in the folder --data.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from _data import data_path
from _report import read_table, write_table
from _score_matching import ScoreMatching
from scipy.stats import rankdata, wilcoxon
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

Factory = Callable[[int, int], Any]  # from seed and number of features

OURS = "AutoencoderOutlierDetector"
OURS_CLEAN = "AutoencoderOutlierDetector(contamination=0)"
SCORE_MATCHING = "score matching, after K-DSM"
CLEAN_ONLY = (OURS_CLEAN, SCORE_MATCHING)
SETTINGS = ("contaminated", "clean")
FEWEST_OUTLIERS = 10


def _ours(contamination: str | float) -> Factory:
    def make(seed: int, n_features: int) -> Any:
        from skae import AutoencoderOutlierDetector

        return AutoencoderOutlierDetector(contamination=contamination, random_state=seed)

    return make


def _pyod(module: str, name: str) -> Factory:
    def make(seed: int, n_features: int) -> Any:
        detector = getattr(import_module(f"pyod.models.{module}"), name)
        known = {"random_state": seed, "n_features": n_features, "verbose": 0}
        return detector(**{k: v for k, v in known.items() if k in signature(detector).parameters})

    return make


DETECTORS: Mapping[str, Factory] = {
    OURS: _ours("auto"),
    OURS_CLEAN: _ours(0),
    "IsolationForest": lambda seed, d: IsolationForest(random_state=seed),
    "LocalOutlierFactor": lambda seed, d: LocalOutlierFactor(novelty=True),
    "OneClassSVM": lambda seed, d: OneClassSVM(),
    "EllipticEnvelope": lambda seed, d: EllipticEnvelope(random_state=seed),
    "kNN (PyOD)": _pyod("knn", "KNN"),
    "ECOD (PyOD)": _pyod("ecod", "ECOD"),
    "COPOD (PyOD)": _pyod("copod", "COPOD"),
    "HBOS (PyOD)": _pyod("hbos", "HBOS"),
    "PCA (PyOD)": _pyod("pca", "PCA"),
    "GMM (PyOD)": _pyod("gmm", "GMM"),
    "AutoEncoder (PyOD)": _pyod("auto_encoder", "AutoEncoder"),
    "VAE (PyOD)": _pyod("vae", "VAE"),
    "LUNAR (PyOD)": _pyod("lunar", "LUNAR"),
    "DIF (PyOD)": _pyod("dif", "DIF"),
    "DeepSVDD (PyOD)": _pyod("deep_svdd", "DeepSVDD"),
    SCORE_MATCHING: lambda seed, d: ScoreMatching(random_state=seed),
}


def load(path: Path, max_rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of a file, or a sample of them."""
    with np.load(path, allow_pickle=False) as file:
        X, y = file["X"].astype(float), file["y"].astype(bool).ravel()
    if len(X) > max_rows:
        rng = np.random.default_rng(seed)
        wanted = min(y.sum(), max(FEWEST_OUTLIERS, round(max_rows * y.mean())))
        outliers = rng.permutation(np.flatnonzero(y))[:wanted]
        normals = rng.permutation(np.flatnonzero(~y))[: max_rows - wanted]
        rows = np.sort(np.concatenate([outliers, normals]))
        X, y = X[rows], y[rows]
    return X, y


def split(
    X: np.ndarray, y: np.ndarray, setting: str, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return training rows, test rows and the labels of the test rows, standardised."""
    train = test = np.arange(len(X))
    if setting == "clean":
        normals = np.random.default_rng(1000 + seed).permutation(np.flatnonzero(~y))
        train = normals[: len(normals) // 2]
        test = np.setdiff1d(test, train)
    scaler = StandardScaler().fit(X[train])
    return scaler.transform(X[train]), scaler.transform(X[test]), y[test]


def outlyingness(detector: Any, X_train: np.ndarray, X_test: np.ndarray) -> np.ndarray:
    """Return a score for every test row, higher for outliers, whichever package it is from."""
    detector.fit(X_train)
    if type(detector).__module__.startswith("pyod."):
        return np.asarray(detector.decision_function(X_test))
    return -detector.score_samples(X_test)


def measure(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for path in args.files:
        for seed in range(args.seeds):
            X, y = load(path, args.max_rows, seed)
            for setting in args.settings:
                X_train, X_test, labels = split(X, y, setting, seed)
                for name in args.detectors:
                    if setting == "contaminated" and name in CLEAN_ONLY:
                        continue
                    torch.manual_seed(seed)
                    np.random.seed(seed)  # noqa: NPY002 (detectors of PyOD draw from it)
                    start, error = time.process_time(), None
                    try:
                        score = outlyingness(DETECTORS[name](seed, X.shape[1]), X_train, X_test)
                        if not np.isfinite(score).all():
                            error = "scores are not finite"
                    except Exception as e:  # whatever a detector fails with, the others go on
                        error = f"{type(e).__name__}: {e}"[:80]
                    if error is not None:
                        score = np.zeros(len(labels))
                    yield {
                        "setting": setting,
                        "data": path.stem,
                        "seed": seed,
                        "detector": name,
                        "auroc": float(roc_auc_score(labels, score)),
                        "ap": float(average_precision_score(labels, score)),
                        "seconds": time.process_time() - start,
                        "error": error,
                    }


def means(rows: list[dict[str, Any]], what: str) -> dict[str, np.ndarray]:
    """Return the mean over seeds for every detector, as an array over tables."""
    values: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        values.setdefault(row["detector"], {}).setdefault(row["data"], []).append(row[what])
    return {
        name: np.array([np.mean(of_table[table]) for table in sorted(of_table)])
        for name, of_table in values.items()
    }


def comparable(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of the detectors that have all tables, then those of tables that all have.

    Of each, the seeds that all detectors have on all tables. The second is left out if it would be
    the same.
    """
    tables: dict[str, set[str]] = {}
    for row in rows:
        tables.setdefault(row["detector"], set()).add(row["data"])
    every, common = set().union(*tables.values()), set.intersection(*tables.values())
    groups = [({name for name, own in tables.items() if own == every}, every)]
    if common != every:
        groups.append((set(tables), common))
    for names, wanted in groups:
        chosen = [row for row in rows if row["detector"] in names and row["data"] in wanted]
        seeds: dict[tuple[str, str], set[int]] = {}
        for row in chosen:
            seeds.setdefault((row["detector"], row["data"]), set()).add(row["seed"])
        shared = set.intersection(*seeds.values())
        yield [row for row in chosen if row["seed"] in shared]


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a row per setting, group of tables and detector."""
    lines = []
    for setting in SETTINGS:
        for chosen in comparable([row for row in rows if row["setting"] == setting]):
            auroc, ap, seconds = (means(chosen, what) for what in ("auroc", "ap", "seconds"))
            ranks = dict(zip(auroc, rankdata(-np.array(list(auroc.values())), axis=0), strict=True))
            ours = OURS_CLEAN if setting == "clean" else OURS
            of_group = []
            for name, values in auroc.items():
                line = {
                    "setting": setting,
                    "tables": len(values),
                    "seeds": len({row["seed"] for row in chosen}),
                    "detector": name,
                    "auroc": float(values.mean()),
                    "ap": float(ap[name].mean()),
                    "rank": float(ranks[name].mean()),
                }
                if "IsolationForest" in auroc:
                    line["worst_vs_iforest"] = float((values - auroc["IsolationForest"]).min())
                if ours in auroc and name != ours:
                    line["p_vs_ours"] = float(wilcoxon(values, auroc[ours]).pvalue)
                line["median_seconds"] = float(np.median(seconds[name]))
                of_group.append(line)
            lines += sorted(of_group, key=lambda line: -line["auroc"])
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of .npz files; SKAE_DATA/adbench")
    parser.add_argument("--tables", nargs="+", help="names of files; all by default")
    parser.add_argument("--detectors", nargs="+", choices=DETECTORS, default=list(DETECTORS))
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--max-rows", type=int, default=5000)
    parser.add_argument("--name", default="outliers", help="of the files of results")
    args = parser.parse_args()
    folder = args.data or data_path("adbench")
    args.files = sorted(folder.glob("*.npz"))
    if args.tables:
        args.files = [path for path in args.files if path.stem in args.tables]
    if not args.files:
        raise SystemExit(f"no such .npz file in {folder}; see benchmarks/README.md")
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    key = ("setting", "data", "seed", "detector")
    rows = []
    for row in measure(args):
        rows.append(row)
        print("{setting} {data} {seed} {detector} {auroc:.3f} {ap:.3f}".format(**row), flush=True)
    write_table(f"{args.name}_all", rows, key=key)
    write_table(args.name, summary(read_table(f"{args.name}_all")))


if __name__ == "__main__":
    main()
