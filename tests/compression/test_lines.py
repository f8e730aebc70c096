"""Images of one row: long ones are not cut into many chunks, but such streams are read."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from skae.coding import CODED, BitstreamError, pack, read_varint, unpack
from skae.compression import ImageCompressor
from skae.compression._image_streams import ImageHeader, ImageStreams


def noisy_tone(n_samples):
    """Return a tone in so much noise that its code is not short."""
    noise = np.random.default_rng(n_samples).normal(0, 0.2, n_samples)
    return (0.5 * np.sin(np.arange(n_samples) / 9) + noise).astype(np.float32)[None]


@pytest.fixture(scope="module")
def of_lines():
    X = noisy_tone(19_200).reshape(30, 640)
    return ImageCompressor(max_epochs=0, patch_shape=(1, 64), random_state=0).fit(X)


@pytest.fixture(scope="module")
def long_line():
    return noisy_tone(65_536)[..., None]


def n_coded(stream):
    """Return how many bytes of a stream are codes: words and escapes."""
    total = 0
    for chunk in unpack(stream, ImageHeader)[1]:
        _, start = read_varint(chunk, 1)  # behind the number of groups
        total += len(chunk) - start
    return total


@pytest.mark.parametrize(("quality", "most"), [(0, 1), (50, 0.01), (100, 0.01)])
def test_framing_of_a_long_line(of_lines, long_line, quality, most):
    (stream,) = of_lines.compress([long_line[..., 0]], quality=quality)
    assert unpack(stream, ImageHeader)[0].kind == CODED
    framing = len(stream) - n_coded(stream)
    assert 0 < framing < 40
    assert framing < most * len(stream)


def test_lines_in_short_tiles_are_read(of_lines, long_line):
    """As they were written before."""
    streams = of_lines._streams
    header, _ = unpack(streams.write([long_line[0][None]], 56), ImageHeader)
    assert header.chunk_shape == (1, 2**18, 2**18)
    old = replace(header, tile=512)
    parts = [long_line[:, columns] for _, _, columns in old.places()]
    assert len(parts) == 128
    chunks = [of_lines._codec.encode(streams.coefficients([part]), 56) for part in parts]
    decoded = streams.read(pack(old, chunks))
    assert np.abs(decoded[0] - long_line).mean() < 0.1
    for tile in (448, 1024, 2**17, 2**18 + 64):
        other = replace(header, tile=tile)
        with pytest.raises(BitstreamError, match="must be"):
            streams.read(pack(other, (2 * chunks)[: other.n_chunks]))


@pytest.mark.parametrize(
    ("patch_shape", "shape", "tiles"),
    [
        ((1, 64), (1, 512), [512]),
        ((1, 64), (1, 513), [2**18, 512]),
        ((1, 30), (1, 30), [510]),
        ((1, 30), (1, 600), [262_140, 510]),
        ((1, 64), (2, 65_536), [512]),
        ((1, 64), (65_536, 1), [512]),
        ((64, 1), (65_536, 1), [2**18, 512]),
        ((8, 8), (1, 65_536), [512]),
    ],
)
def test_only_long_lines_have_long_tiles(patch_shape, shape, tiles):
    codec = SimpleNamespace(network=SimpleNamespace(patch_shape=patch_shape))
    streams = ImageStreams(codec, (0.0, 1.0), np.dtype("float32"), 1, fingerprint=0)
    assert [layout["tile"] for layout in streams.layouts((5, *shape, 1))] == tiles
