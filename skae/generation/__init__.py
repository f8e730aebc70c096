"""Generation: likelihoods of rows, and new rows that look like the training data.

Open ``_variational.py`` first. Its base in ``_generator.py`` draws samples; ``_priors.py`` and
``_flow.py`` have the distributions of codes, ``_objectives.py`` what is minimised.
"""

from ._adversarial import AdversarialAutoencoder
from ._variational import VariationalAutoencoder

__all__ = ["AdversarialAutoencoder", "VariationalAutoencoder"]
