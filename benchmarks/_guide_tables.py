"""Writes the user guide's tables on what was measured of several tasks, from results.

    python benchmarks/_guide_tables.py

Run it after generation.py, likelihood.py, out_of_distribution.py, outliers.py, recommendation.py or
imputation.py, and commit what it writes.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

from _report import read_table

GUIDE = Path(__file__).parents[1] / "docs" / "user_guide"
REAL = "real rows"  # not in the contest
PART = "ShallowRecommender, light"  # of a blend, and nothing else
NAMES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST", "breast_cancer": "breast cancer"}

Row = Mapping[str, Any]
Cost = Callable[[float], float]  # least for the best number


def nearest(best: float) -> Cost:
    return lambda number: abs(number - best)


def highest(number: float) -> float:
    return -number


def lowest(number: float) -> float:
    return number


def list_table(title: str, rows: Sequence[Sequence[str]]) -> str:
    """Return a table in reStructuredText, the first row of which is its head."""
    widths = " ".join(["34", *["11"] * (len(rows[0]) - 1)])
    lines = [f".. list-table:: {title}", "   :header-rows: 1", f"   :widths: {widths}", ""]
    for row in rows:
        marks = ["* -", *["  -"] * (len(row) - 1)]
        lines += [f"   {mark} {cell}".rstrip() for mark, cell in zip(marks, row, strict=True)]
    return "\n".join(lines) + "\n"


def text(number: float | None, digits: int) -> str:
    """Return a number without the zero before its point."""
    if number is None:
        return ""
    rounded = f"{number:.{digits}f}"
    return rounded.replace("0.", ".", 1) if rounded.startswith(("0.", "-0.")) else rounded


def column(
    names: Sequence[str], numbers: Sequence[float | None], digits: int, cost: Cost | None = None
) -> list[str]:
    """Return the cells of a column; the best of them, by what is shown of it, are bold."""
    costs = [
        None if number is None or name == REAL or cost is None else cost(round(number, digits))
        for name, number in zip(names, numbers, strict=True)
    ]
    least = min((c for c in costs if c is not None), default=None)
    return [
        text(number, digits) if c is None or c > least + 1e-9 else f"**{text(number, digits)}**"
        for number, c in zip(numbers, costs, strict=True)
    ]


def images(data: str, title: str) -> str:
    rows = [row for row in read_table("generation_images") if row["data"] == data]
    names = [row["generator"] for row in rows]
    measures: Sequence[tuple[str, str, int, Cost | None]] = [
        ("frechet", "Fréchet distance", 1, lowest),
        ("coverage", "coverage", 2, highest),
        ("density", "density", 2, nearest(1)),
        ("auc", "AUC", 2, nearest(0.5)),
        ("closer", "closer", 2, None),
        ("ratio", "CPU time", 2, None),
    ]
    columns = [
        [head, *column(names, [row.get(name) for row in rows], digits, cost)]
        for name, head, digits, cost in measures
    ]
    return list_table(title, list(zip(["Generator", *names], *columns, strict=True)))


def tables(measure: str, title: str, cost: Cost | None = None) -> str:
    """Return a table with a row per generator and a column per data set."""
    rows = read_table("generation_tables")
    names = list(dict.fromkeys(row["generator"] for row in rows))
    numbers = {(row["data"], row["generator"]): row.get(measure) for row in rows}
    columns = [
        [NAMES.get(data, data), *column(names, [numbers.get((data, n)) for n in names], 2, cost)]
        for data in dict.fromkeys(row["data"] for row in rows)
    ]
    return list_table(title, list(zip(["Generator", *names], *columns, strict=True)))


def likelihoods(title: str) -> str:
    """Return means over seeds."""
    measures = (("epochs", 0), ("cpu_minutes", 1), ("nats", 2), ("standard_error", 2))
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in sorted(read_table("likelihood"), key=lambda row: row["data"], reverse=True):
        groups.setdefault((row["data"], row["settings"]), []).append(row)
    lines = [["Settings", "images", "epochs", "CPU minutes", "nats", "standard error"]]
    for (data, settings), group in groups.items():
        means = [text(fmean(row[name] for row in group), digits) for name, digits in measures]
        lines.append([settings, NAMES.get(data, data), *means])
    return list_table(title, lines)


def strange(title: str) -> str:
    """Return a table in which the classes that were left out are one line, by their mean."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in read_table("out_of_distribution"):
        is_class = row["strange"].startswith("without")
        name = "classes left out" if is_class else NAMES.get(row["strange"], row["strange"])
        groups.setdefault((NAMES.get(row["usual"], row["usual"]), name), []).append(row)
    lines = [["Strange images", "usual ones", "VariationalAutoencoder", "PCA"]]
    for (usual, name), group in groups.items():
        areas = [fmean(row[measure] for row in group) for measure in ("auroc", "auroc_pca")]
        lines.append([name, usual, *column(["ours", "PCA"], areas, 3, highest)])
    return list_table(title, lines)


def rankings(title: str) -> str:
    """Return a table with a row per recommender and a column per data set, and what fits cost."""
    rows = [row for row in read_table("recommendation") if row["method"] != PART]
    names = list(dict.fromkeys(row["method"] for row in rows))
    numbers = {(row["dataset"], row["method"]): row["ndcg@100"] for row in rows}
    columns = [
        [data, *column(names, [numbers.get((data, n)) for n in names], 3, highest)]
        for data in dict.fromkeys(row["dataset"] for row in rows)
    ]
    costs = [median(row["fit_to_ease"] for row in rows if row["method"] == n) for n in names]
    columns.append(["fit", *column(names, costs, 1)])
    return list_table(title, list(zip(["Recommender", *names], *columns, strict=True)))


