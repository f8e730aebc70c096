"""Metrics of generated data and of compressed images.

How like real rows are generated ones, and do they give real rows away? How like the originals are
decoded images, and how many bits do they cost?

Every metric is a function of arrays: nothing here knows a model of this package, trains a network
or imports torch. Two data frames, of pandas or polars, are matched by the names of their columns,
anything else by position.

Open ``_frechet.py`` first: it is the shortest metric. ``_checks.py`` is what they all do with their
input.
"""

from ._bd_rate import bd_rate
from ._closest_record import ClosestRecords, distance_to_closest_record
from ._frechet import frechet_distance
from ._images import bits_per_pixel, ms_ssim, psnr
from ._neighborhoods import DensityCoverage, PrecisionRecall, density_coverage, precision_recall
from ._train_on_synthetic import train_on_synthetic_score
from ._two_sample import two_sample_auc

__all__ = [
    "ClosestRecords",
    "DensityCoverage",
    "PrecisionRecall",
    "bd_rate",
    "bits_per_pixel",
    "density_coverage",
    "distance_to_closest_record",
    "frechet_distance",
    "ms_ssim",
    "precision_recall",
    "psnr",
    "train_on_synthetic_score",
    "two_sample_auc",
]
