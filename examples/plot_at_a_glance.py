"""
================================
What an autoencoder does to rows
================================

Each image of a digit goes through eight numbers and comes back. What was never seen, a face and
a chessboard, does not come back: the error tells. From these two uses all others follow.
"""

# %%
# Through eight numbers
# ---------------------
# The model learns from 1,500 of scikit-learn's digits. Seven images that it has not seen go through
# it, and two that are no digits.

import numpy as np
from sklearn.datasets import load_digits

from skae import Autoencoder

digits = load_digits()
X = digits.data / 16
model = Autoencoder(n_components=8, max_epochs=150, random_state=0).fit(X[:1500])

face = np.zeros((8, 8))
face[[1, 1, 2, 2], [1, 6, 1, 6]] = face[5, [1, 6]] = face[6, 2:6] = 1
chessboard = np.indices((8, 8)).sum(axis=0) % 2
unseen = [1500 + np.flatnonzero(digits.target[1500:] == digit)[3] for digit in range(7)]
rows = np.vstack([X[unseen], face.reshape(1, -1), chessboard.reshape(1, -1)])

codes = model.transform(rows)
restored = model.inverse_transform(codes)
errors = np.mean((rows - restored) ** 2, axis=1)
for name, error in zip([*"0123456", "face", "chessboard"], errors, strict=True):
    print(f"{name}: mean squared error {error:.4f}")

# %%
# In one picture
# --------------
# The same function draws it in light and in dark, for the first page of the documentation.

import matplotlib.pyplot as plt


def draw(back="white", ink="#1d2430", good="#2272b9", bad="#d9650b"):
    """Draw what goes in, its code, what comes back, and the error."""
    n = len(rows)
    figure, axes = plt.subplots(
        4, n, figsize=(8.6, 4), height_ratios=[1, 0.55, 1, 0.45], facecolor=back
    )
    figure.subplots_adjust(left=0.15, right=0.99, top=0.98, bottom=0.03, wspace=0.14, hspace=0.14)
    largest = np.abs(codes).max()
    for i, column in enumerate(axes.T):
        color = bad if errors[i] > 2 * errors[:-2].max() else good
        for ax, image in zip(column[[0, 2]], (rows[i], restored[i]), strict=True):
            ax.imshow(image.reshape(8, 8), cmap="gray", vmin=0, vmax=1)
        column[1].bar(range(codes.shape[1]), codes[i], color=color, width=0.8)
        column[1].set(facecolor=back, ylim=(-largest, largest))
        column[3].bar(0, errors[i], color=color, width=0.6)
        column[3].set(facecolor=back, ylim=(0, errors.max()), xlim=(-1, 1))
        for ax in column:
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
    names = ("goes in", "becomes\n8 numbers", "comes back", "error")
    for ax, name in zip(axes[:, 0], names, strict=True):
        ax.set_ylabel(name, rotation=0, ha="right", va="center", color=ink, fontsize=12)
    return figure


draw()
plt.show()
