"""The card that lies beside a synthetic dataset."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from hdgan.artifacts.shipped_generator import CardWords

_ENVIRONMENT = Environment(
    loader=PackageLoader("hdgan", "report"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,
)


def dataset_card(
    about: Mapping[str, Any], parents: Mapping[str, str], generator: CardWords | None = None
) -> str:
    """What is in the dataset, what it was made from, and what it cannot be used for.

    Args:
        about: the content of the pair set's `dataset.json`.
        parents: digests of what it was made from, by kind.
        generator: what the card of a generator that comes with the package says.
    """
    return _ENVIRONMENT.get_template("card.md").render(
        about=about, parents=parents, generator=generator
    )
