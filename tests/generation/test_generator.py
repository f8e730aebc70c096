"""What both generators have in common: samples, classes, walks between codes, and errors."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils._param_validation import InvalidParameterError
from torch import nn

from skae import AdversarialAutoencoder, AutoencoderOutlierDetector, VariationalAutoencoder
from skae.losses import GaussianLikelihood, SquaredError

GENERATORS = [VariationalAutoencoder, AdversarialAutoencoder]
OPTIMIZERS = ["adam", "adamw", "nadam", "rmsprop", "sgd", torch.optim.Adam]
NAMES = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])


@pytest.fixture(scope="module", params=GENERATORS, ids=lambda generator: generator.__name__)
def generator(request):
    return request.param


def fitted(generator, X, y=None, n_components="auto", **params):
    params = {"max_epochs": 5, "random_state": 0} | params
    return generator(n_components, **params).fit(X, y)


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)


@pytest.fixture(scope="module")
def of_digits(generator, digits):
    return fitted(generator, digits[0], n_components=16, max_epochs=20)


@pytest.fixture(scope="module")
def of_classes(generator, digits):
    X, y = digits
    return fitted(generator, X, NAMES[y], n_components=16, max_epochs=20, conditional=True)


def make_table(n=500):
    """Columns that are skewed, whole, capped, binary and normal."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    return np.c_[
        np.exp(x + 0.5 * rng.normal(size=n)),
        rng.poisson(np.exp(0.5 * x)),
        np.minimum(x + rng.normal(size=n), 1.0),
        x > 0,
        100 + 0.1 * rng.normal(size=n),
    ]


def make_frame(n=300):
    rng = np.random.default_rng(0)
    city = rng.choice(["Bern", "Oslo", "Rome"], n, p=[0.6, 0.3, 0.1])
    age = rng.integers(18, 90, n)
    return {
        "age": age,
        "city": city,
        "income": np.exp(rng.normal(10, 0.4, n) + 0.01 * age).astype(np.float32),
        "member": (age > 50) ^ (rng.random(n) < 0.1),
        "size": rng.choice(["S", "M", "L"], n),
    }


def pandas_frame(n=300):
    sizes = pd.CategoricalDtype(["S", "M", "L", "XL"], ordered=True)
    return pd.DataFrame(make_frame(n)).astype({"size": sizes})


def polars_frame(n=300):
    return pl.DataFrame(make_frame(n)).with_columns(
        pl.col("size").cast(pl.Enum(["S", "M", "L", "XL"])), pl.col("age").cast(pl.UInt8)
    )


@pytest.fixture(scope="module")
def of_table(generator):
    return fitted(generator, make_table())


@pytest.fixture(scope="module", params=[pandas_frame, polars_frame], ids=["pandas", "polars"])
def framed(request, generator):
    X = request.param()
    return X, fitted(generator, X)


# ---------------------------------------------------------------- samples


def test_samples_are_the_same_in_every_call(of_table):
    np.testing.assert_array_equal(of_table.sample(20), of_table.sample(20))


def test_argument_determines_the_samples(of_table):
    first, second, other = (of_table.sample(20, random_state=seed) for seed in (1, 1, 2))

    np.testing.assert_array_equal(first, second)
    assert not np.isclose(first[:, 0], other[:, 0]).any()


def test_samples_differ_from_those_by_the_argument(of_table):
    assert not np.array_equal(of_table.sample(20), of_table.sample(20, random_state=1))


def test_generator_of_random_numbers_goes_on(of_table):
    random = np.random.RandomState(0)

    first, second = (of_table.sample(20, random_state=random) for _ in range(2))

    assert not np.array_equal(first, second)


def test_samples_without_a_random_state_differ(generator):
    model = fitted(generator, make_table(50), max_epochs=0, random_state=None)

    assert not np.array_equal(model.sample(5), model.sample(5))


@pytest.mark.parametrize("n", [1, 2, 333])
def test_number_of_samples(n, of_table):
    assert of_table.sample(n).shape == (n, 5)


def test_one_sample_by_default(of_table):
    assert of_table.sample().shape == (1, 5)


@pytest.mark.parametrize("n", [0, -3, 1.5, "all", None, True])
def test_numbers_of_samples_that_make_no_sense(n, of_table):
    with pytest.raises(ValueError, match=f"n_samples={n!r} must be an integer of at least 1"):
        of_table.sample(n)


def test_samples_of_an_estimator_that_is_not_fitted(generator):
    with pytest.raises(NotFittedError, match=generator.__name__):
        generator().sample()


def test_samples_leave_the_global_generators_as_they_are(of_table):
    before, torch_before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002

    of_table.sample(30)

    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_before)


def test_samples_leave_the_estimator_as_it_is(of_table):
    first = of_table.sample(5, random_state=3)

    of_table.sample(50)

    np.testing.assert_array_equal(of_table.sample(5, random_state=3), first)


