"""A number of components that is asked for by what it should restore, or not at all."""

from dataclasses import replace
from numbers import Integral
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from ..training import AutoencoderNet, Recipe, Rows
from ..training._components import HeldOutPCA, best_number, error_of_cells, fewest_components
from ..training._trainer import new_net, split_rows
from ..training._trials import FEW_ROWS, Trial, most_epochs, try_out
from ._convergence import warn_of_auto
from ._fit import Fit

_NUMBER = "module__n_components"
_MOST_HELD_OUT = 1000


class ChoosesComponents:
    """Mixin of estimators that start from PCA, whose `n_components` may be a share or "auto"."""

    n_components: Any
    early_stopping: Any
    n_iter_no_change: Any
    module: Any
    _n_features_out: int
    restored_variance_: NDArray
    pca_restored_variance_: NDArray

    @property
    def n_components_(self) -> int:
        """Number of columns of the code."""
        return self._n_features_out

    @property
    def _planned_number(self) -> int:
        """Number of components of a plan, before one is chosen."""
        return int(self.n_components) if isinstance(self.n_components, Integral) else 1

    def _check_undercomplete(self, n_features: int) -> None:
        if self._planned_number > n_features:
            raise ValueError(
                f"n_components={self.n_components} is above n_features={n_features}: such a "
                f"network can copy its input. Choose at most {n_features}, or set noise, sparsity "
                "or contraction."
            )

    def _settled(
        self, recipe: Recipe, device: torch.device, seed: int, rows: Rows, fit: Fit
    ) -> tuple[Recipe, Fit]:
        for name in ("restored_variance_", "pca_restored_variance_"):
            vars(self).pop(name, None)
        if not isinstance(self.n_components, Integral):
            recipe, fit = self._with_number(recipe, device, seed, rows, fit)
        return super()._settled(recipe, device, seed, rows, fit)  # type: ignore[misc]

    def _with_number(
        self, recipe: Recipe, device: torch.device, seed: int, rows: Rows, fit: Fit
    ) -> tuple[Recipe, Fit]:
        """Choose the number, by networks that are tried on rows held out from them."""
        asked = f"n_components={self.n_components!r}"
        n_valid = min(len(rows) // 5, _MOST_HELD_OUT)
        if _NUMBER not in recipe.params:
            name = getattr(self.module, "__name__", type(self.module).__name__)
            raise ValueError(
                f"{asked} is chosen by trying networks, but module={name} is an instance, or a "
                "class that takes no n_components; set n_components to an integer"
            )
        if not n_valid:
            raise ValueError(
                f"{asked} is judged by a fifth of the rows, so it needs at least 5, got "
                f"n_samples={len(rows)}; set n_components to an integer, or add rows"
            )
        # The same as those by which the number of epochs is chosen.
        train, valid = split_rows(rows, n_valid, seed)
        pca, trials = HeldOutPCA.of(train, valid), _Trials(self, recipe, device, seed, fit)
        is_share = not isinstance(self.n_components, str)
        best = len(pca.restored) if is_share else best_number(rows, n_valid, seed)
        share = float(self.n_components) if is_share else float(pca.restored[best - 1])
        k, restored = fewest_components(
            pca.restored, share, lambda k: pca.error_ratio(trials.net(k, train, valid), valid, k)
        )
        if is_share and restored[k - 1] < share - 1e-6:
            raise ValueError(
                f"{asked}, but as many as {k} components restore {restored[k - 1]:.3f} of the "
                "variance of rows that were held out; ask for less, or set an integer"
            )
        if not is_share:
            k = trials.best_for_cells(best, valid, pca.mean)
        self.restored_variance_, self.pca_restored_variance_ = restored, pca.restored
        return trials.recipe(k), trials.with_epochs(fit, k, len(rows))


class _Trials:
    """Networks with different numbers of components, trained as a fit would train them."""

    def __init__(
        self, estimator: Any, recipe: Recipe, device: torch.device, seed: int, fit: Fit
    ) -> None:
        self._recipe, self._device, self._seed, self._fit = recipe, device, seed, fit
        self._stops_early = estimator.early_stopping and not fit.once
        self._patience = estimator.n_iter_no_change if self._stops_early else None
        self._done: dict[int, Trial] = {}
        self._nets: dict[int, AutoencoderNet] = {}

    def recipe(self, n_components: int) -> Recipe:
        return replace(self._recipe, params={**self._recipe.params, _NUMBER: n_components})

    def net(self, n_components: int, train: Rows, valid: Rows) -> AutoencoderNet:
        """Return a trained net, or one as it starts if training brings nothing."""
        recipe, is_auto = self.recipe(n_components), self._fit.max_epochs == "auto"
        n_rows = len(train) + len(valid)
        max_epochs = most_epochs(recipe, n_rows) if is_auto else int(self._fit.max_epochs)
        watch = is_auto or self._stops_early
        where = recipe, self._device, self._seed
        trial = try_out(*where, train, valid, max_epochs, self._patience, watch)
        net = trial.net if trial.n_epochs else new_net(*where, train)[0]
        self._done[n_components], self._nets[n_components] = trial, net
        return net

    def best_for_cells(self, most: int, valid: Rows, mean: Tensor) -> int:
        """Return the number, of those tried, whose network predicts cells from others best."""
        tried = sorted(k for k in self._nets if k <= most)
        return min(tried, key=lambda k: error_of_cells(self._nets[k], valid, mean))

    def with_epochs(self, fit: Fit, n_components: int, n_rows: int) -> Fit:
        """Return a fit with the number of epochs that its own trial would find, if it was made."""
        trial = self._done.get(n_components)
        searches = fit.max_epochs == "auto" and not self._stops_early and n_rows < FEW_ROWS
        if trial is None or not searches:
            return fit
        if trial.is_too_few:
            warn_of_auto(trial.n_epochs)
        return replace(fit, max_epochs=trial.n_epochs, is_auto=True)
