"""Sounds that are written and read piece by piece, and what is left of damaged ones."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from skae.coding import RAW, BitstreamError, Framing, pack, unpack, varint
from skae.compression import AudioCompressor, inspect_stream
from skae.compression._audio_header import AudioHeader
from skae.metrics import si_sdr

from .conftest import made_sounds


def written(model, x, sizes, quality=None):
    """Return what an encoder writes of pieces of some sizes, in turn."""
    encoder, stream, start, i = model.encoder(quality), b"", 0, 0
    while start < len(x):
        size = sizes[i % len(sizes)]
        stream += encoder.push(x[start : start + size])
        start, i = start + size, i + 1
    return stream + encoder.flush()


def read(model, stream, size, errors="raise"):
    """Return what a decoder makes of pieces of a size, and how much it has concealed."""
    decoder = model.decoder(errors=errors)
    parts = [decoder.push(stream[i : i + size]) for i in range(0, len(stream), size)]
    return np.concatenate([*parts, decoder.flush()]), decoder.n_concealed_


@pytest.fixture(scope="module")
def stream(of_sounds, sounds):
    return of_sounds.compress(sounds[3:])[0]


@pytest.fixture(scope="module")
def decoded(of_sounds, stream):
    return of_sounds.decompress([stream])[0]


@pytest.fixture(scope="module")
def parts(stream):
    """The header, the chunks with what stands around them, and the end."""
    header, chunks = unpack(stream, AudioHeader)
    start, parts = len(header.to_bytes()), [header.to_bytes()]
    for chunk in chunks:
        length = len(varint(len(chunk))) + len(chunk) + 4
        parts.append(stream[start : start + length])
        start += length
    return [*parts, stream[start:]]


@pytest.fixture(scope="module")
def segment(of_sounds):
    """Number of samples of a segment."""
    return of_sounds._n_frames * of_sounds.hop_length_


# ------------------------------------------------------------------ whole sounds


@pytest.mark.parametrize("sizes", [[1, 0, 999], [64], [2047], [2048], [5000], [9999]])
def test_pieces_are_written_as_the_whole(of_sounds, sounds, stream, sizes):
    assert written(of_sounds, sounds[3], sizes) == stream


@pytest.mark.parametrize("n_samples", [1, 5, 63, 64, 1984, 1985, 2048, 4032, 4033])
def test_any_length_is_written_as_the_whole(of_sounds, sounds, n_samples):
    x = sounds[3][:n_samples]
    (expected,) = of_sounds.compress([x], quality=90)
    assert written(of_sounds, x, [700], quality=90) == expected
    found, _ = read(of_sounds, expected, 300)
    np.testing.assert_array_equal(found, of_sounds.decompress([expected])[0])


def test_channels_and_noise(of_stereo, stereo):
    noise = np.random.default_rng(0).standard_normal((40, 2)).astype(np.float32) * 1000
    for x in (stereo[3], noise):
        (expected,) = of_stereo.compress([x], quality=100)
        assert written(of_stereo, x, [33], quality=100) == expected
        found, _ = read(of_stereo, expected, 17)
        np.testing.assert_array_equal(found, of_stereo.decompress([expected])[0])
    assert unpack(expected, AudioHeader)[0].kind == RAW


def test_noise_that_goes_on_takes_no_more_than_is_said(of_sounds):
    noise = 2000 * np.random.default_rng(0).standard_normal(8000).astype(np.float32)
    stream = written(of_sounds, noise, [999], quality=100)
    n_frames, n_levels = 8000 // 64 + 1, of_sounds._codec.network.contexts.first_bin
    n_numbers = n_frames * 64 + -(-n_frames // 2) * n_levels
    n_segments = inspect_stream(stream)["n_chunks"]
    assert len(stream) < 8 * n_numbers + 15 * n_segments + 64


@pytest.mark.parametrize("size", [1, 100, 1000, 10**6])
@pytest.mark.parametrize("errors", ["raise", "conceal"])
def test_pieces_are_read_as_the_whole(of_sounds, stream, decoded, size, errors):
    found, n_concealed = read(of_sounds, stream, size, errors)
    np.testing.assert_array_equal(found, decoded)
    assert n_concealed == 0


def test_samples_come_as_soon_as_they_can(of_sounds, parts, segment):
    decoder, n = of_sounds.decoder(), []
    for part in parts:
        n.append(len(decoder.push(part)))
    # Whether a segment is the last is known by what follows.
    assert n == [0, 0, segment - 64, *[segment] * (len(parts) - 4), 8000 - sum(n[:-1])]


def test_what_encoders_refuse(of_sounds, of_stereo, sounds, stereo):
    encoder = of_sounds.encoder()
    with pytest.raises(ValueError, match="no samples were pushed"):
        encoder.flush()
    encoder.push(sounds[0][:10])
    with pytest.raises(ValueError, match="samples have dtype float64, those before int16"):
        encoder.push(sounds[0][:10] / 1.0)
    with pytest.raises(ValueError, match="samples have 2 channels, but the model 1"):
        encoder.push(np.zeros((5, 2), np.int16))
    with pytest.raises(ValueError, match="contains nan"):
        of_stereo.encoder().push([[1, np.nan]])
    encoder.flush()
    for late in (encoder.flush, lambda: encoder.push(sounds[0])):
        with pytest.raises(ValueError, match="the encoder was flushed"):
            late()
    for quality in (-1, 101, "high"):
        with pytest.raises(ValueError, match="quality"):
            of_sounds.encoder(quality)
    with pytest.raises(ValueError, match="errors='ignore' must be"):
        of_sounds.decoder(errors="ignore")


def test_memory_does_not_grow_with_the_sound(of_sounds, sounds):
    def peak(n):
        encoder, decoder = of_sounds.encoder(20), of_sounds.decoder()
        tracemalloc.start()
        for _ in range(n):
            decoder.push(encoder.push(sounds[0]))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)
    assert peak(8) < 1.5 * peak(3)


# ------------------------------------------------------------------ damage


def places(parts, number):
    """Return a byte of the length, the payload and the checksum of a chunk."""
    start = sum(map(len, parts[:number]))
    length = len(parts[number])
    return {
        "length": start,
        "number": start + 2,
        "payload": start + length // 2,
        "checksum": start + length - 2,
    }


@pytest.mark.parametrize("where", ["length", "number", "payload", "checksum"])
@pytest.mark.parametrize("value", [0, 1, 0x7F, 0x80, 0xFF])
@pytest.mark.parametrize("size", [50, 10**6])
def test_damage_costs_a_segment(of_sounds, stream, decoded, parts, segment, where, value, size):
    for number in (1, 3, len(parts) - 2):
        place = places(parts, number)[where]
        damaged = bytearray(stream)
        damaged[place] ^= value or damaged[place] or 1
        found, n_concealed = read(of_sounds, bytes(damaged), size, "conceal")
        assert n_concealed == 1
        assert found.shape == decoded.shape
        first = (number - 1) * segment - 64
        np.testing.assert_array_equal(found[: max(first - 64, 0)], decoded[: max(first - 64, 0)])
        np.testing.assert_array_equal(
            found[first + segment + 64 :], decoded[first + segment + 64 :]
        )
        assert not found[max(first, 0) + 64 : first + segment - 64].any()
        for errors in (lambda s: of_sounds.decompress([s]), lambda s: read(of_sounds, s, size)):
            with pytest.raises(BitstreamError):
                errors(bytes(damaged))


@pytest.mark.parametrize("size", [200, 10**6])
@pytest.mark.parametrize("missing", [[1], [2], [2, 3], [1, 3], [4], [1, 2, 3, 4]])
def test_missing_segments_cost_no_others(of_sounds, decoded, parts, segment, missing, size):
    some = b"".join(part for i, part in enumerate(parts) if i not in missing)
    found, n_concealed = read(of_sounds, some, size, "conceal")
    assert n_concealed == len(missing)
    assert found.shape == decoded.shape
    for i in {1, 2, 3, 4} - set(missing):
        start = max((i - 1) * segment - 64, 0) + 64
        here = np.s_[start : start + segment - 192]
        np.testing.assert_array_equal(found[here], decoded[here])
    with pytest.raises(BitstreamError):
        read(of_sounds, some, size)


def test_segments_that_come_twice_or_late(of_sounds, decoded, parts):
    head, a, b, c, d, end = parts
    for order in ([a, b, b, c, d], [a, b, a, c, d], [a, a, b, c, d]):
        stream = b"".join([head, *order, end])
        found, n_concealed = read(of_sounds, stream, 300, "conceal")
        np.testing.assert_array_equal(found, decoded)
        assert n_concealed == 0
        with pytest.raises(BitstreamError):
            read(of_sounds, stream, 300)
    found, n_concealed = read(of_sounds, b"".join([head, a, c, b, d, end]), 300, "conceal")
    assert n_concealed == 1


def test_segments_of_another_sound_are_noticed(of_sounds, sounds, parts):
    """They have the same header, as they don't say how long they are."""
    (other,) = of_sounds.compress(sounds[2:3])
    header, chunks = unpack(other, AudioHeader)
    assert header.to_bytes() == parts[0]
    framing = Framing(header)
    foreign = [framing.framed(bytes(chunk)) for chunk in chunks]
    for mixed in ([*parts[:3], *foreign[2:], parts[-1]], [parts[0], foreign[0], *parts[2:]]):
        stream = b"".join(mixed)
        with pytest.raises(BitstreamError, match="chunks are not those that its end was written"):
            of_sounds.decompress([stream])
        with pytest.raises(BitstreamError, match="segments are not those that its end was written"):
            read(of_sounds, stream, 300)


