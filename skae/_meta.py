"""What estimators share that have a model instead of being one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sklearn.base import clone
from sklearn.callback import CallbackContext, CallbackSupportMixin
from sklearn.ensemble._base import _set_random_states
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from ._base import attributes_kept_on_failure, checked_input
from ._base._together import fitting_together
from ._versions import Versioned
from .tables import framed, is_frame, refuse_unusable, unmasked
from .training._suggestions import Suggests


def available_if_model_has(method: str) -> Callable[[Any], Any]:
    """Let a method be there only if the model, fitted or to be fitted, has one.

    Parameters
    ----------
    method : str
        Name of the model's method.

    Returns
    -------
    callable
        Decorates our method.
    """

    def check(estimator: "HasModel") -> bool:
        model = getattr(estimator, "estimator_", estimator.estimator)
        return hasattr(estimator._default_model() if model is None else model, method)

    return available_if(check)


class HasModel(Versioned, Suggests, CallbackSupportMixin):
    """Mixin of estimators whose parameter `estimator` is a model, which `fit` clones and fits.

    The fitted model is `estimator_`. With ``estimator=None`` it is what :meth:`_default_model`
    returns. The model's random state comes from ours, callbacks watch its fit, and our tags about
    the input are its own.
    """

    estimator: Any
    random_state: Any

    def _default_model(self) -> Any:
        """Return the model of ``estimator=None``, unfitted."""
        raise NotImplementedError

    def _new_model(self) -> Any:
        """Return a model to be fitted."""
        if self.estimator is None:
            return self._default_model()
        model = clone(self.estimator)
        if self.random_state is not None:
            _set_random_states(model, self.random_state)
        return model

    def _checked(self, X: Any, *, reset: bool = False) -> Any:
        """Return the input as we and the model take it, if it is like the training data."""
        return checked_input(self, X, reset=reset)

    @contextmanager
    def _fitting(self, X: Any, y: Any = None) -> Iterator[tuple[Any, CallbackContext]]:
        """Check training data, tell callbacks of the fit, and undo what it has set if it fails."""
        with fitting_together(self) as check_alike, attributes_kept_on_failure(self):
            X = self._checked(X, reset=True)
            check_alike(X)
            context = self._init_callback_context(max_subtasks=1)
            context.call_on_fit_task_begin(estimator=self, X=X, y=y)
            yield X, context
        context.call_on_fit_task_end(estimator=self, X=X, y=y)

    def _fit_model(self, context: CallbackContext, model: Any, X: Any, y: Any = None) -> Any:
        """Fit a model under our callbacks, as a task of its own; return it."""
        task = context.subcontext(task_name="fit-estimator")
        with task.propagate_callback_context(model):
            task.call_on_fit_task_begin(estimator=self, X=X, y=y)
            model.fit(X) if y is None else model.fit(X, y)
            task.call_on_fit_task_end(estimator=self, X=X, y=y)
        return model

    @available_if_model_has("to")
    def to(self, device: Any) -> Any:
        """Move the fitted model to another device.

        What it has learned stays the same, to the last bit.

        Parameters
        ----------
        device : str or torch.device
            Such as "cpu", "cuda:1" or "mps"; "auto" takes the best one there is.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError
            If there is no such device. The model stays where it was.
        """
        check_is_fitted(self)
        self.estimator_.to(device)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        try:
            model = self._default_model() if self.estimator is None else self.estimator
            of_model = get_tags(model).input_tags
        except AttributeError:  # not an estimator, which fit will say
            return tags
        tags.input_tags.sparse, tags.input_tags.allow_nan = of_model.sparse, of_model.allow_nan
        return tags


def input_as_it_came(estimator: HasModel, X: Any, *, reset: bool = False) -> Any:
    """Return the input for a model that checks it, if names and number of the features are right.

    Parameters
    ----------
    estimator : estimator
        The estimator that has the model.
    X : {array-like, data frame, CSR matrix or array} of shape (n_samples, n_features)
        What its method was given.
    reset : bool, default=False
        Whether `X` are training data that make the estimator forget those before.

    Returns
    -------
    ndarray, data frame or CSR matrix or array of shape (n_samples, n_features)
        Frames as they came, everything else in its dtype.
    """
    if not reset:
        check_is_fitted(estimator)
    refuse_unusable(X)
    if is_frame(framed(X)):
        validate_data(estimator, framed(X), skip_check_array=True, reset=reset)
        return X
    X = unmasked(X, get_tags(estimator).input_tags.allow_nan, type(estimator).__name__)
    return validate_data(
        estimator, X, accept_sparse="csr", dtype=None, ensure_all_finite=False, reset=reset
    )
