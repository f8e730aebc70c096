"""Frames as they are serve detection and reduction as well as frames that were encoded before.

AutoencoderOutlierDetector and Autoencoder get a frame with text, truth values and missing cells in
three ways: as it is; with categories turned into columns of zeros and ones by OneHotEncoder; and
turned into numbers by skrub's TableVectorizer. The detector takes missing numbers; before the
autoencoder, encoded numbers get the median and are standardised, as are all columns that
TableVectorizer makes.

Detection: the rarer class are outliers; the detector learns from half of the others and some of
these, 5 % of its rows, and is measured on the rest, by the area under the ROC curve and average
precision. Reduction: codes of 8 components, learned on half of the rows; accuracy of 5 nearest
neighbours and of a logistic regression for the other half, of the class, or of whether the target
is above its median. At most 2,000 rows of each table, two seeds. Seconds are CPU time of fit.
Frames must not be behind in the mean, nor by more than 0.01 (of the mean over seeds) on any table.

data: tabular/adult, tabular/nsl-kdd, tabular/hypothyroid, tabular/horse_colic,
tabular/california_housing (SKAE_DATA). skrub is needed besides.
"""

import argparse
import sys
import time
import warnings
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd
import torch
from _data import LABELLED, nsl_kdd
from _report import read_table, save_table, write_table
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skae import Autoencoder, AutoencoderOutlierDetector

ROWS = 2000
SHARE = 0.05
LEAST = -0.01
WAYS = ("frame", "one_hot", "vectorizer")
TABLES = ("adult", "nsl-kdd", "hypothyroid", "horse_colic", "california_housing")


def table(name: str, seed: int, n_rows: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return some rows, and a class of two."""
    frame, y = nsl_kdd("KDDTrain+_20Percent") if name == "nsl-kdd" else LABELLED[name]()
    frame = frame.rename(columns=str).dropna(axis="columns", how="all")
    y = y if y.dtype == bool else y > np.median(y)
    some = np.random.default_rng(seed).permutation(len(frame))[:n_rows]
    return frame.iloc[some].reset_index(drop=True), y[some]


def encoder(way: str, scaled: bool) -> list[Any]:
    """Return the steps that turn a frame into numbers."""
    if way == "frame":
        return []
    to_scale = [SimpleImputer(strategy="median"), StandardScaler()] if scaled else []
    if way == "vectorizer":
        from skrub import TableVectorizer

        return [TableVectorizer(), *to_scale]
    numbers: Any = make_pipeline(*to_scale) if scaled else "passthrough"
    ones = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return [
        make_column_transformer(
            (numbers, make_column_selector(dtype_include="number")),
            (ones, make_column_selector(dtype_exclude="number")),
        )
    ]


def timed_fit(way: str, scaled: bool, estimator: Any, X: pd.DataFrame) -> tuple[Any, float]:
    start = time.process_time()
    model = make_pipeline(*encoder(way, scaled), estimator).fit(X)
    return model, time.process_time() - start


def detection(way: str, frame: pd.DataFrame, y: np.ndarray, seed: int) -> dict[str, float]:
    is_outlier = y if y.mean() < 0.5 else ~y
    rng = np.random.default_rng(seed)
    normal, odd = (rng.permutation(np.flatnonzero(is_outlier == each)) for each in (False, True))
    normal = normal[: len(normal) // 2]
    odd = odd[: round(SHARE * len(normal) / (1 - SHARE))]
    train = np.concatenate([normal, odd])
    test = np.setdiff1d(np.arange(len(frame)), train)
    detector = AutoencoderOutlierDetector(random_state=seed)
    model, seconds = timed_fit(way, False, detector, frame.iloc[train])
    scores = -model.score_samples(frame.iloc[test])
    return {
        "auroc": float(roc_auc_score(is_outlier[test], scores)),
        "ap": float(average_precision_score(is_outlier[test], scores)),
        "detector_s": seconds,
    }


def reduction(
    way: str, frame: pd.DataFrame, y: np.ndarray, seed: int, max_epochs: Any
) -> dict[str, float]:
    halves = train_test_split(frame, y, test_size=0.5, random_state=seed, stratify=y)
    X_train, X_test, y_train, y_test = halves
    reducer = Autoencoder(8, max_epochs=max_epochs, random_state=seed)
    model, seconds = timed_fit(way, True, reducer, X_train)
    codes, others = model.transform(X_train), model.transform(X_test)
    knn = KNeighborsClassifier().fit(codes, y_train)
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(codes, y_train)
    return {
        "knn": knn.score(others, y_test),
        "linear": linear.score(others, y_test),
        "autoencoder_s": seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="*", default=TABLES, help="some of the tables")
    parser.add_argument("--rows", type=int, default=ROWS, help="at most so many of each")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", default="auto", help="of the autoencoder")
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    epochs = given.epochs if given.epochs == "auto" else int(given.epochs)
    for name in given.tables:
        for way in WAYS:
            measured = []
            for seed in range(given.seeds):
                frame, y = table(name, seed, given.rows)
                both = detection(way, frame, y, seed), reduction(way, frame, y, seed, epochs)
                measured.append(both[0] | both[1])
            means = {what: fmean(each[what] for each in measured) for what in measured[0]}
            save_table("frames", [{"table": name, "way": way, **means}], key=("table", "way"))
    rows = read_table("frames")
    write_table("frames", rows)
    check(rows)


def check(rows: list[dict[str, Any]]) -> None:
    """Compare frames with the other ways; leave with an error if they are behind."""
    failures = []
    by_way = {way: [row for row in rows if row["way"] == way] for way in WAYS}
    for way in WAYS[1:]:
        for what in ("auroc", "ap", "knn", "linear"):
            pairs = zip(by_way["frame"], by_way[way], strict=True)
            gains = {own["table"]: own[what] - other[what] for own, other in pairs}
            worst = min(gains, key=lambda name: gains[name])
            mean = fmean(gains.values())
            print(f"{what:7} against {way:11} mean {mean:+.4f}, worst {gains[worst]:+.4f} {worst}")
            if mean < 0 or gains[worst] < LEAST:
                failures.append(f"{what} against {way}")
        for what in ("detector_s", "autoencoder_s"):
            ratio = sum(row[what] for row in by_way["frame"]) / sum(r[what] for r in by_way[way])
            print(f"{what} against {way}: {ratio:.2f} times")
    if failures:
        sys.exit(f"frames are behind: {failures}")


if __name__ == "__main__":
    main()
