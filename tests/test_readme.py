"""The code of the README and of the user guide runs, and the README's links lead somewhere."""

import doctest
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

ROOT = Path(__file__).resolve().parents[1]
README = ROOT.joinpath("README.md").read_text("utf-8")
GUIDE = [ROOT / "docs" / "index.rst", *sorted(ROOT.glob("docs/user_guide/*.rst"))]


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_readme_code_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # to which it writes
    namespace = {}

    for block in re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE):
        exec(block, namespace)

    assert namespace["codes"].shape == (1797, 8)
    assert namespace["images"].shape == namespace["X"].shape
    assert set(range(0, 100, 10)) <= set(namespace["alarms"]["row"])


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_readme_link_leads_somewhere(target):
    assert target.startswith("https://") or ROOT.joinpath(target).exists()


@pytest.mark.parametrize("page", GUIDE, ids=lambda page: page.stem)
def test_user_guide_code_runs(page):
    report = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    test = doctest.DocTestParser().get_doctest(page.read_text("utf-8"), {}, page.name, str(page), 0)

    failed, _ = runner.run(test, out=report.append)

    assert not failed, "".join(report)
