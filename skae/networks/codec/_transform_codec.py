"""What all networks have whose code is made to be rounded and compressed."""

from typing import Any

import torch
from torch import Tensor, nn

from ._contexts import ChannelContexts
from ._corrections import Correction
from ._quantizer import N_LEVELS, Quantizer, code_length
from ._transform import PatchTransform


class TransformCodec(nn.Module):
    """Base class: coefficients of a transform, rounded, predicted from each other and corrected.

    Derived classes put the parts together, and say how samples become coefficients and back.
    """

    highest_level = N_LEVELS - 1
    transform: PatchTransform
    quantizer: Quantizer
    encoder: Correction | None
    decoder: Correction
    contexts: ChannelContexts

    def coefficients(self, x: Tensor) -> Tensor:
        """Return the code of images on its grid.

        Parameters
        ----------
        x : Tensor of shape (n_images, height, width, channels) or (n_images, n_features)
            Images.

        Returns
        -------
        Tensor of shape (n_images, rows, columns, n_components)
            Coefficients, in the units of the images.
        """
        raise NotImplementedError

    def synthesize(self, y: Tensor, level: float, realism: float = 0.0) -> Tensor:
        """Return images for coefficients.

        Parameters
        ----------
        y : Tensor of shape (n_images, rows, columns, n_components)
            Coefficients, rounded.
        level : float
            How finely, from 0 to ``N_LEVELS - 1``.
        realism : float, default=0.0
            How much of the texture to add, from 0 to 1.

        Returns
        -------
        Tensor of shape (n_images, height, width, channels)
            Images.
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
            In the units of the images.
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
            In the units of the images.
        """
        return self.quantizer.steps(level)

    def stream_tensors(self) -> list[Tensor]:
        """Return what decoding depends on, the sharpener left out, in an order that never changes.

        Returns
        -------
        list of Tensor
            Checksums of streams are computed from these.
        """
        transform = self.transform
        tensors: list[Tensor] = [transform.analysis, transform.synthesis, self.quantizer.gains]
        tensors += [transform.mean, transform.spread]
        for part in (self.encoder, self.decoder, self.contexts):
            tensors.extend([] if part is None else part.state_dict().values())
        return tensors

    def encode(self, x: Tensor) -> Tensor:
        """Return the code of flattened images.

        Parameters
        ----------
        x : Tensor of shape (n_images, n_features)
            Images.

        Returns
        -------
        Tensor of shape (n_images, n_coefficients)
            Coefficients.
        """
        return self.coefficients(x).flatten(1)

    # ------------------------------------------------------------------ rate and distortion

    def rate_distortion(self, x: Tensor, level: float) -> tuple[Tensor, Tensor]:
        """Return what images cost: gradients take rounding, and what is known of it, as given.

        Parameters
        ----------
        x : Tensor of shape (n_images, n_features)
            Images.
        level : float
            How finely to round.

        Returns
        -------
        bits : Tensor of shape (n_images,)
            Estimated length of the code.
        squares : Tensor of shape (n_images,)
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
        x : Tensor of shape (n_images, n_features)
            Images.
        level : float
            How finely to round.

        Returns
        -------
        Tensor of shape (n_images, rows, columns, n_components)
            Coefficients.
        """
        divisors, factors = self.steps(level)
        return self.contexts.rounded(self.coefficients(x) / divisors, level)[0] * factors

    @torch.no_grad()
    def fit_contexts(self, x: Tensor) -> None:
        """Set the weights of means and scales, for coefficients as they are now.

        Parameters
        ----------
        x : Tensor of shape (n_images, n_features)
            Training data.
        """
        y = self.coefficients(x)
        for level in range(N_LEVELS):
            self.contexts.fit(level, y / self.steps(level)[0])