def test_samples_are_not_sorted_by_component(generator):
    rng = np.random.default_rng(0)
    side = np.where(rng.random(600) < 0.5, -1, 1)
    X = rng.normal(size=(600, 2)) + 8 * side[:, None]

    model = fitted(generator, X, scale=None, n_mixture_components=2, max_epochs=0)

    signs = np.sign(model.sample(200)[:, 0])
    assert 0.3 < (signs > 0).mean() < 0.7
    assert 60 < (np.diff(signs) != 0).sum() < 140


def test_classes_of_samples_are_not_sorted(of_classes, digits):
    model = KNeighborsClassifier(3).fit(*digits)

    labels = model.predict(of_classes.sample(300))

    assert (np.diff(labels) != 0).mean() > 0.7


@pytest.mark.parametrize(
    "params", [{}, {"scale": None}, {"scale": "range"}, {"likelihood": "gaussian"}], ids=str
)
def test_samples_stay_within_the_bounds_of_the_columns(params, generator):
    X = make_table()

    samples = fitted(generator, X, max_epochs=2, **params).sample(2000)

    assert (samples.min(axis=0) >= X.min(axis=0)).all()
    assert (samples.max(axis=0) <= X.max(axis=0)).all()


def test_samples_have_the_distributions_of_the_columns(of_table):
    X, samples = make_table(), of_table.sample(3000)

    np.testing.assert_allclose(samples[:, [1, 3]].mean(axis=0), X[:, [1, 3]].mean(axis=0), rtol=0.2)
    np.testing.assert_allclose(
        np.quantile(samples, [0.25, 0.5, 0.75], axis=0)[:, [0, 2, 4]],
        np.quantile(X, [0.25, 0.5, 0.75], axis=0)[:, [0, 2, 4]],
        rtol=0.25,
        atol=0.15,
    )
    assert (samples[:, 2] == 1).mean() == pytest.approx((X[:, 2] == 1).mean(), abs=0.08)


def test_samples_keep_the_relations_of_columns(of_table):
    X, samples = make_table(), of_table.sample(3000)

    assert np.isin(samples[:, 1], X[:, 1]).all()
    assert np.isin(samples[:, 3], [0, 1]).all()
    expected = np.corrcoef(X[:, 2], X[:, 3])[0, 1]
    assert np.corrcoef(samples[:, 2], samples[:, 3])[0, 1] == pytest.approx(expected, abs=0.25)


def copies(samples, X):
    return len({tuple(row) for row in np.asarray(samples)} & {tuple(row) for row in np.asarray(X)})


def test_samples_are_never_training_rows(of_table):
    assert copies(of_table.sample(3000), make_table()) == 0


def test_samples_of_frames_are_never_training_rows(framed):
    X, model = framed

    assert copies(model.sample(1000), X) == 0


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float32])
def test_samples_of_rounded_tables_are_never_training_rows(dtype, generator):
    X = np.random.default_rng(0).integers(0, 250, (100, 2)).astype(dtype)

    model = fitted(generator, X, max_epochs=0)

    assert copies(model.sample(2000), X) == 0


def shares_of_rows(rows):
    """Return the share of each of the eight rows of three zeros and ones."""
    return np.bincount(np.asarray(rows, dtype=int) @ [1, 2, 4], minlength=8) / len(rows)


def test_rows_that_many_have_keep_their_shares(generator):
    bits = np.random.default_rng(0).random((600, 3)) < [0.1, 0.2, 0.3]

    samples = fitted(generator, bits.astype(int), max_epochs=20).sample(3000)

    np.testing.assert_allclose(shares_of_rows(samples), shares_of_rows(bits), atol=0.05)


def test_copies_of_what_is_nobodys_own_are_not_avoided():
    """A row that occurs often beside rows that can be told apart."""
    rng = np.random.default_rng(0)
    has_bought = rng.random(300) < 0.7
    X = np.c_[has_bought, np.where(has_bought, np.exp(rng.normal(size=300)), 0)]
    model = fitted(VariationalAutoencoder, X, hidden_layer_sizes=(32,), max_epochs=50)

    samples = model.sample(2000)

    assert (samples == 0).all(axis=1).mean() > 0.5 * (1 - has_bought.mean())  # noise, no redraws
    assert copies(samples[samples[:, 1] > 0], X) == 0


def test_samples_avoid_the_rows_of_the_last_fit(generator):
    first, last = np.random.default_rng(0).integers(0, 99, (2, 90, 2))
    model = fitted(generator, first, warm_start=True, max_epochs=0)

    samples = model.fit(last).sample(3000)

    assert copies(samples, last) == 0
    assert copies(samples, first) > 0


