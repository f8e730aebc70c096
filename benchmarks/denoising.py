"""AutoencoderDenoiser is blind, trained never below its input; BM3D is ahead on photographs.

For each data set and level of noise: mean peak signal-to-noise ratio in dB over test images that
no method has seen, relative to the range of the data, and CPU seconds of the fit and per image.
Noise is not clipped before it is denoised; everything is clipped to the range before it is
measured. Settings are the same for all data sets of a kind, and in this file.

- Small images (1,000 of Fashion-MNIST, all test images of digits and faces): the noisy images, the
  filter that every fit starts from (``max_epochs=0``), and the trained model. The row "blind" is
  one model for all levels.
- Noisy images alone, of Fashion-MNIST: sigma given, and estimated.
- Photographs, gray and in color: the same against BM3D, which is told sigma; and gray ones with
  Poisson noise of peak 4 against BM3D after an Anscombe transform (Makitalo and Foi, IEEE
  Transactions on Image Processing 20, 2011), with the exact unbiased inverse.
- Tables: standardised columns with noise, the root of the mean squared error instead.

BM3D needs ``pip install bm3d``; without it, its rows are left out.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from _data import LOADERS
from _report import write_table
from image_compression import photographs
from PIL import Image
from skorch.callbacks import LRScheduler

from skae import AutoencoderDenoiser

SIGMAS = (0.0, 0.01, 0.03, 0.1, 0.3, 0.5, 1.0)
SHAPES = {"digits": (8, 8), "olivetti": (64, 64), "fashion_mnist": (28, 28)}
SMALL: dict[str, dict[str, Any]] = {
    "digits": {},
    "olivetti": {"max_epochs": 20},
    "fashion_mnist": {"max_epochs": 1},
}
IMAGES: dict[str, Any] = {"module": "conv", "batch_size": 32, "random_state": 0}
TABLES = ("breast_cancer",)
# Passes over photographs: within ten minutes of CPU time.
PHOTOGRAPHS = {"gray": 8, "color": 4, "poisson": 3}
_N_TEST, _N_PHOTOGRAPHS, _SIDE, _SIGMA, _PEAK = 1000, 10, 256, 25 / 255, 4


def psnr(clean: Any, cleaned: Any) -> float:
    """Return the mean over images with values in [0, 1]."""
    errors = [np.square(np.clip(b, 0, 1) - a).mean() for a, b in zip(clean, cleaned, strict=True)]
    return float(np.mean(-10 * np.log10(np.maximum(errors, 1e-12))))


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    result = function()
    return result, time.process_time() - start


def noise_like(X: np.ndarray, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(X.shape).astype(np.float32)


def small_images(name: str) -> Iterator[dict[str, Any]]:
    data = LOADERS[name]()
    train, test = data.X_train.astype(np.float32), data.X_test[:_N_TEST].astype(np.float32)
    noise = noise_like(test)
    settings = {
        **IMAGES,
        "image_shape": SHAPES[name],
        "noise_level": (0.0, 1.0),
        **SMALL[name],
    }
    for sigma in SIGMAS:
        yield row(name, "noisy", sigma, psnr(test, test + sigma * noise))
    for method, changes in (("filter alone", {"max_epochs": 0}), ("blind", {})):
        model = AutoencoderDenoiser(**{**settings, **changes})
        _, seconds = timed(lambda model=model: model.fit(train))
        for sigma in SIGMAS:
            cleaned, each = timed(lambda m=model, s=sigma: m.transform(test + s * noise))
            yield row(name, method, sigma, psnr(test, cleaned), seconds, each / len(test))


def noisy_alone(name: str) -> Iterator[dict[str, Any]]:
    data = LOADERS[name]()
    train, test = data.X_train.astype(np.float32), data.X_test[:_N_TEST].astype(np.float32)
    noise = noise_like(test)
    for sigma in (0.3, 0.5):
        noisy = train + sigma * noise_like(train, seed=1)
        for method, level in (("sigma given", sigma), ("sigma estimated", "auto")):
            for start, changes in ((", filter alone", {"max_epochs": 0}), ("", {})):
                model = AutoencoderDenoiser(
                    supervision="noisy",
                    noise_level=level,
                    **IMAGES,
                    image_shape=SHAPES[name],
                    **{"max_epochs": 1, **changes},
                )
                _, seconds = timed(lambda m=model, n=noisy: m.fit(n))
                cleaned, each = timed(lambda m=model, s=sigma: m.transform(test + s * noise))
                line = row(
                    name,
                    f"noisy alone, {method}{start}",
                    sigma,
                    psnr(test, cleaned),
                    seconds,
                    each / len(test),
                )
                yield {**line, "noise_level_": float(model.noise_level_)}


def tables(name: str) -> Iterator[dict[str, Any]]:
    data = LOADERS[name]()
    noise = noise_like(data.X_test)
    for sigma in (0.1, 0.3, 0.5, 1.0):
        noisy = data.X_test + sigma * noise
        found = {"noisy": noisy}
        for method, level in (("", "auto"), (", sigma given", sigma)):
            for start, changes in (("filter alone", {"max_epochs": 0}), ("trained", {})):
                model = AutoencoderDenoiser(noise_level=level, random_state=0, **changes)
                found[start + method] = model.fit(data.X_train).transform(noisy)
        for method, cleaned in found.items():
            error = float(np.sqrt(np.square(cleaned - data.X_test).mean()))
            yield {"dataset": name, "method": method, "sigma": sigma, "rmse": error}


def some_photographs(mode: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    train, test = (
        [np.asarray(Image.fromarray(image).convert(mode)) for image in images]
        for images in photographs(["cid22_train"])
    )
    cropped = []
    for image in test[:_N_PHOTOGRAPHS]:
        top, left = ((side - _SIDE) // 2 for side in image.shape[:2])
        cropped.append(image[top : top + _SIDE, left : left + _SIDE] / 255)
    return [image.astype(np.float32) / 255 for image in train], cropped


def denoised_photographs(kind: str, epochs: int) -> Iterator[dict[str, Any]]:
    train, test = some_photographs("RGB" if kind == "color" else "L")
    random = np.random.default_rng(0)
    if kind == "poisson":
        noisy = [random.poisson(_PEAK * image) / _PEAK for image in test]
        noise: dict[str, Any] = {"noise": "poisson", "noise_level": (0.0, 0.5)}
        sigma = 1 / _PEAK
    else:
        noisy = [random.normal(image, _SIGMA) for image in test]
        noise, sigma = {"noise_level": (0.0, 60 / 255)}, _SIGMA
    name = f"photographs, {kind}"
    yield row(name, "noisy", sigma, psnr(test, noisy))
    for method, n in (("filter alone", 0), ("blind", epochs)):
        decay = LRScheduler("CosineAnnealingLR", T_max=max(n, 1))
        model = AutoencoderDenoiser(
            module="conv",
            batch_size=8,
            lr=2e-3,
            max_epochs=n,
            callbacks=[decay],
            random_state=0,
            **noise,
        )
        _, seconds = timed(lambda model=model: model.fit(train))
        for views, is_mean in (("", False), (", self-ensemble", True))[: 1 + (n > 0)]:
            model.set_params(self_ensemble=is_mean)
            cleaned, each = timed(lambda m=model: m.transform(noisy))
            yield row(name, method + views, sigma, psnr(test, cleaned), seconds, each / len(test))
    try:
        import bm3d
    except ImportError:
        return
    denoise = bm3d.bm3d_rgb if kind == "color" else bm3d.bm3d

    def by_bm3d() -> list[np.ndarray]:
        if kind != "poisson":
            return [denoise(image, sigma) for image in noisy]
        stable = [2 * np.sqrt(_PEAK * image + 3 / 8) for image in noisy]
        spans = [max(float(np.ptp(each)), 1e-3) for each in stable]
        low = [float(each.min()) for each in stable]
        parts = [(s - a) / span for s, a, span in zip(stable, low, spans, strict=True)]
        found = [denoise(p, 1 / span) for p, span in zip(parts, spans, strict=True)]
        return [
            unbiased_inverse(f * span + a) / _PEAK
            for f, a, span in zip(found, low, spans, strict=True)
        ]

    cleaned, each = timed(by_bm3d)
    method = "Anscombe and BM3D" if kind == "poisson" else "BM3D, sigma given"
    yield row(name, method, sigma, psnr(test, cleaned), None, each / len(test))


def unbiased_inverse(d: np.ndarray) -> np.ndarray:
    """Return the mean of counts whose Anscombe transforms have the mean d."""
    d = np.maximum(d, 2 * np.sqrt(3 / 8))
    series = d**2 / 4 + np.sqrt(1.5) / (4 * d) - 11 / (8 * d**2) + 5 * np.sqrt(1.5) / (8 * d**3)
    return np.maximum(series - 1 / 8, 0)


def row(
    dataset: str,
    method: str,
    sigma: float,
    ratio: float,
    fit: float | None = None,
    each: float | None = None,
) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "method": method,
        "sigma": sigma,
        "psnr": ratio,
        "fit [CPU s]": fit,
        "image [CPU s]": each,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {}
    for name in SMALL:
        parts[name] = lambda name=name: small_images(name)
    parts["noisy_alone"] = lambda: noisy_alone("fashion_mnist")
    for name in TABLES:
        parts[name] = lambda name=name: tables(name)
    for kind in PHOTOGRAPHS:
        parts[kind] = lambda kind=kind: denoised_photographs(
            kind, arguments.epochs or PHOTOGRAPHS[kind]
        )
    parser.add_argument(
        "--parts", nargs="+", choices=parts, default=list(parts), help=f"out of {', '.join(parts)}"
    )
    parser.add_argument(
        "--epochs", type=int, help="passes over photographs (default: 8, 4 in color, 3 for counts)"
    )
    arguments = parser.parse_args()
    for part in arguments.parts:
        rows = list(parts[part]())
        write_table("denoising", rows, key=("dataset", "method", "sigma"))


if __name__ == "__main__":
    main()
