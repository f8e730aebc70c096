import numpy as np
import pytest
from scipy import sparse

from skae import AutoencoderRecommender, ShallowRecommender
from skae.metrics import hide_items
from skae.recommendation._calibration import Calibration
from skae.recommendation._left_out import left_out_scores

from ..estimators import DropoutNetwork


@pytest.fixture
def X():
    """Users of two tastes, each with a few of the ten items of one of them, and one of the rest."""
    rng = np.random.default_rng(0)
    dense = np.zeros((50, 30))
    for user, row in enumerate(dense):
        row[10 * (user % 2) + rng.choice(10, 5, replace=False)] = 1
        row[20 + rng.integers(10)] = 1
    return sparse.csr_array(dense)


@pytest.mark.parametrize("params", [{"solver": "primal"}, {"solver": "dual"}])
def test_left_out_users_get_the_scores_of_a_fit_without_them(params, X):
    settings = {"dtype": "float64", "dropout": 0.0, "item_damping": 0.0, "prior": 0.0}
    model = ShallowRecommender(**settings, **params).fit(X)
    shown, _ = hide_items(X)

    scores = left_out_scores(model._solution, shown, X)

    user, dense = 3, X.toarray()
    damped = dense / dense.sum(axis=1, keepdims=True) ** (model.user_damping / 2)
    gram = damped.T @ damped
    ridge = model.l2 * gram.diagonal().mean() / np.sqrt(dense.sum(axis=0).mean())
    without = gram - np.outer(damped[user], damped[user]) + ridge * np.eye(30)
    inverse = np.linalg.inv(without)
    weights = -inverse / inverse.diagonal()
    np.fill_diagonal(weights, 0.0)
    np.testing.assert_allclose(scores[user], shown.toarray()[user] @ weights, atol=1e-12)


def test_no_epoch_leaves_the_ranking_of_the_closed_form(X):
    model = AutoencoderRecommender(4, max_epochs=0, random_state=0).fit(X)

    np.testing.assert_array_equal(
        model.recommend(X, 20), ShallowRecommender().fit(X).recommend(X, 20)
    )


def test_logits_are_in_the_order_of_scores(X):
    scores = ShallowRecommender().fit(X)._solution
    calibration = Calibration.of(X, lambda shown, _: scores.scores(shown))
    import torch

    logits = calibration.logits(torch.from_numpy(scores.scores(X))).numpy()

    assert (np.diff(np.take_along_axis(logits, scores.scores(X).argsort(axis=1), 1)) >= 0).all()


SETTINGS = {
    "dae": {},
    "vae": {"variational": True, "hidden_layer_sizes": (16,)},
    "recvae": {
        "variational": True,
        "prior": "composite",
        "beta": 0.005,
        "hidden_layer_sizes": (16,),
    },
    "elsa": {"tied": True, "likelihood": "gaussian", "optimizer": "nadam", "lr": 0.1},
    "bernoulli": {"likelihood": "bernoulli"},
    "sampled": {"n_negatives": 8},
    "dense": {"module": DropoutNetwork},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_networks_alone_learn_whose_taste_it_is(name, X):
    params = {"linear": None, "lr": 0.02, "max_epochs": 40, "batch_size": 25, **SETTINGS[name]}
    model = AutoencoderRecommender(6, random_state=0, **params).fit(X)

    taste = model.recommend(X, 3) // 10

    assert (taste == np.arange(50)[:, None] % 2).mean() > 0.9


def test_early_stopping_watches_hidden_items(X):
    model = AutoencoderRecommender(
        6, linear=None, lr=0.02, max_epochs=60, early_stopping=True, random_state=0
    ).fit(X)

    curve = 1 - np.array(model.validation_loss_curve_)
    assert ((curve >= 0) & (curve <= 1)).all()
    assert curve.max() > curve[0]


@pytest.mark.parametrize(
    ("params", "need"),
    [
        ({"tied": True, "variational": True}, "tied=True is ELSA, which needs variational=False"),
        ({"n_negatives": 5, "linear": "closed_form"}, "n_negatives=5 needs linear='auto' or None"),
        ({"prior": "composite"}, "prior='composite' needs variational=True"),
    ],
)
def test_parameters_that_exclude_each_other(params, need, X):
    with pytest.raises(ValueError, match=need):
        AutoencoderRecommender(**params).fit(X)
