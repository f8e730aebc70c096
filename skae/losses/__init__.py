"""What training minimises: losses, likelihoods, penalties on the code, corruptions of the input.

Everything here is plain torch: functions of tensors, without estimators, nets or data sets. Open
``_reconstruction.py`` first, then ``_links.py`` and ``_domains.py``; ``LOSSES``, ``LIKELIHOODS``
and ``CORRUPTIONS`` are the tables of names that estimators accept.
"""

from ._categorical import CategoricalLikelihood, CategoricalLoss
from ._columns import ColumnLikelihoods, ColumnLosses
from ._corruptions import (
    CORRUPTIONS,
    BlockNoise,
    Corruption,
    GaussianNoise,
    MaskingNoise,
    PoissonNoise,
    SaltAndPepperNoise,
    SwapNoise,
)
from ._discretized_logistic import DiscretizedLogisticLikelihood
from ._domains import Counts, Domain, Interval
from ._gaussian import GaussianLikelihood
from ._incomplete import IncompleteLikelihood
from ._likelihood import Likelihood
from ._likelihoods import (
    LIKELIHOODS,
    BernoulliLikelihood,
    ContinuousBernoulliLikelihood,
    NegativeBinomialLikelihood,
    PoissonLikelihood,
)
from ._links import Identity, Link, Log, Logit
from ._multinomial import MultinomialLikelihood, UnitGaussianLikelihood
from ._observed import Observed
from ._penalties import ContractivePenalty, KLSparsity, L1Sparsity, Penalty
from ._reconstruction import (
    LOSSES,
    AbsoluteError,
    BernoulliLoss,
    ElementwiseCriterion,
    HuberLoss,
    PoissonLoss,
    ReconstructionLoss,
    SquaredError,
)
from ._table import TableLoss

__all__ = [
    "CORRUPTIONS",
    "LIKELIHOODS",
    "LOSSES",
    "AbsoluteError",
    "BernoulliLikelihood",
    "BernoulliLoss",
    "BlockNoise",
    "CategoricalLikelihood",
    "CategoricalLoss",
    "ColumnLikelihoods",
    "ColumnLosses",
    "ContinuousBernoulliLikelihood",
    "ContractivePenalty",
    "Corruption",
    "Counts",
    "DiscretizedLogisticLikelihood",
    "Domain",
    "ElementwiseCriterion",
    "GaussianLikelihood",
    "GaussianNoise",
    "HuberLoss",
    "Identity",
    "IncompleteLikelihood",
    "Interval",
    "KLSparsity",
    "L1Sparsity",
    "Likelihood",
    "Link",
    "Log",
    "Logit",
    "MaskingNoise",
    "MultinomialLikelihood",
    "NegativeBinomialLikelihood",
    "Observed",
    "Penalty",
    "PoissonLikelihood",
    "PoissonLoss",
    "PoissonNoise",
    "ReconstructionLoss",
    "SaltAndPepperNoise",
    "SquaredError",
    "SwapNoise",
    "TableLoss",
    "UnitGaussianLikelihood",
]
