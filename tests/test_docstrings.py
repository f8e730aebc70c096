"""Everything public is documented in numpydoc's terms, and its examples run."""

import doctest
import inspect
import pkgutil
import tomllib
from importlib import import_module

import pytest
from numpydoc.validate import get_validation_checks, validate

import skae


def overrides(cls, name):
    """Tell whether the docstring of a base class says what a method does."""
    owners = [base for base in cls.__mro__ if name in vars(base)]
    return any(inspect.getdoc(getattr(base, name)) for base in owners[1:])


def public_methods(cls):
    """Yield the name and value of each public method and property that `cls` adds in skae."""
    names = {
        name
        for base in cls.__mro__
        if base.__module__.startswith("skae.")
        for name in vars(base)
        if not name.startswith("_")
    }
    for name in sorted(names):
        method = getattr(cls, name)
        if overrides(cls, name):
            continue
        if inspect.isroutine(method) or isinstance(method, property):
            yield name, method


def public_objects():
    """Yield the import path and value of everything in the `__all__` of the public rooms."""
    for room_info in pkgutil.iter_modules(skae.__path__, "skae."):
        if room_info.name.startswith("skae._"):
            continue
        room = import_module(room_info.name)
        for name in room.__all__:
            obj = getattr(room, name)
            path = f"{room.__name__}.{name}"
            if inspect.isfunction(obj):
                yield path, obj
            elif inspect.isclass(obj):
                yield path, obj
                for method_name, method in public_methods(obj):
                    yield f"{path}.{method_name}", method


OBJECTS = dict(public_objects())


def examples_of(path):
    docstring = inspect.getdoc(OBJECTS[path]) or ""
    return doctest.DocTestParser().get_doctest(docstring, {}, path, None, None)


@pytest.fixture(scope="module")
def checks(request):
    pyproject = tomllib.loads((request.config.rootpath / "pyproject.toml").read_text("utf-8"))
    return get_validation_checks(set(pyproject["tool"]["numpydoc_validation"]["checks"]))


@pytest.mark.parametrize("path", OBJECTS)
def test_docstring_is_complete(path, checks):
    errors = [f"{code} {text}" for code, text in validate(path)["errors"] if code in checks]

    assert not errors, "\n".join([f"{path}:", *errors])


@pytest.mark.parametrize("path", [path for path in OBJECTS if examples_of(path).examples])
def test_examples_run(path):
    report = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)

    failed, _ = runner.run(examples_of(path), out=report.append)

    assert not failed, "".join(report)


@pytest.mark.parametrize(
    "name", [name for name in skae.__all__ if name[0].isupper() and not name.endswith("Error")]
)
def test_estimator_has_an_example(name):
    assert ">>>" in getattr(skae, name).__doc__
