import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from skae.training._random import seeded_global_generators


def test_seed_decides():
    draws = []
    for _ in range(2):
        with seeded_global_generators(3):
            draws.append(torch.rand(5))

    assert torch.equal(*draws)


def test_global_generator_is_as_before():
    before = torch.get_rng_state()

    with seeded_global_generators(3):
        torch.rand(5)

    assert torch.equal(torch.get_rng_state(), before)


def test_global_generator_is_as_before_after_an_error():
    before = torch.get_rng_state()

    with pytest.raises(RuntimeError), seeded_global_generators(3):
        torch.rand(-1)

    assert torch.equal(torch.get_rng_state(), before)


def test_blocks_can_be_nested():
    with seeded_global_generators(3):
        torch.rand(1)
        expected = torch.rand(1)

    with seeded_global_generators(3):
        torch.rand(1)
        with seeded_global_generators(4):
            torch.rand(7)
        assert torch.equal(torch.rand(1), expected)


def test_threads_take_turns():
    barrier = threading.Barrier(4)

    def draw(seed):
        barrier.wait()
        with seeded_global_generators(seed):
            return torch.cat([torch.rand(1) for _ in range(200)])

    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(draw, range(4)))

    for seed, numbers in enumerate(drawn):
        assert torch.equal(numbers, torch.rand(200, generator=torch.Generator().manual_seed(seed)))
