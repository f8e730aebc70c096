"""
========================
Digits that are no eight
========================

An autoencoder that has only seen eights restores other digits badly. With ``estimator`` an
:class:`~skae.AutoencoderOutlierDetector` takes such a model, here a convolutional one, and makes
thresholds and p-values of its scores. A map shows which pixels did not fit.
"""

# %%
# Two models
# ----------
# For two digits, one at a time: train on 70 % of the images of that digit, and score the others
# together with all other digits. The default model knows nothing of neighbouring pixels: for it
# an image is a row of 64 numbers.

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from skae import Autoencoder, AutoencoderOutlierDetector

X, y = load_digits(return_X_y=True)
X = X / 16
conv = Autoencoder(16, module="conv", module__image_shape=(1, 8, 8))
detectors = {
    "default": AutoencoderOutlierDetector(random_state=0),
    "convolutional": AutoencoderOutlierDetector(conv, n_estimators=2, random_state=0),
}

print("normal   area under the ROC curve: default   convolutional")
for digit in (1, 8):
    train, rest = train_test_split(np.flatnonzero(y == digit), test_size=0.3, random_state=0)
    test = np.concatenate([rest, np.flatnonzero(y != digit)])
    areas = [
        roc_auc_score(y[test] == digit, detector.fit(X[train]).score_samples(X[test]))
        for detector in detectors.values()
    ]
    print("{}        {:33.3f}   {:.3f}".format(digit, *areas))

# %%
# The threshold
# -------------
# ``n_estimators=2`` fits two more models, each on half of the rows, for the scores of rows that
# they have not seen. They have fewer rows to learn from than the model has, so that the threshold
# is cautious.

found = detectors["convolutional"].predict(X[test]) == -1
print(f"flagged: {found[y[test] != 8].mean():.0%} of the other digits")
print(f"         {found[y[test] == 8].mean():.0%} of the eights")

# %%
# Maps of pixels
# --------------
# One image of each kind, what the model makes of it, and what each pixel adds to minus the score.
# The last is a held-out eight, hardly any pixel of which stands out.

import matplotlib.pyplot as plt

from skae.inspection import OutlierExplanationDisplay

rows = [np.flatnonzero(y[test] == digit)[0] for digit in (0, 1, 2, 3, 4, 5, 6, 7, 9, 8)]
display = OutlierExplanationDisplay.from_estimator(
    detectors["convolutional"], X[test], rows=rows, image_shape=(8, 8)
)
plt.show()
