"""Recommending costs what its arithmetic costs, and lists no more than those of implicit.

CPU seconds of one thread, measured in alternation in one process, as a median of ratios to a
reference.

- fit: `ShallowRecommender` against EASE in a few lines (_recommenders.py), both solved for users or
  items, whichever are fewer.
- network: `AutoencoderRecommender` as it comes against the same EASE, for the training users of
  recommendation.py. What torch imports with the first optimizer of a process is in the warm-up.
- dual: `ShallowRecommender` solved for users against solved for items, on lastfm.
- recommend: the 10 best new items of a batch of users, `ShallowRecommender` with 128 components
  against ALS of implicit with 128 factors, which has the factors of these users already ("known")
  or finds them first ("new"). Ours always does: every row is a new user. What `ShallowRecommender`
  without components needs stands beside it, without a target.

data: ml-100k, citeulike-a, lastfm, anime (SKAE_DATA), and a generated catalogue of 100,000 items.
The lists need the package implicit and are left out without it.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from _data import INTERACTIONS, histories, interactions
from _generated import grouped
from _recommenders import ALS, EASE, PEERS
from _report import alternate, ratios, write_table
from scipy.sparse import csr_array, csr_matrix
from threadpoolctl import threadpool_limits

from skae import AutoencoderRecommender, ShallowRecommender

FACTORS = 128
K = 10
FIT_TARGET = 1.2
NETWORK_TARGET = 20
DUAL_TARGET = 1 / 150
RECOMMEND_TARGETS = {"citeulike-a": 1.0, "100,000 items": 1.75}


def shallow(**parameters: Any) -> Any:
    return ShallowRecommender(random_state=0, **parameters)


def compared(
    what: str, data: str, functions: dict[str, Callable], targets: dict[str, float], rounds: int
) -> list[dict[str, Any]]:
    """Return a row per function; the first one is the reference."""
    return as_rows(what, data, alternate(functions, rounds), targets)


def as_rows(
    what: str, data: str, times: dict[str, list[float]], targets: dict[str, float]
) -> list[dict[str, Any]]:
    """Return a row for the times of every function; those of the first one are the reference."""
    reference = next(iter(times))
    rows = []
    for name, ratio in ratios(times, reference).items():
        row: dict[str, Any] = {"what": what, "data": data, "method": name}
        row |= {"reference": reference, "cpu_s": float(np.median(times[name])), "ratio": ratio}
        if name in targets:
            row |= {"target": targets[name]}
            row["verdict"] = "met" if ratio <= targets[name] else "MISSED"
        rows.append(row)
        print(f"{what} {data} {name}: {ratio:.4g} of {reference}", file=sys.stderr, flush=True)
    return rows


def fits(rounds: int) -> list[dict[str, Any]]:
    rows = []
    for name in INTERACTIONS:
        X = interactions(name)
        functions = {
            "bare EASE": lambda X=X: EASE(8.0).fit(X),
            "ShallowRecommender": lambda X=X: shallow().fit(X),
        }
        rows += compared("fit", name, functions, {"ShallowRecommender": FIT_TARGET}, rounds)
    return rows


def networks(rounds: int) -> list[dict[str, Any]]:
    rows = []
    for name in INTERACTIONS:
        X = histories(name, seed=0).train
        functions = {
            "bare EASE": lambda X=X: EASE(8.0).fit(X),
            "AutoencoderRecommender": lambda X=X: AutoencoderRecommender(
                random_state=0, device="cpu"
            ).fit(X),
        }
        targets = {"AutoencoderRecommender": NETWORK_TARGET}
        rows += compared("network", name, functions, targets, rounds)
    return rows


def dual() -> list[dict[str, Any]]:
    """Once and without a warm-up, which would take another minute."""
    X = interactions("lastfm")
    models = {"primal": shallow(solver="primal"), "dual": shallow(solver="dual")}
    times = {}
    for name, model in models.items():
        start = time.process_time()
        model.fit(X)
        times[name] = [time.process_time() - start]
    return as_rows("dual", "lastfm", times, {"dual": DUAL_TARGET})


def recommend(rounds: int, n_users: int) -> list[dict[str, Any]]:
    rows = []
    catalogues = {
        "citeulike-a": interactions("citeulike-a"),
        "100,000 items": grouped(20_000, 100_000, 50, n_groups=2_000, seed=0),
    }
    for name, X in catalogues.items():
        users = np.random.default_rng(0).permutation(X.shape[0])[:n_users]
        shown, shown_matrix = csr_array(X[users]), csr_matrix(X[users])
        als = ALS(factors=FACTORS, iterations=3).fit(X).model
        models = {f"ShallowRecommender({FACTORS})": shallow(n_components=FACTORS).fit(X)}
        if X.shape[0] * X.shape[1] < 10**8:
            models["ShallowRecommender()"] = shallow().fit(X)

        def ours(model: Any, shown: csr_array = shown) -> Callable[[], Any]:
            return lambda: model.recommend(shown, k=K)

        def theirs(
            als: Any = als, users: Any = users, shown: Any = shown_matrix, **new: bool
        ) -> Callable[[], Any]:
            return lambda: als.recommend(users, shown, N=K, **new)

        functions = {name: ours(model) for name, model in models.items()}
        known = {"implicit ALS, known": theirs()} | functions
        targets = {f"ShallowRecommender({FACTORS})": RECOMMEND_TARGETS[name]}
        rows += compared("recommend", name, known, targets, rounds)
        new = {"implicit ALS, new": theirs(recalculate_user=True)} | functions
        rows += compared("recommend", name, new, {}, rounds)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = ["fit", "network", "dual", "recommend"]
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--users", type=int, default=1_000, help="who are recommended to at once")
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", module="implicit")  # it asks for other BLAS settings

    key = ("what", "data", "reference", "method")
    with threadpool_limits(1):
        if "fit" in args.parts:
            write_table("recommendation_cost", fits(args.rounds), key=key)
        if "network" in args.parts:
            write_table("recommendation_cost", networks(args.rounds), key=key)
        if "recommend" in args.parts and not PEERS["implicit ALS"].missing:
            write_table("recommendation_cost", recommend(args.rounds, args.users), key=key)
        elif "recommend" in args.parts:
            print("The lists are left out: install implicit.", file=sys.stderr)
        if "dual" in args.parts:
            write_table("recommendation_cost", dual(), key=key)


if __name__ == "__main__":
    main()
