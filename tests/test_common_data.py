"""All kinds of containers give the same as a dense array in memory."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from .estimators import (
    OF_BATCHES,
    assert_equal_outputs,
    assert_same_outputs,
    in_turn,
    new,
    outputs,
    over_all,
    over_sparse,
    over_transformers,
    shared_fit,
)


@pytest.fixture
def X(X):
    return np.where(np.random.default_rng(1).random(X.shape) < 0.5, X, 0.0)


def assert_equal_to_dense(estimator, container, X):
    _, expected = shared_fit(estimator, X)

    model = new(estimator).fit(container)

    assert_equal_outputs(outputs(model, container), expected)


@over_sparse(names=["default"])
def test_csr_matrix(estimator, X):
    assert_equal_to_dense(estimator, sparse.csr_matrix(X), X)


@over_sparse(but=OF_BATCHES)
def test_csr_array(estimator, X):
    assert_equal_to_dense(estimator, sparse.csr_array(X), X)


@over_sparse(names=["default"])
def test_csr_in_the_unit_interval(estimator, X):
    X = np.clip(X, 0, 1)

    assert_equal_to_dense(estimator, sparse.csr_array(X), X)


@over_sparse(names=["default"])
@pytest.mark.parametrize("container", [sparse.csc_array, sparse.coo_array])
def test_other_sparse_formats(estimator, container, X):
    assert_equal_to_dense(estimator, container(X), X)


@over_sparse("score_samples", "recommend", names=["default"])
@pytest.mark.parametrize("dtype", ["float16", ">f8"])
def test_csr_of_dtypes_that_scipy_does_not_know(estimator, dtype, X):
    csr = sparse.csr_array(X.astype(dtype).astype(float))
    foreign = sparse.csr_array((csr.data.astype(dtype), csr.indices, csr.indptr), shape=csr.shape)

    assert_equal_to_dense(estimator, foreign, csr.toarray())


@over_sparse("partial_fit", names=["default"])
def test_csr_in_partial_fit(estimator, X):
    dense = new(estimator).partial_fit(X).partial_fit(X[:20])

    model = new(estimator).partial_fit(sparse.csr_array(X)).partial_fit(sparse.csr_array(X[:20]))

    assert_same_outputs(model, dense, X)


@in_turn("dtype", [np.float64, np.float32], but=OF_BATCHES)
def test_memory_mapped(estimator, dtype, X, tmp_path):
    np.save(tmp_path / "X.npy", X.astype(dtype))

    assert_equal_to_dense(estimator, np.load(tmp_path / "X.npy", mmap_mode="r"), X.astype(dtype))


@pytest.mark.parametrize(
    "change", [np.asfortranarray, lambda X: X[::-1][::-1], lambda X: X.tolist()]
)
@over_all(names=["default", "conv"])
def test_layouts_in_memory(estimator, change, X):
    assert_equal_to_dense(estimator, change(X), X)


@over_all(names=["default"])
def test_read_only(estimator, X):
    locked = X.copy()
    locked.flags.writeable = False

    assert_equal_to_dense(estimator, locked, X)


@over_all(names=["default"])
def test_integers_equal_floats(estimator):
    X = np.random.default_rng(0).integers(0, 9, size=(40, 6))

    assert_equal_to_dense(estimator, X, X.astype(float))


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
@over_all(names=["default"])
def test_data_frames(estimator, frame, X):
    columns = {f"feature {i}": column for i, column in enumerate(X.T)}
    names = list(columns)

    model = new(estimator).fit(frame(columns))

    assert list(model.feature_names_in_) == names
    _, expected = shared_fit(estimator, X)
    assert_equal_outputs(outputs(model, frame(columns)), expected)


@pytest.mark.parametrize(("library", "frame"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
@over_transformers(names=["default"])
def test_data_frames_come_back_from_transform(estimator, library, frame, X):
    model = new(estimator).set_output(transform=library).fit(X)

    code = model.transform(X)

    assert isinstance(code, frame)
    assert list(code.columns) == list(model.get_feature_names_out())
    np.testing.assert_array_equal(code.to_numpy(), shared_fit(estimator, X)[1]["transform"])


@over_transformers()
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_dtype_of_the_code_is_that_of_the_data(estimator, dtype, X):
    model, _ = shared_fit(estimator, X, 10)

    assert model.transform(X.astype(dtype)).dtype == dtype
