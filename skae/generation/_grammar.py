"""Constraints as users write them, such as ``"total == a + b"``; nothing is evaluated."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])
    |(?P<name>[^\W\d]\w*)
    |`(?P<quoted>[^`]+)`
    |'(?P<text>[^']*)'|"(?P<more_text>[^"]*)"
    |(?P<relation><=|>=|==|<|>)
    |(?P<sign>[+-])
    |(?P<times>\*)
    )""",
    re.VERBOSE,
)
_MIRRORED = {">=": "<=", ">": "<"}
HELP = (
    "a constraint compares sums of columns by <=, <, ==, > or >=, such as 'age >= 0', "
    "'start <= end', 'total == a + 2 * b' or '`unit price` > 0'"
)


@dataclass(frozen=True)
class Term:
    """A part of a sum.

    Parameters
    ----------
    factor : float
        What it is multiplied by.
    column : str or None
        Name of a column; None for a number.
    text : str or None, default=None
        Something in quotes, such as a date.
    """

    factor: float
    column: str | None
    text: str | None = None


@dataclass(frozen=True)
class Comparison:
    """Two sums, of which the first is at most the second, less than it, or equal to it.

    Parameters
    ----------
    text : str
        What the user wrote.
    left, right : list of Term
        The sums.
    relation : {"<=", "<", "=="}
        Which of them.
    """

    text: str
    left: list[Term]
    right: list[Term]
    relation: str


def comparisons_in(text: str) -> list[Comparison]:
    """Read a constraint.

    Parameters
    ----------
    text : str
        Such as ``"0 <= start <= end"``.

    Returns
    -------
    list of Comparison
        One, or several if it is a chain.

    Raises
    ------
    ValueError
        If it is something else.
    """
    tokens = _tokens(text)
    sums: list[list[tuple[str, str]]] = [[]]
    relations = []
    for kind, value in tokens:
        if kind == "relation":
            relations.append(value)
            sums.append([])
        else:
            sums[-1].append((kind, value))
    if not relations:
        raise ValueError(f"constraint {text!r} compares nothing; {HELP}")
    terms = [_terms(text, each) for each in sums]
    found = []
    for left, relation, right in zip(terms, relations, terms[1:], strict=False):
        if relation in _MIRRORED:
            left, right, relation = right, left, _MIRRORED[relation]
        found.append(Comparison(text, left, right, relation))
    return found


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, place = [], 0
    while place < len(text.rstrip()):
        match = _TOKEN.match(text, place)
        if match is None or not match.lastgroup:
            found = text[place:].strip()
            raise ValueError(
                f"constraint {text!r} can't be read from {found!r} on; {HELP}. Names that are no "
                "plain words stand in backticks"
            )
        kind = {"quoted": "name", "more_text": "text"}.get(match.lastgroup, match.lastgroup)
        tokens.append((kind, match[match.lastgroup]))
        place = match.end()
    return tokens


def _terms(text: str, tokens: list[tuple[str, str]]) -> list[Term]:
    """Read a sum: terms are numbers, columns, products of both, or text."""
    terms = []
    rest = list(tokens)
    while rest or not terms:
        factor = 1.0
        if rest and rest[0][0] == "sign":
            factor = -1.0 if rest.pop(0)[1] == "-" else 1.0
        elif terms:
            raise ValueError(f"constraint {text!r} lacks a sign before {rest[0][1]!r}; {HELP}")
        product = [rest.pop(0)] if rest else []
        while len(product) % 2 and rest and rest[0][0] == "times":
            product += [rest.pop(0)]
            product += [rest.pop(0)] if rest else []
        kinds = [kind for kind, _ in product[::2]]
        if len(product) % 2 == 0 or not set(kinds) <= {"number", "name", "text"}:
            raise ValueError(f"constraint {text!r} has a sum that lacks a term; {HELP}")
        if kinds.count("name") > 1 or ("text" in kinds and len(kinds) > 1):
            raise ValueError(f"constraint {text!r} has a product of columns; {HELP}")
        for kind, value in product[::2]:
            factor *= float(value) if kind == "number" else 1.0
        names = dict(product[::2])
        terms.append(Term(factor, names.get("name"), names.get("text")))
    return terms
