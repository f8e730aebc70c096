"""
===================================
What else would they like to watch?
===================================

Recommendations can be judged by whoever knows the films. This example makes up four hundred
visitors of a cinema, fits a :class:`~skae.ShallowRecommender` to what they saw, and asks it for
films, for films that are alike, and for its reasons.
"""

# %%
# Who saw what
# ------------
# Every visitor likes two kinds of films and sees some of the others by chance. The films that stand
# first in a line are the ones that most people see.

import numpy as np
import pandas as pd

kinds = {
    "space": "Star Wars, Alien, The Empire Strikes Back, 2001: A Space Odyssey, Solaris, Gravity, "
    "Interstellar, The Martian, Moon, Contact",
    "crime": "The Godfather, Pulp Fiction, Fargo, Heat, Chinatown, Goodfellas, Casino, "
    "The Usual Suspects, Reservoir Dogs, Zodiac",
    "animation": "Toy Story, Spirited Away, Finding Nemo, Up, Ratatouille, The Lion King, "
    "My Neighbor Totoro, Persepolis, Coraline, Chicken Run",
    "romance": "Titanic, Casablanca, Amélie, Notting Hill, Before Sunrise, Annie Hall, Her, "
    "Roman Holiday, In the Mood for Love, Pride & Prejudice",
    "horror": "The Shining, Psycho, The Exorcist, Halloween, Get Out, The Birds, Suspiria, "
    "Nosferatu, Hereditary, The Babadook",
    "western": "Unforgiven, High Noon, The Searchers, Rio Bravo, True Grit, Shane, Stagecoach, "
    "Dead Man, Once Upon a Time in the West, Johnny Guitar",
}
films = [film for line in kinds.values() for film in line.split(", ")]
kind_of = np.repeat(np.arange(len(kinds)), 10)

rng = np.random.default_rng(0)
fame = np.tile(np.linspace(1.4, 0.4, 10), len(kinds))
likes = np.array([rng.permutation(len(kinds)) < 2 for _ in range(400)])
seen = rng.random((400, len(films))) < fame * np.where(likes[:, kind_of], 0.35, 0.05)
visits = pd.DataFrame(seen.astype(float), columns=films)
print(
    f"{len(visits)} visitors saw {visits.sum(axis=1).mean():.0f} of {len(films)} films on average"
)

# %%
# What to watch next
# ------------------
# A new visitor has seen two films. Nobody like that was in the training data, and none needs to be:
# a row over the same films is enough.

from skae import ShallowRecommender

recommender = ShallowRecommender().fit(visits)

visitor = pd.DataFrame(0.0, index=["new"], columns=films)
visitor.loc["new", ["Alien", "The Shining"]] = 1
ids = recommender.recommend(visitor, k=6)
print("recommended:", ", ".join(recommender.recommend(visitor, k=6, as_names=True)[0]))
mixed = recommender.recommend(visitor, k=6, diversity=0.5, as_names=True)
print("with more diversity:", ", ".join(mixed[0]))
print("like Casablanca:", ", ".join(recommender.similar_items("Casablanca", 4, as_names=True)[0]))

# %%
# Why
# ---
# What each film of the history adds to the score, and what popularity does: together they are the
# score, to the last digit.

why = recommender.explain(visitor, ids, k=2, as_names=True)
for place, film in enumerate(ids[0]):
    reasons = zip(why.items[0, place], why.contributions[0, place], strict=True)
    parts = ", ".join(f"{name} {part:.3f}" for name, part in reasons)
    print(
        f"{films[film]}: {why.scores[0, place]:.3f} = {parts}, popularity {why.base[0, place]:.3f}"
    )

# %%
# How good it is
# --------------
# Another four hundred visitors: a fifth of what each of them saw is hidden, and the recommender,
# shown some of the rest, ranks what is left. With one film it knows little and leans on popularity;
# with ten, it knows the taste. A ranking by popularity alone never gets to know anybody. It is what
# remains of the same recommender when the ridge is so large that no film says anything about
# another.

import matplotlib.pyplot as plt

from skae.inspection import RankingCurveDisplay

others = np.array([rng.permutation(len(kinds)) < 2 for _ in range(400)])
seen_by_others = rng.random((400, len(films))) < fame * np.where(others[:, kind_of], 0.35, 0.05)
popularity = ShallowRecommender(l2=1e9, item_damping=0).fit(seen)
models = {"ShallowRecommender": ShallowRecommender().fit(seen), "popularity": popularity}

_, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for name, model in models.items():
    given = {"estimator_name": name, "metric": "recall"}
    RankingCurveDisplay.from_estimator(model, seen_by_others, ax=left, **given)
    RankingCurveDisplay.from_estimator(
        model, seen_by_others, over="history", lengths=range(1, 13), k=5, ax=right, **given
    )
left.spines[["top", "right"]].set_visible(False)
right.spines[["top", "right"]].set_visible(False)
plt.show()
