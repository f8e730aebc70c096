"""Generated users x items, as large as one likes, with popularities as they are in catalogues."""

import numpy as np
from scipy.sparse import csr_array


def grouped(
    n_users: int,
    n_items: int,
    mean_items: float,
    *,
    n_groups: int,
    groups_of_a_user: int = 4,
    skew: float = 2.0,
    seed: int = 0,
) -> csr_array:
    """Return users who take items of a few groups each, as ones (float32).

    Groups have equally many items. Group g is taken in proportion to 1 / (g + 10), and within a
    group low numbers are taken the more often the higher `skew` is; 1 is evenly. What a user takes
    twice counts once, so there are somewhat fewer than n_users * mean_items entries. The numbers of
    the items are shuffled. The rank that matters is about `n_groups`.
    """
    rng = np.random.default_rng(seed)
    weights = 1 / (np.arange(n_groups) + 10.0)
    edges = np.cumsum(weights / weights.sum())
    n_drawn = 1 + rng.poisson(rng.gamma(1.5, mean_items / 1.5, n_users))
    favourites = np.searchsorted(edges, rng.random((n_users, groups_of_a_user))).astype(np.int32)
    favourites = np.minimum(favourites, n_groups - 1)
    users = np.repeat(np.arange(n_users, dtype=np.int32), n_drawn)
    group = favourites[users, rng.integers(0, groups_of_a_user, len(users))]
    size = n_items // n_groups
    items = group * size + (rng.random(len(users)) ** skew * size).astype(np.int32)
    shuffled = rng.permutation(n_items).astype(np.int32)
    X = csr_array(
        (np.ones(len(users), np.float32), (users, shuffled[items])), shape=(n_users, n_items)
    )
    X.sum_duplicates()
    X.data[:] = 1
    return X
