"""Names that every file system and every reader takes."""

import re
from collections.abc import Iterable

MAX_CHARACTERS = 80
"""With its ending a name must fit into the 100 that a tar archive has room for."""

_STRANGE = re.compile(r"[^A-Za-z0-9_-]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", flags=re.IGNORECASE)
"""Names that Windows keeps for devices."""


def safe_names(names: Iterable[str]) -> list[str]:
    """One name for each: letters, digits, `_` and `-`, none twice even where case is ignored.

    A point goes too: readers of shards end the name at the first one. A safe name stays as it is,
    unless an earlier one has become it.
    """
    taken: set[str] = set()
    safe: list[str] = []
    for name in names:
        wanted = _safe(name)
        free, count = wanted, 1
        while free.casefold() in taken:
            count += 1
            free = f"{wanted}-{count}"
        taken.add(free.casefold())
        safe.append(free)
    return safe


def joined_words(text: str) -> str:
    """`Synthetic kidney, PAS` as `SyntheticKidneyPAS`; a text without letters is `Dataset`."""
    words = re.findall(r"[A-Za-z0-9]+", text)
    return "".join(word[0].upper() + word[1:] for word in words)[:MAX_CHARACTERS] or "Dataset"


def _safe(name: str) -> str:
    short = _STRANGE.sub("_", name)[:MAX_CHARACTERS].lstrip("-")
    return f"image_{short}" if not short or _RESERVED.fullmatch(short) else short
