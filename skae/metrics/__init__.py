"""Metrics of generated and imputed data, of compressed images and audio, and of recommendations.

How like real rows are generated ones, and do they give real rows away? What do several imputations
say together, and are draws as uncertain as they should be? How like the originals are decoded
images and recordings, and how many bits do they cost? Does what users had later stand at the top of
what was recommended to them, and how is it hidden until then?

Every metric is a function of arrays: nothing here knows a model of this package, trains a network
or imports torch. Two data frames, of pandas or polars, are matched by the names of their columns,
anything else by position.

Open ``_frechet.py`` first: it is the shortest metric. ``_checks.py`` is what they all do with their
input.
"""

from ._audio import log_spectral_distance, segmental_snr, si_sdr
from ._bd_rate import bd_rate
from ._closest_record import ClosestRecords, distance_to_closest_record
from ._energy import energy_distance
from ._ensemble import crps_ensemble
from ._frechet import frechet_distance
from ._hidden_items import hide_items
from ._images import bits_per_pixel, ms_ssim, psnr
from ._interactions import Interactions, interactions_to_csr
from ._neighborhoods import DensityCoverage, PrecisionRecall, density_coverage, precision_recall
from ._pooled import PooledEstimate, pool_estimates
from ._ranking import (
    coverage_at_k,
    map_at_k,
    mrr_at_k,
    ndcg_at_k,
    novelty_at_k,
    precision_at_k,
    recall_at_k,
)
from ._recommender_scorer import make_recommender_scorer
from ._telltales import Telltales, telltale_columns
from ._train_on_synthetic import train_on_synthetic_score
from ._two_sample import two_sample_auc

__all__ = [
    "ClosestRecords",
    "DensityCoverage",
    "Interactions",
    "PooledEstimate",
    "PrecisionRecall",
    "Telltales",
    "bd_rate",
    "bits_per_pixel",
    "coverage_at_k",
    "crps_ensemble",
    "density_coverage",
    "distance_to_closest_record",
    "energy_distance",
    "frechet_distance",
    "hide_items",
    "interactions_to_csr",
    "log_spectral_distance",
    "make_recommender_scorer",
    "map_at_k",
    "mrr_at_k",
    "ms_ssim",
    "ndcg_at_k",
    "novelty_at_k",
    "pool_estimates",
    "precision_at_k",
    "precision_recall",
    "psnr",
    "recall_at_k",
    "segmental_snr",
    "si_sdr",
    "telltale_columns",
    "train_on_synthetic_score",
    "two_sample_auc",
]
