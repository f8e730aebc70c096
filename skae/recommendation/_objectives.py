"""What networks over histories minimise, and what they are judged by."""

from typing import Any

import torch
from scipy import sparse
from torch import Tensor, nn

from .._plain import registered
from .._stored import stored_rows
from ..losses import MaskingNoise
from ..metrics import ndcg_at_k
from ..networks import StandardizedNetwork, displaced
from ..networks._variational import divergence_from_normal
from ..training import Losses, Objective, Step
from ._histories import HiddenBatch
from ._recommender import K_OF_SCORE
from ._top_k import top_k

_ENCODER_EPOCHS = 3  # of the composite prior, then one of the decoder


@registered
class HistoryLikelihood(Objective):
    """Minus the log-likelihood of histories, given what is left of them; for held-out users, NDCG.

    Of users with hidden items, the loss is 1 - NDCG at 100 of these.

    Parameters
    ----------
    dropout : float, default=0.0
        Probability that an item of a history is hidden from the network in training.
    beta : float or None, default=None
        Factor of the divergence of codes from the prior (Higgins et al., ICLR 2017), if they have a
        distribution.
    composite : bool, default=False
        Whether the prior is RecVAE's: a mixture of the standard normal distribution, that of the
        user's codes before the last epochs, and a wide one, with a factor `beta` for every item of
        the history. Three epochs train the encoder, then one the decoder, without dropout
        (Shenbin et al., WSDM 2020).
    n_negatives : int or None, default=None
        Number of items that are drawn in every step to stand for all; None takes all.
    """

    dropout: float = 0.0
    beta: float | None = None
    composite: bool = False
    n_negatives: int | None = None

    def losses(self, step: Step) -> Losses:
        batch = step.batch
        if isinstance(batch, HiddenBatch):
            output = output_of(step.module, batch.input, batch.extra)
            return Losses(1 - _ndcg(output, batch), output=output)
        if step.epoch is None:
            output = output_of(step.module, batch.input, batch.extra)
            return Losses(-step.criterion.row_log_prob(output, batch.target), output=output)
        of_decoder = self.composite and step.epoch % (_ENCODER_EPOCHS + 1) == 0
        x = batch.input
        if self.dropout and not of_decoder:
            x = MaskingNoise(self.dropout)(x, step.generator)
        if self.beta is None:
            return Losses(-self._log_prob(step, x, step.module.encode(x)))
        mean, log_variance = step.module.posterior(x)
        noise = torch.empty_like(mean).normal_(generator=step.generator)
        z = displaced(mean, log_variance, noise)
        if of_decoder:
            return Losses(-self._log_prob(step, x, z.detach()))
        log_prob = self._log_prob(step, x, z, is_constant=self.composite)
        if self.composite:
            n_round = 1 + (step.epoch - 1) // (_ENCODER_EPOCHS + 1)
            divergence = step.module.divergence(z, (mean, log_variance), batch.input, n_round)
            divergence = divergence * batch.target.crow_indices().diff()
        else:
            divergence = divergence_from_normal(mean, log_variance).sum(1)
        terms = {"reconstruction": -log_prob.mean(), "divergence": divergence.mean()}
        return Losses(self.beta * divergence - log_prob, terms)

    def _log_prob(self, step: Step, x: Tensor, z: Tensor, is_constant: bool = False) -> Tensor:
        """Return the log-probability of each history given a code, by a constant decoder or not."""
        module, target = step.module, step.batch.target
        if is_constant:
            module = _ConstantDecoder(module)
        if self.n_negatives is None:
            output = decoded(module, z, x, step.batch.extra)
            return step.criterion.row_log_prob(output, target)
        n_items, device = target.shape[1], x.device
        others = torch.randint(
            n_items, (self.n_negatives,), generator=step.generator, device=device
        )
        rows, columns = stored_rows(target), target.col_indices()
        if isinstance(module, StandardizedNetwork):
            module, z = module.network, z * module.decoder_scale
        stored, drawn = module.decode_some(z, rows, columns, others)
        order = others.argsort()
        places = torch.searchsorted(others[order], columns).clamp(max=len(others) - 1)
        is_own = others[order][places] == columns
        own = torch.zeros_like(drawn, dtype=torch.bool)
        own[rows[is_own], order[places[is_own]]] = True
        drawn = drawn.masked_fill(own, -torch.inf)
        return step.criterion.sampled_log_prob(stored, drawn, target, n_items)


class _ConstantDecoder:
    """Decodes like a module, but learns nothing."""

    def __init__(self, module: Any) -> None:
        self.caller = _Decode(module)
        self.constants = {name: p.detach() for name, p in self.caller.named_parameters()}

    def decode(self, z: Tensor) -> Tensor:
        """Return what the module makes of codes."""
        return torch.func.functional_call(self.caller, self.constants, (z,))


class _Decode(nn.Module):
    """What a module decodes, as a call."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module = module

    def forward(self, z: Tensor) -> Tensor:
        """Return what the module makes of codes."""
        return self.module.decode(z)


def decoded(module: Any, z: Tensor, x: Tensor, start: tuple[Tensor, ...]) -> Tensor:
    """Return the scores of all items.

    Parameters
    ----------
    module : nn.Module
        The network.
    z : Tensor of shape (n_samples, n_components)
        Codes.
    x : Tensor of shape (n_samples, n_features)
        Histories that they are codes of.
    start : tuple of at most one Tensor of shape (n_samples, n_features)
        What the scores start from, if there is something.

    Returns
    -------
    Tensor of shape (n_samples, n_features)
        Scores.
    """
    output = module.decode(z)
    for scores in start:
        output = output + scores
    if getattr(module, "excludes_input", False):
        if x.layout == torch.strided:
            return output - x
        cells = stored_rows(x), x.col_indices()
        output = output.index_put(cells, -x.values(), accumulate=True)
    return output


def output_of(module: Any, x: Tensor, start: tuple[Tensor, ...]) -> Tensor:
    """Return the scores of all items for histories, as they are; see :func:`decoded`."""
    return decoded(module, module.encode(x), x, start)


def _ndcg(output: Tensor, batch: HiddenBatch) -> Tensor:
    """Return the NDCG of the hidden items of each row, all others that are not shown below them."""
    shown = batch.input
    if shown.layout == torch.strided:
        scores = output.masked_fill(shown != 0, -torch.inf)
    else:
        scores = output.clone()
        scores[stored_rows(shown), shown.col_indices()] = -torch.inf
    hidden = batch.target.cpu()
    parts = (hidden.values(), hidden.col_indices(), hidden.crow_indices())
    relevant = sparse.csr_array(tuple(part.numpy() for part in parts), hidden.shape)
    ids, _ = top_k(scores.cpu().numpy(), K_OF_SCORE)
    return torch.from_numpy(ndcg_at_k(relevant, ids, K_OF_SCORE, per_row=True)).to(output)
