"""What generators minimise: densities, bounds of them, and games against critics."""

import math

import torch

from .._plain import registered
from ..networks import displaced
from ..networks._variational import divergence_from_normal
from ..training import Losses, Objective, Step
from ..training._games import play


@registered
class NegativeLogDensity(Objective):
    """Minus the log-density of a module that has `log_prob`, in nats per row."""

    def losses(self, step: Step) -> Losses:
        return Losses(-step.module.log_prob(step.batch.input))


@registered
class EvidenceBound(Objective):
    """Minus the evidence lower bound of a variational autoencoder, in nats per row.

    Kingma & Welling, ICLR 2014, equation 3; with several samples the importance-weighted bound of
    Burda et al., ICLR 2016, equation 8.

    Parameters
    ----------
    beta : float, default=1.0
        Factor of the divergence from the prior (Higgins et al., ICLR 2017).
    free_bits : float, default=0.0
        Nats of divergence per component, averaged over a batch, that cost nothing (Kingma et al.,
        NeurIPS 2016, appendix C.8). Only with a single sample.
    warm_up : int, default=0
        Number of epochs over which the factor rises to `beta`.
    n_samples : int, default=1
        Codes drawn for each row.
    """

    beta: float = 1.0
    free_bits: float = 0.0
    warm_up: int = 0
    n_samples: int = 1

    def losses(self, step: Step) -> Losses:
        x, target = step.batch
        criterion, epoch, weight = step.criterion, step.epoch, self.beta
        if epoch is not None:
            drawn = criterion.draw_target(target, step.generator)
            x, target = (drawn if x is target else x), drawn
            if epoch <= self.warm_up:
                weight *= epoch / (self.warm_up + 1)
        mean, log_variance = step.module.posterior(x)
        noise = mean.new_empty(self.n_samples, *mean.shape).normal_(generator=step.generator)
        z = displaced(mean, log_variance, noise)
        output = step.module.decode(z.flatten(0, 1)).unflatten(0, z.shape[:2])
        log_prob = criterion.row_log_prob(output, target)
        if self.n_samples == 1:
            divergence = divergence_from_normal(mean, log_variance)
            terms = {
                "reconstruction": -step.batch.mean(log_prob),
                "divergence": step.batch.mean(divergence.sum(-1)),
            }
            if self.free_bits:
                mean = step.batch.mean_row(divergence)
                excess = mean.clamp(min=self.free_bits) - mean
                divergence = divergence + excess
            return Losses(weight * divergence.sum(-1) - log_prob[0], terms)
        log_ratio = 0.5 * (noise.square() + log_variance - z.square()).sum(-1)
        mean_of = step.batch.mean
        terms = {"reconstruction": -mean_of(log_prob), "divergence": -mean_of(log_ratio)}
        weights = log_prob + weight * log_ratio
        return Losses(math.log(self.n_samples) - weights.logsumexp(0), terms)


@registered
class AdversarialLoss(Objective):
    """Reconstruction against critics, which tell codes from the prior and rows from their copies.

    Each critic learns to tell real from made by logistic regression, and the autoencoder to be
    taken for real, by the non-saturating loss (Goodfellow et al., NeurIPS 2014, section 3): codes
    for draws from a standard normal distribution (Makhzani et al., ICLR 2016 workshop), and, if the
    module has a critic of rows, reconstructions and decoded draws for data (Larsen et al., ICML
    2016). One backward pass serves all players: in the loss of the autoencoder the critics are
    constants, and in theirs, what they judge.

    Parameters
    ----------
    code_weight : float
        Weight of the autoencoder's loss against the critic of codes, in nats per row.
    row_weight : float
        That against the critic of rows.
    gradient_penalty : float
        Weight of the critics' squared gradient at what they judge, real and made (Mescheder et al.,
        ICML 2018, equations 9 and 10).
    """

    code_weight: float
    row_weight: float
    gradient_penalty: float

    def losses(self, step: Step) -> Losses:
        x, target = step.batch
        module, criterion = step.module, step.criterion
        code = module.encode(x)
        output = module.decode(code)
        losses = -criterion.log_prob(output, target).sum(-1)
        terms = {"reconstruction": step.batch.mean(losses)}
        if step.epoch is None:
            return Losses(losses, terms)
        drawn = torch.empty_like(code).normal_(generator=step.generator)
        w = step.batch.weight
        ones = None if w is None else torch.ones_like(w)
        weights = None if w is None else (ones, w)
        judged = module.code_critic, drawn, code, self.code_weight, self.gradient_penalty
        game, each = play("code", *judged, weights=weights)
        # A loss of the batch, not of its rows.
        losses, terms = losses + (game if w is None else game / w.mean()), terms | each
        if module.row_critic is not None:
            made = criterion.mean(torch.cat([output, module.decode(drawn)]))
            weights = None if w is None else (w, torch.cat([w, ones]))
            judged = module.row_critic, target, made, self.row_weight, self.gradient_penalty
            game, each = play("row", *judged, weights=weights)
            losses, terms = losses + (game if w is None else game / w.mean()), terms | each
        return Losses(losses, terms)
