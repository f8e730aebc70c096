"""Networks: ``nn.Module`` classes with ``encode(x)`` and ``decode(z)``.

Everything here is plain torch: no estimators, nets, losses or data sets. Open ``_skip.py`` first,
the base of the networks that start from PCA; ``NETWORKS`` is the table of names that estimators
accept.
"""

from collections.abc import Mapping

from torch import nn

from ._chain import ColumnChain
from ._conv2d import ConvAutoencoder
from ._conv_correction import ConvCorrection
from ._denoising import MOST_SEEN_AT_ONCE, DenoisingNetwork, DenseCorrection
from ._dense import DenseAutoencoder
from ._ensemble import DenseEnsemble
from ._flow import CouplingFlow
from ._imputer import ImputingEnsemble
from ._layers import ACTIVATIONS, Dropout
from ._recommender import RecommenderNetwork, TiedRecommenderNetwork
from ._skip import SkipAutoencoder
from ._sparse import SparseLinear
from ._variational import (
    AdversarialNetwork,
    CompositeNetwork,
    StandardizedNetwork,
    VariationalNetwork,
    displaced,
)
from ._wiener import WienerFilter
from .codec import (
    BIT_WEIGHT,
    DEAD_ZONE,
    LOG_SCALES,
    MDCT,
    MEAN_UNIT,
    N_CENTROIDS,
    N_LEVELS,
    N_TABLES,
    SCALE_UNIT,
    ImageCodecNetwork,
    Law,
    SharpeningNetwork,
    SoundSharpeningNetwork,
    SpectralCodecNetwork,
    interpolated,
    laplace_centroids,
    table_scales,
)

NETWORKS: Mapping[str, type[nn.Module]] = {"mlp": DenseAutoencoder, "conv": ConvAutoencoder}

__all__ = [
    "ACTIVATIONS",
    "BIT_WEIGHT",
    "DEAD_ZONE",
    "LOG_SCALES",
    "MDCT",
    "MEAN_UNIT",
    "MOST_SEEN_AT_ONCE",
    "NETWORKS",
    "N_CENTROIDS",
    "N_LEVELS",
    "N_TABLES",
    "SCALE_UNIT",
    "AdversarialNetwork",
    "ColumnChain",
    "CompositeNetwork",
    "ConvAutoencoder",
    "ConvCorrection",
    "CouplingFlow",
    "DenoisingNetwork",
    "DenseAutoencoder",
    "DenseCorrection",
    "DenseEnsemble",
    "Dropout",
    "ImageCodecNetwork",
    "ImputingEnsemble",
    "Law",
    "RecommenderNetwork",
    "SharpeningNetwork",
    "SkipAutoencoder",
    "SoundSharpeningNetwork",
    "SparseLinear",
    "SpectralCodecNetwork",
    "StandardizedNetwork",
    "TiedRecommenderNetwork",
    "VariationalNetwork",
    "WienerFilter",
    "displaced",
    "interpolated",
    "laplace_centroids",
    "table_scales",
]
