"""The way of a table's columns to what networks like, and back."""

import numpy as np
import pytest
import torch
from scipy import integrate
from scipy.stats import kstest, norm
from sklearn.datasets import load_digits

from skae.losses import (
    BernoulliLikelihood,
    CategoricalLikelihood,
    ColumnLikelihoods,
    GaussianLikelihood,
)
from skae.tables import Columns, NormalScores

N = 600


def make(name, n=N):
    rng = np.random.default_rng(0)
    return {
        "normal": lambda: rng.normal(5, 3, n),
        "skewed": lambda: np.exp(rng.normal(size=n)),
        "uniform": lambda: rng.uniform(-1, 1, n),
        "heavy": lambda: rng.standard_cauchy(n),
        "far": lambda: 1e6 + rng.exponential(size=n),
        "counts": lambda: rng.poisson(4, n).astype(float),
        "few_levels": lambda: rng.choice([-0.3, 0.1, 7.0], n),
        "capped": lambda: np.minimum(rng.exponential(size=n), 2.5),
        "zero_inflated": lambda: np.where(rng.random(n) < 0.4, 0, rng.exponential(size=n)),
        "two_frequent": lambda: rng.permutation(
            np.r_[np.zeros(n // 8), np.ones(n // 8), rng.uniform(-1, 2, n - n // 8 * 2)]
        ),
    }[name]()


CONTINUOUS = ["normal", "skewed", "uniform", "heavy", "far"]
DISCRETE = ["counts", "few_levels"]
TIED = ["capped", "zero_inflated", "two_frequent"]
ALL = [*CONTINUOUS, *DISCRETE, *TIED]


@pytest.fixture(params=ALL)
def column(request):
    x = make(request.param)
    return x, NormalScores.of(x)


def position(n=N):
    return np.random.default_rng(1).random(n)


# ---------------------------------------------------------------- scores


def test_scores_stand_for_their_values(column):
    x, scores = column

    for place in (0.5, position()):
        np.testing.assert_allclose(scores.inverse(scores.forward(x, place)[0]), x, rtol=1e-12)


@pytest.mark.parametrize("name", [*DISCRETE, *TIED])
def test_frequent_values_come_back_exactly(name):
    x = make(name)
    scores = NormalScores.of(x)
    frequent = np.isin(x, [value for value in np.unique(x) if (x == value).sum() > 1])

    back = scores.inverse(scores.forward(x, position())[0])

    assert frequent.any()
    np.testing.assert_array_equal(back[frequent], x[frequent])


@pytest.mark.parametrize("name", ALL)
def test_scores_are_about_standard_normal(name):
    x = make(name, 3000)

    scores, _ = NormalScores.of(x).forward(x, position(3000))

    assert kstest(scores, "norm").statistic < 0.03


def test_scores_rise_with_the_values(column):
    x, scores = column
    grid = np.sort(np.r_[x, np.linspace(x.min() - 3 * x.std(), x.max() + 3 * x.std(), 2000)])

    u, _ = scores.forward(grid)

    assert (np.diff(u) >= -1e-12).all()
    assert u[-1] > u[0] + 1


def test_values_rise_with_the_scores(column):
    _, scores = column

    assert (np.diff(scores.inverse(np.linspace(-6, 6, 2000))) >= 0).all()


def test_values_never_leave_the_training_range(column):
    x, scores = column

    values = scores.inverse(np.r_[-1e6, np.linspace(-10, 10, 1000), 1e6])

    assert values.min() == x.min()
    assert values.max() == x.max()


@pytest.mark.parametrize("name", DISCRETE)
def test_values_of_a_discrete_column_are_training_values(name):
    x = make(name)

    values = NormalScores.of(x).inverse(np.linspace(-5, 5, 1000))

    np.testing.assert_array_equal(np.unique(values), np.unique(x))


@pytest.mark.parametrize("name", DISCRETE)
def test_unseen_values_have_the_score_of_the_nearest(name):
    x = make(name)
    values, scores = np.unique(x), NormalScores.of(x)
    gaps = np.diff(values)

    for share, nearest in [(0.4, values[:-1]), (0.6, values[1:])]:
        between = values[:-1] + share * gaps
        np.testing.assert_array_equal(scores.forward(between)[0], scores.forward(nearest)[0])
    beyond, _ = scores.forward(np.array([values[0] - 9, values[-1] + 9]))
    np.testing.assert_array_equal(beyond, scores.forward(values[[0, -1]])[0])


def density(scores, x):
    """Return the density, or the probability, of values whose scores are standard normal."""
    places = (np.arange(50) + 0.5) / 50
    logs = [norm.logpdf(u) + each for u, each in (scores.forward(x, place) for place in places)]
    return np.exp(logs).mean(axis=0)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("sign", [1, -1])
def test_densities_fall_beyond_the_range(name, sign):
    x = sign * make(name)
    beyond = x.max() + np.ptp(x) * np.array([1e-9, 0.01, 0.1, 0.3, 1, 10, 1000])

    values = density(NormalScores.of(x), beyond)

    assert (np.diff(values) <= 0).all()
    assert values[0] < 1.01 * density(NormalScores.of(x), np.array([x.max() - 1e-9 * np.ptp(x)]))
    assert values[-1] < 1e-99


@pytest.mark.parametrize("name", [*CONTINUOUS, *TIED])
def test_values_beyond_the_range_go_on_as_a_line(name):
    x = make(name)
    beyond = x.max() + x.std() * np.array([1.0, 2.0, 5.0])

    for sign in (1, -1):
        u, log_volume = NormalScores.of(sign * x).forward(sign * beyond)

        slope = (u[1] - u[0]) / x.std() * sign
        assert slope <= 1 / x.std() * (1 + 1e-9)
        np.testing.assert_allclose(u[2] - u[1], 3 * (u[1] - u[0]), rtol=1e-6)
        np.testing.assert_allclose(log_volume, np.log(slope), rtol=1e-6)


# ---------------------------------------------------------------- values that were not seen


@pytest.mark.parametrize("unit", [1, 0.1, 1e-9, 25.0])
@pytest.mark.parametrize("offset", [0, 7, -100])
def test_probabilities_of_a_grid_sum_to_one(unit, offset):
    x = unit * (offset + np.random.default_rng(0).poisson(3, 300))
    grid = unit * (offset + np.arange(-40, 90))

    assert density(NormalScores.of(x), grid).sum() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("x", [[0.0, 1.0] * 9, [2.0, 5.0, 9.0] * 9, [0.0, 4.0, 7.0] * 9, [0.0] * 9])
def test_probabilities_sum_to_one_where_values_have_gaps(x):
    x = np.array(x)

    total = density(NormalScores.of(x), np.arange(-4000, 4000.0))

    assert total.sum() == pytest.approx(1, abs=0.05)
    assert total[np.isin(np.arange(-4000, 4000), x)].sum() > 0.9


def test_values_in_gaps_are_unlikely_but_possible():
    x = np.array([1.0, 2.0, 3.0, 7.0, 8.0] * 20)

    seen, unseen = (density(NormalScores.of(x), np.array(t)) for t in ([3.0, 7.0], [4.0, 5.0, 6.0]))

    assert (unseen < 0.05 * seen.min()).all()
    assert (unseen > 1e-4).all()


@pytest.mark.parametrize("rounding", [np.float32, lambda x: x + 1e-9, lambda x: (x + 0.7) - 0.7])
def test_rounding_makes_no_value_an_unseen_one(rounding):
    x = np.random.default_rng(0).integers(40, 80, 300) / 10
    scores = NormalScores.of(x)

    actual = scores.forward(np.asarray(rounding(x), dtype=float))

    np.testing.assert_array_equal(actual, scores.forward(x))


def test_rounding_makes_no_step():
    """Sums of decimals differ in their last bits."""
    x = np.r_[np.arange(1, 30) / 10, np.cumsum(np.full(29, 0.1))]
    scores = NormalScores.of(np.repeat(x, 4))

    assert density(scores, np.array([60.0])) < 1e-9 < density(scores, np.array([3.0]))


@pytest.mark.parametrize("unit", [1e-12, 1e9])
def test_units_do_not_matter_to_unseen_values(unit):
    x = np.random.default_rng(0).poisson(3, 300).astype(float)
    t = np.array([-3.0, 2.5, 40.0])

    moved = NormalScores.of(unit * x).forward(unit * t)

    np.testing.assert_allclose(moved, NormalScores.of(x).forward(t), rtol=1e-9)


def test_large_offsets_keep_their_resolution():
    x = 1.7e9 + np.random.default_rng(0).permutation(300.0 + np.arange(300))
    scores = NormalScores.of(x)

    assert len(np.unique(scores.forward(x)[0])) == 300
    np.testing.assert_allclose(scores.inverse(scores.forward(x)[0]), x, atol=1e-5, rtol=0)


# ---------------------------------------------------------------- volumes


@pytest.mark.parametrize("name", [*CONTINUOUS, *TIED])
def test_log_volume_is_the_logarithm_of_the_derivative(name):
    x = make(name)
    scores = NormalScores.of(x)
    t = np.random.default_rng(2).uniform(x.min() - x.std(), x.max() + x.std(), 500)
    h = 1e-7 * x.std()
    t = t[np.abs(t[:, None] - np.unique(x)).min(axis=1) > 10 * h]

    _, log_volume = scores.forward(t)

    numerical = (scores.forward(t + h)[0] - scores.forward(t - h)[0]) / (2 * h)
    assert len(t) > 300
    np.testing.assert_allclose(np.exp(log_volume), numerical, rtol=1e-2, atol=1e-9 / h)


@pytest.mark.parametrize("name", [*DISCRETE, *TIED])
def test_frequent_value_owns_an_interval_of_its_share(name):
    x = make(name)
    values, counts = np.unique(x, return_counts=True)
    values, counts = values[counts > 10], counts[counts > 10]
    scores = NormalScores.of(x)

    (start, _), (stop, _) = scores.forward(values, 0.0), scores.forward(values, 1.0)

    np.testing.assert_allclose(norm.cdf(stop) - norm.cdf(start), counts / N, atol=0.51 / N)


@pytest.mark.parametrize("name", DISCRETE)
def test_intervals_of_a_discrete_column_fill_the_line(name):
    x = make(name)
    scores = NormalScores.of(x)

    start, stop = (scores.forward(np.unique(x), end)[0] for end in (0.0, 1.0))

    np.testing.assert_allclose(start[1:], stop[:-1], atol=1e-12)
    assert norm.cdf(stop[-1]) - norm.cdf(start[0]) == pytest.approx(1, abs=2 / N)


@pytest.mark.parametrize("name", [*DISCRETE, *TIED])
def test_density_times_volume_is_the_share_of_a_frequent_value(name):
    """It is so on average over the positions, for scores that are standard normal."""
    x = make(name)
    scores = NormalScores.of(x)
    values, counts = np.unique(x, return_counts=True)
    places = (np.arange(20_000) + 0.5) / 20_000

    for value, count in zip(values[counts > 10], counts[counts > 10], strict=True):
        u, log_volume = scores.forward(np.full(len(places), value), places)
        share = np.mean(norm.pdf(u) * np.exp(log_volume))
        assert share == pytest.approx(count / N, abs=0.51 / N)


@pytest.mark.parametrize("name", ["normal", "skewed", "uniform"])
def test_density_times_volume_has_mass_one(name):
    x = make(name)
    t = np.linspace(x.min() - 9 * x.std(), x.max() + 9 * x.std(), 200_001)

    u, log_volume = NormalScores.of(x).forward(t)

    density = norm.pdf(u) * np.exp(log_volume)
    assert integrate.trapezoid(density, t) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("unit", [1e-15, 1e-3, 1e3, 1e15])
@pytest.mark.parametrize("name", ["normal", "skewed", "two_frequent"])
def test_units_only_move_the_volume(name, unit):
    x = make(name)
    u, log_volume = NormalScores.of(x).forward(x)

    actual, moved = NormalScores.of(unit * x).forward(unit * x)

    is_frequent = np.isin(x, [0.0, 1.0])
    np.testing.assert_allclose(actual, u, atol=1e-9)
    expected = np.where(is_frequent, log_volume, log_volume - np.log(unit))
    np.testing.assert_allclose(moved, expected, atol=1e-6)


# ---------------------------------------------------------------- special columns


def test_nearly_normal_column_is_only_centred_and_scaled():
    x = make("normal", 3000)
    t = np.linspace(-50, 50, 11)

    u, log_volume = NormalScores.of(x).forward(t)

    np.testing.assert_allclose(u, (t - x.mean()) / x.std())
    np.testing.assert_allclose(log_volume, -np.log(x.std()))


@pytest.mark.parametrize("x", [[0.0, 1.0], [0.0, 0.0, 1.0], [3.0, 1.0, 2.0], [1.0, 2.0, 3.0, 9.0]])
def test_few_rows(x):
    x = np.array(x)
    scores = NormalScores.of(x)

    u, log_volume = scores.forward(x)

    assert np.isfinite(u).all()
    assert np.isfinite(log_volume).all()
    np.testing.assert_allclose(scores.inverse(u), x, rtol=1e-9)
    assert (scores.inverse(np.array([-9.0, 9.0])) == [x.min(), x.max()]).all()


@pytest.mark.parametrize("name", ALL)
def test_single_precision(name):
    x = make(name).astype(np.float32)
    scores = NormalScores.of(x)

    u, log_volume = scores.forward(x.astype(float))

    assert np.isfinite(log_volume).all()
    np.testing.assert_allclose(scores.inverse(u), x, rtol=1e-7, atol=1e-7 * x.std())


# ---------------------------------------------------------------- kinds of columns


def table(n=N):
    """Return columns of every kind; those of column 9 are the numbers of categories."""
    rng = np.random.default_rng(0)
    X = np.empty((n, 10))
    X[:, 0] = np.exp(rng.normal(size=n))
    X[:, 1] = rng.random(n) < 0.2
    X[:, 2:5] = np.eye(3)[rng.integers(3, size=n)]
    X[:, 5] = 7
    X[:, 6] = rng.poisson(4, n)
    X[:, 7] = rng.choice([-0.3, 0.1], n)
    X[:, 8] = rng.normal(3, 2, n)
    X[:, 9] = rng.integers(4, size=n)
    return X


CATEGORIES = {9: 4}


@pytest.fixture
def columns():
    return Columns.of(table(), CATEGORIES, "auto", True)


def test_kinds_are_recognised(columns):
    assert columns.numbers.tolist() == [0, 6, 8]
    assert columns.binary.tolist() == [1, 5, 7]
    assert columns.groups == [[2, 3, 4]]
    assert columns.categories == {9: 4}
    assert columns.n_outputs == 3 + 3 + 3 + 4
    assert not columns.are_pixels


def test_categories_of_two_values_are_categories():
    X = table()
    X[:, 9] %= 2

    assert Columns.of(X, {9: 2}, "auto", True).categories == {9: 2}


def one_hot(*sizes):
    rng = np.random.default_rng(0)
    return np.hstack([np.eye(size)[rng.integers(size, size=N)] for size in sizes])


def test_neighbouring_groups_are_told_apart():
    columns = Columns.of(one_hot(3, 2, 4), {}, "auto", True)

    assert columns.groups == [[0, 1, 2], [3, 4], [5, 6, 7, 8]]
    assert not len(columns.binary)


def test_flag_before_a_group():
    """It never coincides with the first column of the group."""
    group = one_hot(2)
    flag = group[:, 1] * (np.arange(N) % 3 == 0)

    columns = Columns.of(np.column_stack([flag, group]), {}, "auto", True)

    assert columns.binary.tolist() == [0]
    assert columns.groups == [[1, 2]]


@pytest.mark.parametrize(
    "X",
    [
        one_hot(3)[:, :2],  # some rows have none
        one_hot(3)[:, [0, 0, 1, 2]][:, :3],  # some rows have two
        2 * one_hot(3),
        np.insert(one_hot(3)[:, [0, 1]], 1, np.linspace(0, 1, N), axis=1),  # not neighbours
    ],
)
def test_no_groups(X):
    assert Columns.of(X, {}, "auto", True).groups == []


def test_rare_flags_are_no_group():
    X = np.zeros((N, 3))
    X[[0, 1, 2], [0, 1, 2]] = 1

    columns = Columns.of(X, {}, "auto", True)

    assert columns.binary.tolist() == [0, 1, 2]


def test_pixels_share_a_range():
    X = load_digits().data
    columns = Columns.of(X, {}, "auto", True)

    encoded, log_volume = columns.encode(X)

    assert columns.are_pixels
    assert {0, 32, 39} <= set(columns.numbers)  # empty margins
    pixels = encoded[:, : len(columns.numbers)]
    np.testing.assert_allclose(pixels, X[:, columns.numbers] / 16)
    np.testing.assert_allclose(log_volume, -len(columns.numbers) * np.log(16))
    np.testing.assert_allclose(columns.decode(encoded), X)


def test_binary_images_are_binary():
    X = (load_digits().data[:, 10:] > 8).repeat(2, axis=1).astype(float)

    assert isinstance(Columns.of(X, {}, "auto", True).likelihood().make(), BernoulliLikelihood)


@pytest.mark.parametrize("n_columns", [63, 64])
def test_pixels_are_many(n_columns):
    X = np.random.default_rng(0).integers(256, size=(N, n_columns)).astype(float)

    assert Columns.of(X, {}, "auto", True).are_pixels == (n_columns == 64)


def test_wide_tables_are_no_images():
    X = np.random.default_rng(0).normal(size=(N, 80)) * np.logspace(0, 3, 80)

    assert not Columns.of(X, {}, "auto", True).are_pixels


def test_range_is_common():
    X = np.array([[1.0, 4.0], [2.0, 5.0], [3.0, 3.0]])

    encoded, log_volume = Columns.of(X, {}, "range", True).encode(X)

    np.testing.assert_allclose(encoded, (X - 1) / 4)
    np.testing.assert_allclose(log_volume, -2 * np.log(4))


@pytest.mark.parametrize(("unit", "offset"), [(1, 0), (1e-9, 0), (1e9, 0), (1, 1e9)])
def test_unit_is_common(unit, offset):
    X = table()[:, [0, 6, 8]]

    encoded, log_volume = Columns.of(unit * X + offset, {}, "unit", True).encode(unit * X + offset)

    factor = X.var(axis=0).mean() ** 0.5
    np.testing.assert_allclose(encoded, (X - X.mean(axis=0)) / factor, atol=1e-6)
    np.testing.assert_allclose(log_volume, -3 * np.log(unit * factor))


def test_variances_are_given_in_the_units_of_the_data():
    columns = Columns.of(1e3 * table()[:, [0, 6, 8]], {}, "unit", True)

    assert columns.likelihood({"variance": 4.0}).make().variance == 4 / columns.factor**2
    assert columns.likelihood({"variance": "predicted"}).make().variance == "predicted"


def test_no_scale_leaves_numbers_as_they_are():
    X = table()[:, [0, 6, 8]]
    columns = Columns.of(X, {}, None, False)

    encoded, log_volume = columns.encode(X)

    np.testing.assert_array_equal(encoded, X)
    assert (log_volume == 0).all()


def test_one_likelihood_for_all_takes_all_columns_as_they_are():
    X = table()[:, :9]
    columns = Columns.of(X, {}, None, False)

    np.testing.assert_array_equal(columns.encode(X)[0], X)
    np.testing.assert_array_equal(columns.decode(X), X)


# ---------------------------------------------------------------- encode, decode


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_come_back(dtype):
    X = table().astype(dtype)
    columns = Columns.of(X, CATEGORIES, "auto", True)

    back = columns.decode(columns.encode(X)[0])

    np.testing.assert_allclose(back, X, rtol=1e-5 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_binary_values_come_back_exactly(dtype):
    X = np.sort(np.random.default_rng(0).normal(size=(2, 100)), axis=0).astype(dtype)
    columns = Columns.of(X.repeat(5, axis=0), {}, "auto", True)

    np.testing.assert_array_equal(columns.decode(columns.encode(X)[0].astype(float)), X)


def test_encoded_columns_are_in_order(columns):
    X = table()

    encoded, _ = columns.encode(X)

    for i, (j, scores) in enumerate(zip([0, 6, 8], columns.scores, strict=True)):
        np.testing.assert_allclose(encoded[:, i], scores.forward(X[:, j])[0])
    np.testing.assert_array_equal(encoded[:, 3], X[:, 1])
    np.testing.assert_array_equal(encoded[:, 4], 0)
    np.testing.assert_array_equal(encoded[:, 5], X[:, 7] == 0.1)
    np.testing.assert_array_equal(encoded[:, 6:9], X[:, 2:5])
    np.testing.assert_array_equal(encoded[:, 9:], X[:, [9]] == np.arange(4))


def test_log_volume_is_that_of_the_numbers(columns):
    X, places = table(), np.random.default_rng(2).random((N, 3))

    _, log_volume = columns.encode(X, places)

    parts = [
        scores.forward(X[:, j], places[:, i])[1]
        for i, (j, scores) in enumerate(zip([0, 6, 8], columns.scores, strict=True))
    ]
    binary = Columns.of(X[:, [1, 5, 7]], {}, None, True).encode(X[:, [1, 5, 7]])[1]
    np.testing.assert_allclose(log_volume, sum(parts) + binary)


def test_one_position_for_all_rows(columns):
    X, places = table(), np.array([[0.1, 0.2, 0.3]])

    one, all_rows = columns.encode(X, places), columns.encode(X, places.repeat(N, axis=0))

    for actual, expected in zip(one, all_rows, strict=True):
        np.testing.assert_array_equal(actual, expected)


def test_positions_do_not_change_what_is_decoded(columns):
    X = table()

    encoded, _ = columns.encode(X, np.random.default_rng(2).random((N, 3)))

    np.testing.assert_allclose(columns.decode(encoded), X, rtol=1e-12)


def test_probabilities_are_decoded_to_expected_values_and_likeliest_categories(columns):
    encoded = np.zeros((1, columns.n_outputs))
    encoded[0, 3:6] = 0.25
    encoded[0, 6:9] = [0.5, 0.2, 0.3]
    encoded[0, 9:] = [0.1, 0.2, 0.4, 0.3]

    row = columns.decode(encoded)[0]

    np.testing.assert_allclose(row[[1, 5, 7]], [0.25, 7, -0.2])
    np.testing.assert_allclose(row[2:5], [0.5, 0.2, 0.3])
    assert row[9] == 2


@pytest.mark.parametrize(("value", "nearest"), [(0.0, 0), (1.4, 0), (1.6, 1), (3.0, 1)])
def test_other_values_of_binary_columns_are_unlikely(value, nearest):
    X = np.array([[1.0], [2.0], [1.0]]).repeat(20, axis=0)
    columns = Columns.of(X, {}, None, True)

    (one,), (price,) = columns.encode(np.array([[value]]))

    assert one == nearest
    assert -6 < price < -3
    assert columns.encode(np.array([[1000 * value + 999]]))[1] < -900


def test_probabilities_of_a_binary_column_sum_to_one():
    X = np.array([[0.0], [1.0], [0.0]]).repeat(20, axis=0)

    encoded, log_share = Columns.of(X, {}, None, True).encode(np.arange(-99.0, 100)[:, None])

    share = np.where(encoded[:, 0] == 1, 1 / 3, 2 / 3)
    assert np.sum(share * np.exp(log_share)) == pytest.approx(1)


def test_values_of_binary_columns_in_another_precision():
    X = np.array([[0.1, 0.3], [0.2, 0.3]])

    np.testing.assert_array_equal(
        Columns.of(X, {}, None, True).encode(X.astype(np.float32))[0], [[0, 0], [1, 0]]
    )


@pytest.mark.parametrize("value", [5.0, 0.0, 1e-9])
def test_other_values_of_constant_columns_are_unlikely(value):
    columns = Columns.of(np.full((30, 1), value), {}, None, True)

    encoded, log_share = columns.encode(np.array([[value], [value + 1], [value - 100]]))

    np.testing.assert_array_equal(encoded, 0)
    assert log_share[0] > -0.02
    assert log_share[0] - 4 > log_share[1] > log_share[2]


# ---------------------------------------------------------------- missing numbers


def incomplete(n=N):
    """Return a table as above, some of whose numbers are missing."""
    X = table(n)
    X[::4, 0] = X[::3, 6] = np.nan
    return X


@pytest.fixture
def with_holes():
    return Columns.of(incomplete(), CATEGORIES, "auto", True)


def test_what_is_missing_is_seen_in_columns_of_its_own(with_holes):
    X, complete = incomplete(), ~np.isnan(incomplete()).any(axis=1)

    encoded, log_volume = with_holes.encode(X)

    assert with_holes.n_outputs == encoded.shape[1] == 3 + 3 + 2 + 3 + 4
    np.testing.assert_array_equal(encoded[:, 6:8], np.isnan(X[:, [0, 6]]))
    np.testing.assert_array_equal(encoded[:, :2][np.isnan(X[:, [0, 6]])], 0)
    assert np.isfinite(encoded).all()
    assert np.isfinite(log_volume).all()
    np.testing.assert_allclose(with_holes.decode(encoded)[complete], X[complete])


@pytest.mark.parametrize("scale", ["auto", "unit", None])
def test_rows_with_holes_come_back(scale):
    X = incomplete()
    columns = Columns.of(X, CATEGORIES, scale, True)

    np.testing.assert_allclose(columns.decode(columns.encode(X)[0]), X, rtol=1e-9, atol=1e-9)


def test_scores_of_what_is_there_are_those_of_what_is_there():
    x = table()[:, [0]]
    holed = np.r_[x, np.full((200, 1), np.nan)]

    actual = Columns.of(holed, {}, "auto", True).encode(holed)

    expected = Columns.of(x, {}, "auto", True).encode(x)
    np.testing.assert_array_equal(actual[0][:N, 0], expected[0][:, 0])
    np.testing.assert_array_equal(actual[1], np.r_[expected[1], np.zeros(200)])


def test_likelihood_of_numbers_that_may_be_missing(with_holes):
    likelihood = with_holes.likelihood().make()
    target = torch.from_numpy(with_holes.encode(incomplete())[0])

    likelihood.check_target(target)
    logs = likelihood.double().log_prob(torch.zeros_like(target), target)

    numbers, missing = logs[:, :2], target[:, 6:8] == 1
    assert (numbers[missing] == 0).all()
    assert (numbers[~missing] < 0).all()
    np.testing.assert_allclose(logs[:, 6:8], -np.log(2))


@pytest.mark.parametrize("j", [0, 1, 5, 6, 7])
def test_what_is_missing_where_nothing_was_has_the_price_of_what_was_not_seen(columns, j):
    X = table()[:1]
    X[0, j] = np.nan

    encoded, log_volume = columns.encode(X)

    assert np.isfinite(encoded).all()
    assert np.isfinite(log_volume).all()
    assert log_volume[0] < columns.encode(table()[:1])[1][0] + 12


@pytest.mark.parametrize("values", [[np.nan, 1.0] * 5, [np.nan, 1.0, 2.0] * 5])
def test_few_values_of_which_some_are_missing(values):
    X = np.array(values)[:, None]
    columns = Columns.of(X, {}, "auto", True)

    encoded, log_volume = columns.encode(X)

    np.testing.assert_array_equal(columns.decode(encoded), X)
    assert np.isfinite(log_volume).all()


def test_columns_without_values_are_refused():
    X = table()
    X[:, 6] = np.nan

    with pytest.raises(
        ValueError, match=r"column 'g' has no values, .* all 600 rows: leave it out"
    ):
        Columns.of(X, CATEGORIES, "auto", True, list("abcdefghij"))


@pytest.mark.parametrize(("scale", "is_mixed"), [("range", True), (None, False)])
def test_missing_numbers_that_can_not_be_learned(scale, is_mixed):
    with pytest.raises(ValueError, match=r"NaN in column 6, and .* can't learn missing numbers"):
        Columns.of(incomplete()[:, 1:9], {}, scale, is_mixed, range(1, 9))


def test_wide_tables_with_holes_are_no_images():
    X = np.random.default_rng(0).integers(256, size=(N, 64)).astype(float)
    X[3, 5] = np.nan

    assert not Columns.of(X, {}, "auto", True).are_pixels


# ---------------------------------------------------------------- likelihood


def test_likelihood_has_a_part_for_each_kind(columns):
    likelihood = columns.likelihood().make()

    assert [type(part) for part in likelihood.parts] == [
        GaussianLikelihood,
        BernoulliLikelihood,
        CategoricalLikelihood,
    ]
    assert list(likelihood.parts[2].sizes) == [3, 4]
    likelihood.check_target(torch.from_numpy(columns.encode(table())[0]))


def test_likelihood_of_categories_adds_up_over_each_group(columns):
    likelihood = columns.likelihood().make()
    target = torch.from_numpy(columns.encode(table())[0])

    log_prob = likelihood.double().log_prob(torch.zeros_like(target), target)

    groups = log_prob[:, 6:9].sum(1), log_prob[:, 9:].sum(1)
    np.testing.assert_allclose(groups[0], -np.log(3))
    np.testing.assert_allclose(groups[1], -np.log(4))


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [([0, 6, 8], GaussianLikelihood), ([1, 5, 7], BernoulliLikelihood)],
)
def test_likelihood_that_all_columns_share_is_no_mixture(chosen, expected):
    X = table()[:, chosen]

    likelihood = Columns.of(X, {}, "auto", True).likelihood().make()

    assert type(likelihood) is expected
    assert likelihood.n_parameters == 1


def test_likelihood_of_categories_alone():
    X = table()[:, 2:5]

    likelihood = Columns.of(X, {}, "auto", True).likelihood().make()

    assert isinstance(likelihood, ColumnLikelihoods)
    likelihood.check_target(torch.from_numpy(X))


def test_likelihood_of_pixels_is_bounded():
    X = np.random.default_rng(0).integers(256, size=(N, 64)).astype(float)

    likelihood = Columns.of(X, {}, "auto", True).likelihood().make()

    assert type(likelihood) is GaussianLikelihood
    assert likelihood.bounds == (0.0, 1.0)


@pytest.mark.parametrize("scale", ["normal_scores", "range", None])
def test_least_variance_is_small_in_the_units_of_the_columns(scale):
    X = 0.01 * table()[:, [0, 6, 8]]
    columns = Columns.of(X, {}, scale, True)

    likelihood = columns.likelihood().make()

    variance = columns.encode(X)[0].var(axis=0).min()
    assert likelihood.least_variance < 0.01 * variance


# ---------------------------------------------------------------- copies


def test_training_rows_are_seen(columns):
    X = table()
    columns = columns.remembering(X)

    assert columns.seen(X).all()
    assert columns.seen(X[::-7]).all()


def test_rows_that_differ_in_one_cell_are_not_seen(columns):
    X = table()
    columns = columns.remembering(X)
    X[:, 0] = np.nextafter(X[:, 0], np.inf)

    assert not columns.seen(X).any()


def test_cells_in_other_columns_are_not_seen():
    X = np.eye(5)[:3]
    columns = Columns.of(X, {}, None, False).remembering(X)

    assert columns.seen(np.eye(5)).tolist() == [True] * 3 + [False] * 2
    assert columns.seen(np.zeros((1, 5))).tolist() == [False]


def test_rows_that_occur_several_times_are_nobodys():
    X = np.repeat(np.arange(8.0)[:, None], [1, 1, 1, 1, 1, 1, 3, 4], axis=0)
    columns = Columns.of(X, {}, None, False).remembering(X)

    assert columns.seen(X).tolist() == [True] * 6 + [False] * 7


def test_rows_are_not_remembered_where_chance_makes_many_equal():
    X = np.repeat(np.arange(100.0), [1] * 98 + [2, 2])[:, None]
    columns = Columns.of(X, {}, None, False).remembering(X)

    assert not columns.seen(X).any()


def test_zero_has_no_sign():
    X = np.c_[np.arange(9) - 4.0, np.zeros(9)]

    columns = Columns.of(X, {}, None, False).remembering(X + 0.0)

    assert columns.seen(np.where(X == 0, -0.0, X)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_copies_are_seen_after_decoding(dtype):
    """Columns that come back exactly, of numbers that are frequent, of two values, of groups."""
    X = table().astype(dtype)[:, 1:8]
    rows = np.unique(X, axis=0)
    columns = Columns.of(X, {}, "auto", True).remembering(rows)

    back = columns.decode(columns.encode(rows)[0].astype(float))

    assert columns.seen(back).all()
