"""Sources of rows: what they read, and that estimators take them like the matrix that they are."""

import pickle

import dask.array as da
import h5py
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
import torch
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from skae import (
    Autoencoder,
    AutoencoderDenoiser,
    AutoencoderOutlierDetector,
    VariationalAutoencoder,
)
from skae.datasets import RowSource, rows
from skae.tables import LazyTable
from skae.training import ArrayRows
from skae.training._batch_iterator import orders

NAMES = [f"x{i}" for i in range(6)]


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 2)) @ rng.normal(size=(2, 6)) + 0.1 * rng.normal(size=(500, 6))
    return (X[X[:, 0].argsort()] * 3 + 7).astype(np.float32)


def written(folder, X, n_files=3, **changes):
    """Write a table as files of small row groups, and return the folder."""
    folder.mkdir(exist_ok=True)
    for i, part in enumerate(np.array_split(X, n_files)):
        table = pa.table({name: part[:, j] for j, name in enumerate(NAMES)} | changes)
        pq.write_table(table, folder / f"{i}.parquet", row_group_size=40)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory, X):
    return written(tmp_path_factory.mktemp("parquet") / "table", X)


def sources(X, tmp_path, folder):
    np.save(tmp_path / "X.npy", X)
    file = h5py.File(tmp_path / "X.h5", "w")
    return {
        "parquet": rows(folder, buffer_rows=100),
        "dataset": rows(pyarrow.dataset.dataset(folder), buffer_rows=100),
        "npy": rows(tmp_path / "X.npy", buffer_rows=100),
        "memmap": rows(np.load(tmp_path / "X.npy", mmap_mode="r"), buffer_rows=100),
        "hdf5": rows(file.create_dataset("X", data=X, chunks=(30, 6)), buffer_rows=100),
        "dask": rows(da.from_array(X, chunks=(70, 3)), buffer_rows=100),
        "csr": rows(sparse.csr_array(X), buffer_rows=100),
    }


def test_a_source_is_the_matrix_that_it_reads(X, tmp_path, folder):
    positions = np.array([499, 0, 250, 251, 0])
    for name, source in sources(X, tmp_path, folder).items():
        assert source.shape == X.shape, name
        assert source.n_blocks > 1, name
        np.testing.assert_array_equal(np.concatenate(list(source.blocks())), X, name)
        np.testing.assert_array_equal(source[35:130], X[35:130], name)
        np.testing.assert_array_equal(source[::7], X[::7], name)
        np.testing.assert_array_equal(source[positions], X[positions], name)
        np.testing.assert_array_equal(source[X[:, 1] > 7], X[X[:, 1] > 7], name)
        np.testing.assert_array_equal(source[:, 4], X[:, 4], name)


def test_no_more_blocks_are_kept_than_the_buffer_holds(folder):
    source = rows(folder, buffer_rows=100)
    assert source.blocks_at_once == 3
    source[:]
    assert len(source._cache) == source.blocks_at_once + 1


def test_the_summary_of_blocks_is_that_of_the_matrix(X, folder):
    summary = rows(folder).summary
    np.testing.assert_allclose(summary.mean, X.mean(0, dtype=float))
    assert summary.squares == pytest.approx(np.square(X - X.mean(0, dtype=float)).sum())
    assert (summary.low, summary.high) == (X.min(), X.max())
    pixels = rows(np.array([[0.0, 1, 0], [1, 1, 0.5]]))
    assert (pixels.summary.n_low, pixels.summary.n_high) == (2, 3)


def test_limits_of_a_table_come_from_the_pass_that_was_made(X, folder, monkeypatch):
    source = rows(folder)
    limits = source.summary.low, source.summary.high
    monkeypatch.setattr(source, "_block", None)
    table = LazyTable(source)
    assert (table.min(), table.max()) == limits


