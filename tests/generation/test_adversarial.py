"""The adversarial autoencoder's players, and what their game leaves."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.utils._param_validation import InvalidParameterError

from skae import AdversarialAutoencoder
from skae.generation._objectives import AdversarialLoss
from skae.training import Batch, Step

CODE_TERMS = {"reconstruction", "code_deception", "code_critic"}
ROW_TERMS = {"row_deception", "row_critic"}
GUESSING = 2 * np.log(2)


def fitted(X, y=None, n_components="auto", **params):
    return AdversarialAutoencoder(n_components, random_state=0, **params).fit(X, y)


@pytest.fixture(scope="module")
def digits():
    return load_digits().data


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2)) @ rng.normal(size=(2, 5)) + 0.3 * rng.normal(size=(400, 5))
    return np.c_[np.exp(x), x[:, 0] > 0]


@pytest.fixture(scope="module")
def trained(digits):
    return fitted(digits, n_components=8, prior="normal", max_epochs=30)


@pytest.fixture(scope="module")
def with_row_critic(digits):
    return fitted(digits, n_components=8, row_critic_weight=1.0, max_epochs=8)


# ---------------------------------------------------------------- parts of the loss


def test_parts_of_the_loss(trained):
    assert trained.loss_curves_.keys() == CODE_TERMS
    assert {len(curve) for curve in trained.loss_curves_.values()} == {30}


def test_parts_of_the_loss_with_a_critic_of_rows(with_row_critic):
    assert with_row_critic.loss_curves_.keys() == CODE_TERMS | ROW_TERMS


def test_parts_are_finite(trained, with_row_critic):
    for model in (trained, with_row_critic):
        assert np.isfinite([*model.loss_curves_.values(), model.loss_curve_]).all()


@pytest.mark.parametrize("weight", [0.5, 10.0])
@pytest.mark.parametrize("row_weight", [0.0, 2.0])
def test_parts_add_up_to_the_loss(weight, row_weight, table):
    model = fitted(
        table,
        code_critic_weight=weight,
        row_critic_weight=row_weight,
        gradient_penalty=0.0,
        max_epochs=3,
    )

    parts = {name: np.array(curve) for name, curve in model.loss_curves_.items()}
    total = parts["reconstruction"] + weight * parts["code_deception"] + parts["code_critic"]
    if row_weight:
        total += row_weight * parts["row_deception"] + parts["row_critic"]
    np.testing.assert_allclose(model.loss_curve_, total, rtol=1e-4)


def test_penalty_adds_to_the_loss(table):
    without, with_penalty = (
        fitted(table, gradient_penalty=penalty, lr=1e-12, critic_lr=1e-12, max_epochs=1)
        for penalty in (0.0, 50.0)
    )

    assert with_penalty.loss_ > without.loss_
    for name, curve in without.loss_curves_.items():
        assert with_penalty.loss_curves_[name] == pytest.approx(curve, rel=1e-5)


def test_reconstruction_is_minus_the_log_likelihood(trained, digits):
    log_likelihood = trained.score(digits)

    assert -trained.loss_curves_["reconstruction"][-1] == pytest.approx(log_likelihood, rel=0.05)


def test_score_is_the_mean_of_the_scores(trained, digits):
    assert trained.score(digits) == pytest.approx(trained.score_samples(digits).mean(), rel=1e-12)


# ---------------------------------------------------------------- critics


def test_critic_starts_by_guessing_and_stays_near(trained):
    curve = np.array(trained.loss_curves_["code_critic"])

    assert curve[0] == pytest.approx(GUESSING, abs=0.1)
    assert ((curve > 0.5 * GUESSING) & (curve < 1.2 * GUESSING)).all()


def test_a_critic_that_learns_nothing_keeps_guessing(table):
    curve = fitted(table, critic_lr=1e-12, lr=1e-12, max_epochs=3).loss_curves_["code_critic"]

    np.testing.assert_allclose(curve, curve[0], atol=0.02)


@pytest.fixture(scope="module")
def corners():
    X = np.random.default_rng(0).choice([-1.0, 1.0], (1024, 3)) * [1, 2, 3]
    return X + 0.01 * np.random.default_rng(1).normal(size=X.shape)


def critic_loss(X, weight):
    params = {"scale": None, "gradient_penalty": 0.0, "max_epochs": 30}
    return fitted(X, code_critic_weight=weight, **params).loss_curves_["code_critic"][-1]


def test_critic_learns_to_tell_codes_where_no_one_deceives_it(corners):
    assert critic_loss(corners, 0.0) < 0.7 * GUESSING


def test_weight_of_the_game_deceives_the_critic(corners):
    assert critic_loss(corners, 0.0) < 0.95 * critic_loss(corners, 10.0)


def test_codes_are_about_standard_normal(trained, digits):
    codes = trained.transform(digits)

    np.testing.assert_allclose(codes.mean(axis=0), 0, atol=0.3)
    assert ((codes.var(axis=0) > 0.4) & (codes.var(axis=0) < 1.6)).all()


def test_draws_from_the_prior_look_like_codes(trained, digits):
    codes = trained.transform(digits)

    samples = trained.transform(trained.sample(len(digits)))

    np.testing.assert_allclose(samples.std(axis=0), codes.std(axis=0), rtol=0.35)


def test_every_component_is_in_use(trained):
    assert trained.n_active_components_ == 8


@pytest.mark.parametrize("regularization", ["gradient_penalty", "spectral_norm"])
def test_deceptions_stay_finite_over_many_epochs(regularization, table):
    model = fitted(
        table, row_critic_weight=1.0, critic_regularization=regularization, max_epochs=60
    )

    deceptions = [model.loss_curves_[f"{name}_deception"] for name in ("code", "row")]
    assert np.isfinite(deceptions).all()
    assert np.max(deceptions) < 5


def test_critic_of_rows_exists_only_with_a_weight(trained, with_row_critic):
    assert trained.module_.row_critic is None
    assert with_row_critic.module_.row_critic[0].in_features == 64


def test_critics_have_the_layers_that_are_wanted(table):
    critic = fitted(table, critic_hidden_layer_sizes=(7, 5), max_epochs=1).module_.code_critic

    widths = [layer.out_features for layer in critic if isinstance(layer, torch.nn.Linear)]
    assert widths == [7, 5, 1]


def test_linear_critics_run(table):
    model = fitted(table, critic_hidden_layer_sizes=(), row_critic_weight=1.0, max_epochs=2)

    assert np.isfinite(model.loss_)


def test_spectral_norms_are_about_one(table):
    model = fitted(
        table, critic_regularization="spectral_norm", row_critic_weight=1.0, max_epochs=10
    )

    module = model.net_.module_
    for critic in (module.code_critic, module.row_critic):
        for layer in critic[::2]:
            assert torch.linalg.matrix_norm(layer.weight, 2).item() == pytest.approx(1, abs=0.15)


def test_learning_rate_of_the_critics_is_theirs_alone(table):
    slow = fitted(table, critic_lr=1e-12, max_epochs=3)
    start = fitted(table, max_epochs=0)

    for name, before in start.net_.module_.state_dict().items():
        after = slow.net_.module_.state_dict()[name]
        if "critic" in name:
            torch.testing.assert_close(after, before, atol=1e-6, rtol=0)
        elif name == "network.encoder.0.weight":
            assert not torch.equal(after, before)


def test_lbfgs_is_refused(table):
    with pytest.raises(ValueError, match=r"'optimizer' parameter .* Got 'lbfgs'"):
        fitted(table, optimizer="lbfgs", max_epochs=1)


# ---------------------------------------------------------------- what is left of it


def test_samples_with_a_critic_of_rows_are_as_varied_as_the_data(with_row_critic, digits):
    samples = with_row_critic.sample(1000)

    assert samples.var(axis=0).sum() > 0.5 * digits.var(axis=0).sum()


def test_noise_images_rank_below_digits(trained, digits):
    noise = np.random.default_rng(0).uniform(0, 16, (200, 64))

    scores = trained.score_samples(np.concatenate([digits[:200], noise]))

    assert roc_auc_score(np.arange(400) < 200, scores) > 0.99


@pytest.mark.parametrize("sizes", [(0,), (8, -1), (2.5,)])
def test_layers_of_critics_that_make_no_sense(sizes, table):
    with pytest.raises(ValueError, match=r"critic_hidden_layer_sizes=.* at least 1"):
        fitted(table, critic_hidden_layer_sizes=sizes)


@pytest.mark.parametrize(
    "params",
    [
        {"code_critic_weight": -1},
        {"row_critic_weight": -1},
        {"critic_lr": 0},
        {"gradient_penalty": -0.1},
        {"critic_regularization": "none"},
        {"critic_hidden_layer_sizes": 8},
    ],
    ids=str,
)
def test_parameters_that_make_no_sense(params, table):
    with pytest.raises(InvalidParameterError, match=next(iter(params))):
        fitted(table, **params)


def test_game_is_no_part_of_the_loss_outside_of_training(trained, digits):
    objective = AdversarialLoss(10.0, 0.0, 1.0)
    x = torch.from_numpy(digits[:8]).float() / 16

    with torch.inference_mode():
        losses, terms, _ = objective.losses(
            Step(trained.module_, trained.net_.criterion_, Batch(x, x), torch.Generator())
        )

    assert terms.keys() == {"reconstruction"}
    np.testing.assert_allclose(-losses, trained.score_samples(digits[:8]), rtol=1e-4)
