"""Metrics of ranked lists, hidden items, and the scorer made of them."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.metrics import ndcg_score
from sklearn.model_selection import KFold, cross_validate

from skae.metrics import (
    coverage_at_k,
    hide_items,
    interactions_to_csr,
    make_recommender_scorer,
    map_at_k,
    mrr_at_k,
    ndcg_at_k,
    novelty_at_k,
    precision_at_k,
    recall_at_k,
)

TRUTH = np.array([[1, 0, 1, 0, 1], [0, 2, 0, 0, 0], [0, 0, 0, 0, 0]])
IDS = np.array([[0, 1, 2], [3, 4, 1], [0, 1, 2]])
NDCG = (1 + 0.5) / (1 + 1 / np.log2(3) + 0.5), 0.5


@pytest.mark.parametrize(
    ("metric", "first", "second"),
    [
        (ndcg_at_k, *NDCG),
        (recall_at_k, 2 / 3, 1.0),
        (precision_at_k, 2 / 3, 1 / 3),
        (map_at_k, (1 + 2 / 3) / 3, 1 / 3),
        (mrr_at_k, 1.0, 1 / 3),
    ],
)
@pytest.mark.parametrize("form", [np.array, sparse.csr_array, sparse.csc_matrix, sparse.coo_array])
def test_by_hand(metric, first, second, form):
    rows = metric(form(TRUTH), IDS, k=3, per_row=True)

    np.testing.assert_allclose(rows, [first, second, np.nan])
    assert metric(form(TRUTH), IDS, k=3) == pytest.approx((first + second) / 2)


@pytest.mark.parametrize("metric", [ndcg_at_k, recall_at_k, precision_at_k, map_at_k, mrr_at_k])
def test_padding_is_a_miss_and_places_beyond_the_lists_are(metric):
    short, padded = IDS[:, :2], np.pad(IDS[:, :2], ((0, 0), (0, 3)), constant_values=-1)

    np.testing.assert_array_equal(
        metric(TRUTH, short, k=5, per_row=True), metric(TRUTH, padded, k=5, per_row=True)
    )


def test_explicit_zeros_and_duplicates_are_no_further_relevant_items():
    data, rows, columns = [1, 1, 0, 1], [0, 0, 0, 0], [1, 1, 2, 3]
    truth = sparse.csr_array(sparse.coo_array((data, (rows, columns)), (1, 4)))

    assert recall_at_k(truth, [[1, 2]], k=2) == 0.5


def test_ndcg_equals_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth, scores = rng.integers(2, size=(20, 30)), rng.normal(size=(20, 30))

    ids = np.argsort(-scores, axis=1)

    assert ndcg_at_k(truth, ids, k=7) == pytest.approx(ndcg_score(truth, scores, k=7))


def test_coverage_and_novelty():
    train = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0]])

    assert coverage_at_k([[0, 1], [0, -1]], 4, k=2) == 0.5
    np.testing.assert_array_equal(
        novelty_at_k([[0, 1], [2, -1], [-1, -1]], train, per_row=True), [1.0, 2.0, np.nan]
    )


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([[0, 5, 1]] * 3, "ids holds 5"),
        ([[0, 1, 0]] * 3, "ids has the item 0 twice in row 0"),
        ([[0, 1]], "ids has 1 rows, but y_true has 3"),
        ([0, 1, 2], "ids must be an array of integers of shape"),
        ([[0.5]] * 3, "ids must be an array of integers"),
    ],
)
def test_wrong_lists(ids, message):
    with pytest.raises(ValueError, match=message):
        ndcg_at_k(TRUTH, ids)


def test_nothing_to_score():
    with pytest.raises(ValueError, match="No row can be scored"):
        recall_at_k(np.zeros((2, 3)), [[0], [1]])


# ---------------------------------------------------------------------- hidden items


def test_hidden_and_shown_are_the_whole():
    X = sparse.random_array((40, 30), density=0.3, rng=0, dtype=np.float32).toarray()
    X[:2] = 0
    X[1, 3] = 2
    X = sparse.csr_array(X)

    shown, hidden = hide_items(X, 0.4, random_state=1)

    assert abs(shown + hidden - X).max() == 0
    assert shown.dtype == hidden.dtype == np.float32
    assert shown.multiply(hidden).nnz == 0
    n, n_hidden = np.diff(X.indptr), np.diff(hidden.indptr)
    expected = np.where(n >= 2, np.maximum(1, (0.4 * n).astype(int)), 0)
    np.testing.assert_array_equal(n_hidden, expected)
    assert abs(hide_items(X, 0.4, random_state=1)[1] - hidden).max() == 0
    assert abs(hide_items(X, 0.4, random_state=2)[1] - hidden).max() > 0


def test_something_is_always_shown():
    shown, hidden = hide_items(np.ones((1, 3)), 0.999)

    assert (shown.nnz, hidden.nnz) == (1, 2)


# ---------------------------------------------------------------------- scorer


class Popular(BaseEstimator):
    """Recommends what most have."""

    def fit(self, X, y=None):
        self.order_ = np.argsort(-np.asarray(sparse.csr_array(X).sum(axis=0)), kind="stable")
        return self

    def recommend(self, X, k):
        seen = sparse.csr_array(X).toarray()[:, self.order_] > 0
        first = np.argsort(seen, axis=1, kind="stable")
        return np.where(np.take_along_axis(seen, first, 1), -1, self.order_[first])[:, :k]


def test_share_to_hide_is_a_number():
    with pytest.raises(ValueError, match="test_size is NaN"):
        hide_items(np.ones((2, 3)), np.nan)


def test_scorer_scores_what_it_hides():
    X = sparse.random_array((40, 30), density=0.3, rng=0).tocsr()
    scorer = make_recommender_scorer(["ndcg", "coverage"], k=[5, 10], random_state=3)
    popular = Popular().fit(X)

    scores = scorer(popular, X)

    shown, hidden = hide_items(X, random_state=3)
    assert list(scores) == ["ndcg@5", "ndcg@10", "coverage@5", "coverage@10"]
    assert scores["ndcg@5"] == ndcg_at_k(hidden, popular.recommend(shown, 10), 5)
    later = scorer(popular, shown, hidden)
    assert later == scores


def test_scorer_repeats_and_is_taken_by_cross_validation():
    X = sparse.random_array((40, 30), density=0.3, rng=0).tocsr()
    scorer = make_recommender_scorer("recall", k=5, n_repeats=2)
    one, two = (make_recommender_scorer("recall", k=5, random_state=seed) for seed in (0, 1))
    popular = Popular().fit(X)

    mean = (one(popular, X)["recall@5"] + two(popular, X)["recall@5"]) / 2

    assert scorer(popular, X)["recall@5"] == pytest.approx(mean)
    assert len(cross_validate(popular, X, cv=KFold(3), scoring=scorer)["test_recall@5"]) == 3


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"metrics": "auc"}, "metrics has 'auc', but must be some of"),
        ({"k": []}, "must not be empty"),
        ({"k": 0}, "k == 0"),
        ({"test_size": 1.0}, "test_size == 1.0"),
    ],
)
def test_wrong_parameters_of_the_scorer(params, message):
    with pytest.raises(ValueError, match=message):
        make_recommender_scorer(**params)


def test_scorer_wants_a_recommender():
    with pytest.raises(TypeError, match="has no method `recommend`"):
        make_recommender_scorer()(object(), np.ones((2, 3)))


# ---------------------------------------------------------------------- interactions


@pytest.mark.parametrize("kind", ["dict", "pandas", "polars"])
def test_interactions_become_a_matrix(kind):
    plays = {
        "who": ["b", "a", "b", "b"],
        "what": np.array([7, 3, 3, 7]),
        "times": [1.0, 5.0, 2.0, 4.0],
    }
    if kind != "dict":
        plays = pytest.importorskip(kind).DataFrame(plays)

    X, users, items = interactions_to_csr(plays, "who", "what", "times")

    assert (list(users), list(items)) == (["a", "b"], [3, 7])
    np.testing.assert_array_equal(X.toarray(), [[5, 0], [2, 5]])
    np.testing.assert_array_equal(
        interactions_to_csr(plays, "who", "what").X.toarray(), [[1, 0], [1, 2]]
    )
    X, users, items = interactions_to_csr(plays, "who", "what", "times", min_value=4)
    np.testing.assert_array_equal(X.toarray(), [[5, 0], [0, 4]])


@pytest.mark.parametrize("dtype", ["string", "category", "Int64", "float64"])
def test_missing_ids_of_pandas(dtype):
    pandas = pytest.importorskip("pandas")
    who = ["a", None] if dtype in ("string", "category") else [1, None]
    plays = pandas.DataFrame({"who": pandas.Series(who, dtype=dtype), "what": [1, 2]})

    with pytest.raises(ValueError, match="The column 'who' has no id in line 1"):
        interactions_to_csr(plays, "who", "what")


@pytest.mark.parametrize(
    ("plays", "params", "message"),
    [
        ({"u": [1], "i": [2]}, {"value": "v"}, "value='v' is no column of interactions, which has"),
        ({"u": [1], "i": [2]}, {"min_value": 1}, "min_value=1 needs a column of values"),
        ({"u": [], "i": []}, {}, "There is no interaction"),
        ({"u": [1, 2], "i": [2]}, {}, "must be equally long"),
        ({"u": ["a", None], "i": [1, 2]}, {}, "The column 'u' has no id in line 1"),
        ({"u": [1.0, np.nan], "i": [1, 2]}, {}, "The column 'u' has no id in line 1"),
        (
            {"u": [1, 2], "i": [1, 2], "v": [1, np.nan]},
            {"value": "v"},
            "has nan in line 1, no finite",
        ),
        ({"u": [1], "i": [2], "v": ["x"]}, {"value": "v"}, "'v' must hold numbers"),
        ({"u": [1], "i": [2], "v": [1]}, {"value": "v", "min_value": 2}, "of at least min_value=2"),
        ({"u": [(1, 2), (3, 4)], "i": [1, 2]}, {}, "is a column of shape"),
        ({"u": np.array([1, "a"], object), "i": [1, 2]}, {}, "can't be sorted"),
    ],
)
def test_wrong_interactions(plays, params, message):
    plays = {name: np.asarray(column) for name, column in plays.items()}

    with pytest.raises(ValueError, match=message):
        interactions_to_csr(plays, "u", "i", **params)
