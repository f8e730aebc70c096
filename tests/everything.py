"""Frames with a column of every dtype that pandas, polars and Arrow know, and missing cells."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

N = 24
HOLE = [3, 10, 17]  # rows without a value, where a column may have such
WORDS = np.array(["b", "a", "c", "a"])[np.arange(N) % 4]
COUNTS = (np.arange(N) * 7) % 5
REALS = np.sin(np.arange(N)) * 3
TRUTHS = np.arange(N) % 3 == 0
DAYS = [datetime.date(2020, 1, 1) + datetime.timedelta(days=int(i)) for i in COUNTS]
TIMES = [datetime.datetime(2020, 1, 1, 6) + datetime.timedelta(hours=int(i)) for i in COUNTS]
CLOCKS = [datetime.time(int(i), 30) for i in COUNTS]
LENGTHS = [datetime.timedelta(minutes=int(i)) for i in COUNTS]
PRICES = [Decimal(int(i)) / 4 for i in COUNTS]


def holed(values):
    """Return values as a list with None in some places."""
    return [None if i in HOLE else v for i, v in enumerate(np.asarray(values, object).tolist())]


def pandas_frame():
    plain = {
        **dict.fromkeys(("int8", "int16", "int32", "int64", "uint8", "uint16"), COUNTS),
        **dict.fromkeys(("uint32", "uint64", "float32", "float64"), COUNTS),
    }
    columns = {name: pd.Series(values).astype(name) for name, values in plain.items()}
    nullable = ["Int8", "Int16", "Int32", "Int64", "UInt8", "UInt64", "Float32", "Float64"]
    nullable += ["int64[pyarrow]", "uint8[pyarrow]", "float[pyarrow]", "double[pyarrow]"]
    columns |= {name: pd.Series(holed(COUNTS), dtype=name) for name in nullable}
    columns |= {"reals": pd.Series(REALS).where(~pd.Series(range(N)).isin(HOLE)), "bool": TRUTHS}
    columns |= {n: pd.Series(holed(TRUTHS), dtype=n) for n in ("boolean", "bool[pyarrow]")}
    for name in ("str", "string", "string[pyarrow]", "large_string[pyarrow]", "category", "object"):
        columns[name] = pd.Series(holed(WORDS), dtype=name)
    columns["ordered"] = pd.Categorical(WORDS, ["c", "b", "a"], ordered=True)
    columns["bins"] = pd.cut(REALS, 3)
    columns["dictionary"] = pd.Series(
        pd.array(holed(WORDS), dtype=pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string())))
    )
    columns["decimal"] = pd.Series(holed(PRICES), dtype=pd.ArrowDtype(pa.decimal128(8, 2)))
    objects = {
        "truths": TRUTHS,
        "counts": COUNTS,
        "prices": PRICES,
        "days": DAYS,
        "times": TIMES,
        "clocks": CLOCKS,
        "lengths": LENGTHS,
    }
    for name, values in objects.items():
        columns[name] = pd.Series(holed(values), dtype=object)
    times = pd.Series(holed(TIMES)).astype("datetime64[us]")
    columns |= {f"datetime64[{unit}]": times.astype(f"M8[{unit}]") for unit in ("s", "ms", "ns")}
    columns["zone"] = times.dt.tz_localize("Europe/Oslo")
    columns["period"] = times.dt.to_period("h")
    columns["timedelta64[us]"] = times - times.min()
    columns["timestamp"] = times.astype("timestamp[us][pyarrow]")
    columns["date32"] = times.astype("date32[pyarrow]")
    columns["duration"] = (times - times.min()).astype("duration[us][pyarrow]")
    columns["time64"] = pd.Series(holed(CLOCKS), dtype=pd.ArrowDtype(pa.time64("us")))
    return pd.DataFrame(columns)


def polars_frame():
    numbers = [pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.Int128, pl.UInt8, pl.UInt16, pl.UInt32]
    numbers += [pl.UInt64, pl.Float32, pl.Float64, pl.Decimal(10, 2)]
    columns = [pl.Series(f"{t}", COUNTS).cast(t) for t in numbers]
    columns += [pl.Series(f"{t}?", holed(COUNTS), dtype=pl.Int64).cast(t) for t in numbers]
    columns += [
        pl.Series("reals", holed(REALS)),
        pl.Series("truths", TRUTHS),
        pl.Series("truths?", holed(TRUTHS)),
        pl.Series("text", WORDS.tolist()),
        pl.Series("text?", holed(WORDS)),
        pl.Series("bytes", [word.encode() for word in WORDS.tolist()]),
        pl.Series("categories", holed(WORDS), dtype=pl.Categorical),
        pl.Series("enum", holed(WORDS), dtype=pl.Enum(["c", "z", "b", "a"])),
        pl.Series("days", holed(DAYS)),
        pl.Series("clocks", holed(CLOCKS)),
        pl.Series("zone", holed(TIMES)).dt.replace_time_zone("Europe/Oslo"),
    ]
    for unit in ("ms", "us", "ns"):
        columns.append(pl.Series(f"times {unit}", holed(TIMES), dtype=pl.Datetime(unit)))
        columns.append(pl.Series(f"lengths {unit}", holed(LENGTHS), dtype=pl.Duration(unit)))
    return pl.DataFrame(columns)


def arrow_table():
    numbers = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32()]
    numbers += [pa.uint64(), pa.float32(), pa.float64()]
    columns = {f"{t}": pa.array(COUNTS.tolist(), t) for t in numbers}
    columns |= {f"{t}?": pa.array(holed(COUNTS), t) for t in numbers}
    words = pa.array(holed(WORDS))
    columns |= {
        "float16": pa.array(COUNTS.astype(np.float16)),
        "decimal": pa.array(holed(PRICES), pa.decimal128(8, 2)),
        "decimal256": pa.array(holed(PRICES), pa.decimal256(8, 2)),
        "reals": pa.array(holed(REALS)),
        "truths": pa.array(TRUTHS.tolist()),
        "truths?": pa.array(holed(TRUTHS)),
        "text": words,
        "large text": pa.array(holed(WORDS), pa.large_string()),
        "view": pa.array(holed(WORDS), pa.string_view()),
        "dictionary": words.dictionary_encode(),
        "bytes": pa.array([word.encode() for word in WORDS.tolist()]),
        "date32": pa.array(holed(DAYS), pa.date32()),
        "date64": pa.array(holed(DAYS), pa.date64()),
        "time32": pa.array(holed(CLOCKS), pa.time32("s")),
        "time64": pa.array(holed(CLOCKS), pa.time64("us")),
        "zone": pa.array(holed(TIMES), pa.timestamp("us", "UTC")),
    }
    for unit in ("s", "ms", "us", "ns"):
        columns[f"times {unit}"] = pa.array(holed(TIMES), pa.timestamp(unit))
        columns[f"lengths {unit}"] = pa.array(holed(LENGTHS), pa.duration(unit))
    return pa.table(columns)
