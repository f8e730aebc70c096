"""What held-out scores say of new rows: p-values, and probabilities of being outliers."""

from numbers import Real
from typing import Any

import numpy as np

from ._decisions import conformal_p_values
from ._ensemble import DenoisingEnsemble
from ._probabilities import ScoreMixture


class CalibratedScores:
    """Mixin of the detector: its scores beside those of training rows by models without them."""

    n_estimators: int
    contamination: str | float
    estimator_: Any
    held_out_scores_: np.ndarray
    _n_folds: int
    _checked: Any

    def p_values(self, X: Any) -> np.ndarray:
        """Return the probability of rows at least as outlying, if `X` are like the training rows.

        Cross-conformal: each row is compared with the held-out scores of training rows, by the same
        networks. If training rows are normal, the p-values of new normal rows are nearly uniform;
        outliers in training make them larger, which is the safe side. With `estimator`, scores by
        the model are compared with those by clones trained on fewer rows, which is only
        approximately right. Training rows are not new rows: their own p-values are too large.

        Parameters
        ----------
        X : {array-like, CSR matrix or array} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples,)
            Between 1 / (n_held_out + 1) and 1; small for outliers.

        Raises
        ------
        ValueError
            With ``n_estimators=1`` or fewer than 4 training rows, where no row was held out.
        """
        X = self._checked(X)
        self._check_held_out("p_values need")
        model = self.estimator_
        if isinstance(model, DenoisingEnsemble):
            held_out, folds = model.held_out_scores_, model.held_out_folds_
            return conformal_p_values(model.member_scores(X), held_out, folds)
        return conformal_p_values(model.score_samples(X), self.held_out_scores_)

    def outlier_probability(self, X: Any, *, share: float | None = None) -> np.ndarray:
        """Return the probability that each row is an outlier, by its score and their share.

        The held-out scores are taken for a mixture of those of normal rows and of outliers: minus
        the scores, counted from the highest one, have gamma distributions of one shape. It is right
        on the average for rows among which outliers are as frequent as among the training rows. How
        far probabilities are from the share depends on how far scores are from each other; that
        they are right for each score is not promised, because nobody has said which rows are
        outliers. Training rows that are scored again come out somewhat too low.

        Parameters
        ----------
        X : {array-like, CSR matrix or array} of shape (n_samples, n_features)
            Data.
        share : float in (0, 1) or None, default=None
            Share of outliers among the training rows. None takes `contamination`, if it is a
            number. The scores do not tell it.

        Returns
        -------
        ndarray of shape (n_samples,)
            Between 0 and 1, never lower for a row of a lower score.

        Raises
        ------
        ValueError
            If the share is not known; with ``contamination=0``, where there is none; with
            ``n_estimators=1`` or fewer than 4 training rows, where no row was held out.
        """
        X = self._checked(X)
        self._check_held_out("outlier_probability needs")
        share = self._known_share(share)
        return ScoreMixture.of(self.held_out_scores_, share)(self.estimator_.score_samples(X))

    def _known_share(self, share: Any) -> float:
        if self.contamination == 0:
            raise ValueError(
                "outlier_probability needs outliers among the training rows, and contamination=0 "
                "says that there are none: take p_values"
            )
        if share is None and isinstance(self.contamination, str):
            raise ValueError(
                "outlier_probability needs the share of outliers, which the scores do not tell: "
                "say share=0.05, or take p_values"
            )
        share = self.contamination if share is None else share
        if not (isinstance(share, Real) and 0 < share < 1):
            raise ValueError(f"share={share!r} must be a float between 0 and 1, exclusive")
        return float(share)

    def _check_held_out(self, who: str) -> None:
        if self._n_folds == 1:
            cause = "n_estimators=1" if self.n_estimators == 1 else "fewer than 4 training rows"
            raise ValueError(f"{who} scores of held-out rows; with {cause} there are none")
