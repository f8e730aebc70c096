"""What imputers of tables share: what is missing, and the form in which filled rows come back."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._missing import is_scalar_nan
from sklearn.utils._param_validation import MissingValues
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from .._base import checked_table
from ..tables import FrameFormat, is_frame


class FillsTables(TransformerMixin, BaseEstimator):
    """Base of imputers of tables. One says in :meth:`_filled` what to fill cells with."""

    _parameter_constraints: dict = {
        "missing_values": [MissingValues()],
        "add_indicator": ["boolean"],
        "keep_empty_features": ["boolean"],
    }

    # Of the training data.
    _format: FrameFormat
    _is_empty: np.ndarray
    _had_missing: np.ndarray

    def _filled(self, X: np.ndarray) -> np.ndarray:
        """Return checked rows, float64, changed in place: with values in missing cells."""
        raise NotImplementedError

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
        checked = self._checked(X)[:]
        return self._restored(self._filled(np.array(checked, np.float64)), checked, X)

    def _restored(self, matrix: np.ndarray, checked: Any, X: Any) -> Any:
        """Return filled rows in the form of others, without what is left out of these."""
        kept = ~self._is_empty | self.keep_empty_features
        numbers = self._is_empty & ~np.isin(range(len(kept)), list(self._format.categories))
        matrix[:, numbers] = np.where(np.isnan(matrix[:, numbers]), 0, matrix[:, numbers])
        marked = np.flatnonzero(self._had_missing & ~self._is_empty)
        is_frame_too = bool(self._format.container) and is_frame(X)
        missing = self._format.missing(X) if is_frame_too else np.isnan(checked)
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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse, tags.input_tags.allow_nan = False, True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
