"""The classes that a file may name: a fixed list, and those that the reader has given."""

import inspect
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

import torch

from .. import _ROOM_OF, losses, networks, training
from .._plain import REGISTERED
from ._errors import ModelFileError

_OURS = "skae."
_HIDDEN = {"skae.outliers.DenoisingEnsemble": "skae.outliers._ensemble"}  # a detector's own model
_ROOMS_OF_PARTS = (losses.__name__, networks.__name__)

# Whose state is plain, and whose methods execute nothing that a state says.
_OTHERS = {
    "sklearn.decomposition": ("PCA", "TruncatedSVD"),
    "sklearn.impute": ("SimpleImputer",),
    "sklearn.mixture": ("BayesianGaussianMixture", "GaussianMixture"),
    "sklearn.pipeline": ("Pipeline",),
    "sklearn.preprocessing": (
        *("MaxAbsScaler", "MinMaxScaler", "Normalizer", "OneHotEncoder", "OrdinalEncoder"),
        *("PowerTransformer", "QuantileTransformer", "RobustScaler", "StandardScaler"),
    ),
    "builtins": ("print",),  # to which some callbacks write
    "numpy": ("float32", "float64", "int32", "int64"),
    "skorch.callbacks": ("EarlyStopping", "EpochTimer", "GradientNormClipping", "LRScheduler"),
}
_BASES = {
    "torch.nn": torch.nn.Module,
    "torch.optim": torch.optim.Optimizer,
    "torch.optim.lr_scheduler": torch.optim.lr_scheduler.LRScheduler,
}


def name_of(value: Any) -> str:
    """Return the name of a class or function in files.

    Parameters
    ----------
    value : class or function
        Our own classes are named by their rooms, in which they may move.

    Returns
    -------
    str
        A name that :class:`Classes` finds it by.

    Raises
    ------
    ModelFileError
        If it can't be found by its name.
    """
    module, name = value.__module__, value.__qualname__
    if module.startswith(_OURS):
        return _own_name(value)
    for public in (*_OTHERS, *_BASES):
        if module.startswith(f"{public}.") and getattr(sys.modules[public], name, None) is value:
            return f"{public}.{name}"
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not value:
        raise ModelFileError(
            f"{module}.{name} can't be stored, for nobody could find it by this name: define it at "
            "the top of a module"
        )
    return f"{module}.{name}"


class Classes:
    """What names in a file stand for.

    Parameters
    ----------
    types : iterable of classes or functions
        Those of the reader, found by their full names, or by their names alone: a class has the
        module ``__main__`` in the script that defines it, and another elsewhere.
    """

    def __init__(self, types: Iterable[Any] = ()) -> None:
        types = list(types)
        for each in types:
            if not (inspect.isclass(each) or inspect.isroutine(each)):
                raise TypeError(f"types must hold classes or functions, got {each!r}")
        self._known: dict[str, Any] = {}
        self._given = {
            **{each.__qualname__: each for each in types},
            **{f"{each.__module__}.{each.__qualname__}": each for each in types},
        }

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            bare = name.rpartition(".")[2]
            self._known[name] = self._given.get(name) or _found(name) or self._given.get(bare)
        found = self._known[name]
        if found is None:
            raise ModelFileError(
                f"it holds {name[:100]!r}, which is no part of skae. If you know and trust it, "
                "import it and give it to load(path, types=[...])"
            )
        return found


def _found(name: str) -> Any:
    """Return a class of the fixed list, or None."""
    place, _, bare = name.rpartition(".")
    if name.startswith(_OURS):
        if place == _OURS + _ROOM_OF.get(bare, ""):
            found = getattr(import_module(place), bare)
            return found if isinstance(found, type) else None
        if name in _HIDDEN:
            return getattr(import_module(_HIDDEN[name]), bare)
        return dict(own_classes()).get(name)
    if bare in _OTHERS.get(place, ()):
        return getattr(import_module(place), bare)
    if place in _BASES:
        found = getattr(import_module(place), bare, None)
        return found if inspect.isclass(found) and issubclass(found, _BASES[place]) else None
    return None


def own_classes() -> Iterator[tuple[str, type]]:
    """Yield the classes of ours that a file may name, besides public estimators.

    Yields
    ------
    name : str
        Its name in files.
    cls : type
        A dataclass of fitted states, or a class of `losses`, `networks` or `training`; only of
        rooms that are loaded.
    """
    for module, cls in [(each.__module__, each) for each in REGISTERED.values()]:
        if module.startswith(_OURS):
            yield _own_name(cls), cls
    yield _own_name(training.BestWeights), training.BestWeights
    for name, module in list(sys.modules.items()):
        if name.startswith(_ROOMS_OF_PARTS):
            for cls in vars(module).values():
                if inspect.isclass(cls) and cls.__module__ == name:
                    yield _own_name(cls), cls


def _own_name(cls: type) -> str:
    return f"{_OURS}{cls.__module__.split('.')[1]}.{cls.__qualname__}"
