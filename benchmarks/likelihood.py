"""VariationalAutoencoder needs minutes to give held-out MNIST a likelihood like published ones.

Images of zeros and ones: each grey value is the probability of a one. In training they are drawn
anew in every step; test images are drawn once. The number is minus the mean importance-weighted
bound of test images with 1,000 codes each, in nats; lower is better. The bound never makes a model
better than it is, on average.

- MNIST, Fashion-MNIST: 60,000 images of 28 x 28 for training, every tenth test image.
- digits: halves of images of 8 x 8, which a seed chooses.

The first number of each data set is that of the defaults, the others of a larger `max_epochs`. The
longest fit goes on where the shorter one ended, which makes the network that as many epochs at once
would have made. cpu_minutes are those of fits with one thread, for the longest one those of the
shorter one too, with a prior for each.

data: digits (scikit-learn); fashion_mnist (Debian package dataset-fashion-mnist); mnist
(SKAE_DATA).
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from _data import LOADERS, Split, digits_halves, mnist
from _report import write_table

from skae import VariationalAutoencoder

IMAGES: Mapping[str, Callable[[int], Split]] = {
    "mnist": lambda seed: mnist(),
    "fashion_mnist": lambda seed: LOADERS["fashion_mnist"](),
    "digits": digits_halves,
}
SEEDS = {"digits": 5}  # 1 for large data
LONGER = {"mnist": (35, 75)}  # epochs; the defaults make about 5,000 steps
EVERY = {"mnist": 10, "fashion_mnist": 10}
N_CODES = 1000

# The highest numbers of MNIST, by the CPU minutes that they may take.
TARGETS = {7: 86.5, 15: 85.0}


def binarized(X: np.ndarray) -> np.ndarray:
    return (np.random.default_rng(0).random(X.shape) < X).astype(np.float32)


def measure(data: str, seed: int) -> Iterator[dict[str, Any]]:
    """Yield a row for the defaults, and one for each of the longer fits."""
    split = IMAGES[data](seed)
    X_test = binarized(split.X_test[:: EVERY.get(data, 1)])
    model = VariationalAutoencoder(likelihood="bernoulli", random_state=seed)
    seconds = _fit(model, split.X_train)
    yield {"data": data, "seed": seed, "settings": "defaults", **_measures(model, X_test, seconds)}
    seconds, n_epochs = 0.0, 0
    for epochs in LONGER.get(data, ()):
        model.set_params(max_epochs=epochs - n_epochs, warm_start=n_epochs > 0)
        seconds += _fit(model, split.X_train)
        n_epochs = epochs
        measures = _measures(model, X_test, seconds)
        yield {"data": data, "seed": seed, "settings": f"max_epochs={epochs}", **measures}


def _fit(model: VariationalAutoencoder, X: np.ndarray) -> float:
    start = time.process_time()
    model.fit(X)
    return time.process_time() - start


def _measures(model: VariationalAutoencoder, X_test: np.ndarray, seconds: float) -> dict[str, Any]:
    bounds = -model.score_samples(X_test, n_importance_samples=N_CODES)
    return {
        "epochs": model.n_iter_,
        "cpu_minutes": seconds / 60,
        "nats": float(bounds.mean()),
        "standard_error": float(bounds.std() / len(bounds) ** 0.5),
        "active": model.n_active_components_,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", choices=IMAGES, default=list(IMAGES))
    parser.add_argument("--seeds", type=int, help="5 for digits, 1 for others by default")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for data in args.data:
        for seed in range(args.seeds or SEEDS.get(data, 1)):
            for row in measure(data, seed):
                rows.append(row)
                print("{data} {seed} {settings} {nats:.2f} nats".format(**row), flush=True)
    write_table("likelihood", rows, key=("data", "seed", "settings"))
    for minutes, target in TARGETS.items():
        reached = [r["nats"] for r in rows if r["data"] == "mnist" and r["cpu_minutes"] <= minutes]
        if reached:
            verdict = "met" if min(reached) <= target else "MISSED"
            print(f"mnist, {minutes} minutes: {min(reached):.2f}, target {target} {verdict}")


if __name__ == "__main__":
    main()
