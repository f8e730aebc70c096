"""What may change between a fit and one that goes on with its network."""

from dataclasses import replace
from textwrap import shorten
from typing import Any

from ..training import Recipe
from ..training._nested import is_of_training, same
from ..training._random import seeded_global_generators

_GROUPS = "optimizer__param_groups"  # the moments are in their order
OF_TRAINING = frozenset(
    {
        "batch_size",
        "callbacks",
        "device",
        "early_stopping",
        "lr",
        "max_epochs",
        "n_iter_no_change",
        "random_state",
        "tol",
        "validation_fraction",
        "verbose",
        "warm_start",
    }
)


def training_params(estimator: Any) -> dict[str, Any]:
    """Return the parameters of a net that say how it is trained.

    Parameters
    ----------
    estimator : NetEstimator
        The estimator.

    Returns
    -------
    dict
        As the estimator has them now.
    """
    return {
        "lr": estimator.lr,
        "batch_size": estimator.batch_size,
        "callbacks": list(estimator.callbacks or []),
        "verbose": int(estimator.verbose),
        **{name: v for name, v in estimator._nested_params.items() if is_of_training(name)},
    }


def fixed_params(estimator: Any) -> dict[str, Any]:
    """Return the parameters that a network can't take up once it is trained.

    Parameters
    ----------
    estimator : NetEstimator
        The estimator.

    Returns
    -------
    dict
        As it has them now.
    """
    return {
        name: value
        for name, value in estimator.get_params(deep=False).items()
        if name == _GROUPS or not (name in estimator._changeable or is_of_training(name))
    }


def check_unchanged(estimator: Any, recipe: Recipe) -> None:
    """Raise if a parameter has changed that a network can't take up once it is trained.

    Parameters
    ----------
    estimator : NetEstimator
        Fitted.
    recipe : Recipe
        What its network was built from.

    Raises
    ------
    ValueError
        If one has, or if it has a name that is unknown.
    """
    before = estimator._fitted_params
    for name, value in fixed_params(estimator).items():
        if name in before and same(value, before[name]):
            continue
        if "__" in name:  # to be told of a name that is unknown
            with seeded_global_generators(0):
                changed = replace(recipe, params={**recipe.params, name: value})
                changed.make_module()
                changed.make_loss()
        old = f"had {name}={_short(before[name])}" if name in before else f"did not set {name}"
        raise ValueError(
            f"{name}={_short(value)} can't be taken up by the trained network: the fit before it "
            f"{old}. Set that again, or start anew by fit with warm_start=False."
        )


def _short(value: Any) -> str:
    return shorten(repr(value), 100)
