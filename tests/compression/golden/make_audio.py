"""Write the models, the streams and the sounds that ``test_audio_golden.py`` reads for ever.

Run for each version of the bitstream, and for each new kind of model: ``python
tests/compression/golden/make_audio.py``. Streams that have been released must never be written
anew: a folder that holds a model stays as it is.
"""

import zlib
from pathlib import Path

import numpy as np
import torch

from skae.compression import AudioCompressor

HERE = Path(__file__).parent


def model_arrays(model: AudioCompressor) -> dict[str, np.ndarray]:
    """Return everything that decoding depends on as plain arrays."""
    network, tables = model._codec.network, model._codec.tables
    arrays = {name.split(".")[-1]: value for name, value in network.state_dict().items()}
    names = ("unit", "rotation", "scales", "middle", "beside")
    return {
        **{name: arrays[name].numpy() for name in names},
        **vars(tables),
        "powers": np.array([network.shaping, network.companding, network.tilt, network.filling]),
        "hop": np.array(model.hop_length_),
        "millihertz": np.array(model._streams.millihertz),
        "frames": np.array(model._n_frames),
        "offset": model._location,
        "scale": np.array(model._scale),
        "fingerprint": np.array(model.fingerprint_),
    }


def made(random: np.random.Generator, n: int, n_samples: int, n_channels: int) -> np.ndarray:
    """Return sounds of three tones that fade, and a little noise."""
    time = np.arange(n_samples)[None, :, None]
    sounds = random.normal(0, 0.01, (n, n_samples, n_channels))
    for _ in range(3):
        pitch, size = random.uniform(0.05, 1, (n, 1, 1)), random.normal(0, 0.2, (n, 1, n_channels))
        sounds += size * np.sin(pitch * time) * np.exp(-time / random.uniform(100, 2000, (n, 1, 1)))
    return sounds


def mono() -> tuple[AudioCompressor, dict[str, bytes]]:
    """Return a model of one channel, as for speech, and streams."""
    random = np.random.default_rng(0)
    sounds = [(9000 * x[:, 0]).astype(np.int16) for x in made(random, 12, 1500, 1)]
    sounds[3][400:900] = 0
    model = AudioCompressor(
        sample_rate=8000, hop_length=32, segment_duration=0.064, random_state=0
    ).fit(sounds[:9])
    loud = np.zeros(333, np.int16)
    loud[100:200:2], loud[101:200:2] = 32_767, -32_768  # louder than any other: needs escapes
    silent = np.concatenate([sounds[9][:700], np.zeros(701, np.int16)])
    return model, {
        "silent": model.compress([silent], quality=60)[0],
        "loud": model.compress([loud], quality=100)[0],
        "raw": model.compress([np.int16([1, -2, 3])])[0],
    }


def stereo() -> tuple[AudioCompressor, dict[str, bytes]]:
    """Return a model of two channels, as for music, and streams."""
    random = np.random.default_rng(1)
    sounds = list(made(random, 14, 700, 2).astype(np.float32) + np.float32([0, 2]))
    model = AudioCompressor(
        sample_rate=44_100, hop_length=16, segment_duration=0.003, random_state=0
    ).fit(sounds[:9])
    return model, {
        "dataset": model.compress_dataset(
            [x[:150] for x in sounds[9:12]], quality=40, chunk_size=2
        ),
        "odd": model.compress([sounds[13][:333]], quality=75)[0],
    }


def unequal() -> tuple[AudioCompressor, dict[str, bytes]]:
    """Return a model of one channel, and a stream of sounds of unequal lengths."""
    random = np.random.default_rng(2)
    sounds = [(9000 * x[:, 0]).astype(np.int16) for x in made(random, 9, 600, 1)]
    model = AudioCompressor(
        sample_rate=11_025, hop_length=16, segment_duration=0.02, random_state=0
    ).fit(sounds[:6])
    clips = [sounds[6][:200], sounds[7][:1], sounds[8][:95]]
    return model, {"clips": model.compress_dataset(clips, quality=60)}


def main() -> None:
    torch.set_num_threads(1)
    for make in (mono, stereo, unequal):
        folder = HERE / "audio" / make.__name__
        if (folder / "model.npz").exists():
            continue
        model, streams = make()
        folder.mkdir(exist_ok=True, parents=True)
        np.savez_compressed(folder / "model.npz", **model_arrays(model))
        sounds = {}
        for name, stream in streams.items():
            (folder / f"{name}.skae").write_bytes(stream)
            decoded = model.decompress([stream])
            are_equal = len({len(sound) for sound in decoded}) == 1
            sounds[name] = np.stack(decoded) if are_equal else np.concatenate(decoded)
            print(name, len(stream), sounds[name].shape, f"{zlib.crc32(stream):08x}")
        np.savez_compressed(folder / "sounds.npz", **sounds)


if __name__ == "__main__":
    main()
