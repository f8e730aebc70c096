"""Streams of sounds: their header and layout, fingerprints, and damaged ones."""

import pickle
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from skae.coding import CODED, RAW, BitstreamError, pack, unpack
from skae.compression import inspect_stream
from skae.compression._audio_header import AudioHeader

HEADER = AudioHeader(CODED, "float32", 0xFEDCBA98, 3, 500, 2, 8_000_000, 2, 64, 16, number=71)


def test_every_byte_of_the_header():
    expected = b"\x89SKA" + bytes([1, 1, 2]) + bytes.fromhex("98badcfe")
    expected += bytes([3, 2, 0x80, 0xA4, 0xE8, 0x03, 71, 2, 64, 16])
    expected += zlib.crc32(expected).to_bytes(4, "little")
    assert HEADER.to_bytes() == expected


def test_the_end_tells_the_length():
    chunks = [b"a", b"bc"]
    stream = pack(HEADER, chunks)
    assert AudioHeader.from_bytes(stream) == (HEADER, len(HEADER.to_bytes()))
    assert unpack(stream, AudioHeader) == (HEADER, chunks)
    for i in range(8 * len(stream)):
        damaged = bytearray(stream)
        damaged[i // 8] ^= 1 << i % 8
        with pytest.raises(BitstreamError):
            unpack(bytes(damaged), AudioHeader)
    for stop in range(len(stream)):
        with pytest.raises(BitstreamError):
            unpack(stream[:stop], AudioHeader)


def test_what_a_stream_holds(of_stereo, stereo):
    (stream,) = of_stereo.compress(stereo[3:], quality=50)
    n = len(stereo[3])
    assert inspect_stream(stream) == {
        "n_signals": 1,
        "n_samples": n,
        "n_channels": 2,
        "sample_rate": 16_000.0,
        "seconds": n / 16_000,
        "dtype": "float32",
        "quality": 50.0,
        "kbps": len(stream) / 125 / (n / 16_000),
        "n_chunks": -(-(-(-n // 32) + 1) // of_stereo._n_frames),
        "fingerprint": of_stereo.fingerprint_,
    }
    raw = of_stereo._streams.raw(unpack(stream, AudioHeader)[0], stereo[3:])
    assert inspect_stream(raw)["quality"] is None


@pytest.mark.parametrize("seed", range(300))
def test_damage_is_noticed(of_stereo, stereo, seed):
    random = np.random.default_rng(seed)
    streams = [*of_stereo.compress(stereo[2:]), of_stereo.compress_dataset([stereo[3][:500]] * 2)]
    stream = bytearray(streams[seed % 3])
    kind = seed // 3 % 4
    start, stop = np.sort(random.integers(0, len(stream), 2))
    if kind == 0:
        stream[start] ^= 1 << random.integers(8)
    elif kind == 1:
        del stream[start:]
    elif kind == 2:
        del stream[start : stop + 1]
    else:
        other = streams[(seed + 1) % 3]
        stream = stream[:stop] + other[min(start, len(other) - 1) :]
    assert bytes(stream) not in streams
    with pytest.raises(BitstreamError):
        of_stereo.decompress_dataset(bytes(stream))


@pytest.mark.parametrize("seed", range(40))
def test_forged_chunks_are_errors_or_sounds(of_stereo, stereo, seed):
    random = np.random.default_rng(seed)
    header, chunks = unpack(of_stereo.compress(stereo[3:])[0], AudioHeader)
    which = random.integers(len(chunks))
    chunk = bytearray(chunks[which])
    for _ in range(random.integers(1, 4)):
        chunk[random.integers(1, len(chunk))] ^= 1 << random.integers(8)
    chunks[which] = bytes(chunk)
    stream = pack(header, chunks)
    try:
        (decoded,) = of_stereo.decompress([stream])
    except BitstreamError:
        (decoded,) = of_stereo.decompress([stream], errors="conceal")
    assert decoded.shape == stereo[3].shape
    assert np.isfinite(decoded).all()


@pytest.mark.parametrize(
    "changes",
    [
        {"n_samples": 2**40},
        {"n_signals": 2**40},
        {"n_signals": 2, "n_together": 3},
        {"n_channels": 2**20},
        {"n_frames": 2**60},
        {"hop_length": 2**60},
        {"n_together": 2**60},
        {"number": 113},
        {"millihertz": 1},
        {"dtype": "int16", "fingerprint": 0},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [CODED, RAW])
def test_hostile_headers(of_stereo, stereo, changes, kind):
    header, chunks = unpack(of_stereo.compress(stereo[3:])[0], AudioHeader)
    names = ("dtype", "fingerprint", "n_signals", "n_samples", "n_channels", "millihertz")
    if kind == RAW:
        changes = {name: value for name, value in changes.items() if name in names}
        header, chunks = replace(header, kind=RAW, hop_length=1), [stereo[3].tobytes()]
    stream = pack(replace(header, **changes), chunks)
    if changes:
        with pytest.raises(BitstreamError):
            of_stereo.decompress_dataset(stream)
    else:
        assert of_stereo.decompress([stream])[0].tobytes() == stereo[3].tobytes()


def test_chunks_tell_their_numbers(of_stereo, stereo):
    header, chunks = unpack(of_stereo.compress(stereo[3:])[0], AudioHeader)
    with pytest.raises(BitstreamError, match="chunk 0 is not where it was written"):
        of_stereo.decompress([pack(header, [chunks[1], chunks[0], *chunks[2:]])])


# ------------------------------------------------------------------ fingerprints


def test_the_rule_of_fingerprints(of_stereo):
    network, tables = of_stereo._codec.network, of_stereo._codec.tables
    contexts = network.contexts
    numbers = [of_stereo._scale, *of_stereo._location, *network.constants]
    checksum = 0
    for array in (
        *(x.numpy() for x in (network.unit, network.rotation, network.envelope.parts)),
        *(x.numpy() for x in (contexts.scales, contexts.middle, contexts.beside)),
        tables.weights,
        tables.centroids,
        tables.tables,
        np.array(numbers, "<f8"),
        np.array([32, 2, 0x80, 0xC8, 0xD0, 0x07, network.envelope.n_frames], np.uint8),
    ):
        checksum = zlib.crc32(array.tobytes(), checksum)
    assert of_stereo.fingerprint_ == checksum


def damaged_weights(model):
    with torch.no_grad():
        model.module_.contexts.middle[0, 0] += 1


def damaged_tables(model):
    model._tables.centroids[3, 1] += 1e-9


def damaged_scale(model):
    model._scale *= 1.1


def damaged_rate(model):
    model.sample_rate_ += 1


@pytest.mark.parametrize("damage", [damaged_weights, damaged_tables, damaged_scale, damaged_rate])
def test_a_damaged_model_is_not_loaded(of_stereo, damage):
    twin = pickle.loads(pickle.dumps(of_stereo))
    damage(twin)
    stored = pickle.dumps(twin)
    with pytest.raises(ValueError, match="AudioCompressor is damaged: it was stored as the model"):
        pickle.loads(stored)
