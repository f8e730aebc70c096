"""
===============================
New digits, one class at a time
===============================

A :class:`~skae.VariationalAutoencoder` with ``conditional=True`` learns images together with their
classes, and then draws new images of a class. Here are samples, the question whether another model
recognises them, and what lies between two images.
"""

# %%
# Learn
# -----
# The images are rows of 64 pixels, and need no scaling. Half of them are kept away from the model.

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skae import VariationalAutoencoder

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
model = VariationalAutoencoder(conditional=True, random_state=0).fit(X_train, y_train)
print(f"{model.n_active_components_} of {model.transform(X_test).shape[1]} components in use")
print(f"bound per image, training: {model.score(X_train):.1f} nats")
print(f"                 held out: {model.score(X_test):.1f} nats")

# %%
# Are they what they should be?
# -----------------------------
# A classifier that has learned real digits looks at the new ones, and one that has learned new ones
# looks at real digits. Copies would pass both tests, so how near new images are to those that the
# model has learned is counted too: half of them should be nearer to one of those than to any of as
# many others.

from sklearn.svm import SVC

from skae.metrics import density_coverage, distance_to_closest_record, train_on_synthetic_score

y_new = np.repeat(model.classes_, 90)
X_new = model.sample(len(y_new), y_new, random_state=0)

recognised = SVC().fit(X_train, y_train).score(X_new, y_new)
real = SVC().fit(X_train, y_train).score(X_test, y_test)
synthetic = train_on_synthetic_score(SVC(), X_new, y_new, X_test, y_test)
density, coverage = density_coverage(X_test, X_new)
closer = distance_to_closest_record(X_new, X_train, X_test, random_state=0).share_closer_to_train
print(f"new digits recognised by a classifier of real ones: {recognised:.1%}")
print(f"held-out digits recognised after training on real ones: {real:.1%}")
print(f"                           after training on new ones:  {synthetic:.1%}")
print(f"density {density:.2f}, coverage {coverage:.2f}")
print(f"closer to a training image than to a held-out one: {closer:.0%}")

# %%
# Ten of each
# -----------
# A row for each class. Pixels are expected values, so the images are smoother than real ones.

import matplotlib.pyplot as plt

from skae.inspection import LatentWalkDisplay, SampleGridDisplay

style = {"cmap": "gray_r"}
SampleGridDisplay.from_estimator(
    model, model.classes_, image_shape=(8, 8), random_state=0, image_kwargs=style
)

# %%
# From one image to another
# -------------------------
# Each way is a straight line between the codes of two held-out images. Ways between images of a
# class stay in it; others pass through images that are neither the one nor the other.

pairs = [(0, 0), (3, 3), (3, 8), (4, 9), (1, 7)]
start = [np.flatnonzero(y_test == a)[0] for a, _ in pairs]
stop = [np.flatnonzero(y_test == b)[-1] for _, b in pairs]
display = LatentWalkDisplay.from_estimator(
    model, X_test[start], X_test[stop], n_steps=9, image_shape=(8, 8), image_kwargs=style
)
plt.show()
