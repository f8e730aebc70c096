"""Tables of what imputation.py measured, and what of it was to be reached."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from _imputation_cost import COSTLY, TREES
from _imputers import DRAWING, EM, IMPUTERS, NORMAL, OURS
from _report import read_table, write_table
from _rubin import NOTHING_REMOVED

Figures = dict[str, Any]

CASE = ("table", "rows", "mechanism", "rate")
KEY = (*CASE, "seed", "method")
SAMPLING = (*DRAWING, EM, OURS)
FILLING = [name for name in IMPUTERS if name not in DRAWING]
RANKED = [name for name in FILLING if name != "ExtraTrees(100)"]


def by_case(file: str, value: str, needed: list[str]) -> pd.DataFrame:
    """Return a value of every case and method, as means over the seeds that all `needed` have."""
    rows = pd.DataFrame(read_table(file), columns=[*KEY, value]).dropna()
    wide = rows.pivot(index=[*CASE, "seed"], columns="method", values=value)
    wide = wide.dropna(subset=[name for name in needed if name in wide])
    return wide.groupby(level=list(CASE)).mean()


def geometric_mean(ratios: pd.Series) -> float:
    return float(np.exp(np.log(ratios.dropna()).mean()))


def report_accuracy() -> list[Figures]:
    """Write means over cases, and errors table by table; return what the targets need."""
    errors = by_case("imputation_all", "rmse_new", RANKED)
    methods = [name for name in FILLING if name in errors]
    of_cases = errors[[name for name in methods if name in RANKED]].rank(axis=1)
    ranks = of_cases.mean()
    of_ways = of_cases.groupby(level=["mechanism", "rate"])
    counted = of_ways.mean().assign(cases=of_ways.size())
    write_table("imputation_ranks", counted.reset_index().to_dict("records"))
    further = {
        name: by_case("imputation_all", name, RANKED)
        for name in ("rmse_train", "accuracy_new", "accuracy_train", "fit_cpu_s", "transform_cpu_s")
    }
    lines = []
    for method in methods:
        line: Figures = {"method": method, "cases": int(errors[method].count())}
        line |= {"rank": ranks.get(method), "rmse_new": errors[method].mean()}
        if OURS in errors:
            line["to_ours"] = geometric_mean(errors[method] / errors[OURS])
        if EM in errors:
            line["worst_to_em"] = (errors[method] / errors[EM]).max()
        line |= {
            name: values[method].mean() for name, values in further.items() if method in values
        }
        lines.append(line)
    write_table("imputation", sorted(lines, key=lambda line: line["rank"] or np.inf))
    of_table = np.exp(np.log(errors).groupby(level="table", sort=False).mean())[methods]
    write_table("imputation_tables", of_table.reset_index().to_dict("records"))
    if not {OURS, EM, "boosting", "ExtraTrees(20)"} <= set(methods):
        return []
    ours, shares = errors[OURS], further["accuracy_new"][RANKED].mean()
    lines = [
        target("mean rank by error, of 8", float(ranks[OURS]), most=1.9),
        target("rank by accuracy, of 8", float(shares.rank(ascending=False)[OURS]), most=2),
        target("largest ratio to EM", float((ours / errors[EM]).max()), most=1.02),
    ]
    for peer, most in (("ExtraTrees(20)", 0.95), ("boosting", 0.92)):
        lines.append(target(f"ratio to {peer}", geometric_mean(ours / errors[peer]), most=most))
    for table in ("digits", "20_letter", "7_Cardiotocography"):
        if table in of_table.index:
            ratio = of_table[OURS][table] / of_table["ExtraTrees(20)"][table]
            lines.append(target(f"ratio to ExtraTrees(20), {table}", ratio, most=1))
    return lines


def report_downstream() -> list[Figures]:
    """Write mean scores, over the cases that all imputers have."""
    lines: dict[str, Figures] = {}
    targets = []
    for model in ("boosting", "linear"):
        scores = by_case("imputation_downstream_all", model, RANKED)
        means = scores[[name for name in RANKED if name in scores]].mean()
        if OURS in means:
            lead = float(means[OURS] - means.drop(OURS).max())
            targets.append(target(f"score of {model}, lead on the best imputer", lead, least=0))
        for method, values in scores.items():
            line = lines.setdefault(method, {"method": method, "cases": len(scores)})
            line[model] = values.mean() if values.notna().all() else None
    write_table("imputation_downstream", sorted(lines.values(), key=lambda x: -x["boosting"]))
    return targets


def report_multiple() -> list[Figures]:
    figures = {
        name: by_case("imputation_multiple_all", name, list(SAMPLING))
        for name in ("crps", "coverage", "width", "draws_cpu_s")
    }
    means = pd.concat(
        {name: f.groupby(level="mechanism").mean().stack() for name, f in figures.items()}, axis=1
    )
    write_table("imputation_multiple", means.reset_index().to_dict("records"))
    scores, shares = figures["crps"], figures["coverage"]
    if not {OURS, EM, NORMAL} <= set(scores):
        return []
    lines = [
        target(f"CRPS, ratio to {peer}", geometric_mean(scores[OURS] / scores[peer]), most=0.9)
        for peer in (NORMAL, EM)
    ]
    ignorable = shares[OURS][shares.index.get_level_values("mechanism") != "MNAR"]
    for table, share in ignorable.groupby(level="table", sort=False).mean().items():
        lines.append(target(f"coverage of 90 %, {table}", share, least=0.86, most=0.94))
    return lines


def report_rubin() -> list[Figures]:
    rows = pd.DataFrame(read_table("imputation_rubin_all"))
    means = rows.groupby("method", sort=False)[["coverage", "half_width"]].mean()
    means.insert(0, "repetitions", rows.groupby("method").size())
    write_table("imputation_rubin", means.reset_index().to_dict("records"))
    shares = means["coverage"]
    if OURS not in shares:
        return []
    loss = float(shares[NOTHING_REMOVED] - shares[OURS])
    return [
        target("Rubin's rules, coverage of 95 %", float(shares[OURS]), least=0.85),
        target("Rubin's rules, loss of coverage", loss, most=0.06),
    ]


def report_cost() -> list[Figures]:
    rows = read_table("imputation_cost")
    write_table("imputation_cost", rows)
    of = {(row["what"], row["method"]): row for row in rows}
    if not {("mapped", OURS), *(("adult", name) for name in COSTLY)} <= set(of):
        return []
    ours = of["adult", OURS]
    lines = [
        target(
            f"time of adult, ratio to {peer}",
            ours["fit_cpu_s"] / of["adult", peer]["fit_cpu_s"],
            most=most,
        )
        for peer, most in (("boosting", 2), (TREES, 1))
    ]
    for what, most in (("adult", 1_000), ("mapped", 2_000)):
        peak = max(of[what, OURS][name] for name in ("fit_mb", "transform_mb"))
        lines.append(target(f"memory of {what}, MB", peak, most=most))
    return lines


def target(
    what: str, value: float, *, least: float | None = None, most: float | None = None
) -> Figures:
    met = (least is None or value >= least) and (most is None or value <= most)
    verdict = "met" if met else "MISSED"
    return {"what": what, "value": value, "least": least, "most": most, "verdict": verdict}


# What each part has saved, and how it is reported.
REPORTS: Mapping[str, tuple[str, Callable[[], list[Figures]]]] = {
    "accuracy": ("imputation_all", report_accuracy),
    "downstream": ("imputation_downstream_all", report_downstream),
    "multiple": ("imputation_multiple_all", report_multiple),
    "rubin": ("imputation_rubin_all", report_rubin),
    "cost": ("imputation_cost", report_cost),
}
