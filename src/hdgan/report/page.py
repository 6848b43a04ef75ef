"""One self-contained HTML page: sections of text, figures and tables, nothing fetched."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hdgan.artifacts.images import png_of
from hdgan.class_map import ClassMap

_ENVIRONMENT = Environment(
    loader=PackageLoader("hdgan", "report"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=True,
)


@dataclass(frozen=True)
class PageFigure:
    """A picture or chart with what it shows."""

    caption: str
    """What is to be seen, in a sentence or two."""

    svg: Markup | None = None
    """A chart."""

    picture: str | None = None
    """A picture, as a data URI."""

    width_px: int = 0
    """Width at which the picture is shown."""

    columns: Sequence[str] = ()
    """What stands above the columns of a picture of equally wide ones; none, nothing."""

    rows: Sequence[str] = ()
    """What stands beside the rows of a picture of equally high ones; none, nothing."""


@dataclass(frozen=True)
class PageTable:
    """Rows under a header."""

    caption: str
    """What the numbers mean."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    title: str
    text: str
    """Paragraphs, divided by empty lines."""
    figures: Sequence[PageFigure] = ()
    tables: Sequence[PageTable] = ()
    legend: ClassMap | None = None
    """Classes whose colours the figures use."""
    legend_has_unlabelled: bool = True
    """Whether a figure shows unlabelled pixels."""

    @property
    def paragraphs(self) -> list[str]:
        """The text, a paragraph each."""
        return [" ".join(part.split()) for part in self.text.split("\n\n") if part.strip()]


@dataclass(frozen=True)
class Page:
    """A whole report."""

    title: str
    lead: str
    """What the reader should know first."""
    numbers: Sequence[tuple[str, str, str]] = ()
    """Headline numbers: value, name, definition."""
    sections: Sequence[Section] = field(default_factory=list)


def html_of(page: Page) -> bytes:
    """The page as one HTML file; it fetches nothing."""
    return _ENVIRONMENT.get_template("page.html").render(page=page).encode()


def picture(
    pixels: UInt8[np.ndarray, "height width 3"],
    caption: str,
    *,
    zoom: int = 1,
    columns: Sequence[str] = (),
    rows: Sequence[str] = (),
) -> PageFigure:
    """A picture, each pixel shown as a square of `zoom` pixels, with names of columns and rows."""
    encoded = base64.b64encode(png_of(pixels)).decode()
    return PageFigure(
        caption,
        picture=f"data:image/png;base64,{encoded}",
        width_px=pixels.shape[1] * zoom,
        columns=columns,
        rows=rows,
    )


def chart(svg: str, caption: str) -> PageFigure:
    """A chart of `charts`."""
    return PageFigure(caption, svg=Markup(svg))
