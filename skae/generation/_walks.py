"""Walks between codes, decoded."""

from typing import Any

import numpy as np

from ._checks import check_count, checked_components, checked_values


class WalksMixin:
    """For generators: expected rows on ways between codes."""

    transform: Any
    _decoded: Any
    _decoded_columns: Any

    def interpolate(self, X_start: Any, X_stop: Any, n_steps: int = 8) -> np.ndarray:
        """Walk from rows to rows, along straight lines between their codes.

        Parameters
        ----------
        X_start, X_stop : {array-like, data frame} of shape (n_samples, n_features)
            Where to start and where to arrive.
        n_steps : int, default=8
            Number of rows on each way, both ends included.

        Returns
        -------
        ndarray of shape (n_samples, n_steps, n_features)
            Expected rows; categories by their positions in sorted order.
        """
        start, stop = self.transform(X_start), self.transform(X_stop)
        if start.shape != stop.shape:
            raise ValueError(
                f"X_start has {len(start)} rows, but X_stop has {len(stop)}; they must be pairs"
            )
        check_count("n_steps", n_steps, 2)
        t = np.linspace(0, 1, n_steps)[:, None]
        codes = start[:, None] * (1 - t) + stop[:, None] * t
        return self._expected(codes)

    def traverse(self, X: Any, components: Any = None, values: Any = None) -> np.ndarray:
        """Change one component of the codes of rows after the other.

        Parameters
        ----------
        X : {array-like, data frame, CSR matrix or array} of shape (n_samples, n_features)
            Rows to start from.
        components : int or array-like of int, default=None
            Which components, counted from 0; None for all.
        values : array-like of shape (n_values,), default=None
            What each is set to; None takes seven values from -2 to 2.

        Returns
        -------
        ndarray of shape (n_samples, n_components, n_values, n_features)
            Expected rows; categories by their positions in sorted order.
        """
        codes = self.transform(X)
        chosen = checked_components(components, codes.shape[1])
        values = np.linspace(-2, 2, 7) if values is None else checked_values(values)
        walks = np.broadcast_to(
            codes[:, None, None], (len(codes), len(chosen), len(values), codes.shape[1])
        ).copy()
        for i, component in enumerate(chosen):
            walks[:, i, :, component] = values
        return self._expected(walks)

    def _expected(self, codes: np.ndarray) -> np.ndarray:
        encoded = self._decoded(codes.reshape(-1, codes.shape[-1]))
        return self._decoded_columns(encoded).reshape(*codes.shape[:-1], -1)
