"""Entropy coding: exact, of nearly the ideal length, and the same without constriction."""

import numpy as np
import pytest

from skae.coding import BitstreamError, _entropy, varint
from skae.coding._entropy import Decoder, Encoder
from skae.coding._tables import Table


@pytest.fixture(params=["constriction", "numpy"])
def coder(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(_entropy, "constriction", None)
    return request.param


def laplace_tables(scales=(0.05, 0.7, 4.0)):
    magnitudes = np.abs(np.arange(-20, 21))
    return [
        Table.from_probabilities(np.append(np.exp(-magnitudes / scale), 1e-6)) for scale in scales
    ]


def some_symbols(seed, n=500):
    random = np.random.default_rng(seed)
    which = random.integers(0, 3, n).astype(np.uint8)
    symbols = np.round(random.laplace(size=n) * np.array([0.05, 0.7, 4.0])[which]).astype(int)
    symbols[:3] = 21, -4000, 10**6  # escapes
    return symbols, which


def test_round_trip_with_escapes(coder):
    tables = laplace_tables()
    encoder = Encoder()
    parts = [some_symbols(seed) for seed in range(3)]
    for symbols, which in parts:
        encoder.put(symbols.reshape(5, -1), tables, which.reshape(5, -1))
    decoder = Decoder(encoder.finish())
    for symbols, which in parts:
        decoded = decoder.take(tables, which.reshape(5, -1))
        np.testing.assert_array_equal(decoded, symbols.reshape(5, -1))
    decoder.finish()


@pytest.mark.parametrize("seed", range(20))
def test_same_bytes_with_and_without_constriction(seed, monkeypatch):
    def written():
        encoder = Encoder()
        encoder.put(symbols, tables, which)
        return encoder.finish()

    random = np.random.default_rng(seed)
    tables = [Table.from_probabilities(random.dirichlet(np.full(2 * n + 2, 0.1))) for n in (3, 90)]
    which = random.integers(0, 2, 400).astype(np.uint8)
    symbols = random.integers(-3, 4, 400)
    fast = written()
    monkeypatch.setattr(_entropy, "constriction", None)
    assert written() == fast


def test_length_is_the_ideal_one():
    tables = laplace_tables()
    random = np.random.default_rng(0)
    which = np.full(20_000, 2, np.uint8)
    table = tables[2]
    symbols = random.choice(np.arange(-20, 21), 20_000, p=(p := table.frequencies[:-1]) / p.sum())
    encoder = Encoder()
    encoder.put(symbols, tables, which)
    ideal = table.bits[symbols + table.radius].sum()
    assert 8 * len(encoder.finish()) == pytest.approx(ideal, rel=1e-3)


def test_nothing_is_left_over(coder):
    tables = laplace_tables()
    symbols, which = some_symbols(0)
    encoder = Encoder()
    encoder.put(symbols, tables, which)
    decoder = Decoder(encoder.finish())
    decoder.take(tables, which[:-5])
    with pytest.raises(BitstreamError, match="behind the last symbol"):
        decoder.finish()


@pytest.mark.parametrize("seed", range(20))
def test_both_coders_read_the_same_from_anything(seed, monkeypatch):
    random = np.random.default_rng(seed)
    words = random.integers(1, 2**32, seed // 2)
    chunk = varint(len(words)) + words.astype("<u4").tobytes() + bytes(1000)
    tables = [Table.from_probabilities(random.dirichlet(np.full(12, 0.3)))]

    def read():
        decoder = Decoder(chunk)
        return decoder.take(tables, np.zeros(100, np.uint8)), decoder._coder.is_empty()

    fast, is_empty = read()
    monkeypatch.setattr(_entropy, "constriction", None)
    slow, is_empty_too = read()
    np.testing.assert_array_equal(fast, slow)
    assert is_empty == is_empty_too
