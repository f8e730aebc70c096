"""100,000 damaged streams of images, and of sounds, end in BitstreamError or in what is right.

Streams of single signals and of data sets are damaged by flipped bits, by cuts (at the end or in
the middle) and by splices (the start of one stream before the end of another, at any byte or at a
border of chunks). Columns: how many ended in BitstreamError, in the signal of an undamaged stream,
in another one, or in anything else (targets: 0 of both), and the longest time to decode, divided by
the median of the undamaged streams (target: 10; CPU seconds, one thread).

The rows "forged" and "headers" are harder, and not counted among the 100,000: bits are flipped
inside of chunks, or a number of the header is changed, and the checksums made to fit, so that
another signal is what they ask for. Only anything else than a signal or BitstreamError is wrong
there, and in the rows "concealed", that read sounds with ``errors="conceal"``.

data: the digits of scikit-learn, one by one, in data sets with chunks of 256 and of 8, and gray
ones for a model of colored ones; made sounds of half a second, one by one and in data sets.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from _report import write_table
from sklearn.datasets import load_digits

from skae.coding import pack, unpack
from skae.compression import AudioCompressor, BitstreamError, ImageCompressor
from skae.compression._audio_header import AudioHeader
from skae.compression._image_streams import ImageHeader

HEADERS = {header.magic: header for header in (AudioHeader, ImageHeader)}

Damage = Callable[[np.random.Generator, list[bytes], int], bytes]


def flips(random: np.random.Generator, streams: list[bytes], which: int) -> bytes:
    stream = bytearray(streams[which])
    for place in random.integers(8 * len(stream), size=random.integers(1, 9)):
        stream[place // 8] ^= 1 << place % 8
    return bytes(stream)


def cuts(random: np.random.Generator, streams: list[bytes], which: int) -> bytes:
    stream = streams[which]
    start, stop = np.sort(random.integers(len(stream) + 1, size=2))
    return stream[:start] + (stream[stop:] if random.random() < 0.5 else b"")


def splices(random: np.random.Generator, streams: list[bytes], which: int) -> bytes:
    first, second = streams[which], streams[random.integers(len(streams))]
    kind = random.integers(3)
    if kind == 0:
        return first[: random.integers(len(first) + 1)] + second[random.integers(len(second) + 1) :]
    if kind == 1:
        place = random.integers(len(first) + 1)
        return first[:place] + second[place:]
    starts, others = borders(first), borders(second)
    place = random.integers(min(len(starts), len(others)))
    return first[: starts[place]] + second[others[place] :]


def forged(random: np.random.Generator, streams: list[bytes], which: int) -> bytes:
    header, chunks = unpack(streams[which], kind_of(streams[which]))
    damaged = random.integers(len(chunks))
    chunks[damaged] = flips(random, chunks, damaged)
    return pack(header, chunks)


def headers(random: np.random.Generator, streams: list[bytes], which: int) -> bytes:
    header, chunks = unpack(streams[which], kind_of(streams[which]))
    name = random.choice([name for name in vars(header) if name not in ("dtype", "fingerprint")])
    old = getattr(header, name)
    near = [old - 1, old + 1, 2 * old, old // 2, 8 * old]
    value = int(random.choice([*near, *(2**n for n in (8, 12, 16, 24, 32, 62))]))
    changes = {name: max(value, 0) % 2 if name == "kind" else max(value, 0)}
    if random.random() < 0.2:
        changes["dtype"] = str(random.choice(header.dtypes))
    return pack(replace(header, **changes), chunks)


def kind_of(stream: bytes) -> Any:
    """Return the kind of header that a stream has."""
    return HEADERS[stream[:4]]


def borders(stream: bytes) -> list[int]:
    """Return where the header and each chunk end."""
    header, chunks = unpack(stream, kind_of(stream))
    return [len(pack(header, chunks[:n])) for n in range(len(chunks) + 1)]


def read(model: Any, stream: bytes, conceals: bool, **params: Any) -> bytes:
    """Return the values of a stream."""
    if conceals:
        return np.stack(model.decompress([stream], errors="conceal", **params)).tobytes()
    return np.stack(model.decompress_dataset(stream, **params)).tobytes()


def count(
    model: Any, streams: list[bytes], damage: Damage, n: int, seed: int, conceals: bool = False
) -> dict[str, Any]:
    """Damage streams in turn and count how that ends."""
    times, right = [], set()
    for stream in streams:
        start = time.process_time()
        right.add(read(model, stream, conceals))
        times.append(time.process_time() - start)
    most = max(map(len, right))
    ends = {"error": 0, "right": 0, "other": 0, "anything_else": 0}
    longest = 0.0
    random = np.random.default_rng(seed)
    for i in range(n):
        which = i % len(streams)
        stream = damage(random, streams, which)
        start = time.process_time()
        try:
            end = "right" if read(model, stream, conceals, max_values=most) in right else "other"
        except BitstreamError:
            end = "error"
        except Exception as error:
            end = "anything_else"
            print(f"{damage.__name__}, seed {seed}, number {i}: {error!r}")
        longest = max(longest, time.process_time() - start)
        ends[end] += 1
    return {"streams": n, **ends, "longest_vs_normal": longest / float(np.median(times))}


def made_sounds() -> np.ndarray:
    """Return tones that fade, and a little noise."""
    random, time_ = np.random.default_rng(0), np.arange(4000) / 8000
    pitch = random.uniform(100, 2000, (30, 1))
    sounds = 0.3 * np.sin(2 * np.pi * pitch * time_) * np.exp(-5 * time_)
    return (32_767 * (sounds + random.normal(0, 0.005, sounds.shape))).astype(np.int16)


def of_sounds() -> dict[str, tuple[AudioCompressor, list[bytes]]]:
    """Return a model, and streams of single sounds and of data sets."""
    sounds = made_sounds()
    params = {"sample_rate": 8000, "hop_length": 64, "segment_duration": 0.1, "random_state": 0}
    model = AudioCompressor(**params).fit(list(sounds[:15]))
    single = [
        stream
        for quality in (10, 50)
        for stream in model.compress(list(sounds[15:20]), quality=quality)
    ]
    sets = [
        model.compress_dataset(list(sounds[start : start + 5, :640]), quality=30, chunk_size=2)
        for start in (15, 20, 25)
    ]
    return {"sounds": (model, single), "sets of sounds": (model, sets)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", type=int, default=100_000, help="how many to damage")
    parser.add_argument("--forged", type=int, default=4_000, help="how many to forge, twice")
    args = parser.parse_args()
    torch.set_num_threads(1)

    digits = (load_digits().images * 15.9).astype(np.uint8)
    model, of_colors = (
        ImageCompressor(patch_shape=(4, 4), max_epochs=0, random_state=0).fit(X[:900])
        for X in (digits, np.stack([digits, digits[::-1], digits], -1))
    )
    streams = {
        "images": (
            model,
            [
                stream
                for quality in (10, 50, 90)
                for stream in model.compress(digits[900:920], quality=quality)
            ],
        ),
        "data sets": (
            model,
            [
                model.compress_dataset(digits[start : start + 300], quality=quality, chunk_size=n)
                for quality, n in ((10, None), (50, 8))
                for start in (900, 1200, 1450)
            ],
        ),
        "gray": (of_colors, of_colors.compress(digits[900:960])),
    }
    pictures, sounds = streams, of_sounds()
    rows: list[dict[str, Any]] = []
    for kinds in (pictures, sounds):
        for damage in (flips, cuts, splices, forged, headers):
            for i, (what, (model, some)) in enumerate(kinds.items()):
                is_hard = damage in (forged, headers)
                total = args.forged if is_hard else args.streams // 3
                # What the divisions leave goes to the first row.
                n = total // len(kinds) + (i == 0) * (total % len(kinds))
                n += args.streams % 3 if damage is flips and i == 0 else 0
                rows.append({"damage": damage.__name__, "of": what})
                rows[-1] |= count(model, some, damage, n, seed=len(rows))
    model, some = sounds["sounds"]
    for damage in (flips, cuts, splices):
        rows.append({"damage": damage.__name__, "of": "concealed"})
        rows[-1] |= count(model, some, damage, args.forged, len(rows), conceals=True)
    write_table("bitstream_fuzz", rows)


if __name__ == "__main__":
    main()
