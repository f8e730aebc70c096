"""What the training rows of every compressor have in common."""

import torch
from torch import Tensor

from ..coding import Codec
from ..training import Rows

_MOST_ROWS = 2**15


class SignalRows(Rows):
    """Rows that a codec is fitted to.

    Attributes
    ----------
    codec : Codec or None
        What they were coded by, if they were: contexts and tables are final then.
    """

    codec: Codec | None = None

    @property
    def source(self) -> "SignalRows":
        """The signals themselves."""
        return self

    def some(self, n_values: int, generator: torch.Generator) -> Tensor:
        """Return signals that contexts are fitted to.

        Parameters
        ----------
        n_values : int
            How many values they may have.
        generator : torch.Generator
            Chooses them.

        Returns
        -------
        Tensor of shape (n_signals, n_features) or (n_signals, height, width, n_channels)
            At least one; of images, perhaps larger parts than the rows are.
        """
        n_some = max(1, min(_MOST_ROWS, n_values // self.n_features))
        return self.batch(torch.randperm(len(self), generator=generator)[:n_some]).input
