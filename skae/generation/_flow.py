"""A prior of codes whose density a network has learned: a normalizing flow."""

from typing import Any

import numpy as np
import torch
from scipy.linalg import solve
from sklearn.utils import check_random_state

from .._plain import Part, registered
from .._settings import inference
from ..networks import CouplingFlow
from ..training import ArrayRows, Recipe
from ..training._rows import inference_rows
from ..training._state import to_arrays, to_tensors
from ..training._trainer import new_net
from ..training._trials import auto_epochs
from ._objectives import NegativeLogDensity
from ._priors import fit_mixture

_CPU = torch.device("cpu")
_FEWEST_CODES = 100  # to learn anything but mean and covariance from
_FEW_CODES = 30_000  # a flow can learn them by heart
_LEAST_STEPS, _CODES_PER_STEP = 500, 25
_BATCH_SIZES, _BATCHES = (32, 512), 8


@registered
class FlowPrior:
    """Whitened codes, made normal by a flow.

    It holds arrays only, and builds the network when it is asked.

    Parameters
    ----------
    mean : ndarray of shape (n_components,)
        Mean of the codes.
    whitening : ndarray of shape (n_components, n_components)
        What centred codes are multiplied by.
    weights : dict of str to ndarray
        State of the :class:`~skae.networks.CouplingFlow`.
    random_state : int, RandomState instance or None, default=None
        Draws the samples.
    """

    mean: np.ndarray
    whitening: np.ndarray
    weights: dict[str, np.ndarray]
    random_state: Any = None

    def score_samples(self, X: np.ndarray) -> np.ndarray:
        """Return log-densities.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_components)
            Codes.

        Returns
        -------
        ndarray of shape (n_samples,)
            In nats.
        """
        log_volume = np.linalg.slogdet(self.whitening)[1]
        return self._apply("log_prob", (X - self.mean) @ self.whitening) + log_volume

    def sample(self, n_samples: int) -> tuple[np.ndarray, None]:
        """Draw codes.

        Parameters
        ----------
        n_samples : int
            How many.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_components)
            Codes.
        labels : None
            As of :meth:`sklearn.mixture.GaussianMixture.sample`.
        """
        random = check_random_state(self.random_state)
        normal = random.standard_normal((n_samples, len(self.mean)))
        whitened = self._apply("decode", normal)
        return self.mean + solve(self.whitening.T, whitened.T).T, None

    @inference()
    def _apply(self, method: str, X: np.ndarray) -> np.ndarray:
        """Call a method of the flow on all rows, in float64."""
        with torch.device("meta"):  # there, initial weights draw nothing
            flow = CouplingFlow(len(self.mean))
        flow.load_state_dict(to_tensors(self.weights), assign=True)
        parts = torch.from_numpy(X).double().split(inference_rows(X.shape[1]))
        return torch.cat([getattr(flow.double(), method)(part) for part in parts]).numpy()


def fit_flow(Z: np.ndarray, seed: int) -> FlowPrior:
    """Fit a flow to codes.

    It starts from a single Gaussian, and stays there if that serves held-out codes as well.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, n_components)
        Codes of at least two components.
    seed : int
        Determines initial weights, which codes are held out, and the order of the others.

    Returns
    -------
    FlowPrior
        The prior.
    """
    n, k = Z.shape
    low, high = _BATCH_SIZES
    n_steps = max(_LEAST_STEPS, n // _CODES_PER_STEP)
    gaussian = fit_mixture(Z, 1, seed)
    mean, whitening = gaussian.means_[0], gaussian.precisions_cholesky_[0]
    rows = ArrayRows((Z - mean) @ whitening, torch.float32, _CPU)
    params = {
        "objective": NegativeLogDensity(),
        "module__n_components": k,
        "lr": 3e-3,
        "batch_size": min(high, max(low, n // _BATCHES)),
        "verbose": 0,
    }
    module = Part("networks", "CouplingFlow", {})
    recipe = Recipe(module, "squared_error", "adamw", "float32", params, auto_steps=n_steps)
    net, _ = new_net(recipe, _CPU, seed, rows)
    if n >= _FEWEST_CODES:
        epochs, _ = auto_epochs(recipe, _CPU, seed, rows, few_rows=_FEW_CODES)
        net.fit_rows(rows, None, epochs)
    return FlowPrior(mean, whitening, to_arrays(net.averaged_module_.state_dict()))
