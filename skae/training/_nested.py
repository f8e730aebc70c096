"""skorch's nested parameters (``optimizer__weight_decay``) for estimators that own a net."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ._suggestions import Suggests, did_you_mean, meant_by_a_name

# Of what a network is and of what it is compared with data by, and of how it is trained.
_OF_NETWORK = ("module", "criterion")
_OF_TRAINING = ("optimizer", "iterator_train", "iterator_valid", "callbacks")
PREFIXES = (*_OF_NETWORK, *_OF_TRAINING)


class NestedParamsMixin(Suggests):
    """Parameters with a prefix, besides those that ``__init__`` names.

    ``__init__`` keeps its ``**kwargs`` as `_nested_params`; from then on they behave like any other
    parameter in `get_params`, `set_params`, `clone` and grid searches.
    """

    _nested_params: Mapping[str, Any] = {}  # replaced, never changed

    def _check_nested_params(self) -> None:
        """Raise TypeError if ``__init__`` was given a name that is no parameter at all."""
        for name in self._nested_params:
            if not _is_nested(name):
                known = self._get_param_names()
                raise TypeError(
                    f"{type(self).__name__} has no parameter {name!r}{meant_by_a_name(name, known)}"
                )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get the parameters of this estimator.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the parameters of parameters that are estimators.

        Returns
        -------
        dict
            Parameter names mapped to their values, those with a prefix among them.
        """
        return {**super().get_params(deep=deep), **self._nested_params}

    def set_params(self, **params: Any) -> Any:
        """Set the parameters of this estimator.

        Parameters
        ----------
        **params : dict
            Parameters, also those with a prefix such as ``module__dropout``.

        Returns
        -------
        self : estimator instance
            The estimator.
        """
        known = self._nested_params
        nested = {name: v for name, v in params.items() if _is_nested(name) or name in known}
        super().set_params(**{k: v for k, v in params.items() if k not in nested})
        self._nested_params = {**self._nested_params, **nested}
        return self


def is_of_training(name: str) -> bool:
    """Tell whether a parameter with a prefix says how a network is trained, and not what it is.

    Parameters
    ----------
    name : str
        Full name.

    Returns
    -------
    bool
        Whether it does.
    """
    return _is_nested(name) and name.partition("__")[0] in _OF_TRAINING


def same(one: Any, other: Any) -> bool:
    """Tell whether two values of a parameter are equal; objects with a life of their own are not.

    Parameters
    ----------
    one, other : object
        Values, containers and arrays among them.

    Returns
    -------
    bool
        Whether they are.
    """
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    sequences = (list, tuple, np.ndarray)
    if isinstance(one, sequences) and isinstance(other, sequences):
        return len(one) == len(other) and all(map(same, one, other))
    return one is other or bool(one == other)


def select(params: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the parameters behind a prefix.

    Parameters
    ----------
    params : mapping
        Parameters by their full names.
    prefix : str
        One of ``PREFIXES``.

    Returns
    -------
    dict
        The parameters that start with ``prefix__``, without it.
    """
    start = prefix + "__"
    return {name[len(start) :]: v for name, v in params.items() if name.startswith(start)}


def accepted_names(target: Callable[..., Any]) -> list[str] | None:
    """Return the names of a callable's parameters, None if it takes any.

    Parameters
    ----------
    target : callable
        Class or function.

    Returns
    -------
    list of str or None
        Names.
    """
    parameters = inspect.signature(target).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return [p.name for p in parameters]


def check_nested_names(prefix: str, names: Iterable[str], target: Callable[..., Any]) -> None:
    """Raise if a callable does not take some parameters.

    Parameters
    ----------
    prefix : str
        One of ``PREFIXES``, for the message.
    names : iterable of str
        Names without the prefix.
    target : callable
        What they are for.

    Raises
    ------
    ValueError
        If a name is unknown.
    """
    known = accepted_names(target)
    if known is not None:
        check_known(prefix, names, known, target.__name__)


def check_known(prefix: str, names: Iterable[str], known: Sequence[str], owner: str) -> None:
    """Raise if some names are not among the known ones.

    Parameters
    ----------
    prefix : str
        One of ``PREFIXES``, for the message.
    names : iterable of str
        Names without the prefix.
    known : sequence of str
        Names that are right.
    owner : str
        What has them, for the message.

    Raises
    ------
    ValueError
        If a name is unknown.
    """
    for name in names:
        if name not in known:
            raise ValueError(
                f"{prefix}__{name} is unknown: {owner} has {', '.join(known)}"
                f"{did_you_mean(name, known, prefix + '__')}"
            )


def _is_nested(name: str) -> bool:
    prefix, delimiter, rest = name.partition("__")
    return bool(delimiter and rest and prefix in PREFIXES)
