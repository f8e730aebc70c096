"""Corrections are zero before they are trained, and keep the shape of what they correct."""

import pytest
import torch
from torch import nn

from skae.networks.codec._corrections import Correction, PixelCorrection

CORRECTIONS = {
    "coefficients": lambda: Correction(5, 5, width=4, n_blocks=1, kernel_size=3),
    "more outputs": lambda: Correction(5, 8, width=4, n_blocks=1, kernel_size=1),
    "pixels": lambda: PixelCorrection(5, width=4, n_blocks=1, kernel_size=3),
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", CORRECTIONS)
def test_it_adds_nothing_before_it_is_trained(name, training):
    correction = CORRECTIONS[name]().train(training)
    difference = correction(torch.ones(2, 7, 3, 5), torch.ones(1))
    assert difference.shape == (2, 7, 3, 8 if name == "more outputs" else 5)
    assert not difference.any()


@pytest.mark.parametrize("name", CORRECTIONS)
def test_it_is_the_same_in_training_and_later(name):
    correction = CORRECTIONS[name]()
    nn.init.ones_(correction.level.weight)
    nn.init.ones_(correction.outer.weight)
    x, levels = torch.rand(2, 7, 3, 5), torch.tensor([0.0, 0.5])
    difference = correction(x, levels)
    assert difference.any()
    torch.testing.assert_close(correction.eval()(x, levels), difference)
    # Each image has its level.
    torch.testing.assert_close(correction(x[1:], levels[1:]), difference[1:])
    with pytest.raises(AssertionError):
        torch.testing.assert_close(correction(x[1:], levels[:1]), difference[1:])
