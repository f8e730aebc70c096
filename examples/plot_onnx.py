"""
====================================
A detector that runs without Python
====================================

:func:`skae.to_onnx` writes a pipeline with a scaler and an
:class:`~skae.AutoencoderOutlierDetector` as one ONNX model. ONNX Runtime gives the same scores and
labels, and takes a fraction of the time for a single row.
"""

# %%
# From a pipeline to a model
# --------------------------
# The detector learns from benign tumours. The model has two outputs, scores and labels.

import numpy as np
import onnxruntime
from sklearn.datasets import load_breast_cancer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skae

X, y = load_breast_cancer(return_X_y=True)
X = X.astype(np.float32)
is_train = (y == 1) & (np.arange(len(y)) % 2 == 0)
detector = skae.AutoencoderOutlierDetector(random_state=0)
pipeline = make_pipeline(StandardScaler(), detector).fit(X[is_train])

model = skae.to_onnx(pipeline, method=["score_samples", "predict"])
print(f"{model.ByteSize() / 1e6:.1f} MB, outputs:", *(o.name for o in model.graph.output))

# %%
# The same scores
# ---------------
# All rows that the detector has not seen, by the model and by its twin in Python. Ranks among
# training rows are steps, so the rounding of a distance may move a score by one of them.

session = onnxruntime.InferenceSession(model.SerializeToString())
X, y = X[~is_train], y[~is_train]
scores, labels = session.run(["score_samples", "predict"], {"X": X})
expected = pipeline.score_samples(X)
print(f"largest difference: {np.abs(scores - expected).max():.1e}")
print(f"labels that are the same: {(labels == pipeline.predict(X)).mean():.1%}")

# %%
# The time of one row
# -------------------
# Most of the time of a single row in Python goes into checks of the input, and into calls of
# many small functions.

from timeit import repeat

rows = {1: X[:1], len(X): X}
milliseconds = {
    name: [
        1e3 * min(repeat(lambda call=call, x=x: call(x), number=1, repeat=20))
        for x in rows.values()
    ]
    for name, call in {
        "skae": pipeline.score_samples,
        "ONNX Runtime": lambda x: session.run(["score_samples"], {"X": x}),
    }.items()
}

import matplotlib.pyplot as plt

fig, (left, right) = plt.subplots(
    1, 2, figsize=(9.6, 4.2), width_ratios=(1.2, 1), layout="constrained"
)
span = [1.05 * expected.min(), 0]
left.axline((0, 0), slope=1, color="0.8", zorder=0)
for value, name, color in ((1, "benign", "C0"), (0, "malignant", "C1")):
    left.plot(expected[y == value], scores[y == value], ".", color=color, ms=5, label=name)
left.set(xlabel="score by skae", ylabel="score by ONNX Runtime", xlim=span, ylim=span)
left.set_aspect("equal")
left.legend(frameon=False)
for i, (name, times) in enumerate(milliseconds.items()):
    bars = right.bar(
        np.arange(2) + 0.36 * (i - 0.5), times, 0.34, label=name, color=("0.6", "C2")[i]
    )
    right.bar_label(bars, fmt=lambda t: f"{t:.1f}" if t < 10 else f"{t:.0f}", padding=2)
right.set_yscale("log")
right.set_xticks(range(2), [f"{n} row{'s' if n > 1 else ''}" for n in rows])
right.set(ylabel="milliseconds", ylim=(None, 3 * max(map(max, milliseconds.values()))))
right.legend(frameon=False, loc="upper left")
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
