"""What coding asks of networks."""

from collections.abc import Sequence
from typing import Any, Protocol, Self

from torch import Tensor


class CodecNetwork(Protocol):
    """What coding asks of a network, a ``torch.nn.Module`` on the CPU."""

    n_components: int
    contexts: Any  # a Contexts

    def steps(self, level: float) -> tuple[Tensor, Tensor]:
        """Return what coefficients are divided by before rounding, and multiplied by afterwards."""

    def double(self) -> Self:
        """Make it compute in float64."""

    def stream_tensors(self) -> Sequence[Tensor]:
        """Return, in a fixed order, all that streams depend on."""
