"""The weights of the detector's views, chosen by leaving whole families of tables out.

Both settings of the default model are fitted to clean and to contaminated rows of the tables of
outliers.py, and the surprise of the test rows is taken in every view. Candidates are sums of them
with weights from a small grid. For each family of tables, such as the four of breast cancer, the
candidate that is best on all other families is applied to it: the means over tables of what these
reach are what to expect on tables that had no part in the choice. "best on all" had a part in it.

Best is the highest sum of AUROC and average precision: for "auto" in both settings, contaminated
rows counted twice, for contamination=0 on clean rows. The line of the distance from the five
nearest alone is there to compare.

data: as for outliers.py, in SKAE_DATA.
"""

import argparse
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
import torch
from _data import data_path
from _report import write_table
from outliers import SETTINGS, load, split
from sklearn.metrics import average_precision_score, roc_auc_score

from skae import AutoencoderOutlierDetector

FAMILIES = {
    "breast": ("WBC", "WDBC", "WPBC", "breastw"),
    "cardiotocography": ("cardio", "Cardiotocography"),
    "characters": ("mnist", "optdigits", "pendigits", "letter"),
    "network": ("http", "smtp"),
    "pictures": ("ALOI", "fault"),
    "thyroid": ("annthyroid", "thyroid"),
    "web": ("SpamBase", "PageBlocks", "campaign"),
}
VIEWS = {
    "auto": ("noise", "mask trimmed", "tail", "rarity", "samples", "near", "near ranges"),
    0: ("noise again", "mask", "near again", "near ranges again", "local", "local ranges"),
}
Weights = Mapping[str, float]


def family(table: str) -> str:
    name = table.partition("_")[2]
    return next((f for f, names in FAMILIES.items() if name in names), name)


def surprises(contamination: Any, X: np.ndarray, X_test: np.ndarray) -> np.ndarray:
    """Return the surprise of test rows in each view, without weights."""
    fitted = AutoencoderOutlierDetector(contamination=contamination, random_state=0).fit(X)
    model: Any = fitted.estimator_

    def of_views(module: Any, x: torch.Tensor, observed: Any) -> torch.Tensor:
        cells = model._network_cells(module, x, observed)
        return model._parts(cells, x, observed).T

    return model._of_rows(X_test, of_views) / np.array(model._setting.weights)


def candidates(which: str) -> Iterator[Weights]:
    if which == "auto":
        grid = product((0, 0.25, 0.5, 1), ("samples", None), ("mask trimmed", "mask"), (0, 0.5))
        for single, samples, mask, local in grid:
            weights = {"noise": 1, mask: 1, "near": 1, "near ranges": 1}
            weights |= {"tail": single, "rarity": single, "local": local, "local ranges": local}
            yield weights | ({samples: 1} if samples else {})
    else:
        for mask, local, ranges, near in product((0, 0.5, 1), (0, 0.5, 1), (0, 0.5, 1), (1, 2)):
            weights = {"noise": 1, "mask": mask, "near": near, "near ranges": near}
            yield weights | {"local": local, "local ranges": ranges}


SHIPPED: Mapping[str, Weights] = {
    "auto": {
        "noise": 1,
        "mask trimmed": 1,
        "tail": 0.25,
        "rarity": 0.25,
        "samples": 1,
        "near": 1,
        "near ranges": 1,
    },
    "contamination=0": {
        "noise": 1,
        "mask": 0.5,
        "near": 1,
        "near ranges": 1,
        "local": 0.5,
        "local ranges": 0.5,
    },
}


def reached(weights: Weights, views: Mapping[str, np.ndarray], labels: np.ndarray) -> list[float]:
    score = sum(weight * views[view] for view, weight in weights.items() if weight)
    return [roc_auc_score(labels, score), average_precision_score(labels, score)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--max-rows", type=int, default=4000)
    args = parser.parse_args()
    torch.set_num_threads(1)
    choices: dict[str, list[Weights]] = {w: list(candidates(w)) for w in SHIPPED}
    alone: Weights = {"near": 1}
    everything = [alone, *(w for which in SHIPPED for w in (SHIPPED[which], *choices[which]))]
    of_tables, families = [], []
    for path in sorted(data_path("adbench").glob("*.npz")):
        X, y = load(path, args.max_rows, 0)
        values = []
        for setting in SETTINGS:
            X_train, X_test, labels = split(X, y, setting, 0)
            views = {
                name: column
                for contamination, names in VIEWS.items()
                for name, column in zip(
                    names, surprises(contamination, X_train, X_test).T, strict=True
                )
            }
            values.append([reached(weights, views, labels) for weights in everything])
        of_tables.append(np.concatenate(values, axis=1))
        families.append(family(path.stem))
        print(path.stem, of_tables[-1][0].round(3), flush=True)
    # candidates x tables x (AUROC and AP, contaminated and clean)
    found, of_family = np.stack(of_tables, axis=1), np.array(families)
    rows = [("nearest alone", found[0])]
    start = 1
    for which, grid in choices.items():
        counted = [0, 0, 1, 1, 2, 3] if which == "auto" else [2, 3]
        rows.append((f"{which}, as shipped", found[start]))
        of_grid = found[start + 1 : start + 1 + len(grid)]
        quality = of_grid[:, :, counted].sum(axis=2)
        rows.append((f"{which}, best on all", of_grid[quality.mean(axis=1).argmax()]))
        left_out = np.empty_like(found[0])
        for each in np.unique(of_family):
            is_out = of_family == each
            left_out[is_out] = of_grid[quality[:, ~is_out].mean(axis=1).argmax(), is_out]
        rows.append((f"{which}, family left out", left_out))
        start += 1 + len(grid)
    names = [f"{what}_{setting}" for setting in SETTINGS for what in ("auroc", "ap")]
    write_table(
        "outlier_views",
        [
            {"weights": name, "tables": len(values)}
            | dict(zip(names, values.mean(axis=0).tolist(), strict=True))
            | {"worst_vs_nearest_clean": float((values - found[0])[:, 2].min())}
            for name, values in rows
        ],
    )


if __name__ == "__main__":
    main()
