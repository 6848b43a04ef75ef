"""Markdown of a README or card as parts of a page: chapters of text, points, tables, code."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from hdgan.report.page import PageFigure, PageTable

MAX_LINES = 2000
"""Lines that are read."""

Picture = Callable[[str], str | None]
"""The data URI of a picture that a text names, or None if it is not at hand."""

_HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*")
_PICTURE = re.compile(r"!\[(.*)\]\(([^)\s]+)\)")
_POINT = re.compile(r"\s*[-*]\s+")


@dataclass(frozen=True)
class Block:
    """A piece of a text, of which one field is filled."""

    paragraph: str = ""
    """Words in a row."""

    points: Sequence[str] = ()
    """A list."""

    code: str = ""
    """Lines that stay as they are."""

    table: PageTable | None = None
    """Rows under a header."""

    figure: PageFigure | None = None
    """A picture."""


@dataclass(frozen=True)
class Chapter:
    """What stands below one heading."""

    title: str
    """The heading; empty, there is none."""

    blocks: Sequence[Block]
    """In the order of the text."""


@dataclass(frozen=True)
class PageText:
    """A whole text, which a page shows under one heading."""

    title: str
    """Of the text."""

    chapters: Sequence[Chapter]
    """In the order of the text."""


def chapters_of(markdown: str, title: str = "", picture: Picture = lambda _: None) -> list[Chapter]:
    """A chapter a heading; what cannot be told apart stays as it is written.

    Args:
        markdown: the text; metadata of a hub at its beginning is left out.
        title: of what stands before the first heading.
        picture: gives the pictures that the text shows.
    """
    text = re.sub(r"\A---\n.*?\n---\n", "", markdown.replace("\r\n", "\n"), flags=re.DOTALL)
    chapters = []
    inside: list[tuple[str, str]] = []
    for kind, line in [*_marked(text.split("\n")[:MAX_LINES]), ("heading", "")]:
        if kind != "heading":
            inside.append((kind, line))
            continue
        blocks = list(_blocks(inside, picture))
        if blocks:
            chapters.append(Chapter(title, blocks))
        match = _HEADING.fullmatch(line)
        title, inside = _plain(match[1]) if match else "", []
    return chapters


def _marked(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each line with what it is a part of."""
    is_code, previous = False, "gap"
    for line in lines:
        if line.lstrip().startswith("```"):
            is_code = not is_code
            previous = "gap"
        else:
            previous = "code" if is_code else _kind(line, previous)
        yield previous, line


def _kind(line: str, previous: str) -> str:
    bare = line.strip()
    if not bare:
        return "gap"
    if _HEADING.fullmatch(line):
        return "heading"
    if bare.startswith("|"):
        return "table"
    if _PICTURE.fullmatch(bare):
        return "picture"
    goes_on = previous == "point" and line.startswith(" ")
    return "point" if goes_on or _POINT.match(line) else "text"


def _blocks(marked: Sequence[tuple[str, str]], picture: Picture) -> Iterator[Block]:
    for kind, group in groupby(marked, key=lambda one: one[0]):
        lines = [line for _, line in group]
        if kind == "code":
            yield Block(code="\n".join(lines))
        elif kind == "table" and len(lines) > 2:
            yield Block(table=_table(lines))
        elif kind == "point":
            yield Block(points=_points(lines))
        elif kind == "picture":
            yield from (_figure(line, picture) for line in lines)
        elif kind != "gap":
            yield Block(paragraph=" ".join(map(_plain, lines)))


def _points(lines: Sequence[str]) -> list[str]:
    points: list[str] = []
    for line in lines:
        if _POINT.match(line):
            points.append(_plain(_POINT.sub("", line, count=1)))
        else:
            points[-1] += f" {_plain(line)}"
    return points


def _figure(line: str, picture: Picture) -> Block:
    match = _PICTURE.fullmatch(line.strip())
    if match is None:
        return Block(paragraph=_plain(line))
    found = picture(match[2])
    caption = _plain(match[1])
    if found is None:
        return Block(paragraph=f"(A picture that is not here: {caption})")
    return Block(figure=PageFigure(caption, picture=found))


def _table(lines: Sequence[str]) -> PageTable:
    rows = [
        [_plain(cell) for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))] for line in lines
    ]
    return PageTable("", rows[0], rows[2:])


def _plain(line: str) -> str:
    """A line without signs of emphasis, quotation and escape; a link is its words."""
    bare = re.sub(r"(\*\*|`)", "", re.sub(r"\A>\s?", "", line.strip()))
    bare = re.sub(r"(?<!!)\[([^\]]*)\]\((?!https?:)[^)\s]*\)", r"\1", bare)
    return re.sub(r"\\([\\`*\[\]<>|])", r"\1", bare)
