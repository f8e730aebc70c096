"""Untuned, AutoencoderImputer fills tables best, draws honest imputations, and stays affordable.

Imputers are fitted to 70 % of the rows of a table, from which cells were removed, and fill these
("train") and the other rows ("new"). A table of more than --max-rows rows is sampled. Cells are
removed completely at random (MCAR), at random (MAR) or not at random (MNAR), as _missing.py says.

- accuracy: root mean squared error of the removed numbers of a column in its standard deviations,
  and the share of removed categories that come back, as means over columns; CPU seconds with one
  thread. `rank` is among all imputers but ExtraTrees(100), `to_ours` the geometric mean of ratios
  of an error to that of AutoencoderImputer, `worst_to_em` the largest ratio to the error of EM; all
  over cases (table, mechanism, rate), each a mean over the seeds that all imputers have. What
  fails has an infinite error.
- downstream: gradient boosting and a linear model, fitted to filled training rows and the target
  of the table, are scored on filled new rows: area under the ROC curve, or R2 for numbers. Beside
  it, "nothing removed", and "left as NaN", for boosting.
- multiple: the continuous ranked probability score of 100 draws for removed numbers in new rows, in
  standard deviations, and the share of them in intervals of 90 %.
- rubin: the share of 95 % intervals that hold a regression coefficient (_rubin.py).
- cost: time and memory of long tables (_imputation_cost.py).

Every measured row is in a file that ends with _all; imputation_targets holds what is to be reached.
EM is AutoencoderImputer(max_epochs=0), which has learned its errors from hidden cells; "EM, normal
draws" takes the same distribution at its word. All other imputers are in _imputers.py.
All of them take hours, most of which are those of ExtraTrees(100).

data: bundled with scikit-learn, and SKAE_DATA: the folders tabular and adbench.
"""

import argparse
import itertools
import sys
import time
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from _data import LABELLED
from _imputation_cost import costs
from _imputation_report import KEY, REPORTS, SAMPLING, Figures
from _imputers import DRAWING, IMPUTERS, Blocks, Imputer
from _missing import MECHANISMS, Case, make_case
from _report import read_table, save_table, write_table
from _rubin import NOTHING_REMOVED, repetitions
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from skae.metrics import crps_ensemble

TABLES = [name for name in LABELLED if name != "california_housing"]
LEFT = "left as NaN"
NOT_FILLED = (NOTHING_REMOVED, LEFT)
N_DRAWS = 100
LEVEL = 0.9


def accuracy(case: Case, filled: np.ndarray, seconds: Mapping[str, float]) -> Figures:
    figures: Figures = {}
    table = case.table
    for part, rows in case.parts.items():
        errors, shares = [], []
        for column, places in case.counted(rows):
            truth, guess = table.X[places, column], filled[places, column]
            if table.n_categories[column]:
                shares.append((guess == truth).mean())
            else:
                error = np.sqrt(np.square(guess - truth).mean())
                errors.append(error / np.nanstd(table.X[:, column]))
        figures[f"rmse_{part}"] = float(np.mean(errors)) if errors else None
        figures[f"accuracy_{part}"] = float(np.mean(shares)) if shares else None
    return figures | dict(seconds)


def downstream(case: Case, filled: np.ndarray) -> Figures:
    """Return what two models score that learn from filled rows; a linear one needs all cells."""
    table = case.table
    train, new = case.parts.values()
    trees: Any = HistGradientBoostingRegressor
    linear: Any = Ridge()
    if not table.is_regression:
        trees, linear = HistGradientBoostingClassifier, LogisticRegression(max_iter=1000)
    boosting = trees(categorical_features=table.n_categories > 0, random_state=0)
    blocks = Blocks(filled[train], table.n_categories)
    encoded = blocks.encode(filled)
    models = {"boosting": (boosting, filled)}
    if not np.isnan(encoded).any():
        models["linear"] = (linear, encoded)

    def score(model: Any, X: np.ndarray) -> float:
        model.fit(X[train], table.y[train])
        if table.is_regression:
            return float(model.score(X[new], table.y[new]))
        chances = model.predict_proba(X[new])
        chances = chances[:, 1] if chances.shape[1] == 2 else chances
        return float(roc_auc_score(table.y[new], chances, multi_class="ovr"))

    return {name: score(model, X) for name, (model, X) in models.items()}


def multiple(case: Case, imputer: Any) -> Figures:
    table, rows = case.table, case.parts["new"]
    X = case.incomplete[rows]
    start = time.process_time()
    draws = np.stack(imputer.sample_imputations(X, N_DRAWS))
    seconds = time.process_time() - start
    if hasattr(imputer, "impute_intervals"):
        low, high = imputer.impute_intervals(X, level=LEVEL)
    else:  # of draws that are as random as the truth, these hold a share of LEVEL
        tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
        low, high = np.quantile(draws, tails, axis=0, method="weibull")
    scores, shares, widths = [], [], []
    for column, places in case.counted(rows):
        if table.n_categories[column]:
            continue
        std = np.nanstd(table.X[:, column])
        truth, cells = table.X[places, column], (places - rows.start, column)
        scores.append(crps_ensemble(truth, draws[:, *cells], fair=True) / std)
        slack = 1e-6 * std
        shares.append(((low[cells] - slack <= truth) & (truth <= high[cells] + slack)).mean())
        widths.append((high[cells] - low[cells]).mean() / std)
    figures = {"crps": scores, "coverage": shares, "width": widths}
    return {name: float(np.mean(v)) for name, v in figures.items()} | {"draws_cpu_s": seconds}


