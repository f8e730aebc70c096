"""The state of an estimator that has trained a net: stored, restored, and moved."""

from dataclasses import replace
from typing import Any, Self

import torch
from sklearn.utils.validation import check_is_fitted

from .._settings import default_settings
from .._versions import Versioned
from ..training import AutoencoderNet, Recipe
from ..training._device import resolve_device
from ..training._state import averaged_only
from ._checks import attributes_kept_on_failure


class StoresNet(Versioned):
    """Mixin of estimators with a net, which is stored as arrays and a recipe, and built anew."""

    # What is made anew from the rest of the state, and not stored.
    _derived_attributes: tuple[str, ...] = ("module_",)

    net_: AutoencoderNet
    device_: str
    _fitted_recipe: Recipe

    def to(self, device: str | torch.device) -> Self:
        """Move the fitted network to another device.

        What it has learned stays the same, to the last bit, and a training that goes on does so
        there. A new fit goes where the parameter `device` says.

        Parameters
        ----------
        device : str or torch.device
            Such as "cpu", "cuda:1" or "mps"; "auto" takes the best one there is.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError
            If there is no such device. The estimator stays where it was.
        """
        check_is_fitted(self)
        state = {**self.__getstate__(), "device_": str(resolve_device(device, self.net_.dtype))}
        with attributes_kept_on_failure(self):
            for name in self._derived_attributes:
                vars(self).pop(name, None)
            self.__setstate__(state)
        return self

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__().copy()
        if "net_" in state:
            state["net_"] = state["net_"].state()
        for name in self._derived_attributes:
            state.pop(name, None)
        return dict(sorted(state.items()))  # so that pickles do not tell of the fits before

    def _lean_state(self) -> dict[str, Any]:
        """Return the state without what only a training needs."""
        state = self.__getstate__()
        if "net_" not in state:
            return state
        recipe = self._fitted_recipe
        params = {k: v for k, v in recipe.params.items() if k.partition("__")[0] != "callbacks"}
        recipe = replace(recipe, params=params)
        return {**state, "net_": averaged_only(state["net_"]), "_fitted_recipe": recipe}

    @default_settings()
    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "net_" in state:
            try:
                device = resolve_device(self.device_)
            except ValueError:  # the device it was trained on is not here
                device = resolve_device("auto", getattr(torch, self._fitted_recipe.dtype))
            net = self._fitted_recipe.build(device)
            net.start_averaging()
            net.load_state(state["net_"])
            self.net_, self.module_, self.device_ = net, net.averaged_module_, str(device)
