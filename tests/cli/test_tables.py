"""A model fitted to a table, and scores and codes of others, from the command."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skae
from skae.cli import _tables
from skae.datasets._arrow_blocks import dataset_at

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


@pytest.fixture
def mixed(X):
    """A table with text, truth values and gaps, in CSV and Parquet."""
    rng = np.random.default_rng(0)
    size = rng.normal(size=120)
    table = pa.table(
        {
            "size": pa.array(size, mask=np.arange(120) % 7 == 3),
            "ok": size > 0,
            "colour": pa.array(rng.choice(["red", "blue"], 120), mask=np.arange(120) % 9 == 4),
        }
    )
    csv.write_csv(table, "mixed.csv")
    parquet.write_table(table, "mixed.parquet", row_group_size=50)
    return table


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_frames_are_fitted_and_scored(mixed, run, facts, suffix):
    name = f"mixed.{suffix}"
    status, [line], errors = run("fit", name, "-o", "my.skae", *FIT)
    assert (status, errors) == (0, [])
    assert line.endswith("Autoencoder fitted to 120 rows of 3 features")
    model = skae.load("my.skae")
    kinds = {column.name: column.kind for column in model.schema_}
    assert kinds == {"size": "number", "ok": "category", "colour": "category"}

    more = mixed.append_column("id", [["text"] * 120]).select(["id", "colour", "ok", "size"])
    parquet.write_table(more, "more.parquet", row_group_size=50)
    [fact] = facts("score", "more.parquet", "-m", "my.skae")
    [scores] = read(fact["output"]).values()
    np.testing.assert_allclose(scores, model.score_samples(mixed), rtol=1e-6)


def test_gaps_of_numbers_and_of_text_are_filled(mixed, run):
    fit = ("--estimator", "AutoencoderImputer", "--set", "max_epochs=0")
    assert run("fit", "mixed.csv", "-o", "my.skae", *fit)[0] == 0

    assert run("transform", "mixed.csv", "-m", "my.skae", "-o", "filled.parquet")[0] == 0

    filled = parquet.read_table("filled.parquet")
    assert filled.column_names == mixed.column_names
    assert sum(column.null_count for column in filled.columns) == 0
    is_known = mixed["colour"].is_valid().to_numpy()
    assert set(filled["colour"].to_pylist()) == {"red", "blue"}
    for name in ("size", "colour"):
        known = mixed[name].filter(mixed[name].is_valid())
        assert filled[name].filter(mixed[name].is_valid()).equals(known), name
    assert not is_known.all()


@pytest.mark.parametrize("file", ["mixed.csv", "rows.npy"])
def test_new_rows_are_drawn(mixed, run, file):
    fit = ("--estimator", "VariationalAutoencoder", "--set", "max_epochs=1")
    assert run("fit", file, "-o", "my.skae", *fit)[0] == 0
    model = skae.load("my.skae")

    status, [line], errors = run("sample", "my.skae", "-n", "30", "-o", "new.parquet")
    assert (status, line, errors) == (0, "new.parquet: 30 new rows", [])
    new, expected = parquet.read_table("new.parquet"), model.sample(30, random_state=0)
    if file == "mixed.csv":
        assert new.equals(expected)
    else:
        assert new.column_names == ["x0", "x1", "x2", "x3"]
        np.testing.assert_array_equal(new.to_pandas(), expected)
    assert run("sample", "my.skae", "-n", "30", "-o", "other.csv", "--seed", "1")[0] == 0
    assert read("other.csv")["size" if file == "mixed.csv" else "x0"][0] != new.column(0)[0]


def test_what_is_wrong_with_new_rows(mixed, run, failure, autoencoder):
    message = failure("sample", autoencoder, "-o", "new.csv")
    assert message == "array.skae: a fitted Autoencoder has no method sample"
    fit = ("--estimator", "VariationalAutoencoder", "--set", "max_epochs=1")
    assert run("fit", "mixed.csv", "-o", "my.skae", *fit)[0] == 0
    message = failure("sample", "my.skae", "-o", "new.npy")
    assert message == "my.skae: NPY holds numbers alone: write this table as .csv or .parquet"
    message = failure("sample", "my.skae", "-o", "new.xlsx")
    assert message == "new.xlsx: its suffix must say the format, one of .csv, .npy, .parquet"
    assert "--force overwrites it" in failure("sample", "my.skae", "-o", "mixed.csv")


def test_types_in_csv_are_those_of_all_rows(X, run, tmp_path):
    late = [f"{i},\n" for i in range(200_000)] + ["0.5,red\n", "0.5,blue\n"]
    (tmp_path / "late.csv").write_text("a,b\n" + "".join(late))

    dataset = dataset_at(tmp_path / "late.csv")

    assert [str(kind) for kind in dataset.schema.types] == ["double", "string"]


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
