"""What networks over histories give, whatever they are made of: scores, codes, similar items."""

from typing import Any

import numpy as np
import torch
from scipy import sparse

from .._base import BaseAutoencoder, PlainFit
from .._units import float_dtype
from ..networks import NETWORKS, RecommenderNetwork
from ..training import Batch, Step
from ..training._trainer import check_magnitude
from ._calibration import Calibration
from ._histories import Histories
from ._left_out import left_out_scores
from ._objectives import output_of
from ._recommender import RecommenderMixin
from ._shallow import ShallowRecommender
from ._solution import Solution
from ._weighting import Weighting

_CODES_AT_ONCE = 4096


class HistoryNetwork(RecommenderMixin, PlainFit, BaseAutoencoder):
    """Base of the recommender with a network: histories in, and scores that start somewhere."""

    _takes_own_rows = False  # items are counted over all users

    _networks = {**NETWORKS, "auto": RecommenderNetwork}
    _linear: Solution | None
    _calibration: Calibration | None

    def _checked(self, X: Any, *, reset: bool = False) -> sparse.csr_array:
        return self._interactions(X, reset=reset)

    @property
    def _has_linear(self) -> bool:
        """Whether scores start from the closed form."""
        if self.linear == "auto":
            return not self.tied and self.n_negatives is None
        return self.linear is not None

    @property
    def _auto_patience(self) -> int:
        # A closed form that is not improved soon is not improved later.
        return 3 if self._has_linear else 10

    def _adapt(self, X: sparse.csr_array) -> None:
        check_magnitude(X, getattr(torch, self.dtype))
        counts = np.bincount(X.indices, minlength=X.shape[1])
        total = float(X.data.sum(dtype=np.float64))
        self.popularity_ = counts
        self._weighting = Weighting(self.weighting, X.shape[0], counts, total)
        self._linear = None
        if self._has_linear:
            shallow = ShallowRecommender(weighting=self.weighting, dtype=self.dtype)
            self._linear = shallow.fit(X)._solution

    def _calibrate(self, X: sparse.csr_array) -> None:
        """Find the logits that scores of the closed form stand for, if there are logits."""
        self._calibration = None
        if self._linear is not None and self.likelihood != "gaussian":
            self._calibration = Calibration.of(X, self._linear_scores)

    def _view(
        self,
        X: sparse.csr_array,
        dtype: torch.dtype,
        device: torch.device,
        *,
        training: bool = False,
        with_linear: bool = True,
    ) -> Histories:
        module = self._networks.get(self.module) if isinstance(self.module, str) else self.module
        return Histories(
            X,
            self._weighting,
            dtype,
            device,
            takes_sparse=getattr(module, "takes_sparse", False),
            start=self._linear_logits if with_linear and self._linear else None,
            trained_on=training,
        )

    def _linear_scores(
        self, shown: sparse.csr_array, histories: sparse.csr_array | None
    ) -> np.ndarray:
        """Return what scores start from: of users of the fit, as if they were not."""
        assert self._linear is not None  # or nobody asks
        if histories is None:
            return self._linear.scores(shown)
        return left_out_scores(self._linear, shown, histories)

    def _linear_logits(
        self, shown: sparse.csr_array, histories: sparse.csr_array | None
    ) -> torch.Tensor:
        """Return the same on the scale of the network's output."""
        scores = torch.from_numpy(self._linear_scores(shown, histories))
        return scores if self._calibration is None else self._calibration.logits(scores)

    # ------------------------------------------------------------------ scores and codes

    def _item_scores(self, X: sparse.csr_array) -> np.ndarray:
        return self._apply(X, lambda m, batch: output_of(m, batch.input, batch.extra))

    def _scores(self, module: Any, batch: Batch) -> torch.Tensor:
        objective, criterion = self.net_.objective, self.net_.criterion_
        step = Step(module, criterion, batch, self.net_.validation_generator)
        return -objective.losses(step).rows.double()

    def _encoded(self, X: sparse.csr_array, out: np.ndarray | None = None) -> np.ndarray:
        rows, dtype = (
            self._view(X, self.net_.dtype, torch.device("cpu"), with_linear=False),
            float_dtype(X),
        )
        return self._apply_to(
            rows,
            lambda m, b: self._encoder(m, b.input),
            _CODES_AT_ONCE,
            then=lambda codes: codes.astype(dtype, copy=False),
            out=out,
        )

    def _similarities(self, items: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
        if self._linear is not None:
            return self._linear.similarities(items, others)
        chosen = np.arange(self.n_features_in_) if others is None else others
        return self._unit_codes(items) @ self._unit_codes(chosen).T

    def _unit_codes(self, items: np.ndarray) -> np.ndarray:
        """Return the codes of histories of one item, brought to length 1."""
        n = len(items)
        parts = np.ones(n, dtype=self.dtype), items, np.arange(n + 1)
        codes = self._encoded(sparse.csr_array(parts, (n, self.n_features_in_)))
        return codes / np.maximum(np.linalg.norm(codes, axis=1, keepdims=True), 1e-12)
