"""A detector by denoising score matching, after the abstract of K-DSM.

Livernoche, Zan & Rabbany, "Kurtosis-guided denoising score matching for tabular anomaly detection",
arXiv 2605.06955, 2026: one network predicts the noise of rows at a single scale, and the norm of
what it predicts for a row without noise is the score. What the abstract does not say is ours: noise
of half the standard deviation of a normal distribution with the feature's fourth moment, the
network, its training, and the average over the last steps. For clean training rows: how the paper
filters others was tried by a guess, which did harm.
"""

import copy
from typing import Any, Self

import numpy as np
import torch
from torch import nn

_NOISE, _NARROWEST, _WIDEST = 0.5, 0.5, 4.0
_WIDTH, _BATCH, _STEPS, _LR = 256, 256, 1500, 1e-3
_MEMORY = 0.99


class ScoreMatching:
    """Norm of the noise that a network sees in a row.

    Parameters
    ----------
    random_state : int, default=0
        Seed.
    """

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: Any = None) -> Self:
        """Train on standardised rows."""
        generator = torch.Generator().manual_seed(self.random_state)
        torch.manual_seed(self.random_state)
        x, d = torch.from_numpy(X.astype(np.float32)), X.shape[1]
        fourth = x.double().pow(4).mean(0).div(3).pow(0.25).clamp(_NARROWEST, _WIDEST)
        self.noise = (_NOISE * fourth).float()
        layers = [nn.Linear(d, _WIDTH), nn.SiLU(), nn.Linear(_WIDTH, _WIDTH), nn.SiLU()]
        self.network = nn.Sequential(*layers, nn.Linear(_WIDTH, d))
        self.average = copy.deepcopy(self.network)
        optimizer = torch.optim.Adam(self.network.parameters(), lr=_LR, fused=True)
        for step in range(_STEPS):
            rows = x[torch.randint(len(x), (min(len(x), _BATCH),), generator=generator)]
            noise = torch.randn(rows.shape, generator=generator)
            loss = (self.network(rows + self.noise * noise) - noise).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                pairs = zip(self.average.parameters(), self.network.parameters(), strict=True)
                for old, new in pairs:
                    old.lerp_(new, max(1 - _MEMORY, 1 / (step + 1)))
        return self

    @torch.no_grad()
    def score_samples(self, X: np.ndarray) -> np.ndarray:
        """Return how normal each row is."""
        return -self.average(torch.from_numpy(X.astype(np.float32))).norm(dim=1).numpy()
