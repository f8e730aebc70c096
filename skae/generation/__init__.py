"""Generation: likelihoods of rows, and new rows that look like the training data.

Open ``_variational.py`` first. Its base in ``_generator.py`` draws samples, ``_columns.py`` is the
way from tables to what networks like and back; ``_priors.py`` and ``_flow.py`` have the
distributions of codes.
"""

from ._adversarial import AdversarialAutoencoder
from ._variational import VariationalAutoencoder

__all__ = ["AdversarialAutoencoder", "VariationalAutoencoder"]
