"""Recommendation: the best items of users, from sparse matrices of users x items.

Open ``_recommender.py`` first: what all recommenders give, and the three functions of which they
make it. ``_shallow.py`` is the estimator in closed form, with ``_closed_form.py`` below it;
``_autoencoder.py`` is the one with a network, which starts from it.
"""

from ._autoencoder import AutoencoderRecommender
from ._blend import BlendRecommender
from ._recommender import Explanation
from ._shallow import ShallowRecommender

__all__ = ["AutoencoderRecommender", "BlendRecommender", "Explanation", "ShallowRecommender"]
