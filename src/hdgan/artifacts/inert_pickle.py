"""Reading a pickle without executing anything: a machine that only takes notes.

Python's own unpickler calls whatever a file names. This one runs the same instructions on plain
data and writes down every call as an `Inert` record; names that are not on a list are refused.
"""

import pickletools
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from hdgan.errors import NetworkFileError

MAX_STEPS = 1_000_000
"""Instructions that are carried out at most, and entries of dictionaries that are copied; a
published network has about fifty thousand."""


@dataclass
class Steps:
    """Instructions that may still be carried out, of one pickle or of several in a file."""

    left: int = MAX_STEPS


_SCALARS = (str, bytes, int, float, type(None))
"""Keys of dictionaries and elements of sets: what is deep may take for ever to be compared."""


@dataclass(frozen=True)
class Name:
    """Something that the file wanted to import."""

    name: str
    """Module and name, with dots."""


@dataclass(eq=False)
class Inert:
    """A call that was not made, and what was to be put into its result."""

    name: str
    """What was to be called."""

    arguments: tuple[Any, ...]
    """With what."""

    state: Any = None
    """What was to become its attributes."""

    items: dict[Any, Any] = field(default_factory=dict)
    """What was to become its items."""


@dataclass(frozen=True)
class Persistent:
    """A reference to something outside the pickle."""

    reference: Any


DICTIONARIES = frozenset({"collections.OrderedDict", "dnnlib.util.EasyDict"})
"""Names whose calls make plain dictionaries here."""

_MARK = object()


def read_pickle(
    stream: BytesIO, allowed: Collection[str], name: str, steps: Steps | None = None
) -> Any:
    """The next object of a stream, as plain data, `Name`, `Inert` and `Persistent`.

    Memory grows with what is stored in the file, not with what it declares.

    Args:
        stream: is left behind the object.
        allowed: names that may occur, such as `collections.OrderedDict`.
        name: what errors call the file.
        steps: that may still be carried out, which become fewer; without them, `MAX_STEPS`.

    Raises:
        NetworkFileError: it names something that is not allowed, or is damaged.
    """
    steps = Steps() if steps is None else steps
    machine = _Machine(allowed, name)
    try:
        for code, argument in _instructions(stream):
            if code == "STOP":
                return machine.pop()
            steps.left -= 1
            if steps.left < 0:
                raise NetworkFileError(
                    f"{name} has more than {MAX_STEPS:,} instructions; no network file has. It was "
                    "not imported."
                )
            machine.run(code, argument)
    except (ValueError, TypeError, IndexError, KeyError, UnicodeError, OverflowError) as error:
        raise NetworkFileError(
            f"{name} is damaged, or no network file (.pkl, .pt, .safetensors) at all. Copy it "
            "again from its source."
        ) from error
    raise NetworkFileError(f"{name} is cut short. Copy it again from its source.")


def _instructions(stream: BytesIO) -> Iterator[tuple[str, Any]]:
    for opcode, argument, _ in pickletools.genops(stream):
        yield opcode.name, argument


