"""What a loss makes of columns: their selection by name, and units in which they are alike."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from .._units import Units, mean_and_scale
from ..losses import LOSSES, ReconstructionLoss
from ..networks import NETWORKS, SkipAutoencoder
from ..training._suggestions import did_you_mean
from ..training._trainer import check_magnitude


def units_for(
    X: Any,
    module: str | type[nn.Module] | nn.Module,
    loss: ReconstructionLoss,
    limits: tuple[float, float] | None = None,
    codes_are_log_odds: bool = False,
    weights: np.ndarray | None = None,
) -> Units | None:
    """Return units in which data of any unit and origin look alike, as far as that is allowed.

    Parameters
    ----------
    X : ndarray or CSR matrix or array of shape (n_samples, n_features)
        Checked training data.
    module : str, class or nn.Module
        The network; one that is not a :class:`~skae.networks.SkipAutoencoder` may expect pixels in
        [0, 1], and sees the data as they are.
    loss : ReconstructionLoss
        What outputs are compared with data by.
    limits : tuple of two floats or None, default=None
        Lowest and highest value, if all columns have them in common: then their distance is the
        scale, and else the root of the mean variance.
    codes_are_log_odds : bool, default=False
        Whether codes mean something by themselves, and have no unit.
    weights : ndarray of shape (n_samples,) or None, default=None
        How often each row counts; None for once.

    Returns
    -------
    Units or None
        None for those of the data.

    Raises
    ------
    ValueError
        If values are too large to compute with.
    """
    network: Any = NETWORKS.get(module) if isinstance(module, str) else module
    if not issubclass(network if isinstance(network, type) else type(network), SkipAutoencoder):
        return None
    check_magnitude(X, torch.float64)
    mean, scale = mean_and_scale(X, weights)
    if limits is not None:
        # Pixels and grades are as far apart as they can be; networks learn them better like this.
        scale = limits[1] - limits[0]
    offset = np.where(loss.knows_no_origin(len(mean)), mean, 0.0)
    if loss.degree is None:
        return Units(offset)
    return Units(offset, scale, 1.0 if codes_are_log_odds else scale, scale**loss.degree)


def column_losses(
    loss: Mapping[str, Any],
    n_features: int,
    names: Sequence[str],
    of_numbers: Sequence[int] | None = None,
) -> list[tuple[str, list[int]]]:
    """Resolve selections of columns to indices.

    Parameters
    ----------
    loss : mapping of str to array-like, slice or str
        Names of losses, and their columns: indices, a slice, a mask or names.
    n_features : int
        Number of columns.
    names : sequence of str
        Their names, if they have any.
    of_numbers : sequence of int or None, default=None
        Which columns can have one of these losses; None for all.

    Returns
    -------
    list of tuples (str, list of int)
        The same with indices.

    Raises
    ------
    ValueError
        If a loss or a column is unknown, or a column does not stand in it once.
    """
    parts: list[tuple[str, list[int]]] = []
    for name, columns in loss.items():
        if name not in LOSSES:
            raise ValueError(
                f"loss={{{name!r}: ...}}: must be one of {sorted(LOSSES)}"
                f"{did_you_mean(name, LOSSES)}"
            )
        if not isinstance(columns, slice):
            columns = np.atleast_1d(np.asarray(columns)).tolist()
            if any(isinstance(column, str) for column in columns):
                if unknown := [str(c) for c in columns if c not in names]:
                    found = names or "no column names"
                    raise ValueError(f"loss names columns {unknown}, but X has {found}")
                columns = [names.index(column) for column in columns]
        try:
            indices = np.arange(n_features)[columns]
        except (IndexError, TypeError) as error:
            raise ValueError(f"loss={{{name!r}: {columns!r}}}: {error}") from error
        parts.append((name, [int(i) for i in indices]))
    named = [i for _, indices in parts for i in indices]
    counts = np.bincount(np.array(named, dtype=int), minlength=n_features)
    wanted = np.isin(np.arange(n_features), range(n_features) if of_numbers is None else of_numbers)
    if (counts != wanted).any():
        wrong = {int(i): int(counts[i]) for i in np.flatnonzero(counts != wanted)[:5]}
        which = "every column of X" if wanted.all() else "every column of numbers, and no others,"
        raise ValueError(f"loss must name {which} once; how often it names some: {wrong}")
    return parts
