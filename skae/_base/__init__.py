"""The bases of estimators: `NetEstimator` trains a network, `BaseAutoencoder` has codes besides.

Knows no task. Open ``_net_estimator.py`` first: the life of a fit, and the hooks that a task fills.
``_checks.py`` has what estimators without a network of their own need too.
"""

from ._autoencoder import BaseAutoencoder
from ._checks import (
    attributes_kept_on_failure,
    checked_codes,
    checked_input,
    checked_sizes,
    checked_table,
    given_weights,
)
from ._columns import column_losses, units_for
from ._components import ChoosesComponents
from ._fit import Fit
from ._fits import PlainFit, TakesWeights
from ._limits import KeepsLimits
from ._module_params import module_params
from ._net_estimator import NetEstimator
from ._tables import HasSchema, TakesTables, table_format
from ._targets import TakesTargets

__all__ = [
    "BaseAutoencoder",
    "ChoosesComponents",
    "Fit",
    "HasSchema",
    "KeepsLimits",
    "NetEstimator",
    "PlainFit",
    "TakesTables",
    "TakesTargets",
    "TakesWeights",
    "attributes_kept_on_failure",
    "checked_codes",
    "checked_input",
    "checked_sizes",
    "checked_table",
    "column_losses",
    "given_weights",
    "module_params",
    "table_format",
    "units_for",
]
