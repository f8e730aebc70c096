"""What PCA and networks restore of held-out rows, for every number of components."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression

from skae.training import ArrayRows, PairedRows, Recipe
from skae.training._components import HeldOutPCA, best_number, error_of_cells, fewest_components
from skae.training._trainer import new_net

RNG = np.random.default_rng(0)
LATENT = RNG.normal(size=(150, 3)) @ RNG.normal(size=(3, 12))
X = LATENT + 0.3 * RNG.normal(size=(150, 12))
TRAIN, HELD = X[:100], X[100:]


def rows(X):
    return ArrayRows(X, torch.float64, torch.device("cpu"))


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_pca_restores_what_that_of_sklearn_does(container):
    held_out = HeldOutPCA.of(rows(container(TRAIN)), rows(container(HELD)))

    pca = PCA().fit(TRAIN)
    left = []
    for k in range(1, 13):
        axes = pca.components_[:k]
        left.append(np.sum((HELD - pca.mean_ - (HELD - pca.mean_) @ axes.T @ axes) ** 2))
    expected = 1 - np.array(left) / np.sum((HELD - pca.mean_) ** 2)
    np.testing.assert_allclose(held_out.restored, expected, atol=1e-12)


def test_targets_are_regressed_on_the_components():
    targets = np.sin(X)
    pairs = [
        PairedRows(rows(x), rows(y)) for x, y in ((TRAIN, targets[:100]), (HELD, targets[100:]))
    ]

    restored = HeldOutPCA.of(*pairs).restored

    pca, mean = PCA().fit(TRAIN), targets[:100].mean(0)
    for k in (1, 4, 12):
        model = LinearRegression().fit(pca.transform(TRAIN)[:, :k], targets[:100])
        left = targets[100:] - model.predict(pca.transform(HELD)[:, :k])
        share = 1 - np.sum(left**2) / np.sum((targets[100:] - mean) ** 2)
        assert restored[k - 1] == pytest.approx(share, abs=1e-10)


def test_errors_of_cells_are_those_of_codes_that_have_not_seen_them():
    pca, expected = PCA().fit(TRAIN), []
    for k in range(1, 7):
        axes, centred, squares = pca.components_[:k].T, HELD - pca.mean_, 0.0
        for j in range(12):
            others = np.arange(12) != j
            codes = np.linalg.lstsq(axes[others], centred[:, others].T)[0]
            squares = squares + (centred[:, j] - axes[j] @ codes) ** 2
        expected.append(squares / 12)

    errors = HeldOutPCA.of(rows(TRAIN), rows(HELD)).errors_of_cells()

    np.testing.assert_allclose(errors, expected, rtol=1e-8)


def test_best_number_is_the_rank():
    assert best_number(rows(X), 30, 0) == 3


@pytest.mark.parametrize("n_columns", [1, 2, 8])
def test_one_component_is_enough_for_noise(n_columns):
    noise = np.random.default_rng(1).normal(size=(200, n_columns))

    assert best_number(rows(noise), 40, 0) == 1


def test_columns_that_others_determine_do_not_ask_for_all_components():
    doubled = np.hstack([X, X[:, :1] + X[:, 1:2]])

    assert best_number(rows(doubled), 30, 0) < 6


def test_constant_rows_are_restored_by_one_component():
    constant = rows(np.ones((10, 4)))

    np.testing.assert_array_equal(HeldOutPCA.of(constant, constant).restored, np.ones(4))
    assert best_number(constant, 2, 0) == 1


def test_fewer_rows_than_columns():
    assert 1 <= best_number(rows(X[:11, :9].repeat(4, axis=1)), 2, 0) <= 4


class Halving(torch.nn.Module):
    """Keeps the first column, and makes half of it the others."""

    def __init__(self):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor(0.5))

    def encode(self, x):
        return x[:, :1]

    def decode(self, z):
        return torch.cat([z, z * self.factor, z * self.factor], dim=1)


@pytest.mark.parametrize(("scale", "expected"), [(1.0, (1 + 0 + 0) / 3), (1e300, np.inf)])
def test_cells_that_a_network_fills(scale, expected):
    recipe = Recipe(Halving, "squared_error", "sgd", "float64", {"lr": 0.1, "batch_size": 8})
    net, _ = new_net(recipe, torch.device("cpu"), 0, rows(np.eye(3)))
    x = np.tile([1.0, 0.5, 0.5], (6, 1)) * scale

    # The first cell follows from itself alone, and stays at its mean.
    assert error_of_cells(net, rows(x), torch.zeros(3)) == pytest.approx(expected)


LINEAR = np.array([0.5, 0.7, 0.8, 0.9, 0.95, 1.0])


def test_a_network_that_is_no_better_than_pca_needs_as_many():
    assert fewest_components(LINEAR, 0.9, lambda k: 1.0)[0] == 4


def test_a_network_with_half_the_error_needs_fewer():
    n_components, restored = fewest_components(LINEAR, 0.9, lambda k: 0.5)

    assert n_components == 3
    np.testing.assert_allclose(restored, 1 - (1 - LINEAR) / 2)


def test_numbers_between_two_trials_are_interpolated():
    tried = []
    curve = np.linspace(0.1, 1, 10)
    n_components, restored = fewest_components(
        curve, 0.8, lambda k: tried.append(k) or {8: 0.5, 6: 0.9}[k]
    )

    assert tried == [8, 6]
    assert restored[5] == pytest.approx(1 - 0.9 * 0.4)
    assert restored[6] == pytest.approx(1 - 0.7 * 0.3)
    assert n_components == 8


@pytest.mark.parametrize("ratio", [1e-9, 0.3, 2.0, 50.0])
def test_at_most_two_trials_whatever_comes_of_them(ratio):
    tried = []

    n_components, _ = fewest_components(LINEAR[:-1], 0.9, lambda k: tried.append(k) or ratio)

    assert len(tried) <= 2
    assert n_components >= min(tried)
