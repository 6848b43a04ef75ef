"""The card that lies beside a synthetic dataset."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from hdgan.artifacts.shipped_generator import CardWords
from hdgan.report.card_checks import comparison_text
from hdgan.report.card_edges import edges_text
from hdgan.report.card_label_quality import label_quality_text
from hdgan.report.card_limits import limits_of
from hdgan.report.card_losses import losses_text
from hdgan.report.card_tables import class_definition, class_table, histogram_text
from hdgan.report.card_words import (
    annotation_text,
    brightness_text,
    composition_sentences,
    licence_text,
    nearest_text,
    selection_text,
)

_ENVIRONMENT = Environment(
    loader=PackageLoader("hdgan", "report"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,
)


def dataset_card(
    about: Mapping[str, Any], parents: Mapping[str, str], generator: CardWords | None = None
) -> str:
    """What is in the dataset, what it was made from, and what it cannot be used for: Markdown.

    What is not known is said to be so, with what would make it known.

    Args:
        about: the content of the pair set's `dataset.json`; what earlier versions did not write may
            be absent or None. `in_shards` says whether the pairs lie in archives.
        parents: digests of what it was made from, by kind.
        generator: what the card of a generator that comes with the package says.
    """
    return _ENVIRONMENT.get_template("card.md").render(
        about=about,
        parents=parents,
        generator=generator,
        is_unsure=about["largest_uncertainty_nats"] > 0,
        composition=composition_sentences(about),
        selection=selection_text(about),
        class_table=class_table(about),
        class_definition=class_definition(about),
        losses=losses_text(about),
        brightness=brightness_text(about),
        label_quality=label_quality_text(about),
        histogram=histogram_text(about.get("uncertainty_histogram")),
        comparison=comparison_text(about),
        edges=edges_text(about),
        annotation=annotation_text(about, comes_with_generator=generator is not None),
        nearest=nearest_text(about.get("real_tiles")),
        licence=licence_text(about.get("licence")),
        limits=limits_of(about),
    )
