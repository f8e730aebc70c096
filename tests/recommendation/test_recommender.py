"""What all recommenders give: lists, their restrictions, reasons, and errors."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator

from skae import BlendRecommender, ShallowRecommender
from skae.metrics import hide_items, ndcg_at_k
from skae.recommendation._recommender import RecommenderMixin

RANDOM = np.random.default_rng(0)
X = (RANDOM.random((40, 20)) < 0.25).astype(float)
X[5] = 0
X[6] = 1
NAMES = [f"item {i}" for i in range(20)]


class Copying(RecommenderMixin, BaseEstimator):
    """Scores are sums of the values at an item and its right neighbour: no closed form."""

    def fit(self, X, y=None):
        self._interactions(X, reset=True)
        self.is_fitted_ = True
        return self

    def _item_scores(self, X):
        rows = X.toarray()
        return rows + np.roll(rows, 1, axis=1) ** 2

    def _similarities(self, items, others=None):
        others = np.arange(self.n_features_in_) if others is None else others
        return 1.0 / (1.0 + abs(items[:, None] - others))


MODELS = {
    "shallow": ShallowRecommender(dtype="float64"),
    "blend": BlendRecommender(
        [("exact", ShallowRecommender()), ("rank", ShallowRecommender(4))], random_state=0
    ),
    "copying": Copying(),
}


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param].fit(X)


def best(scores, k):
    order = np.lexsort((np.tile(np.arange(scores.shape[1]), (len(scores), 1)), -scores))[:, :k]
    return np.where(np.isinf(np.take_along_axis(scores, order, 1)), -1, order)


def test_best_of_the_unseen_in_order(model):
    scores = np.where(X > 0, -np.inf, model.decision_function(X))

    ids, values = model.recommend(X, 8, return_scores=True)

    expected = best(scores, 8)
    np.testing.assert_array_equal(ids, expected)
    padding = expected < 0
    assert (ids[6] == -1).all()
    assert np.isneginf(values[padding]).all()
    np.testing.assert_allclose(
        values[~padding], np.take_along_axis(scores, expected, 1)[~padding], rtol=1e-5
    )
    np.testing.assert_array_equal(model.predict(X), ids[:, 0])


def test_seen_items_may_be_allowed(model):
    ids = model.recommend(X, 20, exclude_seen=False)

    np.testing.assert_array_equal(ids, best(model.decision_function(X), 20))


def test_more_than_the_catalogue(model):
    ids = model.recommend(X, 25)

    assert ids.shape == (40, 25)
    assert (ids[:, 20:] == -1).all()
    assert ((ids >= 0).sum(axis=1) == (X == 0).sum(axis=1)).all()


def test_popular_items_for_who_has_none():
    order = np.argsort(-X.sum(axis=0), kind="stable")

    np.testing.assert_array_equal(MODELS["shallow"].fit(X).recommend(X[[5]], 20)[0], order)


@pytest.mark.parametrize("form", ["indices", "mask", "names", "per user", "dense per user"])
def test_items_and_exclude(form):
    model = MODELS["shallow"].fit(pd.DataFrame(X, columns=NAMES))
    frame = pd.DataFrame(X, columns=NAMES)
    some = np.arange(20) % 3 == 0
    chosen = {
        "indices": np.flatnonzero(some),
        "mask": some,
        "names": [name for name, is_in in zip(NAMES, some, strict=True) if is_in],
        "per user": sparse.csr_array(np.tile(some, (40, 1))),
        "dense per user": np.tile(some, (40, 1)),
    }[form]
    scores = np.where(X > 0, -np.inf, model.decision_function(frame))

    only, without = (
        model.recommend(frame, 6, items=chosen),
        model.recommend(frame, 6, exclude=chosen),
    )

    np.testing.assert_array_equal(only, best(np.where(some, scores, -np.inf), 6))
    np.testing.assert_array_equal(without, best(np.where(some, -np.inf, scores), 6))


def test_names_come_back():
    frame = pl.DataFrame(X, schema=NAMES)
    model = MODELS["shallow"].fit(frame)
    ids, names = model.recommend(frame, 15), model.recommend(frame, 15, as_names=True)

    assert all(
        name == (None if i < 0 else NAMES[i])
        for name, i in zip(names.ravel(), ids.ravel(), strict=True)
    )
    assert list(model.similar_items("item 3", 2, as_names=True)[0]) == [
        NAMES[i] for i in model.similar_items(3, 2)[0]
    ]
    by_names = model.explain(frame, names, k=2, as_names=True)
    np.testing.assert_array_equal(
        by_names.contributions, model.explain(frame, ids, k=2).contributions
    )
    assert by_names.items.dtype == object


def test_similar_items(model):
    ids, alike = model.similar_items([4, 0], 30, return_scores=True)

    assert ids.shape == (2, 30)
    for found, item in zip(ids, [4, 0], strict=True):
        assert sorted(found) == sorted([*[-1] * 11, *{*range(20)} - {item}])
    assert (np.diff(alike[:, :19]) <= 0).all()
    assert alike[:, 0].max() < 1


def test_diversity(model):
    plain = model.recommend(X, 5)

    np.testing.assert_array_equal(model.recommend(X, 5, diversity=0.0), plain)
    mixed = model.recommend(X, 5, diversity=0.8)

    assert ((mixed < 0) == (plain < 0)).all()
    assert (mixed != plain).any()
    np.testing.assert_array_equal(mixed[:, 0], plain[:, 0])

    def likeness(ids):
        lists = [row[row >= 0] for row in ids if (row >= 0).sum() > 1]
        return np.mean([model._similarities(row, row).clip(0).mean() for row in lists])

    assert likeness(mixed) < likeness(plain)


def test_reasons_add_up(model):
    ids = model.recommend(X, 3)

    all_of_them = model.explain(X, ids, k=20)
    few = model.explain(X, ids, k=2)

    np.testing.assert_allclose(
        all_of_them.contributions.sum(axis=-1) + all_of_them.base, all_of_them.scores, atol=1e-5
    )
    scores = np.take_along_axis(model.decision_function(X), ids, 1)
    np.testing.assert_allclose(all_of_them.scores[ids >= 0], scores[ids >= 0], atol=1e-5)
    np.testing.assert_array_equal(few.items, all_of_them.items[..., :2])
    assert (np.diff(all_of_them.contributions[0, 0, : int(X[0].sum())]) <= 0).all()
    assert (few.items[ids < 0] == -1).all()
    one = model.explain(X, ids[:, 0], k=2)
    np.testing.assert_array_equal(one.items, few.items[:, 0])


def test_leaving_out_is_the_default_reason():
    model = Copying().fit(X)
    x = np.zeros((1, 20))
    x[0, [2, 7]] = 1, 3

    why = model.explain(x, [[3, 8, 7]], k=2)

    np.testing.assert_array_equal(why.items[0], [[2, 7], [7, 2], [7, 2]])
    np.testing.assert_array_equal(why.contributions[0], [[1, 0], [9, 0], [3, 0]])


def test_score_hides_a_fifth_or_takes_what_came_later(model):
    shown, hidden = hide_items(X)
    if isinstance(model, Copying):
        ids = model.recommend(shown, 100)
        assert model.score(X) == pytest.approx(ndcg_at_k(hidden, ids, 100))
    assert model.score(shown, hidden) == pytest.approx(model.score(X))
    assert model.score(X, np.arange(40)) == model.score(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"k": 0}, "k == 0, must be >= 1"),
        ({"diversity": 1.5}, "diversity == 1.5"),
        ({"items": [25]}, "items has the index 25, but there are 20 items"),
        ({"items": [-1]}, "items has the index -1"),
        ({"exclude": ["item 3"]}, "not fitted on a data frame"),
        ({"exclude": [0.5]}, "must be indices or names"),
        ({"items": [True, False]}, r"items is a mask of shape \(2,\)"),
        ({"exclude": np.ones((3, 20))}, r"exclude has the shape \(3, 20\), but X has 40 users"),
        ({"as_names": True}, "as_names=True needs names"),
    ],
)
def test_wrong_requests(params, message):
    with pytest.raises(ValueError, match=message):
        MODELS["shallow"].fit(X).recommend(X, **params)


def test_unknown_names():
    model = MODELS["shallow"].fit(pd.DataFrame(X, columns=NAMES))

    with pytest.raises(ValueError, match="items has the name 'item 33', which no item has"):
        model.similar_items("item 33")


@pytest.mark.parametrize("items", [[1, 2], np.zeros((40, 2, 2), int), 3])
def test_items_to_explain_are_those_of_users(items):
    with pytest.raises(ValueError, match=r"items has the shape .* some items for each user"):
        MODELS["shallow"].fit(X).explain(X, items)


def test_nobody_can_be_scored():
    model = MODELS["shallow"].fit(X)

    with pytest.raises(ValueError, match="none has two items"):
        model.score(np.eye(20))
    with pytest.raises(ValueError, match="y has no entry"):
        model.score(X, np.zeros_like(X))
    with pytest.raises(ValueError, match=r"y has the shape \(40, 3\)"):
        model.score(X, np.ones((40, 3)))


# ---------------------------------------------------------------------- blends

PARTS = [("exact", ShallowRecommender()), ("noise", ShallowRecommender(1, l2=1e6, prior=5.0))]


def test_blend_of_one_ranks_as_that_one():
    blend = BlendRecommender(PARTS, weights=[2, 0]).fit(X)

    np.testing.assert_array_equal(blend.weights_, [1, 0])
    assert list(blend.named_estimators_) == ["exact"]
    np.testing.assert_array_equal(
        blend.recommend(X, 20), ShallowRecommender().fit(X).recommend(X, 20)
    )


def test_units_of_parts_do_not_matter():
    class Large(Copying):
        def _item_scores(self, X):
            return 1000 * super()._item_scores(X) + 7

    parts = [("exact", ShallowRecommender(dtype="float64"))]
    small = BlendRecommender([*parts, ("other", Copying())], weights=[1, 1]).fit(X)
    large = BlendRecommender([*parts, ("other", Large())], weights=[1, 1]).fit(X)

    np.testing.assert_allclose(
        small.decision_function(X)[:5], large.decision_function(X)[:5], atol=1e-10
    )


def test_auto_weights_find_what_is_good():
    groups = np.arange(20) // 5
    taste = RANDOM.integers(4, size=(300, 1))
    likes = (RANDOM.random((300, 20)) < np.where(taste == groups, 0.7, 0.05)).astype(float)

    blend = BlendRecommender([("noise", Copying()), *PARTS[:1]], random_state=0).fit(likes)

    assert blend.weights_[1] > 0.7
    assert blend.scores_[1] > blend.scores_[0] + 0.05


def test_parameters_of_parts():
    blend = BlendRecommender(PARTS)

    blend.set_params(exact__l2=3.0)

    assert blend.get_params()["exact"].l2 == 3.0


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"weights": [1]}, ValueError, "must be 2 numbers"),
        ({"weights": [-1, 2]}, ValueError, "none negative"),
        ({"estimators": []}, ValueError, "must be a list of pairs"),
        ({"estimators": [("a", object())]}, TypeError, "'a' is a object"),
        ({"estimators": [("a", Copying()), ("a", Copying())]}, ValueError, "not unique"),
    ],
)
def test_wrong_blends(params, error, message):
    with pytest.raises(error, match=message):
        BlendRecommender(**{"estimators": PARTS, **params}).fit(X)
