"""A fitted estimator that was stored or copied gives the same, and trains on the same."""

import copy
import pickle

import joblib
import pytest
import skops.io

import skae

from .estimators import (
    DropoutNetwork,
    PaddedImages,
    assert_equal_outputs,
    assert_same_outputs,
    assert_unchanged,
    frozen,
    in_turn,
    new,
    outputs,
    over_all,
    shared_fit,
)
from .kinds import Denoiser, Imputer, Recommender, Restorer, SparseError, SparseNetwork

OWN_TYPES = (Denoiser, DropoutNetwork, Imputer, PaddedImages, Recommender, Restorer)
OWN_TYPES += (SparseError, SparseNetwork)


def through_pickle(estimator, path):
    return pickle.loads(pickle.dumps(estimator))


def through_joblib(estimator, path):
    joblib.dump(estimator, path)
    return joblib.load(path)


def through_memory_mapping(estimator, path):
    joblib.dump(estimator, path)
    return joblib.load(path, mmap_mode="r")


def through_skops(estimator, path):
    skops.io.dump(estimator, path)
    return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))


def through_file(estimator, path):
    skae.save(estimator, path, training=True)
    return skae.load(path, types=OWN_TYPES)


def through_lean_file(estimator, path):
    skae.save(estimator, path)
    return skae.load(path, types=OWN_TYPES)


def through_copy(estimator, path):
    return copy.copy(estimator)


def through_deepcopy(estimator, path):
    return copy.deepcopy(estimator)


WAYS = [
    through_pickle,
    through_joblib,
    through_memory_mapping,
    through_skops,
    through_file,
    through_copy,
    through_deepcopy,
]


@in_turn("through", [*WAYS, through_lean_file])
def test_gives_the_same(estimator, through, X, tmp_path):
    model, expected = shared_fit(estimator, X, 10)
    before = frozen(model)

    stored = through(model, tmp_path / "model")

    assert_equal_outputs(outputs(stored, X[:10]), expected)
    assert_unchanged(model, before)


@in_turn("through", WAYS, "partial_fit")
def test_trains_on_the_same(estimator, through, X, tmp_path):
    model = new(estimator).fit(X)
    stored = through(model, tmp_path / "model")

    stored.partial_fit(X)

    assert_same_outputs(stored, model.partial_fit(X), X[:10])


@in_turn("through", [through_copy, through_deepcopy], "partial_fit")
def test_copy_trains_on_its_own(estimator, through, X):
    model = new(estimator).fit(X)
    before = pickle.loads(pickle.dumps(model))

    through(model, None).partial_fit(10 * X)

    assert_same_outputs(model, before, X[:10])


@over_all()
def test_file_keeps_all_that_is_known(estimator, X, tmp_path):
    model, _ = shared_fit(estimator, X, 10)

    stored = through_file(model, tmp_path / "model.skae")

    assert_unchanged(stored, frozen(model))
    assert repr(stored) == repr(model)


@over_all("partial_fit", names=["default", "warm_start"])
def test_lean_file_does_not_go_on(estimator, X, tmp_path):
    stored = through_lean_file(shared_fit(estimator, X, 10)[0], tmp_path / "model.skae")
    again = pickle.loads(pickle.dumps(stored))

    for each in (stored, again):
        with pytest.raises(ValueError, match=r"skae\.save\(estimator, path, training=True\)"):
            each.partial_fit(X)
    assert_same_outputs(again, stored, X[:10])


@over_all()
def test_pickle_keeps_the_parameters(estimator, X):
    model, _ = shared_fit(estimator, X, 10)

    stored = pickle.loads(pickle.dumps(model))

    assert repr(stored) == repr(model)


@over_all(names=["default", "early_stopping"])
def test_equal_fits_have_equal_pickles(estimator, X):
    model, _ = shared_fit(estimator, X, 10)

    again = new(estimator).fit(X[::-1] + 1).fit(X)

    assert pickle.dumps(again) == pickle.dumps(model)
