"""ImageCompressor writes fewer bytes than JPEG and WebP at the same quality.

photos: it is fitted to photographs and compresses others: every twelfth of SKAE_DATA/cid22_train
and every eighth of SKAE_DATA/clic_half, which the fit does not see. Rates are those of real
streams, headers and checksums included. A codec's points are means over all held-out photographs,
one for each quality, and the Bjontegaard delta rate compares its curve with another codec's: -25 %
are a quarter fewer bits at the same PSNR (RGB), or at the same MS-SSIM. Low, middle and high are
the parts of the curves that overlap with four of our eight points.

gray: the same in shades of gray. The bundled model writes what its components tell of them.

Data sets of small images (fashion_mnist, digits, olivetti): images that the fit has not seen,
written as one stream by compress_dataset, against the mosaic of all of them in one file of WebP,
AVIF or JPEG, and against a file for each image. PSNR is that of the mean squared error over all
images.

Others are Pillow's encoders: JPEG with optimised tables, WebP with method 6, AVIF with speed 6, and
JPEG 2000, irreversible. WebP, and AVIF unless it says 4:4:4, keep a quarter of the color values: by
PSNR in RGB, that saves little at low rates and costs much at high ones.
"""

import argparse
import io
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from _data import LOADERS, data_path, digits_halves
from _report import read_table, save_table, write_table
from PIL import Image

from skae.compression import ImageCompressor
from skae.metrics import bd_rate, ms_ssim, psnr

FULL = "AVIF 4:4:4"
_JPEG, _AVIF = (10, 20, 35, 50, 65, 80, 90, 95), (15, 25, 35, 45, 60, 75, 85, 94)
QUALITIES = (0, 15, 30, 45, 60, 75, 90, 100)
PILLOW: Mapping[str, tuple[str, dict[str, Any], str, tuple[float, ...]]] = {
    "JPEG 4:2:0": ("JPEG", {"subsampling": 2, "optimize": True}, "quality", _JPEG),
    "JPEG 4:4:4": ("JPEG", {"subsampling": 0, "optimize": True}, "quality", _JPEG),
    "WebP": ("WEBP", {"method": 6}, "quality", (1, 10, 25, 45, 65, 80, 90, 97)),
    "AVIF": ("AVIF", {"speed": 6}, "quality", _AVIF),
    FULL: ("AVIF", {"speed": 6, "subsampling": "4:4:4"}, "quality", _AVIF),
    "JPEG 2000": (
        "JPEG2000",
        {"irreversible": True, "mct": 1, "quality_mode": "dB"},
        "quality_layers",
        (26, 28, 30, 32, 35, 38, 41, 44),
    ),
}  # fmt: skip
OURS, SEEN = "ImageCompressor", "ImageCompressor, ms_ssim"
BUNDLED = "ImageCompressor.pretrained"
MODELS = (OURS, SEEN, BUNDLED)
REFERENCES = ("JPEG 4:2:0", "JPEG 4:4:4", "WebP", "AVIF", FULL)
PARTS = {"low": slice(0, 4), "middle": slice(2, 6), "high": slice(4, 8)}
HELD_OUT = {"cid22_train": 12, "clic_half": 8}  # every so many
SMALL = ("fashion_mnist", "digits", "olivetti")
DATA = ("photos", "gray", *SMALL)

Point = tuple[float, list[np.ndarray], list[bytes]]


