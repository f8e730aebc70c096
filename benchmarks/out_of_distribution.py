"""score_samples ranks strange images below usual ones at least as well as PCA's log-likelihood.

Models are fitted to the training images of a data set, and score test images of it and strange
ones, at most 1,000 of each. AUROC is the probability that a strange image has the lower score.

- Strange are images of another data set (digits meet Fashion-MNIST, made smaller), test images that
  were inverted, flipped upside down, turned by 90 degrees or whose pixels were mixed up, and noise.
- "without c": the model has not seen class c, and its test images are the strange ones, among test
  images of the other classes.

VariationalAutoencoder has its defaults. PCA takes the number of components that serves it best:
that of VariationalAutoencoder, or what explains .8, .9, .95 or .99 of the variance. It is chosen by
the strange images themselves, which favours PCA. Minka's estimate is not among them: where some
pixels are constant it leaves no noise, and no likelihood.

data: digits (scikit-learn); fashion_mnist (Debian package dataset-fashion-mnist); mnist
(SKAE_DATA).
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from _data import LOADERS, Split, digits_halves, mnist
from _report import write_table
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from skae import VariationalAutoencoder

IMAGES: Mapping[str, Callable[[int], Split]] = {
    "digits": digits_halves,
    "fashion_mnist": lambda seed: LOADERS["fashion_mnist"](),
    "mnist": lambda seed: mnist(),
}
OTHER = {"digits": "fashion_mnist", "fashion_mnist": "mnist", "mnist": "fashion_mnist"}
HELD_OUT = {"digits": range(10), "fashion_mnist": (4, 7)}
SEEDS = {"digits": 3}  # 1 for large data
N_IMAGES = 1000
EXPLAINED = (0.8, 0.9, 0.95, 0.99)

Score = Callable[[np.ndarray], np.ndarray]


def strange_images(data: str, X: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return strange images by what they are, as many as there are usual ones in X."""
    side = int(X.shape[1] ** 0.5)
    images = X.reshape(-1, side, side)
    return {
        OTHER[data]: _resized(IMAGES[OTHER[data]](0).X_test[: len(X)], side),
        "inverted": 1 - X,
        "upside down": images[:, ::-1].reshape(X.shape),
        "turned": np.rot90(images, axes=(1, 2)).reshape(X.shape),
        "mixed up": rng.permuted(X, axis=1),
        "noise": rng.random(X.shape, dtype=np.float32),
    }


def _resized(X: np.ndarray, side: int) -> np.ndarray:
    """Return images of 28 x 28, if they need be smaller as means of 3 x 3 pixels of the middle."""
    if X.shape[1] == side**2:
        return X
    margin = (28 - 3 * side) // 2
    middle = X.reshape(-1, 28, 28)[:, margin : 28 - margin, margin : 28 - margin]
    return middle.reshape(-1, side, 3, side, 3).mean(axis=(2, 4)).reshape(-1, side**2)


def fit(X: np.ndarray, seed: int) -> tuple[Score, dict[str, Score], float]:
    """Return the scores of the model and of PCA by numbers of components; CPU seconds of a fit."""
    start = time.process_time()
    model = VariationalAutoencoder(random_state=seed).fit(X)
    seconds = time.process_time() - start
    k = model.transform(X[:1]).shape[1]
    rows = X.astype(np.float64)
    pcas = [PCA(choice, svd_solver="covariance_eigh").fit(rows) for choice in (k, *EXPLAINED)]
    return model.score_samples, {str(pca.n_components_): pca.score_samples for pca in pcas}, seconds


def compare(
    ours: Score, pcas: Mapping[str, Score], usual: np.ndarray, strange: Mapping[str, np.ndarray]
) -> Iterator[dict[str, Any]]:
    """Yield a row for each kind of strange images."""

    def areas(score: Score) -> dict[str, float]:
        high = score(usual)
        return {name: _area(high, score(images)) for name, images in strange.items()}

    area, area_pca = areas(ours), {k: areas(score) for k, score in pcas.items()}
    for name in strange:
        best = max(area_pca, key=lambda k: area_pca[k][name])
        yield {
            "strange": name,
            "auroc": area[name],
            "auroc_pca": area_pca[best][name],
            "components_pca": int(best),
        }


def _area(usual: np.ndarray, strange: np.ndarray) -> float:
    is_usual = np.repeat([1, 0], [len(usual), len(strange)])
    return float(roc_auc_score(is_usual, np.concatenate([usual, strange])))


def measure(data: str, seed: int) -> Iterator[dict[str, Any]]:
    split = IMAGES[data](seed)
    usual, y = split.X_test[:N_IMAGES], split.y_test[:N_IMAGES]
    strange = strange_images(data, usual, np.random.default_rng(seed))
    ours, pcas, seconds = fit(split.X_train, seed)
    for row in compare(ours, pcas, usual, strange):
        yield {"usual": data, "seed": seed, **row, "fit_seconds": seconds}
    for label in HELD_OUT.get(data, ()):
        ours, pcas, seconds = fit(split.X_train[split.y_train != label], seed)
        images = {f"without {label}": split.X_test[split.y_test == label][:N_IMAGES]}
        for row in compare(ours, pcas, usual[y != label], images):
            yield {"usual": data, "seed": seed, **row, "fit_seconds": seconds}


def summary(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return means over seeds, and whether ours is at least as good."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["usual"], row["strange"]), []).append(row)
    lines = []
    for (usual, strange), group in groups.items():
        line: dict[str, Any] = {"usual": usual, "strange": strange, "seeds": len(group)}
        line |= {name: fmean(row[name] for row in group) for name in ("auroc", "auroc_pca")}
        # Equal to three decimals is equal.
        line["verdict"] = (
            "met" if round(line["auroc"], 3) >= round(line["auroc_pca"], 3) else "MISSED"
        )
        lines.append(line)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", choices=IMAGES, default=list(IMAGES))
    parser.add_argument("--seeds", type=int, help="3 for digits, 1 for others by default")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for data in args.data:
        for seed in range(args.seeds or SEEDS.get(data, 1)):
            for row in measure(data, seed):
                rows.append(row)
                text = "{usual} {seed} {strange} {auroc:.3f} PCA {auroc_pca:.3f}"
                print(text.format(**row), flush=True)
    write_table("out_of_distribution", summary(rows), key=("usual", "strange"))


if __name__ == "__main__":
    main()
