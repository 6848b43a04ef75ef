"""Label maps of samples or tiles, with the class map they are written in."""

from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.images import grey_of
from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.table import Name, Record, table_of
from hdgan.class_map import ClassMap, LabelMap
from hdgan.errors import ClassMapError, SettingsError

ANNOTATIONS = "annotations.csv"
CLASSES = "classes.json"
HISTORY = "history.sqlite3"
"""Every stroke of an annotation set that was painted on the page."""

Split = Literal["training", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


class AnnotationRecord(Record):
    """One annotated image."""

    image: Name
    """Name of the sample or tile; the label map is `labels/{image}.png`."""

    split: Split | None
    """What an annotated sample is for; empty for a tile, whose fold decides."""

    annotators: str | None = None
    """Who painted it; this and what follows is known of what was painted on the page."""

    minutes: float | None = None
    """Time that it took, over all readings."""

    revision: int | None = None
    """Of the first reading."""

    ambiguous: float | None = None
    """The part of its pixels of which a person could not tell the class; they are unlabelled."""

    @property
    def labels(self) -> str:
        """The label map's path in the artifact."""
        return f"labels/{self.image}.png"


class AnnotationSet(Artifact):
    """`annotations.csv`, `classes.json` and `labels/*.png` (8-bit grey, 255 unlabelled).

    What was painted on the page also has `history.sqlite3`.
    """

    kind = "annotation-set"

    @cached_property
    def class_map(self) -> ClassMap:
        """The classes, in order."""
        return class_map_of(self.read(CLASSES), str(self.folder / CLASSES))

    def records(self, split: Split | None = None) -> list[AnnotationRecord]:
        """The annotated images of a split, or all.

        Raises:
            SettingsError: the split is empty.
        """
        rows = table_of(self.read(ANNOTATIONS), AnnotationRecord, str(self.folder / ANNOTATIONS))
        chosen = [row for row in rows if split in (None, row.split)]
        if not chosen:
            raise SettingsError(
                f"{self.folder} has no image for {split or 'anything'}. Import annotations with "
                "a split that leaves some for it."
            )
        return chosen

    def labels(self, record: AnnotationRecord) -> LabelMap:
        """A label map."""
        return grey_of(self.read(record.labels), str(self.folder / record.labels))


class _TissueClassText(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    colour: str = Field(validation_alias=AliasChoices("colour", "color"))


class _ClassMapText(BaseModel):
    model_config = ConfigDict(extra="forbid")
    classes: list[_TissueClassText]


def class_map_of(data: bytes, name: str) -> ClassMap:
    """The class map in a JSON text `{"classes": [{"name": ..., "colour": "#rrggbb"}, ...]}`.

    Raises:
        ClassMapError: it is something else.
    """
    try:
        text = _ClassMapText.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ClassMapError(
            f"{name} is no class map ({where}: {first['msg']}). Needed: "
            '{"classes": [{"name": "background", "colour": "#56b4e9"}, ...]}.'
        ) from error
    return ClassMap.from_records([tissue.model_dump() for tissue in text.classes])


def class_map_at(path: Path) -> ClassMap:
    """The class map in a file.

    Raises:
        ClassMapError: there is no such file, or it is something else.
    """
    if not path.is_file():
        raise ClassMapError(f"There is no class map {path}. Check the path.")
    return class_map_of(path.read_bytes(), str(path))


def class_map_bytes(class_map: ClassMap) -> bytes:
    """The JSON text of a class map."""
    content: dict[str, Any] = {"classes": class_map.to_records()}
    return json_bytes(content)
