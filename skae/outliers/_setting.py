"""Which views the default model has, and how much each of them counts, by what the rows are."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """What is fixed for one kind of training rows.

    Attributes
    ----------
    weights : tuple of float
        Of the logarithms of the p-values: by networks for noisy rows and for masked cells, by tails
        and rarities, by small samples, by distances in each unit, by relative ones; of images, by
        distances between pixels, between gradients, by relative ones of these.
    noise : float
        Standard deviation of the Gaussian noise, in units of the scaled features.
    whitened : bool
        Whether residuals are whitened, or plain differences.
    single_values : bool
        Whether there are tails, rarities and small samples, and the rarest rows are left out.
    ranges : bool
        Whether distances are taken in features of equal range as well.
    local : bool
        Whether distances are compared with those of the neighbours.
    """

    weights: tuple[float, ...]
    noise: float = 0.15
    whitened: bool = True
    single_values: bool = False
    ranges: bool = True
    local: bool = True


SETTINGS: Mapping[str, Setting] = {
    "contaminated": Setting((1, 1, 0.25, 0.25, 1, 1, 1), single_values=True, local=False),
    "clean": Setting((1, 0.5, 1, 1, 0.5, 0.5)),
    "images": Setting((0.25, 0.25, 0.5, 2, 1), noise=0.3, whitened=False, ranges=False),
}
