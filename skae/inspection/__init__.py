"""Pictures of fitted autoencoders, as scikit-learn display classes, and reports as pages.

Each display holds the numbers that it draws, is made by ``from_estimator`` or ``from_predictions``,
and can be drawn again with ``plot``. The displays know an estimator only by its methods and fitted
attributes, so that a Pipeline, a GridSearchCV or an estimator of scikit-learn serves as well as one
of this package.

Each report is a page of HTML that needs neither network nor Python (``_report.py``); its text and
numbers are made here, and drawn by ``report.js``.

Nothing here trains a model, and nothing here imports torch. matplotlib is imported when a picture
is drawn. The files imported below hold a display each, the others what displays choose, compute and
draw. Open ``_loss_curve.py`` first: it is the shortest display.
"""

from ._compressed_image import CompressedImageDisplay
from ._compression_report import CompressionReport
from ._feature_errors import FeatureErrorDisplay
from ._imputation import ImputationDisplay
from ._latent_space import LatentSpaceDisplay
from ._latent_walk import LatentWalkDisplay
from ._loss_curve import LossCurveDisplay
from ._outlier_explanation import OutlierExplanationDisplay
from ._outlier_report import OutlierReport
from ._outlier_scores import OutlierScoreDisplay
from ._ranking_curve import RankingCurveDisplay
from ._rate_distortion import RateDistortionDisplay
from ._reconstruction import ReconstructionDisplay
from ._reconstruction_curve import ReconstructionCurveDisplay
from ._sample_grid import SampleGridDisplay
from ._spectrogram import SpectrogramDisplay
from ._synthetic_data_report import SyntheticDataReport

__all__ = [
    "CompressedImageDisplay",
    "CompressionReport",
    "FeatureErrorDisplay",
    "ImputationDisplay",
    "LatentSpaceDisplay",
    "LatentWalkDisplay",
    "LossCurveDisplay",
    "OutlierExplanationDisplay",
    "OutlierReport",
    "OutlierScoreDisplay",
    "RankingCurveDisplay",
    "RateDistortionDisplay",
    "ReconstructionCurveDisplay",
    "ReconstructionDisplay",
    "SampleGridDisplay",
    "SpectrogramDisplay",
    "SyntheticDataReport",
]
