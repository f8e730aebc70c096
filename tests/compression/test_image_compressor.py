"""The compressor of images: round trips, rates, forms of input and damaged streams."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits, load_sample_image

from skae.coding import _entropy
from skae.compression import BitstreamError, ImageCompressor
from skae.compression._crops import Crops, Cut
from skae.metrics import psnr


@pytest.fixture(scope="module")
def digits():
    return (load_digits().data * 15.9).astype(np.uint8)


@pytest.fixture(scope="module")
def of_digits(digits):
    return ImageCompressor(image_shape=(8, 8), max_epochs=0, random_state=0).fit(digits[:900])


@pytest.fixture(scope="module")
def photo():
    return load_sample_image("china.jpg")[:200, :301]


@pytest.fixture(scope="module")
def of_photo(photo):
    model = ImageCompressor(max_epochs=1, module__width=8, random_state=0)
    return model.fit([photo[:90, :140], photo[50:90]])


def test_rows_come_back_as_rows(of_digits, digits):
    streams = of_digits.compress(digits[900:910], quality=100)
    assert all(isinstance(stream, bytes) for stream in streams)
    decoded = of_digits.decompress(streams)
    assert decoded.shape == (10, 64)
    assert decoded.dtype == np.uint8
    assert psnr(digits[900:910].reshape(-1, 8, 8), decoded.reshape(-1, 8, 8)) > 38


@pytest.mark.parametrize("shape", [(1, 1), (7, 8), (40, 33), (200, 301)])
def test_any_size(of_photo, photo, shape):
    image = photo[: shape[0], : shape[1]]
    (decoded,) = of_photo.decompress(of_photo.compress([image], quality=80))
    assert decoded.shape == image.shape
    assert psnr([image], [decoded]) > 30


def test_more_quality_costs_more_bits_and_is_better(of_photo, photo):
    streams = [of_photo.compress([photo], quality=q)[0] for q in (10, 40, 70, 100)]
    errors = [psnr(photo, of_photo.decompress([stream])[0]) for stream in streams]
    assert sorted(map(len, streams)) == list(map(len, streams))
    assert sorted(errors) == errors


def test_targets(of_photo, photo):
    n_pixels = photo.shape[0] * photo.shape[1]
    (stream,) = of_photo.compress([photo], target_bpp=5.0)
    assert 4.8 < 8 * len(stream) / n_pixels <= 5.0
    (stream,) = of_photo.compress([photo], target_psnr=33.0)
    assert 33.0 <= psnr(photo, of_photo.decompress([stream])[0]) < 33.6
    with pytest.raises(ValueError, match="exclude each other"):
        of_photo.compress([photo], quality=3, target_bpp=1)
    with pytest.raises(ValueError, match=r"target_psnr=-1 must be a positive"):
        of_photo.compress([photo], target_psnr=-1)
    with pytest.raises(ValueError, match="quality=101 must be a number between 0 and 100"):
        of_photo.compress([photo], quality=101)


def test_written_bytes_are_those_of_the_estimate(of_photo, photo):
    codec = of_photo._codec
    y = of_photo._streams.coefficients([photo])
    stream, (_, bits) = codec.encode(y, 60), codec.cost(y, 60)
    assert 8 * len(stream) == pytest.approx(bits.item(), rel=5e-3)


def test_streams_survive_pickling_and_a_missing_constriction(of_digits, digits, monkeypatch):
    streams = of_digits.compress(digits[900:904])
    decoded = of_digits.decompress(streams)
    twin = pickle.loads(pickle.dumps(of_digits))
    assert twin.compress(digits[900:904]) == streams
    monkeypatch.setattr(_entropy, "constriction", None)
    assert of_digits.compress(digits[900:904]) == streams
    np.testing.assert_array_equal(twin.decompress(streams), decoded)


def test_dataset(of_digits, digits):
    stream = of_digits.compress_dataset(digits[900:1500])
    assert len(stream) < 20 * 600
    decoded = of_digits.decompress_dataset(stream)
    assert decoded.shape == (600, 64)
    np.testing.assert_array_equal(of_digits.decompress_dataset(stream, [3, 599]), decoded[[3, 599]])
    np.testing.assert_array_equal(of_digits.decompress_dataset(stream, 7), decoded[7:8])
    np.testing.assert_array_equal(of_digits.decompress_dataset(stream, []), decoded[:0])
    with pytest.raises(IndexError, match="indices=600"):
        of_digits.decompress_dataset(stream, 600)


def test_training_images_are_let_go(digits):
    images = digits[:100].reshape(-1, 8, 8)
    compressor = ImageCompressor(n_components=2, max_epochs=0).fit(images)
    assert compressor._form.arrays[0].base is None


def test_noise_is_stored_raw(of_photo):
    noise = np.random.default_rng(0).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    (stream,) = of_photo.compress([noise], quality=100)
    assert len(stream) <= noise.nbytes + 32
    np.testing.assert_array_equal(of_photo.decompress([stream])[0], noise)


@pytest.mark.parametrize("seed", range(60))
def test_damage_is_noticed(of_digits, digits, seed):
    random = np.random.default_rng(seed)
    stream = bytearray(of_digits.compress_dataset(digits[:50]))
    kind = seed % 3
    if kind == 0:
        stream[random.integers(len(stream))] ^= 1 << random.integers(8)
    elif kind == 1:
        del stream[random.integers(len(stream)) :]
    else:
        start, stop = np.sort(random.integers(0, len(stream), 2))
        del stream[start : stop + 1]
    with pytest.raises(BitstreamError):
        of_digits.decompress([bytes(stream)])


def test_wrong_model(of_digits, of_photo, photo):
    with pytest.raises(BitstreamError, match="was written by the model"):
        of_digits.decompress(of_photo.compress([photo]))


def test_too_many_values(of_photo, photo):
    with pytest.raises(BitstreamError, match="more than max_values=1000"):
        of_photo.decompress(of_photo.compress([photo]), max_values=1000)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
def test_other_dtypes(dtype, digits):
    scale = 257 if dtype == np.uint16 else 1 / 255
    X = (digits[:150].reshape(-1, 8, 8) * dtype(scale)).astype(dtype)
    model = ImageCompressor(max_epochs=0, random_state=0).fit(X)
    decoded = model.decompress(model.compress(X[:3], quality=100))
    assert decoded.dtype == dtype
    assert decoded.shape == (3, 8, 8)
    assert psnr(X[:3], decoded, max_value=255 * scale) > 38


def test_bad_images(of_photo, photo):
    with pytest.raises(ValueError, match="X has 2 channels"):
        of_photo.compress([photo[..., :2]])
    with pytest.raises(ValueError, match="dtype float64"):
        of_photo.compress([photo / 255])
    with pytest.raises(
        ValueError, match=r"X\[0\] has values from -1 to 2\d\d, .* uint8 lie between 0"
    ):
        of_photo.compress([photo.astype(int).clip(5) - 6])
    with pytest.raises(ValueError, match="at least one pixel"):
        of_photo.compress([photo[:0]])
    with pytest.raises(TypeError, match="pass \\[stream\\]"):
        of_photo.decompress(b"abc")
    with pytest.raises(ValueError, match="image_shape=\\(3, 8\\)"):
        ImageCompressor(image_shape=(3, 8)).fit(np.zeros((5, 64)))


def test_score_prefers_the_model_of_the_data(of_digits, digits):
    other = clone(of_digits).fit(digits[:300, ::-1] // 2 + 100)
    assert of_digits.score(digits[900:950]) > other.score(digits[900:950])


def test_scores_are_those_of_each_image_alone(of_digits, digits):
    some = digits[900:930]
    scores = of_digits.score_samples(some)
    singles = [of_digits.score_samples(row[None]).item() for row in some]
    np.testing.assert_allclose(scores, singles, rtol=1e-9)


def test_scores_of_images_of_several_shapes(of_photo, photo):
    images = [photo[:40, :50], photo[:30, :60], photo[5:45, :50]]
    scores = of_photo.score_samples(images)
    singles = [of_photo.score_samples([image]).item() for image in images]
    np.testing.assert_allclose(scores, singles, rtol=1e-9)


def test_score_is_the_length_of_a_stream_and_its_error(of_photo, photo):
    (stream,) = of_photo.compress([photo])
    error = of_photo.decompress([stream])[0].astype(float) - photo
    step = 140 * (7 / 140) ** 0.5  # at quality 50
    expected = 8 * len(stream) / photo.size + np.mean(error**2) / (0.13 * step**2)
    assert -of_photo.score([photo]) == pytest.approx(expected, rel=0.01)


def test_the_mean_image_costs_next_to_nothing(digits):
    """Groups of zeros at the end are left out, whatever the other images need."""
    model = ImageCompressor(image_shape=(8, 8), patch_shape=(4, 4), max_epochs=0)
    model.fit(digits[:300])
    mean = model._codec.network.projected(torch.zeros(1, 2, 2, 16)).detach()
    mean = mean.flatten(1).round().byte().numpy()
    together = model.score_samples(np.concatenate([mean, digits[900:910]]))
    assert together[0] == pytest.approx(model.score(mean), rel=1e-9)
    assert together[0] > -0.1


def test_decoder_of_whole_images_corrects_pixels(of_digits, digits):
    model = clone(of_digits).set_params(max_epochs=1).fit(digits[:900])
    lengths, errors = [], []
    for compressor in (model, of_digits):
        stream = compressor.compress_dataset(digits[900:], quality=30)
        lengths.append(len(stream))
        decoded = compressor.decompress_dataset(stream).astype(float)
        errors.append(np.mean((decoded - digits[900:]) ** 2))
    assert lengths[0] == lengths[1]
    assert errors[0] < 0.99 * errors[1]


def test_one_image_is_no_array_of_images(photo):
    with pytest.raises(ValueError, match=r"looks like one image of 3 channels: pass \[X\]"):
        ImageCompressor().fit(photo)


def test_patches_larger_than_images(digits):
    model = ImageCompressor(image_shape=(8, 8), patch_shape=(100, 100))
    with pytest.raises(ValueError, match=r"must not be larger than .* at most 8 x 8 pixels"):
        model.fit(digits)


@pytest.mark.parametrize(
    ("module", "params", "terms"),
    [
        ("mlp", {}, {"rate", "distortion"}),
        ("conv", {"module__kernel_size": 1}, {"rate", "distortion"}),
        ("mlp", {"module__kernel_size": 3}, set()),
    ],
)
def test_perceptrons_and_convolutions_of_whole_images(module, params, terms, digits):
    model = ImageCompressor(
        module=module, image_shape=(8, 8), max_epochs=1, module__width=16, **params
    )
    model.fit(digits[:100])
    assert set(getattr(model, "loss_curves_", ())) == terms
    stream = model.compress_dataset(digits[900:910], quality=90)
    assert np.abs(model.decompress_dataset(stream).astype(int) - digits[900:910]).mean() < 4


def test_held_out_crops_are_crops(photo):
    crops = Crops(
        [photo], Cut((4, 4), (16, 16), (16, 16)), 0, 1, 0, torch.float32, torch.device("cpu")
    )
    some = crops.subset(torch.tensor([5, 2]))
    assert len(some) == 2
    assert torch.equal(some.batch(slice(None)).input, crops.batch(torch.tensor([5, 2])).input)


def test_contexts_are_fitted_to_larger_crops(photo):
    crops = Crops(
        [photo], Cut((4, 4), (16, 16), (40, 60)), 0, 1, 0, torch.float32, torch.device("cpu")
    )
    generator = torch.Generator().manual_seed(0)
    assert crops.some(10**9, generator).shape[1:] == (40, 60, 3)
    assert crops.some(1, generator).shape == (1, 40, 60, 3)
    same = Crops(
        [photo], Cut((4, 4), (16, 16), (16, 16)), 0, 1, 0, torch.float32, torch.device("cpu")
    )
    assert same.some(1, generator).shape == (1, 16 * 16 * 3)


def test_fidelity_of_icons(of_digits, digits):
    """An image of 8 x 8 pixels and 1 channel is one image, not eight of 8 x 1."""
    streams = of_digits.compress(digits[900:903], target_psnr=30.0)
    for row, decoded in zip(digits[900:903], of_digits.decompress(streams), strict=True):
        assert psnr(row.reshape(8, 8), decoded.reshape(8, 8)) >= 30
