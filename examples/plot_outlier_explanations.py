"""
====================================
Why is this row of the table strange
====================================

An alarm is of use when someone can look into it. This example plants six mistakes in a table of
flats with numbers, categories and missing values, and asks an
:class:`~skae.AutoencoderOutlierDetector` for the alarms and for the columns to look at.
"""

# %%
# A table
# -------
# Larger flats have more rooms and a higher rent, the rent depends on the district, and the heating
# on the year of construction. A tenth of the years and a twentieth of the areas are missing.

import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n = 1500
prices = {"harbour": 18.0, "centre": 15.0, "north": 11.0, "south": 9.0}
district = rng.choice(list(prices), n, p=[0.1, 0.2, 0.4, 0.3])
area = rng.gamma(9, 8, n) + 18
year = rng.integers(1900, 2025, n)
flats = pd.DataFrame(
    {
        "area": area.round(),
        "rooms": np.maximum(1, (area / 25 + rng.normal(0, 0.4, n)).round()),
        "rent": (area * np.vectorize(prices.get)(district) * rng.normal(1, 0.08, n)).round(),
        "year": year.astype(float),
        "district": district,
        "heating": np.where(year < 1950, "oil", np.where(year < 1995, "gas", "heat pump")),
    }
)
flats.loc[rng.random(n) < 0.1, "year"] = np.nan
flats.loc[rng.random(n) < 0.05, "area"] = np.nan

mistakes = {
    10: {"rent": flats.rent[10] * 10},  # a zero too many
    20: {"area": 30.0, "rooms": 6.0},  # each is common, but not both together
    30: {"district": "harbour", "area": 80.0, "rooms": 3.0, "rent": 640.0},  # too cheap for there
    40: {"year": 1910.0, "heating": "heat pump"},
    50: {"year": 19.0},  # two digits of the year
    60: {"heating": "coal"},  # seen once
}
for row, cells in mistakes.items():
    flats.loc[row, list(cells)] = list(cells.values())

# %%
# The pipeline
# ------------
# Categories become columns of zeros and ones, and numbers pass as they are: the detector scales
# its features itself, and leaves missing values out. With ``set_output`` it knows the names of the
# columns. The mistakes are among the training rows, as they would be in practice. Six of 1,500 rows
# is a share of 0.4 %, and someone has the time to look into eight.

from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skae import AutoencoderOutlierDetector

encoder = make_column_transformer(
    (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["district", "heating"]),
    remainder="passthrough",
    verbose_feature_names_out=False,
)
detector = AutoencoderOutlierDetector(contamination=8 / n, random_state=0)
pipeline = make_pipeline(encoder, detector).set_output(transform="pandas").fit(flats)

table = pipeline[-1].explain(pipeline[:-1].transform(flats), n_features=2)
print(table.to_string(float_format="{:.3g}".format))
ranks = pd.Series(pipeline.score_samples(flats)).rank()
print("\nrank of each mistake among the scores of all 1,500 rows, 1 being the worst:")
print({row: int(ranks[row]) for row in mistakes})

# %%
# What was found
# --------------
# Four mistakes are among the eight alarms, the others are flats with seven rooms and a high rent.
# Rows 30 and 40 are not: no value of theirs is rare, they only contradict each other, as the values
# of many normal rows do a little.
#
# The picture
# -----------
# A bar is what a column adds to minus the score, and beside it stand its value and the value that
# the networks expect from the other columns. Read it with care: when one value is wrong, what is
# expected of the others is wrong as well. And what is expected of a column of zeros and ones is no
# probability: it may lie outside of 0 and 1.

import matplotlib.pyplot as plt

from skae.inspection import OutlierExplanationDisplay

OutlierExplanationDisplay.from_estimator(pipeline, flats, rows=list(mistakes)[:4], n_features=4)
plt.show()

# %%
# All alarms at once
# ------------------
# Which columns make the alarms of a table, beside what the same columns add to the scores of all
# other rows. Where one column leads in most alarms, look there first: it may be a form or a sensor
# that has changed.

from skae.inspection import FeatureErrorDisplay

FeatureErrorDisplay.from_estimator(pipeline, flats, n_features=6)
plt.show()
