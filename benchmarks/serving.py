"""A server that scores single rows pays little besides the network, and threads get equal results.

CPU time of one row, 30 columns of float32, one thread, in turns with what it is compared with:

- a bare pass of the same network under torch.inference_mode on a tensor, handed on as an array
  (of `VariationalAutoencoder.score_samples`, 128 bare passes of its decoder in one batch);
- for the detector, scikit-learn's IsolationForest, 100 trees, fitted to the same rows.

Then the same 16 rows one by one in 8 forked processes and in 8 threads: are all results equal to
those of the main thread, to the last bit? All processes are forked first: after threads have
computed in torch, matrix products of a process that is forked may spin for ever.

data: generated.
"""

import argparse
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from _report import alternate, ratios, write_table
from sklearn.ensemble import IsolationForest

from skae import Autoencoder, AutoencoderOutlierDetector, VariationalAutoencoder

N_ROWS, N_COLUMNS, N_SERVED, N_WORKERS, N_CODES = 3_000, 30, 16, 8, 128
TARGETS = {
    ("Autoencoder", "transform"): 1.5,
    ("Autoencoder", "score_samples"): 1.5,
    ("VariationalAutoencoder", "transform"): 3.0,
    ("VariationalAutoencoder", "score_samples"): 1.5,
    ("AutoencoderOutlierDetector", "score_samples"): 0.25,
}


@torch.inference_mode()
def encoded(model: Any, x: torch.Tensor) -> np.ndarray:
    return model.module_.encode(x).numpy()


@torch.inference_mode()
def errors(model: Any, x: torch.Tensor) -> np.ndarray:
    module = model.module_
    return (module.decode(module.encode(x)) - x).square().mean(1).numpy()


@torch.inference_mode()
def decoded(model: Any, x: torch.Tensor) -> np.ndarray:
    return model.module_.decode(model.module_.encode(x).expand(N_CODES, -1)).numpy()


def results(served: tuple[Any, str, np.ndarray]) -> np.ndarray:
    """Return what a method gives for rows one by one."""
    model, method, X = served
    return np.concatenate([getattr(model, method)(row[None]) for row in X])


def are_equal_forked(served: tuple[Any, str, np.ndarray], expected: np.ndarray) -> bool:
    """Tell whether processes that are forked, and so need no copy, have equal results."""

    def work() -> None:
        os._exit(0 if np.array_equal(results(served), expected) else 1)

    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=work) for _ in range(N_WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return all(worker.exitcode == 0 for worker in workers)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15, help="turns of each (default: 15)")
    parser.add_argument("--calls", type=int, default=30, help="rows per turn (default: 30)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    X = np.tanh(rng.normal(size=(N_ROWS, 5)) @ rng.normal(size=(5, N_COLUMNS))).astype(np.float32)
    X += 0.1 * rng.normal(size=X.shape).astype(np.float32)
    forest = IsolationForest(random_state=0).fit(X)
    autoencoder = Autoencoder(5, max_epochs=2, random_state=0).fit(X)
    generator = VariationalAutoencoder(5, max_epochs=2, random_state=0).fit(X)
    detector = AutoencoderOutlierDetector(random_state=0).fit(X)

    cases: list[tuple[Any, str, str, Callable[..., Any]]] = [
        (autoencoder, "transform", "bare pass", encoded),
        (autoencoder, "score_samples", "bare pass", errors),
        (generator, "transform", "bare pass", encoded),
        (generator, "score_samples", "128 bare decodes", decoded),
        (detector, "score_samples", "IsolationForest", lambda _, x: forest.score_samples(x)),
    ]
    lines = [_forked(model, method, X[:N_SERVED]) for model, method, *_ in cases]
    for line, (model, method, name, other) in zip(lines, cases, strict=True):
        row = X[:1] if name == "IsolationForest" else torch.from_numpy(X[:1])
        ours = getattr(model, method)
        times = alternate(
            {
                "skae": lambda ours=ours: [ours(X[:1]) for _ in range(arguments.calls)],
                "other": lambda other=other, model=model, row=row: [
                    other(model, row) for _ in range(arguments.calls)
                ],
            },
            arguments.rounds,
        )
        line["one row [ms]"] = 1e3 * median(times["skae"]) / arguments.calls
        line["compared with"], line["ratio"] = name, ratios(times, "other")["skae"]
        line["target"] = TARGETS[line["estimator"], method]
        line["verdict"] = "met" if line["ratio"] <= line["target"] else "MISSED"
        served = model, method, X[:N_SERVED]
        alone = results(served)
        with ThreadPoolExecutor(N_WORKERS) as pool:
            found = list(pool.map(results, [served] * N_WORKERS))
        line["8 threads"] = all(np.array_equal(each, alone) for each in found)
    write_table("serving", lines)


def _forked(model: Any, method: str, X: np.ndarray) -> dict[str, Any]:
    line: dict[str, Any] = {"estimator": type(model).__name__, "method": method}
    served = model, method, X
    line["8 processes"] = are_equal_forked(served, results(served))
    return line


if __name__ == "__main__":
    main()
