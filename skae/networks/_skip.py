"""The base of networks that start from PCA: a linear autoencoder plus whatever it misses."""

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

import torch
from torch import Tensor, nn

from ._stack import DenseStack, is_plain_linear, set_gradients

_CELLS_OF_A_CHUNK = 2**20


class SkipAutoencoder(nn.Module):
    """Autoencoder with linear paths beside its encoder and beside its decoder.

    The code is ``A (x - m) + a + encoder(x - m)`` and the output ``B z + b + decoder(z) + n``.
    :meth:`initialize` sets m to the mean of the data and n to that of the output, the linear parts
    to the principal components and the last layers of `encoder` and `decoder` to zero, so that
    training starts at the error of PCA and learns what a linear map can't do. The means are
    buffers, which neither the optimizer nor weight decay touches.

    Parameters
    ----------
    encoder, decoder : nn.Module
        Maps from rows of `n_features` to rows of `n_components` and back.
    n_features : int
        Number of columns of the data.
    n_components : int
        Number of columns of the code.
    linear_skip : bool, default=True
        False leaves the linear paths out and keeps random initial weights.
    """

    encoder: Any
    decoder: Any

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        n_features: int,
        n_components: int,
        linear_skip: bool = True,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.linear_skip = linear_skip
        self.center: Tensor
        self.output_center: Tensor
        if linear_skip:
            self.register_buffer("center", torch.zeros(n_features))
            self.register_buffer("output_center", torch.zeros(n_features))
            self.linear_encoder = nn.Linear(n_features, n_components)
            self.linear_decoder = nn.Linear(n_components, n_features)

    def encode(self, x: Tensor) -> Tensor:
        """Return the code of `x`.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Data.

        Returns
        -------
        Tensor of shape (n_samples, n_components)
            Code.
        """
        if not self.linear_skip:
            return self.encoder(x)
        x = x - self.center
        return self.encoder(x) + self.linear_encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """Return the output for the code `z`, on the scale of the loss.

        Parameters
        ----------
        z : Tensor of shape (n_samples, n_components)
            Code.

        Returns
        -------
        Tensor of shape (n_samples, n_features)
            Output.
        """
        if not self.linear_skip:
            return self.decoder(z)
        return self.decoder(z) + self.linear_decoder(z) + self.output_center

    def forward(self, x: Tensor) -> Tensor:
        """Return the output for `x`."""
        return self.decode(self.encode(x))

    @property
    def can_backpropagate(self) -> bool:
        """Whether :meth:`backpropagate` can be used: plain dense layers, none of them frozen."""
        stacks, cls = (self.encoder, self.decoder), type(self)
        linears = (self.linear_encoder, self.linear_decoder) if self.linear_skip else ()
        return (
            all(isinstance(stack, DenseStack) and stack.is_plain for stack in stacks)
            and all(is_plain_linear(layer) for layer in linears)
            and cls.encode is SkipAutoencoder.encode
            and cls.decode is SkipAutoencoder.decode
            and all(p.requires_grad for p in self.parameters())
        )

    @torch.no_grad()
    def record(self, x: Tensor) -> tuple[Tensor, Tensor, Any]:
        """Return output and code for `x`, and what :meth:`backpropagate` needs.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Input.

        Returns
        -------
        output : Tensor of shape (n_samples, n_features)
            What ``decode(encode(x))`` returns.
        code : Tensor of shape (n_samples, n_components)
            What ``encode(x)`` returns.
        tape : tuple
            For :meth:`backpropagate`.
        """
        if self.linear_skip:
            x = x - self.center
        code, to_code = self.encoder.record(x)
        if self.linear_skip:
            code = code + self.linear_encoder(x)
        output, to_output = self.decoder.record(code)
        if self.linear_skip:
            output = output + self.linear_decoder(code) + self.output_center
        return output, code, (x, to_code, code, to_output)

    @torch.no_grad()
    def backpropagate(self, grad: Tensor, grad_code: Tensor | None, tape: Any) -> None:
        """Set the gradients of all weights, without autograd.

        Parameters
        ----------
        grad : Tensor of shape (n_samples, n_features)
            Gradient of the loss with respect to the output.
        grad_code : Tensor of shape (n_samples, n_components) or None
            Gradient of what the loss has besides with respect to the code.
        tape : tuple
            From :meth:`record`.
        """
        x, to_code, code, to_output = tape
        to_encoder = self.decoder.backpropagate(grad, to_output, to_input=True)
        if self.linear_skip:
            to_encoder += set_gradients(self.linear_decoder, code, grad, to_input=True)
        if grad_code is not None:
            to_encoder += grad_code
        self.encoder.backpropagate(to_encoder, to_code, to_input=False)
        if self.linear_skip:
            set_gradients(self.linear_encoder, x, to_encoder, to_input=False)

    @torch.no_grad()
    def initialize(self, x: Tensor, output: Tensor, weight: Tensor | None = None) -> None:
        """Start from PCA; called once, before training.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Rows of the training data.
        output : Tensor of shape (n_samples, n_features)
            What the decoder should give for them: the same, or their log-odds or log-rates.
        weight : Tensor of shape (n_samples,) or None, default=None
            How much each row counts; None for all alike.
        """
        if not self.linear_skip:
            return
        for part in (self.encoder, self.decoder):
            layers = [m for m in part.modules() if list(m.parameters(recurse=False))]
            for parameter in layers[-1].parameters() if layers else ():
                nn.init.zeros_(parameter)
        # Squares of large values overflow in float32, and some devices have no float64.
        x, output = x.cpu(), output.cpu()
        mean, output_mean = mean_row(x, weight), mean_row(output, weight)
        components = principal_axes(x, self.linear_encoder.out_features, weight).double()
        gram: Any = 0
        cross: Any = 0
        chunks = zip(_chunks(x), _chunks(output), _chunks_of(weight, x), strict=True)
        for rows, outputs, w in chunks:
            code = (rows - mean) @ components.T
            counted = code if w is None else code * w[:, None]
            gram = gram + counted.T @ code
            cross = cross + counted.T @ (outputs - output_mean)
        slope = torch.linalg.pinv(gram, hermitian=True) @ cross
        self.center.copy_(mean)
        self.linear_encoder.weight.copy_(components)
        nn.init.zeros_(self.linear_encoder.bias)
        self.linear_decoder.weight.copy_(slope.T)
        nn.init.zeros_(self.linear_decoder.bias)
        self.output_center.copy_(output_mean)


