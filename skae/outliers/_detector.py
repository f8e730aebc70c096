"""The outlier detector: a model of normal rows, and decisions on its scores."""

import copy
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin, _fit_context
from sklearn.utils._param_validation import HasMethods, Interval, Options, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _num_samples

from .._meta import HasModel, available_if_model_has, input_as_it_came
from ._calibration import CalibratedScores
from ._decisions import (
    automatic_threshold,
    benjamini_hochberg,
    cross_fitted_scores,
    warn_of_no_power,
)
from ._ensemble import SAMPLE, DenoisingEnsemble
from ._explanations import explained
from ._repeated import in_order, repeated
from ._tables import CodesTables

_TRIM = 0.2


_CONTAMINATION = [StrOptions({"auto"}), Options(Real, {0}), Interval(Real, 0, 0.5, closed="right")]


class AutoencoderOutlierDetector(
    CodesTables, CalibratedScores, HasModel, OutlierMixin, BaseEstimator
):
    """Outlier detector that learns to predict each value of a row from the others.

    By default an ensemble of denoising autoencoders, which needs no tuning and no scaled data;
    outliers, and codes such as -999, may be among its training rows. A row's score is how
    surprising it is in several views: what networks for noisy rows and for masked cells can't
    restore, how far its neighbours are, and how rare its values are by themselves. With `estimator`
    it is that model's score. Decisions rest on the scores of training rows by models that have not
    seen them, unless `contamination` is a number other than 0.

    Read more in the :ref:`User Guide <outlier_detection>`.

    Parameters
    ----------
    estimator : estimator with `fit` and `score_samples`, default=None
        A model to take instead of the default one, higher scores meaning more normal; it is cloned.
        It gets data frames as they came.
    n_estimators : int, default=4
        Number of folds of the training rows, and of networks of each kind, each of which is trained
        on the rows outside its fold. With `estimator`, that many clones give the held-out scores
        for thresholds and p-values, and one more, trained on all rows, those of new rows. 1 trains
        one model on all rows, and takes its own scores of them for the threshold: quicker, but such
        thresholds flag far more new rows than they should.
    contamination : "auto" or float, default="auto"
        0 says that all training rows are normal: the default model then looks closer at neighbours,
        and not at single values. A float in (0, 0.5] is the share of the training rows that are
        labelled outliers. "auto" and 0 take the lower fence of a box plot of held-out scores, Q1 -
        1.5 (Q3 - Q1), of minus the roots of minus them if none is positive, or their first
        percentile if it is higher.
    scale : "auto" or None, default="auto"
        "auto" scales each feature to mean 0 and standard deviation 1; None divides all by one unit,
        the root of their mean variance, for features in comparable units. Wild values, as those
        that a wide gap cuts off from the rest are called here, do not count. Without effect on
        `estimator`.
    image_shape : tuple of int or None, default=None
        Shape of images whose pixels are the features: (height, width), (channels, height, width)
        or, if it is unmistakable, (height, width, channels). They are then in one unit, whatever
        `scale` says, and compared with neighbours by their edges as well. Without effect on
        `estimator`.
    column_kinds : dict or None, default=None
        Which columns of a frame are of another kind than their dtypes say, "number", "category" or
        "date", by their names: ``{"zip": "category"}``. Without effect on `estimator`.
    random_state : int, RandomState instance or None, default=None
        Seeds the model, unless it is None and `estimator` is given.

    Attributes
    ----------
    estimator_ : estimator
        The fitted model.
    offset_ : float
        The threshold on the scores: ``decision_function(X) = score_samples(X) - offset_``. May be
        set anew to move the threshold without a refit.
    held_out_scores_ : ndarray of shape (n_held_out,)
        Scores of training rows by models that have not seen them; with ``n_estimators=1`` by the
        model itself, in the order of the rows, repeated ones several times. The default model keeps
        those of at most 8,192 rows, drawn at random.
    schema_ : skae.tables.Schema
        What the columns of the training data were taken for, a table to read; only of a frame.
    n_features_in_ : int
        Number of features seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during :term:`fit`. Defined only when `X` has feature names that are
        all strings.

    See Also
    --------
    sklearn.ensemble.IsolationForest : Outliers are what random splits isolate early.
    sklearn.neighbors.LocalOutlierFactor : Outliers are where neighbours lie less dense than theirs.

    Notes
    -----
    The score is Fisher's combined statistic with weights: minus the sum over values :math:`v_k(x)`
    of :math:`-w_k \\log p_k(x)`, where :math:`p_k(x)` is the share of training rows with at least
    such a value. The user guide says what the values and the weights are.

    The default model takes frames with categories and dates, and missing values, which add nothing
    to loss and score. Explanations are of columns. A category that is new is an outlier's.

    References
    ----------
    .. [1] Hawkins et al., "Outlier detection using replicator neural networks", DaWaK 2002.
    .. [2] Vincent et al., "Stacked denoising autoencoders", JMLR 11, 2010.
    .. [3] Vovk, "Cross-conformal predictors", Annals of Mathematics and Artificial Intelligence 74,
       2015.
    .. [4] Bates et al., "Testing for outliers with conformal p-values", Annals of Statistics 51,
       2023.

    Examples
    --------
    >>> import numpy as np
    >>> from skae import AutoencoderOutlierDetector
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 2)) @ rng.normal(size=(2, 6))
    >>> detector = AutoencoderOutlierDetector(random_state=0).fit(X)
    >>> detector.predict([X[0], X[0] + [9, -9, 9, -9, 9, -9]])
    array([ 1, -1])
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "score_samples"]), None],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "contamination": _CONTAMINATION,
        "scale": [StrOptions({"auto"}), None],
        "image_shape": ["array-like", None],
        "column_kinds": [dict, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_estimators: int = 4,
        contamination: str | float = "auto",
        scale: str | None = "auto",
        image_shape: Sequence[int] | None = None,
        column_kinds: Mapping[Any, str] | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.contamination = contamination
        self.scale = scale
        self.image_shape = image_shape
        self.column_kinds = column_kinds
        self.random_state = random_state

    def _checked(self, X: Any, *, reset: bool = False) -> Any:
        if self.estimator is None:
            return self._coded(X, reset=reset)
        return input_as_it_came(self, X, reset=reset)

    # ------------------------------------------------------------------ fit

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the model, and set the threshold.

        Parameters
        ----------
        X : {array-like, data frame, CSR matrix or array} of shape (n_samples, n_features)
            Training data; outliers may be among them. The default model takes NaN for missing
            values.
        y : Ignored
            Not used, present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts, at least 0. Rows are repeated, or drawn: :ref:`weights`.

        Returns
        -------
        self : object
            The fitted detector.
        """
        with self._fitting(X, y) as (X, context):
            X, positions = repeated(X, sample_weight)
            n_folds = max(1, min(self.n_estimators, _num_samples(X) // 2))
            model = self._fit_model(context, self._new_model(), X)
            if self.estimator is None:
                held_out = model.held_out_scores_
            elif n_folds == 1:
                held_out = model.score_samples(X)
            else:
                # Callbacks watch the model, not the clones.
                held_out = cross_fitted_scores(self._new_model, X, n_folds, self.random_state)
            offset = self._threshold(model, X, held_out)
            self.estimator_, self.offset_ = model, offset
            self.held_out_scores_ = in_order(held_out, positions)
            self._n_folds = n_folds
        return self

    @available_if(lambda detector: detector.estimator is None)
    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Go on with a batch of a stream; the default model only.

        The first batch fixes the scale of the features and should have some hundred rows. Each
        later one trains the networks for one epoch, and renews statistics, scores of training rows
        and threshold by a uniform sample of all rows so far. So scores keep their meaning, that of
        a logarithmic p-value, while the networks change. That takes some tenths of a second
        whatever the number of rows: feed batches of hundreds.

        Parameters
        ----------
        X : {array-like, data frame, CSR matrix or array} of shape (n_samples, n_features)
            Rows.
        y : Ignored
            Not used, present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts; see :meth:`fit`.

        Returns
        -------
        self : object
            The fitted detector.
        """
        if not isinstance(getattr(self, "estimator_", None), DenoisingEnsemble):
            return self.fit(X, sample_weight=sample_weight)
        X, _ = repeated(self._checked(X), sample_weight)
        # A copy, so that a failure or an interruption leaves all as it was.
        model = copy.deepcopy(self.estimator_).partial_fit(X)
        offset = self._threshold(model, model.sample_, model.held_out_scores_)
        self.estimator_, self.offset_, self.held_out_scores_ = model, offset, model.held_out_scores_
        return self

    def _default_model(self) -> DenoisingEnsemble:
        share = self.contamination if isinstance(self.contamination, Real) else _TRIM
        setting, trim = "clean" if share == 0 else "contaminated", max(_TRIM, float(share))
        scale = self.scale is not None
        return DenoisingEnsemble(
            self.n_estimators, setting, trim, scale, self.image_shape, self.random_state
        )

    def _threshold(self, model: Any, X: Any, held_out: np.ndarray) -> float:
        if self.contamination in ("auto", 0):
            return automatic_threshold(held_out)
        return float(np.percentile(model.score_samples(X), 100 * float(self.contamination)))

    # ------------------------------------------------------------------ scores

    def score_samples(self, X: Any) -> np.ndarray:
        """Return how normal each row is.

        Parameters
        ----------
        X : {array-like, data frame, CSR matrix or array} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples,)
            The model's scores, float64, higher meaning more normal. By the default model they are
            minus the weighted sum of several surprises, each 0 for the least and about log(n) for
            the most outlying of n training rows.
        """
        X = self._checked(X)
        return self.estimator_.score_samples(X)

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the scores relative to the threshold.

        Parameters
        ----------
        X : {array-like, data frame, CSR matrix or array} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``score_samples(X) - offset_``; negative for outliers.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any, *, fdr: float | None = None) -> np.ndarray:
        """Label rows.

        Parameters
        ----------
        X : {array-like, data frame, CSR matrix or array} of shape (n_samples, n_features)
            Data.
        fdr : float in (0, 1) or None, default=None
            Highest expected share of normal rows among those labelled outliers, if the training
            rows are normal: instead of the threshold, the procedure of Benjamini and Hochberg is
            applied to :meth:`p_values` of all rows of `X` together. Needs about 1 / `fdr` times as
            many training rows as `X` has rows per outlier, and warns if nothing was flagged and
            there are too few for any row alone.

        Returns
        -------
        ndarray of shape (n_samples,)
            +1 for inliers, -1 for outliers.
        """
        if fdr is None:
            return np.where(self.decision_function(X) >= 0, 1, -1)
        if not (isinstance(fdr, Real) and 0 < fdr < 1):
            raise ValueError(f"fdr={fdr!r} must be a float between 0 and 1, exclusive")
        rejected = benjamini_hochberg(self.p_values(X), fdr)
        if not rejected.any():
            most = SAMPLE if self.estimator is None else None
            warn_of_no_power(len(rejected), len(self.held_out_scores_), fdr, most)
        return np.where(rejected, -1, 1)

    # ------------------------------------------------------------------ explanations

    @available_if_model_has("feature_errors")
    def feature_errors(self, X: Any) -> np.ndarray:
        """Return how much each feature contributes to the score of each row.

        Parameters
        ----------
        X : {array-like, data frame, CSR matrix or array} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Non-negative; the sum over a row is ``-score_samples(X)``.
        """
        X = self._checked(X)
        return self._by_columns(self.estimator_.feature_errors(X))

    @available_if_model_has("feature_errors")
    def explain(self, X: Any, *, n_features: int = 3) -> Any:
        """Return the features that make alarms, a table for people.

        Parameters
        ----------
        X : {array-like, data frame, CSR matrix or array} of shape (n_samples, n_features)
            Data; the rows that :meth:`predict` labels -1 are explained.
        n_features : int, default=3
            Number of features per alarm, those that contribute most first.

        Returns
        -------
        pandas.DataFrame
            A line per alarm and feature: `row` (its label in `X` if that is a pandas data frame,
            else its position), `score`, `feature` (its name if there are names, else its
            position), `value`, `expected` (what the default model predicts from the rest of the
            row, what another makes of the row by `reconstruct`, or missing) and `share` of the
            score. Alarms are in the order of their scores, worst first.
        """
        if not (isinstance(n_features, Integral) and n_features >= 1):
            raise ValueError(f"n_features={n_features!r} must be an integer of at least 1")
        return explained(self, X, n_features)
