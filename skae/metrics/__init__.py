"""Metrics of generated data: how like real rows they are, and whether they give real rows away.

Every metric is a function of arrays: nothing here knows a model of this package, trains a network
or imports torch. Open ``_frechet.py`` first: it is the shortest metric. ``_checks.py`` is what
they all do with their input.
"""

from ._closest_record import ClosestRecords, distance_to_closest_record
from ._frechet import frechet_distance
from ._neighborhoods import DensityCoverage, PrecisionRecall, density_coverage, precision_recall
from ._train_on_synthetic import train_on_synthetic_score
from ._two_sample import two_sample_auc

__all__ = [
    "ClosestRecords",
    "DensityCoverage",
    "PrecisionRecall",
    "density_coverage",
    "distance_to_closest_record",
    "frechet_distance",
    "precision_recall",
    "train_on_synthetic_score",
    "two_sample_auc",
]