@pytest.mark.parametrize("conditional", [False, True])
def test_rare_categories_keep_their_share_and_what_is_special(conditional):
    rng = np.random.default_rng(0)
    place = rng.choice([0, 3, -3], 1000, p=[0.94, 0.03, 0.03])
    kind = np.select([place > 0, place < 0], ["odd", "queer"], "usual")
    X = rng.normal(size=(1000, 3)) + place[:, None]
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(kind=kind)
    params = {"conditional": conditional, "hidden_layer_sizes": (64,), "max_epochs": 60}
    model = fitted(VariationalAutoencoder, frame, kind if conditional else None, **params)

    samples = model.sample(4000)

    for name, mean in (("odd", 3), ("queer", -3)):
        drawn = samples[samples.kind == name]
        assert len(drawn) / 4000 == pytest.approx((kind == name).mean(), rel=0.3)
        assert drawn.a.mean() == pytest.approx(mean, abs=0.8)


def test_many_rows_are_drawn_some_at_a_time(generator, monkeypatch):
    monkeypatch.setattr("skae.generation._sampling._CELLS", 100)
    model = fitted(generator, make_table(200), max_epochs=1)

    samples = model.sample(95)

    assert samples.shape == (95, 5)
    assert len(np.unique(samples[:, 0])) > 80


def test_priors_are_fitted_to_some_of_many_codes(generator, monkeypatch):
    monkeypatch.setattr("skae.generation._generator._MOST_CODES", 60)
    y = np.repeat(["few", "many"], [40, 160])
    X = make_table(200) + 5.0 * (y == "many")[:, None]

    model = fitted(generator, X, y, max_epochs=1, conditional=True)

    assert model.sample(50, y="few")[:, 0].mean() < model.sample(50, y="many")[:, 0].mean()
    np.testing.assert_allclose(model.prior_.shares, [0.2, 0.8])


def test_samples_exist_if_all_combinations_are_training_rows(generator):
    X = np.repeat([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)], 10, axis=0)

    samples = fitted(generator, X, max_epochs=3).sample(100)

    assert samples.shape == (100, 3)
    assert np.isin(samples, [0, 1]).all()


# ---------------------------------------------------------------- forms


@pytest.mark.parametrize("dtype", [np.int64, np.int16, np.uint8, np.float32, np.float64])
def test_arrays_come_back_as_such(dtype, generator):
    X = make_table(100)[:, :4].clip(0, 50).astype(dtype)

    samples = fitted(generator, X, max_epochs=1).sample(20)

    assert isinstance(samples, np.ndarray)
    assert samples.dtype == dtype


def test_images_come_back_as_such(generator, digits):
    X = (digits[0] * 15.9).astype(np.uint8)

    samples = fitted(generator, X, n_components=8).sample(50)

    assert samples.dtype == np.uint8
    assert samples.mean() == pytest.approx(X.mean(), rel=0.15)
    assert (samples[:, X.max(axis=0) == 0] < 20).all()


def test_pixels_are_expected_values(of_digits, digits):
    X = digits[0]
    corners = X[:, [0, 8, 16, 24, 32]]  # of the left margin, nearly always 0

    samples = of_digits.sample(300)

    assert samples.min() >= 0
    assert samples.max() <= 16
    assert samples[:, [0, 8, 16, 24, 32]].std() < corners.std() + 0.2


def test_lists_give_arrays(generator):
    samples = fitted(generator, make_table(30).tolist(), max_epochs=0).sample(3)

    assert samples.shape == (3, 5)


def test_frames_come_back_as_such(framed):
    X, model = framed

    samples = model.sample(40)

    assert type(samples) is type(X)
    assert samples.shape == (40, 5)
    assert list(samples.columns) == list(X.columns)
    assert list(samples.dtypes) == list(X.dtypes)


def test_frames_come_back_with_their_values(framed):
    X, model = framed

    samples = model.sample(500)

    for name in ("city", "size", "member"):
        assert set(samples[name]) == set(X[name])
    assert (samples["city"] == "Bern").mean() == pytest.approx(0.6, abs=0.15)
    for name in ("age", "income"):
        assert X[name].min() <= samples[name].min()
        assert samples[name].max() <= X[name].max()


def test_frames_are_scored_and_encoded(framed):
    X, model = framed

    assert model.transform(X).shape == (300, 9)
    assert np.isfinite(model.score_samples(model.sample(20))).all()
    assert np.isfinite(model.score(X))


def test_frames_are_reconstructed_as_frames(framed):
    X, model = framed

    reconstructed = model.reconstruct(X)

    assert list(reconstructed.columns) == list(X.columns)
    assert (np.asarray(reconstructed["city"]) == np.asarray(X["city"])).mean() > 0.8


def test_reconstructions_keep_the_index(generator):
    X = pandas_frame(60)
    X.index += 100
    model = fitted(generator, X, max_epochs=0).set_output(transform="pandas")

    assert model.reconstruct(X).index.equals(X.index)
    assert model.inverse_transform(model.transform(X)).index.equals(X.index)


