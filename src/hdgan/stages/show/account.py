"""What is told of an artifact, whatever its kind."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from hdgan.artifacts.artifact import Artifact
from hdgan.pipeline import Fact
from hdgan.report.artifact_page import Gallery
from hdgan.report.artifact_page_markdown import PageText
from hdgan.report.page import Section

Kind = TypeVar("Kind", bound=Artifact)
Record = TypeVar("Record")

UNREADABLE = (KeyError, ValueError)
"""What is raised by a file of another version, beside the errors that name the file."""


@dataclass(frozen=True)
class Look:
    """How far one looks."""

    num_pictures: int
    """Records whose pixels are read at most."""

    beside: Mapping[str, Path]
    """Folders of the artifacts beside the one that is shown, and of shipped ones, by digest."""

    def parent(self, child: Artifact, kind: type[Kind]) -> Kind | None:
        """What `child` was made from, if that is beside it."""
        folder = self.beside.get(child.manifest.parents.get(kind.kind, ""))
        return None if folder is None else kind.open(folder)

    def children(self, parent: Artifact, kind: type[Kind]) -> list[Kind]:
        """What is beside it, of this kind, and was made from it."""
        found = [Artifact.open(folder) for folder in self.beside.values()]
        return [
            kind.open(one.folder)
            for one in found
            if one.manifest.kind == kind.kind and parent.digest in one.manifest.parents.values()
        ]

    def spread(self, records: Sequence[Record]) -> list[Record]:
        """As many of the records as are looked at, the first and the last among them."""
        if len(records) <= self.num_pictures:
            return list(records)
        step = (len(records) - 1) / max(1, self.num_pictures - 1)
        return [records[round(i * step)] for i in range(self.num_pictures)]


@dataclass(frozen=True)
class Shown:
    """What a page shows beside the facts."""

    numbers: Sequence[tuple[str, str, str]] = ()
    """Headline numbers: value, name, definition."""

    gallery: Gallery | None = None
    """Pictures."""

    sections: Sequence[Section] = field(default_factory=list)
    """Charts and tables."""

    texts: Sequence[PageText] = field(default_factory=list)
    """Cards and READMEs."""


@dataclass(frozen=True)
class Account:
    """What one kind of artifact has to say."""

    lead: str
    """What such an artifact is, in a sentence."""

    facts: dict[str, Fact]
    """What is in it, what a user asks first coming first."""

    shown: Callable[[], Shown]
    """Reads what only a page needs."""

    unused: frozenset[str] = frozenset()
    """Settings that had no say, because others took their place."""


def counted(values: Sequence[object], *, none: str = "not named") -> str:
    """How often each value occurs: `PAS 30, H&E 12`; the same order for the same values."""
    if all(value is None for value in values):
        return none
    counts = Counter(none if value is None else str(value) for value in values)
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))


def of_all(num_looked: int, num_all: int, what: str) -> str:
    """What a number is of, if not all records were looked at: `of 200 of 5,000 pairs`."""
    return "" if num_looked == num_all else f" (of {num_looked:,} of {num_all:,} {what})"
