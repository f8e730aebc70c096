"""AutoencoderImputer: missing cells filled by networks that correct a normal distribution."""

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils._param_validation import Interval
from torch import Tensor

from .._base import NetEstimator, given_weights
from .._weights import mean_row
from ..metrics._checks import check_share
from ..tables import Coding
from ..training import Batch
from ._errors import column_errors, relative_score
from ._filling import drawn
from ._network_imputer import NetworkImputer
from ._rows import own_random
from ._tables import FillsTables

_HIDDEN_SHARE = 0.2  # when rows are scored


class AutoencoderImputer(NetworkImputer):
    """Fills missing cells of tables, once or many times, and says how sure it is.

    A normal distribution, fitted to the incomplete rows by expectation-maximisation, guesses first:
    conditional means, for any pattern of missing cells. Two kinds of models correct it: networks
    side by side, denoising autoencoders that see this guess and which cells are missing, and learn
    from rows of which further cells are hidden; and for each column a kernel machine, in closed
    form. Hidden cells of rows that a network does not train on tell when to stop, how much
    of either correction to believe in each column, and how large errors are. Where corrections
    bring nothing, the normal distribution is left.

    Columns may be numbers, dates, categories such as text, and truth values; those that were
    complete in `fit` are filled too. Rows come back in the form in which they came: arrays, or data
    frames of pandas or polars with the same dtypes. Observed cells are never changed.

    Read more in the :ref:`User Guide <imputation>`.

    Parameters
    ----------
    missing_values : int, float, str, np.nan, None or pandas.NA, default=np.nan
        A value that stands for missing ones, besides NaN, None and the like, which always do.

    add_indicator : bool, default=False
        Whether to append a column for each column with missing cells in training, 1 or True where
        a cell was filled.

    keep_empty_features : bool, default=False
        Whether columns without any value in training stay, filled with 0 if they hold numbers.
        Otherwise they are left out.

    column_kinds : dict or None, default=None
        Which columns of a frame are of another kind than their dtypes say, "number", "category" or
        "date", by their names: ``{"zip": "category"}``.

    n_estimators : int, default=4
        Number of networks. The rows are split into as many folds, and each network trains on the
        rows outside of its own.

    hidden_layer_sizes : sequence of int, default=(192, 192)
        Widths of the hidden layers of each network.

    optimizer : {"adam", "adamw", "lbfgs", "nadam", "rmsprop", "sgd"} or class, default="adamw"
        Optimizer; weight decay is ``optimizer__weight_decay`` (0.01 for "adamw").

    lr : float, default=2e-3
        Learning rate. It stays constant, because an average of the weights is used.

    batch_size : int, default=128
        Number of rows per step.

    max_epochs : "auto" or int, default="auto"
        Number of passes over the rows; 0 leaves the normal distribution alone. "auto" takes at most
        1,200 steps and 300 epochs, and the number after which hidden cells are filled best; none
        for fewer than 20 rows.

    early_stopping : bool, default=False
        Whether to hold out rows that no network trains on, to stop when hidden cells of these are
        no longer filled better, and to restore the best weights.

    validation_fraction : float, default=0.1
        Share of the rows that early stopping holds out, drawn by `random_state`.

    n_iter_no_change : int, default=10
        Number of epochs without improvement after which early stopping stops.

    tol : float, default=1e-4
        Least share of the loss by which an epoch must improve it to count.

    warm_start : bool, default=False
        Whether `fit` goes on with the present networks instead of building new ones. The normal
        distribution stays.

    callbacks : list of skorch callbacks or None, default=None
        Such as :class:`skorch.callbacks.LRScheduler`; each may be a tuple (name, callback). They
        are copied.

    device : str or torch.device, default="auto"
        "auto" takes CUDA, else MPS, else the CPU.

    dtype : {"float32", "float64"}, default="float32"
        Type that the networks compute in.

    random_state : int, RandomState instance or None, default=None
        Determines resampled rows, initial weights, hidden cells and draws. torch's global
        generators are not touched.

    verbose : int, default=0
        Above 0, prints a line per epoch.

    **kwargs : dict
        Parameters of the parts, with skorch's prefixes: ``optimizer__weight_decay=0.1``,
        ``callbacks__name__parameter``.

    Attributes
    ----------
    held_out_errors_ : ndarray of float64 of shape (`n_features_in_`,)
        What to expect: root mean squared errors of columns of numbers, in their units, and shares
        of wrong categories, over hidden cells by networks that have not seen their rows. NaN where
        no cell was hidden.
    baseline_errors_ : ndarray of float64 of shape (`n_features_in_`,)
        The same of the mean, and of the most frequent category.
    module_ : nn.Module
        The trained networks, in evaluation mode.
    net_ : skae.training.AutoencoderNet
        The skorch net.
    loss_ : float
        Training loss of the last epoch: mean over hidden cells.
    loss_curve_ : list of float
        Training loss of every epoch.
    validation_loss_curve_ : list of float
        Loss of held-out rows; only with `early_stopping`.
    n_iter_ : int
        Number of epochs trained.
    max_epochs_ : int
        Number of epochs that the last fit could take at most.
    hidden_layer_sizes_ : tuple of int
        Widths of the hidden layers.
    device_ : str
        Device computed on.
    schema_ : skae.tables.Schema
        What the columns of the training data were taken for, a table to read; only of a frame.
    n_features_in_ : int
        Number of columns seen during :term:`fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of columns seen during :term:`fit`. Defined only when `X` has feature names that are
        all strings.

    See Also
    --------
    sklearn.impute.IterativeImputer : Round robin of regressors.
    skae.metrics.pool_estimates : Estimates from several imputations as one.
    skae.inspection.ImputationDisplay : Filled values beside the observed ones.

    Notes
    -----
    Values further than eight standard deviations from their mean count as that far, where others
    are predicted from them. Predictions stay within the range of the training data. A category that
    was not there in `fit` says nothing of other cells, and stays.

    References
    ----------
    Dempster, Laird & Rubin, "Maximum likelihood from incomplete data via the EM algorithm", Journal
    of the Royal Statistical Society B 39, 1977.

    Gondara & Wang, "MIDA: multiple imputation using denoising autoencoders", PAKDD 2018.

    Rubin, "Multiple imputation for nonresponse in surveys", 1987.

    Examples
    --------
    >>> import numpy as np
    >>> from skae import AutoencoderImputer
    >>> X = np.array([[1.0, 2.0], [2.0, np.nan], [3.0, 6.0], [4.0, 8.0]])
    >>> AutoencoderImputer(random_state=0).fit_transform(X).round()
    array([[1., 2.],
           [2., 4.],
           [3., 6.],
           [4., 8.]])
    """

    _parameter_constraints: dict = {
        **{k: v for k, v in NetEstimator._parameter_constraints.items() if k != "module"},
        **FillsTables._parameter_constraints,
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": ["array-like"],
    }

    def __init__(
        self,
        *,
        missing_values: Any = np.nan,
        add_indicator: bool = False,
        keep_empty_features: bool = False,
        column_kinds: Mapping[Any, str] | None = None,
        n_estimators: int = 4,
        hidden_layer_sizes: Sequence[int] = (192, 192),
        optimizer: Any = "adamw",
        lr: float = 2e-3,
        batch_size: int = 128,
        max_epochs: str | int = "auto",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        warm_start: bool = False,
        callbacks: Sequence[Any] | None = None,
        device: str | torch.device = "auto",
        dtype: str = "float32",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        **kwargs: Any,
    ) -> None:
        self.missing_values = missing_values
        self.add_indicator = add_indicator
        self.keep_empty_features = keep_empty_features
        self.column_kinds = column_kinds
        self.n_estimators = n_estimators
        self.hidden_layer_sizes = hidden_layer_sizes
        self.optimizer = optimizer
        self.lr = lr
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose
        self._nested_params = kwargs

    # ------------------------------------------------------------------ many times, and how sure

    def sample_imputations(
        self, X: Any, n_imputations: int = 10, *, random_state: Any = None
    ) -> list[Any]:
        """Fill missing cells several times by draws.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_samples, n_features)
            Rows, in the form of the training data.
        n_imputations : int, default=10
            How many times.
        random_state : int, RandomState instance or None, default=None
            Determines the draws; None takes that of the estimator.

        Returns
        -------
        list of ndarray or data frame of shape (n_samples, n_features_out)
            As :meth:`transform` gives them.
        """
        checked = self._checked(X)[:]
        check_scalar(n_imputations, "n_imputations", Integral, min_val=1)
        random = check_random_state(self.random_state if random_state is None else random_state)
        generator = torch.Generator().manual_seed(random.randint(2**31))
        normals = [self._normals[i % len(self._normals)] for i in range(n_imputations)]
        given = [(torch.tensor(n.mean), torch.tensor(n.precision)) for n in normals]

        def draws(module: Any, batch: Batch) -> Tensor:
            return drawn(module, batch.input, given, self._spread, self._machines, generator)

        whole = np.array(checked, np.float64)
        rows, Z = self._coded(whole, draws)
        imputations = []
        for i in range(n_imputations):
            filled = whole.copy()
            if len(rows):
                filled[rows] = self._coding.decode(Z[:, i], whole[rows])
            imputations.append(self._restored(filled, checked, X))
        return imputations

    def impute_intervals(self, X: Any, level: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
        """Return between which values missing numbers lie.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_samples, n_features)
            Rows, in the form of the training data.
        level : float, default=0.9
            Probability with which an interval holds the value, if cells are missing at random.

        Returns
        -------
        low, high : ndarray of float64 of shape (n_samples, n_features)
            Bounds of the intervals. Observed numbers are both bounds of theirs. Columns that hold
            no numbers, or had none in training, are NaN.
        """
        X = np.array(self._checked(X)[:], dtype=np.float64)
        check_share(level, "level")
        spread, m = self._spread, len(self._coding.numbers)
        rows, Z = self._coded(X, self._expected)
        other = [j for j in range(X.shape[1]) if j not in self._coding.numbers]
        other += list(self._format.dates)
        bounds = []
        for q in ((1 - level) / 2, (1 + level) / 2):
            errors = spread.quantiles(torch.full((1, m), q, dtype=torch.float64)).numpy()
            bound = X.copy()
            at = np.c_[Z[:, :m] + errors * Z[:, Z.shape[1] - m :], Z[:, m : Z.shape[1] - m]]
            bound[rows] = self._coding.decode(at, X[rows])
            bound[:, other] = np.nan
            bounds.append(bound)
        return bounds[0], bounds[1]

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Hide a fifth of the observed cells, and return how well they are filled.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_samples, n_features)
            Rows, in the form of the training data.
        y : Ignored
            Not used, present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts.

        Returns
        -------
        float
            By what share the squared errors of numbers, and the errors of categories, are below
            those of the mean and of the most frequent category of the rows; the mean over columns.
            1 is perfect. The same cells are hidden in every call.
        """
        truth = np.array(self._checked(X)[:], dtype=np.float64)
        hidden = own_random().random(truth.shape) < _HIDDEN_SHARE
        hidden &= ~np.isnan(truth)
        if not hidden.any():
            raise ValueError(f"X has no cell to hide: it has {truth.size} cells")
        shown = np.where(hidden, np.nan, truth)
        weights = given_weights(sample_weight, len(truth))
        coding = Coding.of(truth, self._coding.features, self._coding.categories, weights)
        mean = np.nan_to_num(coding.encode(truth))
        usual = coding.decode(np.tile(mean_row(mean, weights), (len(mean), 1)), shown)
        errors, baseline = (
            column_errors(each, truth, hidden, coding, weights)
            for each in (self._filled(shown.copy()), usual)
        )
        return relative_score(errors, baseline)
