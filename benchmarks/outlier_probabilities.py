"""Told the share of outliers, outlier_probability beats that share as everybody's probability.

The detector is fitted to all rows of labelled tables. Of the probabilities of these rows, by their
held-out scores: the mean, the mean squared error (Brier's score) with the true share, with twice
and with half of it, and that of the true share for every row, share * (1 - share). Below the last
one, probabilities say more than the share does. Then the area under the ROC curve of the scores,
which bounds what any probabilities made of them can be.

data: as for outliers.py.
"""

import argparse
from typing import Any

import numpy as np
import torch
from _data import data_path
from _report import write_table
from outliers import load, split
from sklearn.metrics import roc_auc_score

from skae import AutoencoderOutlierDetector
from skae.outliers._probabilities import ScoreMixture

TABLES = ("4_breastw", "29_Pima", "38_thyroid", "44_Wilt", "45_wine")


def measure(table: str, max_rows: int) -> dict[str, Any]:
    X, y = load(data_path("adbench") / f"{table}.npz", max_rows, 0)
    X, _, labels = split(X, y, "contaminated", 0)
    scores = AutoencoderOutlierDetector(random_state=0).fit(X).held_out_scores_
    true = float(labels.mean())
    row: dict[str, Any] = {"data": table, "rows": len(X), "share": true}
    row["constant"] = true * (1 - true)
    for name, factor in [("true", 1.0), ("twice", 2.0), ("half", 0.5)]:
        probabilities = ScoreMixture.of(scores, min(factor * true, 0.9))(scores)
        row[f"mean_{name}"] = float(probabilities.mean())
        row[f"brier_{name}"] = float(np.square(probabilities - labels).mean())
    row["auroc"] = float(roc_auc_score(labels, -scores))
    return row


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", nargs="+", default=list(TABLES))
    parser.add_argument("--max-rows", type=int, default=1500)
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for table in args.tables:
        rows.append(measure(table, args.max_rows))
        print(rows[-1], flush=True)
    write_table("outlier_probabilities", rows, key=("data",))


if __name__ == "__main__":
    main()
