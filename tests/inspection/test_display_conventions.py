"""What holds for every display."""

import inspect
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.utils import check_random_state

import skae.inspection
from skae.inspection import (
    CompressedImageDisplay,
    FeatureErrorDisplay,
    ImputationDisplay,
    LatentSpaceDisplay,
    LatentWalkDisplay,
    LossCurveDisplay,
    OutlierExplanationDisplay,
    OutlierScoreDisplay,
    RankingCurveDisplay,
    RateDistortionDisplay,
    ReconstructionCurveDisplay,
    ReconstructionDisplay,
    SampleGridDisplay,
    SpectrogramDisplay,
)

X = np.random.default_rng(0).normal(size=(30, 6))
DISPLAYS = {
    "curve": LossCurveDisplay([3.0, 2.0, 1.0], validation_loss_curve=[3.0, 2.0, 2.5]),
    "images": ReconstructionDisplay(X[:3], X[:3] / 2, image_shape=(2, 3)),
    "rows": ReconstructionDisplay(X[:3], X[:3] / 2),
    "codes": LatentSpaceDisplay(X, labels=np.arange(30) % 3),
    "bars": OutlierExplanationDisplay(X[:3], X[:3] ** 2, expected=X[:3] / 2),
    "maps": OutlierExplanationDisplay(X[:3], X[:3] ** 2, image_shape=(2, 3)),
    "features": FeatureErrorDisplay(X**2, X[:, 0] > 1),
    "scores": OutlierScoreDisplay(X[:, 0], offset=-1.0, labels=np.where(X[:, 1] < 0, -1, 1)),
    "grid": SampleGridDisplay(X, image_shape=(2, 3), labels=np.arange(30) % 4),
    "walks": LatentWalkDisplay(X.reshape(3, 10, 6), image_shape=(2, 3), walk_names=list("abc")),
    "panels": LatentWalkDisplay(X.reshape(3, 10, 6), walk_names=["first", "second", "third"]),
    "rates": RateDistortionDisplay(
        {"a": [1, 0.1], "b": [2, 1]}, {"a": [40, 30], "b": [np.inf, 35]}
    ),
    "ranks": RankingCurveDisplay({"a": [1, 100], "b": [10, 2]}, {"a": [0.1, 0.4], "b": [0.5, 0.3]}),
    "numbers": ReconstructionCurveDisplay(
        1 - 1 / np.arange(1, 31), restored_variance=1 - 0.5 / np.arange(1, 31), n_components=5
    ),
    "imputed": ImputationDisplay(
        {"number": X[:20, 0], "kind": list("aab"), "a name too long for a title": X[:20, 1]},
        {"number": X[20:, 0], "kind": ["a very long label"], "a name too long for a title": [9.0]},
    ),
    "spectra": SpectrogramDisplay(X.ravel() / 9, X.ravel().round(1) / 9, 8000, frame_ms=4),
    "compressed": CompressedImageDisplay(X, [X / 2, X / 4], [1.0, 0.5], names="ab", max_value=8),
}


@pytest.fixture(params=DISPLAYS)
def display(request):
    return DISPLAYS[request.param]


def test_plot_returns_the_display(display):
    assert display.plot() is display


def test_plot_draws_on_the_given_axes(display, ax):
    display.plot(ax=ax)

    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert plt.get_fignums() == [ax.figure.number]


def test_plot_makes_a_new_figure_each_time(display):
    assert display.plot().figure_ is not display.plot().figure_


def test_text_stays_inside_the_new_figure(display):
    figure = display.plot().figure_
    figure.draw_without_rendering()
    box, whole = figure.get_tightbbox(), figure.bbox_inches

    assert box.x0 >= -0.05
    assert box.y0 >= -0.05
    assert box.x1 <= whole.width + 0.05
    assert box.y1 <= whole.height + 0.05


def test_missing_matplotlib_names_the_install_command(display, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)

    with pytest.raises(ImportError, match=r'plot requires matplotlib.*pip install "skae\[plot\]"'):
        display.plot()


def test_global_random_state_is_untouched(display):
    global_generator = check_random_state(None)
    before = global_generator.get_state()[1].copy()
    display.plot()

    np.testing.assert_array_equal(global_generator.get_state()[1], before)


@pytest.mark.parametrize(
    "name", [name for name in skae.inspection.__all__ if name.endswith("Display")]
)
def test_constructors_pass_every_option_of_plot_on(name):
    cls = getattr(skae.inspection, name)
    options = set(inspect.signature(cls.plot).parameters) - {"self"}

    assert options <= set(inspect.signature(cls.from_estimator).parameters)
    assert options <= set(inspect.signature(cls.from_predictions).parameters)


def test_import_needs_neither_matplotlib_nor_torch():
    code = "import sys, skae.inspection; print(*sys.modules)"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    ).stdout.split()

    assert not {"matplotlib", "torch", "skorch"} & set(output)
