"""Data frames and arrays of every kind as matrices of numbers, and back."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal
from polars.testing import assert_frame_equal as assert_polars_equal

from skae.tables import FrameFormat, columns_named, is_frame
from skae.tables._series import is_missing

WORDS = ["b", "a", "c", "a", "b", "b"]

PANDAS = {
    "object": pd.Series(WORDS, dtype=object),
    "object_missing": pd.Series(["b", None, "c", "a", None, "b"], dtype=object),
    "category_mixed": pd.Series(["b", 1, 3, 2.5, "a", 1], dtype="category"),
    "str": pd.Series(WORDS, dtype="str"),
    "str_missing": pd.Series(["b", None, "c", "a", np.nan, "b"], dtype="str"),
    "string": pd.Series(WORDS, dtype="string"),
    "string_missing": pd.Series(["b", pd.NA, "c", "a", pd.NA, "b"], dtype="string"),
    "string[pyarrow]": pd.Series(["b", None, "c", "a", None, "b"], dtype="string[pyarrow]"),
    "ArrowDtype": pd.Series(WORDS).astype("large_string[pyarrow]"),
    "ArrowDtype(string)": pd.Series(WORDS, dtype=pd.ArrowDtype(pa.string())),
    "category": pd.Series(WORDS, dtype="category"),
    "category_missing": pd.Series(["b", None, "c", "a", None, "b"], dtype="category"),
    "category_of_numbers": pd.Series([3, 1, 2, 1, 3, 3], dtype="category"),
    "category_ordered": pd.Series(pd.Categorical(WORDS, ["c", "b", "a"], ordered=True)),
    "category_unused": pd.Series(pd.Categorical(WORDS, ["c", "b", "a", "z"])),
}
NUMBERS = {
    "bool": pd.Series([True, False, True, True, False, False]),
    "boolean": pd.Series([True, False, True, True, False, False], dtype="boolean"),
    "int8": pd.Series([-128, 127, 0, 1, 2, 3], dtype="int8"),
    "uint16": pd.Series([65535, 0, 1, 2, 3, 4], dtype="uint16"),
    "int64": pd.Series([2**40, 0, 1, 2, 3, 4]),
    "Int64": pd.Series([5, 4, 3, 2, 1, 0], dtype="Int64"),
    "Float64": pd.Series([0.5, 4, 3, 2, 1, 0], dtype="Float64"),
    "int64[pyarrow]": pd.Series([5, 4, 3, 2, 1, 0], dtype="int64[pyarrow]"),
    "double[pyarrow]": pd.Series([0.5, 4, 3, 2, 1, 0], dtype="double[pyarrow]"),
    "bool[pyarrow]": pd.Series([True, False, True, True, False, False], dtype="bool[pyarrow]"),
    "float32": pd.Series([0.1, 1, 2, 3, 4, 5], dtype="float32"),
    "float64": pd.Series([0.1, 1, 2, 3, 4, 5]),
}
POLARS = {
    "String": pl.Series(WORDS),
    "String_missing": pl.Series(["b", None, "c", "a", None, "b"]),
    "Categorical": pl.Series(WORDS, dtype=pl.Categorical),
    "Categorical_missing": pl.Series(["b", None, "c", "a", None, "b"], dtype=pl.Categorical),
    "Enum": pl.Series(WORDS, dtype=pl.Enum(["c", "z", "b", "a"])),
}
POLARS_NUMBERS = {
    "Boolean": pl.Series([True, False, True, True, False, False]),
    "Int8": pl.Series([-128, 127, 0, 1, 2, 3], dtype=pl.Int8),
    "UInt16": pl.Series([65535, 0, 1, 2, 3, 4], dtype=pl.UInt16),
    "Int64": pl.Series([2**40, 0, 1, 2, 3, 4]),
    "Float32": pl.Series([0.1, 1, 2, 3, 4, 5], dtype=pl.Float32),
    "Float64": pl.Series([0.1, 1, 2, 3, 4, 5], dtype=pl.Float64),
}

DAYS = [datetime.datetime(2020, 1, day) for day in (1, 2)]
TIMES = [datetime.datetime(2020, 2, 3, 9, 30), None, *DAYS, DAYS[0], DAYS[1]]
DATES = {
    "us": pd.Series(TIMES).astype("datetime64[us]"),
    "ns": pd.Series(TIMES).astype("datetime64[ns]"),
    "s": pd.Series(TIMES).astype("datetime64[s]"),
    "zone": pd.Series(TIMES).dt.tz_localize("America/Lima"),
    "duration": pd.Series(TIMES) - DAYS[0],
    "month": pd.Series(TIMES).dt.to_period("M"),
    "minute": pd.Series(TIMES).dt.to_period("min"),
    "timestamp[pyarrow]": pd.Series(TIMES).astype("timestamp[us][pyarrow]"),
    "zone[pyarrow]": pd.Series(TIMES).dt.tz_localize("UTC").astype("timestamp[ns, UTC][pyarrow]"),
    "date[pyarrow]": pd.Series(TIMES).dt.floor("D").astype("date32[pyarrow]"),
    "duration[pyarrow]": (pd.Series(TIMES) - DAYS[0]).astype("duration[s][pyarrow]"),
}
POLARS_DATES = {
    "Datetime": pl.Series(TIMES),
    "Datetime[ns]": pl.Series(TIMES, dtype=pl.Datetime("ns")),
    "zone": pl.Series(TIMES).dt.replace_time_zone("America/Lima"),
    "Date": pl.Series(TIMES).dt.date(),
    "Time": pl.Series(TIMES).dt.time(),
    "Duration": pl.Series(TIMES) - DAYS[0],
    "Duration[ms]": (pl.Series(TIMES) - DAYS[0]).cast(pl.Duration("ms")),
}
HOLES = {
    "boolean": pd.Series([True, None, False, True, None, False], dtype="boolean"),
    "Int64": pd.Series([2**40, None, 3, 4, None, 5], dtype="Int64"),
    "Float64": pd.Series([0.5, None, 3, 4, None, 5], dtype="Float64"),
    "float32": pd.Series([0.5, None, 3, 4, None, 5], dtype="float32"),
    "int64[pyarrow]": pd.Series([5, None, 3, 4, None, 5], dtype="int64[pyarrow]"),
    "double[pyarrow]": pd.Series([0.5, None, 3, 4, None, 5], dtype="double[pyarrow]"),
    "bool[pyarrow]": pd.Series([True, None, False, True, None, False], dtype="bool[pyarrow]"),
}
POLARS_HOLES = {
    "Boolean": pl.Series([True, None, False, True, None, False]),
    "UInt8": pl.Series([5, None, 3, 4, None, 5], dtype=pl.UInt8),
    "Float32": pl.Series([0.5, None, 3, 4, None, 5], dtype=pl.Float32),
}


def equal(actual, expected):
    if isinstance(expected, pl.DataFrame):
        assert_polars_equal(actual, expected)
    else:
        assert_frame_equal(actual, expected)


def make(name, column):
    """Return a frame with a column of any kind, and one of words."""
    if isinstance(column, pl.Series):
        return pl.DataFrame({name: column, "words": WORDS})
    return pd.DataFrame({name: column, "words": WORDS})


# ---------------------------------------------------------------- there and back


@pytest.mark.parametrize(
    ("name", "column"),
    [
        *(PANDAS | NUMBERS).items(),
        *(POLARS | POLARS_NUMBERS).items(),
        *DATES.items(),
        *POLARS_DATES.items(),
        *HOLES.items(),
        *POLARS_HOLES.items(),
    ],
)
def test_frame_comes_back(name, column):
    frame = make(name, column)
    form = FrameFormat.of(frame)

    matrix = form.matrix(frame)

    assert matrix.dtype == np.float64
    equal(form.restore(matrix), frame)


@pytest.mark.parametrize("columns", [PANDAS | NUMBERS, POLARS | POLARS_NUMBERS], ids=["pd", "pl"])
def test_frame_of_all_kinds_comes_back(columns):
    frame = (pl if "String" in columns else pd).DataFrame(columns)
    form = FrameFormat.of(frame)

    equal(form.restore(form.matrix(frame)), frame)


@pytest.mark.parametrize("columns", [NUMBERS, POLARS_NUMBERS], ids=["pd", "pl"])
def test_frame_of_numbers(columns):
    frame = (pl if "Int8" in columns else pd).DataFrame(columns)
    form = FrameFormat.of(frame)

    assert form.is_numeric
    np.testing.assert_array_equal(form.matrix(frame), frame.to_numpy().astype(float))
    equal(form.restore(frame.to_numpy().astype(float)), frame)


@pytest.mark.parametrize(("name", "column"), [*PANDAS.items(), *POLARS.items()])
def test_categories_are_numbered_from_zero(name, column):
    frame = make(name, column)
    form = FrameFormat.of(frame)

    matrix = form.matrix(frame)

    assert sorted(form.categories) == [0, 1]
    for numbers, values in zip(matrix.T, form.categories.values(), strict=True):
        assert set(numbers) == set(range(len(values)))


@pytest.mark.parametrize(("name", "column"), [*NUMBERS.items(), *POLARS_NUMBERS.items()])
def test_numbers_are_no_categories(name, column):
    frame = make(name, column)
    form = FrameFormat.of(frame)

    assert list(form.categories) == [1]
    np.testing.assert_array_equal(form.matrix(frame)[:, 0], column.to_numpy().astype(float))


@pytest.mark.parametrize("frame_class", [pd.DataFrame, pl.DataFrame])
def test_missing_is_the_last_category(frame_class):
    form = FrameFormat.of(frame_class({"a": ["y", None, "x"]}))

    assert form.categories == {0: ["x", "y", None]}


def test_categories_do_not_depend_on_the_order_of_rows():
    frame = pd.DataFrame(PANDAS)

    assert FrameFormat.of(frame[::-1]).categories == FrameFormat.of(frame).categories


@pytest.mark.parametrize("frame_class", [pd.DataFrame, pl.DataFrame])
def test_numbers_between_whole_ones_are_rounded(frame_class):
    form = FrameFormat.of(frame_class({"a": [1, 2], "b": [True, False], "c": [0.5, 1.0]}))

    frame = form.restore(np.array([[1.6, 0.7, 1.6], [0.4, 0.2, 0.4]]))

    equal(frame, frame_class({"a": [2, 0], "b": [True, False], "c": [1.6, 0.4]}))


def test_number_of_rows_is_free():
    form = FrameFormat.of(make("category", PANDAS["category"]))

    assert form.restore(np.array([[0.0, 1.0]] * 20)).shape == (20, 2)


def test_index_does_not_matter():
    frame = pd.DataFrame({"a": [1.5, 2.5], "b": ["x", "y"]}, index=[7, 3])
    form = FrameFormat.of(frame)

    equal(form.restore(form.matrix(frame)), frame.reset_index(drop=True))


def test_index_is_that_of_what_rows_are_made_of():
    frame = pd.DataFrame({"a": [1.5, 2.5], "b": ["x", "y"]}, index=[7, 7])
    form = FrameFormat.of(frame)

    equal(form.restore(form.matrix(frame), frame), frame)


def test_names_that_are_no_strings():
    frame = pd.DataFrame({0: WORDS, 1: np.arange(6.0)})
    form = FrameFormat.of(frame)

    equal(form.restore(form.matrix(frame)), frame)


def test_names_that_occur_twice():
    frame = pd.DataFrame([[1.0, "x"], [2.0, "y"]], columns=["a", "a"])

    with pytest.raises(ValueError, match="'a'"):
        FrameFormat.of(frame)


# ---------------------------------------------------------------- other rows


@pytest.mark.parametrize("frame_class", [pd.DataFrame, pl.DataFrame])
def test_new_rows_have_the_numbers_of_the_training_data(frame_class):
    form = FrameFormat.of(frame_class({"a": ["y", "x", "z"], "b": [1.0, 2.0, 3.0]}))

    matrix = form.matrix(frame_class({"a": ["z", "z"], "b": [5.0, 7.0]}))

    np.testing.assert_array_equal(matrix, [[2, 5], [2, 7]])


@pytest.mark.parametrize("frame_class", [pd.DataFrame, pl.DataFrame])
def test_unknown_categories(frame_class):
    form = FrameFormat.of(frame_class({"size": [1.0, 2.0], "colour": ["red", "blue"]}))
    new = frame_class({"size": [1.0] * 3, "colour": ["red", "green", "brown"]})

    np.testing.assert_array_equal(form.matrix(new)[:, 1], [1, np.nan, np.nan])


@pytest.mark.parametrize("frame_class", [pd.DataFrame, pl.DataFrame])
def test_missing_where_nothing_was(frame_class):
    form = FrameFormat.of(frame_class({"colour": ["red", "blue"]}))

    matrix = form.matrix(frame_class({"colour": ["red", None]}))

    np.testing.assert_array_equal(matrix, [[1], [np.nan]])


@pytest.mark.parametrize(
    "column",
    [pd.Series([1, 0, pd.NA], dtype=dtype) for dtype in ("Int64", "Float64", "boolean")]
    + [pl.Series([1, None, 3]), pl.Series([1.0, np.nan, 3.0]), pl.Series([True, None, False])],
    ids=lambda column: f"{type(column).__module__}-{column.dtype}",
)
@pytest.mark.parametrize("words", [True, False])
def test_missing_numbers(words, column):
    frame = type(column.to_frame())({"number": column, "words": ["a", "b", "a"]})
    frame = frame if words else frame[["number"]]
    form = FrameFormat.of(frame)

    missing = np.isnan(form.matrix(frame)[:, 0])

    if 0 in form.categories:  # truth values
        assert form.categories[0] == [False, True, None]
    else:
        assert missing.sum() == 1
    back = form.restore(form.matrix(frame))["number"]
    assert (back.isna() if hasattr(back, "isna") else back.is_null()).sum() == 1


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([1.0, np.nan], "contains NaN in column 'b'"),
        ([1.0, np.inf], "contains infinity in column 'b'"),
        (["u", "v"], "column 'b' must hold numbers.*'u'.*OneHotEncoder"),
        (DAYS, "column 'b' has dtype .*: turn dates into numbers"),
    ],
)
@pytest.mark.parametrize("frame_class", [pd.DataFrame, pl.DataFrame])
def test_the_column_that_is_to_blame_is_named(values, found, frame_class):
    with pytest.raises(ValueError, match=found), columns_named(frame_class({"b": values})):
        raise TypeError
    with pytest.raises(TypeError), columns_named(frame_class({"b": [1.0]})):
        raise TypeError
    with pytest.raises(ValueError, match="names"), columns_named(frame_class({"b": values})):
        raise ValueError("The feature names should match")


@pytest.mark.parametrize("frame_class", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([np.inf, 1.0], "Input X contains infinity in column 'size'"),
        (["big", "small"], "column 'size' must hold numbers.*'big'"),
        (DAYS, "column 'size' has dtype .* must hold numbers: turn dates into"),
    ],
)
def test_columns_that_used_to_hold_numbers(values, message, frame_class):
    form = FrameFormat.of(frame_class({"size": [1.0, 2.0], "colour": ["red", "blue"]}))

    with pytest.raises(ValueError, match=message):
        form.matrix(frame_class({"size": values, "colour": ["red", "blue"]}))


@pytest.mark.parametrize("frame_class", [pd.DataFrame, pl.DataFrame])
def test_columns_of_lists(frame_class):
    form, lists = FrameFormat.of(frame_class({"a": ["x", "y"]})), frame_class({"a": [[1], [2]]})

    for method in (FrameFormat.of, form.matrix):
        with pytest.raises(ValueError, match=r"column 'a' .*('list'|List.* not known)"):
            method(lists)


def test_columns_of_complex_numbers():
    with pytest.raises(ValueError, match="Complex data not supported: column 'a' has dtype comp"):
        FrameFormat.of(pd.DataFrame({"a": [1j, 2.0]}))


# ---------------------------------------------------------------- dates


@pytest.mark.parametrize(("name", "column"), [*DATES.items(), *POLARS_DATES.items()])
def test_dates_are_counted_from_the_first_in_their_largest_unit(name, column):
    matrix = FrameFormat.of(make(name, column)).matrix(make(name, column))

    assert np.isnan(matrix[:, 0]).tolist() == [False, True] + [False] * 4
    counts = matrix[~np.isnan(matrix[:, 0]), 0]
    assert counts.min() == 0
    assert np.gcd.reduce(counts.astype(int)) <= 1


@pytest.mark.parametrize("unit", ["ns", "us", "s"])
def test_days_stay_days(unit):
    frame = pd.DataFrame({"day": pd.date_range("1999-12-25", periods=40).astype(f"<M8[{unit}]")})
    form = FrameFormat.of(frame)

    np.testing.assert_array_equal(form.matrix(frame)[:, 0], np.arange(40))
    between = form.restore(np.array([[3.4], [-7.2]]))
    assert between["day"].tolist() == [pd.Timestamp("1999-12-28"), pd.Timestamp("1999-12-18")]
    assert form.restore(form.rounded(np.array([[np.nan]])))["day"].isna().all()


def test_nanoseconds_are_kept():
    times = pd.to_datetime(1_700_000_000_000_000_000 + np.arange(5) ** 9)
    frame = pd.DataFrame({"time": times.as_unit("ns")})
    form = FrameFormat.of(frame)

    equal(form.restore(form.matrix(frame)), frame)


def test_dates_in_another_unit_are_the_same():
    frame = pd.DataFrame({"day": pd.to_datetime(DAYS)})
    form = FrameFormat.of(frame)

    np.testing.assert_array_equal(form.matrix(frame.astype("datetime64[ns]")), [[0], [1]])
    np.testing.assert_array_equal(form.matrix(frame + pd.Timedelta("6h")), [[0.25], [1.25]])


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([1.0, 2.0], "column 'day' must hold dates of dtype datetime64.*has dtype float64"),
        (["2020-01-01"] * 2, "column 'day' must hold dates of dtype datetime64"),
        (pd.to_datetime(DAYS).tz_localize("UTC"), "column 'day' has dtype .*UTC.*, which can't be"),
    ],
)
def test_columns_that_used_to_hold_dates(column, message):
    form = FrameFormat.of(pd.DataFrame({"day": pd.to_datetime(DAYS)}))

    with pytest.raises(ValueError, match=message):
        form.matrix(pd.DataFrame({"day": column}))


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize("arrow", [pa.list_(pa.int8()), pa.struct([("a", pa.int8())])], ids=str)
def test_types_that_can_not_be_restored(arrow):
    frame = pd.DataFrame({"price": pd.Series([None, None], dtype=pd.ArrowDtype(arrow))})

    with pytest.raises(ValueError, match=r"column 'price' has dtype .*, which is not known here"):
        FrameFormat.of(frame)


@pytest.mark.parametrize("frame_class", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("n_missing", [0, 30])
def test_names_of_rows_are_no_categories(frame_class, n_missing):
    names = [f"customer {i}" for i in range(11)] + ["customer 0"] * 9 + [None] * n_missing
    frame = frame_class({"size": np.arange(20.0 + n_missing), "who": names})

    with pytest.raises(ValueError, match=r"column 'who' has 11 different values in 20 rows.* out"):
        FrameFormat.of(frame)


def test_half_as_many_categories_as_rows():
    assert FrameFormat.of(pd.DataFrame({"a": list("abcdefghij") * 2})).categories


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([None] * 4, dtype=object),
        pd.Series([None] * 4, dtype="str"),
        pd.Series([None] * 4, dtype="category"),
        pd.Series([pd.NaT] * 4),
        pd.Series([None] * 4, dtype="boolean"),
        pl.Series([None] * 4, dtype=pl.String),
        pl.Series([None] * 4, dtype=pl.Date),
        pl.Series([None] * 4),
    ],
    ids=lambda column: f"{type(column).__module__}-{column.dtype}",
)
def test_columns_without_values(column):
    frame = (pl if isinstance(column, pl.Series) else pd).DataFrame({"a": column})

    with pytest.raises(ValueError, match=r"column 'a' has no values, .* all 4 rows: leave it out"):
        FrameFormat.of(frame)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", 1, "b", 2.5], r"types \['float', 'int', 'str'\].*astype\(str\)"),
        ([1, "b", 3, 4], r"types \['int', 'str'\].*pandas.to_numeric"),
        ([{"a": 1}] * 4, r"types \['dict'\]"),
        ([pd.Period("2020-01"), pd.Period("2020-02")] * 2, r"types \['Period'\]"),
        ([pd.Timestamp(0, tz="UTC"), pd.Timestamp(0, tz="Asia/Tokyo")] * 2, "several time zones"),
        ([pd.Timestamp(0, tz="UTC"), datetime.datetime(2020, 1, 1)] * 2, "several time zones"),
        ([Decimal("Infinity"), Decimal("1.5")] * 2, "Decimal values that are not finite"),
    ],
    ids=str,
)
def test_objects_that_mean_several_things(values, message):
    with pytest.raises(ValueError, match=f"column 'a' holds .*{message}"):
        FrameFormat.of(pd.DataFrame({"a": pd.Series(values, dtype=object)}))


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        ([datetime.date(2020, 1, 3), datetime.date(2020, 1, 2), None], [1, 0, np.nan]),
        ([datetime.time(8), datetime.time(9, 30), datetime.time(12)], [0, 3, 8]),
        ([datetime.timedelta(1), datetime.timedelta(4), None], [0, 1, np.nan]),
        ([Decimal("1.25"), None, Decimal("-3")], [1.25, np.nan, -3]),
        ([3, None, 7], [3, np.nan, 7]),
        ([0.5, None, 7.5], [0.5, np.nan, 7.5]),
    ],
    ids=str,
)
def test_objects_of_one_kind_are_numbers_and_come_back(values, numbers):
    frame = pd.DataFrame({"a": pd.Series(values, dtype=object)})
    form = FrameFormat.of(frame)

    np.testing.assert_array_equal(form.matrix(frame)[:, 0], numbers)
    back = form.restore(form.matrix(frame))["a"]
    assert [None if pd.isna(value) else value for value in back] == values
    assert [type(value) for value in back if not pd.isna(value)] == [
        type(value) for value in values if value is not None
    ]


def test_objects_of_another_kind_than_in_training():
    form = FrameFormat.of(pd.DataFrame({"a": pd.Series([datetime.date(2020, 1, 1)] * 3)}))

    with pytest.raises(ValueError, match="column 'a' must hold objects of the kind 'date'"):
        form.matrix(pd.DataFrame({"a": pd.Series([1, 2], dtype=object)}))


# ---------------------------------------------------------------- kinds that a user wants


def test_numbers_as_categories():
    frame = pd.DataFrame({"zip": [8001, 3000, 8001], "size": [1.0, 2.0, 3.0]})
    form = FrameFormat.of(frame, kinds={"zip": "category"})

    assert form.categories == {0: [3000, 8001]}
    equal(form.restore(form.matrix(frame)), frame)


def test_as_many_categories_as_a_user_wants():
    frame = pd.DataFrame({"who": [f"customer {i}" for i in range(20)]})

    assert len(FrameFormat.of(frame, kinds={"who": "category"}).categories[0]) == 20


def test_truth_values_as_numbers():
    frame = pd.DataFrame({"ok": pd.Series([True, None, False], dtype="boolean")})
    form = FrameFormat.of(frame, kinds={"ok": "number"})

    np.testing.assert_array_equal(form.matrix(frame), [[1], [np.nan], [0]])


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ({"a": "number"}, r"column_kinds\['a'\]='number', but the column has dtype .*to_numeric"),
        ({"b": "date"}, r"column_kinds\['b'\]='date', but the column has dtype .*to_datetime"),
        ({"b": "text"}, r"column_kinds\['b'\]='text' must be one of \['category', 'date', 'num"),
        ({"aa": "number"}, r"names a column 'aa', but X has \['a', 'b'\]; did you mean 'a'"),
    ],
)
@pytest.mark.parametrize("frame_class", [pd.DataFrame, pl.DataFrame])
def test_kinds_that_can_not_be(frame_class, kinds, message):
    with pytest.raises(ValueError, match=message):
        FrameFormat.of(frame_class({"a": ["x", "y"], "b": [1.0, 2.0]}), kinds=kinds)


def test_kinds_of_arrays():
    with pytest.raises(
        ValueError, match=r"column_kinds=.* names columns of a data frame, but X is"
    ):
        FrameFormat.of(np.zeros((2, 2)), kinds={0: "category"})


def test_schema_is_a_table_to_read():
    frame = pd.DataFrame({"size": [1.5, None], "colour": ["red", "blue"], "day": DAYS})

    schema = FrameFormat.of(frame).schema

    assert [(c.name, c.kind, c.has_missing) for c in schema] == [
        ("size", "number", True),
        ("colour", "category", False),
        ("day", "date", False),
    ]
    assert str(schema).splitlines()[2].split() == [
        "colour",
        "category",
        "str",
        "2:",
        "'blue',",
        "'red'",
    ]


# ---------------------------------------------------------------- arrays


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "uint16"])
def test_integers_come_back(dtype):
    limits = np.iinfo(dtype)
    X = np.array([[limits.min, 0, 1], [3, 2, 100]], dtype=dtype)
    form = FrameFormat.of(X)

    back = form.restore(form.matrix(X).astype(float))

    assert back.dtype == X.dtype
    np.testing.assert_array_equal(back, X)


def test_bytes_are_rounded_and_stay_in_their_range():
    form = FrameFormat.of(np.zeros((2, 2), dtype=np.uint8))

    back = form.restore(np.array([[-3.2, 0.6], [254.4, 300.0]]))

    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, [[0, 1], [254, 255]])


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64", "Int64", "int64[pyarrow]"])
@pytest.mark.parametrize("library", ["pandas", "polars", "numpy"])
def test_whole_numbers_never_leave_the_range_of_their_type(library, dtype):
    ends = np.iinfo(dtype.lower().partition("[")[0])
    rows = pd.DataFrame({"a": pd.Series([ends.min, ends.max]).astype(dtype)})
    if library != "pandas":
        rows = pl.from_pandas(rows) if library == "polars" else rows.to_numpy(ends.dtype)

    back = FrameFormat.of(rows).restore(np.array([[-1e30], [1e30]]))

    low, high = (back if library == "numpy" else back["a"].to_numpy()).ravel().tolist()
    assert low == ends.min
    assert 0 <= ends.max - high < 4096  # the nearest float


@pytest.mark.parametrize("dtype", ["Float64", "double[pyarrow]", "float32"])
def test_nan_is_missing_where_na_is_something_else(dtype):
    column = pd.Series([0.0, 0.0, 1.0, 2.0]).astype(dtype)
    column = column / pd.Series([0.0, 1.0, 1.0, 1.0]).astype(dtype)

    assert is_missing(column).tolist() == [True, False, False, False]


def test_categories_of_truth_values():
    frame = pd.DataFrame({"a": pd.Categorical([True, False, None, True])})

    form = FrameFormat.of(frame)

    equal(form.restore(form.matrix(frame)), frame)


@pytest.mark.parametrize("X", [np.zeros((2, 2)), [[0.0, 1.0]], np.zeros((2, 2), np.float32)])
def test_other_arrays_keep_their_values(X):
    form, matrix = FrameFormat.of(X), np.array([[0.3, 0.7]])

    assert form.matrix(X) is X
    np.testing.assert_allclose(form.restore(matrix), matrix, rtol=1e-6)


@pytest.mark.parametrize("X", [np.zeros((2, 2)), [[0.0]], pd.Series([1.0]), pl.Series([1.0])])
def test_no_frames(X):
    assert not is_frame(X)


@pytest.mark.parametrize("frame_class", [pd.DataFrame, pl.DataFrame])
def test_frames(frame_class):
    assert is_frame(frame_class({"a": [1.0]}))
