"""Write the models, the streams and the pictures that ``test_golden.py`` reads for ever.

Run for each version of the bitstream, and for each new kind of model: ``python
tests/compression/golden/make.py``. Streams that have been released must never be written anew: a
folder that holds a model stays as it is.
"""

import zlib
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits, load_sample_image

from skae.compression import ImageCompressor

HERE = Path(__file__).parent
SMALL = {"module__width": 4, "module__n_blocks": 1, "max_epochs": 1, "random_state": 0}


def model_arrays(model: ImageCompressor) -> dict[str, np.ndarray]:
    """Return everything that decoding depends on as plain arrays."""
    codec = model._codec
    network = {f"network.{k}": v.numpy() for k, v in codec.network.state_dict().items()}
    return {**network, **vars(codec.tables), "fingerprint": np.array(model.fingerprint_)}


def of_patches() -> tuple[ImageCompressor, dict[str, bytes]]:
    """Return a model of small patches, and streams."""
    digits = (3 * load_digits().images).astype(np.uint8)
    model = ImageCompressor(patch_shape=(4, 4), n_components=10, **SMALL).fit(digits[:900])
    strip = np.concatenate(digits[1300:1430], 1)[:, :1030]
    noise = np.random.default_rng(0).integers(0, 2, (3, 5), dtype=np.uint8)
    flash = np.zeros((21, 31), np.uint8)
    flash[10:13, 9:14] = 255 * noise  # brighter than any digit: needs escapes
    return model, {
        "dataset": model.compress_dataset(digits[1000:1300], quality=60),
        "odd": model.compress([flash], quality=70)[0],
        "raw": model.compress([noise])[0],
        "tiles": model.compress([strip], quality=100)[0],
    }


def of_wide_contexts() -> tuple[ImageCompressor, dict[str, bytes]]:
    """Return a model of small patches whose contexts look at single channels, and streams."""
    digits = (15 * load_digits().images).astype(np.uint8)
    strips = [np.concatenate(digits[i : i + 5], 1) for i in range(0, 900, 5)]
    model = ImageCompressor(patch_shape=(2, 2), **SMALL).fit(strips)
    return model, {
        "dataset": model.compress_dataset(np.stack(strips[:3]), quality=50),
        "strip": model.compress([np.concatenate(strips[-3:])])[0],
    }


def of_whole_images() -> tuple[ImageCompressor, dict[str, bytes]]:
    """Return a model whose patches are whole images of an odd height, and streams."""
    digits = (15 * load_digits().images[:, :7]).astype(np.uint8)
    model = ImageCompressor(n_components=12, **SMALL).fit(digits[:900])
    rows = [np.concatenate(digits[i : i + 3], 1) for i in (1300, 1303, 1306)]
    larger = np.concatenate(rows)[:20, :21]  # than the patch: squares have neighbours
    return model, {
        "dataset": model.compress_dataset(digits[1000:1300], quality=60),
        "larger": model.compress([larger], quality=75)[0],
    }


def of_photographs() -> tuple[ImageCompressor, dict[str, bytes]]:
    """Return version 2 of the bundled model, and streams in color and gray that have offsets."""
    model = ImageCompressor.pretrained(version=2)
    petals = load_sample_image("flower.jpg")[100:228, 200:360]
    return model, {
        "petals": model.compress([petals], quality=30)[0],
        "gray": model.compress([petals[..., 1]], quality=60)[0],
    }


MAKERS = (
    (HERE, of_patches),
    (HERE / "whole", of_whole_images),
    (HERE / "wide", of_wide_contexts),
    (HERE / "photographs_2", of_photographs),
)


def main() -> None:
    torch.set_num_threads(1)
    for folder, make in MAKERS:
        if (folder / "pictures.npz").exists():
            continue
        model, streams = make()
        folder.mkdir(exist_ok=True)
        if make is not of_photographs:
            np.savez_compressed(folder / "model.npz", **model_arrays(model))
        pictures = {}
        for name, stream in streams.items():
            (folder / f"{name}.skae").write_bytes(stream)
            pictures[name] = np.stack(model.decompress([stream]))
            print(name, len(stream), pictures[name].shape, f"{zlib.crc32(stream):08x}")
        np.savez_compressed(folder / "pictures.npz", **pictures)


if __name__ == "__main__":
    main()
