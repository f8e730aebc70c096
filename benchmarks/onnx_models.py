"""Models of ONNX give what their estimators give, in less time for one row and as much for many.

Each method with an ONNX form: the largest difference from the estimator, on new rows, one, 7 and
3,000 at a time, as a share of the largest distance of its values from their mean; the median
difference; and the share of labels that are the same. `sample` is compared with the same draws in
torch. Times are of ONNX Runtime relative to the first method of the row, for one row and for 3,000,
in turns in one process with one thread (run with OMP_NUM_THREADS=1).

Missing cells stand in the rows wherever they are allowed. Where a score is made of ranks among
training rows, the last digit of a distance may move a row by one rank.

data: 30 columns that hang together (generated), 2,000 training rows; load_digits.
"""

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from _report import alternate, ratios, save_table, write_table
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import (
    AdversarialAutoencoder,
    Autoencoder,
    AutoencoderDenoiser,
    AutoencoderOutlierDetector,
    VariationalAutoencoder,
    to_onnx,
)
from skae.onnx._models import _graph_of

N_TRAIN, N_NEW, N_FEATURES = 2000, 3000, 30
BATCHES = (1, 7, N_NEW)
KEY = ["estimator", "methods"]
FEW = {"max_epochs": 5, "random_state": 0}


def table(n: int, seed: int) -> np.ndarray:
    mixing = np.random.default_rng(0).normal(size=(4, N_FEATURES))
    rng = np.random.default_rng(seed)
    X = np.tanh(rng.normal(size=(n, 4)) @ mixing) * 3 + 2 + 0.3 * rng.normal(size=(n, N_FEATURES))
    return X.astype(np.float32)


def with_gaps(X: np.ndarray, seed: int) -> np.ndarray:
    is_missing = np.random.default_rng(seed).random(X.shape) < 0.02
    return np.where(is_missing, np.float32(np.nan), X)


def session_of(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def twin_of(estimator: Any, method: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return what the model is compared with: the method, or the same draws in torch."""
    if method != "sample":
        return getattr(estimator, method)
    graph = _graph_of(estimator, ["sample"]).eval()

    def sample(noise: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return graph.sample(torch.from_numpy(noise)).numpy()

    return sample


def compare(name: str, estimator: Any, methods: list[str], rows: np.ndarray, rounds: int) -> dict:
    """Return a row of the table, of a model of these methods; the first is timed in Python."""
    model = to_onnx(estimator, method=methods)
    onnx.checker.check_model(model, full_check=True)
    session = session_of(model)
    (given,) = session.get_inputs()
    if methods == ["sample"]:
        shape = (N_NEW, given.shape[1])
        rows = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)

    def run(part: np.ndarray) -> dict:
        return dict(zip(methods, session.run(methods, {given.name: part}), strict=True))

    row: dict = {"estimator": name, "methods": " ".join(methods)}
    row["kB"] = len(model.SerializeToString()) / 1024
    for method in methods:
        expected = twin_of(estimator, method)(rows)
        if method == "predict":
            equal = [(run(rows[:n])[method] == expected[:n]).mean() for n in BATCHES]
            row["labels_equal"] = float(min(equal))
            continue
        scale = float(np.abs(expected - expected.mean(0)).max())
        errors = [np.abs(run(rows[:n])[method] - expected[:n]) / scale for n in BATCHES]
        largest = max(float(each.max()) for each in errors)
        row["largest_difference"] = max(largest, row.get("largest_difference", 0.0))
        row["median_difference"] = float(np.median(errors[-1]))
    ours = getattr(estimator, methods[0])
    for n, calls in ((1, 20), (N_NEW, 1)):
        part = n if methods == ["sample"] else rows[:n]
        functions = {
            "onnx": lambda n=n, calls=calls: [run(rows[:n]) for _ in range(calls)],
            "skae": lambda part=part, calls=calls: [ours(part) for _ in range(calls)],
        }
        row[f"time_{n}"] = ratios(alternate(functions, rounds), "skae")["onnx"]
    return row


def cases() -> Iterator[tuple[str, Any, list[list[str]], np.ndarray]]:
    """Yield names, fitted estimators, the methods of each model, and new rows."""
    X, new = table(N_TRAIN, 1), table(N_NEW, 2)
    gaps, new_gaps = with_gaps(X, 3), with_gaps(new, 4)
    pixels = load_digits().data.astype(np.float32)
    new_pixels = np.resize(pixels[1200:], (N_NEW, 64))
    noisy = new_pixels + np.random.default_rng(5).normal(0, 3, (N_NEW, 64)).astype(np.float32)
    labels = [["score_samples", "decision_function", "predict"]]

    autoencoder = Autoencoder(5, **FEW).fit(X)
    yield "Autoencoder", autoencoder, [["transform"], ["reconstruct"], ["score_samples"]], new
    yield "Autoencoder", autoencoder, [["inverse_transform"]], autoencoder.transform(new)
    detector = AutoencoderOutlierDetector(random_state=0)
    yield "detector", detector.fit(X), labels, new_gaps
    generator = VariationalAutoencoder(5, **FEW)
    yield "VariationalAutoencoder", generator.fit(gaps), [["transform"], ["reconstruct"]], new_gaps
    yield "VariationalAutoencoder", clone(generator).fit(X), [["sample"]], new
    pipeline = make_pipeline(StandardScaler(), Autoencoder(5, **FEW)).fit(X)
    yield "StandardScaler, Autoencoder", pipeline, [["transform"]], new
    pipeline = make_pipeline(StandardScaler(), detector).fit(X)
    yield "StandardScaler, detector", pipeline, labels, new_gaps
    adversarial = AdversarialAutoencoder(5, **FEW).fit(gaps)
    yield "AdversarialAutoencoder", adversarial, [["score_samples"]], new_gaps
    denoiser = AutoencoderDenoiser(**FEW).fit(pixels[:1200])
    yield "AutoencoderDenoiser", denoiser, [["transform"]], noisy
    conv = Autoencoder(5, module="conv", module__image_shape=(8, 8), **FEW).fit(pixels[:1200])
    yield "Autoencoder, conv", conv, [["reconstruct"]], new_pixels
    denoiser = AutoencoderDenoiser(noise="masking", **FEW).fit(X)
    yield "AutoencoderDenoiser, masking", denoiser, [["transform"]], new_gaps
    clean = AutoencoderOutlierDetector(contamination=0, random_state=0).fit(X)
    yield "detector, clean", clean, labels, new_gaps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side (default: 5)")
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    rows: list = []
    for name, estimator, models, given in cases():
        for methods in models:
            rows.append(compare(name, estimator, methods, given, rounds))
            save_table("onnx_models", rows, KEY)
    write_table("onnx_models", rows, KEY)


if __name__ == "__main__":
    main()
