"""Outlier detection: rows that networks trained on their like can't predict.

Open ``_detector.py`` first, the estimator. ``_ensemble.py`` is the model that it has by default,
``_views.py`` what that model looks at. Thresholds and p-values are for every model alike.
"""

from ._detector import AutoencoderOutlierDetector

__all__ = ["AutoencoderOutlierDetector"]
