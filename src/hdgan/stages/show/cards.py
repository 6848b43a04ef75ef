"""What an artifact's card or README says, as texts of its page."""

from pathlib import PurePosixPath

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.images import IMAGE_SUFFIXES, rgb_of
from hdgan.errors import ImageError
from hdgan.report.artifact_page_layers import photo
from hdgan.report.artifact_page_markdown import PageText, Picture, chapters_of

README = "README.md"
_DIVIDE = "\n## Where it comes from\n"
"""What stands in the README of a dataset before the card of its source."""

_PICTURE_PX = 1200
"""Longer side of a picture in a text."""


def readme_of(artifact: Artifact) -> str:
    """The text of its README; empty if it has none."""
    if README not in artifact.manifest.files:
        return ""
    return artifact.read(README).decode(errors="replace")


def card_text(artifact: Artifact, title: str = "Its card") -> list[PageText]:
    """The README, under one heading."""
    return texts_of(artifact, {title: readme_of(artifact)})


def layout_texts(artifact: Artifact) -> list[PageText]:
    """How a dataset is read, and the card of what it was made from, each under one heading."""
    layout, _, card = readme_of(artifact).partition(_DIVIDE)
    return texts_of(artifact, {"What its README says": layout, "The card of its source": card})


def texts_of(artifact: Artifact, texts: dict[str, str]) -> list[PageText]:
    """Those of the Markdown texts in which something stands, by title."""
    picture = _pictures_of(artifact)
    pages = [PageText(title, chapters_of(text, picture=picture)) for title, text in texts.items()]
    return [page for page in pages if page.chapters]


def _pictures_of(artifact: Artifact) -> Picture:
    def picture(name: str) -> str | None:
        is_image = PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES
        if not is_image or name not in artifact.manifest.files:
            return None
        try:
            return photo(rgb_of(artifact.read(name), str(artifact.folder / name)), _PICTURE_PX)
        except ImageError:
            return None

    return picture
