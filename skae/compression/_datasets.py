"""Data sets that stay compressed, and are read where they are needed."""

import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..coding import MAX_VALUES


class CompressedDataset:
    """Signals that are decoded when they are asked for; :meth:`ImageCompressor.open_dataset`.

    ``dataset[3]`` is a signal, ``dataset[10:20]`` and ``dataset[[5, 7]]`` are many, and a loop goes
    through all of them, chunk by chunk. It is a data set for :class:`torch.utils.data.DataLoader`,
    too.

    Parameters
    ----------
    model : estimator
        What has written them.
    source : path, bytes, memoryview, mmap or another buffer
        What :meth:`ImageCompressor.compress_dataset` has returned, or the file that holds it, which
        is mapped into memory.
    realism : float, default=None
        As in :meth:`ImageCompressor.decompress`.
    max_values : int, default=2**30
        How many bytes signals may have that are read at once.

    Attributes
    ----------
    shape : tuple of int
        Number of signals, lengths of their axes, number of channels; None for lengths that differ.
    dtype : dtype
        Type of the values.
    chunk_size : int
        How many signals are decoded together.
    """

    def __init__(
        self, model: Any, source: Any, realism: float | None = None, max_values: int = MAX_VALUES
    ) -> None:
        self._params = model, source, realism, max_values
        if isinstance(source, str | os.PathLike):
            with Path(source).open("rb") as file:
                # An empty file can't be mapped.
                is_empty = not os.fstat(file.fileno()).st_size
                source = b"" if is_empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._header, self._chunks = model._streams.opened(source)
        self._realism = model._checked_realism(realism)

    @property
    def shape(self) -> tuple[Any, ...]:
        """Number of signals, lengths of their axes, number of channels; None for unequal ones."""
        return self._header.shape

    @property
    def dtype(self) -> np.dtype:
        """Type of the values."""
        return np.dtype(self._header.dtype)

    @property
    def chunk_size(self) -> int:
        """How many signals are decoded together."""
        return min(self._header.chunk_shape[0], len(self))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, indices: Any) -> Any:
        model, _, _, max_values = self._params
        signals = model._form.restored(
            model._streams.decoded(
                self._header, self._chunks, max_values, indices=indices, realism=self._realism
            )
        )
        return signals[0] if np.ndim(indices) == 0 and not isinstance(indices, slice) else signals

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, len(self), self.chunk_size):
            yield from self[start : start + self.chunk_size]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._params

    def __repr__(self) -> str:
        sizes = " x ".join("various" if n is None else str(n) for n in self.shape[1:])
        return f"{type(self).__name__}({len(self)} of {sizes}, {self.dtype})"
