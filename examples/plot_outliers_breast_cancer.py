"""
=============================
Malignant tumours as outliers
=============================

A detector that has only ever seen benign tumours should find malignant ones strange. This example
fits an :class:`~skae.AutoencoderOutlierDetector` on half of the benign rows of the breast cancer
data, scores all other rows, and compares it with two other detectors. The labels serve for the
evaluation only.
"""

# %%
# Three detectors, no tuning
# --------------------------
# The detector needs no scaled data. Its default model predicts each of the 30 features from the
# others. The second one is the classical autoencoder: a code of one component, with the
# reconstruction error as the score. There the features, which have different units, must be scaled
# first, and the width of the code was chosen by these very labels, which favours it. The third is
# scikit-learn's :class:`~sklearn.ensemble.IsolationForest`. We average over three random halves,
# because 178 training rows leave much to chance.

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import Autoencoder, AutoencoderOutlierDetector

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
y = np.where(y == 1, 1, -1)  # benign is +1, malignant -1
benign, malignant = np.flatnonzero(y == 1), np.flatnonzero(y == -1)

narrow = make_pipeline(StandardScaler(), Autoencoder(1))
detectors = {
    "skae": AutoencoderOutlierDetector(random_state=0),
    "code of one component": AutoencoderOutlierDetector(narrow, n_estimators=2, random_state=0),
    "isolation forest": IsolationForest(random_state=0),
}

tests, scores, alarms = [], {}, {}
print("detector                 area under the ROC curve   alarms: malignant   benign")
for name, detector in detectors.items():
    areas, flagged = [], []
    for seed in range(3):
        train, rest = train_test_split(benign, test_size=0.5, random_state=seed)
        test = np.concatenate([rest, malignant])
        detector.fit(X.iloc[train])
        scores[name] = detector.score_samples(X.iloc[test])
        areas.append(roc_auc_score(y[test], scores[name]))
        is_alarm = detector.predict(X.iloc[test]) == -1
        flagged.append([is_alarm[y[test] == -1].mean(), is_alarm[y[test] == 1].mean()])
    area = f"{np.mean(areas):.3f} ± {np.std(areas):.3f}"
    print("{:24} {:26} {:<19.0%} {:.0%}".format(name, area, *np.mean(flagged, axis=0)))

# %%
# The scores of the last half
# ---------------------------
# The three rank the rows about equally well. They differ in their thresholds: that of the
# isolation forest is fixed at -0.5, and those of the other two come from the scores of benign
# training rows by models that had not seen them. They are cautious, and flag few benign rows.
# Whoever would rather miss fewer malignant ones moves ``offset_`` up.

import matplotlib.pyplot as plt
from sklearn.metrics import RocCurveDisplay

from skae.inspection import OutlierScoreDisplay

fig, (left, right) = plt.subplots(
    1, 2, figsize=(9.6, 4.2), width_ratios=(1.4, 1), layout="constrained"
)
OutlierScoreDisplay.from_estimator(
    detectors["skae"], X.iloc[test], y[test], estimator_name="skae", ax=left
)
for name, color in zip(scores, ("C0", "0.6", "C1"), strict=True):
    RocCurveDisplay.from_predictions(
        y[test] == -1, -scores[name], name=name, ax=right, curve_kwargs={"color": color}
    )
right.set(xlabel="benign rows flagged", ylabel="malignant rows found", aspect="equal")
right.legend(loc="lower right", frameon=False, fontsize="small")
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
