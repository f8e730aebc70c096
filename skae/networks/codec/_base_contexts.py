"""What all contexts have in common, whatever they predict coefficients from."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from ._evidence import Log
from ._law import TABLE_SPACING, Law
from ._quantizer import interpolated, rounded
from ._regression import LOG_SCALES

Code = Callable[[slice, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


def log_magnitude(sums: Tensor) -> Tensor:
    """Return eighths of octaves.

    Parameters
    ----------
    sums : Tensor
        Sums of magnitudes.

    Returns
    -------
    Tensor
        ``8 * log2(1 + sums)``.
    """
    return 8 * torch.log2(1 + sums)


class Contexts(nn.Module):
    """Base class: predict means and scales of coefficients from those that were coded before.

    Derived classes have `groups` of channels, say what `walk` and `fit` do, and whether a code ends
    behind the last group with other numbers than zero, which makes those behind it zero.
    """

    groups: Sequence[tuple[int, int]]
    ends_early = True
    # Of decoded values, if they are multiples of one and decide on tables.
    unit: float | None = None

    @property
    def weights(self) -> tuple[Tensor, ...]:
        """Those of scales first, and perhaps others, of all levels."""
        raise NotImplementedError

    def table_weights(self) -> Tensor:
        """Return what chooses tables, as codecs take it.

        Returns
        -------
        Tensor of float64
            The weights of scales, those of all levels, in distances between the scales of two
            tables.
        """
        weights = self.weights[0].detach().double().cpu().clone()
        # The nearest table, not the next below.
        weights[..., 0] -= LOG_SCALES[0] - TABLE_SPACING / 2
        return weights / TABLE_SPACING

    def between(self, scales: Tensor, level: float) -> tuple[Tensor, ...]:
        """Return all weights, between two levels.

        Parameters
        ----------
        scales : Tensor of float64
            Those of scales, in units of tables, between the levels already.
        level : float
            Where.

        Returns
        -------
        tuple of Tensors
            What :meth:`walk` takes.
        """
        return scales, *(interpolated(w, level) for w in self.weights[1:])

    def scale(self, log_scale: Tensor) -> Tensor:
        """Return scales for what :meth:`walk` tells of them with :attr:`weights`.

        Parameters
        ----------
        log_scale : Tensor
            What `code` is given.

        Returns
        -------
        Tensor
            Scales, in steps.
        """
        return log_scale.clamp(*LOG_SCALES).exp()

    def walk(
        self,
        shape: Sequence[int],
        weights: Sequence[Tensor],
        code: Code,
        log: Log = log_magnitude,
        n_groups: int | None = None,
    ) -> Tensor:
        """Visit all coefficients in the order of coding.

        Parameters
        ----------
        shape : sequence of four ints
            Numbers of signals, rows, columns and channels.
        weights : sequence of Tensors
            Those of :attr:`weights`, of one level.
        code : callable
            Is given the channels as a slice, the numbers of the squares, and for these the means
            and the logarithms of the scales, of shape (n_signals, n_squares, n_channels); returns
            the integers there and what they are decoded to.
        log : callable
            Logarithm of sums of magnitudes.
        n_groups : int or None, default=None
            How many groups to visit; None for all.

        Returns
        -------
        Tensor of shape (n_signals, rows, columns, n_channels)
            What all coefficients are decoded to; zero in groups that were not visited.
        """
        raise NotImplementedError

    def fit(self, level: int, y: Tensor, law: Law | None = None) -> None:
        """Set the weights of a level.

        Parameters
        ----------
        level : int
            Which one.
        y : Tensor of shape (n_signals, rows, columns, n_channels)
            Coefficients, in steps.
        law : Law or None, default=None
            That of the tables that they will be coded by; None takes that of Laplace.
        """
        raise NotImplementedError

    @torch.no_grad()
    def rounded(self, y: Tensor, level: float) -> tuple[Tensor, Tensor, Tensor]:
        """Round coefficients to the nearest integers from what they are predicted to be.

        Parameters
        ----------
        y : Tensor of shape (n_images, rows, columns, n_channels)
            Coefficients, in steps.
        level : float
            How finely.

        Returns
        -------
        decoded : Tensor of shape (n_images, rows, columns, n_channels)
            What is decoded, in steps.
        means, scales : Tensor of shape (n_images, n_squares, n_channels)
            What it was predicted by.
        """
        weights = [interpolated(w, level) for w in self.weights]
        flat = y.flatten(1, 2)
        means, scales = torch.zeros_like(flat), torch.ones_like(flat)

        def code(channels: slice, squares: Tensor, mean: Tensor, log_scale: Tensor) -> tuple:
            scale = self.scale(log_scale)
            means[:, squares, channels], scales[:, squares, channels] = mean, scale
            integers = rounded(flat[:, squares, channels] - mean)
            return integers, mean + integers

        return self.walk(y.shape, weights, code), means, scales
