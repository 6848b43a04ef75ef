"""The card of a shipped generator: what a person says of it, and the numbers of its artifacts."""

import re
from collections.abc import Mapping, Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from hdgan.artifacts.image_quality import QualityText
from hdgan.artifacts.shipped_generator import AboutText, CardWords
from hdgan.errors import InputError

_ENVIRONMENT = Environment(
    loader=PackageLoader("hdgan", "report"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,
)

HEADINGS = {
    "Data": "data",
    "Licence": "licence",
    "Annotation": "annotation",
    "Limits": "limits",
    "Use": "use",
}
"""What a text about a generator must have chapters for."""


def generator_card(
    about: AboutText, quality: QualityText, classes: Sequence[str], parents: Mapping[str, str]
) -> str:
    """The card as Markdown.

    Args:
        about: what it was made from and how.
        quality: how its drawings compare with real tiles.
        classes: names of the classes of the annotated drawings.
        parents: digests of what it was made from, by kind.
    """
    return _ENVIRONMENT.get_template("generator_card.md").render(
        about=about,
        words=about.words,
        data=about.data,
        quality=quality,
        classes=classes,
        parents=parents,
        shown=about.images_shown(elsewhere=False),
        before=about.images_shown(elsewhere=True),
        number=number,
    )


def number(value: float) -> str:
    """A number with four significant digits."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def words_of(text: str, name: str) -> CardWords:
    """What a person says, read from a Markdown text: a title, a lead, and a chapter a heading.

    Args:
        text: `# Title`, a paragraph, then `## Data`, `## Licence`, `## Annotation`, `## Limits`
            and `## Use`, each with some text; comments (`<!-- ... -->`) are left out.
        name: what errors call it.

    Raises:
        InputError: a chapter is missing, empty, or not known.
    """
    before, *chapters = re.split(r"^## ", _uncommented(text), flags=re.MULTILINE)
    title, _, lead = before.strip().partition("\n")
    found = {"title": title.removeprefix("# "), "lead": lead.strip()}
    for chapter in chapters:
        heading, _, content = chapter.partition("\n")
        if heading.strip() not in HEADINGS:
            raise InputError(
                f"{name} has a chapter {heading.strip()!r}; known are {', '.join(HEADINGS)}."
            )
        found[HEADINGS[heading.strip()]] = content.strip()
    missing = [field for field in CardWords.model_fields if not found.get(field)]
    if missing or not title.startswith("# "):
        raise InputError(
            f"{name} says nothing under {missing[0] if missing else 'title'}. Needed: `# Title`, a "
            f"paragraph, and the chapters {', '.join(f'`## {heading}`' for heading in HEADINGS)}."
        )
    return CardWords(**found)


def _uncommented(text: str) -> str:
    return re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
