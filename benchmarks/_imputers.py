"""Imputers that AutoencoderImputer is compared with, all for tables of numbers and of codes.

Each is made with the numbers of categories of the columns (0 for numbers) and a seed, and fills
arrays of floats in which categories are codes and NaN is what is missing. Those of scikit-learn and
SoftImpute, which know numbers only, see standardised columns and categories one-hot; the largest of
a block is the category that they impute.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
import torch
from scipy.linalg import svd
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer

from skae.imputation._normal import Normal
from skae.networks._normal import completed

OURS = "AutoencoderImputer"
EM = "EM"
POSTERIOR = "BayesianRidge, posterior"
NORMAL = "EM, normal draws"
DRAWING = (POSTERIOR, NORMAL)  # whose `transform` draws


class Imputer(Protocol):
    """What every imputer of the benchmark can do."""

    def fit(self, X: np.ndarray) -> Any: ...

    def transform(self, X: np.ndarray) -> np.ndarray: ...


class Blocks:
    """A table as numbers: standardised columns, and a block of zeros and ones per category."""

    def __init__(self, X: np.ndarray, n_categories: np.ndarray) -> None:
        self.n_categories = n_categories
        ends = np.cumsum(np.maximum(n_categories, 1))
        self.slices = [slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True)]
        self.mean, std = np.nanmean(X, axis=0), np.nanstd(X, axis=0)
        self.std = np.where(std > 0, std, 1)

    def encode(self, X: np.ndarray) -> np.ndarray:
        """A missing category is a block of NaN."""
        blocks = []
        for j, n in enumerate(self.n_categories):
            column = X[:, [j]]
            if n:
                block = (column == np.arange(n)).astype(float)
                blocks.append(np.where(np.isnan(column), np.nan, block))
            else:
                blocks.append((column - self.mean[j]) / self.std[j])
        return np.hstack(blocks)

    def decode(self, Z: np.ndarray) -> np.ndarray:
        columns = [
            Z[:, part].argmax(axis=1) if n else Z[:, part.start] * self.std[j] + self.mean[j]
            for j, (n, part) in enumerate(zip(self.n_categories, self.slices, strict=True))
        ]
        return np.column_stack(columns)


@dataclass
class OnBlocks:
    """An imputer of numbers, for a table of both."""

    imputer: Any
    n_categories: np.ndarray

    def fit(self, X: np.ndarray) -> "OnBlocks":
        self.blocks = Blocks(X, self.n_categories)
        self.imputer.fit(self.blocks.encode(X))
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        filled = self.blocks.decode(self.imputer.transform(self.blocks.encode(X)))
        return np.where(np.isnan(X), filled, X)

    def sample_imputations(self, X: np.ndarray, n_imputations: int) -> list[np.ndarray]:
        """Draw with an imputer whose `transform` draws anew for every row."""
        return np.split(self.transform(np.tile(X, (n_imputations, 1))), n_imputations)


class NormalDraws:
    """Draws from the normal distribution by EM, with errors as it has them."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def fit(self, Z: np.ndarray) -> "NormalDraws":
        self.normal_ = Normal.of(Z)
        return self

    def transform(self, Z: np.ndarray) -> np.ndarray:
        """Add to the conditional mean what it misses of a row from the distribution."""
        drawn = self.rng.multivariate_normal(self.normal_.mean, self.normal_.covariance, len(Z))
        missed = drawn - self._expected(np.where(np.isnan(Z), np.nan, drawn))
        return self._expected(Z) + missed

    def _expected(self, Z: np.ndarray) -> np.ndarray:
        mean, precision = self.normal_.mean, self.normal_.precision
        return completed(*map(torch.from_numpy, (Z, mean, precision)))[0].numpy()


class SoftImpute:
    """A matrix of low rank, by soft-thresholded singular values (Mazumder et al., JMLR 2010).

    Of six thresholds, a tenth of the known cells chooses. New rows are filled by the same
    operator: one step maps filled rows R to R V diag(max(s - threshold, 0) / s) V'.
    """

    def __init__(self, seed: int, n_iter: int = 100) -> None:
        self.seed, self.n_iter = seed, n_iter

    def fit(self, Z: np.ndarray) -> "SoftImpute":
        known = ~np.isnan(Z)
        held_out = known & (np.random.default_rng(self.seed).random(Z.shape) < 0.1)
        rest = np.where(held_out, np.nan, Z)
        largest = svd(np.nan_to_num(rest), compute_uv=False)[0]

        def error(threshold: float) -> float:
            filled = self._filled(rest, self._operator(rest, threshold))
            return float(np.square((filled - Z)[held_out]).mean())

        thresholds = largest * np.array([0.5, 0.25, 0.12, 0.06, 0.03, 0.015])
        self.operator_ = self._operator(Z, min(thresholds, key=error))
        return self

    def transform(self, Z: np.ndarray) -> np.ndarray:
        return self._filled(Z, self.operator_)

    def _operator(self, Z: np.ndarray, threshold: float) -> np.ndarray:
        filled = np.nan_to_num(Z)
        for _ in range(self.n_iter):
            values, V = np.linalg.eigh(filled.T @ filled)  # squares of the singular values
            s = np.sqrt(values.clip(min=1e-12))
            operator = (V * ((s - threshold).clip(min=0) / s)) @ V.T
            filled = np.where(np.isnan(Z), filled @ operator, Z)
        return operator

    def _filled(self, Z: np.ndarray, operator: np.ndarray) -> np.ndarray:
        filled = np.nan_to_num(Z)
        for _ in range(self.n_iter):
            filled = np.where(np.isnan(Z), filled @ operator, Z)
        return filled


