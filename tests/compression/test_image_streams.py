"""Streams of images: their header and layout, and hostile ones whose checksums are right."""

import itertools
import pickle
import tracemalloc
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from skae.coding import (
    CODED,
    N_NUMBERS,
    RAW,
    BitstreamError,
    _entropy,
    pack,
    unpack,
    varint,
)
from skae.compression import ImageCompressor
from skae.compression._image_streams import ImageHeader

HEADER = ImageHeader(CODED, "uint8", 0xFEDCBA98, 3, 20, 30, 3, 2, 8, number=71)


@pytest.fixture(scope="module")
def digits():
    return (load_digits().data * 15.9).astype(np.uint8).reshape(-1, 8, 8)


@pytest.fixture(scope="module")
def model(digits):
    return ImageCompressor(patch_shape=(4, 4), max_epochs=0, random_state=0).fit(digits[:600])


@pytest.fixture(scope="module")
def header(model, digits):
    return unpack(model.compress_dataset(digits[600:700]), ImageHeader)[0]


@pytest.fixture(scope="module")
def chunk(model, digits):
    return unpack(model.compress_dataset(digits[600:700]), ImageHeader)[1][0]


def is_error_or_picture(model, stream, shape):
    """Tell whether a stream is refused; anything but that or a picture is an error."""
    try:
        decoded = model.decompress_dataset(stream)
    except BitstreamError:
        return True
    assert decoded.shape == shape
    assert decoded.dtype == np.uint8
    return False


# ------------------------------------------------------------------ round trips


@pytest.mark.parametrize(
    "changes",
    [
        {},
        *({"dtype": dtype} for dtype in ImageHeader.dtypes),
        *({"fingerprint": f} for f in (0, 1, 2**32 - 1)),
        *({"number": q} for q in (0, 127, 128, 2**40)),
        {"n_images": 1, "n_together": 1},
        {"n_images": 128, "n_together": 300},
        {"height": 1, "width": 129},
        {"channels": 4},
        {"tile": 2**20},
    ],
)
def test_header_round_trip(changes):
    header = replace(HEADER, **changes)
    stream = header.to_bytes() + bytes(10_000)
    assert ImageHeader.from_bytes(stream) == (header, len(header.to_bytes()))


def test_every_byte_of_the_header_is_documented():
    expected = b"\x89SKI" + bytes([1, 1, 0]) + bytes.fromhex("98badcfe")
    expected += bytes([3, 20, 30, 3, 71, 2, 8])
    expected += zlib.crc32(expected).to_bytes(4, "little")
    assert HEADER.to_bytes() == expected


# ------------------------------------------------------------------ hostile headers

HOSTILE = [
    *({name: 0} for name in ("n_images", "height", "width", "channels", "n_together", "tile")),
    *(
        {name: value}
        for name in ("n_images", "height", "width", "channels")
        for value in (2**24, 2**40, 2**62)
    ),
    *({"n_together": value} for value in (1, 99, 101, 256, 2**30, 2**62)),
    *({"tile": value} for value in (1, 4, 8, 511, 1024, 2**20, 2**40, 2**62)),
    *({"number": value} for value in (N_NUMBERS, 255, 2**40, 2**62)),
    {"n_images": 2**30, "height": 1, "width": 1, "n_together": 2**30},
    {"n_images": 2**30, "height": 1, "width": 1, "n_together": 256},
    {"n_images": 1, "n_together": 1, "height": 2**15, "width": 2**15, "tile": 2**15},
    {"n_images": 1, "n_together": 1, "height": 2**15, "width": 2**15},
    {"n_images": 1, "n_together": 1, "height": 2**30, "width": 1},
    {"n_images": 1, "n_together": 1, "height": 1, "width": 2**30, "tile": 2**30},
    {"n_images": 1, "n_together": 1, "height": 1, "width": 1, "channels": 2**30},
    {"channels": 3},
    {"dtype": "uint16"},
    {"dtype": "float32"},
    {"dtype": "float64"},
    {"fingerprint": 1},
]


@pytest.mark.parametrize("changes", HOSTILE, ids=str)
def test_hostile_header(model, header, chunk, changes):
    hostile = replace(header, **changes)
    tracemalloc.start()
    with pytest.raises(BitstreamError):
        model.decompress([pack(hostile, [chunk])])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**22


@pytest.mark.parametrize("changes", HOSTILE, ids=str)
def test_hostile_raw_header(model, header, changes):
    names = ("kind", "dtype", "fingerprint", "n_images", "height", "width", "channels")
    changes = {name: value for name, value in changes.items() if name in names}
    hostile = ImageHeader(RAW, *(changes.get(name, getattr(header, name)) for name in names[1:]))
    is_changed = hostile != ImageHeader(RAW, *(getattr(header, name) for name in names[1:]))
    stream = pack(hostile, [bytes(100 * 64)])
    if is_changed:
        with pytest.raises(BitstreamError):
            model.decompress([stream])
    else:
        np.testing.assert_array_equal(model.decompress([stream]), 0)


