"""Untuned, the recommenders rank the hidden items of new users at least as well as tuned EASE.

Strong generalisation (Liang et al., WWW 2018): of the users with at least 5 items, 80 % are for
training, 10 % for choosing settings and 10 % for the test; items that no user of the training has
are left out. A recommender is shown a random 80 % of the items of a new user and ranks all others;
it is measured by the hidden 20 %.

- recommendation: NDCG@100, Recall@20, Recall@50, the share of all items that is among the best 20
  of anybody (coverage), and CPU seconds of the fit with one thread, also as a multiple of what EASE
  takes. Means over seeds, which split the users anew. The difference in NDCG to EASE comes with
  its standard error over the same users. A row per seed is in recommendation_all.
- recommendation_short: NDCG@100 of the same hidden items where only 1, 2 or 5 of the others are
  shown; as `rest_ndcg@100` where all that is not shown counts as hidden. Settings stay those chosen
  with whole histories.

"tuned" means that users who are in neither training nor test chose the setting with the highest
NDCG@100: l2 of nine values, or one of the few settings in _recommenders.py. EASE and EDLAE are
solved for users or items, whichever are fewer. `epochs` are those that a network chose to train;
with none, AutoencoderRecommender is the closed form that it starts from. "ShallowRecommender(192)"
and "light" are the parts of BlendRecommender that are not the default one.

data: ml-100k (ratings of 4 and 5), citeulike-a, lastfm, anime (SKAE_DATA). ALS and BPR need the
package implicit and are left out without it.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
import torch
from _data import INTERACTIONS, Histories, histories
from _recommenders import PEERS, Contender
from _report import read_table, write_table
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

import skae
from skae.metrics import coverage_at_k, ndcg_at_k, recall_at_k
from skae.metrics._hidden_items import split_rows

REFERENCE = "EASE, tuned"
SHOWN = (1, 2, 5)
K = 100


def _ours(name: str, **fixed: Any) -> Any:
    return lambda **setting: getattr(skae, name)(random_state=0, **fixed, **setting)


# In units of its own; the default is 30.
SHALLOW_PENALTIES = [{"l2": l2} for l2 in (3, 6, 10, 20, 30, 45, 70, 120, 240)]

OURS: dict[str, Contender] = {
    "ShallowRecommender": Contender(_ours("ShallowRecommender")),
    "ShallowRecommender, l2 tuned": Contender(_ours("ShallowRecommender"), SHALLOW_PENALTIES),
    "ShallowRecommender(192)": Contender(_ours("ShallowRecommender", n_components=192)),
    "ShallowRecommender, light": Contender(_ours("ShallowRecommender", l2=8.0, dropout=0.3)),
    "BlendRecommender": Contender(_ours("BlendRecommender")),
    "AutoencoderRecommender": Contender(_ours("AutoencoderRecommender")),
    "AutoencoderRecommender, Mult-VAE": Contender(
        _ours("AutoencoderRecommender", linear=None, hidden_layer_sizes=(600,), variational=True)
    ),
}
CONTENDERS = PEERS | OURS


@dataclass
class Choice:
    """The fitted model of the best setting."""

    model: Any
    setting: Mapping[str, Any]
    fit_seconds: float


def choose(contender: Contender, data: Histories) -> Choice:
    """Fit with every setting and keep what is best for the users of the validation."""
    best, best_score = None, -np.inf
    for setting in contender.settings:
        start = time.process_time()
        model = contender.make(**setting).fit(data.train)
        seconds = time.process_time() - start
        score = 0.0
        if len(contender.settings) > 1:
            score = ndcg_at_k(data.valid_hidden, model.recommend(data.valid_shown, k=K), K)
        if score > best_score:
            best, best_score = Choice(model, setting, seconds), score
    assert best is not None
    return best


def first_shown(shown: csr_array, n: int, seed: int) -> csr_array:
    """Keep n random items of every row, or all where there are fewer."""
    keys = np.random.default_rng(seed).random(shown.nnz)
    return split_rows(shown, keys, n)[0]


def measure(choice: Choice, data: Histories) -> tuple[dict[str, Any], np.ndarray]:
    """Return the figures of whole histories, and the NDCG of every user."""
    ids = choice.model.recommend(data.test_shown, k=K)
    ndcg = ndcg_at_k(data.test_hidden, ids, K, per_row=True)
    figures: dict[str, Any] = {
        f"ndcg@{K}": float(np.nanmean(ndcg)),
        "recall@20": recall_at_k(data.test_hidden, ids, 20),
        "recall@50": recall_at_k(data.test_hidden, ids, 50),
        "coverage@20": coverage_at_k(ids, data.train.shape[1], 20),
        "fit_cpu_s": choice.fit_seconds,
    }
    if hasattr(choice.model, "n_iter_"):
        figures["epochs"] = choice.model.n_iter_
    return figures, ndcg


def measure_short(choice: Choice, data: Histories, seed: int) -> Iterable[dict[str, Any]]:
    """Yield the figures of users of whom only a few items are known."""
    everything = (data.test_shown + data.test_hidden).tocsr()
    for n in SHOWN:
        shown = first_shown(data.test_shown, n, seed)
        rest = (everything - shown).tocsr()
        rest.eliminate_zeros()
        ids = choice.model.recommend(shown, k=K)
        yield {
            "shown": n,
            f"ndcg@{K}": ndcg_at_k(data.test_hidden, ids, K),
            f"rest_ndcg@{K}": ndcg_at_k(rest, ids, K),
        }


def run(dataset: str, seed: int, names: list[str]) -> tuple[list[dict], list[dict]]:
    """Return a row per contender for whole histories, and a row per length of short ones."""
    data = histories(dataset, seed)
    rows, short, reference = [], [], None
    for name in names:
        choice = choose(CONTENDERS[name], data)
        figures, ndcg = measure(choice, data)
        reference = ndcg if name == REFERENCE else reference
        difference = ndcg - reference
        difference = difference[~np.isnan(difference)]
        setting = " ".join(f"{key}={value:g}" for key, value in choice.setting.items())
        key = {"dataset": dataset, "method": name, "seed": seed}
        figures["minus_ease"] = difference.mean()
        figures["se"] = difference.std(ddof=1) / np.sqrt(len(difference))
        rows.append(key | figures | {"users": len(difference), "setting": setting})
        short += [key | row for row in measure_short(choice, data, seed)]
        print(
            f"{dataset} {seed} {name}: {figures[f'ndcg@{K}']:.4f}, to EASE "
            f"{figures['minus_ease']:+.4f} ({figures['se']:.4f}) {setting}",
            file=sys.stderr,
            flush=True,
        )
        settings = CONTENDERS[name].settings
        if "l2" in choice.setting and choice.setting in (settings[0], settings[-1]):
            print(f"l2 is at the end of its grid: {setting}", file=sys.stderr)
    return rows, short


def averaged(rows: list[dict], key: tuple[str, ...]) -> list[dict]:
    """Return means over seeds, with the standard error of the mean."""
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in key), []).append(row)
    means = []
    for values, group in groups.items():
        mean: dict[str, Any] = dict(zip(key, values, strict=True)) | {"seeds": len(group)}
        numbers = [n for n in group[0] if all(isinstance(row.get(n), int | float) for row in group)]
        mean |= {name: fmean(row[name] for row in group) for name in numbers if name not in mean}
        if "se" in mean:
            mean["se"] = float(np.sqrt(sum(row["se"] ** 2 for row in group))) / len(group)
            mean["setting"] = "; ".join(dict.fromkeys(str(row["setting"] or "") for row in group))
        means.append({name: v for name, v in mean.items() if name not in ("seed", "users")})
    return means


def report(all_rows: list[dict]) -> None:
    """Write the table of means, with costs as multiples of EASE's, and print what was gained."""
    rows = averaged(all_rows, ("dataset", "method"))
    ease = {row["dataset"]: row for row in rows if row["method"] == REFERENCE}
    for row in rows:
        row["fit_to_ease"] = row["fit_cpu_s"] / ease[row["dataset"]]["fit_cpu_s"]
        row["gain_percent"] = 100 * (row[f"ndcg@{K}"] / ease[row["dataset"]][f"ndcg@{K}"] - 1)
    write_table("recommendation", rows)
    for name in dict.fromkeys(row["method"] for row in rows):
        gains = [row["gain_percent"] for row in rows if row["method"] == name]
        print(
            f"{name}: NDCG against tuned EASE {fmean(gains):+.1f} % in the mean over {len(gains)} "
            f"sets, at the lowest {min(gains):+.1f} %"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    several: dict[str, Any] = {"nargs": "+", "metavar": "NAME"}
    parser.add_argument(
        "--datasets", choices=INTERACTIONS, default=list(INTERACTIONS), help="which data", **several
    )
    parser.add_argument("--seeds", type=int, default=3, help="splits of the users (default: 3)")
    parser.add_argument(
        "--methods",
        choices=CONTENDERS,
        default=list(CONTENDERS),
        help=f"out of {'; '.join(CONTENDERS)}; {REFERENCE} always runs, first",
        **several,
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", module="implicit")  # it asks for other BLAS settings

    # What torch imports with the first optimizer of a process is no part of a fit.
    skae.AutoencoderRecommender(2, max_epochs=0).fit(np.eye(4))
    names = [REFERENCE, *(name for name in args.methods if name != REFERENCE)]
    for name in [name for name in names if CONTENDERS[name].missing]:
        print(f"{name} is left out: install {CONTENDERS[name].needs}.", file=sys.stderr)
        names.remove(name)
    key = ("dataset", "method", "seed")
    for dataset in args.datasets:
        for seed in range(args.seeds):
            with threadpool_limits(1):
                rows, short = run(dataset, seed, names)
            write_table("recommendation_all", rows, key=key)
            write_table("recommendation_short_all", short, key=(*key, "shown"))
    report(read_table("recommendation_all"))
    short = averaged(read_table("recommendation_short_all"), ("dataset", "method", "shown"))
    write_table("recommendation_short", short)


if __name__ == "__main__":
    main()
