"""Curves of recommenders."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skae import ShallowRecommender
from skae.inspection import RankingCurveDisplay
from skae.metrics import hide_items, ndcg_at_k, recall_at_k

X = np.random.default_rng(0).random((40, 30)) < 0.3
MODEL = ShallowRecommender().fit(X)


@pytest.mark.parametrize(("metric", "measure"), [("ndcg", ndcg_at_k), ("recall", recall_at_k)])
def test_over_k(metric, measure):
    display = RankingCurveDisplay.from_estimator(MODEL, X, metric=metric)

    shown, hidden = hide_items(X)
    ids = MODEL.recommend(shown, 20)
    np.testing.assert_array_equal(display.lengths["ShallowRecommender"], [1, 2, 5, 10, 20])
    np.testing.assert_allclose(
        display.quality["ShallowRecommender"], [measure(hidden, ids, k) for k in (1, 2, 5, 10, 20)]
    )
    assert display.ax_.get_xlabel() == "k"


def test_over_the_length_of_the_history():
    display = RankingCurveDisplay.from_estimator(MODEL, X, over="history", lengths=[50, 1], k=7)

    shown, hidden = hide_items(X)
    whole = ndcg_at_k(hidden, MODEL.recommend(shown, 7), 7)
    assert display.quality["ShallowRecommender"][0] == whole
    assert display.quality["ShallowRecommender"][1] != whole
    assert display.ax_.get_ylabel() == "NDCG@7"


def test_models_share_axes_in_colours_of_their_own(ax):
    for name in ("first", "second"):
        RankingCurveDisplay.from_estimator(MODEL, X, estimator_name=name, ax=ax)

    first, second = ax.lines
    assert first.get_color() != second.get_color()
    assert [text.get_text() for text in ax.get_legend().texts] == ["first", "second"]


def test_later_curves_are_not_cut_off(ax):
    RankingCurveDisplay({"low": [1, 9]}, {"low": [0.1, 0.2]}).plot(ax)
    RankingCurveDisplay({"high": [1, 9]}, {"high": [0.3, 0.9]}).plot(ax)

    assert ax.get_ylim()[0] == 0
    assert ax.get_ylim()[1] > 0.9


def test_searches_and_pipelines():
    search = GridSearchCV(ShallowRecommender(), {"l2": [30.0]}, cv=2).fit(X)

    assert list(RankingCurveDisplay.from_estimator(search, X).lengths) == ["ShallowRecommender"]
    with pytest.raises(TypeError, match="Pipeline has no method `recommend`"):
        RankingCurveDisplay.from_estimator(make_pipeline(MODEL), X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"metric": "auc"}, "metric must be one of"),
        ({"over": "time"}, "over must be one of"),
        ({"lengths": [0]}, "lengths must be at least 1"),
    ],
)
def test_wrong_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        RankingCurveDisplay.from_estimator(MODEL, X, **params)


def test_no_recommender():
    with pytest.raises(TypeError, match="object has no method `recommend`"):
        RankingCurveDisplay.from_estimator(object(), X)


def test_wrong_curves():
    with pytest.raises(ValueError, match="must be of the same recommenders"):
        RankingCurveDisplay({"a": [1]}, {"b": [1]})
    with pytest.raises(ValueError, match="must be positive, got 0"):
        RankingCurveDisplay({"a": [0]}, {"a": [1]})