def _chunks(x: Tensor) -> Iterator[Tensor]:
    """Yield rows in float64, some at a time."""
    return (rows.double() for rows in x.split(max(1, _CELLS_OF_A_CHUNK // x.shape[1])))


def _chunks_of(weight: Tensor | None, x: Tensor) -> Iterable[Tensor | None]:
    """Yield the weights of rows in float64, as many at a time as of the rows."""
    if weight is None:
        return repeat(None, -(-len(x) // max(1, _CELLS_OF_A_CHUNK // x.shape[1])))
    return (part.double() for part in weight.cpu().split(max(1, _CELLS_OF_A_CHUNK // x.shape[1])))


def mean_row(x: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the mean of rows.

    Parameters
    ----------
    x : Tensor of shape (n_samples, n_features)
        Rows.
    weight : Tensor of shape (n_samples,) or None, default=None
        How much each counts; None for all alike.

    Returns
    -------
    Tensor of shape (n_features,)
        Float64.
    """
    if weight is None:
        return x.mean(0, dtype=torch.float64)
    total: Any = 0
    for rows, w in zip(_chunks(x), _chunks_of(weight, x), strict=True):
        total = total + w @ rows  # type: ignore[operator]
    return total / weight.sum(dtype=torch.float64).cpu()


def principal_axes(x: Tensor, n_components: int, weight: Tensor | None = None) -> Tensor:
    """Return the directions of largest variance.

    Parameters
    ----------
    x : Tensor of shape (n_samples, n_features)
        Data.
    n_components : int
        Number of directions wanted.
    weight : Tensor of shape (n_samples,) or None, default=None
        How much each row counts; None for all alike.

    Returns
    -------
    Tensor of shape (n_components, n_features)
        Orthonormal rows, largest variance first, the largest entry of each positive; rows of zeros
        where the data have fewer directions.
    """
    n, d = x.shape
    mean = mean_row(x, weight)
    k = min(n_components, n, d)

    def centred_rows() -> Iterator[Tensor]:
        for rows, w in zip(_chunks(x), _chunks_of(weight, x), strict=True):
            yield rows - mean if w is None else (rows - mean) * w.sqrt()[:, None]

    if d <= min(n, 2048):
        scatter: Any = sum(rows.T @ rows for rows in centred_rows())
        axes = torch.linalg.eigh(scatter)[1].T.flip(0)[:k]
    elif min(n, d) > 2048:
        centred = torch.cat(list(centred_rows()))
        axes = torch.svd_lowrank(centred, q=min(k + 10, n, d), niter=4)[2].T[:k]
    else:
        centred = torch.cat(list(centred_rows()))
        variances, left = torch.linalg.eigh(centred @ centred.T)
        axes = (left.T.flip(0)[:k] @ centred) / variances.flip(0)[:k, None].clamp(min=1e-30).sqrt()
        axes[variances.flip(0)[:k] <= variances[-1] * n * torch.finfo(axes.dtype).eps] = 0
    largest = axes.gather(1, axes.abs().argmax(1, keepdim=True))
    axes = axes * torch.where(largest < 0, -1, 1)
    return torch.cat([axes, axes.new_zeros(n_components - k, d)]).to(x.dtype)
