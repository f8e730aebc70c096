"""
===========================
A table larger than memory
===========================

Tables in files are often sorted, by time or by customer. Read chunk by chunk, such a table teaches
a network first what was, and last what is. A source of rows visits the blocks of the files in
random order and mixes their rows, in bounded memory.
"""

# %%
# Files of a machine that ages
# ----------------------------
# Twelve months of a machine with ten sensors, a Parquet file each. The sensors drift.

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

N_MONTHS, N_ROWS = 12, 3000
rng = np.random.default_rng(0)
loads, drift = rng.normal(size=(3, 10)), rng.normal(size=10)


def month(i, rng):
    age = (i + np.sort(rng.random(N_ROWS))) / N_MONTHS
    signal = np.tanh(rng.normal(size=(N_ROWS, 3)) @ loads + 5 * (age[:, None] - 0.5) * drift)
    return (signal + 0.1 * rng.normal(size=signal.shape)).astype(np.float32)


folder = Path(tempfile.mkdtemp())
for i in range(N_MONTHS):
    table = pa.table({f"sensor {j}": values for j, values in enumerate(month(i, rng).T)})
    pq.write_table(table, folder / f"month {i:02}.parquet", row_group_size=1000)

# %%
# Two ways to learn from them
# ---------------------------
# Month after month by `partial_fit`, and all of it as a source of rows, of which never more than
# 8,000 are in memory together. Both see each row three times.

from skae import Autoencoder
from skae.datasets import rows

source = rows(folder, buffer_rows=8_000)
print(source)

by_month = Autoencoder(3, random_state=0)
for _ in range(3):
    for path in sorted(folder.glob("*.parquet")):
        by_month.partial_fit(rows(path))
at_once = Autoencoder(3, max_epochs=3, random_state=0).fit(source)

# %%
# What each of them knows of the year
# -----------------------------------
# The errors of other rows of each month, relative to the variance of the sensors.

import matplotlib.pyplot as plt
import pandas as pd

variance = source.summary.squares / (source.n_rows * source.n_features)
errors = {"month after month": [], "source of rows": []}
for i in range(N_MONTHS):
    X = pd.DataFrame(month(i, np.random.default_rng(100 + i)), columns=source.feature_names)
    for name, model in zip(errors, (by_month, at_once), strict=True):
        errors[name].append(-model.score(X) / variance)

fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for (name, values), style in zip(errors.items(), ("o--", "o-"), strict=True):
    ax.plot(range(1, N_MONTHS + 1), values, style, label=name)
ax.set(
    xlabel="month",
    ylabel="error / variance",
    ylim=(0, None),
    xticks=range(1, N_MONTHS + 1),
    title="Read in order, a table that drifts is half forgotten",
)
ax.legend()
plt.show()
