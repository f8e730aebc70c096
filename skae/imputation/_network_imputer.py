"""The training of the imputer: a normal distribution, networks, and what hidden cells say."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from warnings import warn

import numpy as np
import torch
from sklearn.utils import check_random_state
from torch import Tensor

from .._base import Fit, NetEstimator, TakesWeights, checked_sizes
from .._plain import Part
from .._settings import inference, whole_rows
from .._units import chunks_of
from .._weights import drawn_positions
from ..tables import Coding
from ..tables._kinds import share_a_range
from ..training import AutoencoderNet, Batch, BestWeights, Recipe, Rows
from ._errors import root_errors
from ._filling import filled
from ._kernels import KernelMachines
from ._normal import _N_ITERATIONS, Normal, chosen_ridge, resampled
from ._objectives import HiddenCells
from ._rows import IncompleteRows, JudgedRows
from ._spread import HeldOutCells, Spread
from ._tables import FillsTables

_N_STEPS, _PATIENCE = 1200, 300
_MOST_EPOCHS, _FEWEST_ROWS, _FEW_ROWS = 300, 20, 2000
_MOST_ROWS_OF_NORMAL, _MOST_JUDGED = 8192, 1500
_FEWEST_PIXELS = 256
_N_NORMALS, _RIDGE_OF_DRAWS = 10, 0.1  # of resampled rows; the ridge is that times columns per row
_CELLS_AT_ONCE = 2**21


class NetworkImputer(TakesWeights, FillsTables, NetEstimator):
    """Base of the imputer with networks: all but what a user asks it for."""

    n_estimators: int
    hidden_layer_sizes: Sequence[int]
    _coding: Coding
    _normal: Normal
    _normals: list[Normal]  # of resampled rows
    _machines: KernelMachines | None
    _spread: Spread

    # ------------------------------------------------------------------ fit

    def _plan(self, X: Any) -> Recipe:
        n, rng = X.shape[0], check_random_state(self.random_state)
        n_observed = sum((~np.isnan(rows)).sum(axis=0) for rows in chunks_of(X[:]))
        self._is_empty, self._had_missing = n_observed == 0, n_observed < n
        if self._is_empty.all():
            raise ValueError(
                f"X has no values: all its {X.shape[0]} x {X.shape[1]} cells are missing; at least "
                "one must be known"
            )
        if self._is_empty.any():
            self._warn_of_empty()
        categories = {j: len(values) for j, values in self._format.categories.items()}
        coding = Coding.of(X, np.flatnonzero(~self._is_empty), categories, self._weights)
        self._coding = coding
        if len(coding.numbers) >= _FEWEST_PIXELS and share_a_range(coding.low, coding.high):
            warn(
                f"X has {len(coding.numbers)} columns of one range, as pixels of images have. Time "
                "grows with the cube of their number; AutoencoderDenoiser(noise='blocks') fills "
                "missing parts of images",
                stacklevel=2,
            )
        self._counts = self._drawn_counts(n, rng)
        some = np.arange(n)
        if n > _MOST_ROWS_OF_NORMAL:
            some = np.sort(rng.choice(n, _MOST_ROWS_OF_NORMAL, replace=False))
        Z, weights = coding.encode(X[some]), self._weights_of(some)
        ridge = chosen_ridge(Z, coding.weights(Z), rng, weights) if n >= _FEWEST_ROWS else 0.03
        self._normal = normal = Normal.of(Z, weights, ridge=ridge)
        counts = (resampled(len(Z), weights, rng) for _ in range(_N_NORMALS))
        n_rows = len(Z) if weights is None else weights.sum()
        # A ridge that predicts best draws slopes to zero, and estimates from draws with them.
        ridge = min(ridge, _RIDGE_OF_DRAWS * Z.shape[1] / n_rows)
        start = replace(normal, ridge=ridge)
        self._normals = [Normal.of(Z, each, start, n_further=_N_ITERATIONS) for each in counts]
        self._of_folds = self._without_folds(Z)
        m = len(coding.numbers)
        params = {
            "module__mean": normal.mean,
            "module__precision": normal.precision,
            "module__n_numbers": m,
            "module__sizes": coding.sizes,
            "module__n_members": self.n_estimators,
            "module__hidden_layer_sizes": checked_sizes(
                "hidden_layer_sizes", self.hidden_layer_sizes
            ),
            "objective": HiddenCells(m, coding.sizes),
            **self._nested_params,
        }
        network, loss = Part("networks", "ImputingEnsemble", {}), Part("losses", "Observed", {})
        return Recipe(network, loss, self.optimizer, self.dtype, params)

    def _weights_of(self, rows: Any) -> np.ndarray | None:
        """Return how often some rows of the present fit count."""
        return None if self._weights is None else self._weights[rows]

    def _drawn_counts(self, n: int, rng: Any) -> np.ndarray:
        """Return whether each member trains on each of n rows: all but those of its fold."""
        folds = rng.permutation(n) % self.n_estimators
        return (folds[:, None] != np.arange(self.n_estimators)).astype(np.uint8)

    def _adapt(self, X: Any) -> None:
        self._counts = self._drawn_counts(X.shape[0], check_random_state(self.random_state))
        self._of_folds = self._without_folds(self._coding.encode(X[: _FEW_ROWS + 1]))

    def _without_folds(self, Z: np.ndarray) -> list[Normal]:
        """Return the normal distributions that judge the rows of each fold, from coded rows."""
        if self.n_estimators == 1 or len(Z) > _FEW_ROWS:
            return [self._normal] * self.n_estimators
        # What is fitted to few rows guesses them better than others.
        weights = 1 if self._weights is None else self._weights
        return [Normal.of(Z, counts * weights, self._normal) for counts in self._counts.T]

    def _warn_of_empty(self) -> None:
        names = self._names if self._names is not None else range(len(self._is_empty))
        empty = [name for name, each in zip(names, self._is_empty, strict=True) if each]
        what = "are filled with 0" if self.keep_empty_features else "are left out"
        warn(f"Columns without any value {what}: {empty}", stacklevel=2)

    def _view(
        self, X: Any, dtype: torch.dtype, device: torch.device, *, training: bool = False
    ) -> Rows:
        if training:
            counts = self._counts
        else:
            counts = np.broadcast_to(np.uint8(1), (X.shape[0], self.n_estimators))
        return IncompleteRows(X, self._coding, dtype, device, counts)

    # ------------------------------------------------------------------ training

    def _auto_epochs(self, recipe: Recipe, device: torch.device, seed: int, rows: Rows) -> int:
        if len(rows) < _FEWEST_ROWS:
            return 0
        steps_per_epoch = math.ceil(len(rows) / self.batch_size)
        return min(_MOST_EPOCHS, math.ceil(_N_STEPS / steps_per_epoch))

    def _split(self, net: AutoencoderNet, rows: Rows, fit: Fit) -> Any:
        if self.early_stopping or not fit.is_auto or not fit.max_epochs:
            return super()._split(net, rows, fit)
        patience = math.ceil(_PATIENCE / math.ceil(len(rows) / self.batch_size))
        watch = ("best_weights", BestWeights(patience))
        return rows, self._judged(net, rows, [self._normal] * self.n_estimators), [watch]

    @inference()
    def _judged(self, net: AutoencoderNet, rows: Any, normals: Sequence[Normal]) -> JudgedRows:
        """Return rows with hidden cells, to be judged by members that do not train on them."""
        generator = torch.Generator().manual_seed(net.generator.initial_seed())
        if (weights := rows.own_weights) is None:
            chosen = torch.randperm(len(rows), generator=generator)[:_MOST_JUDGED]
        else:
            n = min(_MOST_JUDGED, round(weights.sum()))
            chosen = torch.from_numpy(drawn_positions(weights, n))
        return JudgedRows(rows.subset(chosen), normals, self._rows_at_once)

    @property
    def _rows_at_once(self) -> int:
        """Number of rows whose matrices fit caches and memory."""
        return min(1024, whole_rows(_CELLS_AT_ONCE // self._coding.n_outputs**2))

    def _finish(self, net: AutoencoderNet, rows: Rows, y: Any) -> dict[str, Any]:
        usual, coding = [self._normal] * self.n_estimators, self._coding
        judged = honestly = self._judged(net, rows, usual)
        if self._of_folds != usual:
            honestly = self._judged(net, rows, self._of_folds)
        honest = honestly.whole.extra[1].cpu()
        x, target = (each.cpu() for each in judged.whole)
        m, seed = len(coding.numbers), net.generator.initial_seed() % 2**32
        self._machines, moves = None, torch.zeros_like(honest)
        if self.max_epochs != 0:
            hidden = x.isnan() & ~target.isnan()
            widths = [1] * m + coding.sizes
            fitted = KernelMachines.of(target, honest, hidden, self._normal, widths, seed)
            self._machines, moves = fitted
        cells = HeldOutCells.of(net.averaged_module_, judged, moves, honest)
        self._spread = cells.spread()
        del self._counts, self._of_folds
        filled = cells.corrected(self._spread)
        mean = np.tile(self._normal.mean, (len(filled), 1))
        errors = {"held_out_errors_": filled, "baseline_errors_": mean}
        return {
            name: root_errors(Z, cells.target, cells.is_judged, coding, self.n_features_in_)
            for name, Z in errors.items()
        }

    # ------------------------------------------------------------------ filling

    def _coded(self, X: np.ndarray, function: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows with missing cells, and a function of module and batch of them."""
        rows = np.flatnonzero(np.isnan(X).any(axis=1))
        if not len(rows):
            return rows, np.empty((0, self._coding.n_outputs + len(self._coding.numbers)))
        view = self._view(X[rows], self.net_.dtype, torch.device("cpu"))
        return rows, self._apply_to(view, function, self._rows_at_once)

    def _filled(self, X: np.ndarray) -> np.ndarray:
        rows, Z = self._coded(X, self._expected)
        X[rows] = self._coding.decode(Z, X[rows])
        return X

    def _expected(self, module: Any, batch: Batch) -> Tensor:
        """Return coded rows, and standard deviations of numbers."""
        return filled(module, batch.input, self._spread, self._machines)
