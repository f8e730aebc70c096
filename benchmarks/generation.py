"""Untuned, VariationalAutoencoder generates images and tables closer to real ones than its peers.

Generators with the settings that they come with, and those in this script where they come with
none, learn the training rows and generate new ones, which are compared with test rows that no
generator has seen. Seeds choose the halves and start the generators; numbers are means over seeds.

Images: 10,000 of Fashion-MNIST, and as many digits as the half that is trained on. They are
compared by the 64 features of a small classifier of the training images:

- frechet: Fréchet distance to the test images, 0 at best.
- coverage, density: share of real images with a generated one among their neighbours, .97 at best,
  and how much nearer or farther generated images are to real ones than these are to each other, 1
  at best (5 neighbours, 3,000 images of each).
- auc: how well a classifier tells generated from test images, .5 at best (2,000 of each).
- closer: share of generated images that are closer to a training image than to a test image, from
  as many of each; .5 for one that copies nothing.
- ratio: CPU seconds of the fit, divided by those of pythae's VAE of the same seed: 10 epochs of its
  default network, 400 for digits. CPU seconds grow when a machine is busy: measure both in one
  call (--generators) to hold them against each other.

Tables: as many rows as are trained on, of the official split of Adult, of halves of the others.
CTGAN trains for 150 of its 300 epochs on Adult, for about as long as TVAE does for all of its own.

- auc, closer: as above, on the columns themselves (at most 5,000 rows of each).
- score: balanced accuracy, for diabetes R2, of the target of test rows, by gradient boosting that
  was trained on generated rows; score_real: that was trained on the training rows.
- score_auc: the same as an area under the ROC curve; shares: largest error of a category's share.
- distance: median distance to the closest training row, divided by that of test rows, 1 at best.
- copies: share of generated rows that are training rows.

"real rows" generates training rows: what a perfect copier would score.

data: fashion_mnist (Debian package dataset-fashion-mnist); adult, nsl-kdd, california_housing,
hypothyroid, horse_colic (SKAE_DATA); digits, breast_cancer, wine, iris, diabetes (scikit-learn).
needs: pythae, ctgan and arfpy, for the generators that are named after them. What is not measured
anew keeps its rows in results/generation_all.csv.
"""

import argparse
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean, median
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import joblib
import numpy as np
import pandas as pd
import torch
from _data import LOADERS, TABLES, Split, Table, digits_halves
from _generation import ImageJudge, score_table
from _report import read_table, write_table
from pandas.api.types import is_integer_dtype, is_numeric_dtype
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, QuantileTransformer, StandardScaler

Rows = Any  # an array of images or a frame
Sampler = Callable[[int], Rows]
Judge = Callable[[Rows], dict[str, float]]

IMAGES: Mapping[str, Callable[[int], Split]] = {
    "fashion_mnist": lambda seed: LOADERS["fashion_mnist"](),
    "digits": digits_halves,
}
HALVES = {"digits"}  # what a seed splits
KINDS = dict.fromkeys(IMAGES, "images") | dict.fromkeys(TABLES, "tables")
KEY = ("kind", "data", "seed", "generator")
SEEDS = {
    "fashion_mnist": 3,
    "adult": 1,
    "nsl-kdd": 1,
    "california_housing": 1,
    "hypothyroid": 3,
}  # 5 for small data
GENERATED = {"fashion_mnist": 10_000}  # as many as for training of the others
OURS = "VariationalAutoencoder"
REFERENCE = "VAE (pythae)"


def real_rows(X: Rows, seed: int) -> Sampler:
    order = np.random.default_rng(seed).permutation(len(X))
    return lambda n: X.iloc[order[:n]] if isinstance(X, pd.DataFrame) else X[order[:n]]


def ours(X: Rows, seed: int, **parameters: Any) -> Sampler:
    from skae import VariationalAutoencoder

    return VariationalAutoencoder(random_state=seed, **parameters).fit(X).sample


def ours_adversarial(X: Rows, seed: int) -> Sampler:
    from skae import AdversarialAutoencoder

    return AdversarialAutoencoder(random_state=seed).fit(X).sample


def ours_conv(X: np.ndarray, seed: int) -> Sampler:
    side = int(X.shape[1] ** 0.5)
    return ours(X, seed, module="conv", module__image_shape=(side, side))