def test_every_row_is_visited_once_and_blocks_of_one_group_are_mixed(X):
    source = rows(X, buffer_rows=120)
    source._ends = np.arange(50, 501, 50)
    data = ArrayRows(source, *_float32())
    groups = list(orders(data, torch.Generator().manual_seed(0)))
    assert sorted(np.concatenate(groups)) == list(range(500))
    assert [len(group) for group in groups] == [100] * 5
    assert all(len({int(i) // 50 for i in group}) == 2 for group in groups)
    some = data.subset(torch.arange(0, 500, 3))
    chosen = np.concatenate(list(orders(some, torch.Generator().manual_seed(0))))
    assert sorted(chosen) == list(range(len(some)))


def _float32():
    return torch.float32, torch.device("cpu")


@pytest.mark.parametrize(
    "estimator",
    [
        Autoencoder(2, max_epochs=20, random_state=0),
        Autoencoder(2, max_epochs=20, early_stopping=True, random_state=0),
        AutoencoderOutlierDetector(random_state=0),
        VariationalAutoencoder(2, max_epochs=3, random_state=0),
        AutoencoderDenoiser(max_epochs=0, random_state=0),
    ],
    ids=repr,
)
def test_estimators_fit_sources_as_they_fit_the_matrix(estimator, X, folder):
    source = rows(folder)
    estimator.fit(source)
    assert list(estimator.feature_names_in_) == NAMES
    frame = pd.DataFrame(X, columns=NAMES)
    if hasattr(estimator, "score_samples"):
        of_source = estimator.score_samples(source)
        np.testing.assert_array_equal(of_source, estimator.score_samples(frame))
        of_matrix = type(estimator)(**estimator.get_params()).fit(frame).score_samples(frame)
        assert abs(np.corrcoef(of_source, of_matrix)[0, 1]) > 0.8
    if hasattr(estimator, "transform"):
        np.testing.assert_array_equal(estimator.transform(source), estimator.transform(frame))


def test_a_pass_of_partial_fit_reads_blocks_in_random_order(X, folder):
    model = Autoencoder(2, max_epochs=1, random_state=0)
    frame = pd.DataFrame(X, columns=NAMES)
    once = model.partial_fit(rows(folder)).score(frame)
    assert once == pytest.approx(
        Autoencoder(2, max_epochs=1, random_state=0).fit(frame).score(frame), rel=0.2
    )


def test_results_are_written_where_one_wants_them(X, tmp_path):
    model = Autoencoder(2, max_epochs=1, random_state=0).fit(X)
    codes = np.lib.format.open_memmap(tmp_path / "codes.npy", "w+", np.float32, (500, 2))
    assert model.transform(rows(X), out=codes) is codes
    np.testing.assert_array_equal(np.load(tmp_path / "codes.npy"), model.transform(X))
    with pytest.raises(ValueError, match=r"out has the shape \(3, 2\).* the shape \(500, 2\)"):
        model.transform(X, out=np.empty((3, 2)))
    with pytest.raises(TypeError, match="out must be an array of NumPy, got list"):
        model.score_samples(X, out=[])


def test_a_scaler_is_applied_as_blocks_are_read(X, folder):
    source, scaler = rows(folder), StandardScaler()
    for block in source.blocks():
        scaler.partial_fit(block)
    scaled = source.map(scaler)
    assert scaled.feature_names is None or scaled.feature_names == NAMES
    np.testing.assert_allclose(scaled[:], scaler.transform(X), rtol=1e-6)
    assert source.map(lambda block: block[:, :2]).shape == (500, 2)
    with pytest.raises(ValueError, match="must return an array with the 1 rows"):
        source.map(lambda block: block[:0])
    with pytest.raises(TypeError, match="must be callable or have a method transform"):
        source.map(3)


def test_a_source_can_be_pickled_after_use(folder):
    source = rows(folder)
    source[:]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(source))[:], source[:])


def test_a_bad_value_is_found_where_it_is(X, tmp_path):
    bad = X.copy()
    bad[421, 3] = np.nan
    source = rows(written(tmp_path / "bad", bad))
    message = r"X has nan in row 7 of block 12, column 'x3' \(row 421 of all\)"
    with pytest.raises(ValueError, match=message):
        Autoencoder(2).fit(source)
    AutoencoderOutlierDetector(random_state=0).fit(source)  # which takes missing cells
    bad[421, 3] = np.inf
    with pytest.raises(ValueError, match="X has inf in row 421 of block 0, column 3"):
        AutoencoderOutlierDetector().fit(rows(bad))


def test_missing_values_of_files_are_nan(tmp_path):
    (tmp_path / "gaps").mkdir()
    pq.write_table(pa.table({"a": [1.0, None], "b": [1.0, 2.0]}), tmp_path / "gaps" / "0.parquet")
    assert np.isnan(rows(tmp_path / "gaps")[:][1, 0])
    pq.write_table(pa.table({"a": [1, None], "b": [1, 2]}), tmp_path / "gaps" / "0.parquet")
    with pytest.raises(ValueError, match="column 'a' holds int64 and has 1 missing values"):
        rows(tmp_path / "gaps")[:]


def test_other_columns_than_those_of_the_fit_are_refused(X, folder):
    model = Autoencoder(2, max_epochs=0).fit(rows(folder))
    with pytest.raises(ValueError, match="feature names should match"):
        model.transform(rows(folder, columns=NAMES[::-1]))
    with pytest.raises(ValueError, match="feature names should match"):
        model.transform(rows(folder, columns=NAMES[:5]))
    with pytest.raises(ValueError, match=r"columns=\['y'\] are not in the data"):
        rows(folder, columns=["y"])


def test_a_truncated_file_is_named(X, tmp_path):
    path = written(tmp_path / "cut", X) / "2.parquet"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"2\.parquet"):
        rows(tmp_path / "cut")[:]


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (pl.LazyFrame({"a": [1.0]}), TypeError, "sink_parquet"),
        (pd.DataFrame({"a": [1.0]}), TypeError, "in memory already"),
        (np.zeros(3), TypeError, "two-dimensional"),
        (np.array([["a"]]), TypeError, "holds <U1"),
        (np.zeros((0, 3)), ValueError, "at least one row"),
        (sparse.coo_array(np.eye(2)), TypeError, "tocsr"),
        ("no/such/folder", FileNotFoundError, "neither a file nor a folder"),
    ],
)
def test_what_is_no_source_is_refused_with_advice(x, error, message):
    with pytest.raises(error, match=message):
        rows(x)