@pytest.mark.parametrize("make", [pandas_frame, polars_frame])
@pytest.mark.parametrize("value", ["Paris", None])
def test_unknown_categories(make, value, generator):
    X = make(60)
    model = fitted(generator, X, max_epochs=0)
    city = [value, *list(X["city"])[1:]]
    unknown = X.assign(city=city) if make is pandas_frame else X.with_columns(city=pl.Series(city))

    known, odd = (model.score_samples(each) for each in (X, unknown))
    codes, restored = model.transform(unknown), model.reconstruct(unknown)

    np.testing.assert_array_equal(odd[1:], known[1:])
    assert odd[0] != known[0]
    assert odd[0] < known[0] or not isinstance(model, VariationalAutoencoder)
    assert np.isfinite(codes).all()
    assert set(restored["city"]) <= set(X["city"])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_numbers_have_the_decimals_of_the_training_values(dtype, generator):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"price": rng.lognormal(3, 1, 200).round(2), "length": rng.normal(size=200)})
    X["share"] = (rng.random(200) * 1000).round() / 1000
    X.loc[::9, "price"] = np.nan
    model = fitted(generator, X.astype(dtype), max_epochs=0)

    rows = model.sample(100, given={"share": (0.1234, 0.8765)}).astype(float)

    prices = rows["price"].dropna()
    assert (prices.round(2) - prices).abs().max() < 1e-4
    assert (rows["share"].round(3) - rows["share"]).abs().max() < 1e-6
    assert rows["share"].between(0.1234, 0.8765).all()
    assert ((rows["length"].round(6) - rows["length"]).abs() > 0).any() or dtype == "float32"


def test_no_training_goes_on_with_unknown_categories(generator):
    X = pandas_frame(60)
    model = fitted(generator, X, max_epochs=0)
    before = model.score_samples(X)

    model.set_params(warm_start=True, max_epochs=1)
    with pytest.raises(ValueError, match=r"'city' has values in row 1 and .* no place for new"):
        model.fit(X.assign(city=["Oslo", "Paris", *list(X["city"])[2:]]))

    np.testing.assert_array_equal(model.score_samples(X), before)


def test_frames_with_other_columns(framed):
    X, model = framed

    with pytest.raises(ValueError, match="feature names"):
        model.score_samples(X[["city", "age", "income", "member", "size"]])


@pytest.mark.parametrize("columns", [["age", "city"], ["income", "age"]], ids=str)
def test_numbers_of_a_frame_that_are_infinite(columns, generator):
    X = pandas_frame(30)[columns]
    model, name = fitted(generator, X, max_epochs=0), columns[0]
    X = X.assign(**{name: X[name].astype(float).mask(X.index == 3, np.inf)})

    for method in (generator().fit, model.transform):
        with pytest.raises(ValueError, match=f"contains infinity in column '{name}'"):
            method(X)


@pytest.mark.parametrize("columns", [["age", "city"], ["age", "income"]], ids=str)
def test_text_in_a_column_of_numbers(columns, generator):
    X = pandas_frame(30)[columns]
    model = fitted(generator, X, max_epochs=0)

    with pytest.raises(ValueError, match=r"column 'age' must hold numbers.*'old'"):
        model.score_samples(X.assign(age="old"))


def test_text_in_an_array(generator):
    with pytest.raises(ValueError, match=r"could not convert string.* An array must hold numbers"):
        generator().fit(np.array([["a", "b"], ["c", "d"]]))


def test_an_array_in_place_of_a_frame_with_categories(framed):
    X, model = framed

    with pytest.raises(ValueError, match=r"X must be a data frame.*'city' holds .* got ndarray"):
        model.score_samples(X.to_numpy())


def test_lazy_frames(generator):
    with pytest.raises(TypeError, match=r"X is a LazyFrame: call its method collect\(\)"):
        generator().fit(polars_frame().lazy())


def test_groups_of_one_hot_columns_are_consistent(generator):
    columns = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["city", "size"]), remainder="passthrough"
    )
    model = generator(max_epochs=5, random_state=0)
    pipeline = make_pipeline(columns, model).set_output(transform="pandas")
    X = pandas_frame().assign(city=lambda X: X["city"].astype(object))

    samples = pipeline.fit(X)[-1].sample(300)

    names = list(columns.get_feature_names_out())
    assert list(samples.columns) == names
    for group in ("city", "size"):
        part = samples[[name for name in names if f"__{group}_" in name]].to_numpy()
        assert part.shape == (300, 3)
        assert np.isin(part, [0, 1]).all()
        np.testing.assert_array_equal(part.sum(axis=1), 1)
    assert samples["onehotencoder__city_Bern"].mean() == pytest.approx(0.6, abs=0.15)


# ---------------------------------------------------------------- classes


