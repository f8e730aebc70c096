"""What a codec of another medium takes from the base: one of lines, without a transform."""

import pytest
import torch

from skae.networks import N_LEVELS
from skae.networks.codec._contexts import ChannelContexts
from skae.networks.codec._quantizer import Quantizer
from skae.networks.codec._transform_codec import TransformCodec

BLOCK = 4


class LineCodec(TransformCodec):
    span = 1.0
    n_components = BLOCK

    def __init__(self):
        super().__init__()
        self.quantizer = Quantizer(BLOCK, 0.5, 0.01)
        self.contexts = ChannelContexts(BLOCK, N_LEVELS)
        self.register_buffer("mean", torch.zeros(BLOCK))

    def coefficients(self, x):
        return x.reshape(len(x), 1, -1, BLOCK) - self.mean

    def synthesize(self, y, level, realism=0.0):
        return (y + self.mean).flatten(1)[..., None]


@pytest.fixture(scope="module")
def x():
    return torch.rand(50, 8 * BLOCK, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def codec(x):
    codec = LineCodec().requires_grad_(False)
    codec.fit_contexts(x)
    return codec


def test_bits_buy_quality(codec, x):
    costs = [codec.rate_distortion(x, level) for level in (0.0, 3.5, 7.0)]
    bits = [float(b.mean()) for b, _ in costs]
    errors = [
        float((codec.rounded_coefficients(x, level) - codec.coefficients(x)).square().mean())
        for level in (0.0, 3.5, 7.0)
    ]
    assert bits == sorted(bits)
    assert errors == sorted(errors, reverse=True)


def test_rounding_is_within_a_step(codec, x):
    for level in (0.0, 7.0):
        error = codec.rounded_coefficients(x, level) - codec.coefficients(x)
        assert error.abs().max() < codec.step_size(level)


def test_streams_depend_on_all_weights_and_buffers(codec):
    tensors = [t.data_ptr() for t in codec.stream_tensors()]
    assert tensors == [t.data_ptr() for t in codec.state_dict().values()]
    assert codec.mean.data_ptr() in tensors
    assert codec.quantizer.gains.data_ptr() in tensors


def test_texture_is_not_invented(codec):
    assert not codec.has_texture
