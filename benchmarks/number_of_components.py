"""n_components="auto" serves about as well as the number by cross-validation, at a few fits' time.

An error that keeps falling with the number of components can't tell how many there should be; that
of cells which a network has not seen can. So a cell of each row is hidden (with more than 16
columns, every sixteenth), in turn until each was, and filled by reconstructions of the rows as
filled so far, from the column means on, until they hardly move. The number with the lowest such
error in a threefold cross-validation on the training rows is held against "auto": error on test
rows, and CPU seconds with one thread.

"cost" is the time of the fit with "auto" divided by that of a fit with the number that it chose
(the target: at most 3); "cv_cost" is the same of all fits of the cross-validation.

data: digits, breast_cancer, wine, diabetes (scikit-learn).
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from statistics import fmean
from typing import Any

import numpy as np
import torch
from _report import save_table, write_table
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, train_test_split
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skae import Autoencoder

NUMBERS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 19, 24, 32)
MOST_PARTS, MOST_ROUNDS, N_FOLDS = 16, 100, 3
STILL = 1e-6  # mean square of moves, that of the distances from the mean being 1
MOST_ERROR, MOST_COST = 1.05, 3.0
LOADERS: dict[str, Callable[[], Any]] = {
    "digits": load_digits,
    "breast_cancer": load_breast_cancer,
    "wine": load_wine,
    "diabetes": load_diabetes,
}


def load(name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return training and test rows: pixels in [0, 1], measurements standardised."""
    X_train, X_test = train_test_split(LOADERS[name]().data, random_state=seed)
    if name == "digits":
        return X_train / 16, X_test / 16
    scaler = StandardScaler().fit(X_train)
    return scaler.transform(X_train), scaler.transform(X_test)


def fit(n_components: int | str, X: np.ndarray, seed: int) -> tuple[Autoencoder, float]:
    """Return a model and the CPU seconds of its fit."""
    start = time.process_time()
    model = Autoencoder(n_components, random_state=seed).fit(X)
    return model, time.process_time() - start


def error_of_hidden_cells(model: Autoencoder, X: np.ndarray, mean: np.ndarray) -> float:
    """Return the mean squared error of cells that the model has to fill."""
    n_rows, n_columns = X.shape
    n_parts = min(n_columns, MOST_PARTS)
    columns = np.random.default_rng(0).permuted(np.tile(np.arange(n_columns), (n_rows, 1)), axis=1)
    parts = columns % n_parts
    squares, variance = 0.0, np.mean((X - mean) ** 2)
    for part in range(n_parts):
        hidden = parts == part
        filled = np.where(hidden, mean, X)
        for _ in range(MOST_ROUNDS):
            before, filled = filled, np.where(hidden, model.reconstruct(filled), X)
            if np.mean((filled - before)[hidden] ** 2) <= STILL * variance:
                break
        squares += np.square(filled - X)[hidden].sum()
    return float(squares / X.size)


def cross_validated(X: np.ndarray, numbers: list[int], seed: int) -> tuple[int, float]:
    """Return the best number, and the CPU seconds that it took to find it."""
    start = time.process_time()
    folds = list(KFold(N_FOLDS, shuffle=True, random_state=seed).split(X))
    errors = []
    for k in numbers:
        models = [(fit(k, X[train], seed)[0], train, test) for train, test in folds]
        errors.append(
            fmean(error_of_hidden_cells(m, X[test], X[train].mean(0)) for m, train, test in models)
        )
    return numbers[int(np.argmin(errors))], time.process_time() - start


def compare(name: str, seed: int) -> dict[str, Any]:
    """Return a row of the table."""
    X_train, X_test = load(name, seed)
    # "auto" takes half of them at most; more leave a cell nothing to be foretold by.
    numbers = [k for k in NUMBERS if k <= X_train.shape[1] // 2]
    mean = X_train.mean(0)
    auto, seconds = fit("auto", X_train, seed)
    _, once = fit(auto.n_components_, X_train, seed)
    k, cv_seconds = cross_validated(X_train, numbers, seed)
    by_number = {n: error_of_hidden_cells(fit(n, X_train, seed)[0], X_test, mean) for n in numbers}
    error = error_of_hidden_cells(auto, X_test, mean)
    row = {"dataset": name, "seed": seed, "auto": auto.n_components_, "cv": k}
    row |= {"best_on_test": min(by_number, key=by_number.__getitem__)}
    row |= {"error": error, "cv_error": by_number[k], "ratio": error / by_number[k]}
    row |= {"cost": seconds / once, "cv_cost": cv_seconds / once}
    met = row["ratio"] <= MOST_ERROR and row["cost"] <= MOST_COST
    return row | {"verdict": "met" if met else "MISSED"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--datasets", nargs="+", choices=LOADERS, default=list(LOADERS), metavar="NAME"
    )
    parser.add_argument("--seeds", type=int, default=1, help="splits and fits (default: 1)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", ConvergenceWarning)
    key = ("dataset", "seed")
    rows: list[dict[str, Any]] = []
    with threadpool_limits(1):
        fit(2, load("wine", 0)[0], 0)  # the first training of a process takes longer
        for name in args.datasets:
            for seed in range(args.seeds):
                rows.append(compare(name, seed))
                print(rows[-1], file=sys.stderr, flush=True)
                save_table("number_of_components", rows, key)
    write_table("number_of_components", rows, key)
    verdicts = [row["verdict"] for row in rows]
    print(f"targets met: {verdicts.count('met')} of {len(verdicts)}")


if __name__ == "__main__":
    main()
