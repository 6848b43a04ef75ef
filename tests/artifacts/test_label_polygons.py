"""Label maps as GeoJSON for QuPath."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jaxtyping import UInt8
from rasterio.features import rasterize
from scipy import ndimage

from hdgan.artifacts import label_polygons, optional_packages
from hdgan.artifacts.label_polygons import (
    OnSlide,
    num_corners,
    outlined_level,
    write_label_polygons,
)
from hdgan.artifacts.label_pyramid import LabelPicture, write_label_pyramid
from hdgan.class_map import KIDNEY, UNLABELLED
from hdgan.errors import SettingsError

Labels = UInt8[np.ndarray, "height width"]

RING = np.array(
    [
        [1, 1, 1, 1, 9],
        [1, 2, 3, 1, 9],
        [1, 2, 2, 1, 9],
        [1, 1, 1, 1, 1],
    ],
    dtype=np.uint8,
)
RING[RING == 9] = UNLABELLED


def features_of(
    path: Path, labels: Labels, place: OnSlide | None = None, least: float = 0.0
) -> list[dict[str, Any]]:
    height, width = labels.shape
    place = place or OnSlide(width, height, 1.0, 1.0)
    count = write_label_polygons(path, labels, KIDNEY, place, least)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["type"] == "FeatureCollection"
    features: list[dict[str, Any]] = document["features"]
    assert len(features) == count
    return features


def test_a_region_has_its_class_its_colour_and_its_holes(tmp_path: Path) -> None:
    features = features_of(tmp_path / "x.geojson", RING)

    by_class = {feature["properties"]["classification"]["name"]: feature for feature in features}
    outer = by_class["cortical tubulointerstitium"]
    assert len(features) == 3
    assert outer["properties"] == {
        "objectType": "annotation",
        "classification": {"name": "cortical tubulointerstitium", "color": [86, 180, 233]},
    }
    assert outer["geometry"]["type"] == "Polygon"
    outline, hole = outer["geometry"]["coordinates"]
    assert outline[0] == outline[-1]
    assert {tuple(point) for point in outline} == {(0, 0), (4, 0), (4, 3), (5, 3), (5, 4), (0, 4)}
    assert {tuple(point) for point in hole} == {(1, 1), (3, 1), (3, 3), (1, 3)}


def test_outlines_give_the_label_map_back(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    noise = ndimage.gaussian_filter(random.random((6, 90, 70)), (0, 3, 3)).argmax(axis=0)
    labels = np.where(noise == 5, UNLABELLED, noise).astype(np.uint8)

    features = features_of(tmp_path / "x.geojson", labels)

    painted = rasterize(
        [
            (
                feature["geometry"],
                KIDNEY.names.index(feature["properties"]["classification"]["name"]),
            )
            for feature in features
        ],
        out_shape=labels.shape,
        fill=UNLABELLED,
        dtype="uint8",
    )
    regions = sum(ndimage.label(labels == label)[1] for label in range(5))
    assert np.array_equal(painted, labels)
    assert len(features) == regions


def test_corners_are_in_pixels_of_the_slide_and_inside_it(tmp_path: Path) -> None:
    """A level whose odd size was rounded up reaches half a pixel beyond the slide."""
    place = OnSlide(width=9, height=1000, across=2.0, down=250.25)

    features = features_of(tmp_path / "x.geojson", RING, place)

    points = [point for feature in features for ring in _rings(feature) for point in ring]
    assert {x for x, _ in points} == {0, 2, 4, 6, 8, 9}
    assert {y for _, y in points} == {0, 250.2, 500.5, 750.8, 1000}


def test_small_regions_are_left_out_but_stay_holes(tmp_path: Path) -> None:
    features = features_of(tmp_path / "x.geojson", RING, least=4.0)

    assert len(features) == 1
    assert len(_rings(features[0])) == 2


def test_a_slide_without_labels_has_a_file_without_features(tmp_path: Path) -> None:
    labels = np.full((5, 5), UNLABELLED, dtype=np.uint8)

    assert features_of(tmp_path / "x.geojson", labels) == []


def test_where_corners_are_too_many_a_smaller_level_is_outlined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = np.zeros((1600, 1100), dtype=np.uint8)
    labels[:400] = np.random.default_rng(0).integers(0, 5, (400, 1100), dtype=np.uint8)
    path = tmp_path / "slide.ome.tif"
    write_label_pyramid(path, [labels], LabelPicture("slide", 1600, 1100, KIDNEY, None))

    found = {}
    for most in (2_000_000, 200_000, 50_000, 10):
        monkeypatch.setattr(label_polygons, "MOST_CORNERS", most)
        found[most] = outlined_level(path)[1]

    assert found == {2_000_000: 1, 200_000: 2, 50_000: 4, 10: 4}


def test_corners_are_where_an_outline_turns() -> None:
    labels = np.zeros((1300, 40), dtype=np.uint8)
    labels[500:600, 10:20] = 1
    labels[1000:] = 2

    assert num_corners(labels) == 4


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optional_packages, "find_spec", lambda _: None)

    with pytest.raises(SettingsError, match=r'pip install "hdgan\[export\]"'):
        features_of(tmp_path / "x.geojson", RING)


def _rings(feature: dict[str, Any]) -> list[list[list[float]]]:
    rings: list[list[list[float]]] = feature["geometry"]["coordinates"]
    return rings
