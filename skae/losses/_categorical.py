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
    may_be_empty : bool, default=False
        Whether a group without a one is allowed, which stands for a category that is new.
    """

    sizes: Sequence[int] | None = None
    may_be_empty: bool = False

    def check(self, X: Tensor, choice: str) -> None:
        for group in split_groups(X, self.sizes):
            complete = group[~group.isnan().any(-1)]
            n_ones = complete.sum(-1)
            is_single = (n_ones == 1) | ((n_ones == 0) & self.may_be_empty)
            if not (((complete == 0) | (complete == 1)).all() and is_single.all()):
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
    may_be_empty : bool, default=False
        Whether rows may have a group without a one, whose probability is 1 then.
    """

    name = "categorical"
    mean = ReconstructionLoss.mean

    def __init__(self, sizes: Sequence[int] | None = None, may_be_empty: bool = False) -> None:
        super().__init__()
        self.sizes = sizes
        self.link = Softmax(sizes)
        self.domain = OneHot(sizes, may_be_empty)

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
    places: Tensor
    members: Tensor

    def __init__(
        self, sizes: Sequence[int] | None = None, units: Sequence[float] | None = None
    ) -> None:
        super().__init__()
        self.sizes, self.units = sizes, units
        self.link = Softmax(sizes)
        self.domain = OneHot(sizes)
        if sizes is not None:
            self._index(list(sizes))

    def _index(self, sizes: list[int]) -> None:
        """Note down which column is in which group, so that all are looked at together."""
        owners = torch.arange(len(sizes))
        owners = owners.repeat_interleave(torch.tensor(sizes), output_size=sum(sizes))
        starts = torch.tensor([0, *sizes[:-1]]).cumsum(0)
        within = torch.arange(max(sizes))
        inside = within < torch.tensor(sizes)[:, None]
        places = torch.where(inside, starts[:, None] + within, starts[:, None])
        self.register_buffer("places", places, persistent=False)
        self.register_buffer("members", F.one_hot(owners, len(sizes)).float(), persistent=False)

    def _log_probabilities(self, output: Tensor) -> Tensor:
        if self.sizes is None:
            return output.log_softmax(-1)
        # One product for all groups is several times as fast as a softmax for each.
        members = self.members.to(output.dtype)
        largest = output.detach()[..., self.places].amax(-1)
        z = output - largest @ members.T
        return z - (z.exp() @ members).log() @ members.T

    def elementwise(self, output: Tensor, target: Tensor) -> Tensor:
        chosen = torch.where(target > 0, target, 0)  # and nothing that is NaN
        errors = -chosen * self._log_probabilities(output)
        if self.units is not None:
            units = torch.as_tensor(self.units, dtype=output.dtype, device=output.device)
            of_cells = units if self.sizes is None else self.members.to(units) @ units
            errors = errors / of_cells
        return errors
