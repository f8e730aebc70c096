"""How networks are trained: one skorch net, one batch iterator, one state format.

Knows nothing of estimators; a new way of training is an `Objective`, new data are `Rows`, and there
is never a second loop. Open ``_net.py`` first. The names below are those that users subclass, catch
or meet in callbacks; other rooms of the package import what else they need from the files.
"""

from ._batch import Batch
from ._callbacks import BestWeights, StopTraining
from ._epoch import NonFiniteLossError
from ._group import distributed
from ._net import AutoencoderNet
from ._objectives import Losses, Objective, Reconstruction, Step
from ._recipe import Recipe
from ._rows import ArrayRows, PairedRows, Rows
from ._sparse_rows import SparseRows

__all__ = [
    "ArrayRows",
    "AutoencoderNet",
    "Batch",
    "BestWeights",
    "Losses",
    "NonFiniteLossError",
    "Objective",
    "PairedRows",
    "Recipe",
    "Reconstruction",
    "Rows",
    "SparseRows",
    "Step",
    "StopTraining",
    "distributed",
]
