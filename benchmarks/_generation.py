"""Judges of generated rows: what they need is made once, so that judging takes seconds.

    judge = ImageJudge(LOADERS["fashion_mnist"](), cache=folder)
    judge(images)  # of shape (n, pixels), from 0 to 1: {"frechet": ..., "coverage": ..., ...}

    table = TABLES["adult"](seed)
    score_table(table.train, table.test, frame, table.target)  # {"auc": ..., "score": ..., ...}

What the numbers mean is said in generation.py.
"""

import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from _data import Split
from pandas.api.types import is_numeric_dtype
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.preprocessing import OneHotEncoder
from torch import nn

from skae.metrics import (
    density_coverage,
    distance_to_closest_record,
    frechet_distance,
    train_on_synthetic_score,
    two_sample_auc,
)

EPOCHS, FEWEST_STEPS, BATCH = 3, 1400, 128  # of the classifier; small data make more epochs
NEIGHBOUR_ROWS = 3_000
CLASSIFIER_ROWS = 2_000
TABLE_ROWS = 5_000


class ImageJudge:
    """Compares generated images with test images by the features of a classifier.

    The classifier learns the training images and their labels, which takes a minute for 60,000 of
    28 x 28; with a folder `cache` it is kept there. `accuracy` is that on the test images.
    """

    def __init__(self, split: Split, cache: Path | str | None = None) -> None:
        n_classes = int(split.y_train.max()) + 1
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self._classifier = _Classifier(math.isqrt(split.X_train.shape[1]), n_classes)
        digest = zlib.crc32(np.ascontiguousarray(split.X_train))
        path = Path(cache, f"judge-{digest:08x}.pt") if cache else None
        if path is not None and path.exists():
            self._classifier.load_state_dict(torch.load(path, weights_only=True))
        else:
            _train(self._classifier, split.X_train, split.y_train)
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                torch.save(self._classifier.state_dict(), path)
        self._classifier.eval()
        self._train, self._test = self._features(split.X_train), self._features(split.X_test)
        weights = self._classifier.classes
        logits = self._test @ weights.weight.detach().numpy().T + weights.bias.detach().numpy()
        self.accuracy = float((logits.argmax(axis=1) == split.y_test).mean())

    def __call__(self, generated: np.ndarray) -> dict[str, float]:
        """Return the measures of images of shape (n, pixels); values outside 0..1 are clipped."""
        rng = np.random.default_rng(0)
        images = rng.permutation(np.clip(generated, 0, 1).astype(np.float32))
        features = self._features(images)
        real = rng.permutation(self._test)
        near = density_coverage(real[:NEIGHBOUR_ROWS], features[:NEIGHBOUR_ROWS], n_neighbors=5)
        few = min(CLASSIFIER_ROWS, len(real), len(features))
        closest = distance_to_closest_record(
            features[:CLASSIFIER_ROWS], self._train, self._test, random_state=0
        )
        return {
            "frechet": frechet_distance(features, self._test),
            "coverage": near.coverage,
            "density": float(near.density),
            "auc": two_sample_auc(real[:few], features[:few], random_state=0),
            "closer": closest.share_closer_to_train,
        }

    def _features(self, images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            batches = torch.from_numpy(np.ascontiguousarray(images)).split(2_000)
            return torch.cat([self._classifier.features(batch) for batch in batches]).numpy()


def score_table(
    train: pd.DataFrame, test: pd.DataFrame, generated: pd.DataFrame, target: str
) -> dict[str, float]:
    """Return the measures of generated rows, in columns and dtypes like those for training."""
    generated = generated[train.columns].sample(frac=1, random_state=0)
    few = min(TABLE_ROWS, len(test), len(generated))
    some = generated[:few]
    auc = two_sample_auc(test.sample(few, random_state=0), some, random_state=0)

    numbers = make_column_transformer(
        (  # a rare category would be far from everything
            OneHotEncoder(
                min_frequency=0.05, handle_unknown="infrequent_if_exist", sparse_output=False
            ),
            make_column_selector(dtype_exclude="number"),
        ),
        remainder="passthrough",
    ).fit(train)
    rows, known, held_out = (numbers.transform(frame) for frame in (some, train, test))
    closest = distance_to_closest_record(rows, known, held_out, random_state=0)
    usual = distance_to_closest_record(held_out[:TABLE_ROWS], known).distances
    return {
        "auc": auc,
        "score": _score(generated, test, train, target),
        "score_real": _score(train, test, train, target),
        "score_auc": _score(generated, test, train, target, "roc_auc"),
        "score_auc_real": _score(train, test, train, target, "roc_auc"),
        "shares": _error_of_shares(generated, train),
        "closer": closest.share_closer_to_train,
        "distance": float(np.median(closest.distances) / np.median(usual)),
        "copies": _share_of_copies(generated, train),
    }


def _error_of_shares(generated: pd.DataFrame, train: pd.DataFrame) -> float:
    """Return the largest difference between the shares of a category."""
    texts = [name for name in train if not is_numeric_dtype(train[name])]
    errors = [
        generated[name]
        .value_counts(normalize=True, dropna=False)
        .sub(train[name].value_counts(normalize=True, dropna=False), fill_value=0)
        .abs()
        .max()
        for name in texts
    ]
    return float(max(errors, default=0.0))


def _score(
    rows: pd.DataFrame,
    test: pd.DataFrame,
    train: pd.DataFrame,
    target: str,
    scoring: str = "balanced_accuracy",
) -> float:
    """Return what a model that was trained on rows scores on test rows; for numbers R2."""
    dtypes = {
        name: pd.CategoricalDtype(sorted(set(train[name]) | set(test[name])))
        for name in train
        if name != target and not is_numeric_dtype(train[name])
    }
    rows, test = rows.astype(dtypes), test.astype(dtypes)
    model: Any
    if is_numeric_dtype(train[target]):
        model, scoring = HistGradientBoostingRegressor(random_state=0), "r2"
    else:
        model = HistGradientBoostingClassifier(random_state=0)
        if scoring == "roc_auc" and train[target].nunique() > 2:
            scoring = "roc_auc_ovr"
        if rows[target].nunique() == 1:  # nothing to learn from: the score of any constant
            return 1 / test[target].nunique()
    features = [name for name in train if name != target]
    return train_on_synthetic_score(
        model, rows[features], rows[target], test[features], test[target], scoring=scoring
    )


def _share_of_copies(generated: pd.DataFrame, train: pd.DataFrame) -> float:
    """Return the share of generated rows that are training rows, by six digits of numbers."""

    def rows(frame: pd.DataFrame) -> list[tuple]:
        columns = [
            [f"{value:.6g}" for value in frame[name]]
            if is_numeric_dtype(frame[name])
            else frame[name]
            for name in train
        ]
        return list(zip(*columns, strict=True))

    known = set(rows(train))
    return float(np.mean([row in known for row in rows(generated)]))


class _Classifier(nn.Module):
    """Two convolutions and a layer of 64 features, for square images of one channel."""

    def __init__(self, side: int, n_classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Unflatten(1, (1, side, side)),
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(32 * (side // 4) ** 2, 64),
            nn.ReLU(),
        )
        self.classes = nn.Linear(64, n_classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.classes(self.features(images))


def _train(classifier: nn.Module, X: np.ndarray, y: np.ndarray) -> None:
    steps_per_epoch = len(X) // BATCH
    epochs = max(EPOCHS, math.ceil(FEWEST_STEPS / steps_per_epoch))
    images, labels = torch.from_numpy(X), torch.from_numpy(y.astype(np.int64))
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(classifier.parameters(), weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=3e-3, total_steps=epochs * steps_per_epoch
    )
    for _ in range(epochs):
        order = torch.randperm(len(X), generator=generator)
        for rows in order[: steps_per_epoch * BATCH].split(BATCH):
            loss = nn.functional.cross_entropy(classifier(images[rows]), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
