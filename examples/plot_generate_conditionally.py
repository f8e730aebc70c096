"""
=====================================
Rows with conditions, rows with rules
=====================================

A :class:`~skae.VariationalAutoencoder` that has learned a table answers questions about it: what
are patients like whose body mass index is above 32? It draws as many of each kind as are wanted,
and keeps rules that are written down.
"""

# %%
# A rule
# ------
# Of the 442 patients with diabetes, the cholesterol in the blood was measured, and the part of it
# that low and high density lipoproteins carry. Both together can't be more than the whole. The
# rule is written down, checked on the training rows, and kept in all that is drawn.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes

from skae import VariationalAutoencoder

table = load_diabetes(as_frame=True, scaled=False).frame
table = table.rename(columns={"s1": "cholesterol", "s2": "ldl", "s3": "hdl"})
table["sex"] = table["sex"].map({1: "A", 2: "B"})  # the data do not say which is which
table = table[["age", "sex", "bmi", "bp", "cholesterol", "ldl", "hdl", "target"]]

free = VariationalAutoencoder(max_epochs=100, random_state=0).fit(table)
model = VariationalAutoencoder(
    constraints=["ldl + hdl <= cholesterol"], max_epochs=100, random_state=0
).fit(table)

plain = {"without the rule": free.sample(2000), "with the rule": model.sample(2000)}
rest = {
    kind: rows["cholesterol"] - rows["ldl"] - rows["hdl"]
    for kind, rows in [("real rows", table), *plain.items()]
}
for kind, values in rest.items():
    print(f"{kind}: {np.mean(values < 0):.1%} break the rule, the least rest is {values.min():.1f}")

# %%
# A condition
# -----------
# Rows of heavy patients: all of them meet the condition, and the progress of the illness a year
# later, `target`, is distributed as in such patients. A twelfth of the patients are like this. A
# rarer condition costs hardly more time, as codes are looked for where such rows come from.

heavy = model.sample(500, given={"bmi": (32, None)})
real_heavy = table[table["bmi"] >= 32]
print(f"{len(real_heavy)} real rows, target {real_heavy['target'].mean():.0f} on average")
print(f"{len(heavy)} new rows, target {heavy['target'].mean():.0f} on average")
print(f"all {len(table)} real rows: {table['target'].mean():.0f}")

# %%
# A balance
# ---------
# As many rows of each third of the range of the progress, where the data have few of the highest.

thirds = {(25, 132): 1 / 3, (132.5, 239): 1 / 3, (239.5, 346): 1 / 3}
balanced = model.sample(600, balance={"target": thirds})

# %%
# How unusual is a value, given others?
# -------------------------------------
# The likelihood of the progress, given everything else. The least likely row is of a patient whose
# illness went another way than that of others with the same values.

given = [name for name in table if name != "target"]
scores = model.score_samples(table, given=given)
print(table.iloc[scores.argmin()].to_string())

# %%
# The pictures
# ------------

fig, axes = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained")
gray, red, blue = "0.75", "#bd1f01", "#1f5fbd"

bins = np.linspace(-40, 90, 27)
for kind, color in zip(rest, (gray, blue, red), strict=True):
    shares, _ = np.histogram(rest[kind], bins)
    axes[0].stairs(
        shares / len(rest[kind]), bins, fill=color == gray, color=color, label=kind, lw=1.5
    )
axes[0].axvline(0, color="black", lw=0.8, ls=":")
axes[0].set(xlabel="cholesterol - ldl - hdl", ylabel="share of rows", title="A rule")

axes[1].scatter(table["bmi"], table["target"], s=9, color=gray, label="real rows")
axes[1].scatter(heavy["bmi"], heavy["target"], s=5, color=red, alpha=0.6, label="bmi from 32 on")
axes[1].axvline(32, color="black", lw=0.8, ls=":")
axes[1].set(xlabel="bmi", ylabel="target", ylim=(0, 430), title="A condition")

bins = np.linspace(25, 346, 19)
for rows, color, label in ((table, gray, "real rows"), (balanced, red, "balanced")):
    shares, _ = np.histogram(rows["target"], bins)
    axes[2].stairs(shares / len(rows), bins, fill=color == gray, color=color, label=label, lw=1.5)
axes[2].set(xlabel="target", ylabel="share of rows", ylim=(0, 0.135), title="A balance")

for ax in axes:
    ax.title.set_horizontalalignment("left")
    ax.title.set_x(0)
    ax.legend(frameon=False, fontsize="small", loc="upper right")
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
