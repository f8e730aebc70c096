"""Reports: one page, nothing loaded, whatever the data hold is text."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import AutoencoderOutlierDetector
from skae.inspection import CompressionReport, OutlierReport, SyntheticDataReport
from skae.inspection._dependencies import dependencies
from skae.inspection._report_text import plain_text, value_text

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!-- <script>",
    "]]>",
    "\"quoted\" and 'quoted'",
    "' onload='alert(1)",
    "&lt;b&gt; & &amp;",
    "javascript:alert(1)",
    "{{7*7}} ${7*7}",
    "x" * 100_000,
    "العربية",
    "\u202eright to left",
    "line\u2028end\u2029",
    "new\nline\ttab",
    "zero\x00byte",
    "half a pair \ud800",
    "\N{GRINNING FACE}",
    "=cmd|' /C calc'!A0",
    "",
]


class Elements(HTMLParser):
    """Collects the names and attributes of all elements of a page."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def data_of(page):
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', page)[1]
    )


def listed(page):
    return next(f for section in data_of(page) for f in section["figures"] if f["kind"] == "list")


@pytest.fixture(scope="module")
def detector():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2)) @ rng.normal(size=(2, 5))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skae.outliers._ensemble._N_STEPS", 20)
        patch.setattr("skae.outliers._ensemble._FEWEST_STEPS", 20)
        return AutoencoderOutlierDetector(contamination=0.1, random_state=0).fit(X), X


@pytest.fixture
def strange():
    """A frame whose index, columns and cells are hostile."""
    rng = np.random.default_rng(0)
    n = 3 * len(HOSTILE)
    frame = pd.DataFrame({HOSTILE[i]: rng.normal(size=n) for i in range(3)})
    frame["words"] = pd.Series(HOSTILE * 3, dtype=object)
    frame["bytes"] = [b"<b>\xff", None, np.nan] * len(HOSTILE)
    frame.loc[::4, HOSTILE[0]] = np.nan
    return frame


def check_page(page):
    """Assert that a page is the one that was meant, and loads nothing."""
    page.encode("utf-8")
    names = [name for name, _ in Elements(page).found]
    assert set(names) <= {
        *("html", "head", "meta", "title", "style", "body", "main", "h1", "dl", "div", "dt", "dd"),
        *("noscript", "p", "script"),
    }
    assert names.count("script") == 2
    for _, attributes in Elements(page).found:
        assert not {"src", "href", "onload", "onerror"} & set(attributes)
    assert "http" not in re.sub(r"http-equiv|http://www.w3.org/2000/svg", "", page)
    data_of(page)


def test_outlier_report_lists_alarms_worst_first(detector):
    report = OutlierReport(*detector)
    cells = [item["cells"] for item in listed(report._page())["items"]]

    assert len(cells) == len(report.alarms_) == 20
    assert [cell[0] for cell in cells] == [str(i) for i in report.alarms_]
    assert np.all(np.diff(report.scores_[report.alarms_]) >= 0)


def test_outlier_report_explains_what_the_detector_explains(detector):
    model, X = detector
    item = listed(OutlierReport(model, X, n_features=2)._page())["items"][0]
    expected = model.explain(X, n_features=2).head(2)

    (table,) = item["figures"]
    assert [row[0] for row in table["rows"]] == [f"x{j}" for j in expected["feature"]]
    assert [row[1] for row in table["rows"]] == [value_text(v) for v in expected["value"]]


def test_outlier_report_has_p_values_of_what_is_listed(detector):
    report = OutlierReport(*detector, max_alarms=3)

    np.testing.assert_array_equal(
        report.p_values_, detector[0].p_values(detector[1])[report.alarms_[:3]]
    )
    assert "The 3 worst of 20 alarms" in report._page()


def test_outlier_report_of_a_detector_that_explains_nothing():
    X = np.random.default_rng(0).normal(size=(50, 3))
    forest = make_pipeline(StandardScaler(), IsolationForest(n_estimators=10, random_state=0)).fit(
        X
    )
    page = OutlierReport(forest, X)._page()

    check_page(page)
    assert "IsolationForest" in page
    assert listed(page)["heads"] == ["row", "score"]


def test_outlier_report_without_alarms(detector):
    model, X = detector
    calm = X[model.decision_function(X) > 0]
    page = OutlierReport(model, calm)._page()

    check_page(page)
    assert listed(page)["items"] == []


def test_outlier_report_of_rows_with_equal_names(detector):
    model, X = detector
    frame = pd.DataFrame(X, index=["same"] * len(X))
    named = OutlierReport(model, frame)

    assert len(listed(named._page())["items"]) == len(named.alarms_)


def test_outlier_report_needs_a_threshold():
    with pytest.raises(TypeError, match="score_samples or decision_function"):
        OutlierReport(StandardScaler(), np.zeros((3, 2)))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_row_names_are_text(detector, name):
    model, X = detector
    page = OutlierReport(model, X, row_names=[name] * len(X), title=name)._page()

    check_page(page)
    assert listed(page)["items"][0]["cells"][0] == plain_text(name)


def test_hostile_frame_is_text(strange):
    report = SyntheticDataReport(strange, strange.sample(frac=1, random_state=0))
    page = report._page()

    check_page(page)
    shown = {item["cells"][0] for item in listed(page)["items"]}
    assert shown == {plain_text(name) for name in strange}


