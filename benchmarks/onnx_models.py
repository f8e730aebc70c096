"""Models of ONNX give what their estimators give, in less time for one row and as much for many.

Each method with an ONNX form: the largest difference from the estimator, on new rows, one, 7 and
3,000 at a time, as a share of the largest distance of its values from their mean; the median
difference; and how many of 3,000 labels are the same. `sample` is compared with the same draws in
torch. Times are of ONNX Runtime relative to the estimator, for one row and for 3,000, in turns in
one process with one thread (run with OMP_NUM_THREADS=1).

Missing cells stand in the rows wherever they are allowed. Where a score is made of ranks among
training rows, the last digit of a distance may move a row by one rank.

data: 30 columns that hang together (generated), 2,000 training rows; load_digits.
"""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from _report import alternate, ratios, write_table
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


def compare(name: str, estimator: Any, method: str, rows: np.ndarray, rounds: int) -> dict:
    """Return a row of the table."""
    model = to_onnx(estimator, method=method)
    onnx.checker.check_model(model, full_check=True)
    session, twin = session_of(model), twin_of(estimator, method)
    (given,) = session.get_inputs()
    if method == "sample":
        shape = (N_NEW, given.shape[1])
        rows = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)

    def run(part: np.ndarray) -> np.ndarray:
        return session.run(None, {given.name: part})[0]

    row: dict = {"estimator": name, "method": method, "kB": len(model.SerializeToString()) / 1024}
    expected = twin(rows)
    if method == "predict":
        equal = min((run(rows[:n]) == expected[:n]).mean() for n in BATCHES)
        row["labels_equal"] = float(equal)
    else:
        scale = float(np.abs(expected - expected.mean(0)).max())
        errors = [np.abs(run(rows[:n]) - expected[:n]) / scale for n in BATCHES]
        row["largest_difference"] = max(float(each.max()) for each in errors)
        row["median_difference"] = float(np.median(errors[-1]))
    base = estimator.sample if method == "sample" else twin
    for n, calls in ((1, 20), (N_NEW, 1)):
        part = n if method == "sample" else rows[:n]
        functions = {
            "onnx": lambda n=n, calls=calls: [run(rows[:n]) for _ in range(calls)],
            "skae": lambda part=part, calls=calls: [base(part) for _ in range(calls)],
        }
        times = alternate(functions, rounds)
        row[f"time_{n}"] = ratios(times, "skae")["onnx"]
    return row


def estimators() -> list[tuple[str, Any, list[str], np.ndarray]]:
    """Return names, fitted estimators, their methods, and new rows."""
    X, new = table(N_TRAIN, 1), table(N_NEW, 2)
    gaps, new_gaps = with_gaps(X, 3), with_gaps(new, 4)
    pixels = load_digits().data.astype(np.float32)
    new_pixels = np.resize(pixels[1200:], (N_NEW, 64))
    noisy = new_pixels + np.random.default_rng(5).normal(0, 3, (N_NEW, 64)).astype(np.float32)
    rows = ["transform", "reconstruct", "score_samples"]
    labels = ["score_samples", "decision_function", "predict"]
    conv = {"module": "conv", "module__image_shape": (8, 8)}
    cases = [
        ("Autoencoder", Autoencoder(5, **FEW), rows, X, new),
        ("Autoencoder, conv", Autoencoder(5, **conv, **FEW), rows[1:2], pixels[:1200], new_pixels),
        ("VariationalAutoencoder", VariationalAutoencoder(5, **FEW), rows[:2], gaps, new_gaps),
        ("VariationalAutoencoder", VariationalAutoencoder(5, **FEW), ["sample"], X, new),
        ("AdversarialAutoencoder", AdversarialAutoencoder(5, **FEW), rows, gaps, new_gaps),
        ("AutoencoderDenoiser", AutoencoderDenoiser(**FEW), rows[:1], pixels[:1200], noisy),
        (
            "AutoencoderDenoiser, masking",
            AutoencoderDenoiser(noise="masking", **FEW),
            rows[:1],
            X,
            new_gaps,
        ),
        ("detector", AutoencoderOutlierDetector(random_state=0), labels, X, new_gaps),
        (
            "detector, clean",
            AutoencoderOutlierDetector(contamination=0, random_state=0),
            ["score_samples", "predict"],
            X,
            new_gaps,
        ),
        (
            "StandardScaler, Autoencoder",
            make_pipeline(StandardScaler(), Autoencoder(5, **FEW)),
            ["transform", "score_samples"],
            X,
            new,
        ),
        (
            "StandardScaler, detector",
            make_pipeline(StandardScaler(), AutoencoderOutlierDetector(random_state=0)),
            ["score_samples", "predict"],
            X,
            new_gaps,
        ),
    ]
    return [(name, each.fit(train), m, given) for name, each, m, train, given in cases]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="turns of each side (default: 7)")
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    key, results = ["estimator", "method"], []
    for name, estimator, methods, rows in estimators():
        for method in methods:
            results.append(compare(name, estimator, method, rows, rounds))
            print(results[-1], flush=True)
        if name == "Autoencoder":
            codes = estimator.transform(rows)
            results.append(compare(name, estimator, "inverse_transform", codes, rounds))
    write_table("onnx_models", results, key)


if __name__ == "__main__":
    main()
