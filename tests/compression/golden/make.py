"""Write the model, the streams and the pictures that ``test_golden.py`` reads for ever.

Run once for each version of the bitstream: ``python tests/compression/golden/make.py``. Streams of
a version that has been released must never be written anew.
"""

import zlib
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits

from skae.compression import ImageCompressor

HERE = Path(__file__).parent


def model_arrays(model: ImageCompressor) -> dict[str, np.ndarray]:
    """Return everything that decoding depends on as plain arrays."""
    codec = model._codec
    codec = model._codec
    network = {f"network.{k}": v.numpy() for k, v in codec.network.state_dict().items()}
    return {**network, **codec.state(), "fingerprint": np.array(model.fingerprint_)}


def main() -> None:
    torch.set_num_threads(1)
    digits = (3 * load_digits().images).astype(np.uint8)
    model = ImageCompressor(
        patch_shape=(4, 4),
        n_components=10,
        module__width=4,
        module__n_blocks=1,
        max_epochs=1,
        random_state=0,
    ).fit(digits[:900])
    np.savez_compressed(HERE / "model.npz", **model_arrays(model))
    strip = np.concatenate(digits[1300:1430], 1)[:, :1030]
    noise = np.random.default_rng(0).integers(0, 2, (3, 5), dtype=np.uint8)
    flash = np.zeros((21, 31), np.uint8)
    flash[10:13, 9:14] = 255 * noise  # brighter than any digit: needs escapes
    streams = {
        "dataset": model.compress_dataset(digits[1000:1300], quality=60),
        "odd": model.compress([flash], quality=70)[0],
        "raw": model.compress([noise])[0],
        "tiles": model.compress([strip], quality=100)[0],
    }
    pictures = {}
    for name, stream in streams.items():
        (HERE / f"{name}.skae").write_bytes(stream)
        pictures[name] = np.stack(model.decompress([stream]))
        print(name, len(stream), pictures[name].shape, f"{zlib.crc32(stream):08x}")
    np.savez_compressed(HERE / "pictures.npz", **pictures)


if __name__ == "__main__":
    main()
