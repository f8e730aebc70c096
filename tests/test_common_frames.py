"""Frames with columns of all kinds, in every estimator that takes them."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import skae
from skae import (
    AdversarialAutoencoder,
    Autoencoder,
    AutoencoderImputer,
    AutoencoderOutlierDetector,
    VariationalAutoencoder,
)
from skae.tables import framed

from .estimators import DropoutNetwork, outputs
from .everything import HOLE, N, arrow_table, pandas_frame, polars_frame

FEW = {"max_epochs": 2, "random_state": 0}
AUTOENCODERS = {
    "default": Autoencoder(2, **FEW),
    "float64": Autoencoder(2, dtype="float64", **FEW),
    "own_module": Autoencoder(2, module=DropoutNetwork, **FEW),
    "early_stopping": Autoencoder(2, early_stopping=True, **FEW),
    "penalised": Autoencoder(2, noise="swap", sparsity="l1", contraction=0.1, **FEW),
    "huber": Autoencoder(2, loss="huber", criterion__delta=0.5, **FEW),
    "chosen_number": Autoencoder("auto", **FEW),
    "lbfgs": Autoencoder(2, optimizer="lbfgs", lr=1.0, **FEW),
}
DETECTORS = {
    "detector": AutoencoderOutlierDetector(n_estimators=2, random_state=0),
    "detector_of_model": AutoencoderOutlierDetector(Autoencoder(1, **FEW), n_estimators=2),
}
GENERATORS = {
    "variational": VariationalAutoencoder(2, hidden_layer_sizes=(8,), **FEW),
    "adversarial": AdversarialAutoencoder(2, hidden_layer_sizes=(8,), **FEW),
}
IMPUTER = {"imputer": AutoencoderImputer(n_estimators=2, hidden_layer_sizes=(8,), **FEW)}
EVERYTHING = AUTOENCODERS | DETECTORS | GENERATORS | IMPUTER
# What is said of a frame before anything is trained, no other configuration can change.
KINDS = {name: EVERYTHING[name] for name in ("default", *DETECTORS, *GENERATORS, *IMPUTER)}


def over(estimators):
    return pytest.mark.parametrize("estimator", estimators.values(), ids=estimators.keys())


def table(n=60):
    """Return a frame with a few columns of each kind, some of them with missing cells."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "size": rng.normal(3, 2, n),
            "count": rng.integers(0, 9, n),
            "colour": rng.choice(["red", "green", "blue"], n),
            "ok": rng.random(n) < 0.4,
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 99, n), "D"),
        }
    )
    frame.loc[frame.index % 6 == 1, "size"] = np.nan
    frame.loc[frame.index % 7 == 2, "colour"] = None
    return frame


def fitted(estimator):
    """Return a fit to the table, to tests that change nothing."""
    if id(estimator) not in _FITS:
        _FITS[id(estimator)] = clone(estimator).set_params(random_state=0).fit(table())
    return _FITS[id(estimator)]


_FITS = {}


def types(frame):
    """Return the dtypes of a frame of any library."""
    return frame.schema if hasattr(frame, "schema") else frame.dtypes.astype(str).to_dict()


def restored(estimator, X):
    """Return what an estimator makes of rows, in their form."""
    return (estimator.reconstruct if hasattr(estimator, "reconstruct") else estimator.transform)(X)


# ---------------------------------------------------------------- every dtype


@pytest.mark.parametrize("make", [pandas_frame, polars_frame, arrow_table])
@over({name: EVERYTHING[name] for name in ("default", "variational", "adversarial", "imputer")})
def test_a_column_of_every_dtype_comes_back(estimator, make):
    X = make()

    model = clone(estimator).fit(X)
    rows = restored(model, X)

    assert X.shape[1] >= 40
    assert type(rows) is type(X)
    assert types(rows) == types(X)
    assert len(model.schema_) == X.shape[1]


@pytest.mark.parametrize("make", [pandas_frame, polars_frame, arrow_table])
def test_a_column_of_every_dtype_has_errors(make):
    X = make()

    errors = Autoencoder(2, **FEW).fit(X).feature_errors(X)

    assert errors.shape == (N, X.shape[1])
    missing = np.array([framed(X)[c].isna() for c in framed(X)]).T if make is pandas_frame else None
    if missing is not None:
        assert missing[HOLE].any()
        assert (errors[missing] == 0).all()


@pytest.mark.parametrize("make", [pandas_frame, polars_frame, arrow_table])
def test_a_column_of_every_dtype_is_explained(make):
    X = make()
    detector = clone(DETECTORS["detector"]).set_params(contamination=0.1).fit(X)

    table = detector.explain(X, n_features=50)

    assert set(table["feature"]) <= set(detector.feature_names_in_)
    assert types(detector.expected_values(X)) == types(X)


@pytest.mark.parametrize("make", [pandas_frame, polars_frame])
def test_samples_have_a_column_of_every_dtype(make):
    X = make()

    assert types(VariationalAutoencoder(2, **FEW).fit(X).sample(5)) == types(X)


