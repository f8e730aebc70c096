"""Codes such as -999 among the training rows do not blind AutoencoderOutlierDetector.

Tables of normal rows, standardised, half for training. A share of the training cells of one column,
or of every second column, is replaced by one number, as by a sensor that failed or by a code for
missing values. In a tenth of the new rows one cell of a spoiled column is five standard deviations
off, up or down. Area under the ROC curve and average precision of finding these rows, means over
the tables, and the least area on one table, for detectors with the settings that they come with.

data: generated; tables of adbench (SKAE_DATA).
"""

import argparse
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from _data import data_path
from _report import write_table
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler

from skae import AutoencoderOutlierDetector

ADBENCH = ("6_cardio", "28_pendigits", "22_magic.gamma", "2_annthyroid")
VALUES = (-999.0, 1e6)
SHARES = (0.002, 0.01, 0.05)
MOST_ROWS = 2000
DETECTORS: Mapping[str, Callable[[], Any]] = {
    "AutoencoderOutlierDetector": lambda: AutoencoderOutlierDetector(random_state=0),
    "AutoencoderOutlierDetector(contamination=0)": lambda: AutoencoderOutlierDetector(
        contamination=0, random_state=0
    ),
    "LocalOutlierFactor": lambda: LocalOutlierFactor(novelty=True),
    "IsolationForest": lambda: IsolationForest(random_state=0),
}


def tables(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Yield names and normal rows."""
    latent = rng.normal(size=(1000, 3))
    plane = latent @ rng.normal(size=(3, 8)) + 0.3 * rng.normal(size=(1000, 8))
    yield "plane", plane
    yield "skewed", np.exp(plane / plane.std(0))
    for name in ADBENCH:
        with np.load(data_path("adbench", f"{name}.npz"), allow_pickle=False) as file:
            X, y = file["X"].astype(float), file["y"].astype(bool).ravel()
        X = X[~y]
        yield name, rng.permutation(X)[:MOST_ROWS]


def spoiled(
    X: np.ndarray, columns: np.ndarray, share: float, value: float, rng: np.random.Generator
) -> np.ndarray:
    """Return training rows in which a share of some columns is one number."""
    X = X.copy()
    for j in columns:
        X[rng.permutation(len(X))[: round(share * len(X))], j] = value
    return X


def measure() -> Iterator[dict[str, Any]]:
    for name, X in tables(np.random.default_rng(0)):
        rng = np.random.default_rng(1)
        X = StandardScaler().fit_transform(X)
        train, new = np.array_split(X, 2)
        numbers = np.flatnonzero([len(np.unique(x)) > 20 for x in X.T])
        one, several = rng.permutation(numbers)[:1], numbers[::2]
        settings = [(one, 0.0, 0.0), *((one, share, v) for share in SHARES for v in VALUES)]
        settings += [(several, 0.01, value) for value in VALUES]
        for columns, share, value in settings:
            rows, test = spoiled(train, columns, share, value, rng), new.copy()
            strange = rng.permutation(len(test))[: len(test) // 10]
            test[strange, rng.choice(columns, len(strange))] += rng.choice([-5, 5], len(strange))
            labels = np.isin(np.arange(len(test)), strange)
            for detector, make in DETECTORS.items():
                score = -make().fit(rows).score_samples(test)
                yield {
                    "data": name,
                    "columns": "one" if columns is one else "every second",
                    "share": share,
                    "value": value if share else None,
                    "detector": detector,
                    "auroc": float(roc_auc_score(labels, score)),
                    "ap": float(average_precision_score(labels, score)),
                }


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a row per setting and detector: means over tables, and the least area."""
    key = ("columns", "share", "value", "detector")
    groups: dict[tuple, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in key), []).append(row)
    return [
        {
            **dict(zip(key, of_group, strict=True)),
            "auroc": float(np.mean([row["auroc"] for row in group])),
            "least_auroc": min(row["auroc"] for row in group),
            "ap": float(np.mean([row["ap"] for row in group])),
        }
        for of_group, group in groups.items()
    ]


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    write_table("outlier_sentinels", summary(list(measure())))


if __name__ == "__main__":
    main()