def test_page_stands_in_a_frame_of_its_own_in_notebooks(detector):
    ((name, attributes),) = Elements(OutlierReport(*detector, title=HOSTILE[6])._repr_html_()).found

    assert name == "iframe"
    assert attributes["sandbox"] == "allow-scripts"
    check_page(attributes["srcdoc"])


def test_file_is_the_page(detector, tmp_path):
    report = OutlierReport(*detector)
    report.write_html(tmp_path / "report.html")

    assert (tmp_path / "report.html").read_text("utf-8") == report._page()


def test_synthetic_report_of_the_same_rows():
    X = np.random.default_rng(0).normal(size=(60, 3))
    report = SyntheticDataReport(X, X)

    assert report.share_copied_ == 1
    assert report.dependency_gap_ == 0
    assert set(report.distances_.values()) == {0}


def test_synthetic_report_finds_what_differs():
    rng = np.random.default_rng(0)
    real = pd.DataFrame({"a": rng.normal(size=200), "b": rng.choice(["x", "y"], 200), "c": 1.0})
    other = real.assign(a=real["a"] + 100, b="x")
    report = SyntheticDataReport(real, other)

    assert report.distances_["a"] == 1
    assert report.distances_["b"] == pytest.approx((real["b"] == "y").mean())
    assert report.distances_["c"] == 0
    assert report.two_sample_auc_ > 0.99
    assert report.share_copied_ == 0


def test_synthetic_report_sees_rows_that_were_remembered():
    rng = np.random.default_rng(0)
    real, holdout = rng.normal(size=(2, 100, 4))
    remembered = real + 1e-3 * rng.normal(size=real.shape)

    assert SyntheticDataReport(real, remembered, holdout=holdout).share_closer_to_real_ == 1


def test_synthetic_report_takes_all_kinds_of_columns():
    n = 40
    frame = pd.DataFrame(
        {
            "when": pd.date_range("2020-01-01", periods=n),
            "long": pd.to_timedelta(np.arange(n), "h"),
            "flag": np.arange(n) % 2 == 0,
            "kind": pd.Categorical(list("abcd") * 10),
            "empty": np.nan,
            "nothing": [None] * n,
        }
    )
    page = SyntheticDataReport(frame, frame.iloc[::-1])._page()

    check_page(page)
    assert "2020-01-01" in page


@pytest.mark.parametrize(
    ("real", "synthetic", "message"),
    [
        (np.zeros((20, 2)), np.zeros((20, 3)), "same columns"),
        (np.zeros((20, 2)), np.zeros((5, 2)), "synthetic must have at least 10 rows, got 5"),
        (
            np.zeros((20, 2)),
            pd.DataFrame(np.zeros((20, 2))),
            "both be data frames or both be arrays",
        ),
        (
            pd.DataFrame({"a": [1.0] * 20}),
            pd.DataFrame({"a": [np.inf] * 20}),
            r"synthetic .*\['a'\]",
        ),
    ],
)
def test_synthetic_report_says_what_is_wrong(real, synthetic, message):
    with pytest.raises(ValueError, match=message):
        SyntheticDataReport(real, synthetic)


def test_dependencies_are_ranks_of_numbers_and_cramers_v():
    x = np.arange(100.0)
    kind = np.array(["a", "b"] * 50, dtype=object)
    columns = {"x": x, "exp": np.exp(-x / 9), "kind": kind, "same": kind.copy()}

    found = dependencies(columns, columns)

    assert found[0, 1] == pytest.approx(-1)
    assert found[2, 3] == pytest.approx(1)
    assert found[0, 2] < 0.2


def test_compression_report_measures_all_images(quantizer, images):
    report = CompressionReport(quantizer, images, qualities=[2, 6], crop_size=16)
    page = report._page()

    check_page(page)
    assert report.psnr_[0] < report.psnr_[1]
    assert len(listed(page)["items"]) == 2


def test_crop_is_where_the_error_is_largest():
    from skae.inspection._compression_report import _worst_part

    image = np.zeros((40, 50), np.uint8)
    damaged = image.copy()
    damaged[30:34, 5:9] = 9

    for size in (4, 5):
        rows, columns = _worst_part(image, damaged, size)
        assert damaged[rows, columns].sum() == damaged.sum()


def test_pictures_can_be_read_back(images):
    from base64 import b64decode
    from io import BytesIO

    from PIL import Image

    from skae.inspection._png import png_source

    for image in (images[0], images[0][..., 0]):
        data = b64decode(png_source(image).split(",")[1])
        np.testing.assert_array_equal(np.asarray(Image.open(BytesIO(data))), image)


def test_compression_report_needs_a_quality(quantizer, images):
    with pytest.raises(ValueError, match="qualities must hold at least one"):
        CompressionReport(quantizer, images, qualities=[])


@pytest.mark.parametrize(
    "values", [[-8e307, 8e307], [1e-320, 2e-320], [1e20], [0.0], [np.nan], [1.0, 1e300]]
)
def test_numbers_that_no_axis_can_hold_are_shown_in_the_table(values):
    x = np.resize(values, 40) * np.linspace(0.1, 1, 40)
    page = SyntheticDataReport(pd.DataFrame({"x": x, "y": 1.0}), pd.DataFrame({"x": x, "y": 1.0}))

    check_page(page._page())
