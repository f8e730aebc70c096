"""Generation: likelihoods of rows, and new rows that look like the training data.

Open ``_variational.py`` first, and its base in ``_generator.py``; ``_priors.py``, ``_flow.py`` and
``_local.py`` have the distributions of codes, ``_chain.py`` and ``_row_mixture.py`` those of
rows of tables, ``_objectives.py`` what is minimised, ``_likelihoods.py`` and ``_importance.py``
likelihoods. ``_sampling.py`` draws rows: under conditions (``_conditions.py``),
whose probabilities given a code are in ``_restriction.py``, and which keep constraints
(``_constraints.py``, written in the language of ``_grammar.py``).
"""

from ._adversarial import AdversarialAutoencoder
from ._variational import VariationalAutoencoder

__all__ = ["AdversarialAutoencoder", "VariationalAutoencoder"]
