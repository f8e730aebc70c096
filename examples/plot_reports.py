"""
=======================================
Reports for people who have no notebook
=======================================

A report is one page of HTML without a network: its lists can be searched, its rows open, and it is
handed on as a file. Here are two of them, live, as a notebook shows them.
"""

# %%
# Which rows are strange, and why
# -------------------------------
# A detector learns from readings of a machine with six sensors, some of which are wrong in the rows
# to come: the third one sticks, and the fifth is now and then off.

import numpy as np
import pandas as pd

from skae import AutoencoderOutlierDetector
from skae.inspection import OutlierReport, SyntheticDataReport

rng = np.random.default_rng(0)
mixing = rng.normal(size=(3, 6))
sensors = ["inlet °C", "outlet °C", "flow", "speed", "current", "vibration"]


def readings(n):
    """Return readings that three hidden states of the machine explain."""
    rows = rng.normal(size=(n, 3)) @ mixing + 0.1 * rng.normal(size=(n, 6))
    return pd.DataFrame(rows, columns=sensors)


normal, new = readings(600), readings(400)
new.index = pd.date_range("2026-03-01", periods=400, freq="h").astype(str)
new.iloc[200:212, 2] = new.iloc[200, 2]
new.iloc[::45, 4] += 3

detector = AutoencoderOutlierDetector(contamination=0, random_state=0).fit(normal)
OutlierReport(detector, new, title="Machine 7, March")

# %%
# Can these rows be handed out in the place of real ones?
# -------------------------------------------------------
# Rows of a normal distribution with the right means and covariances are spread much alike. What
# they miss is that flow is never negative, and that the speed has three steps. The report is
# written to a file by ``report.write_html("synthetic.html")``.

real = readings(800)
real["flow"] = real["flow"].abs()
real["speed"] = real["speed"].round().clip(-1, 1)
simple = rng.multivariate_normal(real.mean(), real.cov(), 800)
SyntheticDataReport(real, pd.DataFrame(simple, columns=sensors))

# sphinx_gallery_thumbnail_path = "_static/report_thumbnail.png"
