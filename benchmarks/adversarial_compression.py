"""ImageCompressor(adversarial=True) draws the texture that rounding has erased, at equal bits.

It is fitted to photographs and compresses others, the same as in image_compression.py. For each
quality and realism: bits per pixel; PSNR, the mean over photographs; and Fréchet distances of
patches of decoded pictures from those of the originals, of 5 x 5 pixels in RGB in the two finest
levels of a Laplacian pyramid; also relative to those of realism 0, which a third less is the aim
of. The training matches the amplitudes of coefficients, so that the distance is not independent
of it: look at pictures too (--image).

The image shows held-out photographs: original, realism 0 and realism 1.
"""

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from _report import write_table
from image_compression import photographs
from PIL import Image
from torch.nn import functional as F

from skae.compression import ImageCompressor
from skae.metrics import frechet_distance, psnr

QUALITIES = (10, 25, 40, 60)
REALISMS = (0.0, 0.5, 1.0)
_SIDE, _STRIDE, _N_LEVELS, _CROP = 5, 4, 2, 192


def bands(images: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the patches of all images, for each of the finest levels of a Laplacian pyramid."""
    lower = [torch.tensor(image).movedim(-1, 0)[None].float() for image in images]
    for _ in range(_N_LEVELS):
        patches = []
        for i, x in enumerate(lower):
            x = x[..., : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2]
            lower[i] = F.avg_pool2d(x, 2)
            band = x - F.interpolate(lower[i], scale_factor=2, mode="bilinear")
            patches.append(F.unfold(band, _SIDE, stride=_STRIDE)[0].T)
        yield torch.cat(patches).numpy()


def measure(model: ImageCompressor, test: Sequence[np.ndarray]) -> Iterator[dict[str, Any]]:
    originals = list(bands(test))
    for quality in QUALITIES:
        streams = model.compress(test, quality=quality)
        bits = [8 * len(s) / (i.shape[0] * i.shape[1]) for s, i in zip(streams, test, strict=True)]
        plain = None
        for realism in REALISMS:
            decoded = model.decompress(streams, realism=realism)
            distances = [
                frechet_distance(a, b) for a, b in zip(originals, bands(decoded), strict=True)
            ]
            plain = plain or distances
            row = {
                "max_epochs": model.max_epochs_,
                "quality": quality,
                "realism": realism,
                "bpp": float(np.mean(bits)),
                "psnr": psnr(test, decoded),
            }
            for i, (distance, of_plain) in enumerate(zip(distances, plain, strict=True)):
                row[f"frechet_{i}"] = distance
                row[f"frechet_{i}, relative"] = distance / of_plain
            yield row


def draw(model: ImageCompressor, test: Sequence[np.ndarray], path: Path) -> None:
    """Write crops of photographs side by side, enlarged."""
    lines = []
    for quality in QUALITIES[:3]:
        for image in test[1:20:4]:
            streams = model.compress([image], quality=quality)
            shown = [image, *(model.decompress(streams, realism=r)[0] for r in (0, 1))]
            top, left = ((n - _CROP) // 2 for n in image.shape[:2])
            crops = [each[top:, left:][:_CROP, :_CROP] for each in shown]
            lines.append(np.concatenate(crops, 1))
    sheet = np.concatenate(lines)
    Image.fromarray(sheet.repeat(2, 0).repeat(2, 1)).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--max-epochs", type=int, help="0 for the closed form and the texture")
    parser.add_argument("--image", type=Path, help="file to draw crops to")
    args = parser.parse_args()
    params = {} if args.max_epochs is None else {"max_epochs": args.max_epochs}
    torch.set_num_threads(1)
    train, test = photographs()
    model = ImageCompressor(adversarial=True, random_state=0, **params)
    start = time.process_time()
    model.fit(train)
    print(f"fit: {time.process_time() - start:.0f} CPU seconds")
    write_table("adversarial_compression", list(measure(model, test)))
    if args.image:
        draw(model, test, args.image)


if __name__ == "__main__":
    main()
