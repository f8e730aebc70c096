"""Likelihoods of whole rows: of which items, out of very many, a user has."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .._stored import at_stored, row_sums, stored_rows
from ._domains import Interval
from ._likelihood import Likelihood

_TINY = 1e-12


class MultinomialLikelihood(Likelihood):
    """Multinomial distribution, on logits: each entry of a row is so many draws of a column.

    The coefficient that depends on the data alone is left out. Sparse rows stay sparse, and need no
    more memory than the logits and their gradient.

    References
    ----------
    Liang, Krishnan, Hoffman & Jebara, "Variational autoencoders for collaborative filtering",
    WWW 2018, equation 2.
    """

    name = "multinomial"
    domain = Interval(0)

    def log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        return target * output.log_softmax(-1)

    def row_log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        if target.layout != torch.sparse_csr or output.ndim > 2:
            return super().row_log_prob(output, target)
        return _SparseMultinomial.apply(output, target)  # type: ignore[no-untyped-call]

    def mean(self, output: Tensor) -> Tensor:
        """Return the probability of every column."""
        return output.softmax(-1)

    def sampled_log_prob(
        self, stored: Tensor, others: Tensor, target: Tensor, n_features: int
    ) -> Tensor:
        """Estimate the log-probability of every row from some of the logits.

        The sum over all columns is that over the row's own and over those drawn, which stand for
        all others: importance sampling of the partition function, as in Bengio & Senecal (IEEE
        Transactions on Neural Networks 19, 2008).

        Parameters
        ----------
        stored : Tensor of shape (n_stored,)
            Logits of the cells that `target` stores.
        others : Tensor of shape (n_samples, n_drawn)
            Logits of columns that were drawn, each with the same probability; minus infinity where
            the row stores the column.
        target : Tensor of shape (n_samples, n_features)
            Data, a sparse CSR tensor.
        n_features : int
            Number of columns.

        Returns
        -------
        Tensor of shape (n_samples,)
            In nats.
        """
        drawn = others.logsumexp(-1) + math.log(n_features / others.shape[1])
        rows, values = stored_rows(target), target.values()
        top = drawn.detach().scatter_reduce(0, rows, stored.detach(), "amax")
        own = row_sums(target, (stored - top[rows]).exp())
        total = top + (own + (drawn - top).exp()).log()
        return row_sums(target, values * stored) - row_sums(target, values) * total


class _SparseMultinomial(torch.autograd.Function):
    """The log-probability of sparse rows, differentiated without dense targets."""

    @staticmethod
    def forward(ctx: Any, output: Tensor, target: Tensor) -> Tensor:
        top = output.amax(1, keepdim=True)
        exps = (output - top).exp_()
        sums, counts = exps.sum(1), row_sums(target, target.values())
        ctx.save_for_backward(exps, sums, counts)
        ctx.target = target
        total = top[:, 0] + sums.log()
        return row_sums(target, target.values() * at_stored(target, output)) - counts * total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (grad,) = grads
        exps, sums, counts = ctx.saved_tensors
        target, rows = ctx.target, stored_rows(ctx.target)
        to_output = exps.mul_((-counts * grad / sums)[:, None])  # torch refuses a second pass
        places = rows * target.shape[1] + target.col_indices()
        to_output.view(-1).index_add_(0, places, target.values() * grad[rows])
        return to_output, None


class UnitGaussianLikelihood(Likelihood):
    """Normal distribution of variance 1 around the output, both as rows of length 1.

    Its error is half their squared distance, 1 minus the cosine between them, as in ELSA.

    References
    ----------
    Vancura, Alves, Kasalicky & Kordik, "Scalable linear shallow autoencoder for collaborative
    filtering", RecSys 2022, equation 5.
    """

    name = "unit_gaussian"

    def log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        return -0.5 * (F.normalize(output, dim=-1) - F.normalize(target, dim=-1)).square()

    def row_log_prob(self, output: Tensor, target: Tensor) -> Tensor:
        if target.layout != torch.sparse_csr or output.ndim > 2:
            return super().row_log_prob(output, target)
        values = target.values()
        products = row_sums(target, values * at_stored(target, output))
        lengths = output.norm(dim=1) * row_sums(target, values.square()).sqrt()
        return products / lengths.clamp(min=_TINY) - 1

    def mean(self, output: Tensor) -> Tensor:
        return output
