"""Which version of the package a stored estimator comes from."""

import sys
import warnings
from importlib import import_module
from typing import Any

from sklearn.exceptions import InconsistentVersionWarning

KEY = "_skae_version"


def version() -> str:
    """Return the version of the package."""
    return str(sys.modules[__package__].__version__)


def installed_versions() -> dict[str, str]:
    """Return the versions of what results depend on.

    Returns
    -------
    dict of str to str
        Of skae, torch, scikit-learn and numpy.
    """
    others = {"torch": "torch", "scikit-learn": "sklearn", "numpy": "numpy"}
    found = {name: str(import_module(module).__version__) for name, module in others.items()}
    return {"skae": version(), **found}


class OtherVersionWarning(InconsistentVersionWarning):
    """A pickle or a file of skops was written by another version of skae."""

    def __str__(self) -> str:
        return (
            f"This {self.estimator_name} was stored by skae {self.original_sklearn_version}, and "
            f"this is {self.current_sklearn_version}: it may not work, or give other results. "
            "Pickles and files of skops belong to one version; files of skae.save are for all "
            "later ones."
        )


class Versioned:
    """Mixin of estimators whose pickles say which version has written them, as scikit-learn's."""

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), KEY: version()}  # type: ignore[dict-item]

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        stored_by, now = state.pop(KEY, "of unknown version"), version()
        if stored_by != now:
            warnings.warn(
                OtherVersionWarning(
                    estimator_name=type(self).__name__,
                    current_sklearn_version=now,
                    original_sklearn_version=stored_by,
                ),
                stacklevel=2,
            )
        super().__setstate__(state)  # type: ignore[misc]
