"""Hash what every estimator gives for a fixed `random_state`, to compare two versions bit for bit.

    python tools/fingerprints.py > before.txt
    python tools/fingerprints.py > after.txt && diff before.txt after.txt

Rounding differs between machines and versions of torch, so a list is only worth something beside
another one from the same machine. Only public names are used, so that the script runs on any
version of the package.
"""

import hashlib
import pickle
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_digits

import skae
from skae import (
    AdversarialAutoencoder,
    Autoencoder,
    AutoencoderDenoiser,
    AutoencoderOutlierDetector,
    ImageCompressor,
    VariationalAutoencoder,
)

METHODS = (
    "transform",
    "reconstruct",
    "score_samples",
    "feature_errors",
    "predict",
    "p_values",
    "held_out_scores_",
    "loss_curve_",
    "loss_curves_",
    "validation_loss_curve_",
    "n_iter_",
    "fingerprint_",
)


def digest(value: Any) -> str:
    """Return a short hash of arrays, frames, numbers, streams and containers of them."""
    checksum = hashlib.sha256()
    for part in _parts(value):
        checksum.update(part)
    return checksum.hexdigest()[:16]


def _parts(value: Any) -> Iterator[bytes]:
    if isinstance(value, pd.DataFrame):
        value = {str(name): value[name].to_list() for name in value}
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, np.ndarray) and value.dtype != object:
        yield f"{value.dtype}{value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, list | tuple | np.ndarray):
        for item in value:
            yield from _parts(item)
    elif isinstance(value, bytes):
        yield value
    else:
        yield repr(value).encode()


def tables() -> dict[str, Any]:
    """Return the data sets."""
    digits = load_digits()
    cancer = load_breast_cancer().data
    random = np.random.default_rng(0)
    n = 400
    age = random.integers(18, 80, n)
    mixed = pd.DataFrame(
        {
            "age": age,
            "income": random.lognormal(10, 1, n) + 100 * age,
            "capped": random.exponential(3, n).clip(max=5),
            "member": random.random(n) < 0.3,
            "kind": random.choice(["a", "b", "c"], n),
            "place": pd.Categorical(random.choice(["x", "y"], n)),
        }
    )
    return {
        "digits": digits.data[:600],
        "labels": digits.target[:600],
        "images": (digits.images * 15).astype(np.uint8)[:600],
        "cancer": cancer,
        "scaled": ((cancer - cancer.mean(0)) / cancer.std(0)).astype(np.float32),
        "sparse": sparse.csr_matrix(digits.data[:300]),
        "mixed": mixed,
        "photos": _photographs(),
    }


def _photographs() -> list[np.ndarray]:
    """Return three smooth pictures of different shapes, with a little grain."""
    random = np.random.default_rng(1)
    pictures = []
    for height, width in [(96, 128), (80, 80), (128, 64)]:
        y, x = np.mgrid[:height, :width] / 32
        waves = [np.sin(a * x + b * y + c) for a, b, c in random.normal(size=(3, 3)) * 2]
        picture = 128 + 60 * np.stack(waves, -1) + random.normal(0, 4, (height, width, 3))
        pictures.append(picture.clip(0, 255).astype(np.uint8))
    return pictures