# ---------------------------------------------------------------- what estimators promise


@over(EVERYTHING)
def test_libraries_give_the_same(estimator):
    X = table()
    expected = outputs(fitted(estimator), X)

    for other in (pl.from_pandas(X), pa.Table.from_pandas(X, preserve_index=False)):
        twin = clone(estimator).set_params(random_state=0).fit(other)
        for name, value in outputs(twin, other).items():
            if isinstance(value, np.ndarray):
                np.testing.assert_array_equal(value, expected[name], err_msg=name)


def through_file(model, path, training):
    skae.save(model, path, training=training)
    return skae.load(path, types=[DropoutNetwork])


@over(EVERYTHING)
def test_pickles_files_and_clones_give_the_same(estimator, tmp_path):
    X = table()
    model = fitted(estimator)
    twins = [pickle.loads(pickle.dumps(model)), clone(model).fit(X)]
    twins += [through_file(model, tmp_path / "model", training) for training in (False, True)]

    for twin in twins:
        for name, value in outputs(twin, X).items():
            pd.testing.assert_frame_equal(
                pd.DataFrame(value), pd.DataFrame(outputs(model, X)[name])
            )


@over(KINDS)
def test_fitting_changes_nothing(estimator):
    X, before = table(), table()

    outputs(clone(estimator).fit(X), X)

    pd.testing.assert_frame_equal(X, before)


@over(KINDS)
def test_rows_do_not_depend_on_their_neighbours(estimator):
    X = table()
    model = fitted(estimator)

    some = outputs(model, X.iloc[[5]])

    for name, value in outputs(model, X).items():
        if name != "predict":
            pd.testing.assert_frame_equal(
                pd.DataFrame(some[name]).reset_index(drop=True),
                pd.DataFrame(value).iloc[[5]].reset_index(drop=True),
            )


@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
@over(KINDS)
def test_columns_that_are_new_missing_or_elsewhere(estimator):
    X = table()
    model = fitted(estimator)
    method = model.score_samples if hasattr(model, "score_samples") else model.transform

    for other in (X[["count", "size", "colour", "ok", "day"]], X[["size"]], X.assign(new=1.0)):
        with pytest.raises(ValueError, match="feature names should match"):
            method(other)
    with pytest.raises(ValueError, match="X must be a data frame, as in fit"):
        method(np.zeros((3, 5)))


@over(KINDS)
def test_kinds_that_a_user_wants(estimator):
    X, model = table(), clone(estimator)
    part = model if "column_kinds" in model.get_params(deep=False) else None
    part = model.estimator if getattr(model, "estimator", None) is not None else part

    part.set_params(column_kinds={"count": "category"})
    model.fit(X)

    assert model.schema_[1].kind == "category"
    assert model.schema_[1].categories == list(range(9))
    part.set_params(column_kinds={"counts": "category"})
    with pytest.raises(ValueError, match=r"column_kinds names a column 'counts'.*mean 'count'"):
        clone(model).fit(X)


@over(KINDS)
@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([f"id {i}" for i in range(60)], "'new' has 60 different values in 60 rows"),
        ([[1, 2]] * 60, "'new' (holds|must hold)"),
        ([1, "a"] * 30, r"'new' holds Python objects of the types \['int', 'str'\]"),
    ],
    ids=["names", "lists", "mixed"],
)
def test_columns_that_are_of_no_use(estimator, column, message):
    X = table().assign(new=pd.Series(column, dtype=object))

    with pytest.raises(ValueError, match=f"column {message}"):
        clone(estimator).fit(X)


@over(KINDS)
def test_masked_arrays(estimator):
    X = np.random.default_rng(0).normal(size=(40, 4))
    masked = np.ma.array(X, mask=np.abs(X) > 1.5)
    model, filled = clone(estimator), masked.filled(np.nan)

    if estimator.__sklearn_tags__().input_tags.allow_nan:
        for name, value in outputs(clone(model).fit(masked), masked).items():
            expected = outputs(clone(model).fit(filled), filled)[name]
            np.testing.assert_array_equal(value, expected)
    else:
        with pytest.raises(ValueError, match=r"X is a masked array with .* masked cells"):
            model.fit(masked)


@over(KINDS)
def test_schema_is_there_after_a_fit_to_a_frame(estimator):
    model = clone(estimator)
    assert not hasattr(model, "schema_")

    X = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 3)), columns=list("abc"))
    assert [column.kind for column in model.fit(X).schema_] == ["number"] * 3
    assert not hasattr(model.fit(X.to_numpy()), "schema_")


# ---------------------------------------------------------------- autoencoders and detectors


@over(AUTOENCODERS)
def test_errors_of_columns_add_up_to_the_score(estimator):
    X = table()
    model = fitted(estimator)

    errors = model.feature_errors(X)

    assert errors.shape == X.shape
    assert (errors[X.isna().to_numpy()] == 0).all()
    np.testing.assert_allclose(errors.sum(axis=1), -model.score_samples(X), rtol=1e-5)


