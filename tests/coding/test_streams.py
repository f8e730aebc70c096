"""Streams of a medium of one axis, a line of samples in one or two channels."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from skae.coding import (
    CODED,
    N_NUMBERS,
    N_PER_LEVEL,
    RAW,
    BitstreamError,
    Codec,
    Header,
    StreamCodec,
    pack,
    unpack,
)
from skae.networks import ImageCodecNetwork

BLOCK, TILE = 16, 160


@dataclass(frozen=True)
class LineHeader(Header):
    magic = b"LINE"
    dtypes = ("float32",)

    n_lines: int
    length: int
    channels: int
    n_together: int = 1
    tile: int = 1

    @property
    def shape(self):
        return self.n_lines, self.length, self.channels

    @property
    def chunk_shape(self):
        return self.n_together, self.tile


class LineStreams(StreamCodec):
    header_type = LineHeader

    def layouts(self, shape):
        return [{"n_together": min(shape[0], 3), "tile": tile} for tile in (TILE, 2 * TILE)]

    def check(self, header):
        if header.channels != 2:
            raise BitstreamError(f"{header.channels} channels, not 2")

    def window(self, region, lengths):
        return region or (slice(0, lengths[0]),)

    def grid(self, place):
        n, length = (part.stop - part.start for part in place)
        return n, 1, -(-length // BLOCK)

    def coefficients(self, arrays):
        x = np.stack(arrays)
        x = np.pad(x, [(0, 0), (0, -x.shape[1] % BLOCK), (0, 0)], mode="edge")
        x = torch.from_numpy(x)[:, None].to(self.codec.network.mean)
        return self.codec.network.coefficients(x)

    def samples(self, y, header, place, realism):
        x = self.codec.network.synthesize(y, header.number / N_PER_LEVEL, realism)[:, 0]
        return x[:, : place[1].stop - place[1].start].float().numpy()


def lines(n, length, seed=0):
    random, t = np.random.default_rng(seed), np.arange(length)[:, None]
    frequencies, phases = random.uniform(0.05, 0.3, (n, 1, 2)), random.uniform(0, 6, (n, 1, 2))
    waves = 128 + 90 * np.sin(frequencies * t + phases) + random.normal(0, 3, (n, length, 2))
    return list(waves.astype(np.float32))


@pytest.fixture(scope="module")
def codec():
    torch.manual_seed(0)
    network = ImageCodecNetwork((1, 8 * BLOCK, 2), (1, BLOCK), width=4, n_blocks=1).eval()
    x = torch.from_numpy(np.stack(lines(40, 8 * BLOCK, seed=1))).flatten(1)
    network.initialize(x, x)
    with torch.no_grad():
        grid = network.coefficients(x)
    return Codec(network).learned([grid], range(0, N_NUMBERS, N_PER_LEVEL))


@pytest.fixture(scope="module")
def streams(codec):
    return LineStreams(codec, 1.0, codec.fingerprint())


def test_round_trip(streams):
    X = lines(5, 1000)
    stream = streams.write(X, 100)
    header, chunks = unpack(stream, LineHeader)
    assert header.kind == CODED
    assert len(chunks) == 2 * 7
    assert 4 * len(stream) < sum(x.nbytes for x in X)
    decoded = streams.read(stream)
    assert decoded.shape == (5, 1000, 2)
    assert decoded.dtype == np.float32
    assert np.abs(decoded - X).mean() < 5


@pytest.mark.parametrize("region", [slice(3, 170), slice(160, 320), slice(999, 1000)])
def test_a_window_is_part_of_the_whole(streams, region):
    stream = streams.write(lines(5, 1000), 60)
    whole = streams.read(stream)
    part = streams.read(stream, indices=[4, 1], region=(region,))
    np.testing.assert_allclose(part, whole[[4, 1], region], atol=1e-3)


def test_the_cost_is_that_of_the_stream(streams):
    X = lines(2, 1000)
    n_bits, squares = streams.costs(X, 80)
    for x, bits, square in zip(X, n_bits, squares, strict=True):
        stream = streams.write([x], 80)
        chunks = unpack(stream, LineHeader)[1]
        excess = sum(map(len, chunks)) - bits / 8
        assert 0 < excess < 8 * len(chunks)  # a state of the coder, and two numbers
        error = streams.read(stream)[0].astype(float) - x
        assert np.square(error).sum() == pytest.approx(square, rel=1e-3)


def test_what_is_dear_is_kept_as_it_is(streams):
    noise = list(np.random.default_rng(0).normal(0, 1e9, (2, 300, 2)).astype(np.float32))
    stream = streams.write(noise, N_NUMBERS - 1)
    assert unpack(stream, LineHeader)[0].kind == RAW
    np.testing.assert_array_equal(streams.read(stream), noise)


def rewritten(streams, stream, **changes):
    """Return the chunks of a stream behind a header of another model."""
    header, chunks = unpack(stream, LineHeader)
    fields = {name: changes.get(name, getattr(header, name)) for name in vars(header)}
    return pack(LineHeader(**fields), chunks)


def test_streams_of_former_fingerprints_are_read(codec, streams):
    stream = streams.write(lines(1, 100), 50)
    old = rewritten(streams, stream, fingerprint=7)
    with pytest.raises(BitstreamError, match="was written by the model 00000007"):
        streams.read(old)
    knowing = LineStreams(codec, 1.0, streams.fingerprint, former=(5, 7))
    np.testing.assert_array_equal(knowing.read(old), streams.read(stream))
    assert knowing.write(lines(1, 100), 50) == stream


def test_layouts(streams):
    """The first is written, any that the medium knows is read, no other."""
    stream = streams.write(lines(1, 100), 50)
    other = rewritten(streams, stream, tile=2 * TILE)  # one chunk, with either
    np.testing.assert_array_equal(streams.read(other), streams.read(stream))
    with pytest.raises(BitstreamError, match=r"chunks of the shape \(1, 480\), but .* \(1, 160\)"):
        streams.read(rewritten(streams, stream, tile=3 * TILE))


def test_unknown_step_and_channels(streams):
    stream = streams.write(lines(1, 100), 50)
    with pytest.raises(BitstreamError, match="rounding step 113, which is not known"):
        streams.read(rewritten(streams, stream, number=N_NUMBERS))
    with pytest.raises(BitstreamError, match="1 channels, not 2"):
        streams.read(rewritten(streams, stream, channels=1))


def test_a_fingerprint_is_of_network_tables_and_medium(codec):
    assert codec.fingerprint() != codec.fingerprint(b"medium")
    assert codec.fingerprint() != Codec(codec.network).fingerprint()
    assert codec.fingerprint() == Codec(codec.network, codec.tables).fingerprint()
