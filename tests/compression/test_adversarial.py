"""The adversarial stage: the same streams, and texture that can be turned up and down."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_sample_image

from skae.compression import ImageCompressor


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
