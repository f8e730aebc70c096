"""Displays of frames with categories, dates and missing cells."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skae.inspection import OutlierExplanationDisplay, ReconstructionDisplay

FRAME = pd.DataFrame(
    {
        "size": [1.0, np.nan, 3.0],
        "colour": ["red", None, "blue"],
        "day": pd.to_datetime(["2020-01-01", "2020-01-03", "2020-01-05"]),
    }
)
BACK = FRAME.assign(size=[1.5, 2.0, 3.0], colour=["red", "blue", "red"])


@pytest.mark.parametrize(
    "convert",
    [lambda X: X, pl.from_pandas, lambda X: pa.Table.from_pandas(X, preserve_index=False)],
    ids=["pandas", "polars", "arrow"],
)
def test_reconstructions_of_categories_are_written_out(convert):
    display = ReconstructionDisplay.from_predictions(convert(FRAME), convert(BACK))

    texts = [[text.get_text() for text in panel.texts] for panel in display.axes_]
    assert texts == [
        ["red"],
        ["missing \N{RIGHTWARDS ARROW} blue"],
        ["blue \N{RIGHTWARDS ARROW} red"],
    ]
    np.testing.assert_allclose(display.errors_, [0.25 / 3, 0, 1 / 3])


@pytest.mark.parametrize("convert", [lambda X: X, pl.from_pandas], ids=["pandas", "polars"])
def test_explanations_name_values_as_they_are(convert):
    errors = np.array([[1.0, 3, 2]] * 3)
    display = OutlierExplanationDisplay.from_predictions(
        convert(FRAME), errors, expected=convert(BACK)
    )

    labels = [label.get_text() for label in display.axes_[1].get_yticklabels()]
    assert labels == [
        "colour missing, expected blue",
        "day 2020-01-03, expected 2020-01-03",
        "size missing, expected 2",
    ]