def fill(case: Case, imputer: Imputer) -> tuple[np.ndarray, dict[str, float]]:
    """Return all rows filled, and the CPU seconds of `fit` and of `transform`."""
    X = case.incomplete
    start = time.process_time()
    imputer.fit(X[: case.n_train])
    fitted = time.process_time()
    filled = np.vstack([imputer.transform(X[rows]) for rows in case.parts.values()])
    seconds = {"fit_cpu_s": fitted - start, "transform_cpu_s": time.process_time() - fitted}
    return filled, seconds


def measure(case: Case, method: str, seed: int, parts: list[str]) -> dict[str, Figures]:
    """Return figures for every part that the method takes part in."""
    if method in NOT_FILLED:
        X = case.table.X if method == NOTHING_REMOVED else case.incomplete
        return {"downstream": downstream(case, X)} if "downstream" in parts else {}
    figures: dict[str, Figures] = {}
    imputer: Any = IMPUTERS[method](case.table.n_categories, seed)
    if method not in DRAWING and {"accuracy", "downstream"} & set(parts):
        try:
            filled, seconds = fill(case, imputer)
        except Exception as e:  # whatever an imputer fails with, the others go on
            message = f"{type(e).__name__}: {e}"[:80]
            return {"accuracy": {"rmse_new": np.inf, "rmse_train": np.inf, "error": message}}
        figures["accuracy"] = accuracy(case, filled, seconds)
        if "downstream" in parts:
            figures["downstream"] = downstream(case, filled)
    if "multiple" in parts and method in SAMPLING:
        if not figures:
            imputer.fit(case.incomplete[: case.n_train])
        figures["multiple"] = multiple(case, imputer)
    return figures


def run_cases(args: argparse.Namespace) -> None:
    """Measure all cases, and save each row when it is known."""
    files = {"accuracy": "imputation", "downstream": "imputation_downstream"}
    files["multiple"] = "imputation_multiple"
    for seed, rate, mechanism, table in itertools.product(
        args.seeds, args.rates, args.mechanisms, args.tables
    ):
        case = make_case(table, args.max_rows, mechanism, rate, seed)
        values = (table, len(case.table.X), mechanism, rate, seed)
        for method in args.methods:
            key = dict(zip(KEY, (*values, method), strict=True))
            figures = measure(case, method, seed, args.parts)
            for part, file in files.items():
                if part in figures:
                    save_table(f"{file}_all", [key | figures[part]], key=KEY)
            shown = figures.get("accuracy", figures.get("multiple", figures.get("downstream")))
            print(*key.values(), shown, file=sys.stderr, flush=True)


def run_rubin(args: argparse.Namespace) -> None:
    for row in repetitions(args.methods, args.repetitions):
        save_table("imputation_rubin_all", [row], key=("method", "seed"))
        print(*row.values(), file=sys.stderr, flush=True)


def run_cost(args: argparse.Namespace) -> None:
    for row in costs(args.methods):
        save_table("imputation_cost", [row], key=("what", "method"))
        print(*row.values(), file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    several: dict[str, Any] = {"nargs": "+"}
    parser.add_argument("--parts", choices=REPORTS, default=list(REPORTS), **several)
    parser.add_argument(
        "--tables",
        choices=LABELLED,
        default=TABLES,
        metavar="TABLE",
        help=f"of {', '.join(LABELLED)}",
        **several,
    )
    parser.add_argument("--mechanisms", choices=MECHANISMS, default=list(MECHANISMS), **several)
    parser.add_argument("--rates", type=float, default=[0.1, 0.3, 0.5], **several)
    parser.add_argument(
        "--seeds", type=int, default=[0, 1, 2], help="which, not how many", **several
    )
    parser.add_argument("--max-rows", type=int, default=1_500, help="of a table (default: 1500)")
    parser.add_argument("--repetitions", type=int, default=40, help="of rubin (default: 40)")
    methods = [*NOT_FILLED, *IMPUTERS]
    parser.add_argument(
        "--methods",
        choices=methods,
        default=methods,
        metavar="METHOD",
        help=f"of {'; '.join(methods)}",
        **several,
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        if {"accuracy", "downstream", "multiple"} & set(args.parts):
            run_cases(args)
        if "rubin" in args.parts:
            run_rubin(args)
        if "cost" in args.parts:
            run_cost(args)
    targets = []
    for file, report in REPORTS.values():
        if read_table(file):
            targets += report()
    if targets:
        write_table("imputation_targets", targets)


if __name__ == "__main__":
    main()
