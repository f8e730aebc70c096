"""Which cells are wild, and that they do not blind the detector."""

import numpy as np
import pytest
import torch

from skae import AutoencoderOutlierDetector
from skae.outliers._limits import Limits

RNG = np.random.default_rng(0)


def wild(x):
    x = np.asarray(x, dtype=float)[:, None]
    return Limits.of(x)(torch.from_numpy(x)).numpy()[:, 0]


NORMAL = 50 + 4 * RNG.normal(size=400)
USUAL = {
    "normal": NORMAL,
    "uniform": RNG.random(400),
    "exponential": RNG.exponential(size=2000),
    "log-normal": RNG.lognormal(size=2000),
    "times": 1.7e9 + np.arange(400.0),
    "a far group of a fifth": np.r_[RNG.normal(size=320), 1000 + RNG.normal(size=80)],
    "rare category": np.arange(400) % 100 == 0,
    "mostly zero": np.maximum(RNG.poisson(3, 400) - 6, 0),
    "constant": np.full(20, 0.1),
    "constant but for one": np.arange(20) == 7,
    "two values": [3, 3, 3, 1e6],
    "one value": [3],
    "far, but harmless": np.r_[NORMAL, NORMAL, NORMAL, 90],
    "missing": np.full(20, np.nan),
}


@pytest.mark.parametrize("name", USUAL)
def test_usual_values_are_not_wild(name):
    assert not wild(USUAL[name]).any()


@pytest.mark.parametrize("unit", [1e-300, 1e-9, 1.0, 1e9, 1e300])
@pytest.mark.parametrize("code", [-999, -1e6, 1e6, 9999])
@pytest.mark.parametrize("share", [0.0025, 0.01, 0.05])
def test_codes_are_wild(share, code, unit):
    x = NORMAL.copy()
    x[: int(share * 400)] = code

    np.testing.assert_array_equal(wild(unit * x), x == code)


@pytest.mark.parametrize("n", [5, 10, 20, 99])
def test_single_code_among_few_rows_is_wild(n):
    np.testing.assert_array_equal(wild(np.r_[NORMAL[:n], -999]), np.arange(n + 1) == n)


def test_codes_of_both_signs_are_wild():
    x = np.r_[NORMAL, [-999] * 5, [-1e6] * 2, [1e6] * 3]

    np.testing.assert_array_equal(wild(x), np.arange(410) >= 400)


def test_codes_among_counts_that_are_mostly_zero_are_wild():
    x = np.r_[USUAL["mostly zero"], [-999] * 4]

    np.testing.assert_array_equal(wild(x), x == -999)


def test_codes_in_a_nearly_constant_column_are_wild():
    x = np.r_[np.full(380, 7.0), 7 + 0.01 * RNG.normal(size=20), [-999] * 4]

    np.testing.assert_array_equal(wild(x), x == -999)


def test_values_near_the_usual_ones_are_not_wild():
    limits = Limits.of(np.r_[NORMAL, -999][:, None])

    assert limits.low < NORMAL.min() - 10
    assert limits.high > NORMAL.max() + 10


# ---------------------------------------------------------------- what the detector makes of them


def situation(n=120):
    """Return rows near a plane, and new ones, the first ten of which are wrong in one column."""
    rng = np.random.default_rng(1)
    plane = rng.normal(size=(2, 5))
    rows = rng.normal(size=(n + 60, 2)) @ plane + 0.2 * rng.normal(size=(n + 60, 5))
    rows[n : n + 10, 2] += 8
    return rows[:n], rows[n:]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("columns", "n_codes", "code", "n"),
    [
        ([2], 1, -999, 60),
        ([2], 1, -1e6, 120),
        ([2], 6, 9999, 120),
        ([0, 2, 4], 2, 1e6, 120),
    ],
)
def test_codes_do_not_blind_the_detector(columns, n_codes, code, n):
    train, new = situation(n)
    for j in columns:
        train[j : j + n_codes, j] = code
    coded = new[20:30].copy()
    coded[:, 2] = code

    detector = AutoencoderOutlierDetector(random_state=0).fit(train)

    assert (detector.predict(new)[:10] == -1).all()
    assert (detector.predict(new)[10:] == 1).mean() > 0.85
    assert (detector.predict(coded) == -1).all()
    assert (detector.feature_errors(coded).argmax(1) == 2).all()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("scale", ["auto", None])
@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_scores_are_the_same_in_every_unit_of_the_table(unit, scale):
    train, new = situation()
    first, second = (
        AutoencoderOutlierDetector(scale=scale, random_state=0).fit(train * u) for u in (1, unit)
    )

    expected = first.score_samples(new)

    np.testing.assert_allclose(second.score_samples(new * unit), expected, rtol=0.01, atol=0.05)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("offset", [1e8, 1.7e9])
def test_scores_are_the_same_with_large_offsets(offset):
    train, new = situation()
    first, second = (AutoencoderOutlierDetector(random_state=0).fit(train + o) for o in (0, offset))

    expected = first.score_samples(new)

    np.testing.assert_allclose(second.score_samples(new + offset), expected, rtol=0.01, atol=0.05)


@pytest.mark.usefixtures("quick")
def test_wild_values_that_become_common_in_a_stream_are_learned():
    train = situation()[0]
    train[0, 2] = 100
    detector = AutoencoderOutlierDetector(random_state=0).fit(train)
    assert not np.isnan(detector.estimator_._limits.high[2])

    train[:, 2] = 100 + np.arange(120) % 7
    detector.partial_fit(train)

    assert np.isnan(detector.estimator_._limits.high[2])
