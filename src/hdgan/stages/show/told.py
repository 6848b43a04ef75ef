"""What `show` hands to the command line."""

from collections.abc import Mapping
from dataclasses import dataclass

from hdgan.pipeline import Fact, Made


@dataclass(frozen=True)
class Told(Made):
    """What was found out of an artifact."""

    differs: bool = False
    """Whether something is not as it was written or drawn."""


def clean(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """Facts whose texts cannot move a terminal's cursor: names come from other people's files."""
    return {
        _printable(name): _printable(fact) if isinstance(fact, str) else fact
        for name, fact in facts.items()
    }


def _printable(text: str) -> str:
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
