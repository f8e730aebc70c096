"""What arrays have in common that are samples of one data set, each with a shape of its own."""

import numpy as np


class Arrays:
    """Base of images and of signals, each an array."""

    arrays: list[np.ndarray]

    @property
    def dtype(self) -> np.dtype:
        """Their dtype."""
        return self.arrays[0].dtype

    @property
    def are_equal(self) -> bool:
        """Whether all have the same shape."""
        return len({array.shape for array in self.arrays}) == 1

    def min(self) -> float:
        """Return the least value."""
        return min(float(array.min()) for array in self.arrays)

    def max(self) -> float:
        """Return the greatest value."""
        return max(float(array.max()) for array in self.arrays)
