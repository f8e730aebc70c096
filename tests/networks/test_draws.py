"""Draws of values that come up as often as expected."""

import numpy as np
import torch

from skae.networks._draws import shift_to_shares, spread_choices


def probabilities(n):
    logits = torch.from_numpy(np.random.default_rng(0).normal(size=(n, 3)))
    return logits.softmax(1)


def test_each_row_has_its_own_probabilities():
    generator, probs = torch.Generator().manual_seed(0), probabilities(5)

    drawn = torch.stack([spread_choices(probs, generator) for _ in range(4000)])

    found = torch.nn.functional.one_hot(drawn, 3).double().mean(0)
    torch.testing.assert_close(found, probs, rtol=0, atol=0.04)


def test_values_come_up_about_as_often_as_expected():
    generator, probs = torch.Generator().manual_seed(0), torch.full((4000, 2), 0.5).double()

    counts = [int(spread_choices(probs, generator).sum()) for _ in range(30)]

    assert np.std(counts) < 10  # 32 if rows were independent


def test_two_draws_are_independent():
    generator, probs = torch.Generator().manual_seed(0), probabilities(4000)[:, :2]
    probs /= probs.sum(1, keepdim=True)
    first, second = (spread_choices(probs, generator) - probs[:, 1] for _ in range(2))

    assert abs(np.corrcoef(first, second)[0, 1]) < 0.06


def test_what_is_impossible_is_not_drawn():
    probs = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]).double().repeat(500, 1)

    drawn = spread_choices(probs, torch.Generator().manual_seed(0))

    assert drawn.tolist() == [1, 0] * 500
    assert not len(spread_choices(probs[:0], torch.Generator()))


def test_shifts_bring_the_shares():
    logits, shares = probabilities(1000).log(), torch.tensor([0.2, 0.7, 0.1]).double()

    shift = shift_to_shares(logits, shares)

    torch.testing.assert_close((logits + shift).softmax(1).mean(0), shares, rtol=0, atol=1e-4)
    assert shift_to_shares(logits, torch.tensor([0.0, 0.0, 1.0]).double()).abs().max() <= 3
