"""Offsets of tables: how much wider or narrower groups of channels are than was expected."""

import numpy as np

from ..networks import N_TABLES

HAS_OFFSETS = 0x80  # in the byte that tells how many groups a code has
OFFSETS_BY = 18  # the table that offsets are coded by
LARGEST_OFFSET = 4
CHOICES = np.arange(-LARGEST_OFFSET, LARGEST_OFFSET + 1)
_SHIFTED = np.clip(np.arange(N_TABLES) + CHOICES[:, None], 0, N_TABLES - 1)


def shifted(which: np.ndarray, offset: int) -> np.ndarray:
    """Return the tables that are taken.

    Parameters
    ----------
    which : ndarray of uint8
        Those that were chosen.
    offset : int
        By how many they are off.

    Returns
    -------
    ndarray of uint8 of the same shape
        Between the first and the last.
    """
    if not offset:
        return which
    step = np.int16(max(-N_TABLES, min(offset, N_TABLES)))  # damaged ones can be any number
    return np.clip(which + step, 0, N_TABLES - 1).astype(np.uint8)


def lengths(integers: np.ndarray, which: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """Return how long the code of some integers is with each offset.

    Parameters
    ----------
    integers : ndarray of int
        What to code.
    which : ndarray of uint8 of the same shape
        The tables that were chosen.
    bits : ndarray of shape (64, n_magnitudes)
        Bits that each table spends on magnitudes.

    Returns
    -------
    ndarray of shape (9,)
        Bits, for offsets from -4 to 4.
    """
    magnitudes = np.abs(integers).clip(max=bits.shape[1] - 1)
    bits = bits[:, : int(magnitudes.max(initial=0)) + 1]
    n = bits.shape[1]
    counts = np.bincount(which.ravel() * np.int64(n) + magnitudes.ravel(), minlength=bits.size)
    return (bits[_SHIFTED] * counts.reshape(N_TABLES, n)).sum((1, 2))


def best(bits: np.ndarray, of_offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return offsets that make codes shortest.

    Parameters
    ----------
    bits : ndarray of shape (n_groups, 9, ...)
        Bits of the integers of each group, by offset.
    of_offsets : ndarray of shape (9,), or that of `bits`
        Bits of the offsets themselves.

    Returns
    -------
    offsets : ndarray of int32 of shape (n_groups, ...)
        From -4 to 4; all of them 0 where none is worth its bits.
    n_bits : ndarray of shape (...)
        Of the integers and, unless all are 0, of the offsets.
    """
    without = bits[:, LARGEST_OFFSET].sum(0)
    bits = bits + of_offsets
    offsets = CHOICES[bits.argmin(1)].astype(np.int32)
    n_bits = bits.min(1).sum(0)
    pays = n_bits < without
    return offsets * pays, np.where(pays, n_bits, without)
