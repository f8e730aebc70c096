"""The variational autoencoder's likelihoods against known ones, and its training."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import train_test_split
from sklearn.utils._param_validation import InvalidParameterError

from skae import VariationalAutoencoder
from skae.losses import GaussianLikelihood


def fitted(X, y=None, n_components="auto", **params):
    return VariationalAutoencoder(n_components, random_state=0, **params).fit(X, y)


def gaussian(d):
    rng = np.random.default_rng(0)
    root = rng.normal(size=(d, d))
    return multivariate_normal(3.0 * np.arange(d), root @ root.T + 0.5 * np.eye(d))


def factors(d, k):
    """A distribution of which k dimensions tell all that columns have in common."""
    rng = np.random.default_rng(1)
    loadings = rng.normal(size=(k, d))
    noise = np.diag(rng.uniform(0.2, 1.0, d))
    return multivariate_normal(np.zeros(d), loadings.T @ loadings + noise)


def bimodal(n=1500):
    """A column with two modes, and one that depends on it."""
    rng = np.random.default_rng(0)
    x = np.where(rng.random(n) < 0.4, rng.normal(-3, 0.6, n), rng.normal(3, 1, n))
    return np.c_[x, np.sin(x) + 0.5 * rng.normal(size=n)]


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X, y, train_size=1200, random_state=0, stratify=y)


@pytest.fixture(scope="module")
def of_digits(digits):
    return fitted(digits[0], n_components=16, max_epochs=30)


@pytest.fixture(scope="module")
def of_classes(digits):
    X, _, y, _ = digits
    return fitted(X, y, n_components=16, max_epochs=20, conditional=True)


@pytest.fixture(scope="module")
def of_bimodal():
    return fitted(bimodal(), max_epochs=15)


# ---------------------------------------------------------------- known likelihoods


@pytest.mark.parametrize(
    ("d", "max_epochs", "prior"),
    [(1, 10, "mixture"), (4, 0, "normal"), (4, 10, "normal"), (4, 10, "mixture")],
)
def test_score_of_gaussian_data_is_the_true_log_likelihood(d, max_epochs, prior):
    truth = gaussian(d)
    X, X_test = np.split(truth.rvs(3000, random_state=0).reshape(-1, d), [2000])

    model = fitted(X, max_epochs=max_epochs, prior=prior)

    assert model.score(X_test) == pytest.approx(truth.logpdf(X_test).mean(), rel=0.01)


@pytest.mark.parametrize("scale", ["auto", None])
def test_score_of_factors_is_the_true_log_likelihood(scale):
    truth = factors(8, 2)
    X, X_test = np.split(truth.rvs(3500, random_state=0), [2500])

    model = fitted(X, n_components=2, max_epochs=20, scale=scale)

    assert model.score(X_test) == pytest.approx(truth.logpdf(X_test).mean(), rel=0.01)


def test_scores_of_rows_are_close_to_true_log_likelihoods():
    truth = factors(8, 2)
    X, X_test = np.split(truth.rvs(3500, random_state=0), [3000])

    model = fitted(X, n_components=2, max_epochs=20)

    expected = truth.logpdf(X_test)
    assert np.corrcoef(model.score_samples(X_test), expected)[0, 1] > 0.99


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e4])
def test_densities_are_in_the_units_of_the_data(unit):
    X = gaussian(3).rvs(600, random_state=0)

    score = fitted(X * unit, max_epochs=2).score(X * unit)

    assert score == pytest.approx(fitted(X, max_epochs=2).score(X) - 3 * np.log(unit), abs=0.01)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_untrained_model_is_probabilistic_pca(k):
    X, X_test = np.split(factors(8, 2).rvs(1500, random_state=0), [1000])

    model = fitted(X, n_components=k, likelihood="gaussian", prior="normal", max_epochs=0)

    assert model.score(X_test) == pytest.approx(PCA(k).fit(X).score(X_test), rel=2e-3)


def test_untrained_default_is_near_probabilistic_pca():
    X, X_test = np.split(factors(8, 2).rvs(1500, random_state=0), [1000])

    score = fitted(X, n_components=2, max_epochs=0).score(X_test)

    assert score == pytest.approx(PCA(2).fit(X).score(X_test), rel=0.02)


def test_training_passes_probabilistic_pca(digits):
    X, X_test, _, _ = digits
    untrained, trained = (fitted(X, n_components=8, max_epochs=n).score(X_test) for n in (0, 10))

    assert trained > untrained + 3


def test_likelihoods_are_comparable_with_those_of_a_mixture(of_bimodal):
    X_test = bimodal(2100)[1500:]

    mixture = GaussianMixture(5, random_state=0).fit(bimodal())

    assert of_bimodal.score(X_test) == pytest.approx(mixture.score(X_test), abs=0.15)
    correlation = np.corrcoef(of_bimodal.score_samples(X_test), mixture.score_samples(X_test))
    assert correlation[0, 1] > 0.8


# ---------------------------------------------------------------- sums of probabilities


@pytest.mark.parametrize(
    "params", [{}, {"prior": "normal"}, {"scale": None}, {"scale": "range"}], ids=str
)
def test_density_of_a_column_integrates_to_one(params):
    X = bimodal()[:, :1]
    grid = np.linspace(-12, 14, 1000)

    model = fitted(X, max_epochs=30, **params)

    density = np.exp(model.score_samples(grid[:, None]))
    assert np.trapezoid(density, grid) == pytest.approx(1, abs=0.02)


def test_density_of_two_columns_integrates_to_one(of_bimodal):
    x, y = np.linspace(-7, 8, 75), np.linspace(-3.5, 3.5, 45)
    grid = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)

    total = np.exp(of_bimodal.score_samples(grid)).sum() * (x[1] - x[0]) * (y[1] - y[0])

    assert total == pytest.approx(1, abs=0.025)


def counts_and_flags(n=1500):
    rng = np.random.default_rng(0)
    flag = rng.random(n) < 0.3
    return np.c_[rng.binomial(4, np.where(flag, 0.8, 0.3)), flag, rng.integers(3, size=n) * 5]


@pytest.mark.parametrize("columns", [[0], [1], [0, 1], [0, 1, 2]], ids=str)
def test_probabilities_of_all_values_sum_to_one(columns):
    X = counts_and_flags()[:, columns]

    model = fitted(X, max_epochs=50)

    every = np.stack(np.meshgrid(*map(np.unique, X.T)), -1).reshape(-1, len(columns))
    assert np.exp(model.score_samples(every)).sum() == pytest.approx(1, abs=0.02)


def test_probabilities_of_values_are_their_shares():
    X = counts_and_flags()[:, [0, 1]]

    model = fitted(X, max_epochs=50)

    values, counts = np.unique(X, axis=0, return_counts=True)
    probabilities = np.exp(model.score_samples(values))
    np.testing.assert_allclose(probabilities, counts / len(X), atol=0.05)


def test_probabilities_of_all_categories_sum_to_one():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"city": rng.choice(["Bern", "Oslo", "Rome"], 800, p=[0.6, 0.3, 0.1])})
    X["warm"] = (X["city"] == "Rome") | (rng.random(800) < 0.2)

    model = fitted(X, max_epochs=20)

    every = pd.DataFrame(
        [(city, warm) for city in ["Bern", "Oslo", "Rome"] for warm in [False, True]],
        columns=X.columns,
    )
    shares = [X.eq(row).all(axis=1).mean() for _, row in every.iterrows()]
    probabilities = np.exp(model.score_samples(every, n_importance_samples=1024))
    assert probabilities.sum() == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(probabilities, shares, atol=0.04)


def test_density_with_a_frequent_value_sums_to_one():
    rng = np.random.default_rng(0)
    X = np.minimum(rng.exponential(size=(2000, 1)), 1.5)
    grid = np.linspace(-3, 4, 1999)  # does not meet the cap

    model = fitted(X, max_epochs=10)

    below = np.trapezoid(np.exp(model.score_samples(grid[:, None])), grid)
    at_cap = np.exp(model.score_samples([[1.5]]))[0]
    assert below + at_cap == pytest.approx(1, abs=0.03)
    assert at_cap == pytest.approx((X == 1.5).mean(), abs=0.03)


@pytest.mark.parametrize("likelihood", ["poisson", "negative_binomial"])
def test_probabilities_of_counts_sum_to_one(likelihood):
    X = np.random.default_rng(0).poisson(3, (1000, 1))

    model = fitted(X, max_epochs=50, likelihood=likelihood)

    probabilities = np.exp(model.score_samples(np.arange(60)[:, None]))
    assert probabilities.sum() == pytest.approx(1, abs=0.02)
    assert probabilities[:10] @ np.arange(10) == pytest.approx(3, abs=0.3)


# ---------------------------------------------------------------- the bound


def test_bound_rises_with_the_number_of_importance_samples(of_digits, digits):
    X_test = digits[1][:300]

    bounds = [
        of_digits.score_samples(X_test, n_importance_samples=n).mean() for n in (1, 4, 16, 64, 256)
    ]

    assert (np.diff(bounds) > 0).all()
    assert np.diff(bounds)[-1] < np.diff(bounds)[0]


def test_scores_are_the_same_in_every_call(of_digits, digits):
    scores = of_digits.score_samples(digits[1])

    np.testing.assert_array_equal(of_digits.score_samples(digits[1]), scores)


def test_score_of_a_row_does_not_depend_on_the_others(of_digits, digits):
    X_test = digits[1][:20]

    alone = np.concatenate([of_digits.score_samples(row[None]) for row in X_test])

    np.testing.assert_allclose(alone, of_digits.score_samples(X_test), rtol=1e-5)


def test_score_is_the_mean_of_the_scores(of_digits, digits):
    X_test = digits[1]

    score = of_digits.score(X_test)

    assert isinstance(score, float)
    assert score == pytest.approx(of_digits.score_samples(X_test).mean(), rel=1e-12)


@pytest.mark.parametrize("n", [0, -1, 2.5, "many"])
def test_numbers_of_importance_samples_that_make_no_sense(n, of_digits, digits):
    with pytest.raises(ValueError, match=f"n_importance_samples={n!r}"):
        of_digits.score_samples(digits[1], n_importance_samples=n)


@pytest.mark.parametrize("n", [1, 3, 100])
def test_numbers_of_importance_samples_need_not_be_powers(n, of_bimodal):
    assert np.isfinite(of_bimodal.score_samples(bimodal(10), n_importance_samples=n)).all()


# ---------------------------------------------------------------- outliers


def test_other_digits_rank_below_held_out_ones(digits):
    X, X_test, y, y_test = digits

    model = fitted(X[y < 5], n_components=16, max_epochs=60)

    own = y_test < 5
    auroc = roc_auc_score(own, model.score_samples(X_test))
    assert auroc >= roc_auc_score(own, PCA(16).fit(X[y < 5]).score_samples(X_test))
    assert auroc > 0.85


@pytest.mark.parametrize("kind", ["uniform", "shuffled", "blank"])
def test_noise_images_rank_below_digits(kind, of_digits, digits):
    X, X_test, _, _ = digits
    rng = np.random.default_rng(0)
    noise = {
        "uniform": lambda: rng.uniform(0, 16, X_test.shape),
        "shuffled": lambda: rng.permuted(X_test, axis=1),
        "blank": lambda: np.full((50, 64), 16.0),
    }[kind]()
    own = np.arange(len(X_test) + len(noise)) < len(X_test)
    both = np.concatenate([X_test, noise])

    auroc = roc_auc_score(own, of_digits.score_samples(both))

    assert auroc >= roc_auc_score(own, PCA(16).fit(X).score_samples(both)) - 1e-3
    assert auroc > 0.99


# ---------------------------------------------------------------- classes


def test_likelihood_is_the_mean_of_those_in_the_classes(of_classes, digits):
    _, X_test, _, y_test = digits
    X_test = X_test[:50]

    each = np.stack([of_classes.score_samples(X_test, np.full(50, c)) for c in range(10)], axis=1)

    shares = np.bincount(digits[2]) / len(digits[2])
    expected = logsumexp(each + np.log(shares), axis=1)
    np.testing.assert_allclose(of_classes.score_samples(X_test), expected, rtol=1e-6)
    assert (each.argmax(axis=1) == y_test[:50]).mean() > 0.8


def test_labels_of_likelihoods_go_with_their_rows(of_classes, digits):
    _, X_test, _, y_test = digits

    scores = of_classes.score_samples(X_test[:20], y_test[:20])

    alone = [of_classes.score_samples(X_test[[i]], y_test[[i]])[0] for i in range(20)]
    np.testing.assert_allclose(scores, alone, rtol=1e-5)


def test_the_true_class_makes_a_row_likelier(of_classes, digits):
    _, X_test, _, y_test = digits

    true = of_classes.score_samples(X_test, y_test)

    assert true.mean() > of_classes.score_samples(X_test, (y_test + 1) % 10).mean() + 5


def test_likelihood_with_unknown_labels(of_classes, digits):
    with pytest.raises(ValueError, match=r"y has labels \[77\].* \[0, 1, 2"):
        of_classes.score_samples(digits[1][:2], [1, 77])


def test_likelihood_with_labels_of_another_number(of_classes, digits):
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[3, 2\]"):
        of_classes.score_samples(digits[1][:3], [1, 2])


def test_likelihood_with_labels_of_an_estimator_without(of_digits, digits):
    with pytest.raises(ValueError, match="conditional=True"):
        of_digits.score_samples(digits[1][:3], [1, 2, 3])


# ---------------------------------------------------------------- training


def test_every_component_is_in_use_on_digits(of_digits):
    assert of_digits.n_active_components_ == 16


def test_components_that_nothing_is_left_for_are_not_in_use():
    X = np.c_[gaussian(3).rvs(300, random_state=0), np.ones((300, 3))]

    model = fitted(X, n_components=6, likelihood="gaussian", max_epochs=0)

    assert model.n_active_components_ == 3


def test_parts_of_the_loss(of_digits):
    assert of_digits.loss_curves_.keys() == {"reconstruction", "divergence"}
    assert {len(curve) for curve in of_digits.loss_curves_.values()} == {30}


def test_parts_of_the_loss_are_those_of_the_last_fit():
    model = fitted(bimodal(), max_epochs=2)

    model.set_params(max_epochs=0).fit(bimodal())

    assert model.n_iter_ == 0
    assert not hasattr(model, "loss_curves_")


@pytest.mark.parametrize("beta", [0.0, 1.0, 2.5])
def test_parts_add_up_to_the_loss(beta, digits):
    model = fitted(digits[0], n_components=4, max_epochs=3, beta=beta)

    parts = {name: np.array(curve) for name, curve in model.loss_curves_.items()}
    total = parts["reconstruction"] + beta * parts["divergence"]
    np.testing.assert_allclose(model.loss_curve_, total, rtol=1e-4)


def test_parts_add_up_where_the_optimizer_looks_at_a_batch_many_times():
    model = fitted(bimodal(), max_epochs=2, optimizer="lbfgs", lr=0.1)

    total = np.sum(list(model.loss_curves_.values()), axis=0)
    np.testing.assert_allclose(model.loss_curve_, total, rtol=1e-4)


def test_warm_up_raises_the_weight_of_the_divergence(digits):
    model = fitted(digits[0], n_components=4, max_epochs=4, beta=2.0, kl_warm_up=3)

    parts = {name: np.array(curve) for name, curve in model.loss_curves_.items()}
    weights = (np.array(model.loss_curve_) - parts["reconstruction"]) / parts["divergence"]
    np.testing.assert_allclose(weights, [0.5, 1.0, 1.5, 2.0], rtol=1e-3)


def test_loss_is_minus_the_bound(digits):
    X = digits[0]
    model = fitted(X, n_components=8, prior="normal", max_epochs=0)

    bound = model.score_samples(X, n_importance_samples=1).mean()

    assert -model.loss_ == pytest.approx(bound + 64 * np.log(16), abs=0.5)  # of pixels in [0, 1]


def test_loss_falls(of_digits):
    assert of_digits.loss_curve_[-1] < of_digits.loss_curve_[0] - 5


def test_the_divergence_does_not_collapse(of_digits):
    assert of_digits.loss_curves_["divergence"][-1] > 10


def test_beta_buys_divergence_with_reconstruction(digits):
    low, high = (
        fitted(digits[0], n_components=8, max_epochs=10, beta=beta).loss_curves_ for beta in (1, 8)
    )

    assert high["divergence"][-1] < low["divergence"][-1] - 1
    assert high["reconstruction"][-1] > low["reconstruction"][-1]


def test_free_bits_keep_components_in_use(digits):
    X = digits[0]
    without, with_bits = (
        fitted(X, n_components=8, max_epochs=10, beta=50, free_bits=bits, optimizer__weight_decay=0)
        for bits in (0.0, 1.0)
    )

    assert with_bits.loss_curves_["divergence"][-1] > without.loss_curves_["divergence"][-1]


def test_importance_weights_tighten_the_bound(digits):
    one, several = (
        fitted(digits[0], n_components=8, max_epochs=5, n_importance_samples=n) for n in (1, 8)
    )

    assert several.loss_ < one.loss_


def test_lbfgs():
    model = fitted(bimodal(300), optimizer="lbfgs", lr=0.1, max_epochs=3)

    assert np.isfinite(model.loss_curve_).all()


def test_free_bits_with_importance_samples():
    with pytest.raises(ValueError, match=r"free_bits=0\.5 needs n_importance_samples=1"):
        fitted(bimodal(50), free_bits=0.5, n_importance_samples=2)


@pytest.mark.parametrize(
    "params",
    [{"beta": -1}, {"free_bits": -0.1}, {"kl_warm_up": -1}, {"n_importance_samples": 0}],
    ids=str,
)
def test_parameters_that_make_no_sense(params):
    with pytest.raises(InvalidParameterError, match=next(iter(params))):
        fitted(bimodal(50), **params)


@pytest.mark.parametrize("variance", ["predicted", 0.5])
def test_variance_of_the_numbers_in_a_mixed_table(variance):
    X = np.c_[bimodal(400), np.arange(400) % 2]

    model = fitted(X, max_epochs=3, criterion__variance=variance)

    parts = [p for p in model.net_.criterion_.parts if isinstance(p, GaussianLikelihood)]
    assert [part.variance for part in parts] == [variance]
    assert np.isfinite(model.score(X))


def test_predicted_variance_follows_the_noise():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 1000)
    X = np.c_[x, np.where(x > 0, 1.0, 0.05) * rng.normal(size=1000)]
    params = {"n_components": 1, "likelihood": "gaussian", "max_epochs": 60, "lr": 5e-3}

    constant, predicted = (
        fitted(X, criterion__variance=variance, **params).score(X)
        for variance in ("optimal", "predicted")
    )

    assert predicted > constant + 0.3


def test_likelihoods_do_not_depend_on_how_many_codes_are_decoded_at_once(of_bimodal, monkeypatch):
    X = bimodal(40)
    expected = of_bimodal.score_samples(X)

    monkeypatch.setattr("skae.generation._importance._CELLS", 1000)

    np.testing.assert_allclose(of_bimodal.score_samples(X), expected, rtol=1e-4)


def test_the_widest_layer_limits_how_many_codes_are_decoded_at_once(monkeypatch):
    model = fitted(bimodal(50), hidden_layer_sizes=(700,), max_epochs=0, n_mixture_components=1)
    sizes, decode = [], model.module_.decode
    monkeypatch.setattr("skae.generation._importance._CELLS", 100_000)
    monkeypatch.setattr(model.module_, "decode", lambda z: sizes.append(len(z)) or decode(z))

    model.score_samples(bimodal(500))

    assert max(sizes) * 700 <= 100_000
