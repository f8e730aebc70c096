"""Intervals by Rubin's rules hold the coefficients of a regression on imputed tables.

400 random blocks of California housing: the price (in 100,000 dollars) on longitude, latitude, age,
log rooms and log income. Of one of the six, nothing is removed, of each other 30 % at random (MAR).
The truth is the regression on all blocks. An interval of 95 % comes from ten imputations (Rubin,
1987), or, for what imputes once or drops rows, from the usual standard errors.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from _data import LABELLED
from _imputers import EM, IMPUTERS, OURS, POSTERIOR
from _missing import cells_to_remove
from scipy.stats import t as student

from skae.metrics import pool_estimates

N_ROWS, N_IMPUTATIONS, RATE, LEVEL = 400, 10, 0.3, 0.95
NOTHING_REMOVED = "nothing removed"
NUMBERS = np.zeros(6, dtype=int)  # of categories

Estimate = tuple[np.ndarray, np.ndarray, Any]  # coefficients, variances, degrees of freedom


def housing() -> np.ndarray:
    """Return all blocks: five standardised columns, and the price."""
    frame, price = LABELLED["california_housing"]()
    names = ["longitude", "latitude", "housing_median_age", "total_rooms", "median_income"]
    X = frame[names].to_numpy(float)
    X[:, 3:] = np.log(X[:, 3:])
    return np.column_stack([(X - X.mean(axis=0)) / X.std(axis=0), price])


def regression(table: np.ndarray) -> Estimate:
    """Regress the last column on the others."""
    n_rows, n_columns = table.shape
    design = np.column_stack([np.ones(n_rows), table[:, :-1]])
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ design.T @ table[:, -1]
    freedom = n_rows - n_columns
    variance = np.square(table[:, -1] - design @ coefficients).sum() / freedom
    return coefficients[1:], variance * np.diag(inverse)[1:], freedom


def pooled(estimates: list[Estimate]) -> Estimate:
    """Combine the estimates from several imputations by Rubin's rules."""
    coefficients, variances = (np.array(part) for part in list(zip(*estimates, strict=True))[:2])
    together = pool_estimates(coefficients, variances)
    return together.estimate, together.standard_error**2, together.df


def _drawn(method: str) -> Callable[[np.ndarray, int], Estimate]:
    def estimate(incomplete: np.ndarray, seed: int) -> Estimate:
        imputer: Any = IMPUTERS[method](NUMBERS, seed).fit(incomplete)
        draws = imputer.sample_imputations(incomplete, N_IMPUTATIONS)
        return pooled([regression(np.asarray(draw)) for draw in draws])

    return estimate


def _mean(incomplete: np.ndarray, seed: int) -> Estimate:
    return regression(np.where(np.isnan(incomplete), np.nanmean(incomplete, axis=0), incomplete))


METHODS: Mapping[str, Callable[[np.ndarray, int], Estimate]] = {
    "mean": _mean,
    "complete rows": lambda incomplete, seed: regression(
        incomplete[~np.isnan(incomplete).any(axis=1)]
    ),
    POSTERIOR: _drawn(POSTERIOR),
    EM: _drawn(EM),
    OURS: _drawn(OURS),
}


def repetitions(methods: list[str], n_repetitions: int) -> Iterator[dict[str, Any]]:
    """Yield, per repetition and method, the share of intervals that hold the truth.

    What imputes nothing runs always, besides `methods`.
    """
    everything = housing()
    truth = regression(everything)[0]
    for seed in range(n_repetitions):
        rng = np.random.default_rng([seed, 1])  # another stream than that of the imputers
        table = everything[rng.choice(len(everything), N_ROWS, replace=False)]
        incomplete = np.where(cells_to_remove(table, "MAR", RATE, rng), np.nan, table)
        estimates = {NOTHING_REMOVED: lambda *_, table=table: regression(table)}
        estimates |= {
            name: METHODS[name] for name in METHODS if name in methods or name not in IMPUTERS
        }
        for name, estimate in estimates.items():
            coefficients, variances, freedom = estimate(incomplete, seed)
            half_width = student.ppf((1 + LEVEL) / 2, freedom) * np.sqrt(variances)
            held = np.abs(coefficients - truth) <= half_width
            figures = {"coverage": float(held.mean()), "half_width": float(half_width.mean())}
            yield {"method": name, "seed": seed} | figures
