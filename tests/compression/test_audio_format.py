"""``docs/formats/audio.rst`` is right: followed step by step, without the code of the package."""

import re
import zlib
from pathlib import Path

import numpy as np
import pytest

from skae.coding import RAW, Framing, pack
from skae.compression import _audio_compressor
from skae.compression._audio_header import AudioHeader
from skae.networks.codec import _envelope, _mdct, _spectral_codec

from .test_audio_golden import NAMES, load_arrays, load_model, load_stream
from .test_format import DIAGONAL, UPRIGHT, Reader, read_varint, whole_log

PAGE = Path(__file__).parents[2] / "docs" / "formats" / "audio.rst"


class Numbers:
    """What a model is, and what the page lists."""

    def __init__(self, arrays):
        self.arrays, self.hop, self.rate = arrays, int(arrays["hop"]), arrays["millihertz"] / 1000
        self.channels, self.frames = len(arrays["offset"]), int(arrays["frames"])
        self.coarsest, self.finest, self.decibels, self.lowest = 200, 1.5, 4, -19
        self.block, self.mel, self.fewest, self.most = 2, 200, 8, 24
        self.corner, self.beta = 2000, 9
        self.shaping, self.companding, self.tilt, self.filling = arrays["powers"]
        self.frequencies = (np.arange(self.hop) + 0.5) / self.hop * self.rate / 2
        self.parts = self.bands()
        self.tables = np.split(arrays["tables"], np.cumsum(arrays["sizes"])[:-1])

    def bands(self):
        mel = 2595 * np.log10(1 + self.frequencies / 700)
        n = round(min(max(mel[-1] / self.mel, self.fewest), self.most))
        numbers = [int(n * (1 - 1e-9) * m / mel[-1]) for m in mel]
        middles = [
            np.mean([j for j, b in enumerate(numbers) if b == band])
            for band in sorted(set(numbers))
        ]
        parts = np.zeros((len(middles), self.hop), int)
        for j in range(self.hop):
            below = max((b for b, middle in enumerate(middles) if middle <= j), default=0)
            above = min(below + 1, len(middles) - 1)
            share = 0
            if middles[below] < j and above > below:
                share = round(16 * (j - middles[below]) / (middles[above] - middles[below]))
            parts[below, j] += 16 - share
            parts[above, j] += share
        return parts


