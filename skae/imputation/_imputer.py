"""AutoencoderImputer: missing cells filled by networks that correct a normal distribution."""

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any
from warnings import warn

import numpy as np
import torch
from sklearn.base import TransformerMixin
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils._missing import is_scalar_nan
from sklearn.utils._param_validation import Interval, MissingValues
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from .._base import Fit, NetEstimator, checked_sizes, checked_table
from .._plain import Part
from .._settings import inference
from .._units import chunks_of
from ..networks._normal import completed, wide
from ..tables import FrameFormat, is_frame
from ..training import AutoencoderNet, BestWeights, Recipe, Rows
from ._coding import Coding
from ._errors import column_errors, relative_score
from ._normal import Normal
from ._objectives import HiddenCells
from ._rows import IncompleteRows, JudgedRows
from ._spread import Spread, combined, drawn, filled

_N_STEPS, _PATIENCE = 1200, 300
_MOST_EPOCHS, _FEWEST_ROWS = 300, 20
_MOST_ROWS_OF_NORMAL, _MOST_JUDGED = 8192, 1500
_JUDGED_SHARE = 0.25  # of the observed cells of a row
_HIDDEN_SHARE = 0.2  # when rows are scored
_N_QUANTILES = 9
_CELLS_AT_ONCE = 2**21
_NOT_OURS = {
    "module",
    "early_stopping",
    "validation_fraction",
    "n_iter_no_change",
    "tol",
    "warm_start",
}


