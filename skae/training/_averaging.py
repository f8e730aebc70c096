"""The average of the weights over a training: that which predicts."""

from typing import Any

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

_DECAY = 8
_LONGEST = 10_000


class WeightAverage:
    """An average with polynomially decaying memory (Shamir & Zhang, ICML 2013, section 3).

    It is no module itself, or skorch would train it as a second one.

    Parameters
    ----------
    module : nn.Module
        The network, whose present weights the average starts from.
    """

    def __init__(self, module: nn.Module) -> None:
        self._model = AveragedModel(module, multi_avg_fn=_polynomial, use_buffers=True)
        self.module.eval()

    @property
    def module(self) -> nn.Module:
        """The network with averaged weights, in evaluation mode."""
        return self._model.module

    def update(self, module: nn.Module) -> None:
        """Take the present weights into the average.

        Parameters
        ----------
        module : nn.Module
            The network with the live weights.
        """
        self._model.update_parameters(module)

    def state_dict(self) -> dict[str, Any]:
        """Return the averaged weights, and how many were averaged."""
        return self._model.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to what :meth:`state_dict` returned."""
        self._model.load_state_dict(state)


def _polynomial(averaged: Any, current: Any, n_averaged: Any) -> None:
    n = min(int(n_averaged) + 1, _LONGEST)
    weight = (_DECAY + 1) / (n + _DECAY)
    if averaged[0].is_floating_point():
        get_ema_multi_avg_fn(1 - weight)(averaged, current, n_averaged)
    else:
        for mine, theirs in zip(averaged, current, strict=True):
            mine.copy_(theirs)
