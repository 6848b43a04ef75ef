"""Outlines in the GeoJSON of QuPath, old and new."""

from collections.abc import Iterator

from hdgan.artifacts.outlines.areas import Area, filled, joined, ring_of
from hdgan.artifacts.outlines.outline import Drawn, LeftOut, drawn
from hdgan.errors import LabelError

WITHOUT_AREA = {
    "Point": "point",
    "MultiPoint": "set of points",
    "LineString": "line",
    "MultiLineString": "set of lines",
}
"""Geometries that are left out, and what they are called."""


def shapes_in(document: object, name: str) -> Iterator[Drawn]:
    """The shapes of a FeatureCollection, of a list of features or of one feature.

    The class is the classification, joined by ": " if it is derived from others, as QuPath shows
    it; else the name of the annotation; else its property `class`, which wsiprocess writes.

    Raises:
        LabelError: it is other JSON, or nested in another way.
    """
    features = _with_children(_features(document, name))
    for number, feature in enumerate(features, start=1):
        yield from _shapes(feature, f"Annotation {number} of {name}")


def _features(document: object, name: str) -> list[object]:
    if isinstance(document, list):
        return document
    if isinstance(document, dict):
        features = document.get("features")
        if document.get("type") == "FeatureCollection" and isinstance(features, list):
            return features
        if document.get("type") == "Feature":
            return [document]
    raise LabelError(
        f"{name} is JSON, but neither a FeatureCollection nor a list of features or polygons. "
        "Export the annotations as GeoJSON."
    )


def _with_children(features: list[object]) -> Iterator[object]:
    """All features, each followed by those that QuPath nests in it."""
    waiting = features[::-1]
    while waiting:
        feature = waiting.pop()
        yield feature
        properties = feature.get("properties") if isinstance(feature, dict) else None
        children = properties.get("childObjects") if isinstance(properties, dict) else None
        if isinstance(children, list):
            waiting.extend(children[::-1])


def _shapes(feature: object, where: str) -> Iterator[Drawn]:
    """What is left out of a feature, then its area if it has one."""
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise LabelError(
            f"{where} is not a GeoJSON feature. Export the annotations as GeoJSON again."
        )
    areas: list[Area] = []
    for geometry in _geometries(feature.get("geometry"), where):
        kind = None if geometry is None else geometry.get("type")
        if geometry is None:
            yield LeftOut("annotation without geometry")
        elif isinstance(kind, str) and kind in WITHOUT_AREA:
            yield LeftOut(WITHOUT_AREA[kind])
        else:
            areas.extend(_polygons(geometry, where))
    if areas:
        yield drawn(_name(feature.get("properties"), where), joined(areas))


def _geometries(geometry: object, where: str) -> Iterator[dict[str, object] | None]:
    """A geometry, or those that a collection gathers."""
    waiting = [geometry]
    while waiting:
        geometry = waiting.pop()
        if geometry is not None and not isinstance(geometry, dict):
            raise LabelError(f"{where} has a geometry that is no JSON object. Export it again.")
        if geometry is not None and geometry.get("type") == "GeometryCollection":
            waiting.extend(_list(geometry.get("geometries"), "geometries", where)[::-1])
        else:
            yield geometry


def _polygons(geometry: dict[str, object], where: str) -> Iterator[Area]:
    kind = geometry.get("type")
    if kind not in ("Polygon", "MultiPolygon"):
        raise LabelError(
            f"{where} has a geometry of type {str(kind)[:40]!r}; needed is a Polygon, a "
            "MultiPolygon or a GeometryCollection. Export it again."
        )
    polygons = _list(geometry.get("coordinates"), "coordinates", where)
    for polygon in [polygons] if kind == "Polygon" else polygons:
        rings = _list(polygon, "rings", where)
        yield filled([ring_of(ring, where) for ring in rings])


def _list(value: object, what: str, where: str) -> list[object]:
    if not isinstance(value, list):
        raise LabelError(f"{where} has {what} that are no list. Export it again.")
    return value


def _name(properties: object, where: str) -> str:
    if properties is None:
        return ""
    if not isinstance(properties, dict):
        raise LabelError(f"{where} has properties that are no JSON object. Export it again.")
    names = _class_names(properties.get("classification"))
    if all(name in (None, "") for name in names):
        names = [properties.get("name") or properties.get("class")]
    for name in names:
        if not isinstance(name, str | int | None):
            raise LabelError(f"{where} has a class that is no text. Classify it again in QuPath.")
    return ": ".join(str(name) for name in names if name is not None)


def _class_names(classification: object) -> list[object]:
    """A class, after those that it is derived from: `names` since QuPath 0.4, or `parentClass`."""
    if not isinstance(classification, dict):
        return [classification]
    if isinstance(classification.get("names"), list):
        return list(classification["names"])
    names: list[object] = []
    level: object = classification
    while isinstance(level, dict):
        names.append(level.get("name"))
        level = level.get("parentClass")
    return names[::-1]