@pytest.fixture(scope="module")
def classifier(digits):
    X, y = digits
    return KNeighborsClassifier(3).fit(X, NAMES[y])


@pytest.mark.parametrize("label", ["zero", "four", "nine"])
def test_samples_of_a_class_are_recognised(label, of_classes, classifier):
    samples = of_classes.sample(100, label)

    assert (classifier.predict(samples) == label).mean() > 0.8


def test_samples_of_several_classes_are_in_order(of_classes, classifier):
    y = np.random.default_rng(0).permutation(np.repeat(NAMES, 20))

    samples = of_classes.sample(200, y)

    assert (classifier.predict(samples) == y).mean() > 0.8


@pytest.mark.parametrize("form", [list, tuple, pd.Series, np.array])
def test_forms_of_labels(form, of_classes):
    expected = of_classes.sample(4, np.array(["one", "one", "two", "six"]))

    samples = of_classes.sample(4, form(["one", "one", "two", "six"]))

    np.testing.assert_array_equal(samples, expected)


def test_classes_are_sorted_labels(of_classes):
    np.testing.assert_array_equal(of_classes.classes_, np.sort(NAMES))


def test_classes_exist_only_if_conditional(of_digits):
    assert not hasattr(of_digits, "classes_")


def test_classes_are_forgotten_by_a_fit_without(generator):
    X = make_table(60)
    model = fitted(generator, X, X[:, 3], conditional=True, max_epochs=0)

    model.set_params(conditional=False).fit(X)

    assert not hasattr(model, "classes_")
    assert model.sample(3).shape == (3, 5)


def test_samples_have_the_proportions_of_the_classes(generator):
    rng = np.random.default_rng(0)
    y = rng.choice([3, 5, 9], 600, p=[0.7, 0.2, 0.1])
    X = rng.normal(size=(600, 2)) + 10 * y[:, None]

    model = fitted(generator, X, y, conditional=True, scale=None, max_epochs=0)

    nearest = np.abs(model.sample(1000)[:, [0]] / 10 - [3, 5, 9]).argmin(axis=1)
    np.testing.assert_allclose(np.bincount(nearest) / 1000, [0.7, 0.2, 0.1], atol=0.06)


@pytest.mark.parametrize(
    "labels", [np.array([False, True]), np.array([2, 7]), np.array(["a", "b"], dtype=object)]
)
def test_kinds_of_labels(labels, generator):
    X = make_table(60)
    y = labels[X[:, 3].astype(int)]

    model = fitted(generator, X, y, conditional=True)

    for label in labels:
        samples = model.sample(10, label)
        assert samples.shape == (10, 5)
        np.testing.assert_array_equal(model.sample(10, [label] * 10), samples)


def test_one_class(generator):
    X = make_table(60)

    model = fitted(generator, X, np.full(60, "all"), conditional=True)

    assert model.sample(5, "all").shape == (5, 5)
    assert model.classes_.tolist() == ["all"]


@pytest.mark.parametrize("n_mixture_components", ["auto", 2])
def test_a_class_of_one_row(n_mixture_components, generator):
    X = make_table(60)
    y = np.arange(60) == 7

    model = fitted(
        generator, X, y, conditional=True, n_mixture_components=n_mixture_components, max_epochs=1
    )

    assert np.isfinite(model.sample(5, True)).all()


def test_labels_are_ignored_if_not_conditional(generator):
    X = make_table(60)

    model = fitted(generator, X, np.linspace(0, 1, 60), max_epochs=1)

    np.testing.assert_array_equal(model.sample(5), fitted(generator, X, max_epochs=1).sample(5))


@pytest.mark.parametrize("y", ["ten", ["one", "ten"]])
def test_unknown_labels(y, of_classes):
    with pytest.raises(ValueError, match=r"labels \['ten'\].*'eight', 'five'"):
        of_classes.sample(2, y)


@pytest.mark.parametrize("y", [["one"], ["one"] * 3, [["one", "two"]]])
def test_labels_of_another_number(y, of_classes):
    with pytest.raises(ValueError, match=r"y has shape \(.*n_samples=2"):
        of_classes.sample(2, y)


@pytest.mark.parametrize("y", [0, [0, 1]])
def test_labels_for_an_estimator_without(y, of_digits):
    with pytest.raises(ValueError, match="conditional=True"):
        of_digits.sample(2, y)


def test_conditional_fit_needs_labels(generator):
    with pytest.raises(ValueError, match="conditional=True requires y"):
        fitted(generator, make_table(30), conditional=True)


def test_labels_of_two_types(generator):
    with pytest.raises(ValueError, match="labels in y can't be sorted"):
        fitted(generator, make_table(30), np.array(["a", 1] * 15, object), conditional=True)


def test_continuous_labels(generator):
    X = make_table(30)

    with pytest.raises(ValueError, match=r"class labels, but y is continuous.*KBinsDiscretizer"):
        fitted(generator, X, X[:, 0], conditional=True)