def pca_mixture(X: np.ndarray, seed: int) -> Sampler:
    """Learn a mixture on a few components; where pixels are few, of fewer components."""
    n_pca, n_gaussians = (64, 50) if X.shape[1] > 100 else (16, 10)
    pca = PCA(n_pca, random_state=seed).fit(X)
    some = np.random.default_rng(seed).permutation(len(X))[:20_000]
    mixture = GaussianMixture(
        n_gaussians, reg_covar=1e-3, max_iter=40, init_params="k-means++", random_state=seed
    ).fit(pca.transform(X[some]))
    return lambda n: pca.inverse_transform(mixture.sample(n)[0])


def pca_kernels(X: np.ndarray, seed: int) -> Sampler:
    n_pca, bandwidth = (64, 0.35) if X.shape[1] > 100 else (16, 0.1)
    pca = PCA(n_pca, random_state=seed).fit(X)
    density = KernelDensity(bandwidth=bandwidth).fit(pca.transform(X))
    return lambda n: pca.inverse_transform(density.sample(n, random_state=seed))


def pythae_vae(X: np.ndarray, seed: int) -> Sampler:
    from pythae.samplers import NormalSampler

    model = _trained_by_pythae(X, seed)
    return lambda n: NormalSampler(model=model).sample(n, return_gen=True).flatten(1).numpy()


def pythae_vae_mixture(X: np.ndarray, seed: int) -> Sampler:
    from pythae.samplers import GaussianMixtureSampler, GaussianMixtureSamplerConfig

    model = _trained_by_pythae(X, seed)
    config = GaussianMixtureSamplerConfig(n_components=20 if X.shape[1] > 100 else 10)
    sampler = GaussianMixtureSampler(model=model, sampler_config=config)
    sampler.fit(_as_images(X[:20_000]))
    return lambda n: sampler.sample(n, return_gen=True).flatten(1).numpy()


def _trained_by_pythae(X: np.ndarray, seed: int) -> Any:
    """Train the default network for 10 epochs, or where images are few and small for 400."""
    from pythae.models import VAE, VAEConfig
    from pythae.pipelines import TrainingPipeline
    from pythae.trainers import BaseTrainerConfig

    images = _as_images(X)
    small = X.shape[1] <= 100
    model = VAE(VAEConfig(input_dim=tuple(images.shape[1:]), latent_dim=8 if small else 32))
    with tempfile.TemporaryDirectory() as folder:
        config = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=400 if small else 10,
            learning_rate=1e-3,
            per_device_train_batch_size=128 if small else 256,
            no_cuda=True,
            seed=seed,
        )
        TrainingPipeline(model=model, training_config=config)(train_data=images)
    return model.eval()


def _as_images(X: np.ndarray) -> torch.Tensor:
    side = int(X.shape[1] ** 0.5)
    return torch.from_numpy(X).reshape(-1, 1, side, side)


