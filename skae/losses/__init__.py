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
from ._likelihoods import (
    LIKELIHOODS,
    BernoulliLikelihood,
    CategoricalLikelihood,
    ColumnLikelihoods,
    ContinuousBernoulliLikelihood,
    DiscretizedLogisticLikelihood,
    GaussianLikelihood,
    Likelihood,
    NegativeBinomialLikelihood,
    PoissonLikelihood,
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
    "LIKELIHOODS",
    "LOSSES",
    "AbsoluteError",
    "BernoulliLikelihood",
    "BernoulliLoss",
    "CategoricalLikelihood",
    "ColumnLikelihoods",
    "ColumnLosses",
    "ContinuousBernoulliLikelihood",
    "ContractivePenalty",
    "Corruption",
    "DiscretizedLogisticLikelihood",
    "ElementwiseCriterion",
    "GaussianLikelihood",
    "GaussianNoise",
    "HuberLoss",
    "KLSparsity",
    "L1Sparsity",
    "Likelihood",
    "MaskingNoise",
    "NegativeBinomialLikelihood",
    "ObservedSquaredError",
    "Penalty",
    "PoissonLikelihood",
    "PoissonLoss",
    "ReconstructionLoss",
    "SaltAndPepperNoise",
    "SquaredError",
    "SwapNoise",
]