@pytest.mark.parametrize("size", [100, 10**6])
def test_cut_streams(of_sounds, stream, decoded, parts, segment, size):
    borders = np.cumsum([len(part) for part in parts])
    for stop in [*borders[:-1], *(borders[:-1] + 5), len(stream) - 1]:
        some = stream[:stop]
        with pytest.raises(BitstreamError):
            of_sounds.decompress([some])
        with pytest.raises(BitstreamError):
            read(of_sounds, some, size)
        n_whole = int((borders[1:-1] <= stop).sum())
        found, n_concealed = read(of_sounds, some, size, "conceal")
        # Without the end, nobody knows that the last segment is short.
        n_right = min(n_whole, 3)
        assert n_concealed == n_whole - n_right
        assert len(found) == max(n_whole * segment - 64, 0)
        right = max(n_right * segment - 128, 0)
        np.testing.assert_array_equal(found[:right], decoded[:right])
    with pytest.raises(BitstreamError, match="nothing is left of the stream but its header"):
        of_sounds.decompress([stream[: borders[0]]], errors="conceal")


@pytest.mark.parametrize("errors", ["raise", "conceal"])
def test_damaged_headers(of_sounds, stream, parts, errors):
    for place in range(len(parts[0])):
        damaged = bytearray(stream)
        damaged[place] ^= 0x41
        for size in (7, 10**6):
            with pytest.raises(BitstreamError):
                read(of_sounds, bytes(damaged), size, errors)
    for stop in range(len(parts[0])):
        with pytest.raises(BitstreamError, match="the stream ends in its header"):
            read(of_sounds, stream[:stop], 10**6, errors)


