"""Draw the pictures of the documentation's first page, and print the one of README.md.

    python tools/draw_first_page.py    # a minute; writes to docs/_static/

The large one is examples/plot_at_a_glance.py, in light and in dark. Those of the cards have a
transparent background, and no text, so they serve both.
"""

import runpy
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits, load_sample_image

from skae import (
    Autoencoder,
    AutoencoderDenoiser,
    AutoencoderOutlierDetector,
    ImageCompressor,
    VariationalAutoencoder,
)

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "docs" / "_static"
SHADES = " .:*#@"
BLUE, ORANGE, GRAY = "#3f90da", "#e76300", "#94a4a2"
DIGITS = load_digits()
X = DIGITS.data / 16


def card() -> tuple[Figure, plt.Axes]:
    """Return an empty picture without a frame."""
    figure, ax = plt.subplots(figsize=(3.2, 1.8))
    figure.subplots_adjust(0, 0, 1, 1)
    ax.axis("off")
    return figure, ax


def mosaic(images: np.ndarray, n_columns: int) -> np.ndarray:
    """Return images side by side, in lines, with gaps that are not drawn."""
    images = np.pad(images, [(0, 0), (0, 1), (0, 1)], constant_values=np.nan)
    height, width = images.shape[1:3]
    lines = images.reshape(-1, n_columns, height, width)
    return lines.swapaxes(1, 2).reshape(-1, n_columns * width)


def reduce() -> Figure:
    """Draw codes of digits, coloured by digit."""
    codes = Autoencoder(n_components=2, max_epochs=150, random_state=0).fit(X).transform(X)
    figure, ax = card()
    ax.scatter(*codes.T, c=DIGITS.target, cmap="tab10", s=5, linewidths=0)
    return figure


def detect() -> Figure:
    """Draw measurements along a curve, and the alarms beside it."""
    rng = np.random.default_rng(0)
    t = rng.uniform(-2, 2, 600)
    rows = np.column_stack([t, np.sin(2 * t)]) + 0.1 * rng.normal(size=(600, 2))
    rows[:14] = rng.uniform([-2, -1.2], [2, 1.2], size=(14, 2))
    labels = AutoencoderOutlierDetector(contamination=0.025, random_state=0).fit(rows).predict(rows)
    figure, ax = card()
    for label, color, size in ((1, BLUE, 6), (-1, ORANGE, 34)):
        ax.scatter(*rows[labels == label].T, color=color, s=size, linewidths=0)
    return figure


def generate() -> Figure:
    """Draw digits that nobody has written."""
    model = VariationalAutoencoder(n_components=8, max_epochs=150, random_state=0).fit(X)
    figure, ax = card()
    images = model.sample(32).reshape(-1, 8, 8).clip(0, 1)
    ax.imshow(mosaic(images, 8), cmap="gray", vmin=0, vmax=1)
    return figure


def clean() -> Figure:
    """Draw digits with noise above the same ones without."""
    rng = np.random.default_rng(0)
    model = AutoencoderDenoiser(random_state=0).fit(X[:1500])
    some = X[1500:1508]
    noisy = some + 0.3 * rng.normal(size=some.shape)
    stacked = np.vstack([noisy, model.transform(noisy)])
    figure, ax = card()
    ax.imshow(mosaic(stacked.reshape(-1, 8, 8), 8), cmap="gray", vmin=0, vmax=1)
    return figure


def compress() -> Figure:
    """Draw a photograph, the right half as it is decoded."""
    photo = load_sample_image("flower.jpg")[60:420, 0:640]
    model = ImageCompressor.pretrained()
    [decoded] = model.decompress(model.compress([photo], target_bpp=0.15))
    both = photo.copy()
    both[:, 320:] = decoded[:, 320:]
    figure, ax = card()
    ax.imshow(both)
    ax.axvline(320, color="white", linewidth=1.5)
    return figure


def recommend() -> Figure:
    """Draw who has what, and what is recommended to whom."""
    from skae import ShallowRecommender

    rng = np.random.default_rng(0)
    taste = np.arange(160)[:, None] % 4 == np.arange(32)[None] // 8
    has = (rng.random((160, 32)) < np.where(taste, 0.55, 0.03)).astype(float)
    best = ShallowRecommender().fit(has).recommend(has[:18], k=2)
    figure, ax = card()
    for rows, columns, color in (
        (*np.nonzero(has[:18]), GRAY),
        (np.repeat(np.arange(18), 2), best.ravel(), ORANGE),
    ):
        ax.scatter(columns, rows, color=color, s=26, marker="s", linewidths=0)
    return figure


def as_text(rows: np.ndarray) -> str:
    """Return images of digits as letters, side by side."""
    shades = np.array(list(SHADES))
    letters = shades[(rows.clip(0, 1) * (len(SHADES) - 1)).round().astype(int)].reshape(-1, 8, 8)
    return "\n".join("  ".join("".join(image[i]) for image in letters).rstrip() for i in range(8))


def main() -> None:
    """Draw all of it."""
    torch.set_num_threads(1)
    STATIC.mkdir(exist_ok=True)
    glance = runpy.run_path(str(ROOT / "examples" / "plot_at_a_glance.py"))
    light = glance["draw"]()
    dark = glance["draw"]("none", "#e6eaf0", "#62aeef", "#ff9e4f")
    for name, figure in (("light", light), ("dark", dark)):
        path = STATIC / f"at_a_glance_{name}.png"
        figure.savefig(path, dpi=160, facecolor=figure.get_facecolor())
    for draw in (reduce, detect, generate, clean, compress, recommend):
        draw().savefig(STATIC / f"card_{draw.__name__}.png", dpi=110, transparent=True)
    chosen = [0, 2, 4, 6, 7]
    for rows in (glance["rows"], glance["restored"]):
        print(as_text(rows[chosen]), end="\n\n")
    print(np.round(glance["codes"][0], 1), glance["errors"][chosen].round(3))


if __name__ == "__main__":
    main()
