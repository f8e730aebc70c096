"""
=================================
Fill the missing cells of a table
=================================

Wines with thirteen measurements, two of them in words, of which a third of the cells is missing.
:class:`~skae.AutoencoderImputer` fills them, says how far off it is, and a classifier is trained on
what it gives: with and without a mark at the cells that were filled.
"""

# %%
# A table with holes
# ------------------
# Two columns become categories, and cells are removed at random: the more often, the more proline a
# wine has.

import numpy as np
import pandas as pd
from sklearn.datasets import load_wine

wine = load_wine(as_frame=True)
whole = wine.data.copy()
whole["hue"] = pd.cut(whole["hue"], 3, labels=["purple", "red", "brick"])
whole["magnesium"] = pd.cut(whole["magnesium"], 3, labels=["low", "medium", "high"]).astype(str)

rng = np.random.default_rng(0)
share = 0.2 + 0.3 * whole["proline"].rank(pct=True)
holes = rng.random(whole.shape) < share.to_numpy()[:, None]
holes[:, whole.columns.get_loc("proline")] = False
table = whole.mask(holes)
print(f"{holes.mean():.0%} of the cells are missing")
print(table.head(3).T)

# %%
# Fill them
# ---------
# Nothing is scaled or encoded. What came as a category comes back as one.

from skae import AutoencoderImputer

imputer = AutoencoderImputer(random_state=0).fit(table)
filled = imputer.transform(table)
print(filled.head(3).T)

# %%
# How far off is it?
# ------------------
# Some of the observed cells were hidden from the networks, so the errors to expect are known: of
# numbers relative to those of the mean, of categories relative to those of the most frequent one.

errors = imputer.held_out_errors_ / imputer.baseline_errors_
print(pd.Series(errors, index=table.columns).round(2).sort_values())

numbers = whole.select_dtypes("number").columns
cells = holes[:, whole.columns.get_indexer(numbers)]
truth = whole[numbers].to_numpy()
low, high = imputer.impute_intervals(table, level=0.9)
low, high = (bound[:, whole.columns.get_indexer(numbers)] for bound in (low, high))
inside = (low <= truth) & (truth <= high)
print(f"{inside[cells].mean():.0%} of the missing numbers lie in their 90 % intervals")

# %%
# Filled values beside observed ones
# ----------------------------------
# Wines with much proline have more holes, so the two may differ.

from skae.inspection import ImputationDisplay

columns = ["alcohol", "flavanoids", "color_intensity", "total_phenols", "hue", "magnesium"]
ImputationDisplay.from_estimator(imputer, table, columns=columns)

# %%
# What a classifier makes of it
# -----------------------------
# The mean fills every hole of a column alike. A mark at filled cells tells the classifier that
# wines with many holes have much proline, whatever they were filled with.

import warnings

from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

warnings.filterwarnings("ignore", message="Found unknown categories")
is_number = make_column_selector(dtype_include=["number", "bool"])
is_category = make_column_selector(dtype_exclude=["number", "bool"])
encoder = make_column_transformer(
    (StandardScaler(), is_number), (OneHotEncoder(handle_unknown="ignore"), is_category)
)
simple = make_column_transformer(
    (SimpleImputer(), make_column_selector(dtype_include="number")),
    (SimpleImputer(strategy="most_frequent"), is_category),
    verbose_feature_names_out=False,
).set_output(transform="pandas")

for name, step in {
    "mean and most frequent": simple,
    "AutoencoderImputer": AutoencoderImputer(random_state=0),
    "AutoencoderImputer, with indicator": AutoencoderImputer(add_indicator=True, random_state=0),
}.items():
    pipeline = make_pipeline(step, encoder, LogisticRegression(max_iter=1000))
    scores = cross_val_score(pipeline, table.drop(columns="proline"), wine.target, cv=3)
    print(f"{name:36}{scores.mean():.3f}")