def test_what_follows_the_end(of_sounds, stream, decoded):
    with pytest.raises(BitstreamError, match="3 bytes follow the end of the stream"):
        read(of_sounds, stream + b"abc", 10**6)
    np.testing.assert_array_equal(read(of_sounds, stream + b"abc", 100, "conceal")[0], decoded)


def test_garbage_between_segments(of_sounds, decoded, parts):
    random = np.random.default_rng(0)
    stream = b"".join(part + random.bytes(300) for part in parts)
    for size in (50, 10**6):
        found, n_concealed = read(of_sounds, stream, size, "conceal")
        np.testing.assert_array_equal(found, decoded)
        assert n_concealed == 0


def test_samples_that_are_stored(of_sounds):
    noise = np.random.default_rng(0).integers(-(2**15), 2**15, 100, np.int16)
    header = of_sounds._streams.header(1, 100, noise.dtype, 50)
    stream = of_sounds._streams.raw(header, [noise])
    for size in (3, 10**6):
        for errors in ("raise", "conceal"):
            np.testing.assert_array_equal(read(of_sounds, stream, size, errors)[0], noise)
    n_before = len(stream) - 204
    for place in (len(stream) - 6, len(stream) - 1):
        damaged = stream[:place] + bytes([stream[place] ^ 1]) + stream[place + 1 :]
        with pytest.raises(BitstreamError, match="the samples are damaged"):
            read(of_sounds, damaged, 50)
        found, n_concealed = read(of_sounds, damaged, 50, "conceal")
        assert (found.shape, found.any(), n_concealed) == ((100,), False, 1)
    found, n_concealed = read(of_sounds, stream[: n_before + 51], 50, "conceal")
    assert (found.shape, n_concealed) == ((25,), 1)
    for errors in (of_sounds.decompress, lambda s: read(of_sounds, s[0], 50)):
        with pytest.raises(BitstreamError):
            errors([stream[:-1]])
        with pytest.raises(BitstreamError):
            errors([stream + b"!"])


