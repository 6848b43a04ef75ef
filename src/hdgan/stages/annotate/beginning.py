"""Going on from what was painted in another folder, and where labels come from."""

import json
import shutil
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from hdgan.artifacts.annotation_history import AnnotationHistory, Mark, Stroke
from hdgan.artifacts.annotation_set import HISTORY, AnnotationSet
from hdgan.artifacts.manifest import MANIFEST, UNFINISHED
from hdgan.artifacts.order import Order
from hdgan.artifacts.seen import Seen, seen_together
from hdgan.class_map import ClassMap, LabelMap
from hdgan.errors import (
    DamagedArtifactError,
    LabelError,
    MissingArtifactError,
    WrongArtifactError,
)
from hdgan.web.tiles import TileSource

TILES = "tiles"
"""The fact of a history that says which tiles it was painted on: the artifact's digest."""

_PARENTS = "parents"
_SEEN = "seen"
_SLIDES = "seen-slides"


def begun_with(folder: Path) -> ClassMap | None:
    """The classes of an annotation set, finished or not; None if there is none.

    Raises:
        WrongArtifactError: the folder is something else.
    """
    if (folder / MANIFEST).is_file():
        return AnnotationSet.open(folder).class_map
    command = folder / UNFINISHED / "command.json"
    if not command.is_file():
        return None
    try:
        return ClassMap.from_records(json.loads(command.read_bytes())["settings"]["classes"])
    except (ValueError, KeyError, TypeError) as error:
        raise WrongArtifactError(
            f"{folder} holds an unfinished run of another command. Choose another folder."
        ) from error


def write_copy(other: Path, source: TileSource, class_map: ClassMap, copy: Path) -> None:
    """Write a history that goes on from what was painted in another folder.

    Args:
        other: an annotation set, painted on the page or imported, finished or not.
        source: the tiles that it must have been painted on.
        class_map: what is painted now.
        copy: the new history; nothing is there yet.

    Raises:
        MissingArtifactError: nothing was painted there.
        WrongArtifactError: it was painted on other tiles, or with other classes.
        LabelError: a label map does not have the size of its tile.
    """
    theirs = begun_with(other)
    unfinished = other / UNFINISHED / HISTORY
    is_finished = (other / MANIFEST).is_file()
    if theirs is None or not (is_finished or unfinished.is_file()):
        raise MissingArtifactError(f"{other} holds no annotations. Check the path.")
    if theirs.names != class_map.names[: len(theirs)]:
        raise WrongArtifactError(
            f"{other} was painted with the classes {', '.join(theirs.names)}. Give a class map "
            "that begins with these; more may follow."
        )
    if is_finished:
        _write_finished(AnnotationSet.open(other), source, copy)
        return
    with closing(AnnotationHistory(unfinished, source.sizes)) as history:
        if history.facts().get(TILES) != source.artifact.digest:
            raise _other_tiles(other, source)
        history.copy_to(copy)


def _write_finished(other: AnnotationSet, source: TileSource, copy: Path) -> None:
    """The same from a finished set: from its history, or else from its label maps."""
    if source.artifact.digest not in other.manifest.parents.values():
        raise _other_tiles(other.folder, source)
    if HISTORY in other.manifest.files:
        shutil.copyfile(other.checked_path(HISTORY), copy)
    with closing(AnnotationHistory(copy, source.sizes)) as history:
        if HISTORY not in other.manifest.files:
            _import(other, history, source)
        history.note(TILES, source.artifact.digest)
        note_lineage(history, other.manifest.parents | other.parents, other.manifest.learned)


def _import(other: AnnotationSet, history: AnnotationHistory, source: TileSource) -> None:
    """Label maps that were painted elsewhere, as first revisions."""
    for row in other.records():
        labels: LabelMap = other.labels(row)
        if labels.shape != source.sizes[row.image]:
            raise LabelError(
                f"The label map of {row.image} in {other.folder} does not have the size of its "
                "tile. Import it again."
            )
        history.append(row.image, 1, 0, Stroke("import", 0, 0, labels), "import")
        history.mark(row.image, Mark("keep", None, row.split), "import")


def note_lineage(history: AnnotationHistory, parents: Mapping[str, str], seen: Seen) -> None:
    """Note what else the labels come from, and which real tiles that has learned from.

    Drawings are not noted: whoever was helped by what had learned from some has looked at them.
    """
    facts = history.facts()
    before = _mapping(facts, _PARENTS)
    history.note(_PARENTS, json.dumps(before | dict(parents)))
    together = seen_together(_noted(facts), seen)
    history.note(_SEEN, json.dumps(together.folds))
    history.note(_SLIDES, json.dumps(together.slides))


def _noted(facts: Mapping[str, str]) -> Seen:
    """The real tiles that a history notes."""
    try:
        slides = {
            tiles: {int(fold): names for fold, names in by_fold.items()}
            for tiles, by_fold in _mapping(facts, _SLIDES).items()
        }
    except (ValueError, AttributeError) as error:
        raise _not_noted(_SLIDES) from error
    return Seen(_mapping(facts, _SEEN), slides)


def _mapping(facts: Mapping[str, str], name: str) -> dict[str, Any]:
    """A fact that is a JSON object; empty if it is not noted.

    Raises:
        DamagedArtifactError: it is something else.
    """
    try:
        found = json.loads(facts.get(name, "{}"))
    except (ValueError, TypeError, RecursionError) as error:
        raise _not_noted(name) from error
    if not isinstance(found, dict):
        raise _not_noted(name)
    return found


def _not_noted(name: str) -> DamagedArtifactError:
    return DamagedArtifactError(
        f"A history of annotations says of its {name} what cannot be understood. Restore it from a "
        "copy."
    )


def with_lineage(order: Order, facts: Mapping[str, str]) -> Order:
    """The order, with all that the labels come from.

    Args:
        order: as the command has it.
        facts: of the history.
    """
    parents = _mapping(facts, _PARENTS)
    seen = seen_together(order.seen, _noted(facts))
    return Order(order.kind, order.settings, parents | order.parents, seen)


def _other_tiles(folder: Path, source: TileSource) -> WrongArtifactError:
    return WrongArtifactError(
        f"{folder} has annotations of other tiles than {source.artifact.folder}. Give annotations "
        "of these."
    )
