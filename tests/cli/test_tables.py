"""A model fitted to a table, and scores and codes of others, from the command."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skae
from skae.cli import _tables

FIT = ("--set", "max_epochs=1", "--set", "n_components=2")


@pytest.fixture(autouse=True)
def _forget_models():
    _tables._model_with.cache_clear()


@pytest.fixture
def X(tmp_path, monkeypatch):
    """A table, which is in the present folder in three formats."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 2)) @ rng.normal(size=(2, 4)) + 0.1 * rng.normal(size=(120, 4))
    table = pa.table({f"x{j}": column for j, column in enumerate(X.T)})
    csv.write_csv(table, "rows.csv")
    parquet.write_table(table, "rows.parquet", row_group_size=50)
    np.save("rows.npy", X)
    return X


@pytest.fixture
def autoencoder(X):
    """A file of an autoencoder that is fitted to an array."""
    skae.save(skae.Autoencoder(2, max_epochs=1, random_state=0).fit(X), "array.skae")
    return "array.skae"


def read(path):
    """Return the columns of a table, by their names; those of an array by their numbers."""
    if str(path).endswith(".npy"):
        return dict(enumerate(np.atleast_2d(np.load(path).T)))
    table = (csv.read_csv if str(path).endswith(".csv") else parquet.read_table)(path)
    return {name: table.column(name).to_numpy() for name in table.column_names}


@pytest.mark.parametrize("suffix", ["csv", "npy", "parquet"])
def test_a_table_is_fitted_and_scored(X, run, facts, suffix):
    status, [line], errors = run("fit", f"rows.{suffix}", "-o", "my.skae", *FIT)
    assert (status, errors) == (0, [])
    assert line.endswith(" bytes, Autoencoder fitted to 120 rows of 4 features")
    model = skae.load("my.skae")
    assert (model.max_epochs, model.random_state) == (1, 0)

    X = X if suffix == "npy" else csv.read_csv("rows.csv").to_pandas()
    [fact] = facts("score", f"rows.{suffix}", "-m", "my.skae")
    assert (fact["output"], fact["n_rows"]) == (f"rows.scores.{suffix}", 120)
    [scores] = read(fact["output"]).values()
    np.testing.assert_allclose(scores, model.score_samples(X), rtol=1e-6)

    assert run("transform", f"rows.{suffix}", "-m", "my.skae", "-o", "codes.npy")[0] == 0
    np.testing.assert_allclose(np.load("codes.npy"), model.transform(X), rtol=1e-5, atol=1e-6)


def test_detectors_label_rows_and_choose_columns_by_name(X, run, facts):
    arguments = ["--estimator", "AutoencoderOutlierDetector", "--set", "n_estimators=2"]
    assert run("fit", "rows.parquet", "-o", "my.skae", *arguments, "--columns", "x2", "x0")[0] == 0
    model = skae.load("my.skae")
    assert list(model.feature_names_in_) == ["x2", "x0"]

    table = parquet.read_table("rows.parquet").append_column("id", [["text"] * 120])
    parquet.write_table(table, "more.parquet")
    [fact] = facts("score", "more.parquet", "-m", "my.skae", "-o", "out.csv")
    found, frame = read("out.csv"), table.select(["x2", "x0"]).to_pandas()
    np.testing.assert_allclose(found["score"], model.score_samples(frame))
    np.testing.assert_array_equal(found["label"], model.predict(frame))
    assert fact["n_outliers"] == (found["label"] == -1).sum()


def test_pipelines_and_folders(X, run):
    model = make_pipeline(StandardScaler(), skae.Autoencoder(2, max_epochs=1, random_state=0))
    skae.save(model.fit(X), "my.skae")
    dataset = pa.Table.from_arrays(list(X.T), list("abcd"))
    parquet.write_to_dataset(dataset, "folder")

    assert run("transform", "folder", "rows.csv", "-m", "my.skae", "-o", "out/")[0] == 0
    found = read("out/folder.codes.parquet")
    assert list(found) == ["autoencoder0", "autoencoder1"]
    np.testing.assert_allclose(np.stack(list(found.values()), 1), model.transform(X), rtol=1e-5)
    assert list(read("out/rows.codes.csv")) == list(found)


def test_what_is_there_is_left_alone(X, run, failure, autoencoder):
    message = failure("score", "rows.npy", "-m", autoencoder, "-o", "rows.npy")
    assert message == "rows.npy: rows.npy is the input, which is never overwritten"
    np.save("scores.npy", X)
    command = ("score", "rows.npy", "-m", autoencoder, "-o", "scores.npy")
    assert "--force overwrites it" in failure(*command)
    assert "skipped" in run(*command, "--skip-existing")[1][0]
    assert run(*command, "--force")[0] == 0
    assert np.load("scores.npy").shape == (120,)
    message = failure("fit", "rows.npy", "-o", autoencoder)
    assert message == "array.skae is there already; --force overwrites it"
    message = failure("fit", "rows.npy", "-o", "rows.npy", "--force")
    assert message == "rows.npy is an input, which is never overwritten"
    np.testing.assert_array_equal(np.load("rows.npy"), X)


def test_what_is_wrong_with_a_table(X, run, failure, autoencoder, tmp_path):
    def message(name):
        text = failure("score", name, "-m", autoencoder, "-o", "out.npy")
        assert not (tmp_path / "out.npy").exists()
        return text.removeprefix(f"{name}: ")

    X[70, 1] = np.nan
    parquet.write_table(pa.Table.from_arrays(list(X.T), list("abcd")), "n", row_group_size=50)
    (tmp_path / "n").rename(tmp_path / "nan.parquet")
    assert message("nan.parquet").startswith("rows 50 to 99: Input X contains NaN")
    np.save("narrow.npy", X[:, :3])
    assert message("narrow.npy").startswith("rows 0 to 119: X has 3 features, but Autoencoder")
    (tmp_path / "bad.npy").write_bytes(b"no array")
    assert message("bad.npy").endswith("it holds no array of numbers, or is damaged")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no table")
    assert "'bad.parquet' can't be read as parquet" in message("bad.parquet")
    csv.write_csv(pa.table({"a": ["text"]}), "text.csv")
    assert message("text.csv").startswith("column 'a' holds string, but rows() reads numbers")
    assert message("missing.npy") == "No such file or directory"
    # One bad table never stops the others.
    status, out, errors = run("score", "bad.npy", "rows.npy", "-m", autoencoder, "-o", "out/")
    assert (status, len(out), len(errors)) == (1, 1, 1)


def test_what_is_wrong_with_options(X, run, failure, autoencoder):
    skae.save(StandardScaler().fit(X), "my.skae")
    message = failure("score", "rows.npy", "-m", "my.skae")
    assert message == "my.skae: a fitted StandardScaler has no method score_samples"
    assert "it is no model file" in failure("score", "rows.npy", "-m", "rows.npy")
    message = failure("score", "rows.npy", "-m", autoencoder, "-o", "out.xlsx")
    assert message == "out.xlsx: its suffix must say the format, one of .csv, .npy, .parquet"
    message = failure("fit", "rows.npy", "-o", "x.skae", "--set", "n_componets=2")
    assert message.endswith("did you mean 'n_components'?")
    assert "'n_components' parameter" in failure(
        "fit", "rows.npy", "-o", "x.skae", "--set", "n_components=many"
    )
    for wrong in (["-"], ["rows.npy", "rows.csv"], ["rows.npy", "--set", "8"]):
        with pytest.raises(SystemExit) as caught:
            run("fit", *wrong, "-o", "x.skae")
        assert caught.value.code == 2
