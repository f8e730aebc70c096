"""Measure how the package is built: long files and functions, overridden members, kinds of state.

    python tools/house.py            # one row per measure
    python tools/house.py --details  # and what each of them counts

Lines of a file or class are all its lines. Code lines of a function are those from its decorators
to its end that hold code: no blank lines, no comments, no docstrings, also not those of functions
inside it. tests/test_house.py holds the walls.
"""

import argparse
import ast
import io
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import is_dataclass
from functools import cache, partial
from importlib import import_module
from numbers import Number
from pathlib import Path
from types import BuiltinFunctionType, FunctionType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from torch import nn

import skae

ROOT = Path(__file__).resolve().parents[1]
FILE_LINES, CLASS_LINES, FUNCTION_LINES, SHORT_FUNCTION_LINES = 400, 350, 60, 40

BASES = ("NetEstimator", "BaseAutoencoder")
EVERY_CLASS_DEFINES = {"__init__", "_parameter_constraints", "__sklearn_tags__"}

Function = ast.FunctionDef | ast.AsyncFunctionDef
NO_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


class Part(NamedTuple):
    """A file, class or function, and how many lines it has."""

    name: str
    n_lines: int

    def __str__(self) -> str:
        return f"{self.n_lines:4d}  {self.name}"


# ---------------------------------------------------------------- the source


@cache
def sources() -> dict[str, str]:
    """Return the text of every file of the package, by its path."""
    paths = sorted(ROOT.joinpath("skae").rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}


@cache
def trees() -> dict[str, ast.Module]:
    """Return the syntax tree of every file of the package, by its path."""
    return {path: ast.parse(text) for path, text in sources().items()}


def files() -> list[Part]:
    """Return the files of the package with their lines."""
    return [Part(path, len(text.splitlines())) for path, text in sources().items()]


def classes() -> list[Part]:
    """Return the classes of the package with their lines."""
    return [
        Part(f"{path}: {node.name}", node.end_lineno - first_line(node) + 1)
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    ]


def functions() -> list[Part]:
    """Return the functions and methods of the package with their code lines."""
    return [
        Part(f"{path}: {name}", sum(first_line(node) <= i <= node.end_lineno for i in lines))
        for path, tree in trees().items()
        for lines in [code_lines(sources()[path], tree)]
        for name, node in named_functions(tree)
    ]


def named_functions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Yield all functions below a node, with the names of what they stand in."""
    for child in ast.iter_child_nodes(node):
        name = prefix
        if isinstance(child, Function | ast.ClassDef):
            name = f"{prefix}{child.name}."
            if isinstance(child, Function):
                yield name[:-1], child
        yield from named_functions(child, name)


def first_line(node: Function | ast.ClassDef) -> int:
    """Return the line of the first decorator, or else of the definition."""
    return min(part.lineno for part in [node, *node.decorator_list])


def code_lines(text: str, tree: ast.Module) -> set[int]:
    """Return the lines of a file that hold code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree):
        if isinstance(node, Function | ast.ClassDef | ast.Module) and ast.get_docstring(node):
            lines.difference_update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return lines


def longer_than(n_lines: int, parts: Iterable[Part]) -> list[Part]:
    """Return the parts with more lines than that, the longest first."""
    return sorted((p for p in parts if p.n_lines > n_lines), key=lambda p: -p.n_lines)


def hidden_members() -> list[str]:
    """Return the members that classes inherit, or scikit-learn adds, and that are then hidden.

    These are properties that only raise AttributeError, what `available_if` never makes available,
    and the output of `transform` where it is not to be wrapped.
    """
    found = []
    for path, tree in trees().items():
        never = {node.name for node in tree.body if is_never(node)}
        for owner in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
            names = [
                f"{keyword.arg}=None"
                for keyword in owner.keywords
                if keyword.arg == "auto_wrap_output_keys" and is_constant(keyword.value, None)
            ]
            for node in owner.body:
                if isinstance(node, ast.Assign) and is_unavailable(node.value, never):
                    names += [ast.unparse(target) for target in node.targets]
                elif isinstance(node, Function) and (
                    only_raises_attribute_error(node)
                    or any(is_unavailable(decorator, never) for decorator in node.decorator_list)
                ):
                    names.append(node.name)
            found += [f"{path}: {owner.name}.{name}" for name in names]
    return found


def is_constant(node: ast.AST | None, value: Any) -> bool:
    """Tell whether a node is a constant of that value."""
    return isinstance(node, ast.Constant) and node.value is value


def without_docstring(function: Function) -> list[ast.stmt]:
    """Return the statements of a function."""
    return function.body[1 if ast.get_docstring(function) else 0 :]


def is_never(node: ast.AST) -> bool:
    """Tell whether a function does nothing but return False."""
    if isinstance(node, ast.Lambda):
        return is_constant(node.body, False)
    if not isinstance(node, Function):
        return False
    match without_docstring(node):
        case [ast.Return(value=value)]:
            return is_constant(value, False)
    return False


def is_unavailable(node: ast.AST, never: set[str]) -> bool:
    """Tell whether a node calls `available_if` with a function that always says no."""
    return any(
        isinstance(call, ast.Call)
        and ast.unparse(call.func).endswith("available_if")
        and any(is_never(a) or (isinstance(a, ast.Name) and a.id in never) for a in call.args)
        for call in ast.walk(node)
    )


