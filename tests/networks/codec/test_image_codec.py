"""The network of an image codec: its parts, and what stored models and streams rely on."""

from pathlib import Path

import numpy as np
import pytest
import torch

from skae.networks import ImageCodecNetwork

GOLDEN = Path(__file__).parents[2] / "compression" / "golden"
NETWORKS = {
    "model": {"image_shape": (8, 8, 1), "patch_shape": (4, 4), "n_components": 10},
    "whole/model": {"image_shape": (7, 8, 1), "patch_shape": (7, 8), "n_components": 12},
}


def build(name, **params):
    return ImageCodecNetwork(**NETWORKS[name], width=4, n_blocks=1, **params)


def stored(name):
    """Return the tensors of a stored model, by names of its time, in the order of that time."""
    with np.load((GOLDEN / name).with_suffix(".npz")) as file:
        prefix = "network."
        return {
            key.removeprefix(prefix): torch.from_numpy(file[key])
            for key in file
            if key.startswith(prefix)
        }


@pytest.mark.parametrize("name", NETWORKS)
def test_stored_models_load(name):
    network, tensors = build(name), stored(name)
    network.load_state_dict(tensors)
    twin = build(name)
    twin.load_state_dict(network.state_dict())
    for loaded in (network, twin):
        torch.testing.assert_close(loaded.transform.mean, tensors["mean"], rtol=0, atol=0)
        torch.testing.assert_close(loaded.quantizer.gains, tensors["gains"], rtol=0, atol=0)


@pytest.mark.parametrize("adversarial", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_streams_depend_on_the_same_tensors_in_the_same_order(name, adversarial):
    network, tensors = build(name, adversarial=adversarial), stored(name)
    network.load_state_dict(tensors, strict=not adversarial)
    found = network.stream_tensors()
    assert len(found) == len(tensors)
    for tensor, expected in zip(found, tensors.values(), strict=True):
        torch.testing.assert_close(tensor.detach(), expected, rtol=0, atol=0)


def test_names_that_it_does_not_know_are_refused():
    state = build("model").state_dict()
    with pytest.raises(RuntimeError, match=r"Unexpected.*strange"):
        build("model").load_state_dict({**state, "strange": torch.zeros(1)})
    del state["transform.mean"]
    with pytest.raises(RuntimeError, match=r"Missing.*transform\.mean"):
        build("model").load_state_dict(state)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_sharpener_comes_last(name):
    """So the other weights are drawn as they are without it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        plain = build(name).state_dict()
        torch.manual_seed(0)
        sharpened = build(name, adversarial=True).state_dict()
    assert list(sharpened)[: len(plain)] == list(plain)
    for key, tensor in plain.items():
        torch.testing.assert_close(sharpened[key], tensor, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("image_shape", "patch_shape", "kernel_size", "expected"),
    [
        ((8, 8, 3), (8, 8), 3, True),
        ([8, 8], [8, 8], 3, True),
        ((8, 8, 3), (8, 8), 1, False),
        ((16, 8, 3), (8, 8), 3, False),
    ],
)
def test_pixels_are_corrected_where_patches_are_images(
    image_shape, patch_shape, kernel_size, expected
):
    assert ImageCodecNetwork.restores(image_shape, patch_shape, kernel_size) is expected


@pytest.mark.parametrize("name", NETWORKS)
def test_what_learns(name):
    names = {key for key, p in build(name).named_parameters() if p.requires_grad}
    parts = {key.split(".")[0] for key in names}
    assert parts == (
        {"decoder"} if "/" in name else {"transform", "quantizer", "encoder", "decoder"}
    )


def test_steps_lie_between_those_of_its_quantizer():
    network = build("model")
    assert network.step_size(0.0) == 140
    assert network.step_size(7.0) == 7
    steps = network.step_size(torch.tensor([0.0, 3.5, 7.0]))
    torch.testing.assert_close(steps, torch.tensor([140, 980**0.5, 7]))
    divisors, factors = network.steps(3.5)
    torch.testing.assert_close(divisors, torch.full((10,), 980**0.5))
    torch.testing.assert_close(factors, divisors)
