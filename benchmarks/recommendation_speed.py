"""An epoch on sparse rows costs half of one on dense rows, and what a hand-written loop costs.

The network of Mult-DAE, `AutoencoderRecommender(linear=None)`, with 200 components, dropout .5 and
256 users a step, on a generated catalogue of 40,000 items, of which users have about 33. Fits of
one epoch in alternation in one process with one thread; medians of ratios of CPU seconds.

- dense batches: the same network and objective; input and target are dense, as those of
  `Autoencoder` are.
- dense input: a module of a user that takes no sparse rows. Targets are sparse; no target.
- hand-written loop: sums of embeddings of the same CSR batches, the same loss and fused AdamW.
"""

import argparse
import sys
from collections.abc import Callable
from typing import Any

import torch
from _generated import grouped
from _report import alternate, ratios, write_table
from scipy.sparse import csr_array
from torch.nn import functional as F

from skae import AutoencoderRecommender
from skae.networks import RecommenderNetwork
from skae.training import ArrayRows

N_COMPONENTS, DROPOUT, BATCH_SIZE, LR = 200, 0.5, 256, 2e-3
OURS = "AutoencoderRecommender"
TARGETS = {"dense batches": 0.5, "hand-written loop": 1.1}


class DenseBatches(AutoencoderRecommender):
    """Rows as they come to all other estimators."""

    def _view(self, X: csr_array, dtype: Any, device: Any, **kwargs: Any) -> ArrayRows:
        return ArrayRows(X, dtype, device, held=False)


class DenseInput(RecommenderNetwork):
    """The same network, which does not say that it takes sparse rows."""

    takes_sparse = False


def loop(X: csr_array) -> None:
    network = RecommenderNetwork(X.shape[1], N_COMPONENTS)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LR, fused=True)
    weight, bias = network.history.weight, network.history.bias
    for users in torch.randperm(X.shape[0]).split(BATCH_SIZE):
        batch = X[users.numpy()]
        items = torch.from_numpy(batch.indices).long()
        starts = torch.from_numpy(batch.indptr).long()
        counts = starts.diff()
        rows = torch.arange(len(users)).repeat_interleave(counts)
        values = F.dropout(torch.ones(len(items)), DROPOUT)
        values = values / values.new_zeros(len(users)).index_add(0, rows, values**2).sqrt()[rows]
        values = values.nan_to_num()
        h = F.embedding_bag(
            items, weight, starts, mode="sum", per_sample_weights=values, include_last_offset=True
        )
        logs = network.items(torch.tanh(h + bias)).log_softmax(1)
        optimizer.zero_grad()
        (-logs[rows, items].sum() / len(users)).backward()
        optimizer.step()


def contestants(X: csr_array) -> dict[str, Callable[[], Any]]:
    settings: dict[str, Any] = {"dropout": DROPOUT, "batch_size": BATCH_SIZE, "lr": LR}
    settings |= {"linear": None, "max_epochs": 1, "device": "cpu", "random_state": 0}

    def fit(cls: Any, **parameters: Any) -> Callable[[], Any]:
        return lambda: cls(N_COMPONENTS, **settings, **parameters).fit(X)

    return {
        OURS: fit(AutoencoderRecommender),
        "dense batches": fit(DenseBatches),
        "dense input": fit(AutoencoderRecommender, module=DenseInput),
        "hand-written loop": lambda: loop(X),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--users", type=int, default=5_120)
    parser.add_argument("--items", type=int, default=40_000)
    args = parser.parse_args()
    torch.set_num_threads(1)
    X = grouped(args.users, args.items, 40, n_groups=args.items // 50, seed=0)
    times = alternate(contestants(X), args.rounds)
    rows = []
    for reference in list(times)[1:]:
        row = {"method": OURS, "reference": reference, "ratio": ratios(times, reference)[OURS]}
        if reference in TARGETS:
            row["target"] = TARGETS[reference]
            row["verdict"] = "met" if row["ratio"] <= row["target"] else "MISSED"
        rows.append(row)
        print(row, file=sys.stderr, flush=True)
    write_table("recommendation_speed", rows)


if __name__ == "__main__":
    main()
