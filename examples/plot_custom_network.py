"""
====================================
A network and a schedule of your own
====================================

Any ``nn.Module`` with the methods ``encode(x)`` and ``decode(z)`` can take the place of the
built-in networks, and any skorch callback can watch or steer its training. The estimator around it
stays the same: it clones, searches and pickles like every other.
"""

# %%
# The network
# -----------
# The constructor is given those of ``n_features``, ``n_components``, ``hidden_layer_sizes`` and
# ``activation`` that it names; what else it takes can be set as ``module__n_experts`` and the like.
# This network has several decoders. A gate looks at the code and says how much each of them counts.

import torch
from torch import nn


class MixtureOfDecoders(nn.Module):
    def __init__(self, n_features, n_components, n_experts=4, width=64):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(n_features, width), nn.GELU(), nn.Linear(width, n_components)
        )
        self.gate = nn.Linear(n_components, n_experts)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(n_components, width), nn.GELU(), nn.Linear(width, n_features))
            for _ in range(n_experts)
        )

    def encode(self, x):
        return self.encoder(x)

    def decode(self, z):
        weights = self.gate(z).softmax(dim=1)
        outputs = torch.stack([expert(z) for expert in self.experts], dim=2)
        return (outputs * weights[:, None, :]).sum(dim=2)


# %%
# The training
# ------------
# By default the learning rate stays constant, and the weights that count are an average over the
# training. A skorch :class:`~skorch.callbacks.LRScheduler` changes that: here the rate starts five
# times as high and falls along a cosine. ``early_stopping=True`` holds out a tenth of the rows, so
# that there is a validation curve to look at.

import warnings

from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import LRScheduler

from skae import Autoencoder

X = load_digits().data / 16
cosine = LRScheduler("CosineAnnealingLR", T_max=60)
warnings.simplefilter("ignore", ConvergenceWarning)  # all 60 epochs are to be seen
settings = {"n_components": 8, "max_epochs": 60, "early_stopping": True, "random_state": 0}
models = {
    "mixture, constant rate": Autoencoder(module=MixtureOfDecoders, **settings),
    "mixture, cosine": Autoencoder(
        module=MixtureOfDecoders, lr=1e-2, callbacks=[cosine], **settings
    ),
    "built-in network": Autoencoder(**settings),
}

# %%
# The curves
# ----------
# The built-in network starts at the error of PCA. The other one starts from random weights, and
# spends its first twenty epochs on getting there.

import matplotlib.pyplot as plt

from skae.inspection import LossCurveDisplay

fig, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
for name, model in models.items():
    model.fit(X)
    LossCurveDisplay.from_estimator(model, estimator_name=name, ax=ax)
    print(f"{name:24} validation loss {min(model.validation_loss_curve_):.4f}")
ax.spines[["top", "right"]].set_visible(False)
plt.show()
