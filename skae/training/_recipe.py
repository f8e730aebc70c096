"""A recipe: all that is needed to build a net anew, in any process and on any device."""

import copy
import inspect
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

import torch
from skorch.callbacks import Callback
from torch import nn

from .._plain import Part, registered
from .._settings import default_settings
from .._units import Units
from ..losses import LOSSES, ColumnLosses, ElementwiseCriterion, ReconstructionLoss
from ..networks import NETWORKS
from ._interrupts import let_torch_import
from ._nested import check_known, check_nested_names, same, select
from ._net import AutoencoderNet
from ._random import seeded_global_generators
from ._suggestions import did_you_mean

OPTIMIZERS: Mapping[str, type[torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "lbfgs": torch.optim.LBFGS,
    "nadam": torch.optim.NAdam,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}
_FUSED = (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD)


@registered
class Recipe:
    """What a net is built from.

    Parameters
    ----------
    module : str, Part, class or nn.Module
        Name in ``NETWORKS``, a class, or an instance, which is copied.
    loss : str, list, Part, class or nn.Module
        Name in ``LOSSES``, the parts of ``ColumnLosses``, a class or an instance.
    optimizer : str or class
        Name in ``OPTIMIZERS`` or a class.
    dtype : {"float32", "float64"}
        Type of the weights.
    params : dict
        Further parameters of the net, those with a prefix among them.
    wrap : Part or None, default=None
        What makes the module that is trained out of that network.
    auto_steps : int, default=2000
        Number of steps that ``max_epochs="auto"`` aims at.
    units : Units or None, default=None
        Those of the rows that the net is given; None if they are those of the data.
    """

    module: Any
    loss: Any
    optimizer: Any
    dtype: str
    params: dict[str, Any] = field(default_factory=dict)
    wrap: Part | None = None
    auto_steps: int = 2000
    units: Units | None = None

    @property
    def error_unit(self) -> float:
        """What a loss of one stands for, in the units of the data."""
        return 1.0 if self.units is None else self.units.error

    @default_settings()
    def build(self, device: torch.device, seed: int = 0) -> AutoencoderNet:
        """Return a new net with random weights.

        Parameters
        ----------
        device : torch.device
            Where it computes.
        seed : int, default=0
            Seed of the weights and of all that the net will draw.

        Returns
        -------
        AutoencoderNet
            A net, initialised.
        """
        own = ("module", "criterion", "optimizer")
        params = {k: v for k, v in self.params.items() if k.partition("__")[0] not in own}
        params["callbacks"] = [_copy_callback(each) for each in params.get("callbacks") or []]
        for prefix in ("iterator_train", "iterator_valid"):
            check_known(prefix, select(params, prefix), ("batch_size", "shuffle"), "it")
        optimizer = self._optimizer_params()
        let_torch_import()
        with seeded_global_generators(seed):
            net = AutoencoderNet(
                self.make_module(),
                self.make_loss(),
                optimizer=OPTIMIZERS.get(self.optimizer, self.optimizer),
                generator=torch.Generator().manual_seed(seed),
                dtype=getattr(torch, self.dtype),
                device=device,
                draws_from_global_generators=not isinstance(self.module, str | Part),
                **{**params, **optimizer},
            )
            net.initialize()
        callbacks = [name for name, _ in net.callbacks_]
        given = [name.partition("__")[0] for name in select(params, "callbacks")]
        check_known("callbacks", given, callbacks, "the net")
        return net

    def trained_by(self, params: Mapping[str, Any]) -> "Recipe":
        """Return a recipe with other settings of the training.

        Parameters
        ----------
        params : mapping
            All of them, and nothing else.

        Returns
        -------
        Recipe
            This one, if they are the same.
        """
        if all(name in self.params and same(v, self.params[name]) for name, v in params.items()):
            return self
        return replace(self, params={**self.params, **params})

    def make_module(self) -> nn.Module:
        """Return a new network, wrapped.

        Returns
        -------
        nn.Module
            A module with `encode` and `decode`.

        Raises
        ------
        ValueError, TypeError
            If there is no such network, or it does not take its parameters.
        """
        network = self._make_network()
        return network if self.wrap is None else self.wrap.make(network)

    def _make_network(self) -> nn.Module:
        module, params = self.module, select(self.params, "module")
        if isinstance(module, str):
            if module not in NETWORKS:
                raise ValueError(
                    f"module={module!r} must be one of {sorted(NETWORKS)}, a class or an instance "
                    f"of nn.Module{did_you_mean(module, NETWORKS)}"
                )
            module = NETWORKS[module]
        if isinstance(module, Part):
            params, module = {**module.params, **params}, module.cls
        for method in ("encode", "decode"):
            if not callable(getattr(module, method, None)):
                name = getattr(module, "__name__", type(module).__name__)
                raise TypeError(f"module={name} must have a method `{method}`")
        if isinstance(module, nn.Module):
            if params:
                raise ValueError(
                    f"module__{min(params)} can't be set, because module is an instance of "
                    f"{type(module).__name__}; pass the class to set parameters"
                )
            return copy.deepcopy(module)
        check_nested_names("module", params, module)
        for name, parameter in inspect.signature(module).parameters.items():
            positional = parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
            if name not in params and parameter.default is parameter.empty and positional:
                raise ValueError(f"module__{name} is needed by {module.__name__}")
        return module(**copy.deepcopy(params))  # a parameter may be a module, trained in place

    def make_loss(self) -> ReconstructionLoss:
        """Return a new reconstruction loss.

        Returns
        -------
        ReconstructionLoss
            The loss.

        Raises
        ------
        ValueError, TypeError
            If there is no such loss, or it does not take its parameters.
        """
        loss, params = self.loss, select(self.params, "criterion")
        if isinstance(loss, list):
            loss, params = ColumnLosses, {"parts": loss, **params}
        if isinstance(loss, str):
            loss = LOSSES[loss]
        if isinstance(loss, Part):
            check_nested_names("criterion", params, loss.cls)
            loss, params = loss.make(**params), {}
        if isinstance(loss, type):
            check_nested_names("criterion", params, loss)
            loss = loss(**params)
        elif params:
            raise ValueError(
                f"criterion__{min(params)} can't be set, because loss is an instance of "
                f"{type(loss).__name__}; pass the class to set parameters"
            )
        loss = copy.deepcopy(loss)
        loss = loss if isinstance(loss, ReconstructionLoss) else ElementwiseCriterion(loss)
        if self.units is not None:
            loss.set_units(self.units)
        return loss

    def _optimizer_params(self) -> dict[str, Any]:
        optimizer = OPTIMIZERS.get(self.optimizer, self.optimizer)
        given = select(self.params, "optimizer")
        names = [name for name in given if not name.startswith("param_groups")]
        check_nested_names("optimizer", names, optimizer)
        if optimizer in _FUSED and not {"foreach", "capturable", "differentiable"} & set(given):
            given.setdefault("fused", True)
        return {f"optimizer__{name}": value for name, value in given.items()}


def _copy_callback(callback: Any) -> Any:
    """Return a copy that may be initialised; what the callback holds, such as a file, is shared."""
    name, each = callback if isinstance(callback, list | tuple) else (None, callback)
    if not (isinstance(each, Callback) or (isinstance(each, type) and issubclass(each, Callback))):
        raise TypeError(
            f"callbacks must hold skorch callbacks, got {each!r}; scikit-learn's are set by "
            "set_callbacks(...)"
        )
    return copy.copy(each) if name is None else (name, copy.copy(each))
