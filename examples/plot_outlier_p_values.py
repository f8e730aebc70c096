"""
=============================
P-values instead of a cut-off
=============================

How many of the alarms are false? If the training rows are normal, an
:class:`~skae.AutoencoderOutlierDetector` can answer: it turns scores into p-values, and
``predict(X, fdr=0.1)`` keeps the expected share of false alarms below a tenth. The scores of a
stream remain comparable while the model learns.
"""

# %%
# A test of the promise
# ---------------------
# Rows lie near a surface of two dimensions in a space of six. Half of the outliers are clear and
# half are not. The promise is about the average over training sets: one of them may hold a few
# extreme rows more than another. So we draw three training sets, and for each of them six batches
# of 500 rows, 25 of which are outliers.

import numpy as np

from skae import AutoencoderOutlierDetector

rng = np.random.default_rng(0)
plane = rng.normal(size=(2, 6))


def draw(n_rows):
    codes = rng.normal(size=(n_rows, 2))
    return np.tanh(codes @ plane) + 0.1 * rng.normal(size=(n_rows, 6))


def draw_mixed():
    X = draw(500)
    X[:25] += np.repeat([[1.0], [0.35]], [13, 12], axis=0) * rng.choice([-1, 1], size=(25, 6))
    return X


levels, p_values = (0.05, 0.1, 0.3), []
false, found = ([[] for _ in levels] for _ in range(2))
for seed in range(3):
    detector = AutoencoderOutlierDetector(random_state=seed).fit(draw(8000))
    for batch in (draw_mixed() for _ in range(6)):
        p_values.append(detector.p_values(batch))
        for i, fdr in enumerate(levels):
            is_alarm = detector.predict(batch, fdr=fdr) == -1
            false[i].append(is_alarm[25:].sum() / max(1, is_alarm.sum()))
            found[i].append(is_alarm[:25].mean())
p_values = np.array(p_values)
for i, fdr in enumerate(levels):
    by_training_set = np.reshape(false[i], (3, 6)).mean(axis=1)
    print(f"fdr={fdr:<4}  false alarms {np.mean(false[i]):5.1%} of all alarms, ", end="")
    print("{:.1%} to {:.1%} by training set".format(*np.quantile(by_training_set, [0, 1])), end="")
    print(f"; found {np.mean(found[i]):.0%} of the outliers")

# %%
# A stream
# --------
# ``partial_fit`` learns from batch after batch. The networks change, but the scores keep their
# meaning, a sum of logarithmic p-values: those of the same 1,000 rows, which are never trained on,
# hardly move, and so does the threshold.

watched = draw(1000)
stream = AutoencoderOutlierDetector(random_state=0)
seen, quantiles, thresholds = [], [], []
for _ in range(20):
    stream.partial_fit(draw(500))
    seen.append(500 * len(seen) + 500)
    quantiles.append(np.quantile(stream.score_samples(watched), [0.05, 0.5, 0.95]))
    thresholds.append(stream.offset_)
medians = [quantile[1] for quantile in quantiles]
print(f"median score after the first batch {medians[0]:.2f}, after the last {medians[-1]:.2f}")

# %%
# The picture
# -----------
# Left: of normal rows a share of 5 % has a p-value of at most 5 %, and so on: they lie on the
# diagonal. Outliers have small p-values. Right: the stream.

import matplotlib.pyplot as plt

fig, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.8), layout="constrained")
left.plot([0, 1], [0, 1], "--", color="0.3", label="uniform")
left.ecdf(p_values[:, 25:].ravel(), label="normal rows")
left.ecdf(p_values[:, :25].ravel(), color="C3", label="outliers")
left.set(xlabel="p-value", ylabel="share of rows with at most this p-value")
left.legend(frameon=False, loc="center right")
low, middle, high = np.transpose(quantiles)
right.fill_between(seen, low, high, alpha=0.3, label="90 % of the watched rows")
right.plot(seen, middle, label="their median")
right.plot(seen, thresholds, "--", color="0.3", label="threshold")
right.set(xlabel="rows seen", ylabel="score", xlim=(0, None), ylim=(None, 0))
right.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize="small")
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
