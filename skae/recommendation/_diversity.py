"""Lists in which not all items are alike."""

import numpy as np


def reranked(relevance: np.ndarray, similarity: np.ndarray, k: int, diversity: float) -> np.ndarray:
    """Choose items one by one, each for its score and for being unlike those before.

    The next item is the one with the largest ``(1 - diversity) * relevance - diversity *
    (largest similarity to an item that was chosen)``, maximal marginal relevance. Scores and
    similarities have units of their own, so both are brought to the range from 0 to 1 first.

    Parameters
    ----------
    relevance : ndarray of shape (n_candidates,)
        Scores, best first.
    similarity : ndarray of shape (n_candidates, n_candidates)
        How alike the candidates are.
    k : int
        How many to choose, at most `n_candidates`.
    diversity : float
        From 0, the order by scores, to 1.

    Returns
    -------
    ndarray of int64 of shape (k,)
        Positions of the chosen, in their order.

    References
    ----------
    Carbonell & Goldstein, "The use of MMR, diversity-based reranking for reordering documents and
    producing summaries", SIGIR 1998.
    """
    spread = relevance[0] - relevance[-1]
    value = (relevance - relevance[-1]) / (spread or 1.0)
    alike = similarity.clip(0.0)
    np.fill_diagonal(alike, 0.0)
    alike /= alike.max() or 1.0
    chosen, nearest = np.zeros(k, dtype=np.int64), np.zeros(len(value))
    left = np.ones(len(value), dtype=bool)
    for i in range(k):
        gain = (1 - diversity) * value - diversity * nearest
        chosen[i] = j = int(np.where(left, gain, -np.inf).argmax())
        left[j] = False
        nearest = np.maximum(nearest, alike[j])
    return chosen
