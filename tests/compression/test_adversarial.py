"""The adversarial stage: the same streams, and what is drawn can be turned up and down."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits, load_sample_image

from skae.compression import AudioCompressor, ImageCompressor
from skae.networks.codec._critics import _seen


@pytest.fixture(scope="module")
def photo():
    return load_sample_image("china.jpg")[:130, :150]


@pytest.fixture(scope="module")
def plain(photo):
    model = ImageCompressor(n_components=24, max_epochs=1, module__width=8, random_state=0)
    return model.fit([photo])


@pytest.fixture(scope="module")
def sharp(plain, photo):
    return clone(plain).set_params(adversarial=True, adversarial_steps=5).fit([photo])


def test_streams_are_the_same_bit_for_bit(plain, sharp, photo):
    assert sharp.fingerprint_ == plain.fingerprint_
    assert sharp.compress([photo], quality=30) == plain.compress([photo], quality=30)


def test_without_realism_pictures_are_plain(plain, sharp, photo):
    streams = plain.compress([photo], quality=30)
    expected = plain.decompress(streams)
    np.testing.assert_array_equal(sharp.decompress(streams, realism=0), expected)
    np.testing.assert_array_equal(plain.decompress(streams, realism=0), expected)
    stream = plain.compress_dataset([photo, photo])
    expected = plain.decompress_dataset(stream)
    np.testing.assert_array_equal(sharp.decompress_dataset(stream, realism=0), expected)


def test_realism_goes_from_plain_to_sharp(sharp, photo):
    streams = sharp.compress([photo], quality=30)
    a, b, c = (sharp.decompress(streams, realism=r)[0].astype(float) for r in (0, 0.5, 1))
    np.testing.assert_array_equal(c, sharp.decompress(streams)[0])
    assert np.abs(c - a).mean() > 0.1
    inside = (c > 0) & (c < 255)
    assert np.abs(b - (a + c) / 2)[inside].max() <= 1


def test_a_stream_is_always_decoded_alike(sharp, photo):
    stream = sharp.compress_dataset([photo, photo[::-1]], quality=30)
    twin = pickle.loads(pickle.dumps(sharp))
    decoded = sharp.decompress_dataset(stream)
    np.testing.assert_array_equal(twin.decompress_dataset(stream), decoded)
    np.testing.assert_array_equal(twin.decompress_dataset(stream, [1]), decoded[1:])


def test_training_repeats_itself(sharp, photo):
    streams = sharp.compress([photo])
    twin = clone(sharp).fit([photo])
    np.testing.assert_array_equal(twin.decompress(streams), sharp.decompress(streams))


@pytest.mark.parametrize("realism", [-0.1, 1.5, np.nan, "1"])
def test_bad_realism(sharp, photo, realism):
    with pytest.raises(ValueError, match=r"realism=.* must be a number between 0 and 1"):
        sharp.decompress(sharp.compress([photo]), realism=realism)


def test_realism_needs_the_adversarial_stage(plain, photo):
    with pytest.raises(ValueError, match=r"realism=1 needs a model .* adversarial=True"):
        plain.decompress(plain.compress([photo]), realism=1)
    with pytest.raises(ValueError, match=r"realism=0.5 needs a model .* adversarial=True"):
        plain.decompress_dataset(plain.compress_dataset([photo]), realism=0.5)


@pytest.mark.parametrize("module", ["conv", "mlp"])
@pytest.mark.parametrize("shape", [(8, 8), (1, 64), None])
def test_small_images_and_the_closed_form(module, shape):
    digits = (load_digits().data[:64] * 15.9).astype(np.uint8)
    model = ImageCompressor(
        module=module, n_components=4, image_shape=shape, adversarial=True, max_epochs=0,
        adversarial_steps=3, module__width=8, random_state=0,
    ).fit(digits)  # fmt: skip
    streams = model.compress(digits[:5], quality=30)
    assert (model.decompress(streams) != model.decompress(streams, realism=0)).any()


def test_a_warm_start_keeps_what_it_was_fitted_with(plain, sharp, photo):
    twin = pickle.loads(pickle.dumps(sharp)).set_params(warm_start=True, max_epochs=0)
    twin.fit([photo])
    streams = twin.compress([photo], quality=30)
    assert (twin.decompress(streams)[0] != twin.decompress(streams, realism=0)[0]).any()


# ------------------------------------------------------------------ sounds


@pytest.fixture(scope="module")
def drawing(of_sounds, sounds):
    params = {"adversarial": True, "adversarial_steps": 3}
    return clone(of_sounds).set_params(**params).fit(sounds[:3])


def test_streams_of_sounds_are_the_same(of_sounds, drawing, sounds):
    streams = of_sounds.compress(sounds[3:], quality=20)
    assert drawing.fingerprint_ == of_sounds.fingerprint_
    assert drawing.compress(sounds[3:], quality=20) == streams
    expected = of_sounds.decompress(streams)[0]
    np.testing.assert_array_equal(drawing.decompress(streams, realism=0)[0], expected)


def test_realism_of_sounds_is_the_same_in_whole_in_parts_and_live(drawing, sounds):
    (stream,) = drawing.compress(sounds[3:], quality=20)
    (plain,), (drawn,) = (drawing.decompress([stream], realism=r) for r in (0, 1))
    assert np.abs(drawn - plain.astype(float)).mean() > 5
    twin = pickle.loads(pickle.dumps(drawing))
    np.testing.assert_array_equal(twin.decompress([stream])[0], drawn)
    part = drawing.decompress([stream], start=3000, stop=5000)[0]
    np.testing.assert_array_equal(part, drawn[3000:5000])
    concealed = drawing.decompress([stream], errors="conceal")[0]
    np.testing.assert_array_equal(concealed, drawn)
    for realism, expected in ((None, drawn), (0, plain)):
        decoder = drawing.decoder(realism=realism)
        read = np.concatenate([decoder.push(stream), decoder.flush()])
        np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize("params", [{}, {"shaping": "fidelity"}, {"hop_length": 2}])
def test_short_sounds_of_two_channels(params, stereo):
    short = [x[:300] for x in stereo]
    model = AudioCompressor(adversarial=True, adversarial_steps=2, random_state=0, **params)
    streams = model.fit(short).compress(short[:1], quality=20)
    assert (model.decompress(streams)[0] != model.decompress(streams, realism=0)[0]).any()


def test_silence_stays_silence(drawing):
    silence = np.zeros(4000, np.int16)
    assert not drawing.decompress(drawing.compress([silence]))[0].any()


def test_a_critic_sees_levels_of_sounds_beside_those_around():
    x = 10 * torch.randn(1, 1000, 3, generator=torch.Generator().manual_seed(0))
    soft, loud = (_seen(gain * x, 64) for gain in (1, 10))
    differences = (loud - soft).abs().mean((0, 1, 2))
    assert (differences[:2] < 0.01).all()
    assert differences[2] > 1


@pytest.mark.parametrize("realism", [0, 1])
def test_damage_of_what_was_drawn_is_concealed(drawing, sounds, realism):
    (stream,) = drawing.compress(sounds[3:], quality=20)
    damaged = bytearray(stream)
    damaged[len(damaged) // 2] ^= 1
    found = drawing.decompress([bytes(damaged)], realism=realism, errors="conceal")[0]
    whole = drawing.decompress([stream], realism=realism)[0]
    assert 0.4 < (found == whole).mean() < 1


def test_models_of_sounds_from_before_there_was_a_choice(of_sounds):
    state = of_sounds.__getstate__()
    names = "adversarial", "adversarial_steps"
    state["_fitted_params"] = {k: v for k, v in state["_fitted_params"].items() if k not in names}
    old = AudioCompressor.__new__(AudioCompressor)
    old.__setstate__({k: v for k, v in state.items() if k not in names})
    assert old.get_params() == of_sounds.get_params()


def test_all_of_the_sharpener_learns(drawing):
    assert all(weight.any() for weight in drawing._codec.network.sharpener.parameters())