@pytest.mark.parametrize(
    "labels",
    [
        [np.nan, 1.0],
        [None, 1],
        [None, "a"],
        [np.nan, "a"],
        pd.Series([pd.NA, 1], dtype="Int64"),
        pd.Series([None, "a"]),
        pl.Series([None, 1]),
    ],
    ids=repr,
)
def test_missing_labels(labels, generator):
    with pytest.raises(ValueError, match=r"y contains NaN or None.*class of every row"):
        fitted(generator, make_table(2), labels, conditional=True)


def test_classes_need_priors_of_their_own(generator):
    X = make_table(30)

    with pytest.raises(ValueError, match=r"conditional=True .* prior='normal' .*take prior='auto'"):
        fitted(generator, X, X[:, 3], conditional=True, prior="normal")


def test_labels_of_another_number_in_fit(generator):
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[30, 29\]"):
        fitted(generator, make_table(30), np.arange(29), conditional=True)


# ---------------------------------------------------------------- the prior


@pytest.mark.parametrize(
    ("prior", "conditional"), [("mixture", False), ("normal", False), ("mixture", True)]
)
def test_prior_has_scores_and_samples(prior, conditional, generator):
    X = make_table(60)

    model = fitted(generator, X, X[:, 3], prior=prior, conditional=conditional, max_epochs=0)

    codes = model.transform(X)
    assert model.prior_.score_samples(codes).shape == (60,)
    assert model.prior_.sample(7)[0].shape == (7, codes.shape[1])


def test_number_of_gaussians(generator):
    assert fitted(generator, make_table(), n_mixture_components=3).prior_.n_components == 3


def test_mixture_is_that_of_the_codes(generator, of_digits, digits):
    codes = of_digits.transform(digits[0])

    far = of_digits.prior_.score_samples(codes * 5)

    assert (of_digits.prior_.score_samples(codes) > far).mean() > 0.99


# ---------------------------------------------------------------- walks


def test_interpolations_end_at_the_reconstructions(of_digits, digits):
    start, stop = digits[0][:5], digits[0][5:10]

    walks = of_digits.interpolate(start, stop, n_steps=6)

    assert walks.shape == (5, 6, 64)
    np.testing.assert_allclose(walks[:, 0], of_digits.reconstruct(start), atol=1e-4)
    np.testing.assert_allclose(walks[:, -1], of_digits.reconstruct(stop), atol=1e-4)


def test_interpolations_pass_the_middle_of_the_codes(of_digits, digits):
    start, stop = digits[0][:5], digits[0][5:10]

    middle = of_digits.interpolate(start, stop, n_steps=3)[:, 1]

    code = (of_digits.transform(start) + of_digits.transform(stop)) / 2
    np.testing.assert_allclose(middle, of_digits.inverse_transform(code), atol=1e-4)


def test_eight_steps_by_default(of_table):
    X = make_table()

    assert of_table.interpolate(X[:2], X[2:4]).shape == (2, 8, 5)


@pytest.mark.parametrize("n", [1, 4])
def test_interpolations_between_unequal_numbers_of_rows(n, of_table):
    X = make_table()

    with pytest.raises(ValueError, match=f"X_start has 3 rows, but X_stop has {n}"):
        of_table.interpolate(X[:3], X[:n])


@pytest.mark.parametrize("n", [0, -1, True])
def test_walks_without_steps(n, of_table):
    X = make_table()

    with pytest.raises(ValueError, match=f"n_steps={n}"):
        of_table.interpolate(X[:2], X[:2], n_steps=n)


def test_interpolations_between_rows_of_frames(framed):
    X, model = framed

    walks = model.interpolate(X[:2], X[2:4], n_steps=3)

    assert walks.shape == (2, 3, 5)
    assert np.isin(walks[..., 1], [0, 1, 2]).all()


def test_traversals_set_components(of_digits, digits):
    X = digits[0][:3]

    walks = of_digits.traverse(X, components=[2, 0], values=[-1.0, 0.5])

    codes = of_digits.transform(X)
    assert walks.shape == (3, 2, 2, 64)
    for i, component in enumerate([2, 0]):
        for j, value in enumerate([-1.0, 0.5]):
            changed = codes.copy()
            changed[:, component] = value
            expected = of_digits.inverse_transform(changed)
            np.testing.assert_allclose(walks[:, i, j], expected, atol=1e-4)


def test_traversals_by_default(of_digits, digits):
    X = digits[0][:2]

    walks = of_digits.traverse(X)

    assert walks.shape == (2, 16, 7, 64)
    expected = of_digits.traverse(X, values=np.linspace(-2, 2, 7))
    np.testing.assert_array_equal(walks, expected)