def short_histories(title: str) -> str:
    """Return means over all data sets, for recommenders that were measured on all."""
    rows = [row for row in read_table("recommendation_short") if row["method"] != PART]
    groups: dict[tuple[str, int], list[float]] = {}
    for row in rows:
        groups.setdefault((row["method"], row["shown"]), []).append(row["ndcg@100"])
    most, lengths = max(map(len, groups.values())), sorted({n for _, n in groups})
    names = [
        name
        for name in dict.fromkeys(name for name, _ in groups)
        if all(len(groups[name, n]) == most for n in lengths)
    ]
    columns = [
        [f"{n} shown", *column(names, [fmean(groups[name, n]) for name in names], 3, highest)]
        for n in lengths
    ]
    return list_table(title, list(zip(["Recommender", *names], *columns, strict=True)))


def detectors(title: str) -> str:
    """Return means of detectors that were run on all tables, by AUROC on clean rows."""
    rows = read_table("outliers")
    most = max((row["tables"], row["seeds"]) for row in rows)
    of = {
        (row["setting"], row["detector"]): row
        for row in rows
        if (row["tables"], row["seeds"]) == most
    }
    clean = [name for setting, name in of if setting == "clean"]
    names = sorted(clean, key=lambda name: -of["clean", name]["auroc"])
    measures: Sequence[tuple[str, str, int, Cost]] = [
        ("auroc", "AUROC, {}", 3, highest),
        ("ap", "AP", 3, highest),
        ("rank", "rank", 1, lowest),
    ]
    columns = []
    for setting in ("contaminated", "clean"):
        for name, head, digits, cost in measures:
            numbers = [of.get((setting, detector), {}).get(name) for detector in names]
            columns.append([head.format(setting), *column(names, numbers, digits, cost)])
    return list_table(title, list(zip(["Detector", *names], *columns, strict=True)))


def imputers(title: str) -> str:
    """Return errors over all cases, beside what is drawn from filled rows."""
    rows = [row for row in read_table("imputation") if row.get("rank") is not None]
    rows.sort(key=lambda row: row["rank"])
    downstream = {row["method"]: row for row in read_table("imputation_downstream")}
    names = [row["method"] for row in rows]
    measures: Sequence[tuple[str, str, int, Cost | None]] = [
        ("rank", "rank by RMSE", 1, lowest),
        ("rmse_new", "RMSE", 3, lowest),
        ("accuracy_new", "accuracy", 3, highest),
        ("fit_cpu_s", "fit, CPU s", 1, None),
    ]
    columns = [
        [head, *column(names, [row.get(name) for row in rows], digits, cost)]
        for name, head, digits, cost in measures
    ]
    scores = [downstream.get(name, {}).get("boosting") for name in names]
    columns.append(["score after", *column(names, scores, 3, highest)])
    shown = ["the same, max_epochs=0" if name == "EM" else name for name in names]
    return list_table(title, list(zip(["Imputer", *shown], *columns, strict=True)))


def draws(title: str) -> str:
    """Return scores of draws, what intervals hold, and what they hold by Rubin's rules."""
    rows = read_table("imputation_multiple")
    of = {(row["method"], row["mechanism"]): row for row in rows}
    rubin = {row["method"]: row["coverage"] for row in read_table("imputation_rubin")}
    ways = ("MCAR", "MAR", "MNAR")
    scores = {name: fmean(of[name, way]["crps"] for way in ways) for name, _ in of}
    names = sorted(scores, key=scores.__getitem__)
    columns = [["CRPS", *column(names, [scores[name] for name in names], 3, lowest)]]
    for way in ways:
        columns.append([way, *column(names, [of[name, way]["coverage"] for name in names], 3)])
    columns.append(["Rubin", *column(names, [rubin.get(name) for name in names], 3)])
    shown = ["the same, max_epochs=0" if name == "EM" else name for name in names]
    return list_table(title, list(zip(["Draws", *shown], *columns, strict=True)))


def main() -> None:
    generation = [
        images("fashion_mnist", "10,000 new images of Fashion-MNIST against its test images"),
        images("digits", "As many new digits as the half that was trained on, against the other"),
        tables("auc", "AUC of a classifier that tells new rows from held-out ones", nearest(0.5)),
        tables("score", "Score of a model that was trained on new rows, on held-out ones", highest),
        tables("closer", "Share of new rows that are closer to a training row than a held-out one"),
        likelihoods("Minus the bound of held-out images of zeros and ones"),
        strange("AUROC of the likelihood, strange images against held-out usual ones"),
    ]
    outlier = [
        detectors("Means over 30 tables of up to 5,000 rows and three seeds; ranks are by AUROC")
    ]
    recommendation = [
        rankings("NDCG at 100 of new users, and CPU time of a fit, in multiples of EASE's"),
        short_histories("NDCG at 100 of users of whom a few items are known, mean of the data"),
    ]
    imputation = [
        imputers(
            "Cells of new rows of twelve tables, 10, 30 and 50 % of them removed in three ways; "
            "last, scores of gradient boosting on filled tables"
        ),
        draws(
            "Draws for 30 % of the cells, the share of these in intervals of 90 %, removed in "
            "three ways, and the share of coefficients in those of 95 % by Rubin's rules"
        ),
    ]
    pages = {
        "generation": generation,
        "outlier": outlier,
        "recommendation": recommendation,
        "imputation": imputation,
    }
    for name, parts in pages.items():
        page = GUIDE / f"{name}_benchmark.inc"
        page.write_text("\n".join(parts), encoding="utf-8")
        print(f"written to docs/user_guide/{page.name}")


if __name__ == "__main__":
    main()
