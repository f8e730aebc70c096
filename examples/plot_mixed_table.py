"""
==============================
A table with everything in it
==============================

Orders of a shop: amounts, words, truth values, dates, and missing cells. The frame goes into an
autoencoder and into an outlier detector as it is, and both speak of its columns and values.
"""

# %%
# Orders
# ------
# What is ordered, how it is paid and how long it takes hang together.

import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n = 600
product = rng.choice(["book", "lamp", "sofa"], n, p=[0.5, 0.3, 0.2])
price = pd.Series(product).map({"book": 15.0, "lamp": 60.0, "sofa": 900.0})
express = (product != "sofa") & (rng.random(n) < 0.3)
days = np.where(express, 1, np.where(product == "sofa", 30, 4)) + rng.poisson(1, n)
ordered = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 300, n), "D")
orders = pd.DataFrame(
    {
        "product": product,
        "price": (price * rng.lognormal(sigma=0.25, size=n)).round(2),
        "payment": np.where(price > 500, "transfer", rng.choice(["card", "cash"], n)),
        "express": express,
        "ordered": ordered,
        "delivered": ordered + pd.to_timedelta(days, "D"),
    }
)
orders.loc[rng.random(n) < 0.1, "payment"] = None
orders.loc[rng.random(n) < 0.1, "price"] = np.nan
print(orders.head())

# %%
# A code of three numbers
# -----------------------
# The schema says what columns are taken for. Reconstructions are orders again, in which the missing
# cells are filled.

from skae import Autoencoder

autoencoder = Autoencoder(3, max_epochs=100, random_state=0).fit(orders)
print(autoencoder.schema_)
print(autoencoder.reconstruct(orders.head()))

# %%
# Numbers and dates are drawn in standard deviations from their means, categories are written out.

import matplotlib.pyplot as plt

from skae.inspection import OutlierExplanationDisplay, ReconstructionDisplay

ReconstructionDisplay.from_estimator(autoencoder, orders, n_samples=3, random_state=3)
plt.show()

# %%
# Orders that are odd
# -------------------
# A sofa at the price of a book, delivered the next day; a book that took half a year; and a product
# that nobody sells.

from skae import AutoencoderOutlierDetector

odd = orders.head(3).copy()
odd.loc[0, ["product", "price", "payment", "express"]] = ["sofa", 15.0, "transfer", False]
odd.loc[1, ["product", "price", "payment", "express"]] = ["book", 14.0, "card", False]
odd.loc[1, "delivered"] = odd.loc[1, "ordered"] + pd.Timedelta(180, "D")
odd.loc[2, ["product", "price", "payment"]] = ["yacht", 17.0, "cash"]

detector = AutoencoderOutlierDetector(random_state=0).fit(orders)
print(detector.explain(odd, n_features=2))
OutlierExplanationDisplay.from_estimator(detector, odd, n_features=3)
plt.show()
