"""Functions of columns as tables, against those that they stand for."""

import numpy as np
import pytest
import torch

from skae.onnx._pieces import PiecewiseLinear, scores_of, values_of
from skae.tables._normal_scores import NormalScores

rng = np.random.default_rng(0)
NORMAL = rng.normal(3, 2, 200)
SKEWED = rng.exponential(size=200)
CAPPED = SKEWED.clip(0.1, 1)
COUNTS = rng.poisson(2, 200) / 10
CONSTANT = np.full(200, 5.0)
COLUMNS = [NORMAL, SKEWED, CAPPED, COUNTS, CONSTANT]


def in_torch(pieces, x):
    return PiecewiseLinear([pieces])(torch.from_numpy(x)[:, None])[:, 0].numpy()


@pytest.mark.parametrize("column", COLUMNS)
def test_scores_are_those_of_the_column(column):
    scores = NormalScores.of(column)
    ends = [column.min() - 1, column.max() + 1]
    x = np.concatenate([column, (column[1:] + column[:-1]) / 2, ends])
    x = np.concatenate([x, x.astype(np.float32).astype(np.float64)])

    np.testing.assert_allclose(in_torch(scores_of(scores), x), scores.forward(x)[0], atol=1e-9)


@pytest.mark.parametrize("column", COLUMNS)
def test_values_are_those_of_the_column(column):
    scores = NormalScores.of(column)
    u = np.concatenate([np.linspace(-4, 4, 500), scores.forward(column)[0]])

    values = in_torch(values_of(scores), u).clip(scores.low, scores.high)

    np.testing.assert_allclose(values, scores.inverse(u), atol=1e-9)


def test_columns_have_tables_of_their_own():
    columns = [NormalScores.of(column) for column in COLUMNS]
    X = np.column_stack(COLUMNS)

    found = PiecewiseLinear([scores_of(each) for each in columns])(torch.from_numpy(X))

    expected = [each.forward(x)[0] for each, x in zip(columns, X.T, strict=True)]
    np.testing.assert_allclose(found, np.column_stack(expected), atol=1e-9)


def test_value_halfway_between_two_goes_to_the_lower_one():
    scores = NormalScores.of(np.array([0.1, 0.3, 0.1, 0.3, 0.1]))
    x = np.array([0.2, np.nextafter(0.2, 1), 0.1 + 0.1])

    np.testing.assert_array_equal(in_torch(scores_of(scores), x), scores.forward(x)[0])
