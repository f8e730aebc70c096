"""The closed form: its formula, its solvers, and what is added to it piece by piece."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold

from skae import ShallowRecommender
from skae.metrics import make_recommender_scorer

RANDOM = np.random.default_rng(0)
X = np.where(RANDOM.random((50, 30)) < 0.2, RANDOM.integers(1, 5, (50, 30)), 0).astype(float)
X[3] = 0
X[4] = 0
X[4, 7] = 1


def exact(**params):
    return ShallowRecommender(dtype="float64", **params)


def test_formula():
    l2, p, b, c, prior = 7.0, 0.3, 0.6, 0.2, 0.4
    x = (X > 0).astype(float)
    n, counts = x.sum(axis=1), x.sum(axis=0)
    G = x.T @ (x / np.maximum(n, 1)[:, None] ** b)
    ridge = l2 * np.diag(G).mean() / np.sqrt(counts.mean()) + p / (1 - p) * np.diag(G)
    P = np.linalg.inv(G + np.diag(ridge))
    B = np.eye(30) - P / np.diag(P)
    D = (np.maximum(counts, 1) / counts.mean()) ** -c
    expected = (x * D @ B) * D + np.where(n, prior / np.maximum(n, 1), 1)[:, None] * counts / 50

    model = exact(l2=l2, dropout=p, user_damping=b, item_damping=c, prior=prior).fit(X)

    np.testing.assert_allclose(model.item_weights_, B, atol=1e-12)
    np.testing.assert_allclose(model.decision_function(X), expected, atol=1e-12)
    np.testing.assert_array_equal(model.popularity_, counts)


@pytest.mark.parametrize("weighting", ["binary", "log", "tfidf", "bm25", None])
def test_all_ways_to_solve_are_one(weighting):
    primal = exact(solver="primal", weighting=weighting).fit(X)
    dual = exact(solver="dual", weighting=weighting).fit(X)
    whole = exact(n_components=30, weighting=weighting).fit(X)
    pieces = exact(weighting=weighting).partial_fit(X[:20]).partial_fit(X[20:])

    assert [m.solver_ for m in (primal, dual, whole)] == ["primal", "dual", "low_rank"]
    items = np.arange(30)
    for model in (dual, whole, pieces):
        np.testing.assert_allclose(
            model.decision_function(X), primal.decision_function(X), atol=1e-10
        )
        np.testing.assert_allclose(
            model._similarities(items), primal._similarities(items), atol=1e-10
        )
        np.testing.assert_array_equal(model.recommend(X), primal.recommend(X))


def test_units_of_values_do_not_matter():
    model = exact(weighting=None, prior=5.0).fit(X)
    ids, scores = model.recommend(X[:3], return_scores=True)

    large = exact(weighting=None, prior=5.0).fit(1000 * X)

    np.testing.assert_array_equal(large.recommend(1000 * X[:3]), ids)
    large_scores = large.recommend(1000 * X[:3], return_scores=True)[1]
    np.testing.assert_allclose(large_scores, 1000 * scores)


@pytest.mark.parametrize("unit", [1e-30, 1e30])
def test_weights_are_found_in_any_unit(unit):
    ids = ShallowRecommender(weighting=None).fit(X).recommend(X, 5)

    model = ShallowRecommender(weighting=None).fit(unit * X)

    assert (model.recommend(unit * X, 5) == ids).mean() > 0.99
    with pytest.raises(ValueError, match=r"weight of an interaction is 4e\+200, too large for"):
        model.recommend(1e200 * X)


def test_with_more_users_than_items_only_their_gram_matrix_is_kept():
    many = np.tile(X, (8, 1))

    model = exact().partial_fit(many[:300]).partial_fit(many[300:])

    assert model._sums.rows is None
    np.testing.assert_allclose(
        model.decision_function(X), exact().fit(many).decision_function(X), atol=1e-12
    )
    model.set_params(user_damping=0.1).partial_fit(X)
    with pytest.raises(ValueError, match=r"user_damping and dtype can't change between calls"):
        model.predict(X)


def test_fit_goes_on_with_partial_fit():
    model = exact().fit(X[:20]).partial_fit(X[20:])

    np.testing.assert_allclose(
        model.decision_function(X), exact().fit(X).decision_function(X), atol=1e-12
    )


@pytest.mark.parametrize("solver", ["primal", "dual", "low_rank"])
def test_truncated_weights(solver):
    model = exact(n_components=5, solver=solver, random_state=0).fit(X)
    # By iteration, only about.
    atol = 0.02 if solver == "low_rank" else 1e-10

    expected = exact(n_components=5, solver="primal").fit(X).decision_function(X)
    np.testing.assert_allclose(model.decision_function(X), expected, atol=atol)
    codes = model.transform(X)
    assert codes.shape == (50, 5)
    unseen = (X == 0) & X.any(axis=1, keepdims=True)
    scores = exact(n_components=5, solver=solver, random_state=0, prior=0).fit(X)
    np.testing.assert_allclose(
        model.inverse_transform(codes)[unseen], scores.decision_function(X)[unseen], atol=1e-10
    )


def test_components_beyond_the_number_of_users_are_zero():
    model = exact(n_components=25, solver="dual").fit(X[:9])

    assert (model.transform(X)[:, 9:] == 0).all()
    assert hasattr(model, "transform")
    assert not hasattr(exact(), "transform")


def test_too_many_components():
    with pytest.raises(ValueError, match="n_components=31 must be at most the number of items, 30"):
        exact(n_components=31).fit(X)


def test_memory_limit_is_said():
    with pytest.warns(UserWarning, match="low-rank approximation with 30 components"):
        model = ShallowRecommender(memory_limit=1000).fit(X)

    assert model.solver_ == "low_rank"


@pytest.mark.parametrize("solver", ["primal", "dual", "low_rank"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_permuted_items(solver, dtype):
    order = RANDOM.permutation(30)
    params = {
        "solver": solver,
        "dtype": dtype,
        "n_components": 30 if solver == "low_rank" else None,
    }

    scores = ShallowRecommender(**params).fit(X).decision_function(X)
    permuted = ShallowRecommender(**params).fit(X[:, order]).decision_function(X[:, order])

    np.testing.assert_allclose(permuted, scores[:, order], atol=1e-4)


@pytest.mark.parametrize("solver", ["primal", "dual", "low_rank"])
def test_a_row_alone_is_as_among_others(solver):
    model = ShallowRecommender(solver=solver).fit(X)
    scores, ids = model.decision_function(X), model.recommend(X)

    for i in range(0, 50, 7):
        np.testing.assert_array_equal(model.decision_function(X[[i]])[0], scores[i])
        np.testing.assert_array_equal(model.recommend(X[[i]])[0], ids[i])


def test_containers_and_dtypes():
    frame = pd.DataFrame(X, columns=[f"item {i}" for i in range(30)])
    expected = exact().fit(X).recommend(X)

    for form in (sparse.csr_matrix, sparse.csc_array, sparse.coo_array, np.asfortranarray):
        np.testing.assert_array_equal(exact().fit(form(X)).recommend(form(X)), expected)
    for values in (X > 0, (X > 0).astype(int)):
        np.testing.assert_array_equal(exact().fit(values).recommend(values), expected)
    np.testing.assert_array_equal(exact().fit(frame).recommend(frame), expected)
    rows, columns = np.nonzero(X)
    starts = 2 * np.append(0, np.cumsum((X > 0).sum(axis=1)))
    halves = sparse.csr_matrix((np.repeat(X[rows, columns] / 2, 2), np.repeat(columns, 2), starts))
    np.testing.assert_array_equal(exact().fit(halves).recommend(halves), expected)


def test_copies():
    model = ShallowRecommender(3, random_state=0).fit(X)

    for copy in (pickle.loads(pickle.dumps(model)), clone(model).fit(X)):
        np.testing.assert_array_equal(copy.decision_function(X), model.decision_function(X))


def test_input_is_left_alone():
    data = np.r_[X[X > 0], 0.0]
    rows, columns = np.nonzero(X)
    given = sparse.csr_matrix((data, (np.r_[rows, 0], np.r_[columns, 0])))
    before = given.copy()

    ShallowRecommender().fit(given).recommend(given)

    np.testing.assert_array_equal(given.data, before.data)
    np.testing.assert_array_equal(given.indices, before.indices)


def test_best_ranking_is_found_where_it_is_known():
    # Each user likes one of three groups of items, which are equally popular.
    groups = np.repeat(np.arange(3), 10)
    taste = RANDOM.integers(3, size=300)
    likes = RANDOM.random((300, 30)) < np.where(taste[:, None] == groups, 0.5, 0.05)

    shown = np.tile(np.eye(10)[:8] + np.eye(10)[1:9], 3) * (
        groups == RANDOM.integers(3, size=(8, 1))
    )
    ids = ShallowRecommender().fit(likes).recommend(shown, k=8)

    assert (groups[ids] == groups[shown.argmax(axis=1)][:, None]).all()


def test_grid_search_is_strong_generalisation():
    search = GridSearchCV(ShallowRecommender(), {"l2": [1.0, 30.0]}, cv=KFold(3)).fit(X)
    scorer = make_recommender_scorer(k=[5])
    by_scorer = GridSearchCV(
        ShallowRecommender(), {"l2": [1.0, 30.0]}, cv=KFold(3), scoring=scorer, refit="ndcg@5"
    ).fit(sparse.csr_array(X))

    assert 0 < search.best_score_ < 1
    assert 0 < by_scorer.best_score_ < 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (-X, r"Negative values in data passed to ShallowRecommender: X has -\d.* for user"),
        (np.where(X == 4, np.nan, X), "NaN"),
        (np.zeros((4, 30)), "X of 4 users and 30 items has no entry other than zero"),
    ],
)
def test_bad_interactions(wrong, message):
    model = ShallowRecommender()
    with pytest.raises(ValueError, match=message):
        model.fit(wrong)

    assert not hasattr(model, "n_features_in_")


def test_swapped_users_and_items():
    model = ShallowRecommender().fit(X[:20])

    with pytest.raises(ValueError, match=r"expecting 30 features.*is X\.T meant"):
        model.recommend(X[:20].T)