def test_traversal_of_one_component(of_digits, digits):
    walks = of_digits.traverse(digits[0][:2], components=5)

    np.testing.assert_array_equal(walks, of_digits.traverse(digits[0][:2])[:, [5]])


@pytest.mark.parametrize("components", [[16], [-1], [0.5], [True], [], "x", [[0, 1]]], ids=str)
def test_components_that_make_no_sense(components, of_digits, digits):
    message = f"components={components!r} must be integers from 0 to 15"

    with pytest.raises(ValueError, match=re.escape(message)):
        of_digits.traverse(digits[0][:2], components)


@pytest.mark.parametrize("values", [[], [[1, 2]], [np.nan], [0.0, np.inf], "x"], ids=str)
def test_values_that_make_no_sense(values, of_digits, digits):
    message = f"values={values!r} must be one or more finite numbers"

    with pytest.raises(ValueError, match=re.escape(message)):
        of_digits.traverse(digits[0][:2], values=values)


def test_walks_of_an_estimator_that_is_not_fitted(generator):
    X = make_table(3)

    with pytest.raises(NotFittedError, match=generator.__name__):
        generator().traverse(X)
    with pytest.raises(NotFittedError, match=generator.__name__):
        generator().interpolate(X, X)


# ---------------------------------------------------------------- other models


def test_samples_are_as_varied_as_the_data(of_digits, digits):
    samples = of_digits.sample(1000)

    assert samples.var(axis=0).sum() > 0.5 * digits[0].var(axis=0).sum()
    np.testing.assert_allclose(samples.mean(axis=0), digits[0].mean(axis=0), atol=1.5)


def test_samples_fall_into_all_classes(of_digits, digits):
    model = KNeighborsClassifier(3).fit(*digits)

    counts = np.bincount(model.predict(of_digits.sample(1000)), minlength=10)

    assert counts.min() > 20


def test_verbose_prints_only_numbers(generator, capsys):
    fitted(generator, make_table(30), max_epochs=2, verbose=1)

    header, _, *rows = (line.split() for line in capsys.readouterr().out.splitlines())
    assert "reconstruction" in header
    assert "terms" not in header
    assert [len(row) for row in rows] == [len(header)] * 2


def test_no_score_has_parts_by_features(generator, of_table):
    assert not hasattr(generator(), "feature_errors")
    assert not hasattr(of_table, "feature_errors")


def test_no_training_by_batches(generator, of_table):
    assert not hasattr(generator(), "partial_fit")
    assert not hasattr(of_table, "partial_fit")


def test_grid_search_over_the_width_of_the_code(generator):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2)) @ rng.normal(size=(2, 6)) + 0.1 * rng.normal(size=(300, 6))

    search = GridSearchCV(generator(max_epochs=0), {"n_components": [1, 2]}, cv=3).fit(X)

    assert search.best_params_ == {"n_components": 2}
    assert search.best_estimator_.sample(4).shape == (4, 6)


def test_grid_search_with_classes(generator):
    X = make_table(90)
    model = generator(max_epochs=0, conditional=True)

    search = GridSearchCV(model, {"n_components": [1, 3]}, cv=3).fit(X, X[:, 3])

    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_outlier_detector(generator):
    X = make_table(200)[:, [0, 2, 4]]
    X[:4] += [0, 0, 50]
    model = generator(1, likelihood="gaussian", criterion__per_feature=True, max_epochs=0)

    detector = AutoencoderOutlierDetector(model, n_estimators=2, random_state=0).fit(X[4:])

    assert (detector.predict(X[4:]) == 1).mean() > 0.8
    assert (detector.predict(X[:4] + np.array([100, 100, 0])) == -1).all()
    assert not hasattr(detector, "feature_errors")


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers(optimizer, generator):
    model = fitted(generator, make_table(100), optimizer=optimizer, lr=1e-4, max_epochs=2)

    assert np.isfinite(model.loss_curve_).all()
    assert len(model.loss_curve_) == 2


# ---------------------------------------------------------------- rows without much in them


def test_one_row(generator):
    X = np.array([[1.0, -2.0, 3.0]])

    model = fitted(generator, X)

    np.testing.assert_allclose(model.sample(3), np.repeat(X, 3, axis=0), atol=1e-6)


def test_constant_columns_stay_constant(generator):
    X = np.c_[make_table(200), np.full(200, 7.5)]

    samples = fitted(generator, X).sample(200)

    np.testing.assert_array_equal(samples[:, -1], 7.5)


