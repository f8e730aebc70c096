"""Fit the bundled model, skae/compression/photographs_2.npz, to photographs: its closed form alone.

They are those of SKAE_DATA/clic_half: photographs of CLIC 2025, at half size, under the Unsplash
License. Every eighth is left out: benchmarks/image_compression.py measures the model on these, and
on photographs of CID22, of which it has seen none.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from image_compression import photographs

import skae.compression
from skae.compression import ImageCompressor
from skae.compression._bundled import rounded_arrays
from skae.compression._packing import write_arrays

TARGET = Path(skae.compression.__file__).parent / "photographs_2.npz"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=TARGET)
    args = parser.parse_args()
    torch.set_num_threads(1)
    train, _ = photographs(("clic_half",))
    start = time.process_time()
    model = ImageCompressor(max_epochs=0, module__width=96, module__n_blocks=2, random_state=0).fit(
        train
    )
    names = ("module", "patch_shape", "n_components")
    write_arrays(args.output, rounded_arrays(model, names))
    size = args.output.stat().st_size
    print(f"{time.process_time() - start:.0f} CPU seconds, {size:,} bytes: {args.output}")


if __name__ == "__main__":
    main()
