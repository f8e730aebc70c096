"""A CUDA device gives what the CPU gives, waits for nothing within a step, and is kept busy.

- Equal: each estimator is fitted to the same rows with the same seed on both; then held-out errors
  of the two fits are compared, and what the estimator that the CPU fitted gives on the device with
  what it gives on the CPU, largest difference over the standard deviation of what is given.
- No wait: synchronisations between host and device are counted in a fit of 40 steps an epoch and in
  one of 80; what there is per step is the difference over the 40 (torch.cuda.set_sync_debug_mode).
- Busy: wall time of `Autoencoder.fit` relative to a loop by hand over the same network, rows on the
  device, in turns.

Without such a device it says so, and measures nothing. With ``--device cpu`` only equality is
measured, which is then exact: a test of this script.

data: generated.
"""

import argparse
import copy
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from _report import write_table
from torch.nn import functional as F

from skae import (
    AdversarialAutoencoder,
    Autoencoder,
    AutoencoderDenoiser,
    AutoencoderImputer,
    AutoencoderRecommender,
    VariationalAutoencoder,
)

SIDE, N_EPOCHS, BATCH_SIZE = 16, 3, 64
LARGEST_DIFFERENCE, LARGEST_RATIO_OF_ERRORS, LEAST_THROUGHPUT = 1e-4, 1.05, 0.9


def rows(n_rows: int, seed: int = 0) -> np.ndarray:
    """Return small images of two bumps."""
    rng = np.random.default_rng(seed)
    grid = np.mgrid[:SIDE, :SIDE].reshape(2, 1, -1) / SIDE
    centers = rng.random((2, 2, n_rows, 1))
    bumps = [np.exp(-40 * ((grid - center) ** 2).sum(0)) for center in centers]
    return (bumps[0] + bumps[1] + 0.02 * rng.normal(size=bumps[0].shape)).astype(np.float32)


def estimators() -> dict[str, tuple[Any, str]]:
    """Return estimators, each with the method that is compared."""
    shape = (SIDE, SIDE)
    return {
        "Autoencoder": (Autoencoder(8), "reconstruct"),
        "Autoencoder, conv": (
            Autoencoder(8, module="conv", module__image_shape=shape),
            "transform",
        ),
        "Autoencoder, noise": (Autoencoder(8, noise="gaussian"), "reconstruct"),
        "VariationalAutoencoder": (VariationalAutoencoder(8), "transform"),
        "AdversarialAutoencoder": (AdversarialAutoencoder(8), "transform"),
        "AutoencoderDenoiser": (AutoencoderDenoiser(), "transform"),
        "AutoencoderDenoiser, conv": (
            AutoencoderDenoiser(module="conv", image_shape=shape),
            "transform",
        ),
        "AutoencoderImputer": (AutoencoderImputer(), "transform"),
        "AutoencoderRecommender": (AutoencoderRecommender(), "transform"),
    }


def data_for(name: str, X: np.ndarray) -> np.ndarray:
    """Return rows of the kind that an estimator takes."""
    if name == "AutoencoderImputer":
        X = X[:, ::8].copy()
        X[np.random.default_rng(1).random(X.shape) < 0.1] = np.nan
    return (X > 0.5).astype(np.float32) if name == "AutoencoderRecommender" else X


def fitted(estimator: Any, X: np.ndarray, device: str, n_epochs: int = N_EPOCHS) -> Any:
    """Return an estimator that was trained on a device."""
    params = {"max_epochs": n_epochs, "batch_size": BATCH_SIZE, "random_state": 0}
    return copy.deepcopy(estimator).set_params(device=device, **params).fit(X)


def equality(name: str, estimator: Any, method: str, device: str) -> dict[str, Any]:
    """Compare two fits, and one fit on two devices."""
    train, test = (data_for(name, rows(n, seed)) for n, seed in ((2_000, 0), (500, 1)))
    on_cpu, there = fitted(estimator, train, "cpu"), fitted(estimator, train, device)
    line: dict[str, Any] = {"estimator": name}
    losses = [model.loss_ for model in (on_cpu, there)]
    line["loss to CPU's"] = losses[1] / losses[0]
    expected = getattr(on_cpu, method)(test)
    found = getattr(on_cpu.to(device), method)(test)
    line["difference"] = float(np.abs(found - expected).max() / expected.std())
    is_near = abs(np.log(line["loss to CPU's"])) <= np.log(LARGEST_RATIO_OF_ERRORS)
    line["equal"] = bool(is_near and line["difference"] <= LARGEST_DIFFERENCE)
    return line


def n_waits(estimator: Any, X: np.ndarray) -> int:
    """Return how often host and device wait for each other in a fit of one epoch."""
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            fitted(estimator, X, "cuda", n_epochs=1)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(each.message) for each in found)


def waits_per_step(name: str, estimator: Any) -> float:
    """Return how often a step waits."""
    counts = [n_waits(estimator, data_for(name, rows(n * BATCH_SIZE))) for n in (40, 80)]
    return (counts[1] - counts[0]) / 40


def throughput() -> dict[str, Any]:
    """Return how many rows a second a fit goes through, relative to a loop by hand."""
    X, n_epochs, batch_size = rows(60_000), 5, 256
    fit = Autoencoder(8, batch_size=batch_size, max_epochs=0, device="cuda").fit(X[:1_000])
    network = copy.deepcopy(fit.module_).requires_grad_(True)

    def by_hand() -> None:
        module = copy.deepcopy(network).train()
        data = torch.from_numpy(X).cuda()
        optimizer = torch.optim.AdamW(module.parameters(), lr=2e-3, fused=True)
        for _ in range(n_epochs):
            for positions in torch.randperm(len(data), device="cuda").split(batch_size):
                x = data[positions]
                optimizer.zero_grad()
                F.mse_loss(module.decode(module.encode(x)), x).backward()
                optimizer.step()

    def skae(n: int) -> Callable[[], Any]:
        model = Autoencoder(8, batch_size=batch_size, max_epochs=n, device="cuda")
        return lambda: model.fit(X)

    seconds = {"loop": by_hand, "fit": skae(n_epochs), "start": skae(0)}
    times: dict[str, list[float]] = {name: [] for name in seconds}
    for i in range(6):
        for name, function in seconds.items():
            torch.cuda.synchronize()
            start = time.perf_counter()
            function()
            torch.cuda.synchronize()
            if i:
                times[name].append(time.perf_counter() - start)
    loop, whole, start = (statistics.median(times[name]) for name in ("loop", "fit", "start"))
    ratio = loop / (whole - start)  # the start from PCA is no step
    return {"estimator": "Autoencoder", "throughput": ratio, "busy": ratio >= LEAST_THROUGHPUT}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda", help="what is compared with the CPU")
    device = parser.parse_args().device
    if device == "cuda" and not torch.cuda.is_available():
        print("There is no CUDA device here: nothing was measured.")
        return
    lines = []
    for name, (estimator, method) in estimators().items():
        line = equality(name, estimator, method, device)
        if device == "cuda":
            line["waits per step"] = waits_per_step(name, estimator)
        lines.append(line)
        print(line, flush=True)
    if device == "cuda":
        lines.append(throughput())
        write_table("gpu", lines)


if __name__ == "__main__":
    main()