@over(AUTOENCODERS)
def test_inverse_transform_of_the_code_is_the_reconstruction(estimator):
    X = table()
    model = fitted(estimator)

    rows = model.inverse_transform(model.transform(X))

    pd.testing.assert_frame_equal(rows, model.reconstruct(X))
    assert not rows.isna().any(axis=None)


@over({name: EVERYTHING[name] for name in ("default", "variational", "adversarial")})
@pytest.mark.parametrize(("library", "cls"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_codes_come_in_the_library_that_is_asked_for(estimator, library, cls):
    model = clone(estimator).set_output(transform=library).fit(table())

    codes = model.transform(table())

    assert isinstance(codes, cls)
    assert list(codes.columns) == list(model.get_feature_names_out())


def test_pipelines_and_searches_take_frames():
    X = table()
    search = GridSearchCV(make_pipeline(Autoencoder(**FEW)), {"autoencoder__n_components": [1, 3]})

    search.fit(X)

    assert search.best_params_ == {"autoencoder__n_components": 3}
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@over({k: v for k, v in (AUTOENCODERS | DETECTORS).items() if k != "own_module"})
def test_categories_that_were_not_there_are_odd(estimator):
    X = table().fillna({"colour": "red"})
    model = clone(estimator).fit(X)

    for n in (1, 60):
        scores, odd = (model.score_samples(each[:n]) for each in (X, X.assign(colour="mauve")))
        assert (odd < scores).all()


@over(AUTOENCODERS | DETECTORS)
def test_columns_that_are_missing_altogether(estimator):
    X = table()
    model = fitted(estimator)

    rows = X.assign(colour=pd.Series(None, X.index, dtype="str"), day=pd.NaT, count=np.nan)
    scores = model.score_samples(rows)

    assert np.isfinite(scores).all()
    assert (model.feature_errors(rows)[:, 4] < 1e-6).all()


@over(AUTOENCODERS)
def test_columns_without_values_are_refused(estimator):
    with pytest.raises(ValueError, match="column 'colour' has no values"):
        clone(estimator).fit(table().assign(colour=None))


def test_units_of_columns_do_not_matter():
    X = table()
    other = X.assign(size=1e6 * X["size"] - 3e7)

    scores = [Autoencoder(2, **FEW).fit(each).score_samples(each) for each in (X, other)]

    np.testing.assert_allclose(*scores, rtol=1e-4)


def test_losses_of_columns():
    X = table()
    loss = {"poisson": ["count"], "huber": ["size", "day"]}

    model = Autoencoder(2, loss=loss, **FEW).fit(X)

    assert np.isfinite(model.score(X))
    with pytest.raises(ValueError, match="loss must name every column of numbers, and no others"):
        Autoencoder(2, loss={"huber": ["size", "colour"]}).fit(X)
    with pytest.raises(ValueError, match=r"'poisson' needs values .* in column 'size'"):
        Autoencoder(2, loss="poisson").fit(X.assign(size=-1.0))


def test_targets_may_be_frames():
    X = table()

    model = Autoencoder(2, **FEW).fit(X, X.assign(size=X["size"] + 1))

    assert model.score(X, X.assign(size=X["size"] + 1)) <= 0


def test_what_is_held_out_may_be_a_frame():
    X = table()

    model = Autoencoder(2, early_stopping=True, **FEW).fit(X, X_val=X[:20])

    assert len(model.validation_loss_curve_) == 2


def test_training_goes_on_with_frames():
    X = table()
    model = Autoencoder(2, warm_start=True, **FEW).fit(X)

    assert model.fit(X).n_iter_ == 4
    assert model.partial_fit(X[:30]).n_iter_ == 5


def test_a_frame_of_numbers_with_missing_cells():
    X = table()[["size", "count"]]
    model = Autoencoder(1, **FEW).fit(X)

    assert model.schema_[0].has_missing
    assert not model.reconstruct(X).isna().any(axis=None)
    with pytest.raises(ValueError, match="contains NaN in column 'size'"):
        Autoencoder(1, **FEW).fit(X.dropna()).transform(X)


def test_missing_cells_tell_something():
    rng = np.random.default_rng(0)
    sick = rng.random(300) < 0.5
    X = pd.DataFrame({"test": np.where(sick, rng.normal(size=300), np.nan), "sick": sick})
    model = Autoencoder(2, max_epochs=30, lr=1e-2, random_state=0).fit(X)

    guessed = model.reconstruct(X.assign(sick=None))["sick"]

    assert (guessed == sick).mean() > 0.6  # half of them by chance


def test_streams_of_frames():
    X = table()
    detector = AutoencoderOutlierDetector(random_state=0)

    detector.partial_fit(X).partial_fit(X[:20])

    assert detector.score_samples(X).shape == (60,)
    assert detector.p_values(X).max() <= 1
