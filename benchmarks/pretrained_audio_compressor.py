"""Fit the bundled model, skae/compression/speech.npz, to speech of 16 kHz.

The clips are those of SKAE_DATA/speech_s2i_trim (Apache License 2.0), but the last 30, which
benchmarks/audio_compression.py measures models on.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from _audio_data import AUDIO

import skae.compression
from skae.compression import AudioCompressor
from skae.compression._bundled import arrays_of

TARGET = Path(skae.compression.__file__).parent / "speech.npz"
PARAMS = ("sample_rate", "shaping", "hop_length", "module")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--max-epochs", type=int, default=20)
    parser.add_argument("--output", type=Path, default=TARGET)
    args = parser.parse_args()
    torch.set_num_threads(1)
    split = AUDIO["speech_s2i_trim"]()
    clips = split.fits[""].train + split.fits[""].validation
    start = time.process_time()
    model = AudioCompressor(
        sample_rate=split.rate,
        hop_length=256,
        max_epochs=args.max_epochs,
        random_state=0,
        verbose=1,
    ).fit(clips)
    np.savez_compressed(args.output, **arrays_of(model, PARAMS, ("_scale", "_location")))
    size = args.output.stat().st_size
    print(f"{time.process_time() - start:.0f} CPU seconds, {size:,} bytes: {args.output}")
    print(f"fingerprint {model.fingerprint_:08x}, before weights lost half of their bits")


if __name__ == "__main__":
    main()
