"""
==============================
Accuracy against the catalogue
==============================

A recommender may find what users want, and still show all of them the same few items. How much
popularity counts is a matter of three parameters of :class:`~skae.ShallowRecommender`, and
scikit-learn's :class:`~sklearn.model_selection.GridSearchCV` compares them.
"""

# %%
# Users, items, tastes
# --------------------
# Six hundred users with twelve kinds of taste over 400 items, some of which are known to everybody.

import numpy as np
from scipy import sparse

rng = np.random.default_rng(0)
taste = rng.normal(size=(12, 400))
users = rng.dirichlet(np.full(12, 0.2), 600)
fame = 1.2 * rng.normal(size=400)
logits = 2.5 * users @ taste + fame - 4.5
X = sparse.csr_array((rng.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(np.float32))
print(f"{X.shape[0]} users have {X.sum(axis=1).mean():.0f} of {X.shape[1]} items on average")

# %%
# The search
# ----------
# Folds are made of users, so every score is of users that the recommender has not seen. The scorer
# hides a fifth of the items of each, the same ones for all candidates, and looks where they are
# ranked. It gives several scores, and `refit` names the one that chooses.

from sklearn.model_selection import GridSearchCV, KFold

from skae import ShallowRecommender
from skae.metrics import make_recommender_scorer

search = GridSearchCV(
    ShallowRecommender(),
    {
        "l2": [30.0, 100.0, 300.0],
        "user_damping": [0.0, 0.5],
        "item_damping": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5],
    },
    cv=KFold(3, shuffle=True, random_state=0),
    scoring=make_recommender_scorer(["ndcg", "coverage"], k=[20]),
    refit="ndcg@20",
)
search.fit(X)
print("best for NDCG:", search.best_params_)

# %%
# The picture
# -----------
# Each point is a candidate. Damping items moves along a curve: the first steps cost nothing and
# show more of the catalogue, and later ones are paid for. Which point is the right one is not a
# question of accuracy alone; now it can be asked.

import matplotlib.pyplot as plt

results = search.cv_results_
damping = results["param_item_damping"].astype(float)
fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for l2, marker in zip([30.0, 100.0, 300.0], "osD", strict=True):
    chosen = results["param_l2"].astype(float) == l2
    points = ax.scatter(
        results["mean_test_coverage@20"][chosen],
        results["mean_test_ndcg@20"][chosen],
        c=damping[chosen],
        marker=marker,
        vmin=0,
        vmax=0.5,
        edgecolor="white",
        s=55,
        label=f"l2={l2:g}",
    )
fig.colorbar(points, label="item_damping")
ax.set(xlabel="share of the catalogue that is shown", ylabel="NDCG@20")
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, loc="lower left")
plt.show()
