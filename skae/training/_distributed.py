"""Data-parallel training: what the processes of one ``torch.distributed`` group say to each other.

Every process is given the same data and parameters. It takes every n-th row of each batch, and the
gradients are averaged over the rows of all; so the weights stay equal in all processes, and equal
to those of a training in a single one. Or each has rows of its own; then its batches are shares of
these, and everything before the first epoch is computed from a sample of all.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, distributed, nn

from ._group import current_group


def shard() -> tuple[int, int]:
    """Return which process this is, and of how many.

    Returns
    -------
    rank : int
        Number of this process, 0 without a group.
    size : int
        Number of processes, 1 without a group.
    """
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def _call(operation: Any, *args: Any, **params: Any) -> Any:
    group = current_group()
    return operation(*args, **params) if group is None else group.call(operation, *args, **params)


def agree_on(value: Any) -> Any:
    """Return the value that the first process has.

    Parameters
    ----------
    value : object
        Value of this process, which can be pickled.

    Returns
    -------
    object
        Value of the process of rank 0.
    """
    if shard()[1] == 1:
        return value
    values = [value]
    _call(distributed.broadcast_object_list, values, src=0)
    return values[0]


def gathered(value: Any) -> list[Any]:
    """Return the values of all processes.

    Parameters
    ----------
    value : object
        Value of this process, which can be pickled.

    Returns
    -------
    list
        By rank.
    """
    if shard()[1] == 1:
        return [value]
    values: list[Any] = [None] * shard()[1]
    _call(distributed.all_gather_object, values, value)
    return values


def add_up(values: Tensor) -> Tensor:
    """Return the sum of the tensors of all processes.

    Parameters
    ----------
    values : Tensor
        Tensor of this process.

    Returns
    -------
    Tensor
        Sum, of the same shape.
    """
    if shard()[1] > 1:
        _call(distributed.all_reduce, values)
    return values


def mean_of_all(value: float, n_rows: int) -> float:
    """Return the mean of a quantity over the rows of all processes.

    Parameters
    ----------
    value : float
        Its mean over the rows of this process.
    n_rows : int
        How many these are.

    Returns
    -------
    float
        The mean.
    """
    sums = add_up(torch.tensor([value * n_rows, n_rows], dtype=torch.float64))
    return float(sums[0] / sums[1])


def shares(
    n_rows: int, batch_size: int, has_own_rows: bool, generator: torch.Generator
) -> dict[str, Any]:
    """Return what a net makes its batches by, if several processes share the work.

    Parameters
    ----------
    n_rows : int
        Number of rows of this process.
    batch_size : int
        Number of rows in the batches of all processes together.
    has_own_rows : bool
        Whether no other process has these rows.
    generator : torch.Generator
        Draws the order of rows that all have.

    Returns
    -------
    dict
        Parameters of the net: `shard`, `n_batches` and `generator` of its iterator.

    Raises
    ------
    ValueError
        If this process has less than two rows of its own for each batch.
    """
    params: dict[str, Any] = {"shard": shard(), "n_batches": None, "generator": generator}
    if has_own_rows:
        n_batches = -(-int(add_up(torch.tensor(n_rows))) // batch_size)
        if n_rows < 2 * n_batches:
            raise ValueError(
                f"{n_rows} rows to train on are too few: the rows of all processes make "
                f"{n_batches} batches of batch_size={batch_size}, and each process takes part in "
                "each by at least two rows: even the rows out, or raise batch_size"
            )
        # The common generator would move differently in each process.
        params |= {"shard": (0, 1), "n_batches": n_batches, "generator": torch.Generator()}
    return {f"iterator_train__{name}": value for name, value in params.items()}


@torch.no_grad()
def take_over(*modules: nn.Module) -> None:
    """Replace all weights and buffers by those of the first process.

    Parameters
    ----------
    *modules : nn.Module
        Networks.
    """
    if shard()[1] > 1:
        for module in modules:
            for value in module.state_dict().values():
                _call(distributed.broadcast, value, src=0)


def average_gradients(parameters: Iterable[nn.Parameter], n_rows: int) -> None:
    """Replace gradients of means over rows by those of the mean over the rows of all processes.

    Parameters
    ----------
    parameters : iterable of nn.Parameter
        Parameters, those without a gradient are left out.
    n_rows : int
        Number of rows in the batch of this process.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    parts = [*(g.reshape(-1) for g in gradients), gradients[0].new_ones(1)]
    total = add_up(torch.cat(parts) * n_rows)
    means = (total[:-1] / total[-1]).split([g.numel() for g in gradients])
    for gradient, mean in zip(gradients, means, strict=True):
        gradient.copy_(mean.view_as(gradient))


@torch.no_grad()
def average_buffers(module: nn.Module, n_rows: int) -> None:
    """Replace buffers, such as running means, by their mean over the rows of all processes.

    Parameters
    ----------
    module : nn.Module
        The network.
    n_rows : int
        Number of rows that this process has seen in the epoch.
    """
    buffers = [buffer for buffer in module.buffers() if buffer.is_floating_point()]
    if buffers:
        n_all = add_up(buffers[0].new_tensor(n_rows))
        for buffer in buffers:
            buffer.copy_(add_up(buffer * n_rows) / n_all)
