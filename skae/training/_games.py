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

    Returns
    -------
    loss : Tensor of shape ()
        Of both together.
    terms : dict of str to Tensor
        Both apart.
    """
    constants = {key: value.detach() for key, value in critic.named_parameters()}
    deception = F.softplus(-functional_call(critic, constants, (made,))).mean()
    judged = torch.cat([real, made]).detach().requires_grad_(gradient_penalty > 0)
    opinion = critic(judged)
    for_real, for_made = opinion.split([len(real), len(made)])
    mistakes = F.softplus(-for_real).mean() + F.softplus(for_made).mean()
    terms = {f"{name}_deception": deception, f"{name}_critic": mistakes}
    if gradient_penalty > 0:
        (slope,) = torch.autograd.grad(opinion.sum(), judged, create_graph=True)
        mistakes = mistakes + gradient_penalty * slope.square().sum(1).mean()
    return weight * deception + mistakes, terms
