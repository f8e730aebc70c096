"""Categories as groups of columns of zeros and ones: their link, domain and likelihood."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ._domains import Domain
from ._likelihood import Likelihood
from ._links import Link
from ._reconstruction import ReconstructionLoss


def split_groups(x: Tensor, sizes: Sequence[int] | None) -> Sequence[Tensor]:
    """Return the columns of each group; without sizes, all are one."""
    return [x] if sizes is None else x.split(list(sizes), -1)


@dataclass(frozen=True)
class Softmax(Link):
    """The decoder gives the logits of categories.

    Parameters
    ----------
    sizes : sequence of int or None, default=None
        Number of columns of each group, from left to right; None for a single group.
    """

    sizes: Sequence[int] | None = None

    def __call__(self, target: Tensor) -> Tensor:
        return torch.where(target > 0.5, 1.0, -1.0).to(target.dtype)

    def inverse(self, output: Tensor) -> Tensor:
        return torch.cat([group.softmax(-1) for group in split_groups(output, self.sizes)], -1)


@dataclass(frozen=True)
class OneHot(Domain):
    """Rows with a single one in each group of columns, and zeros beside it.

    Parameters
    ----------
    sizes : sequence of int or None, default=None
        Number of columns of each group, from left to right; None for a single group.
    """

    sizes: Sequence[int] | None = None

    def check(self, X: Tensor, choice: str) -> None:
        for group in split_groups(X, self.sizes):
            complete = group[~group.isnan().any(-1)]
            if not (((complete == 0) | (complete == 1)).all() and (complete.sum(-1) == 1).all()):
                raise ValueError(
                    f"{choice} needs columns of zeros and ones with a single one in each row of a "
                    "group, as OneHotEncoder makes them"
                )


class CategoricalLikelihood(Likelihood):
    """Categorical distributions over groups of neighbouring columns of zeros and ones.

    The decoder gives the logits of the categories.

    Parameters
    ----------
    sizes : sequence of int or None, default=None
        Number of columns of each group, from left to right; None for a single group.
    """

    name = "categorical"
    mean = ReconstructionLoss.mean

    def __init__(self, sizes: Sequence[int] | None = None) -> None:
        super().__init__()
        self.sizes = sizes
        self.link = Softmax(sizes)
        self.domain = OneHot(sizes)

    def log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        groups = split_groups(output, self.sizes)
        logits = torch.cat([group.log_softmax(-1) for group in groups], -1)
        return torch.where(target > 0, target * logits, 0)

    def sample(self, output: Tensor) -> Tensor:
        parts = []
        for group in split_groups(output, self.sizes):
            gumbel = -torch.rand_like(group).log().neg().log()
            chosen = (group + gumbel).argmax(-1)
            parts.append(F.one_hot(chosen, group.shape[-1]).to(output.dtype))
        return torch.cat(parts, -1)


class CategoricalLoss(ReconstructionLoss):
    """Cross-entropy of categories, groups of neighbouring columns of zeros and ones.

    The decoder gives the logits of the categories. The error of a group stands in the column of the
    category that is there; the others have none.

    Parameters
    ----------
    sizes : sequence of int or None, default=None
        Number of columns of each group, from left to right; None for a single group.
    units : sequence of float or None, default=None
        What the errors of each group are divided by. By the entropy of its categories, the error of
        who knows their shares and nothing else is 1 on average, as the squared error of a
        standardised number is; None for 1.
    """

    name = "categorical"

    def __init__(
        self, sizes: Sequence[int] | None = None, units: Sequence[float] | None = None
    ) -> None:
        super().__init__()
        self.sizes, self.units = sizes, units
        self.link = Softmax(sizes)
        self.domain = OneHot(sizes)

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        groups = split_groups(output, self.sizes)
        units = [1.0] * len(groups) if self.units is None else self.units
        logs = [group.log_softmax(-1) / unit for group, unit in zip(groups, units, strict=True)]
        return torch.where(target > 0, -target * torch.cat(logs, -1), 0)