class Boosting:
    """Round robin of gradient-boosted trees that know categories, as in miceforest and HyperImpute.

    Each round fits every column from all others; new rows pass through the models of all rounds.
    """

    def __init__(self, n_categories: np.ndarray, seed: int, n_rounds: int = 3) -> None:
        self.n_categories, self.seed, self.n_rounds = n_categories, seed, n_rounds

    def fit(self, X: np.ndarray) -> "Boosting":
        self.start_ = np.where(
            self.n_categories > 0, pd.DataFrame(X).mode().iloc[0], np.nanmean(X, axis=0)
        )
        self.models_: list[tuple[int, Any]] = []
        filled, missing = self._started(X), np.isnan(X)
        for _ in range(self.n_rounds):
            for j in range(X.shape[1]):
                rest = np.delete(filled, j, axis=1)
                known = ~missing[:, j]
                if np.ptp(X[known, j]) == 0:
                    continue
                model = self._model(j).fit(rest[known], X[known, j])
                self.models_.append((j, model))
                if missing[:, j].any():
                    filled[~known, j] = model.predict(rest[~known])
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        filled, missing = self._started(X), np.isnan(X)
        for j, model in self.models_:
            if missing[:, j].any():
                rows = missing[:, j]
                filled[rows, j] = model.predict(np.delete(filled[rows], j, axis=1))
        return filled

    def _started(self, X: np.ndarray) -> np.ndarray:
        return np.where(np.isnan(X), self.start_, X)

    def _model(self, column: int) -> Any:
        boosting: Any = HistGradientBoostingRegressor
        if self.n_categories[column]:
            boosting = HistGradientBoostingClassifier
        return boosting(
            max_iter=50,
            max_leaf_nodes=15,
            min_samples_leaf=10,
            early_stopping=False,
            categorical_features=np.delete(self.n_categories, column) > 0,
            random_state=self.seed,
        )


class Ours:
    """AutoencoderImputer, to which codes are shown as categories of a data frame."""

    def __init__(self, n_categories: np.ndarray, seed: int, **parameters: Any) -> None:
        from skae import AutoencoderImputer

        self.n_categories = n_categories
        self.imputer = AutoencoderImputer(random_state=seed, **parameters)

    def fit(self, X: np.ndarray) -> "Ours":
        self.imputer.fit(self._shown(X))
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return self._codes(self.imputer.transform(self._shown(X)))

    def sample_imputations(self, X: np.ndarray, n_imputations: int) -> list[np.ndarray]:
        drawn = self.imputer.sample_imputations(self._shown(X), n_imputations)
        return [self._codes(filled) for filled in drawn]

    def impute_intervals(self, X: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
        return self.imputer.impute_intervals(self._shown(X), level=level)

    def _shown(self, X: np.ndarray) -> Any:
        if not self.n_categories.any():
            return X
        frame = pd.DataFrame(X, columns=[f"c{j}" for j in range(X.shape[1])])
        for j in np.flatnonzero(self.n_categories):
            names = [f"v{code}" for code in range(self.n_categories[j])]
            codes = np.nan_to_num(X[:, j], nan=-1).astype(int)
            frame[f"c{j}"] = pd.Categorical.from_codes(codes, names)
        return frame

    def _codes(self, filled: Any) -> np.ndarray:
        if not self.n_categories.any():
            return np.asarray(filled, float)
        columns = [
            column.astype(str).str[1:].astype(float) if n else column
            for n, (_, column) in zip(self.n_categories, filled.items(), strict=True)
        ]
        return np.column_stack(columns)


def _trees(n_trees: int) -> Callable[[np.ndarray, int], Imputer]:
    def make(n_categories: np.ndarray, seed: int) -> Imputer:
        trees = ExtraTreesRegressor(n_trees, min_samples_leaf=2, random_state=seed)
        return OnBlocks(IterativeImputer(trees, max_iter=3, random_state=seed), n_categories)

    return make


def _posterior(n_categories: np.ndarray, seed: int) -> Imputer:
    return OnBlocks(IterativeImputer(sample_posterior=True, random_state=seed), n_categories)


# From numbers of categories and a seed. Most frequent is what has the largest mean, one-hot.
IMPUTERS: Mapping[str, Callable[[np.ndarray, int], Imputer]] = {
    "mean": lambda n, seed: OnBlocks(SimpleImputer(), n),
    "KNN(10)": lambda n, seed: OnBlocks(KNNImputer(n_neighbors=10), n),
    "BayesianRidge": lambda n, seed: OnBlocks(IterativeImputer(random_state=seed), n),
    "ExtraTrees(20)": _trees(20),
    "ExtraTrees(100)": _trees(100),
    "boosting": Boosting,
    "SoftImpute": lambda n, seed: OnBlocks(SoftImpute(seed), n),
    POSTERIOR: _posterior,
    NORMAL: lambda n, seed: OnBlocks(NormalDraws(seed), n),
    EM: lambda n, seed: Ours(n, seed, max_epochs=0),
    OURS: Ours,
}
