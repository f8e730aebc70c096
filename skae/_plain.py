"""What the state of a fitted estimator is made of: plain values, arrays and registered dataclasses.

Storing such a state is one walk through it, and reading it needs no code but that of the classes
that are named here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any, TypeVar, dataclass_transform

_T = TypeVar("_T")
_PLAIN = (bool, bytes, complex, float, int, str, type(None))

# By their names, all kinds of objects in fitted states.
REGISTERED: dict[str, type] = {}
_ROOMS = ("losses", "networks")  # whose classes a `Part` may name


@dataclass_transform(eq_default=False)
def registered(cls: type[_T]) -> type[_T]:
    """Make a class a dataclass that fitted states may hold.

    Its fields must be plain values, arrays, containers of these, or such dataclasses.

    Parameters
    ----------
    cls : type
        The class.

    Returns
    -------
    type
        The dataclass.
    """
    made = dataclass(eq=False)(cls)
    REGISTERED[f"{cls.__module__}.{cls.__qualname__}"] = made
    return made


@registered
class Part:
    """A class of the package, and arguments for it.

    Parameters
    ----------
    room : {"losses", "networks"}
        Where the class lives.
    name : str
        Its public name there.
    params : dict
        Keyword arguments, which may be or hold parts themselves.
    """

    room: str
    name: str
    params: Mapping[str, Any]

    @property
    def cls(self) -> type:
        """The class."""
        room = import_module(f"{__package__}.{self.room}") if self.room in _ROOMS else None
        if room is None or self.name not in room.__all__:
            raise ValueError(f"skae.{self.room} has no class {self.name!r}")
        return getattr(room, self.name)

    def make(self, *args: Any, **params: Any) -> Any:
        """Return a new object.

        Parameters
        ----------
        *args : tuple
            What its constructor is given first.
        **params : dict
            Further keyword arguments.

        Returns
        -------
        object
            Of the class.
        """
        return self.cls(*args, **_made({**self.params, **params}))


def _made(value: Any) -> Any:
    """Return a container in which parts are what they make."""
    if isinstance(value, Part):
        return value.make()
    if isinstance(value, dict):
        return {key: _made(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_made(item) for item in value)
    return value


def kinds_in(state: Any) -> Iterator[type]:
    """Yield the kinds of objects in a state that are neither plain values, arrays nor containers.

    Parameters
    ----------
    state : object
        A state.

    Yields
    ------
    type
        A registered dataclass, whose fields are gone through too, or what should not be there.
    """
    if isinstance(state, dict):
        state = [*state.keys(), *state.values()]
    if type(state) in (list, tuple, set):
        for item in state:
            yield from kinds_in(item)
    elif type(state) in REGISTERED.values():
        yield type(state)
        for field in fields(state):
            yield from kinds_in(getattr(state, field.name))
    elif not isinstance(state, _PLAIN) and type(state).__module__ != "numpy":
        yield type(state)
