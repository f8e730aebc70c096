"""Rounding, its steps, and what it costs."""

import torch

from skae.networks import DEAD_ZONE, N_LEVELS, interpolated
from skae.networks.codec._quantizer import Quantizer, code_length, rounded


def test_steps_fall_by_the_same_factor_from_level_to_level():
    steps = Quantizer(3, 64.0, 0.5).step_size(torch.arange(N_LEVELS))
    torch.testing.assert_close(steps, 2.0 ** torch.arange(6, -2, -1))


def test_gains_are_factors_of_steps():
    quantizer = Quantizer(1, 64.0, 0.5)
    with torch.no_grad():
        quantizer.gains[0, 2], quantizer.gains[1, 3] = 1, -1
    divisors, factors = quantizer.steps(2.5)
    torch.testing.assert_close(divisors.log() - factors.log(), torch.ones(1))


def test_weights_between_levels():
    weights = torch.arange(4.0) ** 2
    levels = [0, 0.5, 1, 2.25, 3]
    assert [float(interpolated(weights, level)) for level in levels] == [0, 0.5, 1, 5.25, 9]


def test_rounding_prefers_zero():
    edge = 1 - DEAD_ZONE
    y = torch.tensor([edge - 0.01, edge + 0.01, 1 + edge - 0.01, 1 + edge + 0.01])
    assert rounded(torch.cat([y, -y])).tolist() == [0, 1, 1, 2, 0, -1, -1, -2]


def test_larger_numbers_never_cost_less():
    magnitudes = torch.linspace(0, 6, 601)
    for scale in (0.05, 0.5, 5.0):
        lengths = code_length(magnitudes, torch.full_like(magnitudes, scale))
        assert (lengths.diff() >= -1e-5).all()
        # What is surely rounded to zero costs as much as zero.
        assert lengths[:30].unique().numel() == 1