def cases() -> Iterator[tuple[str, Any, tuple]]:
    """Yield the name, the estimator and the training data of every case."""
    t = tables()
    r: dict[str, Any] = {"random_state": 0}
    few: dict[str, Any] = {"max_epochs": 3, **r}
    yield "autoencoder", Autoencoder(4, **r), (t["scaled"],)
    yield "autoencoder-digits", Autoencoder(8, max_epochs=10, **r), (t["digits"] / 16,)
    yield "autoencoder-sparse", Autoencoder(8, **few), (t["sparse"],)
    yield (
        "autoencoder-penalised",
        Autoencoder(4, noise="swap", sparsity="kl", contraction=0.1, **few),
        (t["scaled"],),
    )
    for noise in ("gaussian", "masking", "salt_and_pepper"):
        yield f"autoencoder-{noise}", Autoencoder(4, noise=noise, **few), (t["scaled"],)
    yield "denoiser", AutoencoderDenoiser(**few), (t["scaled"],)
    yield "denoiser-noisy", AutoencoderDenoiser(supervision="noisy", **few), (t["scaled"],)
    yield (
        "denoiser-conv",
        AutoencoderDenoiser(module="conv", noise="blocks", image_shape=(8, 8), **few),
        (t["digits"],),
    )
    yield "autoencoder-l1", Autoencoder(4, sparsity="l1", dtype="float64", **few), (t["cancer"],)
    yield "autoencoder-poisson", Autoencoder(4, loss="poisson", **few), (t["digits"],)
    yield "autoencoder-bernoulli", Autoencoder(4, loss="bernoulli", **few), (t["digits"] / 16,)
    yield (
        "autoencoder-columns",
        Autoencoder(4, loss={"huber": slice(32), "absolute_error": slice(32, 64)}, **few),
        (t["digits"] / 16,),
    )
    yield (
        "autoencoder-early",
        Autoencoder(4, early_stopping=True, n_iter_no_change=2, max_epochs=20, **r),
        (t["scaled"],),
    )
    yield (
        "autoencoder-conv",
        Autoencoder(4, module="conv", module__image_shape=(1, 8, 8), **few),
        (t["digits"] / 16,),
    )
    yield (
        "autoencoder-deep",
        Autoencoder(
            4,
            hidden_layer_sizes=(16, 8),
            module__normalization="batch",
            module__dropout=0.1,
            module__residual=True,
            **few,
        ),
        (t["scaled"],),
    )
    yield "autoencoder-lbfgs", Autoencoder(4, optimizer="lbfgs", lr=0.5, **few), (t["scaled"],)
    yield "variational", VariationalAutoencoder(4, max_epochs=5, **r), (t["mixed"],)
    yield "variational-digits", VariationalAutoencoder(8, **few), (t["digits"],)
    yield "variational-cancer", VariationalAutoencoder(4, **few), (t["cancer"],)
    yield (
        "variational-options",
        VariationalAutoencoder(
            4, n_importance_samples=3, beta=2.0, kl_warm_up=2, prior="normal", **few
        ),
        (t["cancer"],),
    )
    yield "variational-bits", VariationalAutoencoder(4, free_bits=0.1, **few), (t["cancer"],)
    yield "variational-flow", VariationalAutoencoder(3, prior="flow", **few), (t["cancer"],)
    yield (
        "variational-conditional",
        VariationalAutoencoder(8, conditional=True, **few),
        (t["digits"], t["labels"]),
    )
    yield (
        "variational-likelihood",
        VariationalAutoencoder(4, likelihood="gaussian", criterion__variance="predicted", **few),
        (t["scaled"],),
    )
    yield "adversarial", AdversarialAutoencoder(4, max_epochs=5, **r), (t["mixed"],)
    yield "adversarial-digits", AdversarialAutoencoder(8, **few), (t["digits"],)
    yield "adversarial-rows", AdversarialAutoencoder(4, row_critic_weight=1.0, **few), (t["mixed"],)
    yield "detector", AutoencoderOutlierDetector(**r), (t["cancer"],)
    yield "detector-sparse", AutoencoderOutlierDetector(scale=None, **r), (t["sparse"],)
    missing = np.where(
        np.random.default_rng(2).random(t["cancer"].shape) < 0.1, np.nan, t["cancer"]
    )
    yield "detector-missing", AutoencoderOutlierDetector(contamination=0.1, **r), (missing,)
    yield "detector-model", AutoencoderOutlierDetector(Autoencoder(4, **few), **r), (t["scaled"],)
    yield "compressor", ImageCompressor(**r), (t["images"],)
    yield "compressor-epochs", ImageCompressor(max_epochs=2, **r), (t["images"],)
    yield "compressor-photos", ImageCompressor(**r), (t["photos"],)
    yield (
        "compressor-trained",
        ImageCompressor(max_epochs=2, module__width=16, module__n_blocks=1, **r),
        (t["photos"],),
    )
    yield (
        "compressor-texture",
        ImageCompressor(
            adversarial=True, adversarial_steps=5, module__width=16, module__n_blocks=1, **r
        ),
        (t["photos"],),
    )
    yield (
        "compressor-mlp",
        ImageCompressor(module="mlp", patch_shape=(4, 4), n_components=10, **r),
        (t["images"],),
    )
    yield "compressor-lines", ImageCompressor(**r), (t["scaled"],)


def show(name: str, what: str, value: Any) -> None:
    """Print a line."""
    print(f"{name:28} {what:24} {digest(value)}", flush=True)


def main(wanted: list[str]) -> None:
    """Print the hashes of all cases, or of those whose names start with one of some words."""
    torch.set_num_threads(1)
    for name, estimator, data in cases():
        if wanted and not name.startswith(tuple(wanted)):
            continue
        estimator.fit(*data)
        some = data[0][:50]
        for method in METHODS:
            if not hasattr(estimator, method):
                continue
            found = getattr(estimator, method)
            show(name, method, found(some) if callable(found) else found)
        if hasattr(estimator, "sample"):
            show(name, "sample", estimator.sample(40))
            show(name, "interpolate", estimator.interpolate(some[:3], some[3:6], 4))
        if hasattr(estimator, "inverse_transform"):
            codes = estimator.transform(some)
            if isinstance(codes, np.ndarray):
                show(name, "inverse_transform", estimator.inverse_transform(codes))
        if hasattr(estimator, "compress"):
            for quality in (5, 50, 92.5):
                streams = estimator.compress(some, quality=quality)
                show(name, f"compress {quality}", streams)
                show(name, f"decompress {quality}", estimator.decompress(streams))
        if hasattr(estimator, "warm_start"):
            twin = pickle.loads(pickle.dumps(estimator)).set_params(warm_start=True, max_epochs=2)
            twin.fit(*data)
            scores = getattr(twin, "score_samples", twin.transform)
            show(name, "warm start", scores(some))
        if hasattr(estimator, "partial_fit"):
            twin = pickle.loads(pickle.dumps(estimator)).partial_fit(*data)
            show(name, "partial_fit", twin.score_samples(some))
    if not wanted or "pretrained" in wanted:
        model = ImageCompressor.pretrained()
        streams = model.compress(_photographs())
        show("pretrained", "compress", streams)
        show("pretrained", "decompress", model.decompress(streams))


if __name__ == "__main__":
    print(f"skae {skae.__version__}, torch {torch.__version__}", file=sys.stderr)
    main(sys.argv[1:])