def quantile_mixture(X: pd.DataFrame, seed: int) -> Sampler:
    """Learn a mixture of normal scores of all columns, categories as codes among them."""
    scores = QuantileTransformer(
        n_quantiles=min(1000, len(X)), output_distribution="normal", random_state=seed
    )
    n_gaussians = min(100, len(X) // 5)
    mixture = GaussianMixture(n_gaussians, reg_covar=1e-5, random_state=seed)
    return _of_codes(X, scores, mixture, lambda n: _shuffled(mixture.sample(n)[0], seed))


def one_hot_mixture(X: pd.DataFrame, seed: int) -> Sampler:
    """Learn 100 Gaussians on normal scores, and on categories as columns of ones with some noise.

    Of categories the column with the largest value is drawn, of missing numbers NaN.
    """
    rng = np.random.default_rng(seed)
    texts = [name for name in X if not is_numeric_dtype(X[name])]
    numbers = [name for name in X if name not in texts]
    encoder = OneHotEncoder(sparse_output=False).fit(X[texts])
    missing = X[numbers].isna()
    filled = X[numbers].fillna(X[numbers].median())
    n_quantiles = min(1000, len(X))
    scores = QuantileTransformer(
        n_quantiles=n_quantiles, output_distribution="normal", random_state=seed
    ).fit(filled)
    flags = np.hstack([encoder.transform(X[texts]), missing])
    flags += 0.05 * rng.standard_normal(flags.shape)
    mixture = GaussianMixture(min(100, len(X) // 20), reg_covar=1e-4, random_state=seed)
    mixture.fit(np.hstack([scores.transform(filled), flags]))

    def sample(n: int) -> pd.DataFrame:
        drawn = _shuffled(mixture.sample(n)[0], seed)
        parts = np.split(drawn, np.cumsum([len(numbers), *map(len, encoder.categories_)]), axis=1)
        values = np.where(parts[-1] > 0.5, np.nan, scores.inverse_transform(parts[0]))
        generated = pd.DataFrame(values, columns=numbers)
        for name, categories, part in zip(texts, encoder.categories_, parts[1:-1], strict=True):
            generated[name] = categories[part.argmax(axis=1)]
        whole = [name for name in numbers if is_integer_dtype(X[name])]
        generated[whole] = generated[whole].round()
        return generated[X.columns].astype(X.dtypes)

    return sample


def arf(X: pd.DataFrame, seed: int) -> Sampler:
    from arfpy.arf import arf as forests

    texts = [name for name in X if not is_numeric_dtype(X[name])]
    model = forests(X.astype(dict.fromkeys(texts, "category")), verbose=False, random_state=seed)
    model.forde()
    return lambda n: model.forge(n)[X.columns].astype(X.dtypes)


def kernels(X: pd.DataFrame, seed: int) -> Sampler:
    density = KernelDensity(bandwidth="scott")
    return _of_codes(X, StandardScaler(), density, lambda n: density.sample(n, random_state=seed))


def _of_codes(X: pd.DataFrame, scaler: Any, density: Any, draw: Sampler) -> Sampler:
    """Fit a density to scaled columns; what it draws gets back the columns' categories, dtypes."""
    texts = [name for name in X if not is_numeric_dtype(X[name])]
    encoder = OrdinalEncoder().fit(X[texts])
    codes = X.copy()
    codes[texts] = encoder.transform(X[texts])
    scaler = make_pipeline(scaler).fit(codes.to_numpy(float))
    density.fit(scaler.transform(codes.to_numpy(float)))

    def sample(n: int) -> pd.DataFrame:
        generated = pd.DataFrame(scaler.inverse_transform(draw(n)), columns=X.columns)
        for name, categories in zip(texts, encoder.categories_, strict=True):
            code = generated[name].round().clip(0, len(categories) - 1).astype(int)
            generated[name] = categories[code]
        whole = [name for name in X if is_integer_dtype(X[name])]
        generated[whole] = generated[whole].round()
        return generated.astype(X.dtypes)

    return sample


def _shuffled(rows: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(rows)


def tvae(X: pd.DataFrame, seed: int) -> Sampler:
    from ctgan import TVAE

    return _of_ctgan(TVAE(enable_gpu=False), X, seed)


def ctgan(X: pd.DataFrame, seed: int) -> Sampler:
    from ctgan import CTGAN

    return _of_ctgan(CTGAN(enable_gpu=False, epochs=150 if len(X) > 10_000 else 300), X, seed)


def _of_ctgan(model: Any, X: pd.DataFrame, seed: int) -> Sampler:
    texts = [name for name in X if not is_numeric_dtype(X[name])]
    model.set_random_state(seed)
    model.fit(X.astype(dict.fromkeys(texts, object)), texts)
    return lambda n: model.sample(n).astype(X.dtypes)


class Generator(NamedTuple):
    fit: Callable[[Rows, int], Sampler]
    kinds: tuple[str, ...]


BOTH = ("images", "tables")
GENERATORS: Mapping[str, Generator] = {
    "real rows": Generator(real_rows, BOTH),
    OURS: Generator(ours, BOTH),
    "AdversarialAutoencoder": Generator(ours_adversarial, BOTH),
    f"{OURS} (conv)": Generator(ours_conv, ("images",)),
    REFERENCE: Generator(pythae_vae, ("images",)),
    "VAE, mixture (pythae)": Generator(pythae_vae_mixture, ("images",)),
    "PCA, mixture": Generator(pca_mixture, ("images",)),
    "PCA, kernels": Generator(pca_kernels, ("images",)),
    "quantiles, mixture": Generator(quantile_mixture, ("tables",)),
    "one-hot, mixture": Generator(one_hot_mixture, ("tables",)),
    "ARF": Generator(arf, ("tables",)),
    "kernels": Generator(kernels, ("tables",)),
    "TVAE (SDV)": Generator(tvae, ("tables",)),
    "CTGAN (SDV)": Generator(ctgan, ("tables",)),
}


class Generated(NamedTuple):
    rows: Rows
    fit_seconds: float
    sample_seconds: float


def generate(name: str, X: Rows, n: int, seed: int, path: Path | None) -> Generated:
    """Fit a generator and let it generate n rows, or read what it has generated before."""
    if path is not None and path.exists() and not name.startswith(OURS):
        return Generated(*joblib.load(path))
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (pythae and ctgan draw from it)
    start = time.process_time()
    sample = GENERATORS[name].fit(X, seed)
    fitted = time.process_time()
    rows = sample(n)
    generated = Generated(rows, fitted - start, time.process_time() - fitted)
    if path is not None:
        joblib.dump(tuple(generated), path)
    return generated


def trials(data: str, seeds: int, cache: Path | None) -> Iterator[tuple[int, Rows, Judge]]:
    """Yield seeds, training rows and what judges the rows that are generated from them."""
    for seed in range(seeds):
        if data in TABLES:
            table = TABLES[data](seed)
            yield seed, table.train, partial(_table_measures, table)
        else:
            if seed == 0 or data in HALVES:
                split = IMAGES[data](seed)
                judge = ImageJudge(split, cache)
            yield seed, split.X_train, judge


def _table_measures(table: Table, generated: pd.DataFrame) -> dict[str, float]:
    return score_table(table.train, table.test, generated, table.target)


def measure(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for data in args.data:
        names = [name for name in args.generators if KINDS[data] in GENERATORS[name].kinds]
        for seed, X, judge in trials(data, args.seeds or SEEDS.get(data, 5), args.samples):
            for name in names:
                path = args.samples and args.samples / f"{data}-{seed}-{name}.joblib"
                generated = generate(name, X, GENERATED.get(data, len(X)), seed, path)
                yield {
                    "kind": KINDS[data],
                    "data": data,
                    "seed": seed,
                    "generator": name,
                    **judge(generated.rows),
                    "fit_seconds": generated.fit_seconds,
                    "sample_seconds": generated.sample_seconds,
                }


def summary(rows: Sequence[Mapping[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Return a line per data set and generator: means over seeds, and medians of times."""
    rows = [row for row in rows if row["kind"] == kind]
    of_data: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for row in rows:
        of_data.setdefault(row["data"], {}).setdefault(row["generator"], []).append(row)
    lines = []
    for data in [data for data in KINDS if data in of_data]:
        pace = {row["seed"]: row["fit_seconds"] for row in of_data[data].get(REFERENCE, [])}
        for generator in [name for name in GENERATORS if name in of_data[data]]:
            of_seeds = of_data[data][generator]
            line = {"data": data, "generator": generator, "seeds": len(of_seeds)}
            for name in [name for name in of_seeds[0] if name not in KEY]:
                values = [row[name] for row in of_seeds if row[name] is not None]
                if values:
                    line[name] = (median if name.endswith("seconds") else fmean)(values)
            ratios = [r["fit_seconds"] / pace[r["seed"]] for r in of_seeds if r["seed"] in pace]
            if ratios:
                line["ratio"] = median(ratios)
            lines.append(line)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument(
        "--generators", nargs="+", choices=GENERATORS, default=list(GENERATORS), metavar="NAME"
    )
    parser.add_argument("--seeds", type=int, help="1 for adult, 3 or 5 for others by default")
    parser.add_argument(
        "--samples",
        type=Path,
        metavar="FOLDER",
        help="keep what is generated in this folder, and read it there the next time, except ours",
    )
    args = parser.parse_args()
    if args.samples is not None:
        args.samples.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    rows = []
    for row in measure(args):
        rows.append(row)
        print("{data} {seed} {generator} auc {auc:.3f}".format(**row), flush=True)
    write_table("generation_all", rows, key=KEY)
    for kind in ("images", "tables"):
        write_table(f"generation_{kind}", summary(read_table("generation_all"), kind))


if __name__ == "__main__":
    main()