# ------------------------------------------------------------------ hostile streams


@pytest.fixture
def framing(of_sounds):
    return Framing(of_sounds._streams.header(1, 1, np.dtype(np.int16), 50))


@pytest.mark.parametrize("errors", ["raise", "conceal"])
@pytest.mark.parametrize("claimed", [2**17, 2**30, 2**62])
def test_lengths_are_not_waited_for(of_sounds, framing, claimed, errors):
    decoder = of_sounds.decoder(errors=errors)
    decoder.push(framing.start)
    tracemalloc.start()
    if errors == "raise":
        with pytest.raises(BitstreamError, match="but it can't have more than"):
            decoder.push(varint(claimed) + bytes(100))
    else:
        for _ in range(10):
            decoder.push(varint(claimed) + bytes(1000))
        assert len(decoder.flush()) == 0
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**21


@pytest.mark.parametrize("n_samples", [0, 2**20, 2**40, 2**63])
def test_ends_that_claim_too_much(of_sounds, framing, n_samples):
    chunk = framing.framed(b"\0")
    stream = framing.start + chunk + framing.end(n_samples)
    tracemalloc.start()
    for errors in ("raise", "conceal"):
        decoder = of_sounds.decoder(errors=errors)
        with pytest.raises(BitstreamError, match=f"can't hold {n_samples} samples"):
            decoder.push(stream)
    with pytest.raises(BitstreamError):
        of_sounds.decompress([stream])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**21


def test_gaps_that_claim_too_much(of_sounds, framing):
    gaps = b"".join(framing.framed(bytes([100 * i % 256])) for i in range(1, 20))
    with pytest.raises(BitstreamError, match="more than max_values=100000"):
        of_sounds.decompress([framing.start + gaps], errors="conceal", max_values=10**5)


def test_raw_streams_that_claim_too_much(of_sounds):
    header = AudioHeader(RAW, "int16", of_sounds.fingerprint_, 1, 2**50, 1, 8_000_000)
    stream = pack(header, [bytes(100)])
    for errors in ("raise", "conceal"):
        decoder = of_sounds.decoder(errors=errors)
        assert len(decoder.push(stream)) == 0
    assert len(decoder.flush()) == 52
    with pytest.raises(BitstreamError):
        of_sounds.decompress([stream])


def test_data_sets_are_not_read_piece_by_piece(of_sounds, sounds):
    for some in (sounds[:2], [sounds[0], sounds[1][:99]]):
        stream = of_sounds.compress_dataset(some)
        with pytest.raises(BitstreamError, match="the stream is a data set"):
            of_sounds.decoder().push(stream)
        with pytest.raises(BitstreamError, match="the stream is a data set"):
            of_sounds.decompress([stream], errors="conceal")


@pytest.mark.parametrize(
    "changes",
    [
        {"n_channels": 2},
        {"millihertz": 8_000_001},
        {"hop_length": 32},
        {"n_frames": 33},
        {"n_together": 2},
        {"number": 113},
        {"fingerprint": 1},
    ],
)
def test_headers_of_no_model(of_sounds, stream, changes):
    header, chunks = unpack(stream, AudioHeader)
    forged = pack(replace(header, **changes), chunks)
    for errors in ("raise", "conceal"):
        with pytest.raises(BitstreamError):
            read(of_sounds, forged, 10**6, errors)
    with pytest.raises(BitstreamError):
        of_sounds.decompress([forged])


def test_a_long_sound_goes_round_all_numbers():
    """Numbers of chunks go from 255 to 0."""
    x = made_sounds(1, 300 * 32)[0, :, 0]
    model = AudioCompressor(hop_length=8, segment_duration=0.001, random_state=0).fit([x[:2000]])
    stream = written(model, x, [1000], quality=80)
    assert inspect_stream(stream)["n_chunks"] == 301
    (whole,) = model.decompress([stream])
    assert si_sdr([x], [whole]) > 10
    for errors in ("raise", "conceal"):
        found, n_concealed = read(model, stream, 1000, errors)
        np.testing.assert_array_equal(found, whole)
        assert n_concealed == 0
