"""Tables, and what a codec has fitted as plain arrays."""

import dataclasses

import numpy as np
import pytest
import torch

from skae.coding import CodecTables
from skae.coding._tables import LARGEST_RADIUS, Table, code_lengths


def test_bad_frequencies():
    with pytest.raises(ValueError, match="must be positive, with the sum"):
        Table(np.array([1, 2, 3, 4]))


def test_a_symmetric_law_has_a_symmetric_table():
    table = Table.from_counts(2.0, np.zeros(LARGEST_RADIUS + 1), 1.0)
    symbols = table.frequencies[:-1]
    assert len(symbols) == 2 * table.radius + 1
    np.testing.assert_array_equal(symbols, symbols[::-1])
    assert (np.diff(symbols[table.radius :]) <= 0).all()


def test_what_was_seen_often_is_short():
    counts = np.zeros(LARGEST_RADIUS + 1)
    counts[3] = 10_000
    before, after = (Table.from_counts(2.0, n, 30.0).bits for n in (0 * counts, counts))
    middle = len(before) // 2 - 1
    assert after[middle + 3] < 1.1 < 4 < before[middle + 3]


def test_lengths_of_all_integers():
    table = Table.from_counts(2.0, np.zeros(LARGEST_RADIUS + 1), 1.0)
    (lengths,) = code_lengths([table])
    middle, r = LARGEST_RADIUS, table.radius
    np.testing.assert_array_equal(lengths[middle - r : middle + r + 1], table.bits[:-1])
    assert lengths[middle + r + 1] == table.bits[-1] + 8
    assert lengths[-1] == lengths[0] == table.bits[-1] + 16


def test_arrays_and_tables_are_the_same():
    tables = CodecTables.laplace(torch.zeros(8, 5, 10))
    assert all(isinstance(array, np.ndarray) for array in vars(tables).values())
    twin = CodecTables.of(tables.weights, tables.centroids, tables.split())
    for field in dataclasses.fields(CodecTables):
        before, after = getattr(tables, field.name), getattr(twin, field.name)
        np.testing.assert_array_equal(before, after)
        assert before.dtype == after.dtype