@pytest.mark.parametrize(
    ("header", "what"),
    [
        (replace(HEADER, n_images=2**60, height=2**60), "chunks don't fit into"),
        (replace(HEADER, tile=1), "chunks don't fit into"),
        (replace(HEADER, tile=0), "sizes must be positive"),
    ],
)
def test_counts_that_do_not_fit(header, what):
    with pytest.raises(BitstreamError, match=what):
        ImageHeader.from_bytes(header.to_bytes())


def with_checksum(start):
    return start + zlib.crc32(start).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("place", "value", "what"),
    [
        (0, 0, "starts with"),
        (4, 0, "version 0 is not known; this program reads 1"),
        (4, 2, "version 2"),
        (5, 2, "kind 2"),
        (5, 255, "kind 255"),
        (6, 4, "dtype 4"),
        (6, 255, "dtype 255"),
        (11, 255, "the header"),
    ],
)
def test_unknown_first_bytes(place, value, what):
    start = bytearray(HEADER.to_bytes()[:-4])
    start[place] = value
    with pytest.raises(BitstreamError, match=what):
        ImageHeader.from_bytes(with_checksum(bytes(start)) + bytes(1000))


@pytest.mark.parametrize("n_bytes", range(len(HEADER.to_bytes())))
def test_header_that_ends(n_bytes):
    with pytest.raises(BitstreamError):
        ImageHeader.from_bytes(HEADER.to_bytes()[:n_bytes])


def test_number_that_does_not_end(header):
    start = header.to_bytes()[:11] + b"\xff" * 100
    with pytest.raises(BitstreamError, match="the number at byte 11 is too long"):
        ImageHeader.from_bytes(with_checksum(start))


def test_wrong_number_of_chunks(model, header, chunk):
    with pytest.raises(BitstreamError, match="bytes follow the last chunk"):
        model.decompress([pack(header, [chunk, chunk])])
    with pytest.raises(BitstreamError, match="chunk 0 of 1: the stream ends"):
        model.decompress([pack(header, [])])
    raw = ImageHeader(RAW, "uint8", header.fingerprint, 100, 8, 8, 1)
    with pytest.raises(BitstreamError, match="bytes follow the last chunk"):
        model.decompress([pack(raw, [bytes(6400), b""])])


@pytest.mark.parametrize("n_bytes", [0, 1, 6399, 6401, 12800])
def test_raw_data_of_wrong_length(model, header, n_bytes):
    raw = ImageHeader(RAW, "uint8", header.fingerprint, 100, 8, 8, 1)
    with pytest.raises(BitstreamError, match=f"{n_bytes} bytes of raw data, but 6400 values"):
        model.decompress([pack(raw, [bytes(n_bytes)])])


@pytest.mark.parametrize("shape", [(1, 1), (1, 127), (200, 301), (3, 20_000)])
def test_no_stream_is_much_larger_than_raw_data(model, shape):
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    (stream,) = model.compress([noise], quality=100)
    assert len(stream) <= noise.nbytes + 32
    assert model.decompress([stream])[0].shape == shape


def test_largest_raw_header():
    for n_bits in itertools.product(range(31), repeat=4):
        if sum(n_bits) <= 30:
            header = ImageHeader(RAW, "float64", 2**32 - 1, *(2**n for n in n_bits))
            assert len(header.to_bytes() + varint(8 * header.n_values)) + 4 <= 32


# ------------------------------------------------------------------ hostile chunks


