"""What training minimises: reconstruction losses, penalties on the code, corruptions of the input.

Everything here is plain torch: functions of tensors, without estimators, nets or data sets. Open
``_reconstruction.py`` first; ``LOSSES`` is the table of names that estimators accept.
"""

from ._corruptions import (
    CORRUPTIONS,
    Corruption,
    GaussianNoise,
    MaskingNoise,
    SaltAndPepperNoise,
    SwapNoise,
)
from ._penalties import ContractivePenalty, KLSparsity, L1Sparsity, Penalty
from ._reconstruction import (
    LOSSES,
    AbsoluteError,
    BernoulliLoss,
    ColumnLosses,
    ElementwiseCriterion,
    HuberLoss,
    ObservedSquaredError,
    PoissonLoss,
    ReconstructionLoss,
    SquaredError,
)

__all__ = [
    "CORRUPTIONS",
    "LOSSES",
    "AbsoluteError",
    "BernoulliLoss",
    "ColumnLosses",
    "ContractivePenalty",
    "Corruption",
    "ElementwiseCriterion",
    "GaussianNoise",
    "HuberLoss",
    "KLSparsity",
    "L1Sparsity",
    "MaskingNoise",
    "ObservedSquaredError",
    "Penalty",
    "PoissonLoss",
    "ReconstructionLoss",
    "SaltAndPepperNoise",
    "SquaredError",
    "SwapNoise",
]