def only_raises_attribute_error(function: Function) -> bool:
    """Tell whether a property is there to say that something is not."""
    if "property" not in map(ast.unparse, function.decorator_list):
        return False
    match without_docstring(function):
        case [ast.Raise(exc=ast.Call(func=ast.Name(id="AttributeError")))]:
            return True
    return False


# ---------------------------------------------------------------- the classes


def overridden_members(cls: type) -> list[str]:
    """Return the members of the bases that a class, or one between, defines again."""
    bases = tuple(c for c in cls.__mro__ if c.__name__ in BASES)
    between = [c for c in cls.__mro__ if c not in bases and issubclass(c, bases)]
    return sorted(set().union(*map(members, bases)) & set().union(*map(members, between)))


def members(cls: type) -> set[str]:
    """Return the names of the methods and properties that a class itself defines."""
    names = {name for name, value in vars(cls).items() if hasattr(value, "__get__")}
    return names - EVERY_CLASS_DEFINES - {"__dict__", "__weakref__"}


# ---------------------------------------------------------------- the state


def fitted_estimators() -> dict[str, Any]:
    """Return an estimator of each kind, fitted to few rows."""
    torch.set_num_threads(1)
    digits = load_digits()
    X, images = digits.data[:100] / 16, (digits.images[:100] * 15).astype(np.uint8)
    kind = pd.Categorical.from_codes(digits.target[:100] % 3, ["a", "b", "c"])
    frame = pd.DataFrame({"number": X[:, 20], "flag": X[:, 30] > 0.5, "kind": kind})
    few: dict[str, Any] = {"max_epochs": 1, "random_state": 0}
    return {
        "VariationalAutoencoder": skae.VariationalAutoencoder(2, **few).fit(frame),
        "AdversarialAutoencoder": skae.AdversarialAutoencoder(2, **few).fit(frame),
        "AutoencoderOutlierDetector": skae.AutoencoderOutlierDetector(random_state=0).fit(X[:, :8]),
        "ImageCompressor": skae.ImageCompressor(random_state=0).fit(images),
        "Autoencoder": skae.Autoencoder(2, **few).fit(X),
    }


def kinds_of_state(estimator: Any) -> list[str]:
    """Return the kinds of objects in the state of an estimator that are not plain.

    Plain are arrays of numbers, numbers, strings, bytes, None, lists, tuples and dicts. The kind of
    an object is its class; classes and functions are kinds themselves. What other packages keep
    inside their objects, modules of torch and partial functions excepted, is theirs.
    """
    kinds: set[str] = set()
    seen: dict[int, Any] = {}  # with the objects, so that none gets the id of another
    rest: list[Any] = [estimator.__getstate__()]
    while rest:
        value = rest.pop()
        if value is None or isinstance(value, Number | str | bytes) or id(value) in seen:
            continue
        seen[id(value)] = value
        cls = type(value)
        if cls is np.ndarray and value.dtype != object:
            continue
        if isinstance(value, type | FunctionType | BuiltinFunctionType):
            kinds.add(f"{value.__module__}.{value.__qualname__} itself")
        elif cls is not np.ndarray and cls not in (list, tuple, dict):
            kinds.add(f"{cls.__module__}.{cls.__qualname__}{' (dataclass)' * is_dataclass(cls)}")

        if isinstance(value, dict):
            rest += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set | frozenset | np.ndarray):
            rest += list(value)
        elif isinstance(value, partial):
            rest += [value.func, value.args, value.keywords]
        elif isinstance(value, nn.Module) or cls.__module__.startswith("skae."):
            rest.append(value.__getstate__())
    return sorted(kinds)


# ---------------------------------------------------------------- the table


def measures() -> Iterator[tuple[str, list[Any]]]:
    """Yield the name of every measure, and what it counts."""
    yield f"files above {FILE_LINES} lines", longer_than(FILE_LINES, files())
    for limit in (FUNCTION_LINES, SHORT_FUNCTION_LINES):
        yield f"functions above {limit} code lines", longer_than(limit, functions())
    yield f"classes above {CLASS_LINES} lines", longer_than(CLASS_LINES, classes())
    generator = import_module("skae.generation._generator").BaseGenerator
    for cls in (import_module("skae.compression").ImageCompressor, generator):
        yield f"members of the base overridden by {cls.__name__}", overridden_members(cls)
    yield "members hidden or blocked", hidden_members()
    yield "names in training.__all__", import_module("skae.training").__all__
    for name, estimator in fitted_estimators().items():
        yield f"kinds of state that are not plain, {name}", kinds_of_state(estimator)


def note(found: list[Any]) -> str:
    """Return what to say beside the number of what was found."""
    if found and isinstance(found[0], Part):
        return f"(largest {found[0].n_lines})"
    n_dataclasses = sum(str(item).endswith("(dataclass)") for item in found)
    return f"(dataclasses: {n_dataclasses})" if n_dataclasses else ""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--details", action="store_true", help="list what each measure counts")
    details = parser.parse_args().details
    for name, found in measures():
        print(f"{name:<62} {len(found):>4} {note(found)}".rstrip(), flush=True)
        for item in found if details else ():
            print(f"    {item}")


if __name__ == "__main__":
    main()