def photographs(
    folders: Sequence[str] = tuple(HELD_OUT), mode: str = "RGB"
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return training and test photographs, in color or gray."""
    train, test = [], []
    for folder in folders:
        step = HELD_OUT[folder]
        for i, path in enumerate(sorted(data_path(folder).glob("*.webp"))):
            (train if i % step else test).append(np.asarray(Image.open(path).convert(mode)))
    return train, test


def by_pillow(name: str, images: list[np.ndarray]) -> Iterator[Point]:
    """Yield qualities, decoded images and streams of one of Pillow's encoders."""
    form, options, knob, values = PILLOW[name]
    for value in values:
        setting = {knob: [value] if knob == "quality_layers" else value}
        streams, decoded = [], []
        for image in images:
            file = io.BytesIO()
            Image.fromarray(image).save(file, form, **options, **setting)
            streams.append(file.getvalue())
            mode = "L" if image.ndim == 2 else "RGB"  # WebP and AVIF have color always
            decoded.append(np.asarray(Image.open(file).convert(mode)))
        yield value, decoded, streams


def by_model(model: ImageCompressor, images: list[np.ndarray]) -> Iterator[Point]:
    for quality in QUALITIES:
        streams = model.compress(images, quality=quality)
        yield quality, model.decompress(streams), streams


def fitted(train: list[np.ndarray], args: argparse.Namespace, **params: Any) -> Any:
    """Return a model, and the CPU seconds that its fit took."""
    start = time.process_time()
    model = ImageCompressor(random_state=0, **params, **args.params).fit(train)
    seconds = time.process_time() - start
    print(f"fit: {seconds:.0f} CPU seconds", flush=True)
    return model, seconds


def measure_photographs(name: str, args: argparse.Namespace) -> None:
    """Measure codecs; points of those that are not asked for stay as they were."""
    is_gray = name == "gray"
    table = "image_compression_gray" if is_gray else "image_compression"
    train, test = photographs(mode="L" if is_gray else "RGB")
    asked = [codec for codec in args.codecs if not (is_gray and codec == SEEN)]
    rows = [row for row in read_table(f"{table}_photos") if row["codec"] not in asked]
    names = {row["codec"] for row in rows}
    seconds = {row["codec"]: row["fit_seconds"] for row in read_table(table)}
    others = [each for each in PILLOW if each not in names and not (is_gray and each == FULL)]
    for codec in [*others, *asked]:
        if codec in PILLOW:
            points = by_pillow(codec, test)
        elif codec == BUNDLED:
            points = by_model(ImageCompressor.pretrained(), test)
        else:
            objective = "psnr" if codec == OURS else "ms_ssim"
            model, seconds[codec] = fitted(train, args, objective=objective)
            points = by_model(model, test)
        for quality, decoded, streams in points:
            bits = [
                8 * len(s) / (i.shape[0] * i.shape[1]) for s, i in zip(streams, test, strict=True)
            ]
            row = {
                "codec": codec,
                "quality": quality,
                "bpp": float(np.mean(bits)),
                "psnr": psnr(test, decoded),
                "ms_ssim": ms_ssim(test, decoded),
            }
            rows.append(row)
            print("{codec} {quality} {bpp:.3f} {psnr:.2f} {ms_ssim:.4f}".format(**row), flush=True)
        save_table(f"{table}_photos", rows)
    write_table(table, list(delta_rates(rows, seconds)))


def delta_rates(rows: list[dict[str, Any]], seconds: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a line for each codec: how many more bits it needs than others, in percent."""
    curves = {
        name: np.array(
            [[float(r[k]) for k in ("bpp", "psnr", "ms_ssim")] for r in rows if r["codec"] == name]
        )
        for name in dict.fromkeys(row["codec"] for row in rows)
    }

    def delta(curve: np.ndarray, other: np.ndarray, column: int) -> float:
        return bd_rate(curve[:, 0], curve[:, column], other[:, 0], other[:, column])

    for name, curve in curves.items():
        line: dict[str, Any] = {"codec": name}
        for reference in [each for each in REFERENCES if each in curves]:
            for column, measure in ((1, "psnr"), (2, "ms_ssim")):
                line[f"{reference}, {measure}"] = delta(curve, curves[reference], column)
        if name in MODELS:
            for part, points in PARTS.items():
                line[f"AVIF, psnr, {part}"] = delta(curve[points], curves["AVIF"], 1)
            line["fit_seconds"] = seconds.get(name, "")
        yield line


def small_images(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return training and test images as arrays of uint8."""
    split = digits_halves(0) if name == "digits" else LOADERS[name]()
    side = int(split.X_train.shape[1] ** 0.5)
    train, test = (
        (255 * X).round().clip(0, 255).astype(np.uint8).reshape(-1, side, side)
        for X in (split.X_train, split.X_test)
    )
    return train, test[:1000]


def mosaic(images: np.ndarray) -> np.ndarray:
    """Return all images as one, in rows and columns, and black ones to fill it up."""
    n_columns = int(np.ceil(len(images) ** 0.5))
    n_rows = -(-len(images) // n_columns)
    padded = np.zeros((n_rows * n_columns, *images.shape[1:]), np.uint8)
    padded[: len(images)] = images
    _, height, width = images.shape
    tiles = padded.reshape(n_rows, n_columns, height, width).swapaxes(1, 2)
    return tiles.reshape(n_rows * height, n_columns * width)


def measure_small(name: str, args: argparse.Namespace) -> None:
    train, test = small_images(name)
    model, _ = fitted(train, args)
    rows = []

    def add(codec: str, quality: float, n_bytes: int, decoded: np.ndarray) -> None:
        error = np.mean((decoded.astype(float) - test) ** 2)
        level = 10 * np.log10(255**2 / error)
        per_image = n_bytes / len(test)
        rows.append(
            {"data": name, "codec": codec, "quality": quality, "bytes": per_image, "psnr": level}
        )

    for quality in np.linspace(0, 100, 15):
        stream = model.compress_dataset(test, quality=quality)
        add(OURS, quality, len(stream), model.decompress_dataset(stream))
    whole = mosaic(test)
    for codec in ("JPEG 4:2:0", "WebP", "AVIF"):
        for quality, decoded, streams in by_pillow(codec, list(test)):
            add(f"{codec}, files", quality, sum(map(len, streams)), np.stack(decoded))
        height, width = test.shape[1:]
        for quality, decoded, streams in by_pillow(codec, [whole]):
            tiles = decoded[0].reshape(len(whole) // height, height, -1, width).swapaxes(1, 2)
            add(
                f"{codec}, mosaic",
                quality,
                len(streams[0]),
                tiles.reshape(-1, height, width)[: len(test)],
            )
    write_table("image_compression_small", rows, key=("data", "codec", "quality"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", choices=DATA, default=DATA)
    parser.add_argument("--codecs", nargs="*", choices=MODELS, default=MODELS, help="of ours")
    parser.add_argument("--max-epochs", type=int, help="0 for the closed form alone")
    args = parser.parse_args()
    args.params = {} if args.max_epochs is None else {"max_epochs": args.max_epochs}
    torch.set_num_threads(1)
    for name in args.data:
        if name in ("photos", "gray"):
            measure_photographs(name, args)
        else:
            measure_small(name, args)


if __name__ == "__main__":
    main()
