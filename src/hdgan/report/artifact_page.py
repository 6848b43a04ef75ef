"""The page of an artifact: what it is, where it comes from, and a gallery of what is in it."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from hdgan.class_map import ClassMap
from hdgan.pipeline import Fact
from hdgan.report.artifact_page_markdown import PageText
from hdgan.report.page import PageTable, Section

MAX_BYTES = 18_000_000
"""Pictures of a gallery, together; beyond it every second one is left out."""

_MARK = b'<meta name="generator" content="hdgan show">'
_MARK_WITHIN = 1000
"""Bytes from the beginning in which a page says who wrote it."""

_ENVIRONMENT = Environment(
    loader=PackageLoader("hdgan", "report"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=True,
)


_NUMBER = re.compile(r"-?|[<>]?-?[\d.,]+\s*(%|px|mm2|nats)?")
_LONG = 40
"""Letters that a cell has before its column may break lines."""


@dataclass(frozen=True)
class View:
    """One way to look at the pictures of a gallery."""

    name: str
    """What it shows, as a reader chooses it."""

    layers: tuple[str, ...]
    """Names of the layers, the lowest first."""

    is_faint: bool = False
    """Whether the uppermost layer lets those below shine through."""


@dataclass(frozen=True)
class GalleryPicture:
    """One record of an artifact, as pictures of one size that lie over one another."""

    name: str
    """Of the record."""

    layers: Mapping[str, str]
    """Data URIs by name of the layer; names are words of small letters."""

    shape: tuple[int, int]
    """Height and width of the record's image, px; the layers may be smaller."""

    notes: Sequence[str] = ()
    """What stands below it."""

    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What it can be filtered by: values by name, such as `fold` and `class present`."""

    numbers: Mapping[str, float] = field(default_factory=dict)
    """What it can be sorted by."""


@dataclass(frozen=True)
class Gallery:
    """Pictures that one can scroll through, filter, sort, and see in large."""

    text: str
    """What they are."""

    views: Sequence[View]
    """The first is shown at first."""

    pictures: Sequence[GalleryPicture]
    """All with the layers of the views, or some of them."""

    legend: ClassMap | None = None
    """Classes whose colours the layers use."""

    unlabelled: Literal["clear", "black"] | None = None
    """How a layer shows unlabelled pixels, if there may be some."""

    @property
    def groups(self) -> dict[str, list[str]]:
        """The values of each filter that divides the pictures, sorted; numbers by their size."""
        found: dict[str, set[str]] = {}
        for picture in self.pictures:
            for name, values in picture.groups.items():
                found.setdefault(name, set()).update(values)
        return {
            name: sorted(values, key=_in_order) for name, values in found.items() if len(values) > 1
        }

    @property
    def numbers(self) -> list[str]:
        """The names of what the pictures can be sorted by."""
        return list(dict.fromkeys(name for picture in self.pictures for name in picture.numbers))

    def within(self, num_bytes: int) -> "Gallery":
        """The same, with every second picture left out until the rest fits."""
        pictures = list(self.pictures)
        while len(pictures) > 1 and sum(map(_size, pictures)) > num_bytes:
            pictures = pictures[::2]
        return replace(self, pictures=pictures)


@dataclass(frozen=True)
class Relative:
    """An artifact that the shown one was made from, or that was made from it."""

    kind: str
    """What it is."""

    digest: str
    """Of its manifest, or of the file."""

    name: str | None = None
    """Of its folder, if that is known."""

    link: str | None = None
    """Where the folder or its page lies, seen from the page."""


@dataclass(frozen=True)
class ArtifactPage:
    """All that a page says of an artifact."""

    kind: str
    """What it is."""

    name: str
    """Of its folder."""

    lead: str
    """What such an artifact is, in a sentence."""

    facts: Mapping[str, Fact]
    """What is in it."""

    parents: Sequence[Relative] = ()
    """What it was made from."""

    children: Sequence[Relative] = ()
    """What lies beside it and was made from it."""

    numbers: Sequence[tuple[str, str, str]] = ()
    """Headline numbers: value, name, definition."""

    gallery: Gallery | None = None
    """Its pictures."""

    sections: Sequence[Section] = ()
    """Charts and tables."""

    texts: Sequence[PageText] = ()
    """What its README or card says, each under one heading."""

    making: Mapping[str, Fact] = field(default_factory=dict)
    """How it was made: settings and digests."""


def html_of_artifact(page: ArtifactPage) -> bytes:
    """The page as one HTML file, which fetches nothing and runs its own script alone.

    Memory grows with the pictures, to about three times `MAX_BYTES`.
    """
    if page.gallery is not None:
        page = replace(page, gallery=page.gallery.within(MAX_BYTES))
    template = _ENVIRONMENT.get_template("artifact_page.html")
    return template.render(
        page=page, script_hash=_script_hash(), column_kinds=column_kinds
    ).encode()


def is_artifact_page(beginning: bytes) -> bool:
    """Whether a file that begins so was written by `html_of_artifact`."""
    return _MARK in beginning[:_MARK_WITHIN]


def column_kinds(table: PageTable) -> list[str]:
    """How each column is set: as numbers, as words, or as text that may break lines."""
    kinds = []
    for place in range(len(table.header)):
        cells = [row[place] for row in table.rows if place < len(row)]
        if all(_NUMBER.fullmatch(cell) for cell in cells):
            kinds.append("number")
        else:
            kinds.append("text" if max(map(len, cells)) > _LONG and place else "word")
    return kinds


def _script_hash() -> str:
    """What the page's policy calls its script."""
    text = _ENVIRONMENT.get_template("artifact_page_script.html").render()
    match = re.search(r"<script>(.*)</script>", text, re.DOTALL)
    if match is None:
        raise ValueError("the template of the script has no script")
    return base64.b64encode(hashlib.sha256(match[1].encode()).digest()).decode()


def _size(picture: GalleryPicture) -> int:
    return sum(map(len, picture.layers.values()))


def _in_order(value: str) -> tuple[bool, float, str]:
    """Numbers before words."""
    is_number = bool(re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", value))
    return not is_number, float(value) if is_number else 0.0, value