def test_empty_folders_and_columns_of_text_are_refused(X, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no rows in"):
        rows(tmp_path / "empty")
    folder = written(tmp_path / "text", X[:10], 1, city=["Ulm"] * 10)
    with pytest.raises(TypeError, match="column 'city' holds string"):
        rows(folder)
    assert rows(folder, columns=NAMES[:2]).shape == (10, 2)
    with pytest.raises(ValueError, match="buffer_rows=0"):
        rows(folder, buffer_rows=0)


@pytest.mark.parametrize("estimator", [Autoencoder(2), VariationalAutoencoder(2)], ids=repr)
def test_arrays_that_are_not_in_memory_are_not_loaded_silently(estimator, X, tmp_path):
    with pytest.raises(TypeError, match=r"Array of dask.*skae.datasets.rows\(X\)"):
        estimator.fit(da.from_array(X))
    with h5py.File(tmp_path / "X.h5", "w") as file, pytest.raises(TypeError, match="of h5py"):
        estimator.fit(file.create_dataset("X", data=X))
    with pytest.raises(TypeError, match="collect"):
        estimator.fit(pl.LazyFrame({"a": [1.0]}))


def test_rows_makes_row_sources(X):
    assert isinstance(rows(X), RowSource)
    with pytest.raises(TypeError, match="already"):
        rows(rows(X))
