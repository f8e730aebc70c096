"""Games between networks: one makes, a critic judges."""

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F


def play(
    name: str,
    critic: nn.Module,
    real: Tensor,
    made: Tensor,
    weight: float,
    gradient_penalty: float = 0.0,
    weights: tuple[Tensor, Tensor] | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return what the one who makes and a critic have to lose in a step.

    The loss of the one who makes is the non-saturating one (Goodfellow et al., NeurIPS 2014), and
    the critic is a constant there; what is judged is a constant in the critic's.

    Parameters
    ----------
    name : str
        Of the game, for the terms.
    critic : nn.Module
        Gives numbers, higher for what it takes for real.
    real, made : Tensor of shape (n_rows, ...)
        What it judges.
    weight : float
        Of the loss of the one who makes.
    gradient_penalty : float, default=0.0
        Weight of the critic's squared gradient at what it judges.
    weights : tuple of two Tensors of shape (n_rows,) or None, default=None
        How much each row counts that is real, and that is made; None for all alike.

    Returns
    -------
    loss : Tensor of shape ()
        Of both together.
    terms : dict of str to Tensor
        Both apart.
    """
    constants = {key: value.detach() for key, value in critic.named_parameters()}
    of_real, of_made = (None, None) if weights is None else weights
    deception = _mean(F.softplus(-functional_call(critic, constants, (made,))), of_made)
    judged = torch.cat([real, made]).detach().requires_grad_(bool(gradient_penalty > 0))
    opinion = critic(judged)
    for_real, for_made = opinion.split([len(real), len(made)])
    mistakes = _mean(F.softplus(-for_real), of_real) + _mean(F.softplus(for_made), of_made)
    terms = {f"{name}_deception": deception, f"{name}_critic": mistakes}
    if gradient_penalty > 0:
        (slope,) = torch.autograd.grad(opinion.sum(), judged, create_graph=True)
        of_judged = None if weights is None else torch.cat(weights)
        mistakes = mistakes + gradient_penalty * _mean(slope.square().sum(1), of_judged)
    return weight * deception + mistakes, terms


def _mean(values: Tensor, weights: Tensor | None) -> Tensor:
    """Return the mean over rows."""
    return values.mean() if weights is None else (values.flatten() * weights).mean()
