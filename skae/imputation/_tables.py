"""What imputers of tables share: what is missing, and the form in which filled rows come back."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._missing import is_scalar_nan
from sklearn.utils._param_validation import MissingValues
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from .._base import HasSchema, checked_table
from ..tables import FrameFormat, framed, is_frame
from ..tables._values import rounded_to


class FillsTables(HasSchema, TransformerMixin, BaseEstimator):
    """Base of imputers of tables. One says in :meth:`_filled` what to fill cells with."""

    _parameter_constraints: dict = {
        "missing_values": [MissingValues()],
        "add_indicator": ["boolean"],
        "keep_empty_features": ["boolean"],
        "column_kinds": [dict, None],
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
            kinds = self.column_kinds
            form = FrameFormat.of(X, kinds=kinds, fills=True, sentinel=self._sentinel)
        X = checked_table(self, X, form, reset=reset)
        if reset:
            self._format = form
            if isinstance(self._sentinel, str) and form.is_numeric and not form.objects:
                raise ValueError(
                    f"missing_values={self._sentinel!r} is text, but X holds numbers: give a number"
                )
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

    @property
    def _kept(self) -> np.ndarray:
        """Positions of the columns that stay."""
        return np.flatnonzero(~self._is_empty | self.keep_empty_features)

    def _indicators(self, names: Any) -> dict[str, int]:
        """Return names and positions of what is appended, from those of all columns."""
        marked = np.flatnonzero(self._had_missing & ~self._is_empty & self.add_indicator)
        return {f"missingindicator_{names[j]}": int(j) for j in marked}

    def _restored(self, matrix: np.ndarray, checked: Any, X: Any) -> Any:
        """Return filled rows in the form of others, without what is left out of these."""
        of_numbers = self._is_empty.copy()
        of_numbers[list(self._format.categories)] = False
        matrix[:, of_numbers] = np.where(np.isnan(matrix[:, of_numbers]), 0, matrix[:, of_numbers])
        X = framed(X)
        if self._format.container and is_frame(X):
            given, fitted = type(X).__module__.partition(".")[0], self._format.container
            if (given == "polars") != (fitted == "polars"):
                raise ValueError(
                    f"X is a frame of {given}, but the training data were one of {fitted}: convert "
                    "it"
                )
            missing = self._format.missing(X)
            frame = self._format.filled(X, missing, matrix)
            return self._format.as_it_came(self._framed(frame, missing))
        missing = np.isnan(checked)
        if isinstance(X, np.ndarray) and X.dtype.kind in "iu":
            filled = X.copy()
            filled[missing] = rounded_to(matrix[missing], X.dtype)
        else:
            filled = matrix.astype(checked.dtype, copy=False)
        marked = list(self._indicators(range(len(self._is_empty))).values())
        if not marked:
            return filled[:, self._kept]
        return np.c_[filled[:, self._kept], missing[:, marked]].astype(filled.dtype)

    def _framed(self, frame: Any, missing: np.ndarray) -> Any:
        """Return the columns of a frame that stay, and those that tell what was filled."""
        marks = {name: missing[:, j] for name, j in self._indicators(list(frame.columns)).items()}
        if self._format.container == "polars":
            import polars as pl

            marked = [pl.Series(name, values) for name, values in marks.items()]
            return frame[:, self._kept.tolist()].with_columns(marked)
        return frame.iloc[:, self._kept].assign(**marks)

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
        return np.array([*names[self._kept], *self._indicators(names)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse, tags.input_tags.allow_nan = False, True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