class AutoencoderImputer(TransformerMixin, NetEstimator):
    """Fills missing cells of tables, once or many times, and says how sure it is.

    Read more in the :ref:`User Guide <imputation>`.
    """

    _parameter_constraints: dict = {
        **{k: v for k, v in NetEstimator._parameter_constraints.items() if k not in _NOT_OURS},
        "missing_values": [MissingValues()],
        "add_indicator": ["boolean"],
        "keep_empty_features": ["boolean"],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": ["array-like"],
    }

    _takes_valid = False

    def __init__(
        self,
        *,
        missing_values: Any = np.nan,
        add_indicator: bool = False,
        keep_empty_features: bool = False,
        n_estimators: int = 8,
        hidden_layer_sizes: Sequence[int] = (128, 128),
        optimizer: Any = "adamw",
        lr: float = 2e-3,
        batch_size: int = 128,
        max_epochs: str | int = "auto",
        callbacks: Sequence[Any] | None = None,
        device: str | torch.device = "auto",
        dtype: str = "float32",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        **kwargs: Any,
    ) -> None:
        self.missing_values = missing_values
        self.add_indicator = add_indicator
        self.keep_empty_features = keep_empty_features
        self.n_estimators = n_estimators
        self.hidden_layer_sizes = hidden_layer_sizes
        self.optimizer = optimizer
        self.lr = lr
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.callbacks = callbacks
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose
        self._nested_params = kwargs

    # ------------------------------------------------------------------ data

    @property
    def _sentinel(self) -> Any:
        """The value that stands for a missing one besides NaN, None and the like."""
        is_usual = self.missing_values is None or is_scalar_nan(self.missing_values)
        return None if is_usual or str(self.missing_values) == "<NA>" else self.missing_values

    def _checked(self, X: Any, *, reset: bool = False) -> Any:
        form = getattr(self, "_format", None)
        if reset:
            form = FrameFormat.of(X, fills=True, sentinel=self._sentinel)
        X = checked_table(self, X, form, reset=reset)
        if reset:
            self._format = form
        if self._sentinel is not None:
            rows = X[:]
            X = np.where(rows == self._sentinel, np.nan, rows)
        return X

    def _plan(self, X: Any) -> Recipe:
        n, rng = X.shape[0], check_random_state(self.random_state)
        n_observed = sum((~np.isnan(rows)).sum(axis=0) for rows in chunks_of(X[:]))
        self._is_empty, self._had_missing = n_observed == 0, n_observed < n
        if self._is_empty.all():
            raise ValueError("X has no values: all its cells are missing")
        if self._is_empty.any():
            self._warn_of_empty()
        categories = {j: len(values) for j, values in self._format.categories.items()}
        coding = Coding.of(X, np.flatnonzero(~self._is_empty), categories)
        k = self.n_estimators
        self._coding = coding
        self._counts = np.stack(
            [np.bincount(rng.randint(n, size=n), minlength=n) for _ in range(k)], 1
        )
        some = np.arange(n)
        if n > _MOST_ROWS_OF_NORMAL:
            some = np.sort(rng.choice(n, _MOST_ROWS_OF_NORMAL, replace=False))
        Z = coding.encode(X[some])
        normal = Normal.of(Z)
        self._normals = [Normal.of(Z, counts, normal) for counts in self._counts[some].T]
        m = len(coding.numbers)
        levels = np.linspace(0, 1, _N_QUANTILES)
        params = {
            "module__mean": normal.mean,
            "module__precision": np.linalg.inv(normal.covariance),
            "module__quantiles": np.nanquantile(Z[:, :m], levels, axis=0).T.reshape(m, -1),
            "module__sizes": coding.sizes,
            "module__n_members": k,
            "module__hidden_layer_sizes": checked_sizes(
                "hidden_layer_sizes", self.hidden_layer_sizes
            ),
            "objective": HiddenCells(m, coding.sizes),
            **self._nested_params,
        }
        network, loss = Part("networks", "ImputingEnsemble", {}), Part("losses", "Observed", {})
        return Recipe(network, loss, self.optimizer, self.dtype, params)

    def _warn_of_empty(self) -> None:
        names = self._names if self._names is not None else range(len(self._is_empty))
        empty = [name for name, each in zip(names, self._is_empty, strict=True) if each]
        what = "are filled with 0" if self.keep_empty_features else "are left out"
        warn(f"Columns without any value {what}: {empty}", stacklevel=2)

    def _view(
        self, X: Any, dtype: torch.dtype, device: torch.device, *, training: bool = False
    ) -> Rows:
        counts = self._counts if training else None
        return IncompleteRows(X, self._coding, dtype, device, counts)

    # ------------------------------------------------------------------ training

    def _auto_epochs(self, recipe: Recipe, device: torch.device, seed: int, rows: Rows) -> int:
        if len(rows) < _FEWEST_ROWS:
            return 0
        steps_per_epoch = math.ceil(len(rows) / self.batch_size)
        return min(_MOST_EPOCHS, math.ceil(_N_STEPS / steps_per_epoch))

    def _split(self, net: AutoencoderNet, rows: Rows, fit: Fit) -> Any:
        if not fit.is_auto or not fit.max_epochs:
            return rows, None, []
        patience = math.ceil(_PATIENCE / math.ceil(len(rows) / self.batch_size))
        watch = ("best_weights", BestWeights(patience))
        return rows, self._judged(net, rows), [watch]

    @inference()
    def _judged(self, net: AutoencoderNet, rows: Rows) -> JudgedRows:
        """Return rows with hidden cells, to be judged by members that do not train on them."""
        generator = torch.Generator().manual_seed(net.generator.initial_seed())
        chosen = torch.randperm(len(rows), generator=generator)[:_MOST_JUDGED].sort().values
        batch = rows.batch(chosen)
        objective: Any = net.objective
        hidden = objective.hidden(batch.input.cpu(), _JUDGED_SHARE, generator)
        hidden = hidden.to(batch.input.device)
        return JudgedRows(net.module_, batch, hidden, self._rows_at_once)

    @property
    def _rows_at_once(self) -> int:
        """Number of rows whose matrices fit caches and memory."""
        return min(1024, max(32, _CELLS_AT_ONCE // self._coding.n_outputs**2 // 32 * 32))

    def _finish(self, net: AutoencoderNet, rows: Rows, y: Any) -> dict[str, Any]:
        module: Any = net.averaged_module_
        with inference():
            x, target = (judged := self._judged(net, rows).whole)
            is_held_out, guess, scale = judged.extra
            output = module.members(x, guess, scale)
            numbers, shares, scale = combined(module, *output, weights=is_held_out.T)
            is_judged = x.isnan() & ~target.isnan() & (is_held_out.sum(1, keepdim=True) > 0)
            x, target, guess, numbers, shares, scale, is_judged = (
                each.cpu().double().numpy()
                for each in (x, target, guess, numbers, shares, scale, is_judged)
            )
        m = module.n_numbers
        self._spread = spread = Spread.of(
            guess[:, :m], numbers, scale, target[:, :m], is_judged[:, :m] > 0
        )
        numbers = guess[:, :m] + spread.gain * (numbers - guess[:, :m])
        blank = np.full((len(x), self.n_features_in_), np.nan)
        truth, expected, mean = (
            self._coding.decode(Z, blank)
            for Z in (target, np.c_[numbers, shares], np.tile(self._normals[0].mean, (len(x), 1)))
        )
        of_features = np.cumsum([0, *[1] * m, *self._coding.sizes])[:-1]
        hidden = np.zeros(blank.shape, dtype=bool)
        hidden[:, self._coding.features] = is_judged[:, of_features] > 0
        del self._counts
        return {
            name: self._in_units(column_errors(each, truth, hidden, self._coding))
            for name, each in (("held_out_errors_", expected), ("baseline_errors_", mean))
        }

    def _in_units(self, errors: np.ndarray) -> np.ndarray:
        """Return roots of the mean squared errors of numbers, beside rates of wrong categories."""
        errors[self._coding.numbers] **= 0.5
        return errors

    # ------------------------------------------------------------------ filling

    def transform(self, X: Any) -> Any:
        """Fill missing cells by what is most likely.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_samples, n_features)
            Rows, in the form of the training data.

        Returns
        -------
        ndarray or data frame of shape (n_samples, n_features_out)
            The rows in the form in which they came; observed cells are as they were. Numbers are
            expected values, within the range of the training data, categories the likeliest ones.
        """
        checked = self._checked(X)
        return self._restored(self._filled(checked), checked, X)

    def _coded(self, X: np.ndarray, function: Any) -> tuple[np.ndarray, np.ndarray]:
        """Call a function of module and batch on the rows with missing cells; return these too."""
        rows = np.flatnonzero(np.isnan(X).any(axis=1))
        if not len(rows):
            return rows, np.empty((0, self._coding.n_outputs + len(self._coding.numbers)))
        view = self._view(X[rows], self.net_.dtype, torch.device("cpu"))
        return rows, self._apply_to(view, function, self._rows_at_once)

    def _filled(self, X: Any) -> np.ndarray:
        """Return checked rows, float64, with the most likely values in missing cells."""
        X = np.array(X[:], dtype=np.float64)
        spread = self._spread
        rows, Z = self._coded(X, lambda module, batch: filled(module, batch.input, spread))
        X[rows] = self._coding.decode(Z, X[rows])
        return X

    def _restored(self, matrix: np.ndarray, checked: Any, X: Any) -> Any:
        """Return filled rows in the form of others, without what is left out of these."""
        kept = ~self._is_empty | self.keep_empty_features
        numbers = self._is_empty & ~np.isin(range(len(kept)), list(self._format.categories))
        matrix[:, numbers] = np.where(np.isnan(matrix[:, numbers]), 0, matrix[:, numbers])
        marked = np.flatnonzero(self._had_missing & ~self._is_empty)
        is_frame_too = bool(self._format.container) and is_frame(X)
        missing = self._format.missing(X) if is_frame_too else np.isnan(checked[:])
        if is_frame_too:
            frame = self._format.filled(X, matrix)
            return self._framed(frame, kept, missing[:, marked], marked)
        if isinstance(X, np.ndarray) and X.dtype.kind in "iu":
            limits, filled = np.iinfo(X.dtype), X.copy()
            filled[missing] = matrix[missing].round().clip(limits.min, limits.max)
        else:
            filled = matrix.astype(checked.dtype, copy=False)
        filled = filled[:, kept]
        return (
            np.c_[filled, missing[:, marked]].astype(filled.dtype) if self.add_indicator else filled
        )

    def _framed(self, frame: Any, kept: np.ndarray, missing: np.ndarray, marked: np.ndarray) -> Any:
        names = [f"missingindicator_{frame.columns[j]}" for j in marked]
        is_polars = self._format.container == "polars"
        frame = frame[:, np.flatnonzero(kept).tolist()] if is_polars else frame.loc[:, kept]
        if not self.add_indicator:
            return frame
        indicators = dict(zip(names, missing.T, strict=True))
        if is_polars:
            import polars as pl

            return frame.with_columns(pl.Series(n, values) for n, values in indicators.items())
        return frame.assign(**indicators)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns that :meth:`transform` gives.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns; None takes those of the training data, or x0, x1, ...

        Returns
        -------
        ndarray of str objects
            The names.
        """
        check_is_fitted(self, "_is_empty")
        names = _check_feature_names_in(self, input_features)
        kept = names[~self._is_empty | self.keep_empty_features]
        if not self.add_indicator:
            return kept
        marked = names[self._had_missing & ~self._is_empty]
        return np.concatenate([kept, [f"missingindicator_{name}" for name in marked]]).astype(
            object
        )

    # ------------------------------------------------------------------ many times, and how sure

    def sample_imputations(
        self, X: Any, n_imputations: int = 10, *, random_state: Any = None
    ) -> list[Any]:
        """Fill missing cells several times by draws.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_samples, n_features)
            Rows, in the form of the training data.
        n_imputations : int, default=10
            How many times.
        random_state : int, RandomState instance or None, default=None
            Determines the draws; None takes that of the estimator.

        Returns
        -------
        list of ndarray or data frame of shape (n_samples, n_features_out)
            As :meth:`transform` gives them.
        """
        checked = self._checked(X)
        check_scalar(n_imputations, "n_imputations", Integral, min_val=1)
        random = check_random_state(self.random_state if random_state is None else random_state)
        generator = torch.Generator().manual_seed(random.randint(2**31))
        return [
            self._restored(self._drawn(checked, i % self.n_estimators, generator), checked, X)
            for i in range(n_imputations)
        ]

    def _drawn(self, X: Any, member: int, generator: torch.Generator) -> np.ndarray:
        """Return checked rows, float64, with draws in missing cells."""
        X = np.array(X[:], dtype=np.float64)
        normal = self._normals[member]
        mean = torch.from_numpy(normal.mean)
        precision = torch.from_numpy(np.linalg.inv(normal.covariance))

        def draws(module: Any, batch: Any) -> Any:
            x = batch.input
            other, _ = completed(wide(x), wide(mean.to(x)), wide(precision.to(x)))
            return drawn(module, x, member, other.to(x), self._spread, generator)

        rows, Z = self._coded(X, draws)
        X[rows] = self._coding.decode(Z, X[rows])
        return X

    def impute_intervals(self, X: Any, level: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
        """Return between which values missing numbers lie.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_samples, n_features)
            Rows, in the form of the training data.
        level : float, default=0.9
            Probability with which an interval holds the value, if cells are missing at random.

        Returns
        -------
        low, high : ndarray of float64 of shape (n_samples, n_features)
            Bounds of the intervals. Observed numbers are both bounds of theirs. Columns that hold no
            numbers, or had none in training, are NaN.
        """
        X = np.array(self._checked(X)[:], dtype=np.float64)
        check_scalar(level, "level", Real, min_val=0, max_val=1, include_boundaries="neither")
        spread, m = self._spread, len(self._coding.numbers)
        rows, Z = self._coded(X, lambda module, batch: filled(module, batch.input, spread))
        other = [j for j in range(X.shape[1]) if j not in self._coding.numbers]
        other += list(self._format.dates)
        bounds = []
        for q in ((1 - level) / 2, (1 + level) / 2):
            errors = spread.quantiles(torch.full((1, m), q, dtype=torch.float64)).numpy()
            bound = X.copy()
            at = np.c_[Z[:, :m] + errors * Z[:, Z.shape[1] - m :], Z[:, m : Z.shape[1] - m]]
            bound[rows] = self._coding.decode(at, X[rows])
            bound[:, other] = np.nan
            bounds.append(bound)
        return bounds[0], bounds[1]

    def score(self, X: Any, y: Any = None) -> float:
        """Hide a fifth of the observed cells, and return how well they are filled.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_samples, n_features)
            Rows, in the form of the training data.
        y : Ignored
            Not used, present for API consistency.

        Returns
        -------
        float
            By what share the squared errors of numbers, and the errors of categories, are below those
            of the mean and of the most frequent category of the rows; the mean over columns. 1 is
            perfect. The same cells are hidden in every call.
        """
        truth = np.array(self._checked(X)[:], dtype=np.float64)
        hidden = np.random.default_rng(0).random(truth.shape) < _HIDDEN_SHARE
        hidden &= ~np.isnan(truth)
        if not hidden.any():
            raise ValueError(f"X has no cell to hide: it has {truth.size} cells")
        shown = np.where(hidden, np.nan, truth)
        coding = Coding.of(truth, self._coding.features, self._coding.categories)
        mean = np.nan_to_num(coding.encode(truth))
        usual = coding.decode(np.tile(mean.mean(axis=0), (len(mean), 1)), shown)
        errors, baseline = (
            column_errors(each, truth, hidden, coding) for each in (self._filled(shown), usual)
        )
        return relative_score(errors, baseline)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse, tags.input_tags.allow_nan = False, True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
