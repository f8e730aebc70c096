"""p_values are uniform on normal rows, and predict(fdr=...) holds its level.

For 200 generated tables (n training rows near a curved surface of three dimensions in d), the
p-values of 180 new normal rows each: the share of p-values up to 5, 10 and 20 %, and the p-value of
a Kolmogorov-Smirnov test of uniformity on one row per table, which makes the 200 independent. Then
the same 180 rows beside 20 that are far from the surface: the mean over tables of the false
discovery proportion at the levels 5, 10 and 20 %, and of the share of outliers found.

data: generated.
"""

import argparse
from typing import Any

import numpy as np
import torch
from _report import write_table
from scipy.stats import kstest

from skae import AutoencoderOutlierDetector

LEVELS = (0.05, 0.1, 0.2)
N_NORMAL, N_OUTLIERS = 180, 20


def measure(n: int, d: int, n_tables: int) -> dict[str, Any]:
    first, p_values = [], []
    found: dict[float, list[float]] = {level: [] for level in LEVELS}
    false: dict[float, list[float]] = {level: [] for level in LEVELS}
    for seed in range(n_tables):
        rng = np.random.default_rng(seed)
        surface = rng.normal(size=(3, d))

        def rows(size: int, rng: Any = rng, surface: Any = surface) -> np.ndarray:
            return np.tanh(rng.normal(size=(size, 3)) @ surface) + 0.1 * rng.normal(size=(size, d))

        detector = AutoencoderOutlierDetector(random_state=seed).fit(rows(n))
        new = rows(N_NORMAL + N_OUTLIERS)
        new[N_NORMAL:] += 1.5 * rng.normal(size=(N_OUTLIERS, d))
        of_table = detector.p_values(new[:N_NORMAL])
        first.append(of_table[0])
        p_values.append(of_table)
        for level in LEVELS:
            alarms = detector.predict(new, fdr=level) == -1
            false[level].append(alarms[:N_NORMAL].sum() / max(1, alarms.sum()))
            found[level].append(alarms[N_NORMAL:].mean())
    line: dict[str, Any] = {"rows": n, "features": d, "tables": n_tables}
    line["ks_p_value"] = float(kstest(first, "uniform").pvalue)
    everything = np.concatenate(p_values)
    for level in LEVELS:
        line[f"share_{level:g}"] = float((everything <= level).mean())
    for level in LEVELS:
        line[f"fdr_{level:g}"] = float(np.mean(false[level]))
        line[f"found_{level:g}"] = float(np.mean(found[level]))
    return line


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=int, default=200)
    args = parser.parse_args()
    torch.set_num_threads(1)
    sizes = [(200, 6), (1000, 10)]
    write_table("outlier_p_values", [measure(*size, args.tables) for size in sizes])


if __name__ == "__main__":
    main()
