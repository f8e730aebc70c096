"""The page on wide contexts in ``docs/formats/image.rst`` is right: followed step by step."""

import itertools
import math

import numpy as np
import pytest
import torch

from skae.coding import Codec, unpack
from skae.compression._image_streams import ImageHeader
from skae.networks import ImageCodecNetwork

from .test_format import DIAGONAL, EDGES, begun, whole_log
from .test_golden import load_arrays, load_model, load_stream

NINE = list(itertools.product((-1, 0, 1), repeat=2))


def beyond(diagonal):
    if diagonal:
        far = [(a, b) for a in (-3, -1, 1, 3) for b in (-3, -1, 1, 3) if abs(a) != abs(b)]
        return DIAGONAL + far
    far = [(a, b) for a in (-2, -1, 1, 2) for b in (-2, -1, 1, 2) if abs(a) != abs(b)]
    return [(-1, 0), (0, -1), (0, 1), (1, 0), *far]


def passes_of(a, rows, columns):
    """Return the passes of a group: squares, and their offsets of neighbours."""
    squares = list(itertools.product(range(rows), range(columns)))
    first = [(x, y) for x, y in squares if (x + y) % 2 == 0]
    second = [(x, y) for x, y in squares if (x + y) % 2]
    if a >= 22:
        return [(first + second, None)]
    if a >= 3:
        return [(first, None), (second, beyond(False))]
    passes = [([(x, y) for x, y in squares if x % 8 == y % 8 == 0], None)]
    for t in (4, 2, 1):
        odd = [(x, y, x // t % 2, y // t % 2) for x, y in squares if x % t == y % t == 0]
        for wanted in (2, 1):
            offsets = [(t * d, t * e) for d, e in beyond(wanted == 2)]
            passes.append(([(x, y) for x, y, i, j in odd if i + j == wanted], offsets))
    return passes


def decode(payload, model, shape, q):
    """Return the coefficients of a chunk."""
    n = model["network.transform.analysis"].shape[1]
    images, rows, columns = shape
    low = min(q // 16, 6)
    part = q - 16 * low
    W = (16 - part) * model["weights"][low].astype(int) + part * model["weights"][low + 1]
    W = (W + 32) // 64
    M = np.clip(np.round(model["network.contexts.means"].astype(float) * 2**12) / 2**12, -128, 128)
    M = M[low] + part / 16 * (M[low + 1] - M[low])
    centroids = np.round(64 * model["centroids"]) / 64
    tables = np.split(model["tables"], np.cumsum(model["sizes"])[:-1])
    tables = [table.tolist() for table in tables]
    reader, n_groups, moved = begun(payload, tables)
    edges = [edge for edge in EDGES if edge < n]
    groups = list(zip(edges, [*edges[1:], n], strict=True))
    z = np.zeros((images, rows, columns, n), dtype=object)
    v = np.zeros(z.shape)
    S = np.zeros((images, rows, columns, len(groups)), dtype=object)

    def around(i, x, y):
        for d, e in NINE:
            yield i, np.clip(x + d, 0, rows - 1), np.clip(y + e, 0, columns - 1)

    def r(value):
        return math.floor(abs(value) + 0.5)

    def features(g, a, b, i, x, y, neighbours):
        here = S[i, x, y]
        beside = [S[place] for k, place in enumerate(around(i, x, y)) if k != 4]
        sums = [here[k : k + 1] if k >= 0 else [] for k in (g - 1, g - 2, g - 3)]
        sums += [here[: max(0, g - 3)]]
        f = [1, *(whole_log(sum(each)) for each in sums)]
        for some in (slice(g - 1, g), slice(g - 2, g - 1), slice(0, max(0, g - 2))):
            inside = some.start >= 0
            f += [whole_log(sum(sum(each[some]) for each in beside) if inside else 0)]
        for start, stop in groups[:g]:
            if start < 36:
                c, valued, nine = range(start, stop), start < 17, list(around(i, x, y))
                f += [whole_log(abs(z[i, x, y, k])) for k in c]
                f += [whole_log(r(v[i, x, y, k])) for k in c if valued]
                f += [whole_log(sum(abs(z[(*place, k)]) for place in nine)) for k in c]
                f += [whole_log(sum(r(v[(*place, k)]) for place in nine)) for k in c if valued]
        if neighbours is not None:
            q = [[abs(z[(*p, k)]) if p else 0 for p in neighbours] for k in range(a, b)]
            u = [[v[(*p, k)] if p else 0.0 for p in neighbours] for k in range(a, b)]
            f += [whole_log(sum(each[:4])) for each in q]
            f += [whole_log(each[k]) for k in range(4) for each in q]
            f += [whole_log(r(max(each[:4]) - min(each[:4]))) for each in u]
            f += [whole_log(r(each[0] - each[3])) for each in u]
            f += [whole_log(r(each[1] - each[2])) for each in u]
            f += [whole_log(r(max(each) - min(each))) for each in u]
            if b - a > 1:
                f += [whole_log(sum(sum(each[:4]) for each in q))]
        return f

    def sources(g, a, b, i, x, y, neighbours):
        u = [
            v[(*place, k)]
            for start, stop in groups[:g]
            if start < 22
            for place in around(i, x, y)
            for k in range(start, stop)
        ]
        if neighbours is not None:
            u += [v[(*p, k)] if p else 0.0 for p in neighbours for k in range(a, b)]
        return np.clip(u, -16384, 16384)

    at_scales = at_means = 0
    for g, (a, b) in enumerate(groups[:n_groups]):
        for squares, offsets in passes_of(a, rows, columns):
            waiting, s = [], 9 * sum(t - f for f, t in groups[:g] if f < 22)
            s = (s + 12 * (b - a) * (offsets is not None)) * (a < 80)
            d = 8 + sum((t - f) * (2 + 2 * (f < 17)) for f, t in groups[:g] if f < 36)
            d += (9 * (b - a) + (b - a > 1)) * (offsets is not None)
            w = W[at_scales : at_scales + d * (b - a)].reshape(d, b - a)
            at_scales += d * (b - a)
            m = M[at_means : at_means + s * (b - a)].reshape(s, b - a)
            at_means += s * (b - a)
            for i in range(images):
                for x, y in squares:
                    neighbours = offsets and [
                        next(
                            (
                                (i, x + k * dx, y + k * dy)
                                for k in (1, -1)
                                if 0 <= x + k * dx < rows and 0 <= y + k * dy < columns
                            ),
                            None,
                        )
                        for dx, dy in offsets
                    ]
                    f = features(g, a, b, i, x, y, neighbours)
                    mu = sources(g, a, b, i, x, y, neighbours) @ m if s else np.zeros(b - a)
                    if a < 22:
                        mu = np.floor(64 * mu) / 64
                    for c in range(a, b):
                        number = min(63, max(0, int(np.dot(w[:, c - a], f)) >> 10))
                        waiting.append((number, mu[c - a], (i, x, y, c)))
            for number, mu, place in sorted(waiting, key=lambda each: each[0]):
                integer = reader.read(tables[min(63, max(0, number + moved[g]))])
                z[place] = integer
                shift = centroids[number, min(abs(integer), 3) - 1] if integer else 0
                v[place] = mu + np.sign(integer) * (abs(integer) + shift)
        S[..., g] = sum(abs(z[..., k]) for k in range(a, b))
    assert not reader.words
    assert not reader.escaped
    assert reader.state == 0
    gains = model["network.quantizer.gains"][1].astype(float)
    gains = gains[low] + part / 16 * (gains[low + 1] - gains[low])
    return v * 140 * 20 ** (-q / 112) * np.exp(gains)


def draw(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.fixture(scope="module")
def codec():
    """Return one with channels of all kinds, whose weights are random."""
    network = ImageCodecNetwork((100, 100, 1), (10, 10), 84, width=2, n_blocks=0, wide=True).eval()
    contexts = network.contexts
    contexts.scales.copy_(0.02 * draw(*contexts.scales.shape))
    contexts.means.copy_(0.02 * draw(*contexts.means.shape))
    return Codec(network)


def assert_described(codec, arrays, payload, shape, number):
    y = decode(payload, arrays, shape, number)
    expected = codec.decode(payload, shape, number)
    torch.testing.assert_close(torch.from_numpy(y).float(), expected, rtol=1e-5, atol=1e-3)


def test_channels_of_all_kinds(codec):
    y = draw(1, 9, 5, 84) * torch.linspace(500, 20, 84)
    payload = codec.encode(y, 75)
    assert payload[0] > 127  # it has offsets
    state = codec.network.state_dict()
    arrays = {f"network.{name}": value.numpy() for name, value in state.items()}
    assert_described(codec, {**arrays, **vars(codec.tables)}, payload, (1, 9, 5), 75)


@pytest.mark.parametrize("name", ["wide/strip", "wide/dataset"])
def test_golden_streams(name):
    header, chunks = unpack(load_stream(name), ImageHeader)
    images, *window = next(iter(header.places()))
    grid = [math.ceil((each.stop - each.start) / 2) for each in window]
    shape = (images.stop - images.start, *grid)
    codec, arrays = load_model(name)._codec, load_arrays(name, "model")
    assert_described(codec, arrays, chunks[0], shape, header.number)