def test_equal_rows(generator):
    X = np.tile([1.0, 2.0, 5.0], (50, 1))

    model = fitted(generator, X)

    np.testing.assert_allclose(model.sample(3), X[:3])
    assert np.isfinite(model.score_samples(X)).all()


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("likelihood", "X", "found"),
    [
        ("poisson", [[-1.0, 2], [3, 4]], r"counts, but X reaches from -1 to 4"),
        ("poisson", [[0.5, 2], [3, 4]], r"counts, but X has 0\.5"),
        ("negative_binomial", [[-1.0, 2], [3, 4]], r"counts, but X reaches from -1 to 4"),
        ("bernoulli", [[0, 2], [1, 1]], r"\[0, 1\], but X reaches from 0 to 2"),
        ("continuous_bernoulli", [[-0.5, 1], [1, 1]], r"\[0, 1\], but X reaches from -0\.5 to 1"),
        ("discretized_logistic", [[0, 16], [3, 1]], r"\[0\.0, 1\.0\], but X reaches from 0 to 16"),
    ],
)
def test_likelihoods_that_do_not_fit_the_data(likelihood, X, found, generator):
    with pytest.raises(ValueError, match=f"likelihood='{likelihood}' needs values .*{found}"):
        fitted(generator, np.array(X, dtype=float), likelihood=likelihood)


@pytest.mark.parametrize(
    ("likelihood", "value", "found"),
    [
        ("poisson", -1, "X reaches from -1"),
        ("negative_binomial", 0.5, r"X has 0\.5"),
        ("bernoulli", 2, "X reaches from 0 to 2"),
        ("continuous_bernoulli", -0.5, r"X reaches from -0\.5"),
        ("categorical", 1, "a single one in each row"),
        ("discretized_logistic", 0.001, "equidistant levels"),
    ],
)
def test_impossible_values_have_no_likelihood(likelihood, value, found, generator):
    X = np.eye(4)[np.arange(40) % 4]
    model = fitted(generator, X, likelihood=likelihood, max_epochs=0)
    X[7] = [1, value, 0, 0]

    for method in (model.score, model.score_samples):
        with pytest.raises(ValueError, match=f"likelihood='{likelihood}' needs .*{found}"):
            method(X)


@pytest.mark.parametrize("make", [pandas_frame, polars_frame])
def test_likelihood_of_numbers_for_a_frame_with_categories(make, generator):
    message = r"likelihood='gaussian' needs numbers, but column 'city' holds categories.*'auto'"

    with pytest.raises(ValueError, match=message):
        fitted(generator, make(30), likelihood="gaussian")


@pytest.mark.parametrize("likelihood", [SquaredError, SquaredError()])
def test_a_loss_that_is_no_likelihood(likelihood, generator):
    with pytest.raises(TypeError, match=r"likelihood=.*SquaredError.* skae\.losses\.Likelihood"):
        fitted(generator, make_table(30), likelihood=likelihood)


@pytest.mark.parametrize(
    "likelihood", [GaussianLikelihood, GaussianLikelihood(variance=0.1)], ids=["class", "instance"]
)
def test_likelihoods_of_ones_own(likelihood, generator):
    model = fitted(generator, make_table(60), likelihood=likelihood)

    assert isinstance(model.net_.criterion_, GaussianLikelihood)
    assert model.net_.criterion_ is not likelihood


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scale", "standard"),
        ("likelihood", "cauchy"),
        ("prior", "uniform"),
        ("n_mixture_components", 0),
        ("n_components", 0),
        ("n_components", "all"),
        ("conditional", "yes"),
    ],
)
def test_parameters_that_make_no_sense(name, value, generator):
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter.* Got '?{value}"):
        generator(**{name: value}).fit(make_table(30))


@pytest.mark.parametrize("columns", [[0, 4], [0, 3], [3], [5, 6, 7], [3, 5, 6, 7]], ids=str)
def test_unknown_parameters_of_the_likelihood(columns, generator):
    city = np.eye(3)[np.arange(90) % 3]
    X = np.c_[make_table(90), city][:, columns]

    with pytest.raises(ValueError, match="criterion__nonsense"):
        fitted(generator, X, criterion__nonsense=1.0)


def test_a_fit_that_fails_leaves_the_estimator_as_it_was(generator):
    X = make_table(60)
    model = fitted(generator, X, max_epochs=1)
    samples, codes = model.sample(10), model.transform(X)

    with pytest.raises(ValueError, match="validation_fraction"):
        model.set_params(early_stopping=True, validation_fraction=0.9).fit(-X[:5, :3])

    np.testing.assert_array_equal(model.transform(X), codes)
    np.testing.assert_array_equal(model.sample(10), samples)


class BatchNetwork(nn.Module):
    """A user's network that counts the batches it has seen."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(5)
        self.encoder, self.decoder = nn.Linear(5, 2), nn.Linear(2, 5)

    def encode(self, x):
        return self.encoder(self.norm(x))

    def decode(self, z):
        return self.decoder(z)


def test_a_network_of_ones_own_is_left_as_it_was(generator):
    module = BatchNetwork()
    before = {name: value.clone() for name, value in module.state_dict().items()}

    model = fitted(generator, make_table(60), module=module, max_epochs=1)

    assert model.transform(make_table(60)).shape == (60, 2)
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name]), name
