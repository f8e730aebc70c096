"""The one door to sources of rows."""

from collections.abc import Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from ._array_source import ArraySource, DaskSource
from ._arrow_blocks import dataset_at
from ._arrow_source import ArrowSource
from ._row_source import BUFFER_ROWS, RowSource


def rows(
    x: Any, *, columns: Sequence[str] | None = None, buffer_rows: int = BUFFER_ROWS
) -> RowSource:
    """Return a table that is read block by block, for estimators to fit and score.

    An estimator that is given a source never has more of it in memory than `buffer_rows` rows and
    one block that is read ahead. In training, blocks come in random order, and the rows of as many
    as fill the buffer are mixed.

    Parameters
    ----------
    x : object
        One of:

        - the path of a ``.npy`` file, or a :class:`numpy.memmap` or array;
        - the path of a folder or file that :func:`pyarrow.dataset.dataset` reads (Parquet, Feather,
          CSV), or a :class:`pyarrow.dataset.Dataset`; its blocks are the row groups of Parquet;
        - a dataset of h5py or an array of Zarr, which are read by their chunks;
        - a Dask array;
        - a CSR matrix or array, of which only a block is ever dense.
    columns : sequence of str, default=None
        Which columns of files with names to read, in this order. None takes all.
    buffer_rows : int, default=65536
        How many rows are mixed with each other in training, and held in memory for it.

    Returns
    -------
    RowSource
        Has `n_rows`, `n_features`, `feature_names`, `dtype` and ``blocks()``; see its method `map`
        for a scaler that is applied as blocks are read.

    Raises
    ------
    TypeError
        If `x` is none of these, or has a column that does not hold numbers.
    ValueError
        If there are no rows, or a file can't be read.

    Examples
    --------
    >>> import numpy as np
    >>> from skae import Autoencoder
    >>> from skae.datasets import rows
    >>> source = rows(np.random.default_rng(0).normal(size=(1000, 5)))
    >>> source
    ArraySource(1,000 rows of 5 features, float64, in 1 blocks)
    >>> Autoencoder(2, max_epochs=1, random_state=0).fit(source).score_samples(source).shape
    (1000,)
    """
    if not isinstance(buffer_rows, Integral) or buffer_rows < 1:
        raise ValueError(f"buffer_rows={buffer_rows!r} must be an integer of at least 1")
    buffer_rows = int(buffer_rows)
    if isinstance(x, RowSource):
        raise TypeError("x is a RowSource already")
    if isinstance(x, str | Path) and Path(x).suffix == ".npy":
        try:
            x = np.load(x, mmap_mode="r")
        except (EOFError, ValueError) as error:
            raise ValueError(
                f"{str(x)!r} can't be read as npy: it holds no array of numbers, or is damaged"
            ) from error
    if isinstance(x, str | Path):
        x = dataset_at(Path(x))
    if hasattr(x, "get_fragments"):
        return ArrowSource(x, columns, buffer_rows)
    if columns is not None:
        raise ValueError(f"columns={list(columns)} are for files with names of columns")
    if len(getattr(x, "shape", ())) != 2 or not hasattr(x, "dtype"):
        raise TypeError(_refusal(x))
    if x.dtype.kind not in "biuf":
        raise TypeError(f"x holds {x.dtype}, but rows() reads numbers")
    if x.shape[0] == 0 or x.shape[1] == 0:
        raise ValueError(f"x has the shape {x.shape}: there must be at least one row and column")
    if hasattr(x, "rechunk"):
        return DaskSource(x, buffer_rows)
    if sparse.issparse(x) and x.format != "csr":
        raise TypeError(f"x is a sparse {x.format} matrix: convert it by its method tocsr()")
    return ArraySource(x, buffer_rows)


def _refusal(x: Any) -> str:
    """Say what to do with something that is no source of rows."""
    name = type(x).__name__
    if hasattr(x, "collect"):
        advice = "write it with sink_parquet and give the path, or call its method collect()"
    elif hasattr(x, "to_dask_array"):
        advice = "give what its method to_dask_array(lengths=True) returns"
    elif hasattr(x, "columns"):
        advice = "it is in memory already, give it to the estimator itself"
    else:
        advice = (
            "it must be a path, a two-dimensional array (memory map, HDF5, Zarr, Dask, CSR) or a "
            "pyarrow Dataset"
        )
    return f"x is a {name} and no source of rows: {advice}"
