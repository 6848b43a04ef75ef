"""What a command is to make, and how it differs from what another has begun or made."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from hdgan.artifacts.seen import Seen

_INPUTS = frozenset({"images", "label-maps", "outlines", "table"})
"""Parents that are a user's files rather than artifacts."""
_WAYS = frozenset({"cache", "cluster", "features", "keep_going", "memory", "threads", "workers"})
"""Settings that decide how the work is done. A run may go on another way: what comes out is the
same, but for rounding."""


@dataclass(frozen=True)
class Order:
    """What is to be made: two runs with equal orders make equal artifacts."""

    kind: str
    """Kind of the artifact."""

    settings: dict[str, Any]
    """The choices, as plain data."""

    parents: dict[str, str]
    """Digest by kind."""

    seen: Seen = field(default_factory=Seen)
    """What the artifact learns from. It follows from the parents and the settings, so it does not
    make another order."""

    late: Sequence[str] = ()
    """Settings that decide only what becomes, at the end, of pieces that are made one by one. If
    there are any, each piece says itself what it was made from, and an unfinished run keeps its
    pieces when these settings or the user's files change."""

    grows: Sequence[str] = ()
    """Settings of which a larger number adds to what an equal command with a smaller one has made,
    finished or not."""

    def adds_to(self, made: "Order") -> bool:
        """Whether this is the command that made something, but for numbers that have grown."""
        changed = self._changed_settings(made)
        return (
            bool(changed)
            and changed.keys() <= set(self.grows)
            and (self.kind, self.parents) == (made.kind, made.parents)
            and all(_is_more(value, made.settings.get(name)) for name, value in changed.items())
        )

    def takes_over(self, begun: "Order") -> bool:
        """Whether what was begun may hold pieces that this order can use."""
        changed = self._changed_settings(begun).keys()
        return bool(self.late) and self.kind == begun.kind and changed <= set(self.late)

    def is_after_changed_input(self, begun: "Order") -> bool:
        """Whether this is the order that was begun, on files that the user has changed since."""
        changed = {
            kind
            for kind in self.parents | begun.parents
            if self.parents.get(kind) != begun.parents.get(kind)
        }
        is_same = self.kind == begun.kind and not self._changed_settings(begun)
        return is_same and changed <= _INPUTS

    def _changed_settings(self, other: "Order") -> dict[str, object]:
        """Those that decide what is made, by name."""
        return {
            name: value
            for name, value in self.settings.items()
            if name not in _WAYS and other.settings.get(name) != value
        }

    def differences(self, other: "Order") -> list[str]:
        """What differs, one phrase each."""
        if self.kind != other.kind:
            return [f"it holds a {other.kind}, not a {self.kind}"]
        phrases = [
            _change(name.replace("_", "-"), other.settings.get(name), value)
            for name, value in self._changed_settings(other).items()
            if not (name in self.grows and _is_more(value, other.settings.get(name)))
        ]
        phrases += [
            f"it was made from another {kind}"
            for kind in self.parents | other.parents
            if self.parents.get(kind) != other.parents.get(kind)
        ]
        return phrases


def _is_more(now: object, before: object) -> bool:
    numbers = isinstance(now, int | float) and isinstance(before, int | float)
    return numbers and now > before  # type: ignore[operator]


def _change(name: str, before: object, now: object) -> str:
    """What became of a setting, unless that would fill the screen."""
    values = [
        "not given" if value is None else json.dumps(value, ensure_ascii=False)
        for value in (before, now)
    ]
    if max(map(len, values)) > 40:
        return f"{name} was another"
    return f"{name} was {values[0]}, now {values[1]}"


def plain(settings: object) -> dict[str, Any]:
    """A settings dataclass as JSON has it."""
    content: dict[str, Any] = json.loads(json.dumps(asdict(settings)))  # type: ignore[call-overload]
    return content
