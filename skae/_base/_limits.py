"""Outputs that stay within limits of the training data, and a training that ends no worse."""

from typing import Any

from ..training._trials import FEW_ROWS

_ROWS_PER_GUARD, _MOST_GUARDS = 50, 1000


class KeepsLimits:
    """Mixin of estimators whose loss may have `bounds`, and whose network starts from a good place.

    The bounds are the recipe's parameter "criterion__bounds", in the units of the data.
    """

    net_: Any
    _fitted_recipe: Any
    _nested_params: Any

    def _n_guards(self, n_rows: int) -> int:
        # Fewer rows have told how many epochs serve them.
        return 0 if n_rows < FEW_ROWS else min(n_rows // _ROWS_PER_GUARD, _MOST_GUARDS)

    def _adapt(self, X: Any) -> None:
        if (limits := self._limits) is None or "criterion__bounds" in self._nested_params:
            return
        if X.min() < limits[0] or X.max() > limits[1]:
            self.net_.criterion_.bounds = None

    @property
    def _limits(self) -> tuple[float, float] | None:
        """Lowest and highest value of what the network gives, in the units of the data."""
        bounded = getattr(self.net_.criterion_, "bounds", None) is not None
        return self._fitted_recipe.params.get("criterion__bounds") if bounded else None
