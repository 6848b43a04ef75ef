"""Label maps as QuPath's GeoJSON, in px of the label map itself."""

import json

from hdgan.artifacts.label_polygons import OnSlide, feature_of, need_rasterio, regions
from hdgan.artifacts.outlines.drawn_labels import AMBIGUOUS_NAME
from hdgan.class_map import AMBIGUOUS, ClassMap, LabelMap, TissueClass

AMBIGUOUS_CLASS = TissueClass(AMBIGUOUS_NAME, "#808080")
"""What an ambiguous pixel is called and how it is shown, where no class has its value."""


def geojson_of(labels: LabelMap, class_map: ClassMap) -> bytes:
    """A FeatureCollection with an annotation for each region of a class, holes included.

    Pixels are connected by their sides. No two annotations overlap, so their order says nothing,
    and `drawing_of` and `labels_of` give the label map back exactly. Ambiguous pixels are
    annotations of a class `ambiguous`; a class map that has a class of this name takes them in when
    it reads them.

    Args:
        labels: numbers of the class map, 254 ambiguous, 255 unlabelled.
        class_map: its classes.

    Raises:
        LabelError: a pixel is of a class that the class map does not have.
        SettingsError: rasterio is not installed.
    """
    need_rasterio()
    tissues = tissues_of(class_map)
    check_written(labels, class_map, "The label map")
    height, width = labels.shape
    place = OnSlide(width, height, 1.0, 1.0)
    features = (
        json.dumps(
            feature_of(rings, place, tissues[label]), ensure_ascii=False, separators=(",", ":")
        )
        for rings, label in regions(labels)
    )
    about = '{"type": "FeatureCollection", "properties": {"made_by": "hdgan"}, "features": [\n'
    return (about + ",\n".join(features) + "\n]}\n").encode()


def tissues_of(class_map: ClassMap) -> dict[int, TissueClass]:
    """The class of each value that may be written, the ambiguous mark included."""
    return {AMBIGUOUS: AMBIGUOUS_CLASS} | dict(enumerate(class_map.classes))


def check_written(labels: LabelMap, class_map: ClassMap, name: str) -> None:
    """Do nothing if every pixel is of a class, ambiguous or unlabelled.

    Raises:
        LabelError: one is not.
    """
    if len(class_map) <= AMBIGUOUS and (labels == AMBIGUOUS).any():
        labels = labels[labels != AMBIGUOUS][None]
    class_map.check(labels, name)
