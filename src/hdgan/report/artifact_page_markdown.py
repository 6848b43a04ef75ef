"""The text of a README as sections of a page: headings, paragraphs, points and tables."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from hdgan.report.page import PageTable, Section

MAX_LINES = 2000
"""Lines that are read."""

_LEFT_OUT = "(Lines of code: see the file itself.)"


def sections_of(markdown: str, title: str) -> list[Section]:
    """A section a heading; what cannot be told apart stays as it is written.

    Args:
        markdown: the text; metadata of a hub at its beginning is left out.
        title: of what stands before the first heading.
    """
    text = re.sub(r"\A---\n.*?\n---\n", "", markdown.replace("\r\n", "\n"), flags=re.DOTALL)
    return [
        _section(name, lines)
        for name, lines in _chapters(text.split("\n")[:MAX_LINES], title)
        if any(line.strip() for line in lines)
    ]


def _chapters(lines: Sequence[str], title: str) -> Iterator[tuple[str, list[str]]]:
    """Headings with the lines below each, without code."""
    name, inside, is_code = title, [], False
    for line in lines:
        is_fence = line.startswith("```")
        is_code ^= is_fence
        match = re.fullmatch(r"#{1,6}\s+(.*?)\s*#*", line)
        if is_code or is_fence:
            inside += [_LEFT_OUT] if is_code and is_fence else []
        elif match is None:
            inside.append(line)
        else:
            yield name, inside
            name, inside = match[1] or title, []
    yield name, inside


def _section(name: str, lines: Sequence[str]) -> Section:
    paragraphs: list[str] = []
    tables = []
    for is_table, group in groupby(lines, key=lambda line: line.lstrip().startswith("|")):
        rows = list(group)
        if is_table and len(rows) > 2:
            tables.append(_table(rows))
        else:
            paragraphs += [_plain(row) for row in rows]
    return Section(name, "\n".join(paragraphs), tables=tables)


def _table(rows: Sequence[str]) -> PageTable:
    cells = [[_plain(cell) for cell in row.strip().strip("|").split("|")] for row in rows]
    header, body = cells[0], cells[2:]
    return PageTable("", header, body)


def _plain(line: str) -> str:
    """A line without signs of emphasis; each point of a list is a paragraph of its own."""
    bare = re.sub(r"(\*\*|`)", "", line.strip())
    return re.sub(r"^[-*]\s+", "\n\N{BULLET} ", bare)