def passes(rows, columns):
    """Yield stride, places and neighbours of the five passes over a grid."""
    places = [(r, c) for r in range(rows) for c in range(columns)]
    yield 0, [(r, c) for r, c in places if r % 4 == 0 == c % 4], None
    for t in (2, 1):
        odd = {(r, c): ((r // t) % 2, (c // t) % 2) for r, c in places if r % t == 0 == c % t}
        for wanted, offsets in (([(1, 1)], DIAGONAL), ([(0, 1), (1, 0)], UPRIGHT)):
            chosen = [place for place in places if odd.get(place) in wanted]
            yield t, chosen, [(t * a, t * b) for a, b in offsets]


def beside(grid, place, offsets):
    found = []
    for a, b in offsets:
        for sign in (1, -1):
            r, c = place[0] + sign * a, place[1] + sign * b
            if 0 <= r < grid.shape[0] and 0 <= c < grid.shape[1]:
                found.append(int(grid[r, c]))
                break
        else:
            found.append(0)
    return found


def box(grid, place, r, s):
    top, left = max(0, place[0] - r), max(0, place[1] - s)
    return int(grid[top : place[0] + r + 1, left : place[1] + s + 1].sum())


def decode(payload, model, sounds, frames, q):
    """Return for each sound and channel fine levels, which are silent, integers, and tables."""
    low = min(q // 16, 6)
    part = q - 16 * low
    weights = model.arrays["weights"].astype(object)
    W = (16 - part) * weights[low] + part * weights[low + 1]
    reader = Reader(payload)
    h, bands = model.hop, len(model.parts)
    blocks, groups = -(-frames // model.block), min(32, max(1, h // 8))

    def read(waiting, take):
        """Read integers, by the least table first."""
        for number, *place in sorted(waiting, key=lambda each: each[0]):
            take(number, reader.read(model.tables[number].tolist()), place)

    def table(weighted):
        return min(63, max(0, int(weighted) >> 16))

    result, before = [], None
    for channel in range(model.channels):
        u = np.zeros((sounds, blocks, bands), int)
        for p, (_, places, offsets) in enumerate(passes(blocks, bands)):
            expected = {}
            for i in range(sounds):
                for place in places:
                    mean = 0
                    if offsets:
                        near = beside(u[i], place, offsets)
                        products = zip(model.arrays["beside"][p], near, strict=True)
                        mean = round(sum(int(b) * n for b, n in products) / 64)
                    expected[i, *place] = mean

            def take_level(number, z, place, u=u, expected=expected):
                u[tuple(place)] = z + expected[tuple(place)]

            waiting = [(table(W[p][0]), i, *place) for i in range(sounds) for place in places]
            read(waiting, take_level)
        levels = u + model.arrays["middle"][channel].astype(int)
        fine = np.repeat(levels @ model.parts, model.block, 1)[:, :frames]
        silent = np.repeat(levels.max(2) <= model.lowest, model.block, 1)[:, :frames]
        z, tables = np.zeros((2, sounds, frames, h), int)
        M = np.zeros((sounds, frames, h), int)
        for p, (t, places, offsets) in enumerate(passes(frames, h)):
            waiting = []
            for i in range(sounds):
                for r, c in places:
                    f = [1, fine[i, r, c], 0, 0, 0, 0, 0]
                    if before is not None:
                        f[2] = whole_log(box(before[i], (r, c), 1, 1))
                    if offsets:
                        near = beside(M[i], (r, c), offsets)
                        if p in (1, 3):
                            f[3] = whole_log(sum(near))
                            f[4] = whole_log(box(M[i], (r, c), 3 * t, 3 * t))
                        else:
                            f[3], f[4] = whole_log(sum(near[:2])), whole_log(sum(near[2:]))
                            f[5] = whole_log(box(M[i], (r, c), t, t))
                            f[6] = whole_log(box(M[i], (r, c), 2 * t, 3 * t))
                    line = 5 + (channel * 5 + p) * groups + c * groups // h
                    weighted = sum(w * int(each) for w, each in zip(W[line], f, strict=True))
                    waiting.append((table(weighted), i, r, c))

            def take(number, integer, place, z=z, tables=tables):
                z[tuple(place)], tables[tuple(place)] = integer, number

            read(waiting, take)
            M = np.minimum(np.abs(z), 32_768)
        before = M
        result.append((fine, silent, z, tables))
    assert not reader.words
    assert not reader.escaped
    assert reader.state == 0
    return result


def sign(f, g):
    x = (f * 0x9E3779B1 + g * 0x85EBCA77) % 2**32
    x = (x ^ x >> 15) * 0xC2B2AE3D % 2**32
    x = (x ^ x >> 13) * 0x27D4EB2F % 2**32
    return -1 if x >> 31 else 1


def spectra(decoded, model, first, q):
    """Return the spectra of a chunk, of shape (sounds, channels, frames, hop)."""
    result = []
    for channel, (fine, silent, z, tables) in enumerate(decoded):
        shift = model.arrays["centroids"][tables, np.minimum(np.abs(z), 3) - 1]
        s = np.exp(-3.5 + 11.5 * tables / 63)
        with np.errstate(over="ignore"):
            noise = model.filling * (s - 0.62 / (np.exp(0.62 / s) - 1))
        signs = np.array(
            [
                [sign(first + f, channel * model.hop + j) for j in range(model.hop)]
                for f in range(z.shape[1])
            ]
        )
        v = np.where(z == 0, signs * noise, np.sign(z) * (np.abs(z) + shift))
        y = v / model.arrays["unit"] * model.coarsest * (model.finest / model.coarsest) ** (q / 112)
        X = np.sign(y) * np.abs(y) ** (1 / model.companding)
        X *= 10 ** (model.shaping * model.decibels * fine / 320)
        X *= (1 + model.frequencies / model.corner) ** model.tilt
        result.append(np.where(silent[..., None], 0, X))
    return np.stack(result, 1)


def overlapped(X, model):
    """Return the samples of successive frames, of shape (sounds, channels, samples)."""
    h = model.hop
    kaiser = np.i0(model.beta * np.sqrt(1 - (2 * np.arange(h + 1) / h - 1) ** 2))
    half = [np.sqrt(kaiser[: i + 1].sum() / kaiser.sum()) for i in range(h)]
    w = np.array([*half, *half[::-1]])
    i, j = np.arange(2 * h)[:, None], np.arange(h)
    waves = w[:, None] * np.sqrt(2 / h) * np.cos(np.pi / h * (i + (1 + h) / 2) * (j + 0.5))
    x = np.zeros((*X.shape[:2], (X.shape[2] + 1) * h))
    for f in range(X.shape[2]):
        x[..., f * h : (f + 2) * h] += X[:, :, f] @ waves.T
    return x


def read_stream(stream, model):
    """Return the sounds of a stream, of shape (sounds, samples, channels)."""
    assert stream[:6] == b"\x89SKA\x01\x01"
    kinds = [("<i2", 2**15), ("<i4", 2**31), ("<f4", 1), ("<f8", 1)]
    dtype, full = kinds[stream[6]]
    assert int.from_bytes(stream[7:11], "little") == model.arrays["fingerprint"]
    data = list(stream[11:])
    sounds, channels, millihertz, q, together, size, h = (read_varint(data) for _ in range(7))
    assert (channels, millihertz, h) == (model.channels, model.arrays["millihertz"], model.hop)
    header = stream[: len(stream) - len(data)]
    of_header = of_all = zlib.crc32(header)
    assert of_header == int.from_bytes(bytes(data[:4]), "little")
    del data[:4]
    n = int.from_bytes(stream[-16:-8], "little")
    frames = -(-n // h) + 1
    X, starts = [], [(i, f) for i in range(0, sounds, together) for f in range(0, frames, size)]
    for number, (i, first) in enumerate(starts):
        rest = bytes(data)
        length = read_varint(data)
        part = rest[: len(rest) - len(data) + length]
        payload, checksum = bytes(data[:length]), bytes(data[length : length + 4])
        del data[: length + 4]
        assert zlib.crc32(part, of_header) == int.from_bytes(checksum, "little")
        of_all = zlib.crc32(part, of_all)
        assert payload[0] == number % 256
        shape = min(together, sounds - i), min(size, frames - first)
        if length == 1:
            X.append(np.zeros((shape[0], channels, shape[1], h)))
        else:
            X.append(spectra(decode(payload[1:], model, *shape, q), model, first, q))
    assert bytes(data[:9]) == b"\0" + n.to_bytes(8, "little")
    assert bytes(data[9:13]) == of_all.to_bytes(4, "little")
    assert bytes(data[13:]) == zlib.crc32(bytes(data[:13]), of_header).to_bytes(4, "little")
    n_parts = -(-frames // size)
    whole = [np.concatenate(X[k : k + n_parts], 2) for k in range(0, len(X), n_parts)]
    x = overlapped(np.concatenate(whole), model)[..., h : h + n]
    arrays = model.arrays
    x = (x.swapaxes(1, 2) @ arrays["rotation"].T * arrays["scale"] + arrays["offset"]) * full
    if full > 1:
        x = x.round().clip(-full, full - 1)
    return x.astype(dtype)


def read_clips(stream, model):
    """Return sounds of unequal lengths."""
    assert stream[:5] == b"\x89SKC\x01"
    data = list(stream[5:])
    lengths = [read_varint(data) for _ in range(read_varint(data))]
    covered = stream[: len(stream) - len(data)] + stream[-4:]
    assert zlib.crc32(covered) == int.from_bytes(bytes(data[:4]), "little")
    (joined,), h, start, clips = read_stream(bytes(data[4:]), model), model.hop, 0, []
    for n in lengths:
        clips.append(joined[start : start + n])
        stop, start = start + n, start + (-(-n // h) + 1) * h
    assert stop == len(joined)
    return clips


def test_the_page_says_how_to_decode_unequal_lengths():
    model, stream = Numbers(load_arrays("unequal/clips", "model")), load_stream("unequal/clips")
    found, expected = read_clips(stream, model), load_model("unequal/clips").decompress([stream])
    for x, y in zip(found, expected, strict=True):
        assert np.abs(x[:, 0].astype(float) - y).max() <= 1


@pytest.mark.parametrize("name", [name for name in NAMES if name != "mono/raw"])
def test_the_page_says_how_to_decode(name):
    model = Numbers(load_arrays(name, "model"))
    found = read_stream(load_stream(name), model)
    expected = np.stack(load_model(name).decompress([load_stream(name)]))
    expected = expected.reshape(found.shape)
    assert found.dtype == expected.dtype
    if expected.dtype.kind == "i":
        assert np.abs(found.astype(float) - expected).max() <= 1
    else:
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_numbers_of_the_page_are_those_of_the_code():
    text = PAGE.read_text().split(".. list-table:: Numbers")[1].split("The fingerprint is")[0]
    rows = re.findall(r"   \* - (.+)\n     - (.+)\n     - ", text)[1:]
    found = {name: [float(x) for x in value.split(",")] for name, value in rows}
    kinds = ("shaping", "companding", "tilt", "filling")
    assert found == {
        "coarsest, finest": [_spectral_codec._COARSEST, _spectral_codec._FINEST],
        "decibels": [_envelope.DECIBELS],
        "lowest": [_envelope.LOWEST],
        "frames per block": [_envelope._FRAMES],
        "mel per band": [_envelope._MELS_PER_BAND],
        "fewest, most bands": [_envelope._FEWEST_BANDS, _envelope._MOST_BANDS],
        "corner": [_spectral_codec._CORNER],
        "beta": [_mdct._BETA],
        **{
            name: [getattr(_audio_compressor, f"_{name.upper()}")[kind] for kind in kinds]
            for name in ("speech", "music", "fidelity")
        },
    }


def test_examples_of_the_page():
    page = re.findall(r"::\n\n((?:   [0-9A-F ]+\n)+)", PAGE.read_text())
    header = AudioHeader(RAW, "int16", 0x12345678, 1, 2, 1, 8_000_000)
    raw = pack(header, [np.array([1, -2], "<i2").tobytes()])
    assert raw == bytes.fromhex(page[0])
    framing = Framing(AudioHeader(1, "int16", 0, 1, 8000, 1, 8_000_000))
    framing._first, framing._all = 0x12345678, 0x9ABCDEF0
    assert framing.end(8000) == bytes.fromhex(page[1])
