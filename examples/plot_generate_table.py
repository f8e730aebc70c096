"""
========================
A table of nobody's data
========================

A :class:`~skae.VariationalAutoencoder` learns a data frame of numbers, counts and categories, and
makes a new one. Here are 442 patients with diabetes, of whom half are learned. The new rows are
judged in four ways: column by column, by their correlations, by what a model can learn from them,
and by whether they give a patient away.
"""

# %%
# Learn a frame
# -------------
# There is nothing to encode and nothing to scale. `weight` is cut from the body mass index. The
# model is not told so, and in some new rows the two contradict each other: given its code, each
# value of a row is drawn by itself.

import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from skae import VariationalAutoencoder


def weight(bmi):
    return pd.cut(bmi, [0, 18.5, 25, 30, np.inf], labels=["under", "normal", "over", "obese"])


table = load_diabetes(as_frame=True, scaled=False).frame
table["age"] = table["age"].astype(int)
table["sex"] = table["sex"].map({1: "A", 2: "B"})  # the data do not say which is which
table.insert(3, "weight", weight(table["bmi"]))
train, test = train_test_split(table, test_size=0.5, random_state=0)

model = VariationalAutoencoder(random_state=0).fit(train)
new = model.sample(2000, random_state=0)
print(new.head().to_string())
wrong = np.mean(weight(new["bmi"]) != new["weight"])
by_chance = np.mean(weight(new["bmi"]) != new["weight"].sample(frac=1, random_state=0).array)
print(f"weight contradicts bmi in {wrong:.0%} of rows, it would in {by_chance:.0%} by chance")

# %%
# Are they realistic, are they of use?
# ------------------------------------
# A classifier that is asked which rows are new should do no better than chance, an area of 0.5. A
# regression that learns from new rows how the illness goes on should do as well on real patients as
# one that has learned from real ones.

from sklearn.compose import make_column_transformer
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skae.metrics import distance_to_closest_record, train_on_synthetic_score, two_sample_auc

encoder = make_column_transformer(
    (OneHotEncoder(sparse_output=False), ["sex", "weight"]), remainder=StandardScaler()
)
regression = make_pipeline(encoder, RidgeCV(np.logspace(-1, 3, 9)))
scores = [
    train_on_synthetic_score(
        regression,
        rows.drop(columns="target"),
        rows["target"],
        test.drop(columns="target"),
        test["target"],
    )
    for rows in (train, new)
]
area = two_sample_auc(new[: len(test)], test, random_state=0)
print(f"area under the ROC curve, new rows against held-out ones: {area:.2f}")
print("R2 on held-out rows, trained on real rows: {:.2f}, on new ones: {:.2f}".format(*scores))

# %%
# Are they copies?
# ----------------
# The distance from each new row to the closest row that was learned, in standard deviations. A copy
# has a distance of zero. Held-out rows say which distances are harmless.

encoder.fit(table.drop(columns="target"))
codes = [encoder.transform(rows.drop(columns="target")) for rows in (new, train, test)]
closest = distance_to_closest_record(*codes, random_state=0)
held_out = distance_to_closest_record(codes[2], codes[1])
print(f"median distance to the closest training row, new rows: {np.median(closest.distances):.2f}")
print(f"                                     held-out rows: {np.median(held_out.distances):.2f}")
print(f"closer to a training row than to a held-out one: {closest.share_closer_to_train:.0%}")

# %%
# Columns and correlations
# ------------------------
# Above, six of the columns: shares of rows among the real ones and the new ones. Below, the
# correlations of all columns, categories as columns of zeros and ones.

import matplotlib.pyplot as plt

fig = plt.figure(figsize=(9, 7.2), layout="constrained")
upper, lower = fig.subfigures(2, 1, height_ratios=(1, 1.1))
kinds = {"real": (table, "0.75"), "new": (new, "#bd1f01")}
columns = ["age", "bmi", "s3", "target", "sex", "weight"]
for ax, name in zip(upper.subplots(2, 3).flat, columns, strict=True):
    if pd.api.types.is_numeric_dtype(table[name]):
        bins = np.linspace(table[name].min(), table[name].max(), 17)
        for kind, (rows, color) in kinds.items():
            counts, _ = np.histogram(rows[name], bins)
            ax.stairs(
                counts / len(rows), bins, fill=kind == "real", color=color, label=kind, lw=1.5
            )
    else:
        categories = table[name].value_counts().sort_index().index.astype(str)
        for kind, (rows, color) in kinds.items():
            shares = rows[name].astype(str).value_counts(normalize=True).reindex(categories)
            ax.bar(categories, shares, color=color, edgecolor=color, fill=kind == "real", lw=1.5)
    ax.set_title(name, fontsize="medium", loc="left")
    ax.spines[["top", "right"]].set_visible(False)
upper.axes[1].legend(frameon=False)
upper.supylabel("share of rows", fontsize="medium")

axes = lower.subplots(1, 2, sharey=True)
for ax, (kind, (rows, _)) in zip(axes, kinds.items(), strict=True):
    correlations = pd.get_dummies(rows).corr()
    image = ax.imshow(correlations, cmap="RdBu_r", vmin=-1, vmax=1)
    ax.set_title(f"{kind} rows")
    ax.set_xticks(range(len(correlations)), correlations.columns, rotation=90, fontsize="small")
    ax.set_yticks(range(len(correlations)), correlations.columns, fontsize="small")
lower.colorbar(image, ax=axes, label="correlation", shrink=0.8)
plt.show()
