"""The bundled model, regions of pictures, and what streams tell of themselves."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from skae.compression import BitstreamError, ImageCompressor, inspect_stream
from skae.compression._packing import read_arrays, write_arrays
from skae.metrics import psnr


@pytest.fixture(scope="module")
def photographs():
    return ImageCompressor.pretrained()


@pytest.fixture(scope="module")
def photo():
    return load_sample_image("flower.jpg")[:200, 100:403]


def test_photographs(photographs, photo):
    """Half of what JPEG needs: 24,100 bytes at 36.1 dB."""
    (stream,) = photographs.compress([photo], target_psnr=36)
    assert len(stream) < 14_000
    assert psnr(photo, photographs.decompress([stream])[0]) >= 36


def test_the_same_in_every_copy(photographs, photo):
    (stream,) = photographs.compress([photo])
    for other in (ImageCompressor.pretrained(), pickle.loads(pickle.dumps(photographs))):
        assert other.fingerprint_ == photographs.fingerprint_
        assert other.compress([photo]) == [stream]
        np.testing.assert_array_equal(
            other.decompress([stream])[0], photographs.decompress([stream])[0]
        )


def test_a_list_comes_back_as_a_list(photographs, photo):
    decoded = photographs.decompress(photographs.compress([photo]))
    assert isinstance(decoded, list)
    assert [image.shape for image in decoded] == [photo.shape]


def test_params_of_the_network_are_fixed():
    model = ImageCompressor.pretrained(quality=20, warm_start=True)
    assert model.quality == 20
    with pytest.raises(ValueError, match="patch_shape can't be set"):
        ImageCompressor.pretrained(patch_shape=(4, 4))
    with pytest.raises(ValueError, match="quality"):
        ImageCompressor.pretrained(quality=200)
    with pytest.raises(TypeError, match="qualty"):
        ImageCompressor.pretrained(qualty=20)


def test_versions(photographs, photo):
    first = ImageCompressor.pretrained(version=1)
    assert first.fingerprint_ == 0xF8584314
    assert ImageCompressor.pretrained(version=2).fingerprint_ == photographs.fingerprint_
    sizes = [len(model.compress([photo], target_psnr=34)[0]) for model in (first, photographs)]
    assert sizes[1] < 0.95 * sizes[0]
    with pytest.raises(BitstreamError, match=r"read it with ImageCompressor.pretrained\(version=2"):
        first.decompress(photographs.compress([photo], quality=0))
    with pytest.raises(ValueError, match="version=3 must be one of \\[1, 2\\], or None"):
        ImageCompressor.pretrained(version=3)


def test_arrays_of_files(tmp_path):
    arrays = {
        "a": np.arange(12, dtype=np.int16).reshape(3, 4),
        "half": np.ones((2, 3), np.float16),
        "text": np.array("{}"),
        "number": np.array(3.5),
    }
    write_arrays(tmp_path / "sorted.npz", arrays)
    np.savez(tmp_path / "plain.npz", **arrays)
    for name in ("sorted.npz", "plain.npz"):
        found = read_arrays(tmp_path / name)
        assert found.keys() == arrays.keys()
        for each in arrays:
            np.testing.assert_array_equal(found[each], arrays[each], strict=True)


def test_going_on_from_it(photographs, photo):
    own = ImageCompressor.pretrained(warm_start=True).fit([photo[:128, :128]])
    assert own.fingerprint_ != photographs.fingerprint_
    np.testing.assert_array_equal(
        own.module_.transform.synthesis.detach(), photographs.module_.transform.synthesis.detach()
    )
    (stream,) = own.compress([photo])
    assert psnr(photo, own.decompress([stream])[0]) > 30


@pytest.mark.parametrize(
    "region",
    [
        (slice(0, 10), slice(5, 6)),
        (slice(-20, None), slice(None, None)),
        (slice(500, 530), slice(400, 560)),
        (slice(None), slice(511, 513)),
    ],
)
def test_region(photographs, photo, region):
    large = np.tile(photo, (3, 2, 1))
    (stream,) = photographs.compress([large], quality=10)
    (whole,) = photographs.decompress([stream])
    (part,) = photographs.decompress([stream], region=region)
    np.testing.assert_array_equal(part, whole[region])


def test_region_decodes_only_its_tiles(photographs, photo, monkeypatch):
    (stream,) = photographs.compress([np.tile(photo, (3, 2, 1))], quality=10)
    n_decoded = []
    decode = photographs._codec.decode
    monkeypatch.setattr(
        photographs._codec, "decode", lambda *args: n_decoded.append(1) or decode(*args)
    )
    photographs.decompress([stream], region=(slice(0, 100), slice(0, 100)))
    assert len(n_decoded) == 1


def test_region_of_pixels_that_are_stored(photographs):
    noise = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    (stream,) = photographs.compress([noise], quality=100)
    assert inspect_stream(stream)["quality"] is None
    (part,) = photographs.decompress([stream], region=(slice(2, 4), slice(3, 9)))
    np.testing.assert_array_equal(part, noise[2:4, 3:])


@pytest.mark.parametrize(
    ("region", "message"),
    [
        ((slice(5, 5), slice(None)), "holds no pixel of an image of 200 x 303"),
        ((slice(300, 400), slice(None)), "holds no pixel"),
        (slice(0, 5), "must be two slices"),
        ((slice(0, 9, 2), slice(None)), "without steps"),
        ((0, 5), "must be two slices"),
    ],
)
def test_bad_region(photographs, photo, region, message):
    streams = photographs.compress([photo], quality=0)
    with pytest.raises(ValueError, match=message):
        photographs.decompress(streams, region=region)


def test_inspect_stream(photographs, photo):
    (stream,) = photographs.compress([photo], quality=25)
    assert inspect_stream(stream) == {
        "n_images": 1,
        "height": 200,
        "width": 303,
        "channels": 3,
        "dtype": "uint8",
        "quality": 25.0,
        "bits_per_pixel": 8 * len(stream) / (200 * 303),
        "n_chunks": 1,
        "fingerprint": photographs.fingerprint_,
    }
    with pytest.raises(BitstreamError, match="damaged"):
        inspect_stream(stream[:-1] + bytes([stream[-1] ^ 1]))


def test_inverse_transform(photographs, photo):
    model = ImageCompressor().fit(photo[None, :64, :96])
    codes = model.transform(photo[None, :64, :96])
    assert codes.shape == (1, 64 * 96 * 3)
    np.testing.assert_allclose(model.inverse_transform(codes)[0], photo[:64, :96], atol=1)
    with pytest.raises(ValueError, match="training images of one shape"):
        photographs.inverse_transform(np.zeros((1, photographs.module_.n_components * 16**2)))


def test_not_there(photographs):
    assert not hasattr(photographs, "partial_fit")
    assert not hasattr(photographs, "feature_errors")


def test_values_far_outside_of_the_training_images():
    X = np.random.default_rng(0).normal(size=(30, 12))
    model = ImageCompressor(image_shape=(3, 4)).fit(X)
    with pytest.raises(ValueError, match=r"up to 1e\+300, too large to compute with"):
        model.compress(np.full((1, 12), 1e300))


def test_going_on_with_pictures_that_are_too_small(photo):
    model = ImageCompressor.pretrained(warm_start=True)
    (stream,) = model.compress([photo])

    with pytest.raises(
        ValueError, match=r"crops of 128 x 64 pixels.*trained on crops of 128 x 128"
    ):
        model.fit([photo[:, :60]])

    assert model.compress([photo]) == [stream]
