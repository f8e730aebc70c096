"""``docs/formats/image.rst`` is right: followed step by step, without the code of the package."""

import math
import zlib

import numpy as np
import pytest
import torch

from skae.coding import RAW, pack, unpack
from skae.compression._image_streams import ImageHeader

from .test_golden import load_arrays, load_model, load_stream

EDGES = [0, 1, 2, 3, 4, 6, 8, 10, 13, 17, 22, 28, 36, 46, 60, 80, 110, 150, 200, 300, 450, 600]
KNOWN = [0, 1, 2, 3, 6, 10, 17, 28, 46]
AROUND = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
UPRIGHT = [(1, 0), (-1, 0), (0, 1), (0, -1)]
DIAGONAL = [(-1, -1), (-1, 1), (1, -1), (1, 1)]


def read_varint(data):
    value = shift = 0
    while True:
        byte, *data[:] = data
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value


def whole_log(x):
    return ((1 + min(int(x), 65535)) ** 8).bit_length() - 1


class Reader:
    def __init__(self, payload):
        data = list(payload)
        n_words = read_varint(data)
        words = bytes(data[: 4 * n_words])
        self.words = [int.from_bytes(words[i : i + 4], "little") for i in range(0, len(words), 4)]
        self.escaped = data[4 * n_words :]
        self.state = 0
        while self.state < 2**32 and self.words:
            self.state = self.state << 32 | self.words.pop()

    def read(self, table):
        r = len(table) // 2 - 1
        low, i, before = self.state & 2**24 - 1, 0, 0
        while low >= before + table[i]:
            before += table[i]
            i += 1
        self.state = (self.state >> 24) * table[i] + low - before
        if self.state < 2**32 and self.words:
            self.state = self.state << 32 | self.words.pop()
        if i < 2 * r + 1:
            return i - r
        e = read_varint(self.escaped)
        return (e // 2 + r + 1) * (-1 if e % 2 else 1)


def begun(payload, tables):
    """Return a reader, the number of groups, and the offset of each."""
    reader, n_groups = Reader(payload[1:]), payload[0] % 128
    return (
        reader,
        n_groups,
        [reader.read(tables[18]) if payload[0] > 127 else 0 for _ in range(n_groups)],
    )


def decode(payload, model, shape, q):
    """Return the coefficients of a chunk."""
    n = model["network.analysis"].shape[1]
    images, rows, columns = shape
    low = min(q // 16, 6)
    part = q - 16 * low
    W = (16 - part) * model["weights"][low].astype(object) + part * model["weights"][low + 1]

    def interpolated(w):
        return w[low] + part / 16 * (w[low + 1] - w[low])

    is_whole = "network.contexts.spreads" in model
    M = interpolated(model["network.contexts.means"].astype(float))
    if is_whole:
        spreads = interpolated(model["network.contexts.spreads"].astype(float))
        directions = model["network.contexts.directions"].astype(float)
    gains = interpolated(model["network.gains"][1].astype(float))
    tables = np.split(model["tables"], np.cumsum(model["sizes"])[:-1])
    tables = [table.tolist() for table in tables]
    reader, n_groups, moved = begun(payload, tables)
    edges = [edge for edge in EDGES if edge < n]
    groups = list(zip(edges, [*edges[1:], n], strict=True))
    m = max(stop for start, stop in groups if start < (300 if is_whole else 100))
    s = min(46 if is_whole else 24, n)
    z = np.zeros((images, rows, columns, n), dtype=object)
    v = np.zeros(z.shape)
    S = np.zeros((images, rows, columns, len(groups)), dtype=object)
    squares = [(i, x, y) for i in range(images) for x in range(rows) for y in range(columns)]

    def inside(x, y):
        return 0 <= x < rows and 0 <= y < columns

    def pass_of(a, x, y):
        """Return the number of the pass of a square, and where it looks for neighbours."""
        if a >= 6 or is_whole:
            return (1, UPRIGHT) if (x + y) % 2 else (0, None)
        for number, stride in ((1, 8), (3, 4), (5, 2), (7, 1)):
            odd = (x % (2 * stride) == stride, y % (2 * stride) == stride)
            if any(odd) and x % stride == y % stride == 0:
                offsets = DIAGONAL if all(odd) else UPRIGHT
                return number + (not all(odd)), [(stride * d, stride * e) for d, e in offsets]
        return 0, None

    def beside(x, y, offsets):
        """Return the neighbours, those opposite for what is outside, and None for neither."""
        pairs = [((x + d, y + e), (x - d, y - e)) for d, e in offsets]
        return [next((place for place in pair if inside(*place)), None) for pair in pairs]

    def nearest(x, y):
        return np.clip(x, 0, rows - 1), np.clip(y, 0, columns - 1)

    def features(g, a, b, i, x, y, c, neighbours):
        def here(start, stop):
            return sum(S[i, x, y, max(0, start) : max(0, stop)])

        def around(start, stop):
            chosen = slice(max(0, start), max(0, stop))
            return sum(sum(S[(i, *nearest(x + d, y + e))][chosen]) for d, e in AROUND)

        f = [1, *(whole_log(here(g - k, g - k + 1)) for k in (1, 2, 3)), whole_log(here(0, g - 3))]
        f += [whole_log(around(*ab)) for ab in ((g - 1, g), (g - 2, g - 1), (0, g - 2))]
        if neighbours is not None:
            near = [abs(z[(i, *place)]) for place in neighbours if place]
            f += [whole_log(sum(sum(each[a:b]) for each in near))]
            f += [whole_log(sum(each[c] for each in near))]
        return f

    def from_around(row, a, i, x, y):
        total = 0.0
        for d in range(3):
            for e in range(3):
                place = nearest(x + d - 1, y + e - 1)
                for t in range(min(s, a)):
                    total += M[row, 9 * t + 3 * d + e] * v[(i, *place, t)]
        return total

    def from_whole(row, a, values):
        k = max(each for each in KNOWN if each <= a)
        if k == 0:
            return 0.0
        total = M[row, 0]
        for t in range(k):
            total += M[row, 1 + t] * values[t]
        h = directions[0].copy()
        for t in range(k):
            h += 2 * directions[1 + t] * values[t] / math.sqrt(spreads[t] * sum(spreads[:k]))
        for j, each in enumerate(h):
            total += M[row, 1 + s + j] * max(0, each)
        return total

    def mean(row, a, i, x, y, c, neighbours):
        if c >= m:
            return 0.0
        total = from_whole(row, a, v[i, x, y]) if is_whole else from_around(row, a, i, x, y)
        for k, place in enumerate(neighbours or []):
            if place:
                total += M[row, M.shape[1] - 4 + k] * v[(i, *place, c)]
        return total

    row = 0
    for g, (a, b) in enumerate(groups[:n_groups]):
        for number_of_pass in range(9 if a < 6 and not is_whole else 2):
            line = row + number_of_pass * (b - a) * (not is_whole)
            waiting = []
            for i, x, y in squares:
                number, offsets = pass_of(a, x, y)
                if number == number_of_pass:
                    neighbours = offsets and beside(x, y, offsets)
                    for c in range(a, b):
                        f = features(g, a, b, i, x, y, c, neighbours)
                        w = W[line + c - a]
                        weighted = sum(w * each for w, each in zip(w, f, strict=False))
                        mu = mean(line + c - a, a, i, x, y, c, neighbours)
                        waiting.append((min(63, max(0, int(weighted) >> 16)), mu, i, x, y, c))
            for number, mu, *place in sorted(waiting, key=lambda each: each[0]):
                integer = reader.read(tables[min(63, max(0, number + moved[g]))])
                z[tuple(place)] = integer
                shift = model["centroids"][number, min(abs(integer), 3) - 1] if integer else 0
                v[tuple(place)] = mu + np.sign(integer) * (abs(integer) + shift)
        row = line + b - a
        for i, x, y in squares:
            S[i, x, y, g] = sum(abs(z[i, x, y, a:b]))
    assert not reader.words
    assert not reader.escaped
    assert reader.state == 0
    return v * 140 * 20 ** (-q / 112) * np.exp(gains)


@pytest.mark.parametrize(
    ("name", "which"),
    [("odd", 0), ("tiles", 2), ("dataset", 1), ("whole/dataset", 1), ("whole/larger", 0)],
)
def test_description_of_the_payload(name, which):
    codec = load_model(name)._codec
    header, chunks = unpack(load_stream(name), ImageHeader)
    images, *window = list(header.places())[which]
    sides = zip(window, codec.network.patch_shape, strict=True)
    grid = [math.ceil((each.stop - each.start) / length) for each, length in sides]
    shape = (images.stop - images.start, *grid)
    y = decode(chunks[which], load_arrays(name, "model"), shape, header.number)
    expected = codec.decode(chunks[which], shape, header.number)
    torch.testing.assert_close(torch.from_numpy(y).float(), expected, rtol=1e-4, atol=1e-3)


def test_description_of_offsets():
    codec, shape = load_model("odd")._codec, (1, 6, 9)
    generator = torch.Generator().manual_seed(0)
    spread = 20 * codec.network.transform.spread
    payload = codec.encode(spread * torch.randn(*shape, len(spread), generator=generator), 40)
    assert payload[0] > 127
    y = decode(payload, load_arrays("odd", "model"), shape, 40)
    expected = codec.decode(payload, shape, 40)
    torch.testing.assert_close(torch.from_numpy(y).float(), expected, rtol=1e-4, atol=1e-3)


def test_example_of_the_page():
    expected = """
        89 53 4B 49  01  00  00  78 56 34 12  01 01 02 03  47 9F 76 2A
        06  FF 00 00 00 00 FF  51 1B FB E3
    """
    stream = pack(ImageHeader(RAW, "uint8", 0x12345678, 1, 1, 2, 3), [b"\xff\0\0\0\0\xff"])
    assert stream == bytes.fromhex(expected)
    assert zlib.crc32(stream[:15]).to_bytes(4, "little") == stream[15:19]
    assert zlib.crc32(stream[:15] + stream[19:26]).to_bytes(4, "little") == stream[26:]
