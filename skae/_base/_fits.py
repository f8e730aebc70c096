"""What a `fit` takes: examples that all count alike, or rows with weights."""

from typing import Any, Self

from sklearn.base import _fit_context
from sklearn.utils.metadata_routing import UNUSED

from ._fit import Fit

# Files of a training, and no metadata of the rows.
_FILES = {"checkpoint": UNUSED, "resume": UNUSED}


class PlainFit:
    """Mixin of estimators whose examples all count alike."""

    __metadata_request__fit = _FILES

    max_epochs: Any
    _fit: Any

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        checkpoint: Any = None,
        resume: Any = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : {array-like, CSR matrix or array} of shape (n_samples, n_features)
            Training data, finite numbers; for compressors of images an array or a list of images.
        y : array-like of shape (n_samples,), default=None
            Only handed on to callbacks, such as :class:`~sklearn.callback.ScoringMonitor`.
        X_val : {array-like, CSR matrix or array} of shape (n_val, n_features), default=None
            What early stopping watches, in place of a share of `X`. Not for compressors.
        y_val : array-like of shape (n_val, n_features), default=None
            Rows that the network should give in place of those of `X_val`, if there are such in
            `y`.
        checkpoint : str or path-like, default=None
            File to write the state of the training to, after each epoch.
        resume : str or path-like, default=None
            Such a file, from which the training goes on to the same bits, if data and parameters
            are the same; if there is none yet, it starts from the beginning. See
            :ref:`checkpoints`.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter does not fit the data, or the loss becomes infinite or NaN. An estimator
            that was fitted before stays as it was.
        """
        fit = Fit(X, y, self.max_epochs, valid=(X_val, y_val))
        return self._fit(fit.stored(checkpoint, resume))


class TakesWeights:
    """Mixin of estimators of rows that need not all count alike."""

    __metadata_request__fit = _FILES

    _takes_weights = True
    max_epochs: Any
    _fit: Any

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        checkpoint: Any = None,
        resume: Any = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : {array-like, CSR matrix or array} of shape (n_samples, n_features)
            Training data, finite numbers. Generators of rows take data frames with dates and
            categories too, and missing cells.
        y : array-like of shape (n_samples,) or (n_samples, n_features), default=None
            For :class:`~skae.Autoencoder`, rows that the network should give in place of those of
            `X`: clean ones for noisy ones, say. For generators with ``conditional=True``, labels of
            the rows' classes. Other labels, of one dimension, are only handed on to callbacks:
            :class:`~sklearn.callback.ScoringMonitor` scores when it is given, so ``fit(X, X)``
            makes it score the reconstruction.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts, at least 0. Whole numbers are counts of equal rows; of others,
            only the ratios matter. Rows of weight 0 are left out. See :ref:`weights`.
        X_val : {array-like, CSR matrix or array} of shape (n_val, n_features), default=None
            What early stopping watches, in place of a share of `X`.
        y_val : array-like of shape (n_val, n_features), default=None
            Rows that the network should give in place of those of `X_val`, if there are such in
            `y`.
        checkpoint : str or path-like, default=None
            File to write the state of the training to, after each epoch.
        resume : str or path-like, default=None
            Such a file, from which the training goes on to the same bits, if data and parameters
            are the same; if there is none yet, it starts from the beginning. See
            :ref:`checkpoints`.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter does not fit the data, or the loss becomes infinite or NaN. An estimator
            that was fitted before stays as it was.
        """
        fit = Fit(X, y, self.max_epochs, valid=(X_val, y_val), weights=sample_weight)
        return self._fit(fit.stored(checkpoint, resume))
