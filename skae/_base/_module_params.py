"""Parameters of an estimator that its network takes up."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from ..training._nested import accepted_names
from ._checks import checked_sizes


def module_params(
    estimator: Any,
    networks: Mapping[str, type[nn.Module]],
    auto_sizes: tuple[int, ...],
    **params: Any,
) -> dict[str, Any]:
    """Return those parameters that the constructor of the module names.

    Parameters
    ----------
    estimator : NetEstimator
        Has `module`, `hidden_layer_sizes` and `activation`.
    networks : mapping of str to class
        By name, the networks that `module` may ask for.
    auto_sizes : tuple of int
        Widths that ``hidden_layer_sizes="auto"`` stands for.
    **params : dict
        Further parameters, such as `n_features`.

    Returns
    -------
    dict
        With the prefix "module__".

    Raises
    ------
    ValueError
        If one of them was set with the prefix.
    """
    module = estimator.module
    module = networks.get(module) if isinstance(module, str) else module
    if not isinstance(module, type):
        return {}
    sizes = auto_sizes
    if not isinstance(estimator.hidden_layer_sizes, str):
        sizes = checked_sizes("hidden_layer_sizes", estimator.hidden_layer_sizes)
    ours = {**params, "hidden_layer_sizes": sizes, "activation": estimator.activation}
    for name in ours:
        if f"module__{name}" in estimator._nested_params:
            hint = "comes from X" if name == "n_features" else f"is set by {name}"
            raise ValueError(f"module__{name} can't be set, it {hint}")
    named = accepted_names(module) or ()
    return {f"module__{name}": value for name, value in ours.items() if name in named}