class _Machine:
    """Stack, marks and memo of the pickle language."""

    def __init__(self, allowed: Collection[str], name: str) -> None:
        self.allowed, self.name = allowed, name
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.copied = 0
        self.actions: dict[str, Callable[[Any], object]] = {
            **dict.fromkeys(("PROTO", "FRAME"), lambda _: None),
            **dict.fromkeys(_CONSTANTS, self.stack.append),
            **{code: self._pushing(value) for code, value in _FIXED.items()},
            **{code: self._collecting(make) for code, make in _FROM_MARK.items()},
            **{f"TUPLE{n}": self._tupling(n) for n in (1, 2, 3)},
            **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), self._put),
            **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), self._get),
            "EMPTY_LIST": lambda _: self.stack.append([]),
            "EMPTY_DICT": lambda _: self.stack.append({}),
            "EMPTY_SET": lambda _: self.stack.append(set()),
            "MARK": lambda _: self.stack.append(_MARK),
            "POP": lambda _: self.pop(),
            "POP_MARK": lambda _: self._to_mark(),
            "DUP": lambda _: self.stack.append(self.stack[-1]),
            "MEMOIZE": lambda _: self._put(len(self.memo)),
            "APPEND": lambda _: self._extend([self.pop()]),
            "APPENDS": lambda _: self._extend(self._to_mark()),
            "ADDITEMS": lambda _: self._add(self._to_mark()),
            "SETITEM": lambda _: self._set([self.stack.pop(-2), self.pop()]),
            "SETITEMS": lambda _: self._set(self._to_mark()),
            "GLOBAL": lambda argument: self._import(".".join(argument.split(" ", 1))),
            "STACK_GLOBAL": lambda _: self._import_two(self.stack.pop(-2), self.pop()),
            "REDUCE": lambda _: self._call(self.stack.pop(-2), self.pop()),
            "NEWOBJ": lambda _: self._call(self.stack.pop(-2), self.pop()),
            "BUILD": lambda _: self._build(self.pop()),
            "BINPERSID": lambda _: self.stack.append(Persistent(self.pop())),
        }

    def run(self, code: str, argument: Any) -> None:
        """Carry out one instruction."""
        if code not in self.actions:
            raise NetworkFileError(
                f"{self.name} holds the pickle instruction {code}, which no network file needs. It "
                "was not imported."
            )
        self.actions[code](argument)

    def pop(self) -> Any:
        """What lies on top of the stack."""
        value = self.stack.pop()
        if value is _MARK:
            raise ValueError("a mark where a value should be")
        return value

    def _to_mark(self) -> list[Any]:
        values = []
        while (value := self.stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]

    def _pushing(self, value: Any) -> Callable[[Any], None]:
        return lambda _: self.stack.append(value)

    def _collecting(self, make: Callable[[list[Any]], Any]) -> Callable[[Any], None]:
        return lambda _: self.stack.append(make(self._to_mark()))

    def _tupling(self, count: int) -> Callable[[Any], None]:
        return lambda _: self.stack.append(tuple([self.pop() for _ in range(count)][::-1]))

    def _put(self, place: int) -> None:
        self.memo[int(place)] = self.stack[-1]

    def _get(self, place: int) -> None:
        self.stack.append(self.memo[int(place)])

    def _import_two(self, module: Any, name: Any) -> None:
        # Anything else may take for ever to be written out.
        if not isinstance(module, str) or not isinstance(name, str):
            raise ValueError("a name that is no text")
        self._import(f"{module}.{name}")

    def _import(self, name: str) -> None:
        if name not in self.allowed:
            raise NetworkFileError(
                f"{self.name} wants to use {name[:200]}, which a network file does not need. "
                "Nothing of it was executed or imported; do not trust this file."
            )
        self.stack.append(Name(name))

    def _call(self, called: Any, arguments: Any) -> None:
        if not isinstance(called, Name) or not isinstance(arguments, tuple):
            raise ValueError("a call of something that is no function")
        if called.name in DICTIONARIES:
            self.stack.append(self._dictionary(*arguments[:1]))
        else:
            self.stack.append(Inert(called.name, arguments))

    def _dictionary(self, entries: Any = ()) -> dict[Any, Any]:
        """A copy, of which a file may ask for only so many."""
        if not isinstance(entries, (list, tuple, dict)):
            raise ValueError("a dictionary of something else")
        self.copied += len(entries)
        if self.copied > MAX_STEPS:
            raise ValueError("too many copies")
        pairs = list(entries.items()) if isinstance(entries, dict) else entries
        return _dictionary_of([part for pair in pairs for part in _two(pair)])

    def _build(self, state: Any) -> None:
        if isinstance(self.stack[-1], Inert):
            self.stack[-1].state = state
        elif not isinstance(self.stack[-1], dict):
            raise ValueError("attributes for something that has none")

    def _extend(self, values: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise ValueError("elements for something that is no list")
        self.stack[-1].extend(values)

    def _add(self, values: list[Any]) -> None:
        if not isinstance(self.stack[-1], set):
            raise ValueError("elements for something that is no set")
        self.stack[-1].update(_scalars(values))

    def _set(self, values: list[Any]) -> None:
        target = self.stack[-1]
        target = target.items if isinstance(target, Inert) else target
        if not isinstance(target, dict):
            raise ValueError("items for something that is no dictionary")
        target.update(_dictionary_of(values))


def _two(pair: Any) -> tuple[Any, Any]:
    if not isinstance(pair, (list, tuple)) or len(pair) != 2:
        raise ValueError("an entry that is no pair")
    return pair[0], pair[1]


def _scalars(values: list[Any]) -> list[Any]:
    if not all(isinstance(value, _SCALARS) for value in values):
        raise ValueError("a key that is no text and no number")
    return values


def _dictionary_of(values: list[Any]) -> dict[Any, Any]:
    """Keys and values that follow one another."""
    return dict(zip(_scalars(values[::2]), values[1::2], strict=True))


_CONSTANTS = (
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
)  # fmt: skip

_FIXED = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}

_FROM_MARK: dict[str, Callable[[list[Any]], Any]] = {
    "TUPLE": tuple,
    "LIST": list,
    "DICT": _dictionary_of,
    "FROZENSET": lambda values: frozenset(_scalars(values)),
}
