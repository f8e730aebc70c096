"""Kernel machines: what they see, and what they add to a row whatever stands beside it."""

import numpy as np
import pytest
import torch

from skae.imputation._kernels import KernelMachines, _slices, _without_each
from skae.imputation._normal import Normal
from skae.networks._normal import completed

WIDTHS = [1, 1, 3, 2]


@pytest.fixture(scope="module")
def rows():
    """Two numbers, and groups of three and of two, all by the first number; some are missing."""
    rng = np.random.default_rng(0)
    first = rng.normal(size=200)
    groups = [
        np.eye(3)[np.digitize(first, [-0.5, 0.5])],
        np.eye(2)[(first > 0).astype(int)],
    ]
    Z = np.column_stack([first, first**2 + 0.1 * rng.normal(size=200), *groups])
    missing = np.repeat(rng.random((200, len(WIDTHS))) < 0.2, WIDTHS, axis=1)
    return np.where(missing, np.nan, Z)


def test_inputs_are_conditional_means_without_the_column(rows):
    normal, x = Normal.of(rows), torch.from_numpy(rows)

    means, errors = _without_each(x, normal, _slices(WIDTHS))

    given = torch.from_numpy(normal.mean), torch.from_numpy(normal.precision)
    for own, got in zip(_slices(WIDTHS), means, strict=True):
        without = x.clone()
        without[:, own] = torch.nan
        expected = completed(without, *given)[0]
        np.testing.assert_allclose(got, expected, atol=1e-5)
        np.testing.assert_allclose(
            errors[:, own], (x - expected)[:, own].nan_to_num(0.0), atol=1e-5
        )


def test_moves_bring_guesses_nearer(rows):
    normal, x = Normal.of(rows), torch.from_numpy(rows)
    rng = np.random.default_rng(1)
    hidden = torch.from_numpy(np.repeat(rng.random((200, len(WIDTHS))) < 0.3, WIDTHS, axis=1))
    given = torch.from_numpy(normal.mean), torch.from_numpy(normal.precision)
    guess = completed(x.masked_fill(hidden, torch.nan), *given)[0]

    judged = hidden & ~x.isnan()

    _, moves = KernelMachines.of(x, guess, judged, normal, WIDTHS, seed=0)

    assert moves[~judged].eq(0).all()
    for own in _slices(WIDTHS)[1:]:
        cells = judged[:, own]
        wanted = (x - guess)[:, own][cells]
        assert (wanted - moves[:, own][cells]).square().mean() < 0.8 * wanted.square().mean()


def test_moves_do_not_depend_on_other_rows():
    rng, widths = np.random.default_rng(0), [1, 13, 2, 6]
    parts = [(4, 400, 22), (4, 22), (4,), (400, 22)]
    drawn = (rng.random(shape).astype(np.float32) for shape in parts)
    machines = KernelMachines(*drawn, widths)
    guess = torch.from_numpy(rng.random((200, 22)).astype(np.float32))
    missing = torch.from_numpy(np.repeat(rng.random((200, 4)) < 0.3, widths, axis=1))

    moves = machines.moves(guess, missing)

    assert moves[~missing].eq(0).all()
    assert moves[missing].ne(0).all()
    for size in (1, 7, 50):
        batches = zip(guess.split(size), missing.split(size), strict=True)
        assert torch.equal(torch.cat([machines.moves(*each) for each in batches]), moves)
