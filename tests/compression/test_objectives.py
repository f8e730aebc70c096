"""Steps of rounding that serve what people see."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image

from skae.compression import ImageCompressor
from skae.metrics import ms_ssim
from skae.networks import ImageCodecNetwork
from skae.networks.codec._visible import _similarity, visible_steps


@pytest.fixture(scope="module")
def crops():
    photo = load_sample_image("flower.jpg")[:384, :384, 1].copy()
    return (
        torch.from_numpy(photo).float().unfold(0, 64, 64).unfold(1, 64, 64).flatten(0, 1)[..., None]
    )


def test_similarity_is_that_of_the_metrics():
    """But for windows beyond the margin."""
    x = torch.from_numpy(load_sample_image("flower.jpg")[None, :352, :352].copy()).float()
    y = (x + 6 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 255)
    expected = [ms_ssim([a], [b], max_value=255) for a, b in zip(x.numpy(), y.numpy(), strict=True)]
    np.testing.assert_allclose(_similarity(x, y), expected, atol=0.02)


def test_channels_that_are_seen_less_have_coarser_steps(crops):
    network = ImageCodecNetwork((64, 64, 1), (8, 8), width=2, n_blocks=0, objective="ms_ssim")
    network.transform.fit(crops)
    steps = visible_steps(crops, network.transform.components, network.projected)
    assert steps.shape == (64,)
    assert steps[:8].mean() < 0.8 * steps[-20:].mean()
    assert not network.quantizer.gains.requires_grad


@pytest.fixture(scope="module")
def model(crops):
    params = {"patch_shape": (4, 4), "n_components": 6, "max_epochs": 0, "random_state": 0}
    return ImageCompressor(objective="ms_ssim", **params).fit(crops.byte().numpy())


def test_it_is_a_part_of_the_model(model, crops):
    gains = model._codec.network.quantizer.gains
    assert gains.std() > 0.1
    assert torch.equal(gains[0], gains[1])
    image = crops[3].byte().numpy()
    (stream,) = model.compress([image])
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(twin.decompress([stream])[0], model.decompress([stream])[0])
    assert ms_ssim([image], model.decompress([stream])) > 0.9


def test_streams_of_a_wanted_similarity(model, crops):
    image = crops[3].byte().numpy()
    (stream,) = model.compress([image], target_ms_ssim=0.95)
    assert 0.95 <= ms_ssim([image], model.decompress([stream])) < 0.97
    with pytest.raises(ValueError, match="quality and target_ms_ssim exclude each other"):
        model.compress([image], quality=3, target_ms_ssim=0.95)


def test_a_model_from_before_there_was_a_choice(model):
    state = model.__getstate__()
    del state["objective"]
    state["_fitted_params"] = {k: v for k, v in state["_fitted_params"].items() if k != "objective"}
    old = ImageCompressor()
    old.__setstate__(state)
    assert old.get_params()["objective"] == old._fitted_params["objective"] == "psnr"


def test_images_too_small_for_it():
    X = np.arange(2560, dtype=np.uint16).reshape(40, 8, 8)
    with pytest.raises(ValueError, match=r"with sides of 11 pixels at least, but they have 8 x 8"):
        ImageCompressor(objective="ms_ssim").fit(X)


def test_the_bundled_model_has_one():
    with pytest.raises(ValueError, match="objective can't be set"):
        ImageCompressor.pretrained(objective="ms_ssim")
