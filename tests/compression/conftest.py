"""Small data everywhere: that a fit warns of them is tested in one place."""

import pytest

_FEW = pytest.mark.filterwarnings("ignore:X has .* few to learn")


def pytest_collection_modifyitems(items):
    """Let compressors learn from little."""
    for item in items:
        if "compression" in item.path.parts:
            item.add_marker(_FEW)
