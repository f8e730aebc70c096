"""Multi-layer perceptrons for rows of a table."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from ._layers import Dropout, Residual, Scale, TiedLinear, make_activation
from ._skip import SkipAutoencoder
from ._stack import DenseStack

NORMALIZATIONS = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}


class DenseAutoencoder(SkipAutoencoder):
    """Fully connected encoder and its mirror image as decoder.

    Parameters
    ----------
    n_features : int
        Number of columns of the data.
    n_components : int
        Number of columns of the code.
    hidden_layer_sizes : sequence of int, default=(64,)
        Widths of the encoder's hidden layers; the decoder has them in reverse.
    activation : str, default="gelu"
        Name in ``skae.networks.ACTIVATIONS``; follows every hidden layer.
    dropout : float, default=0.0
        Share of the hidden units that are dropped in training.
    normalization : {"batch", "layer"} or None, default=None
        Normalisation between a hidden layer and its activation.
    tied_weights : bool, default=False
        Whether the decoder's weights are the transposes of the encoder's.
    residual : bool, default=False
        Whether every hidden layer adds its input to its output. Not together with `tied_weights`.
    linear_skip : bool, default=True
        Whether linear paths, started from PCA, run beside the layers; see
        :class:`~skae.networks.SkipAutoencoder`.
    """

    def __init__(
        self,
        n_features: int,
        n_components: int,
        hidden_layer_sizes: Sequence[int] = (64,),
        activation: str = "gelu",
        dropout: float = 0.0,
        normalization: str | None = None,
        tied_weights: bool = False,
        residual: bool = False,
        linear_skip: bool = True,
    ) -> None:
        if normalization not in (None, *NORMALIZATIONS):
            raise ValueError(
                f"normalization={normalization!r} must be one of {sorted(NORMALIZATIONS)} or None"
            )
        if tied_weights and residual:
            raise ValueError(
                "tied_weights=True and residual=True exclude each other; set one of them to False"
            )
        sizes = [n_features, *hidden_layer_sizes, n_components]

        def finish(n_outputs: int) -> list[nn.Module]:
            # Tied layers can't start from zero one by one; a scale after them can.
            return [Scale(n_outputs)] if tied_weights and linear_skip else []

        def stack(linears: list[nn.Module], widths: list[int]) -> DenseStack:
            layers: list[nn.Module] = []
            for linear, (n_in, n_out) in zip(linears[:-1], pairwise(widths), strict=False):
                block = [linear]
                if normalization is not None:
                    block.append(NORMALIZATIONS[normalization](n_out))
                block.append(make_activation(activation))
                if dropout:
                    block.append(Dropout(dropout))
                layers += [Residual(nn.Sequential(*block), n_in, n_out)] if residual else block
            return DenseStack(*layers, linears[-1], *finish(widths[-1]))

        forth: list[nn.Module] = [nn.Linear(a, b) for a, b in pairwise(sizes)]
        back: list[nn.Module]
        if tied_weights:
            back = [TiedLinear(linear) for linear in reversed(forth)]  # type: ignore[arg-type]
        else:
            back = [nn.Linear(a, b) for a, b in pairwise(sizes[::-1])]
        super().__init__(
            stack(forth, sizes), stack(back, sizes[::-1]), n_features, n_components, linear_skip
        )