@pytest.fixture(params=["constriction", "numpy"])
def coder(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(_entropy, "constriction", None)


def of_words(n_groups, words, escapes=b""):
    words = np.asarray(words, "<u4")
    return bytes([n_groups]) + varint(len(words)) + words.tobytes() + escapes


@pytest.mark.parametrize("n_bytes", [1, 2, 3, 10, 1000])
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.usefixtures("coder")
def test_random_chunk(model, header, n_bytes, seed):
    chunk = np.random.default_rng(seed).bytes(n_bytes)
    assert is_error_or_picture(model, pack(header, [chunk]), (100, 8, 8))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.usefixtures("coder")
def test_random_words(model, header, seed):
    random = np.random.default_rng(seed)
    words = random.integers(1, 2**32, 10 * seed)
    chunk = of_words(random.integers(len(model._codec.network.contexts.groups) + 1), words)
    is_error_or_picture(model, pack(header, [chunk + random.bytes(seed)]), (100, 8, 8))


@pytest.mark.parametrize("shape", [(1, 1), (8, 7), (9, 8), (8, 300)])
@pytest.mark.usefixtures("coder")
def test_chunk_of_another_size(model, header, chunk, shape):
    header = replace(header, height=shape[0], width=shape[1])
    is_error_or_picture(model, pack(header, [chunk]), (100, *shape))


@pytest.mark.parametrize(
    ("chunk", "what"),
    [
        (b"", "chunk 0 of 1: it is empty"),
        (b"\0", "ends inside of a number"),
        (b"\xff\0", "it has 127 groups of channels, the model 9"),
        (bytes(4), "behind the last symbol"),
        (b"\0" + varint(2**62), "it announces 4611686018427387904 words, but has 0 bytes"),
        (b"\3" + varint(3) + bytes(11), "it announces 3 words, but has 11 bytes"),
        (of_words(3, [1, 0]), "last word is zero"),
        (of_words(0, [1]), "behind the last symbol"),
        (of_words(0, [], b"\0"), "behind the last symbol"),
        (of_words(9, np.arange(1, 90_000)), "behind the last symbol"),
    ],
)
@pytest.mark.usefixtures("coder")
def test_chunk_that_makes_no_sense(model, header, chunk, what):
    with pytest.raises(BitstreamError, match=what):
        model.decompress([pack(header, [chunk])])


@pytest.mark.parametrize("n_bytes", [2, 3, 5, 100, 10_000])
@pytest.mark.usefixtures("coder")
def test_zeros(model, header, n_bytes):
    refused = is_error_or_picture(model, pack(header, [bytes(n_bytes)]), (100, 8, 8))
    assert refused == (n_bytes > 2)


@pytest.mark.usefixtures("coder")
def test_no_groups_are_the_mean_picture(model, header):
    decoded = model.decompress([pack(header, [of_words(0, [])])])
    np.testing.assert_array_equal(decoded, decoded[:1].repeat(100, 0))


def of_integers(model, magnitude, seed):
    """Return a well-formed chunk of integers of random signs that no picture has."""
    random = np.random.default_rng(seed)
    encoder = _entropy.Encoder()
    codec = model._codec

    def code(channels, squares, means, which):
        integers = magnitude * random.choice([-1, 1], which.shape)
        encoder.put(integers, codec._tables, which.byte().numpy())
        return torch.from_numpy(integers)

    codec._walk((2, 2, 2, 16), 56, code)
    return bytes([len(codec.network.contexts.groups)]) + encoder.finish()


@pytest.mark.parametrize("magnitude", [1, 100, 10**5, 2**24, 2**31 - 1, 2**31, 2**40, 2**61])
@pytest.mark.usefixtures("coder")
def test_huge_symbols(model, header, magnitude):
    header = replace(header, n_images=2, n_together=2)
    for seed in range(3):
        stream = pack(header, [of_integers(model, magnitude, seed)])
        refused = is_error_or_picture(model, stream, (2, 8, 8))
        assert refused == (magnitude >= 2**31)


def test_numbers_out_of_range(digits, header):
    model = ImageCompressor(patch_shape=(4, 4), max_epochs=0, random_state=0).fit(digits[:600])
    model._codec.network.transform.synthesis.data *= 1e37
    model.fingerprint_ = model._streams_of(model._codec).fingerprint
    header = replace(header, n_images=2, n_together=2, fingerprint=model.fingerprint_)
    with pytest.raises(BitstreamError, match="chunk 0 of 1: its numbers are out of range"):
        model.decompress([pack(header, [of_integers(model, 2**31 - 1, 0)])])


# ------------------------------------------------------------------ fingerprints


def test_a_fingerprint_tells_ranges_apart(digits):
    """Models that differ in nothing but the range of values don't read each other's streams."""
    X = digits[:60].astype(np.float32)
    first, second = (
        ImageCompressor(patch_shape=(4, 4), max_epochs=0, random_state=0).fit(scale * X)
        for scale in (1, 4)
    )
    networks = [model._codec.network.state_dict() for model in (first, second)]
    assert all(torch.equal(networks[0][name], networks[1][name]) for name in networks[0])
    assert first._codec.fingerprint() == second._codec.fingerprint()
    with pytest.raises(BitstreamError, match="was written by the model"):
        second.decompress(first.compress(X[:1]))


def test_the_rule_of_fingerprints(model):
    checksum = 0
    tables = model._codec.tables
    for array in (
        *(tensor.detach().numpy() for tensor in model._codec.network.stream_tensors()),
        tables.weights,
        tables.centroids,
        tables.tables,
        np.array([0, 255], "<f8"),
        np.array([0, 1, 4, 4], np.uint8),
    ):
        checksum = zlib.crc32(array.tobytes(), checksum)
    assert model.fingerprint_ == checksum


def damaged_weights(model):
    with torch.no_grad():
        model.module_.transform.synthesis[0, 0] += 1e-4


def damaged_tables(model):
    model._tables.centroids[3, 1] += 1e-9


def damaged_range(model):
    model._range = 0.0, 15.0


def another_fingerprint(model):
    model.fingerprint_ ^= 1


@pytest.mark.parametrize(
    "damage", [damaged_weights, damaged_tables, damaged_range, another_fingerprint]
)
def test_a_damaged_model_is_not_loaded(model, damage):
    twin = pickle.loads(pickle.dumps(model))
    damage(twin)
    stored = pickle.dumps(twin)
    with pytest.raises(ValueError, match="ImageCompressor is damaged: it was stored as the model"):
        pickle.loads(stored)
