"""Label maps as polygons: GeoJSON that QuPath opens as annotations on the slide."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hdgan.artifacts.label_pyramid import TILE_PX, label_level
from hdgan.artifacts.optional_packages import need
from hdgan.artifacts.writing import renamed_when_whole
from hdgan.class_map import UNLABELLED, ClassMap, LabelMap, TissueClass

LONGEST_PX = 8192
"""Outlines are those of the largest level of a label map with no side above this ..."""

MOST_CORNERS = 2_000_000
"""... and with no more corners than this: each takes up to 300 bytes of memory for a while, and
about 20 in the file."""

_BAND_ROWS = 512

Ring = list[tuple[float, float]]
"""Corners (x, y), the first again at the end."""


@dataclass(frozen=True)
class OnSlide:
    """How a label map lies on its slide."""

    width: int
    """Of the slide, level-0 px."""

    height: int
    """Of the slide, level-0 px."""

    across: float
    """Level-0 px per pixel of the label map, along x."""

    down: float
    """Level-0 px per pixel of the label map, along y."""


def need_rasterio() -> None:
    """Do nothing if polygons can be found.

    Raises:
        SettingsError: the library that finds them is not installed.
    """
    need("rasterio", "export", "Outlines of label maps")


def outlined_level(path: Path) -> tuple[LabelMap, int]:
    """The level of a label map whose outlines are written, and how many times smaller it is."""
    longest_px = LONGEST_PX
    while True:
        labels, smaller = label_level(path, longest_px)
        if max(labels.shape) <= TILE_PX or num_corners(labels) <= MOST_CORNERS:
            return labels, smaller
        longest_px = max(labels.shape) - 1


def num_corners(labels: LabelMap) -> int:
    """At how many places the outlines of a label map turn or meet, but for its own edge."""
    count = 0
    for top in range(0, len(labels) - 1, _BAND_ROWS):
        rows = labels[top : top + _BAND_ROWS + 1]
        a, b, c, d = rows[:-1, :-1], rows[:-1, 1:], rows[1:, :-1], rows[1:, 1:]
        is_straight = ((a == b) & (c == d)) | ((a == c) & (b == d))
        count += int(np.count_nonzero(~is_straight))
    return count


def write_label_polygons(
    path: Path,
    labels: LabelMap,
    class_map: ClassMap,
    place: OnSlide,
    min_area_px: float,
) -> int:
    """Write a feature for each connected region of a class; how many there are comes back.

    Pixels are connected by their sides. Regions have holes where other classes or nothing lies
    inside; what is unlabelled is in none. Corners are in level-0 px of the slide. Memory grows with
    the label map and its corners, which is why a large one's `outlined_level` is handed in.

    Args:
        path: ends in `.geojson`; it is there once it is whole.
        labels: a label map of the whole slide, at any size.
        class_map: its classes.
        place: how it lies on the slide.
        min_area_px: regions with fewer pixels of the label map are left out.

    Raises:
        SettingsError: rasterio is not installed.
        StorageError: the disk is full or read-only.
    """
    need_rasterio()
    about = {"made_by": "hdgan", "level0_px_per_pixel": [place.across, place.down]}
    count = 0
    with renamed_when_whole(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(f'{{"type": "FeatureCollection", "properties": {json.dumps(about)},\n')
        file.write('"features": [')
        for rings, label in regions(labels, min_area_px):
            feature = feature_of(rings, place, class_map.classes[label])
            file.write(",\n" if count else "\n")
            json.dump(feature, file, ensure_ascii=False, separators=(",", ":"))
            count += 1
        file.write("\n]}\n")
    return count


def regions(labels: LabelMap, min_area_px: float = 0.0) -> Iterator[tuple[list[Ring], int]]:
    """Outline and holes of each region that is large enough, with its value.

    A region is pixels of one value that are connected by their sides; what is unlabelled is in
    none.
    """
    from rasterio.features import shapes

    for geometry, label in shapes(labels, mask=labels != UNLABELLED, connectivity=4):
        rings: list[Ring] = geometry["coordinates"]
        outline, *holes = (_area(ring) for ring in rings)
        if outline - sum(holes) >= min_area_px:
            yield rings, int(label)


def feature_of(rings: list[Ring], place: OnSlide, tissue: TissueClass) -> dict[str, object]:
    """A region as QuPath has written annotations since version 0.3."""
    return {
        "type": "Feature",
        "geometry": {
            "type": "Polygon",
            "coordinates": [_on_slide(ring, place) for ring in rings],
        },
        "properties": {
            "objectType": "annotation",
            "classification": {"name": tissue.name, "color": list(tissue.rgb)},
        },
    }


def _area(ring: Ring) -> float:
    """What a ring encloses."""
    x, y = np.array(ring).T
    return abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))) / 2


def _on_slide(ring: Ring, place: OnSlide) -> list[list[float | int]]:
    """A ring in level-0 px; a level whose size was rounded up may reach beyond the slide."""
    scaled = np.array(ring) * (place.across, place.down)
    inside = np.minimum(scaled, (place.width, place.height)).round(1)
    whole = inside.astype(np.int64)
    points: list[list[float | int]] = (whole if (whole == inside).all() else inside).tolist()
    return points
