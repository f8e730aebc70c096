"""The compressor of sounds: round trips, rates, forms of input and what it refuses."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skae.coding import RAW, _entropy, unpack
from skae.compression import AudioCompressor, BitstreamError, ImageCompressor, inspect_stream
from skae.compression._audio_header import AudioHeader
from skae.metrics import si_sdr

from .conftest import RATE, made_sounds

FULL = 2.0**15


def snr(x, y):
    x, y = (np.asarray(each, float) for each in (x, y))
    return 10 * np.log10(np.square(x).sum() / np.square(x - y).sum())


def small(**params):
    defaults = {"sample_rate": RATE, "hop_length": 16, "random_state": 0}
    return AudioCompressor(**{**defaults, **params})


# ------------------------------------------------------------------ round trips


@pytest.mark.parametrize("n_samples", [1, 2, 63, 64, 65, 2047, 2048, 2049, 4159, 8000])
def test_any_length_comes_back(of_sounds, sounds, n_samples):
    x = sounds[3][:n_samples]
    (stream,) = of_sounds.compress([x], quality=90)
    (decoded,) = of_sounds.decompress([stream])
    assert decoded.shape == x.shape
    assert decoded.dtype == x.dtype
    assert len(stream) <= x.nbytes + 32
    assert np.abs(decoded.astype(int) - x).mean() < 30


def test_more_quality_costs_more_bits_and_is_better(of_sounds, sounds):
    streams = [of_sounds.compress(sounds[3:], quality=q)[0] for q in (10, 40, 70, 100)]
    errors = [snr(sounds[3], of_sounds.decompress([stream])[0]) for stream in streams]
    assert sorted(map(len, streams)) == list(map(len, streams))
    assert sorted(errors) == errors
    assert errors[-1] > 25


@pytest.mark.parametrize(
    ("dtype", "n_channels"), [(np.int16, 2), (np.int32, 1), (np.float32, 5), (np.float64, 1)]
)
def test_types_and_channels(dtype, n_channels):
    x = made_sounds(3, 900, n_channels)
    if np.dtype(dtype).kind == "i":
        x = x * np.iinfo(dtype).max
    x = x.astype(dtype)
    model = small().fit(list(x[:2]))
    (decoded,) = model.decompress(model.compress(list(x[2:]), quality=95))
    assert decoded.shape == (900, n_channels)
    assert decoded.dtype == dtype
    assert snr(x[2], decoded) > 15


def test_forms_of_input():
    x = made_sounds(4, 200, 2)
    mono = x[..., 0]
    of_list, of_rows = small().fit(list(mono)), small().fit(mono)
    of_channels, of_array = small().fit(list(x)), small().fit(x)
    assert of_list.fingerprint_ == of_rows.fingerprint_
    assert of_channels.fingerprint_ == of_array.fingerprint_
    streams = of_list.compress(list(mono))
    assert of_rows.compress(mono) == streams
    assert small().fit([a[:, None] for a in mono]).compress([a[:, None] for a in mono]) == streams
    assert of_array.compress(x) == of_channels.compress(list(x))
    rows, array = of_rows.decompress(streams), of_array.decompress(of_array.compress(x))
    assert rows.shape == mono.shape
    assert array.shape == x.shape
    assert isinstance(of_list.decompress(streams), list)
    assert isinstance(of_channels.decompress(of_channels.compress(x)), list)
    np.testing.assert_array_equal(np.stack(of_list.decompress(streams)), rows)


def test_whole_numbers_are_the_same_as_floats():
    x = (30_000 * made_sounds(3, 900)[..., 0]).astype(np.int16)
    of_whole = small().fit(list(x))
    assert of_whole.fingerprint_ == small().fit(list(x / FULL)).fingerprint_
    assert of_whole.fingerprint_ == small().fit(list(x.astype(np.int32) * 2**16)).fingerprint_
    whole, shares = (of_whole.compress([y], quality=80)[0] for y in (x[0], x[0] / FULL))
    decoded = of_whole.decompress([whole])[0], of_whole.decompress([shares])[0]
    assert len(whole) == len(shares)
    assert np.abs(decoded[0] - decoded[1] * FULL).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("rate", [100, 999.5, 8000, 44_100, 384_000])
def test_rates(rate):
    x = made_sounds(2, 600)[..., 0]
    model = AudioCompressor(sample_rate=rate, random_state=0).fit(list(x))
    (stream,) = model.compress([x[0]], quality=90)
    assert inspect_stream(stream)["sample_rate"] == rate
    assert inspect_stream(stream)["seconds"] == pytest.approx(600 / rate)
    assert snr(x[0], model.decompress([stream])[0]) > 10
    assert (model.shaping_ > 0) == (rate in (8000, 44_100))


def test_parts(of_sounds, sounds):
    (stream,) = of_sounds.compress([sounds[3]])
    (whole,) = of_sounds.decompress([stream])
    spans = [(None, None), (0, 1), (7999, None), (2047, 2049), (1984, 4200), (-10, None), (5, 6)]
    for start, stop in spans:
        (part,) = of_sounds.decompress([stream], start=start, stop=stop)
        np.testing.assert_array_equal(part, whole[start:stop])
        (part,) = of_sounds.decompress([stream], start=start, stop=stop, errors="conceal")
        np.testing.assert_array_equal(part, whole[start:stop])
    for errors in ("raise", "conceal"):
        with pytest.raises(ValueError, match="start=9000 and stop=None hold none of 8000 samples"):
            of_sounds.decompress([stream], start=9000, errors=errors)


def test_only_segments_that_are_asked_for_are_decoded(of_sounds, sounds, monkeypatch):
    (stream,) = of_sounds.compress([sounds[3]])
    n_decoded, decode_each = [], of_sounds._codec.decode_each

    def watched(codes, *args, **params):
        n_decoded.append(len(codes))
        return decode_each(codes, *args, **params)

    monkeypatch.setattr(of_sounds._codec, "decode_each", watched)
    of_sounds.decompress([stream], start=4500, stop=4600)
    assert n_decoded == [1]


def test_data_sets(of_stereo, stereo):
    X = [x[:1600] for x in stereo]
    stream = of_stereo.compress_dataset(X, quality=60)
    assert len(stream) < sum(map(len, of_stereo.compress(X, quality=60)))
    decoded = of_stereo.decompress_dataset(stream)
    assert [each.shape for each in decoded] == [(1600, 2)] * 4
    assert min(map(snr, X, decoded)) > 10
    for chunk_size in (1, 3):
        chunked = of_stereo.compress_dataset(X, quality=60, chunk_size=chunk_size)
        dataset = of_stereo.open_dataset(chunked)
        assert dataset.shape == (4, 1600, 2)
        for some in ([2], [3, 0], slice(1, 3)):
            for found, i in zip(dataset[some], np.arange(4)[some], strict=True):
                np.testing.assert_allclose(found, decoded[i], rtol=0, atol=1e-5)


def test_data_sets_of_long_sounds_are_cut_into_segments(of_stereo, stereo, monkeypatch):
    from skae.compression import _audio_streams

    X = [x[:1600] for x in stereo[:2]]
    expected = of_stereo.decompress(of_stereo.compress(X))
    monkeypatch.setattr(_audio_streams, "_SAMPLES_TOGETHER", 1000)
    stream = of_stereo.compress_dataset(X)
    header, _ = unpack(stream, AudioHeader)
    assert (header.n_together, header.n_frames) == (1, of_stereo._n_frames)
    for found, each in zip(of_stereo.decompress_dataset(stream), expected, strict=True):
        np.testing.assert_array_equal(found, each)
    (second,) = of_stereo.decompress_dataset(stream, [1])
    np.testing.assert_array_equal(second, expected[1])


def test_levels_are_what_they_were(of_sounds, sounds):
    """Whatever costs fewer bits: coefficients were divided by what they say."""
    network = of_sounds._codec.network
    for loudness in (0.001, 1, 1000):
        y = of_sounds._streams.coefficients([loudness * sounds[3][:, None] / FULL])
        for number in (0, 56, 112):
            decoded, _ = of_sounds._codec.cost(y, number)
            some = np.s_[:, :: network.envelope.n_frames, : network.contexts.first_bin]
            np.testing.assert_array_equal(decoded[some], y[some])


def test_soft_sounds_take_fewer_bytes():
    """Though all that the model was fitted to are about as loud."""
    random, time = np.random.default_rng(0), np.arange(2000) / 8000
    x = 0.3 * np.sin(2 * np.pi * random.uniform(100, 2000, (20, 1)) * time)
    x += random.normal(0, 0.005, x.shape)
    model = small(sample_rate=8000, hop_length=64, shaping="auto").fit(x[:18])
    n = [sum(map(len, model.compress(gain * x[18:], quality=80))) for gain in (1, 0.1)]
    assert n[1] < n[0]


# ------------------------------------------------------------------ rates


def test_targets(of_sounds, sounds):
    (stream,) = of_sounds.compress([sounds[3]], target_kbps=12)
    assert 10 < len(stream) / 125 <= 12
    (stream,) = of_sounds.compress([sounds[3]], target_snr=15)
    assert 15 <= snr(sounds[3], of_sounds.decompress([stream])[0]) < 16.5
    with pytest.raises(ValueError, match="exclude each other"):
        of_sounds.compress([sounds[3]], target_kbps=12, target_snr=15)
    for target in ({"target_kbps": 0}, {"target_snr": -3}, {"target_kbps": "few"}):
        with pytest.raises(ValueError, match="must be a positive"):
            of_sounds.compress([sounds[3]], **target)
    with pytest.warns(UserWarning, match="target_kbps"):
        of_sounds.compress([sounds[3]], target_kbps=0.01)


@pytest.mark.parametrize("quality", [20, 60, 100])
@pytest.mark.parametrize("name", ["of_sounds", "of_stereo"])
def test_written_bytes_are_those_of_the_estimate(name, quality, request):
    model = request.getfixturevalue(name)
    (x, *_) = model._checked(request.getfixturevalue(name.removeprefix("of_"))).arrays
    number = model._number(quality)
    y = model._streams.coefficients([x])
    code, (decoded, bits) = model._codec.encode(y, number), model._codec.cost(y, number)
    # What the coder ends with, and how many words there are, are not in the estimate.
    assert 8 * len(code) == pytest.approx(bits.item(), rel=5e-3, abs=64)
    np.testing.assert_array_equal(decoded, model._codec.decode(code, y.shape[:3], number))


def test_scores_are_those_of_streams(of_stereo, stereo):
    scores = of_stereo.score_samples(stereo)
    assert scores.shape == (4,)
    assert (scores < 0).all()
    assert of_stereo.score(stereo) == pytest.approx(scores.mean())
    bits, _ = of_stereo._streams.costs([stereo[0]], of_stereo._number(None))
    (stream,) = of_stereo.compress([stereo[0]])
    most_around = 60 + 14 * inspect_stream(stream)["n_chunks"]
    assert bits[0] / 8 < len(stream) < bits[0] / 8 * 1.005 + most_around


def test_codes_become_sounds():
    x = made_sounds(3, 500, 2).astype(np.float32)
    model = small(shaping=0.5).fit(x)
    decoded = model.inverse_transform(model.transform(x))
    assert decoded.shape == x.shape
    assert decoded.dtype == np.float32
    np.testing.assert_allclose(decoded, x, rtol=0, atol=1e-3)
    lists = small().fit([x[0], x[1][:300]])
    with pytest.raises(ValueError, match="needs training signals of one length"):
        lists.inverse_transform(lists.transform(x[:1]))


def test_it_can_be_searched():
    x = made_sounds(6, 300)[..., 0]
    search = GridSearchCV(small(), {"hop_length": [4, 16]}, cv=2).fit(x)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.hop_length_ in (4, 16)


# ------------------------------------------------------------------ settings


def test_shaping():
    x = list(made_sounds(2, 900)[..., 0])
    for shaping, expected in ((0, 0), (1, 1)):
        assert small(shaping=shaping).fit(x).shaping_ == expected
    even, shaped = (small(shaping=shaping).fit(x) for shaping in ("fidelity", 0.8))
    found = [si_sdr(x[:1], m.decompress(m.compress(x[:1], target_kbps=20))) for m in (even, shaped)]
    assert found[0] > found[1]


@pytest.mark.parametrize("duration", [1e-9, 0.01, 1e9])
def test_segments(duration):
    x = list(made_sounds(2, 900)[..., 0])
    model = small(segment_duration=duration).fit(x)
    assert model._n_frames % 4 == 0
    assert 4 <= model._n_frames <= 512
    (stream,) = model.compress(x[:1])
    assert inspect_stream(stream)["n_chunks"] == -(-58 // model._n_frames)
    assert snr(x[0], model.decompress([stream])[0]) > 5


def test_what_parameters_may_be():
    x = list(made_sounds(2, 100)[..., 0])
    for params in (
        {"sample_rate": 0.5},
        {"sample_rate": np.inf},
        {"shaping": "loud"},
        {"shaping": -0.1},
        {"hop_length": 1},
        {"hop_length": 2.5},
        {"segment_duration": 0},
    ):
        with pytest.raises(ValueError, match=next(iter(params))):
            clone(small()).set_params(**params).fit(x)


# ------------------------------------------------------------------ extremes


def test_silence_stays_silence(of_sounds):
    silence = np.zeros(5000, np.int16)
    for quality in (0, 50, 100):
        (stream,) = of_sounds.compress([silence], quality=quality)
        assert not of_sounds.decompress([stream])[0].any()
        assert len(stream) < 70


def test_silence_beside_sound(of_sounds, sounds):
    x = sounds[3].copy()
    x[3000:6000] = 0
    (decoded,) = of_sounds.decompress(of_sounds.compress([x]))
    assert not decoded[3200:5800].any()


def test_a_model_of_silence():
    with pytest.warns(UserWarning, match="X is the same number throughout"):
        model = small().fit([np.zeros(300), np.zeros(200)])
    x = made_sounds(1, 300)[0, :, 0]
    silence, sound = model.decompress(model.compress([np.zeros(300), x], quality=100))
    assert not silence.any()
    assert snr(x, sound) > 10


@pytest.mark.parametrize("level", [-32_768, 7, 20_000, 32_767])
def test_constants(of_sounds, level):
    x = np.full(3000, level, np.int16)
    (decoded,) = of_sounds.decompress(of_sounds.compress([x], quality=100))
    # In the middle, where no frame sees an end.
    assert np.abs(decoded[200:-200].astype(int) - level).mean() <= max(20, 0.05 * abs(level))


def test_an_offset_is_learned():
    x = made_sounds(4, 900)[..., 0] + 50
    model = small().fit(list(x))
    (decoded,) = model.decompress(model.compress([x[0]]))
    assert np.abs(decoded - x[0]).mean() < 0.1


def test_full_scale(of_sounds):
    random = np.random.default_rng(0)
    for x in (
        random.choice(np.int16([-32_768, 32_767]), 3000),
        np.tile(np.repeat(np.int16([-32_768, 32_767]), 40), 30),
    ):
        (stream,) = of_sounds.compress([x], quality=100)
        (decoded,) = of_sounds.decompress([stream])
        assert len(stream) <= x.nbytes + 32
        # What goes beyond is clipped, and never wraps around.
        assert np.abs(decoded.astype(int) - x).max() < 32_768


def test_int32_extremes():
    limits = np.iinfo(np.int32)
    x = np.tile(np.int32([limits.min, limits.max, 0, limits.max]), 100)
    model = small().fit([x, x[1:]])
    (decoded,) = model.decompress(model.compress([x], quality=100))
    assert decoded.dtype == np.int32
    assert snr(x, decoded) > 20


def test_floats_beyond_one(of_sounds, sounds):
    x = sounds[3] / FULL * 40
    (decoded,) = of_sounds.decompress(of_sounds.compress([x], quality=80))
    assert np.abs(decoded).max() > 5
    assert snr(x, decoded) > 50


def test_what_is_too_large(of_sounds):
    for big in (1e9, 1e300):
        with pytest.raises(ValueError, match="too large to compute with; at most"):
            of_sounds.compress([np.full(100, big)])
    with pytest.raises(ValueError, match="too large"):
        small().fit([np.array([1, -1e200, 1e200])])


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_any_unit(scale):
    x = made_sounds(3, 900)[..., 0]
    plain, other = small().fit(list(x)), small().fit(list(scale * x))
    (decoded,) = other.decompress(other.compress([scale * x[0]], quality=80))
    (expected,) = plain.decompress(plain.compress([x[0]], quality=80))
    np.testing.assert_allclose(decoded / scale, expected, rtol=0, atol=0.02)


@pytest.mark.parametrize("dtype", ["int16", "int32", "float32", "float64"])
def test_never_much_more_than_the_samples(of_sounds, dtype):
    random = np.random.default_rng(0)
    for n in (1, 3, 50, 3000):
        if np.dtype(dtype).kind == "i":
            limits = np.iinfo(dtype)
            x = random.integers(limits.min, limits.max, n, dtype, endpoint=True)
        else:
            x = random.standard_normal(n).astype(dtype)
        for quality in (0, 100):
            (stream,) = of_sounds.compress([x], quality=quality)
            assert len(stream) <= x.nbytes + 32
            assert of_sounds.decompress([stream])[0].shape == (n,)


def test_the_longest_raw_streams():
    shapes = [(1, 2**28, 1), (2**29, 1, 1), (2**7, 2**15, 2**7), (2**14, 2**14, 1)]
    for shape in shapes:
        header = AudioHeader(RAW, "int16", 2**32 - 1, *shape, 10**10)
        assert len(header.to_bytes()) + 4 <= 32


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([], ValueError, "X holds no signal"),
        ([np.empty(0)], ValueError, r"X\[0\] has the shape \(0,\)"),
        ([np.empty((5, 0))], ValueError, r"X\[0\] has the shape \(5, 0\)"),
        ([np.ones(9), np.empty(0)], ValueError, r"X\[1\] has the shape \(0,\)"),
        ([np.r_[1, np.nan, 2]], ValueError, r"X\[0\] contains nan at sample 1; NaN and inf"),
        ([np.r_[1, 2, -np.inf]], ValueError, r"X\[0\] contains -inf at sample 2"),
        ([np.ones((5, 2))], ValueError, "2 channels, but AudioCompressor was fitted on .* 1"),
        ([np.ones((2, 5, 2))], ValueError, r"X\[0\] has the shape \(2, 5, 2\)"),
        ([np.ones((2, 800))], ValueError, r"looks like channels of samples; samples come first"),
        ([np.ones(5), np.ones((5, 1))], ValueError, "with and without an axis for the channels"),
        ([np.ones(5), np.ones(5, np.int16)], ValueError, "dtypes float64, int16"),
        ([np.ones(5, complex)], TypeError, r"X\[0\] has dtype complex128"),
        ([np.array(["a", "b"])], TypeError, r"X\[0\] has dtype"),
        (np.ones(5), ValueError, r"give a single signal in a list, \[x\]"),
        ("talk.wav", TypeError, "X must be a list of arrays or an array of rows, got str"),
        (None, ValueError, "Expected 2D array"),
    ],
)
def test_what_is_no_sound(of_sounds, X, error, message):
    with pytest.raises(error, match=message):
        of_sounds.compress(X)


def test_training_sounds_of_unlike_channels():
    with pytest.raises(ValueError, match=r"signals of \[1, 2\] channels"):
        small().fit([np.ones((5, 1)), np.ones((5, 2))])


def test_a_wrong_model(of_sounds, of_stereo, sounds, stereo):
    (stream,) = of_sounds.compress(sounds[3:])
    for read in (of_stereo.decompress, lambda s: of_stereo.decoder().push(s[0])):
        with pytest.raises(BitstreamError, match="was written by the model"):
            read([stream])
    with pytest.raises(BitstreamError, match="the header has 1 channels, the model 2"):
        of_stereo.decoder().push(stream)
    twin = small(hop_length=64, segment_duration=0.25).fit(sounds[:2])
    with pytest.raises(BitstreamError, match="was written by the model"):
        twin.decompress([stream])


def test_images_are_no_sounds(of_sounds, sounds):
    pictures = np.random.default_rng(0).integers(0, 255, (200, 4, 4, 1), dtype=np.uint8)
    of_pictures = ImageCompressor(max_epochs=0, random_state=0).fit(pictures)
    (picture,), (sound,) = of_pictures.compress(pictures[:1]), of_sounds.compress(sounds[3:])
    for errors in ("raise", "conceal"):
        with pytest.raises(BitstreamError, match=r"starts with b'\\x89SKI', not with b'\\x89SKA'"):
            of_sounds.decompress([picture], errors=errors)
    with pytest.raises(BitstreamError, match=r"starts with b'\\x89SKA', not with b'\\x89SKI'"):
        of_pictures.decompress([sound])


@pytest.mark.parametrize("errors", ["raise", "conceal"])
def test_what_is_no_list_of_streams(of_sounds, sounds, errors):
    (stream,) = of_sounds.compress(sounds[3:])
    with pytest.raises(TypeError, match=r"pass \[stream\]"):
        of_sounds.decompress(stream, errors=errors)
    with pytest.raises(ValueError, match="holds no stream"):
        of_sounds.decompress([], errors=errors)
    with pytest.raises(TypeError):
        of_sounds.decompress([5], errors=errors)
    with pytest.raises(ValueError, match="errors='ignore' must be 'raise' or 'conceal'"):
        of_sounds.decompress([stream], errors="ignore")


@pytest.mark.parametrize("errors", ["raise", "conceal"])
def test_too_many_bytes(of_sounds, sounds, errors):
    streams = of_sounds.compress(sounds[2:])
    assert len(of_sounds.decompress(streams, errors=errors, max_values=32_000)) == 2
    with pytest.raises(BitstreamError, match=r"the result has .* more than max_values="):
        of_sounds.decompress(streams, errors=errors, max_values=31_999)


# ------------------------------------------------------------------ elsewhere


def test_streams_survive_pickling_and_a_missing_constriction(of_sounds, sounds, monkeypatch):
    streams = of_sounds.compress(sounds[2:])
    decoded = of_sounds.decompress(streams)
    twin = pickle.loads(pickle.dumps(of_sounds))
    assert twin.compress(sounds[2:]) == streams
    monkeypatch.setattr(_entropy, "constriction", None)
    assert of_sounds.compress([x[:3000] for x in sounds[2:]]) == twin.compress(
        [x[:3000] for x in sounds[2:]]
    )
    for found, expected in zip(twin.decompress(streams), decoded, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_training_sounds_are_let_go(of_sounds):
    assert of_sounds._form.arrays[0].size == 0
    assert of_sounds._form.arrays[0].base is None


def test_a_fit_is_quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small().fit(list(made_sounds(2, 900)[..., 0]))


def test_a_loss_without_bounds_is_blamed_on_the_learning_rate():
    X = np.random.default_rng(0).normal(size=(20, 300))
    with pytest.raises(ValueError, match=r"NaN in epoch 1. The likely cause is a learning rate"):
        AudioCompressor(lr=1e30, max_epochs=2).fit(X)
