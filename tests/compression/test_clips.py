"""Data sets of sounds of unequal lengths."""

import pickle

import numpy as np
import pytest

from skae.coding import RAW
from skae.compression import AudioCompressor, BitstreamError, inspect_stream

from .conftest import made_sounds

LENGTHS = (1, 1600, 300, 64, 63, 65, 900)


@pytest.fixture(scope="module")
def model():
    params = {"sample_rate": 8000, "hop_length": 32, "segment_duration": 0.05, "random_state": 0}
    return AudioCompressor(**params).fit(list(made_sounds(3, 1200, 2).astype(np.float32)))


@pytest.fixture(scope="module")
def clips():
    both = zip(made_sounds(len(LENGTHS), 1600, 2, seed=1).astype(np.float32), LENGTHS, strict=True)
    return [x[:n] for x, n in both]


@pytest.fixture(scope="module")
def stream(model, clips):
    return model.compress_dataset(clips, quality=70)


@pytest.fixture(scope="module")
def decoded(model, stream):
    return model.decompress_dataset(stream)


def test_clips_come_back_with_their_lengths(clips, decoded):
    assert [x.shape for x in decoded] == [x.shape for x in clips]
    assert {x.dtype for x in decoded} == {np.dtype("float32")}
    for x, y in zip(clips[1:], decoded[1:], strict=True):
        assert np.square(x - y).sum() < 0.1 * np.square(x).sum()


def test_they_cost_less_than_streams_of_their_own(model, clips, stream):
    assert len(stream) < sum(map(len, model.compress(clips, quality=70)))


def test_sounds_do_not_run_into_each_other(model, clips, decoded):
    loud = [clips[0], clips[1], 100 * clips[2], *clips[3:]]
    others = model.decompress_dataset(model.compress_dataset(loud, quality=70))
    for x, y in zip(clips, others, strict=True):
        assert x.shape == y.shape
    error = np.square(others[1] - clips[1]).sum()
    assert error < 2 * np.square(decoded[1] - clips[1]).sum()


def test_any_of_them_is_read_alone(model, stream, decoded):
    dataset = model.open_dataset(stream)
    assert (len(dataset), dataset.shape, dataset.dtype) == (7, (7, None, 2), np.float32)
    assert repr(dataset) == "CompressedDataset(7 of various x 2, float32)"
    for i, x in enumerate(decoded):
        np.testing.assert_array_equal(dataset[i], x)
    for some in (slice(1, 6, 2), [6, 0, 6], [-1], np.arange(7) > 3):
        for x, i in zip(dataset[some], np.arange(7)[some], strict=True):
            np.testing.assert_array_equal(x, decoded[i])
    for x, y in zip(dataset, decoded, strict=True):
        np.testing.assert_array_equal(x, y)
    twin = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(twin[2], decoded[2])
    with pytest.raises(IndexError, match="go beyond the 7 signals"):
        dataset[7]


def test_only_segments_that_are_asked_for_are_decoded(model, stream, monkeypatch):
    n_decoded, decode_each = [], model._codec.decode_each

    def watched(codes, *args, **params):
        n_decoded.append(len(codes))
        return decode_each(codes, *args, **params)

    monkeypatch.setattr(model._codec, "decode_each", watched)
    model.decompress_dataset(stream, [3])
    assert sum(n_decoded) <= 2


def test_decompress_reads_them_too(model, clips, stream, decoded):
    (alone,) = model.compress(clips[2:3])
    found = model.decompress([stream, alone])
    assert [len(x) for x in found] == [*LENGTHS, 300]
    np.testing.assert_array_equal(found[1], decoded[1])
    parts = model.decompress([model.compress_dataset(clips[1:3], quality=70)], start=9, stop=200)
    assert [len(x) for x in parts] == [191, 191]


def test_flat_whole_numbers(sounds, of_sounds):
    clips = [sounds[3][:1000], sounds[2][:333]]
    found = of_sounds.decompress_dataset(of_sounds.compress_dataset(clips))
    assert [(x.shape, x.dtype) for x in found] == [((1000,), np.int16), ((333,), np.int16)]


def test_noise_is_stored(model):
    random = np.random.default_rng(0)
    noise = [9000 * random.standard_normal((n, 2)).astype(np.float32) for n in (5, 40, 1)]
    stream = model.compress_dataset(noise, quality=100)
    assert len(stream) <= sum(x.nbytes for x in noise) + 32 + 13
    assert model.open_dataset(stream)._header.kind == RAW
    for x, y in zip(noise, model.decompress_dataset(stream), strict=True):
        np.testing.assert_array_equal(x, y)


def test_what_is_known_without_the_model(stream):
    found = inspect_stream(stream)
    assert (found["n_signals"], found["n_samples"]) == (7, list(LENGTHS))
    assert found["seconds"][1] == 0.2
    assert found["kbps"] == pytest.approx(len(stream) / 125 / (sum(LENGTHS) / 8000))


def test_every_damaged_byte_is_noticed(model, stream):
    for i in range(0, len(stream), 1 + len(stream) // 100):
        damaged = bytearray(stream)
        damaged[i] ^= 1
        with pytest.raises(BitstreamError):
            model.decompress_dataset(bytes(damaged))
    for stop in range(0, len(stream), 1 + len(stream) // 30):
        with pytest.raises(BitstreamError):
            model.decompress_dataset(stream[:stop])


def test_lengths_belong_to_their_sound(model, clips, stream):
    """The sounds of both take as many frames."""
    other = model.compress_dataset([clips[1], *clips[:1], *clips[2:]], quality=70)
    start = 4 + 1 + 1 + 9 + 4
    with pytest.raises(BitstreamError, match="the header is damaged"):
        model.decompress_dataset(other[:start] + stream[start:])


def test_too_many_bytes(model, stream):
    assert len(model.decompress_dataset(stream, [2, 3], max_values=364 * 8)) == 2
    with pytest.raises(BitstreamError, match="the result has 2912 bytes, more than"):
        model.decompress_dataset(stream, [2, 3], max_values=364 * 8 - 1)


def test_chunks_are_segments(model, clips):
    with pytest.raises(ValueError, match="chunk_size=3 is for signals of one length"):
        model.compress_dataset(clips, chunk_size=3)
