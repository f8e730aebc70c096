"""The hooks of pre-commit run the same linters as `make test`."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("tool", "repository"), [("codespell", "codespell"), ("ruff", "ruff-pre-commit")]
)
def test_hook_has_the_version_of_constraints(tool, repository):
    hooks = ROOT.joinpath(".pre-commit-config.yaml").read_text("utf-8")
    constraints = ROOT.joinpath("constraints.txt").read_text("utf-8")

    pinned = re.search(rf"^{tool}==(.+)$", constraints, re.MULTILINE)[1]

    assert re.search(rf"/{repository}\n +rev: v(.+)$", hooks, re.MULTILINE)[1] == pinned
