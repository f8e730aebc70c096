"""Coding a photograph takes at most 1.5 forward passes, and 100 megapixels less than 2 GB.

The bare pass is that of the bundled network alone, pixels to coefficients for compress, and
coefficients to pixels for decompress, on tensors that are already in memory; what comes on top is
entropy coding with its contexts. Both take turns in one process, with one thread. Memory is the
peak of the resident set of a fresh process, beyond what it had before the call, with the image in
it; so that of compress is the stream and the work, that of decompress the decoded image, too. It
is read from /proc, so this needs Linux.

data: the two photographs of scikit-learn, side by side, and as the tiles of a large picture.
"""

import argparse
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from _report import alternate, ratios, write_table
from sklearn.datasets import load_sample_image

from skae import ImageCompressor

QUALITIES = [25, 50, 75]
TARGET, MOST_GIGABYTES = 1.5, 2.0
PART = slice(0, 100), slice(0, 100)


def photographs() -> np.ndarray:
    names = ("china.jpg", "flower.jpg")
    return np.concatenate([load_sample_image(name) for name in names], 1)[:, :960]


def speed(rounds: int) -> list[dict[str, Any]]:
    model, image = ImageCompressor.pretrained(), photographs()
    network: Any = model.module_.eval()
    rows = []
    with torch.inference_mode():
        x = torch.from_numpy(np.pad(image, ((0, -len(image) % 8), (0, 0), (0, 0)))[None]).float()
        y = network.coefficients(x)
        for quality in QUALITIES:
            streams = model.compress([image], quality=quality)
            level = quality / 100 * network.highest_level
            pairs = {
                "compress": (
                    lambda q=quality: model.compress([image], quality=q),
                    lambda: network.coefficients(x),
                ),
                "decompress": (
                    lambda s=streams: model.decompress(s),
                    lambda at=level: network.synthesize(y, at),
                ),
            }
            for method, (ours, bare) in pairs.items():
                times = alternate({"skae": ours, "bare": bare}, rounds)
                row = {"megapixels": image.shape[0] * image.shape[1] / 1e6, "quality": quality}
                row |= {"method": method}
                row |= {f"{name}_ms": 1e3 * median(series) for name, series in times.items()}
                row["ratio"] = ratios(times, "bare")["skae"]
                verdict = "met" if row["ratio"] <= TARGET else "MISSED"
                rows.append({**row, "target": TARGET, "verdict": verdict})
    return rows


def peak() -> float:
    """Return the largest resident set so far, in gigabytes."""
    # Not that of `resource`, in which a process begins with what its parent had.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e9


def compress(side: int) -> tuple[float, bytes]:
    torch.set_num_threads(1)
    model, photo = ImageCompressor.pretrained(), photographs()
    image = np.empty((side, side, 3), np.uint8)
    for top in range(0, side, photo.shape[0]):
        for left in range(0, side, photo.shape[1]):
            part = image[top : top + photo.shape[0], left : left + photo.shape[1]]
            part[:] = photo[: part.shape[0], : part.shape[1]]
    before = peak()
    (stream,) = model.compress([image])
    return peak() - before, stream


def decompress(stream: bytes, region: Any) -> float:
    torch.set_num_threads(1)
    model = ImageCompressor.pretrained()
    before = peak()
    model.decompress([stream], region=region)
    return peak() - before


def memory(side: int) -> list[dict[str, Any]]:
    def fresh(*call: Any) -> Any:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            return pool.submit(*call).result()

    used, stream = fresh(compress, side)
    gigabytes = {
        "compress": used,
        "decompress": fresh(decompress, stream, None),
        "decompress a region": fresh(decompress, stream, PART),
    }
    return [
        {
            "megapixels": side**2 / 1e6,
            "quality": 50,
            "method": method,
            "gigabytes": used,
            "target": MOST_GIGABYTES,
            "verdict": "met" if used <= MOST_GIGABYTES else "MISSED",
        }
        for method, used in gigabytes.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15, help="turns of each (default: 15)")
    parser.add_argument("--side", type=int, default=10_000, help="of the square picture, in pixels")
    args = parser.parse_args()
    torch.set_num_threads(1)
    write_table("compression_cost", [*speed(args.rounds), *memory(args.side)])


if __name__ == "__main__":
    main()
