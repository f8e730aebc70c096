"""How networks are trained: one skorch net, one batch iterator, one state format.

Knows nothing of estimators; a new way of training (an adversarial step, trimmed rows) is a small
strategy here, never a second loop. Open ``_net.py`` first.
"""

from ._batches import BatchIterator, Rows, inference_rows
from ._callbacks import BestWeights, ScikitLearnCallbacks, StopTraining, losses_of
from ._device import resolve_device
from ._distributed import agree_on
from ._nested import NestedParamsMixin, accepted_names, check_nested_names, did_you_mean, select
from ._net import AutoencoderNet, NonFiniteLossError
from ._objectives import (
    AdversarialLoss,
    AdversarialTexture,
    EvidenceBound,
    NegativeLogDensity,
    Objective,
    RateDistortion,
    RestorationLoss,
)
from ._preparation import (
    auto_epochs,
    check_batch_normalization,
    check_magnitude,
    checked_rows,
    copied_net,
    largest_value,
    new_net,
    split_rows,
)
from ._random import seeded_global_generators
from ._recipe import OPTIMIZERS, Recipe
from ._state import to_arrays, to_tensors

__all__ = [
    "OPTIMIZERS",
    "AdversarialLoss",
    "AdversarialTexture",
    "AutoencoderNet",
    "BatchIterator",
    "BestWeights",
    "EvidenceBound",
    "NegativeLogDensity",
    "NestedParamsMixin",
    "NonFiniteLossError",
    "Objective",
    "RateDistortion",
    "Recipe",
    "RestorationLoss",
    "Rows",
    "ScikitLearnCallbacks",
    "StopTraining",
    "accepted_names",
    "agree_on",
    "auto_epochs",
    "check_batch_normalization",
    "check_magnitude",
    "check_nested_names",
    "checked_rows",
    "copied_net",
    "did_you_mean",
    "inference_rows",
    "largest_value",
    "losses_of",
    "new_net",
    "resolve_device",
    "seeded_global_generators",
    "select",
    "split_rows",
    "to_arrays",
    "to_tensors",
]
