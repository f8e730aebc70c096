"""A group of processes that fit one estimator together: its start, its end, and what goes wrong."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache
from itertools import count
from typing import Any

import torch
from torch import distributed as torch_distributed

_MOMENT, _WHILE = 0.5, 5.0  # seconds to wait for what the other processes say of a failure


class LostError(Exception):
    """What is computed by all processes could not be, because another one failed or ended."""


class Group:
    """The processes inside a block ``with skae.distributed():``.

    Parameters
    ----------
    data : {"same", "own"}
        Whether each process is given all rows, or rows of its own.
    timeout : float
        How many seconds to wait for another process.
    """

    def __init__(self, data: str, timeout: float) -> None:
        self.data, self.timeout = data, timeout
        self.rank, self.size = torch_distributed.get_rank(), torch_distributed.get_world_size()
        self.is_fitting = False
        self._n_fits, self._number = 0, next(_numbers)
        # One of our own, so that what fails here does not end a group that is somebody else's.
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        self._processes: Any = torch_distributed.new_group(
            backend=backend, timeout=timedelta(seconds=timeout)
        )
        self._store: Any = torch_distributed.distributed_c10d._get_default_store()

    def call(self, operation: Callable[..., Any], *args: Any, **params: Any) -> Any:
        """Call a function of :mod:`torch.distributed` in the group.

        Parameters
        ----------
        operation : callable
            The function.
        *args, **params : object
            What it is given.

        Returns
        -------
        object
            What it returns.

        Raises
        ------
        LostError
            If another process failed, ended or does not answer.
        """
        if self._processes is None:
            raise LostError
        try:
            return operation(*args, group=self._processes, **params)
        except RuntimeError as error:
            text = str(error)
        raise LostError(text)  # here, or its context would keep the connections open

    @contextmanager
    def fit(self) -> Iterator[None]:
        """Let an error in one process be one in all.

        Yields
        ------
        None
            Nothing.
        """
        if self._processes is None:
            raise RuntimeError(
                "the processes no longer work together, because one of them failed: leave the "
                "block `with skae.distributed()`, and start again"
            )
        self._n_fits += 1
        self.is_fitting, message = True, None
        try:
            yield
            self.call(torch_distributed.barrier)
        except LostError:
            message = self._told("")
        except BaseException as error:
            self._told(f"{type(error).__name__}: {error}")
            raise
        finally:
            self.is_fitting = False
        if message is not None:
            raise RuntimeError(message)

    def end(self) -> None:
        """Close all connections of the group, which the others notice at once."""
        processes, self._processes = self._processes, None
        if processes is not None:
            with suppress(RuntimeError, ValueError):
                torch_distributed.destroy_process_group(processes)

    def _told(self, error: str) -> str:
        """Tell the others of an error, "" for none of our own; return which of them failed."""
        keys = [f"skae/{self._number}/{self._n_fits}/{rank}" for rank in range(self.size)]
        with suppress(RuntimeError):
            self._store.set(keys[self.rank], error)
        said = self._heard(keys, _MOMENT if error else 0)
        if len(said) == self.size and all(said.values()):
            return ""  # all failed alike, and can go on together
        self.end()
        said = self._heard(keys, _WHILE)
        failed = [f"process {rank} with {text}" for rank, text in sorted(said.items()) if text]
        if failed:
            return f"of {self.size} processes, these failed: {'; '.join(failed)}"
        silent = ", ".join(str(rank) for rank in range(self.size) if rank not in said)
        who = f"number {silent} has ended, or" if silent else "one"
        return (
            f"of {self.size} processes, {who} has not answered for timeout={self.timeout:g} seconds"
        )

    def _heard(self, keys: Sequence[str], seconds: float) -> dict[int, str]:
        """Return what processes have said of a failure, waiting a while for all of them."""
        end, found = time.monotonic() + seconds, dict[int, str]()
        while True:
            with suppress(RuntimeError):
                for rank, key in enumerate(keys):
                    if rank not in found and self._store.check([key]):
                        found[rank] = self._store.get(key).decode()
            if len(found) == len(keys) or time.monotonic() >= end:
                return found
            time.sleep(0.02)


_current: Group | None = None
_numbers = count()  # of blocks, as what is in a store stays there


@cache
def _store_of_environment() -> tuple[Any, int, int]:
    """Return the store that processes meet in, and which process this is, and of how many."""
    from torch.distributed.rendezvous import rendezvous  # which not every torch has

    return next(iter(rendezvous("env://")))


def current_group() -> Group | None:
    """Return the group of the block that this is inside of.

    Returns
    -------
    Group or None
        None outside of any.
    """
    return _current


@contextmanager
def distributed(data: str = "same", *, timeout: float = 300.0) -> Iterator[int]:
    """Let several processes fit one estimator together.

    Inside the block, `fit` and `partial_fit` share out the work: gradients are averaged over the
    rows of all processes, and all of them end with equal weights. Every process must run the same
    calls. Read more in the :ref:`User Guide <several_machines>`.

    The processes are those of the :mod:`torch.distributed` group that is there or, if there is
    none, of one that is made from the environment that ``torchrun`` and its likes set, with gloo
    and, on GPUs, nccl; then each process takes the GPU of its number on the machine, and the group
    ends with the block.

    Parameters
    ----------
    data : {"same", "own"}, default="same"
        What each process gives to `fit`. "same": all rows. The result is that of one process, up to
        rounding. "own": rows of its own, of any number; what has to be known before the training,
        scales and the start among it, is taken from a sample of the rows of all. Only for
        :class:`~skae.Autoencoder`, :class:`~skae.VariationalAutoencoder`,
        :class:`~skae.AdversarialAutoencoder` and :class:`~skae.AutoencoderDenoiser`.
    timeout : float, default=300.0
        After how many seconds without an answer of another process a fit fails.

    Yields
    ------
    int
        The number of this process, from 0: ``if rank == 0`` is where to store a result.

    Raises
    ------
    ValueError
        If a parameter is not one of those, or, in `fit`, if data or parameters are not alike.
    RuntimeError
        If there is no group; in `fit`, if another process failed or ended. The message says which.

    Examples
    --------
    In a file ``train.py`` that ``torchrun --standalone --nproc-per-node=2 train.py`` starts:

    >>> import skae
    >>> def main(X):
    ...     with skae.distributed() as rank:
    ...         model = skae.Autoencoder(8).fit(X)
    ...         if rank == 0:
    ...             skae.save(model, "model.skae")
    """
    global _current
    if data not in ("same", "own"):
        raise ValueError(f"data={data!r} must be 'same' or 'own'")
    if not timeout > 0:
        raise ValueError(f"timeout={timeout!r} must be a number of seconds above 0")
    if _current is not None:
        raise RuntimeError("this is inside a block `with skae.distributed()` already")
    is_ours = _joined(timeout)
    try:
        _current = Group(data, timeout)
        yield _current.rank
    finally:
        if _current is not None:
            _current.end()
        _current = None
        if is_ours:
            with suppress(RuntimeError):
                torch_distributed.destroy_process_group()


def _joined(timeout: float) -> bool:
    """Join the group that the environment describes, if there is none yet; tell whether it did."""
    if not torch_distributed.is_available():
        raise RuntimeError("this torch was built without torch.distributed")
    if torch_distributed.is_initialized():
        return False
    names = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    if missing := [name for name in names if name not in os.environ]:
        raise RuntimeError(
            f"there is no group of processes: {', '.join(missing)} not in the environment. Start "
            "the script by torchrun --standalone --nproc-per-node=2 script.py, for instance, or "
            "call torch.distributed.init_process_group first"
        )
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    store, rank, size = _store_of_environment()
    torch_distributed.init_process_group(
        "gloo",
        store=torch_distributed.distributed_c10d.PrefixStore(f"skae/{next(_numbers)}", store),
        rank=rank,
        world_size=size,
        timeout=timedelta(seconds=timeout),
    )
    return True
