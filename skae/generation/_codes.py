"""What a generator learns of the training rows once its network is trained."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from numpy.typing import NDArray
from torch import Tensor

from .._settings import inference
from .._weights import are_whole, drawn_positions, mean_row
from ..training import AutoencoderNet, Rows


@dataclass(frozen=True)
class CodesOfRows:
    """Codes of training rows, their traits and weights, and moments of all rows.

    Parameters
    ----------
    codes : ndarray of shape (n_rows, n_components)
        Codes of the rows that are kept.
    traits : ndarray of shape (n_rows, n_traits) of bool
        Which categories they have.
    weights : ndarray of shape (n_rows,) or None
        How often they count; None for once.
    variance : Tensor of shape (n_outputs,)
        Mean squared residual of every column.
    spread : Tensor of shape (n_components,)
        Variances of the means of codes.
    """

    codes: NDArray
    traits: NDArray
    weights: NDArray | None
    variance: Tensor
    spread: Tensor

    @classmethod
    def of(
        cls,
        net: AutoencoderNet,
        rows: Rows,
        kept: NDArray,
        coded: Callable[..., tuple[Tensor, Tensor]],
        traits_of: Callable[[Tensor], Tensor],
        seed: int,
    ) -> Self:
        """Go through all rows.

        Parameters
        ----------
        net : AutoencoderNet
            The trained net.
        rows : Rows
            Training rows.
        kept : ndarray of shape (n_rows,) of bool
            Of which of them codes are kept.
        coded : callable
            Returns codes and their means, given net, rows and a generator.
        traits_of : callable
            Returns the traits of rows.
        seed : int
            Determines codes that are drawn.

        Returns
        -------
        CodesOfRows
            What was seen.
        """
        generator = torch.Generator(net.device).manual_seed(seed)
        module: Any = net.averaged_module_
        codes, traits, start = [], [], 0
        squares: Any = 0.0
        n_observed: Any = 0
        sums = torch.zeros(2, 1, dtype=torch.float64)
        with inference():
            for batch in rows.batches():
                x, weight = batch.input, batch.weight
                z, mean = coded(net, x, generator)
                residual = net.criterion_.residual(module.decode(z), x)
                errors, observed = residual.square(), ~residual.isnan()
                powers = torch.stack([mean, mean.square()])
                if weight is not None:
                    w = weight[:, None]
                    errors, observed, powers = errors * w, observed * w, powers * w
                squares = squares + errors.nansum(0, dtype=torch.float64).cpu()
                n_observed = n_observed + observed.sum(0).cpu()
                sums = sums + powers.sum(1, dtype=torch.float64).cpu()
                some = torch.from_numpy(kept[start : start + len(x)])
                codes.append(z.cpu()[some])
                traits.append(traits_of(x).cpu()[some])
                start += len(x)
        first, second = sums / len(rows)
        weights = None if rows.own_weights is None else rows.own_weights[kept]
        Z, T = torch.cat(codes).numpy(), torch.cat(traits).numpy()
        return cls(Z, T, weights, squares / n_observed, second - first.square())

    def subset(self, chosen: NDArray) -> Self:
        """Return some of the rows.

        Parameters
        ----------
        chosen : ndarray of shape (n_rows,) of bool
            Which ones.

        Returns
        -------
        CodesOfRows
            These, and the moments of all.
        """
        weights = None if self.weights is None else self.weights[chosen]
        return replace(self, codes=self.codes[chosen], traits=self.traits[chosen], weights=weights)

    def drawn(self, most: int, start: float) -> tuple[NDArray, NDArray]:
        """Return codes and traits of rows, each as often as its weight says.

        Parameters
        ----------
        most : int
            How many at most, if there are weights.
        start : float
            As in :func:`drawn_positions`.

        Returns
        -------
        codes, traits : ndarray
            Both.
        """
        if self.weights is None:
            return self.codes, self.traits
        total = round(self.weights.sum()) if are_whole(self.weights) else len(self.weights)
        rows = drawn_positions(self.weights, min(total, most), start)
        return self.codes[rows], self.traits[rows]

    @property
    def trait_shares(self) -> NDArray:
        """Which share of the rows has each trait."""
        return mean_row(self.traits, self.weights)
