"""Entropy coding: exact, of nearly the ideal length, and the same without constriction."""

import numpy as np
import pytest

from skae.compression import BitstreamError, _coder
from skae.compression._coder import Decoder, Encoder, Table, read_varint, varint


@pytest.fixture(params=["constriction", "numpy"])
def coder(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(_coder, "constriction", None)
    return request.param


def laplace_tables(scales=(0.05, 0.7, 4.0)):
    magnitudes = np.abs(np.arange(-20, 21))
    return [
        Table.from_probabilities(np.append(np.exp(-magnitudes / scale), 1e-6)) for scale in scales
    ]


def some_symbols(seed, n=500):
    random = np.random.default_rng(seed)
    numbers = random.integers(0, 3, n).astype(np.uint8)
    symbols = np.round(random.laplace(size=n) * np.array([0.05, 0.7, 4.0])[numbers]).astype(int)
    symbols[:3] = 21, -4000, 10**6  # escapes
    return symbols, numbers


def test_round_trip_with_escapes(coder):
    tables = laplace_tables()
    encoder = Encoder()
    parts = [some_symbols(seed) for seed in range(3)]
    for symbols, numbers in parts:
        encoder.put(symbols.reshape(5, -1), tables, numbers.reshape(5, -1))
    decoder = Decoder(encoder.finish())
    for symbols, numbers in parts:
        decoded = decoder.take(tables, numbers.reshape(5, -1))
        np.testing.assert_array_equal(decoded, symbols.reshape(5, -1))
    decoder.finish()


@pytest.mark.parametrize("seed", range(20))
def test_same_bytes_with_and_without_constriction(seed, monkeypatch):
    def written():
        encoder = Encoder()
        encoder.put(symbols, tables, numbers)
        return encoder.finish()

    random = np.random.default_rng(seed)
    tables = [Table.from_probabilities(random.dirichlet(np.full(2 * n + 2, 0.1))) for n in (3, 90)]
    numbers = random.integers(0, 2, 400).astype(np.uint8)
    symbols = random.integers(-3, 4, 400)
    fast = written()
    monkeypatch.setattr(_coder, "constriction", None)
    assert written() == fast


def test_length_is_the_ideal_one():
    tables = laplace_tables()
    random = np.random.default_rng(0)
    numbers = np.full(20_000, 2, np.uint8)
    table = tables[2]
    symbols = random.choice(np.arange(-20, 21), 20_000, p=(p := table.frequencies[:-1]) / p.sum())
    encoder = Encoder()
    encoder.put(symbols, tables, numbers)
    ideal = table.bits[symbols + table.radius].sum()
    assert 8 * len(encoder.finish()) == pytest.approx(ideal, rel=1e-3)


def test_nothing_is_left_over(coder):
    tables = laplace_tables()
    symbols, numbers = some_symbols(0)
    encoder = Encoder()
    encoder.put(symbols, tables, numbers)
    decoder = Decoder(encoder.finish())
    decoder.take(tables, numbers[:-5])
    with pytest.raises(BitstreamError, match="behind the last symbol"):
        decoder.finish()


def test_bad_frequencies():
    with pytest.raises(ValueError, match="must be positive, with the sum"):
        Table(np.array([1, 2, 3, 4]))


@pytest.mark.parametrize("value", [0, 127, 128, 2**32, 2**62])
def test_varint(value):
    stream = b"x" + varint(value)
    assert read_varint(stream, 1) == (value, len(stream))
    with pytest.raises(BitstreamError, match="ends inside of a number"):
        read_varint(stream[:-1], 1)


def test_varint_too_long():
    with pytest.raises(BitstreamError, match="too long"):
        read_varint(b"\xff" * 12, 0)
