"""The network of a recommender: from the few items of a history to scores of all."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._layers import make_activation
from ._sparse import SparseLinear, unit_rows, weighted_rows


class RecommenderNetwork(nn.Module):
    """Autoencoder for sparse rows of very many columns, such as users x items.

    Rows are brought to length 1. The first layer adds up the weights of the items that a row
    stores, and the last one gives a number for every item.

    Parameters
    ----------
    n_features : int
        Number of items.
    n_components : int
        Number of columns of the code.
    hidden_layer_sizes : sequence of int, default=()
        Widths of the encoder's hidden layers; the decoder has them in reverse.
    activation : str, default="tanh"
        Name in ``skae.networks.ACTIVATIONS``; follows every hidden layer.
    activate_code : bool, default=True
        Whether it follows the code, too. A code with a distribution wants none.
    from_zero : bool, default=False
        Whether the last layer is zero at first, so that training starts from what is added to the
        output.
    """

    takes_sparse = True

    def __init__(
        self,
        n_features: int,
        n_components: int,
        hidden_layer_sizes: Sequence[int] = (),
        activation: str = "tanh",
        activate_code: bool = True,
        from_zero: bool = False,
    ) -> None:
        super().__init__()
        sizes = [*hidden_layer_sizes, n_components]
        forth: list[nn.Module] = []
        for n_in, n_out in pairwise(sizes):
            forth += [make_activation(activation), nn.Linear(n_in, n_out)]
        if activate_code:
            forth.append(make_activation(activation))
        back: list[nn.Module] = []
        for n_in, n_out in pairwise(sizes[::-1]):
            back += [nn.Linear(n_in, n_out), make_activation(activation)]
        self.history = SparseLinear(n_features, sizes[0])
        self.encoder, self.decoder = nn.Sequential(*forth), nn.Sequential(*back)
        self.items = nn.Linear(sizes[0], n_features)
        nn.init.zeros_(self.items.bias)
        if from_zero:
            nn.init.zeros_(self.items.weight)
        else:
            nn.init.xavier_normal_(self.items.weight)

    def encode(self, x: Tensor) -> Tensor:
        """Return the code.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Histories, dense or a sparse CSR tensor.

        Returns
        -------
        Tensor of shape (n_samples, n_components)
            Code.
        """
        return self.encoder(self.history(unit_rows(x)))

    def decode(self, z: Tensor) -> Tensor:
        """Return the scores of all items.

        Parameters
        ----------
        z : Tensor of shape (n_samples, n_components)
            Code.

        Returns
        -------
        Tensor of shape (n_samples, n_features)
            Logits.
        """
        return self.items(self.decoder(z))

    def decode_some(self, z: Tensor, rows: Tensor, columns: Tensor, others: Tensor) -> tuple:
        """Return the scores of some cells, and of some items for all rows.

        Parameters
        ----------
        z : Tensor of shape (n_samples, n_components)
            Code.
        rows, columns : Tensor of int64 of shape (n_cells,)
            The cells.
        others : Tensor of int64 of shape (n_items,)
            The items.

        Returns
        -------
        cells : Tensor of shape (n_cells,)
            Logits of the cells.
        items : Tensor of shape (n_samples, n_items)
            Logits of the items.
        """
        h, weight, bias = self.decoder(z), self.items.weight, self.items.bias
        cells = (h[rows] * F.embedding(columns, weight)).sum(1) + bias[columns]
        return cells, h @ F.embedding(others, weight).T + bias[others]

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of all items for the histories `x`."""
        return self.decode(self.encode(x))


class TiedRecommenderNetwork(nn.Module):
    """Linear autoencoder whose decoder is its encoder, transposed, with rows of length 1.

    As every item has weight 1 for itself, what a row stores is subtracted from what it is decoded
    to: `excludes_input` asks for that.

    Parameters
    ----------
    n_features : int
        Number of items.
    n_components : int
        Number of columns of the code.

    References
    ----------
    Vancura, Alves, Kasalicky & Kordik, "Scalable linear shallow autoencoder for collaborative
    filtering", RecSys 2022.
    """

    takes_sparse = excludes_input = True

    def __init__(self, n_features: int, n_components: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_features, n_components))
        nn.init.xavier_uniform_(self.weight)

    def encode(self, x: Tensor) -> Tensor:
        """Return the code.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Histories, dense or a sparse CSR tensor.

        Returns
        -------
        Tensor of shape (n_samples, n_components)
            Code.
        """
        return weighted_rows(x, F.normalize(self.weight))

    def decode(self, z: Tensor) -> Tensor:
        """Return the scores of all items.

        Parameters
        ----------
        z : Tensor of shape (n_samples, n_components)
            Code.

        Returns
        -------
        Tensor of shape (n_samples, n_features)
            Weights of items, their own included.
        """
        return z @ F.normalize(self.weight).T

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of all items for the histories `x`."""
        return self.decode(self.encode(x))
