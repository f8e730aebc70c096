"""The rooms of the package, and the doors between them."""

import re
import subprocess
import sys


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_import_contracts_are_kept(request):
    config = request.config.rootpath / "pyproject.toml"
    result = run_python(
        "import sys; from importlinter.cli import lint_imports; "
        f"sys.exit(lint_imports(config_filename={str(config)!r}, no_cache=True, no_logo=True))"
    )

    assert result.returncode == 0, result.stdout + result.stderr


def test_import_skae_imports_no_dependency():
    heavy = {"matplotlib", "numpy", "scipy", "sklearn", "skorch", "torch"}

    result = run_python("import sys, skae; print(*sys.modules)")

    assert result.returncode == 0, result.stderr
    assert heavy.isdisjoint(result.stdout.split())


def test_public_names_resolve():
    result = run_python("import skae; [getattr(skae, name) for name in dir(skae)]")

    assert result.returncode == 0, result.stderr


def test_unknown_name_is_an_attribute_error():
    result = run_python("import skae; skae.autoencoder")

    assert "AttributeError: module 'skae' has no attribute 'autoencoder'" in result.stderr


def test_coding_knows_no_medium(request):
    words = re.compile("image|pixel|height|width|patch|sound|audio", re.IGNORECASE)
    files = list((request.config.rootpath / "skae" / "coding").glob("*.py"))

    found = {file.name: words.findall(file.read_text(encoding="utf-8")) for file in files}

    assert found
    assert not any(found.values()), found
