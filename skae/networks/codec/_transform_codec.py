"""What all networks have whose code is made to be rounded and compressed."""

from typing import Any

import torch
from torch import Tensor, nn

from ._base_contexts import Contexts
from ._law import Law
from ._parts import in_parts
from ._quantizer import N_LEVELS, Quantizer, code_length


class TransformCodec(nn.Module):
    """Base class: coefficients of a transform, rounded, and predicted from each other.

    Derived classes put the parts together, and say how samples become coefficients and back, and
    what the `span` of the training data is in the units of the network. Samples and coefficients
    have the same units: errors of both are worth the same.
    """

    highest_level = N_LEVELS - 1
    span: float
    n_components: int
    quantizer: Quantizer
    contexts: Contexts

    def __init__(self) -> None:
        super().__init__()
        self.sharpener: Any = None  # what draws what rounding has erased, if there is something

    @property
    def has_texture(self) -> bool:
        """Whether it can draw what rounding has erased."""
        return self.sharpener is not None

    def coefficients(self, x: Tensor) -> Tensor:
        """Return the code of signals on its grid.

        Parameters
        ----------
        x : Tensor of shape (n_signals, ..., n_channels) or (n_signals, n_features)
            Signals of any lengths, or flattened ones of those that it is trained on.

        Returns
        -------
        Tensor of shape (n_signals, rows, columns, n_components)
            Coefficients, in the units of the signals.
        """
        raise NotImplementedError

    def synthesize(self, y: Tensor, level: float, realism: float = 0.0) -> Tensor:
        """Return signals for coefficients.

        Parameters
        ----------
        y : Tensor of shape (n_signals, rows, columns, n_components)
            Coefficients, rounded.
        level : float
            How finely, from 0 to ``N_LEVELS - 1``.
        realism : float, default=0.0
            How much of the texture to add, from 0 to 1.

        Returns
        -------
        Tensor of shape (n_signals, ..., n_channels)
            Signals.
        """
        raise NotImplementedError

    def step_size(self, level: Any) -> Any:
        """Return the step of rounding.

        Parameters
        ----------
        level : float or Tensor
            From 0 to ``N_LEVELS - 1``.

        Returns
        -------
        float or Tensor
            In the units of the signals.
        """
        return self.quantizer.step_size(level)

    def steps(self, level: float) -> tuple[Tensor, Tensor]:
        """Return what coefficients are divided by before rounding, and multiplied by afterwards.

        Parameters
        ----------
        level : float
            How finely to round, from 0 to ``N_LEVELS - 1``.

        Returns
        -------
        divisors, factors : Tensor of shape (n_components,)
            In the units of the signals.
        """
        return self.quantizer.steps(level)

    def stream_tensors(self) -> list[Tensor]:
        """Return what decoding depends on, in an order that never changes.

        Returns
        -------
        list of Tensor
            Checksums of streams are computed from these: all weights and buffers, unless a derived
            class knows better.
        """
        return list(self.state_dict().values())

    def encode(self, x: Tensor) -> Tensor:
        """Return the code of flattened signals.

        Parameters
        ----------
        x : Tensor of shape (n_signals, n_features)
            Signals.

        Returns
        -------
        Tensor of shape (n_signals, n_coefficients)
            Coefficients.
        """
        return self.coefficients(x).flatten(1)

    # ------------------------------------------------------------------ rate and distortion

    def rate_distortion(self, x: Tensor, level: float) -> tuple[Tensor, Tensor]:
        """Return what signals cost: gradients take rounding, and what is known of it, as given.

        Parameters
        ----------
        x : Tensor of shape (n_signals, n_features)
            Signals.
        level : float
            How finely to round.

        Returns
        -------
        bits : Tensor of shape (n_signals,)
            Estimated length of the code.
        squares : Tensor of shape (n_signals,)
            Sum of squared errors, in squared steps.
        """
        divisors, factors = self.steps(level)
        y = self.coefficients(x) / divisors
        flat = y.flatten(1, 2)
        decoded, means, scales = self.contexts.rounded(y.detach(), level)
        bits = code_length((flat - means).abs(), scales).sum((1, 2))
        # Rounding has the gradient of the identity, as in compressive autoencoders (ICLR 2017).
        error = self.synthesize((y + (decoded - y.detach())) * factors, level).flatten(1) - x
        return bits, error.square().sum(1) / self.step_size(level) ** 2

    @torch.no_grad()
    def rounded_coefficients(self, x: Tensor, level: float) -> Tensor:
        """Return what decoding starts from.

        Parameters
        ----------
        x : Tensor of shape (n_signals, n_features)
            Signals.
        level : float
            How finely to round.

        Returns
        -------
        Tensor of shape (n_signals, rows, columns, n_components)
            Coefficients.
        """
        divisors, factors = self.steps(level)
        return self.contexts.rounded(self.coefficients(x) / divisors, level)[0] * factors

    def varied(self, x: Tensor) -> Tensor:
        """Return what contexts and tables are to be fitted to.

        Parameters
        ----------
        x : Tensor of shape (n_signals, n_features)
            Training data.

        Returns
        -------
        Tensor of shape (n_more_signals, n_features)
            These, first, and what else a codec is to be ready for.
        """
        return x

    @torch.no_grad()
    def grid(self, x: Tensor) -> Tensor:
        """Return the code of signals, without gradients and with little memory.

        Parameters
        ----------
        x : Tensor of shape (n_signals, n_features) or (n_signals, ..., n_channels)
            Signals.

        Returns
        -------
        Tensor of shape (n_signals, rows, columns, n_components)
            Coefficients, in the units of the signals.
        """
        return torch.cat([self.coefficients(part) for part in in_parts(x)])

    def fit_contexts(self, x: Tensor, law: Law | None = None) -> None:
        """Set the weights of means and scales, for coefficients as they are now.

        Parameters
        ----------
        x : Tensor of shape (n_signals, n_features) or (n_signals, ..., n_channels)
            Training data.
        law : Law or None, default=None
            That of the tables that coefficients will be coded by; None before there are some.
        """
        self.fit_contexts_to(self.grid(x), law)

    @torch.no_grad()
    def fit_contexts_to(self, y: Tensor, law: Law | None = None) -> None:
        """Set the weights of means and scales.

        Parameters
        ----------
        y : Tensor of shape (n_signals, rows, columns, n_components)
            Coefficients of training data, in the units of the signals; they are overwritten.
        law : Law or None, default=None
            As in :meth:`fit_contexts`.
        """
        units: Any = 1.0
        for level in range(N_LEVELS):
            steps = self.steps(level)[0]
            self.contexts.fit(level, y.mul_(units / steps), law)
            units = steps
