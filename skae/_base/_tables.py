"""Estimators whose rows may be frames with columns of all kinds."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from .._plain import Part
from ..losses import LOSSES, ReconstructionLoss
from ..tables import FrameFormat, Schema, TableView, ViewedRows, framed, is_frame, refuse_unusable
from ..tables._schema import checked_kinds
from ..tables._series import is_missing, is_number, refuse_empty
from ..training import Recipe, Rows
from ..training._trainer import check_magnitude
from ._checks import checked_table
from ._columns import column_losses


def table_format(
    X: Any, column_kinds: Mapping[Any, str] | None, numbers_may_be_missing: bool
) -> tuple[FrameFormat | None, bool]:
    """Learn what a frame is, and whether it is read as an array.

    Parameters
    ----------
    X : array-like or data frame of shape (n_samples, n_columns)
        Training data.
    column_kinds : mapping of object to str, or None
        What columns are to be taken for.
    numbers_may_be_missing : bool
        Whether NaN in an array is allowed.

    Returns
    -------
    form : FrameFormat or None
        None of an array.
    is_table : bool
        Whether there is something in it that is not in arrays: columns that hold no numbers, or
        missing cells where arrays have none, or a wish of the user.
    """
    refuse_unusable(X)
    given, X = X, framed(X)
    if not is_frame(X):
        checked_kinds(column_kinds, None)
        return None, False
    names = list(X.columns)
    of_numbers = all(is_number(dtype) for dtype in X.dtypes)
    if of_numbers and len(set(names)) < len(names):
        return None, False  # as scikit-learn takes them
    missing = not numbers_may_be_missing and any(is_missing(X[name]).any() for name in names)
    if (
        of_numbers
        and not missing
        and set(checked_kinds(column_kinds, names).values()) <= {"number"}
    ):
        return FrameFormat.of_numbers(given), False
    return FrameFormat.of(given, kinds=column_kinds, fills=True, own_unseen=True), True


class HasSchema:
    """Mixin of estimators that note down in `_format` what their training data were."""

    _format: FrameFormat | None

    @property
    def schema_(self) -> Schema:
        """What the columns of the frame of the training data are taken for."""
        form = vars(self).get("_format")
        if form is None or not form.container:
            raise AttributeError(
                f"{type(self).__name__} has no schema_: fit gives it to those fitted to a frame"
            )
        return form.schema


class TakesTables(HasSchema):
    """Mixin of autoencoders with a loss, which may be fitted to frames with columns of all kinds.

    It goes before the base. An array, CSR, or a frame of complete numbers has no `_table`.
    """

    column_kinds: Any
    loss: Any
    _nested_params: Any
    _fitted_recipe: Any
    _apply: Any
    _errors: Any
    _is_table: bool
    _weights: Any
    _table: TableView | None  # what the network sees of a table

    def _checked(self, X: Any, *, reset: bool = False) -> Any:
        if reset:
            self._format, is_table = table_format(X, self.column_kinds, False)
            self._is_table = is_table
        if not getattr(self, "_is_table", False):
            return super()._checked(framed(X), reset=reset)  # type: ignore[misc]
        return checked_table(self, X, self._format, reset=reset)  # type: ignore[arg-type]

    def _view(
        self, X: Any, dtype: torch.dtype, device: torch.device, *, training: bool = False
    ) -> Rows:
        if self._table is None:
            return super()._view(X, dtype, device, training=training)  # type: ignore[misc]
        if training:
            check_magnitude(X, torch.float64)
        return ViewedRows(X, self._table, dtype, device, held=training)

    def _restored(self, matrix: np.ndarray, dtype: np.dtype, like: Any) -> Any:
        if self._table is None:
            return super()._restored(matrix, dtype, like)  # type: ignore[misc]
        form: Any = self._format
        return form.restore(form.rounded(self._table.decode(matrix)), like)

    def _learn_table(self, X: Any) -> Part | None:
        """Learn the columns of checked training data; return their loss, None for an array."""
        self._table = None
        form = self._format
        if not self._is_table or form is None:
            return None
        self._check_values(X, form)
        numbers = [j for j in range(X.shape[1]) if j not in form.categories]
        losses = self._losses_of(numbers, form)
        raw = [j for loss, columns in losses if _degree(loss) is None for j in columns]
        raw = [j for j in raw if j not in form.dates]  # whose origin and unit are anything
        sizes = {j: len(values) for j, values in form.categories.items()}
        self._table = table = TableView.of(X, sizes, raw, self._weights)
        place = {j: i for i, j in enumerate(table.coding.numbers.tolist())}
        parts: list[tuple[Any, list[int]]] = []
        for loss, columns in losses:
            dates = [j for j in columns if j in form.dates and _degree(loss) is None]
            parts.append((loss, [place[j] for j in columns if j not in dates]))
            parts.append((Part("losses", "SquaredError", {}), [place[j] for j in dates]))
        groups = table.groups
        cells = [int(i) for group in groups for i in group]
        params = {"sizes": table.coding.sizes, "units": table.entropies}
        parts.append((Part("losses", "CategoricalLoss", params), cells))
        flags = list(range(table.coding.n_outputs, table.n_outputs))
        parts.append((Part("losses", "SquaredError", {}), flags))
        given = [(loss, cells) for loss, cells in parts if cells]
        return Part("losses", "TableLoss", {"parts": given, "owners": table.owners.tolist()})

    def _check_values(self, X: Any, form: FrameFormat) -> None:
        """Raise ValueError if a column has no values at all."""
        names: Any = form.names
        for j in range(X.shape[1]):
            if np.isnan(np.asarray(X[:, j])).all():
                refuse_empty(names[j], X.shape[0])

    def _losses_of(self, numbers: list[int], form: FrameFormat) -> list[tuple[Any, list[int]]]:
        """Return the losses of the columns of numbers, and which these are."""
        given = {k: v for k, v in self._nested_params.items() if k.startswith("criterion__")}
        if isinstance(self.loss, dict):
            named = column_losses(self.loss, len(form.names or []), form.names or [], numbers)
            return [(Part("losses", LOSSES[loss].__name__, {}), js) for loss, js in named]
        loss = Recipe("mlp", self.loss, "adamw", "float32", given).make_loss()
        if isinstance(self.loss, str):
            params = {name.removeprefix("criterion__"): value for name, value in given.items()}
            return [(Part("losses", LOSSES[self.loss].__name__, params), numbers)]
        return [(loss, numbers)]

    def feature_errors(self, X: Any) -> np.ndarray:
        """Return how much each feature contributes to the reconstruction error of each row.

        Parameters
        ----------
        X : {array-like, data frame, CSR matrix or array} of shape (n_samples, n_features)
            Data, in the form of the training data.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Non-negative float64, zero for missing cells; the sum over a row is
            ``-score_samples(X)``.
        """
        X = self._checked(X)
        errors = self._apply(X, self._errors).astype(np.float64, copy=False)
        if self._table is not None:
            return self._table.by_columns(errors) / errors.shape[1]
        return errors * (self._fitted_recipe.error_unit / X.shape[1])


def _degree(loss: Part | ReconstructionLoss) -> int | None:
    return loss.cls.degree if isinstance(loss, Part) else loss.degree
