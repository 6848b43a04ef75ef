"""Outlines that people drew in QuPath, ASAP, ImageScope, HALO or by script."""

import json
import lzma
import re
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Float64

from hdgan.artifacts.outlines import documents
from hdgan.artifacts.outlines.areas import filled, ring_of
from hdgan.artifacts.outlines.outline import Outline
from hdgan.artifacts.outlines.outline_index import OutlineIndex
from hdgan.artifacts.outlines.reading import (
    drawing_of,
    outlines_of,
    read_drawing,
    read_outlines,
)
from hdgan.errors import LabelError
from hdgan.geometry import Region

Points = Sequence[Sequence[float]]

SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10]]
SMALL = [[2, 2], [4, 2], [4, 4], [2, 4]]
FAR = [[20, 0], [25, 0], [25, 5], [20, 5]]
POLYGON = {"type": "Polygon", "coordinates": [SQUARE]}


def feature(geometry: object, properties: object = None) -> dict[str, object]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def geojson(*features: object) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def asap(*annotations: str) -> bytes:
    inside = "".join(annotations)
    return f"<ASAP_Annotations><Annotations>{inside}</Annotations></ASAP_Annotations>".encode()


def asap_annotation(points: Points, kind: str = "Polygon", group: str = "tumour") -> str:
    corners = "".join(
        f'<Coordinate Order="{order}" X="{x}" Y="{y}"/>' for order, (x, y) in enumerate(points)
    )
    return (
        f'<Annotation Name="Annotation 0" Type="{kind}" PartOfGroup="{group}" Color="#F4FA58">'
        f"<Coordinates>{corners}</Coordinates></Annotation>"
    )


def aperio(*regions: str, annotation: str = 'Id="1" Name="tumour"', attribute: str = "") -> bytes:
    return (
        f'<Annotations MicronsPerPixel="0.25"><Annotation {annotation}>'
        f"<Attributes>{attribute}</Attributes><Regions>{''.join(regions)}</Regions>"
        "</Annotation></Annotations>"
    ).encode()


def region(points: Points, attributes: str = 'Type="0"') -> str:
    vertices = "".join(f'<Vertex X="{x}" Y="{y}" Z="0"/>' for x, y in points)
    return f"<Region {attributes}><Attributes/><Vertices>{vertices}</Vertices></Region>"


def names_and_areas(data: bytes) -> list[tuple[str, float]]:
    return [(outline.name, outline.area.area) for outline in outlines_of(data, "file")]


def names(data: bytes) -> list[str]:
    return [outline.name for outline in outlines_of(data, "file")]


@pytest.mark.parametrize(
    "document",
    [
        {"type": "FeatureCollection", "features": [feature(POLYGON, {"name": "a"})]},
        [feature(POLYGON, {"name": "a"})],
        feature(POLYGON, {"name": "a"}),
    ],
    ids=["collection", "list", "feature"],
)
def test_geojson_may_be_a_collection_a_list_or_one_feature(document: object) -> None:
    assert names_and_areas(json.dumps(document).encode()) == [("a", 100)]


def test_what_is_in_a_hole_of_a_polygon_is_outside() -> None:
    (outline,) = outlines_of(
        geojson(feature({"type": "Polygon", "coordinates": [SQUARE, SMALL]})), "file"
    )

    assert outline.area.area == 96
    assert not outline.area.contains(shapely.Point(3, 3))
    assert outline.area.contains(shapely.Point(5, 1))


def test_the_parts_of_a_multipolygon_are_one_outline() -> None:
    geometry = {"type": "MultiPolygon", "coordinates": [[SQUARE, SMALL], [FAR]]}

    assert names_and_areas(geojson(feature(geometry))) == [("", 121)]


def test_parts_that_overlap_count_once() -> None:
    shifted = [[x + 5, y] for x, y in SQUARE]
    geometry = {"type": "MultiPolygon", "coordinates": [[SQUARE], [shifted]]}

    (outline,) = outlines_of(geojson(feature(geometry)), "file")

    assert outline.area.area == 150
    assert outline.area.is_valid


def test_a_geometry_collection_is_one_outline_without_its_lines() -> None:
    line = {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}
    far = {"type": "GeometryCollection", "geometries": [{"type": "Polygon", "coordinates": [FAR]}]}
    geometry = {"type": "GeometryCollection", "geometries": [POLYGON, line, far]}

    drawing = drawing_of(geojson(feature(geometry)), "file")

    assert [outline.area.area for outline in drawing.outlines] == [125]
    assert drawing.left_out == {"line": 1}


def test_what_has_no_area_is_left_out_and_counted() -> None:
    point = feature({"type": "Point", "coordinates": [1, 1]})
    many = feature({"type": "MultiPoint", "coordinates": [[1, 1], [2, 2]]})
    lines = feature({"type": "MultiLineString", "coordinates": [[[1, 1], [2, 2]]]})
    flat = feature({"type": "Polygon", "coordinates": [[[0, 0], [5, 5], [9, 9]]]})

    drawing = drawing_of(geojson(point, feature(POLYGON), point, many, lines, flat), "file")

    assert len(drawing.outlines) == 1
    assert drawing.left_out == {
        "point": 2,
        "set of points": 1,
        "set of lines": 1,
        "outline without area": 1,
    }


def test_an_annotation_without_geometry_is_left_out() -> None:
    assert drawing_of(geojson(feature(None)), "file").left_out == {"annotation without geometry": 1}


def test_annotations_nested_in_others_are_found() -> None:
    inner = feature({"type": "Polygon", "coordinates": [SMALL]}, {"name": "inner"})
    outer = feature(POLYGON, {"name": "outer", "childObjects": [inner]})

    assert names(geojson(outer, feature(POLYGON, {"name": "last"}))) == ["outer", "inner", "last"]


@pytest.mark.parametrize(
    ("properties", "name"),
    [
        ({"classification": {"name": "Tumor", "color": [200, 0, 0]}, "name": "first"}, "Tumor"),
        ({"classification": {"name": "Tumor", "colorRGB": -3670016}}, "Tumor"),
        ({"classification": {"names": ["Tumor", "Positive"]}}, "Tumor: Positive"),
        (
            {"classification": {"name": "Positive", "parentClass": {"name": "Tumor"}}},
            "Tumor: Positive",
        ),
        ({"classification": " Tumor "}, "Tumor"),
        ({"classification": {}, "name": "UT"}, "UT"),
        ({"classification": None, "name": "UT"}, "UT"),
        ({"objectType": "annotation", "name": "UT"}, "UT"),
        ({"class": 0}, "0"),
        ({"measurements": []}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_the_class_is_the_classification_or_else_the_name(properties: object, name: str) -> None:
    assert names(geojson(feature(POLYGON, properties))) == [name]


def test_measurements_that_are_not_numbers_do_no_harm() -> None:
    data = geojson(feature(POLYGON, {"measurements": {"Circularity": float("nan")}}))

    assert b"NaN" in data
    assert len(outlines_of(data, "file")) == 1


def test_a_third_coordinate_is_ignored() -> None:
    corners = [[x, y, 7] for x, y in SQUARE]

    assert names_and_areas(json.dumps([corners]).encode()) == [("", 100)]


@pytest.mark.parametrize("kind", ["Polygon", "Spline", "Rectangle"])
def test_an_asap_annotation_has_its_group_as_class(kind: str) -> None:
    assert names_and_areas(asap(asap_annotation(SQUARE, kind))) == [("tumour", 100)]


def test_an_asap_annotation_in_no_group_has_no_class() -> None:
    assert names(asap(asap_annotation(SQUARE, group="None"))) == [""]


@pytest.mark.parametrize(
    ("kind", "called"),
    [
        ("Dot", "point"),
        ("PointSet", "set of points"),
        ("Measurement", "measurement"),
        ("Star", "annotation of type 'Star'"),
    ],
)
def test_asap_annotations_without_area_are_left_out(kind: str, called: str) -> None:
    drawing = drawing_of(asap(asap_annotation(SQUARE, kind), asap_annotation(SQUARE)), "file")

    assert len(drawing.outlines) == 1
    assert drawing.left_out == {called: 1}


def test_the_corners_of_an_asap_annotation_are_joined_as_they_are_numbered() -> None:
    corners = [f'<Coordinate Order="{i}" X="{x}" Y="{y}"/>' for i, (x, y) in enumerate(SQUARE)]
    shuffled = corners[0] + corners[2] + corners[1] + corners[3]
    annotation = f'<Annotation Type="Polygon" PartOfGroup="a">{shuffled}</Annotation>'

    assert names_and_areas(asap(annotation)) == [("a", 100)]


def test_corners_without_number_are_joined_as_they_come() -> None:
    corners = "".join(f'<Coordinate X="{x}" Y="{y}"/>' for x, y in SQUARE)

    assert names_and_areas(asap(f'<Annotation Type="Polygon">{corners}</Annotation>')) == [
        ("", 100)
    ]


def test_a_decimal_comma_is_read() -> None:
    data = asap(asap_annotation([[0, 0], [2.5, 0], [2.5, 2], [0, 2]])).replace(b"2.5", b"2,5")

    assert names_and_areas(data) == [("tumour", 5)]


def test_a_negative_region_is_cut_out_of_the_one_around_it() -> None:
    data = aperio(region(SQUARE), region(SMALL, 'Type="0" NegativeROA="1"'), region(FAR))

    assert names_and_areas(data) == [("tumour", 96), ("tumour", 25)]


def test_a_negative_region_may_come_first_and_cross_the_edge() -> None:
    crossing = [[8, 2], [14, 2], [14, 4], [8, 4]]
    data = aperio(region(crossing, 'Type="0" NegativeROA="1"'), region(SQUARE))

    assert names_and_areas(data) == [("tumour", 96)]


def test_an_island_in_a_hole_remains() -> None:
    hole = [[1, 1], [9, 1], [9, 9], [1, 9]]
    data = aperio(region(SQUARE), region(hole, 'Type="0" NegativeROA="1"'), region(SMALL))

    assert names_and_areas(data) == [("tumour", 36), ("tumour", 4)]


def test_a_hole_is_cut_out_of_the_region_that_it_names() -> None:
    data = aperio(
        region(SQUARE, 'Id="1" Type="0"'),
        region(SQUARE, 'Id="2" Type="0"'),
        region(SMALL, 'Id="3" Type="0" NegativeROA="1" InputRegionId="2"'),
    )

    assert names_and_areas(data) == [("tumour", 100), ("tumour", 96)]


def test_a_hole_in_nothing_is_left_out() -> None:
    drawing = drawing_of(aperio(region(SQUARE), region(FAR, 'NegativeROA="1"')), "file")

    assert [outline.area.area for outline in drawing.outlines] == [100]
    assert drawing.left_out == {"hole outside of any region": 1}


def test_a_hole_as_large_as_its_region_leaves_nothing() -> None:
    drawing = drawing_of(aperio(region(SQUARE), region(SQUARE, 'NegativeROA="1"')), "file")

    assert drawing.outlines == []
    assert drawing.left_out == {"outline without area": 1}


def test_holes_alone_are_no_outlines() -> None:
    drawing = drawing_of(aperio(region(SQUARE, 'NegativeROA="1"')), "file")

    assert drawing.outlines == []
    assert drawing.left_out == {"hole outside of any region": 1}


def test_a_hole_does_not_reach_into_another_annotation() -> None:
    first = aperio(region(SQUARE)).removesuffix(b"</Annotations>")
    second = aperio(region(SMALL, 'NegativeROA="1"')).split(b">", 1)[1]

    assert names_and_areas(first + second) == [("tumour", 100)]


def test_a_rectangle_may_be_given_by_two_corners() -> None:
    assert names_and_areas(aperio(region([[1, 2], [5, 10]], 'Type="1"'))) == [("tumour", 32)]


def test_a_shape_of_type_rectangle_that_was_traced_is_read_as_traced() -> None:
    triangle = [[0, 0], [10, 0], [0, 10]]

    assert names_and_areas(aperio(region(triangle, 'Type="1"'))) == [("tumour", 50)]


@pytest.mark.parametrize(
    "corners", [[[10, 20], [50, 40]], [[10, 20], [50, 20], [50, 40], [10, 40]]]
)
def test_an_ellipse_fills_the_box_of_its_corners(corners: Points) -> None:
    (outline,) = outlines_of(aperio(region(corners, 'Type="2"')), "file")

    assert outline.area.area == pytest.approx(np.pi / 4 * 40 * 20, rel=1e-4)
    assert outline.area.bounds == (10, 20, 50, 40)


def test_imagescope_shapes_without_area_are_left_out() -> None:
    line = [[0, 0], [10, 10]]
    kinds = [region(line, f'Type="{kind}"') for kind in (3, 4, 4, 5, 0)]

    drawing = drawing_of(aperio(*kinds, region(SQUARE)), "file")

    assert len(drawing.outlines) == 1
    assert drawing.left_out == {
        "arrow": 1,
        "ruler": 2,
        "region of type '5'": 1,
        "outline without area": 1,
    }


@pytest.mark.parametrize(
    ("annotation", "attribute", "text", "name"),
    [
        ('Id="7" Name="Tumour"', '<Attribute Name="Description" Value="x"/>', "y", "Tumour"),
        ('Id="7" Name=""', '<Attribute Name="Description" Value="Tumour"/>', "y", "Tumour"),
        ('Id="7" Name=""', '<Attribute Name="CaP" Value=""/>', "y", "CaP"),
        ('Id="7" Name=""', '<Attribute Name="Description" Value=""/>', "Mitosis", "Mitosis"),
        ('Id="7" Name=""', '<Attribute Name="Description" Value=""/>', "", "7"),
        ('Id="7"', "", "", "7"),
    ],
)
def test_the_class_of_a_region_is_the_first_name_that_somebody_gave(
    annotation: str, attribute: str, text: str, name: str
) -> None:
    data = aperio(region(SQUARE, f'Text="{text}"'), annotation=annotation, attribute=attribute)

    assert names(data) == [name]


def test_halo_files_are_read() -> None:
    solid = region(SQUARE, 'Type="Polygon" HasEndcaps="0" NegativeROA="0"')
    hole = region(SMALL, 'Type="Polygon" HasEndcaps="0" NegativeROA="1"')
    ellipse = region([[20, 0], [30, 10]], 'Type="Ellipse" HasEndcaps="0" NegativeROA="0"')
    data = aperio(solid, hole, ellipse, annotation='LineColor="65280" Name="Cortex"')

    first, second = names_and_areas(data.replace(b"<Vertex ", b"<V "))

    assert first == ("Cortex", 96)
    assert second[1] == pytest.approx(25 * np.pi, rel=1e-4)


def test_polygons_of_a_bare_list_have_no_class() -> None:
    assert names_and_areas(json.dumps([SQUARE, FAR]).encode()) == [("", 100), ("", 25)]


@pytest.mark.parametrize("data", [b"[]", geojson(), asap(), b"<Annotations/>"])
def test_a_file_without_annotations_has_no_outlines(data: bytes) -> None:
    assert outlines_of(data, "file") == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    "data",
    [
        geojson(feature(POLYGON, {"name": "Säume"})),
        asap(asap_annotation(SQUARE, group="Säume")),
        aperio(region(SQUARE), annotation='Name="Säume"'),
    ],
    ids=["geojson", "asap", "aperio"],
)
def test_byte_order_marks_and_utf_16_are_read(data: bytes, encoding: str) -> None:
    text = json.dumps(json.loads(data), ensure_ascii=False) if data[:1] == b"{" else data.decode()

    assert names(text.encode(encoding)) == ["Säume"]


def test_the_format_is_known_by_content_and_not_by_ending(tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    path.write_bytes(b"\n " + aperio(region(SQUARE)))

    assert [outline.name for outline in read_outlines(path)] == ["tumour"]


@pytest.mark.parametrize(
    ("points", "area"),
    [
        ([*SQUARE, SQUARE[0]], 100),
        ([SQUARE[0], SQUARE[0], SQUARE[1], *SQUARE[1:], SQUARE[3]], 100),
        ([[0, 0], [10, 10], [10, 0], [0, 10]], 50),
        ([*SQUARE, *SQUARE], 100),
        ([*SQUARE[:3], [15, 10], [10, 10], SQUARE[3]], 100),
        ([[0, 0], [0, 1], [1, 0], [0, 0], [0, -1], [1, 0]], 1),
        ([*SQUARE, SQUARE[0], *SMALL, SMALL[0], SQUARE[0]], 100),
    ],
    ids=["closed", "repeated", "bow tie", "twice around", "spike", "common edge", "wound around"],
)
def test_a_ring_is_repaired_to_what_it_winds_around(points: Points, area: float) -> None:
    (outline,) = outlines_of(json.dumps([points]).encode(), "file")

    assert outline.area.area == area
    assert outline.area.is_valid


@pytest.mark.parametrize(
    "points", [[], [[1, 1]], [[1, 1], [2, 2], [1, 1], [2, 2]], [[0, 0], [5, 5], [9, 9]]]
)
def test_a_ring_that_encloses_nothing_is_left_out(points: Points) -> None:
    drawing = drawing_of(json.dumps([points, SQUARE]).encode(), "file")

    assert [outline.area.area for outline in drawing.outlines] == [100]
    assert drawing.left_out == {"outline without area": 1}


def test_a_hole_that_encloses_nothing_is_no_hole() -> None:
    geometry = {"type": "Polygon", "coordinates": [SQUARE, [[1, 1], [2, 2]], []]}

    assert names_and_areas(geojson(feature(geometry))) == [("", 100)]


def test_a_hole_that_crosses_the_outline_is_cut_out() -> None:
    crossing = [[8, 2], [14, 2], [14, 4], [8, 4]]
    geometry = {"type": "Polygon", "coordinates": [SQUARE, crossing]}

    assert names_and_areas(geojson(feature(geometry))) == [("", 96)]


numbers = st.one_of(
    st.integers(-5, 5), st.floats(-1e9, 1e9), st.sampled_from([0.5, 1e-300, 1e9, -0.0])
)
rings = st.lists(st.lists(numbers, min_size=2, max_size=2), max_size=9)


@given(st.lists(st.lists(rings, max_size=3), max_size=3))
def test_every_outline_is_valid_and_has_area(polygons: list[list[list[list[float]]]]) -> None:
    geometry = {"type": "MultiPolygon", "coordinates": polygons}

    for outline in outlines_of(geojson(feature(geometry)), "file"):
        assert isinstance(outline.area, shapely.Polygon | shapely.MultiPolygon)
        assert outline.area.is_valid
        assert not outline.area.is_empty


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "file is empty. Export the annotations again"),
        (b"x,y\n1,2\n", r"begins with b'x,y\\n1,2\\n', which is neither JSON nor XML. Needed is"),
        (b'{"type": "Feature', "file is not JSON that can be read .*cut short"),
        (b'["\xff"]', "file is not JSON that can be read .*invalid start byte"),
        (b"[" * 100_000, "file is nested more deeply than any annotation"),
        (b"{}", "neither a FeatureCollection nor a list of features or polygons"),
        (b'{"type": "FeatureCollection"}', "neither a FeatureCollection nor a list"),
        (b"[1]", "Annotation 1 of file is not a GeoJSON feature"),
        (geojson(feature(POLYGON), {"id": 1}), "Annotation 2 of file is not a GeoJSON feature"),
        (geojson(feature([])), "Annotation 1 of file has a geometry that is no JSON object"),
        (geojson(feature({"type": "Circle"})), "geometry of type 'Circle'; needed is a Polygon"),
        (geojson(feature({"type": ["Point"]})), "geometry of type .*; needed is a Polygon"),
        (geojson(feature({"type": "Polygon"})), "has coordinates that are no list"),
        (geojson(feature({"type": "Polygon", "coordinates": [5]})), "not a list of points"),
        (geojson(feature({"type": "Polygon", "coordinates": SQUARE})), "not a list of points"),
        (geojson(feature({"type": "MultiPolygon", "coordinates": [5]})), "has rings that are no"),
        (geojson(feature({"type": "GeometryCollection"})), "has geometries that are no list"),
        (geojson(feature(POLYGON, 5)), "has properties that are no JSON object"),
        (geojson(feature(POLYGON, {"classification": [5]})), "has a class that is no text"),
        (geojson(feature(POLYGON, {"classification": {"name": {}}})), "a class that is no text"),
        (b"[[[0, 0], [5, 5], [NaN, 9]]]", "Polygon 1 of file has a corner at nan; needed are"),
        (b"[[[0, 0], [5, 5], [1e999, 9]]]", "Polygon 1 of file has a corner at inf; needed are"),
        (b"[[[0, 0], [5, 5], [1e308, 9]]]", r"Polygon 1 of file has a corner at 1e\+308"),
        (b"[[[0, 0], [5, 5], [2e9, 9]]]", r"corner at 2e\+09; .* up to 1,000,000,000 level-0 px"),
        (b'[[["0", "0"], ["5", "5"]]]', "not a list of points .*, all of them numbers"),
        (b"[[[0, 0], [5], [9, 9]]]", "not a list of points"),
        (b"[[[0, 0], [5, null], [9, 9]]]", "not a list of points"),
        (b"[[[[0, 0], [5, 5], [9, 9]]]]", "not a list of points"),
        (b"<html/>", "root is <html>; needed is <ASAP_Annotations> of ASAP or <Annotations> of"),
        (aperio(region(SQUARE))[:-5], "file is not XML that can be read .*cut short"),
        (b"<Annotations>&secret;</Annotations>", "file is not XML that can be read"),
        (b'<?xml version="1.0" encoding="none"?><a/>', "is not XML that can be read .*encoding"),
        (aperio(region(SQUARE, 'A="\xff"')).replace(b"\xc3", b""), "is not XML that can be read"),
        (aperio("<Region><Vertex X='1'/></Region>"), "a point whose Y is ''; needed is a number"),
        (aperio(region(SQUARE), region([["1", "a"]])), "Region 2 of annotation 1 of file has a"),  # type: ignore[list-item]
        (asap(asap_annotation(SQUARE).replace('Order="1"', 'Order="x"')), "whose Order is 'x'"),
        (asap(asap_annotation([[0, 0], [1, np.inf]])), "Annotation 1 of file has a corner at inf"),
    ],
)
def test_what_cannot_be_an_outline_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        outlines_of(data, "file")


LAUGHS = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "ha">' for n in range(10)
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "declaration",
    [f"[{LAUGHS}]", '[<!ENTITY x SYSTEM "file:///etc/passwd">]', 'SYSTEM "http://localhost/x.dtd"'],
    ids=["billion laughs", "file", "net"],
)
def test_a_document_type_is_refused(declaration: str, encoding: str) -> None:
    data = f'<!DOCTYPE a {declaration}><Annotations><Annotation Name="&l9;"/></Annotations>'

    with pytest.raises(LabelError, match="file has a DOCTYPE"):
        outlines_of(data.encode(encoding), "file")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.geojson"
    with path.open("wb") as file:
        file.truncate(documents.MAX_BYTES + 1)

    with pytest.raises(LabelError, match=r"huge.geojson has 150,000,001 bytes, more than the 150,"):
        read_outlines(path)


@pytest.mark.parametrize("name", ["nowhere.json", "."])
def test_what_is_no_file_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"cannot be read \(.* Check the path; needed is a file"):
        read_outlines(tmp_path / name)


@pytest.mark.parametrize(
    "data",
    [
        geojson(feature(POLYGON, {"name": "a"})),
        json.dumps([SQUARE]).encode(),
        asap(asap_annotation(SQUARE)),
        aperio(region(SQUARE)),
    ],
    ids=["geojson", "polygons", "asap", "aperio"],
)
def test_a_file_that_is_cut_short_anywhere_is_refused(data: bytes) -> None:
    for length in range(len(data)):
        with pytest.raises(LabelError, match="file"):
            outlines_of(data[:length], "file")


words = st.sampled_from(["", "Polygon", "MultiPolygon", "Feature", "Point", "GeometryCollection"])
keys = st.sampled_from(
    [
        *("type", "geometry", "coordinates", "geometries", "properties", "features"),
        *("classification", "names", "name", "parentClass", "childObjects", "class"),
    ]
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, st.floats(), words),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=20,
)


def is_read_or_refused(data: bytes) -> bool:
    try:
        outlines_of(data, "file")
    except LabelError as error:
        return "file" in str(error)
    return True


@given(values, values)
def test_json_of_any_shape_is_read_or_refused(geometry: object, properties: object) -> None:
    shaped = {"type": "MultiPolygon", "coordinates": geometry, "geometries": geometry}

    assert is_read_or_refused(json.dumps(geometry).encode())
    assert is_read_or_refused(geojson(feature(geometry, properties)))
    assert is_read_or_refused(geojson(feature(shaped, properties)))


@given(st.binary(max_size=60))
def test_bytes_of_any_kind_are_read_or_refused(data: bytes) -> None:
    assert is_read_or_refused(data)
    assert is_read_or_refused(b"[" + data)
    assert is_read_or_refused(b"<Annotations " + data)


def outline(points: Points, name: str = "tumour", holes: Sequence[Points] = ()) -> Outline:
    return Outline(name, shapely.Polygon(points, holes))


def test_a_region_is_touched_if_it_shares_area_with_an_outline() -> None:
    index = OutlineIndex([outline(SQUARE)])

    assert index.touches(Region(9, 9, 5, 5))
    assert index.touches(Region(2, 2, 1, 1))
    assert index.touches(Region(-5, -5, 50, 50))
    assert not index.touches(Region(11, 0, 5, 5))


def test_a_common_edge_or_corner_is_no_touch() -> None:
    index = OutlineIndex([outline(SQUARE)])

    assert not index.touches(Region(10, 0, 5, 10))
    assert not index.touches(Region(10, 10, 5, 5))


def test_a_region_in_a_hole_is_not_touched() -> None:
    index = OutlineIndex([outline(SQUARE, holes=[SMALL])])

    assert not index.touches(Region(2, 2, 2, 2))
    assert index.fraction(Region(2, 2, 2, 2)) == 0
    assert index.touches(Region(1, 2, 2, 2))


def test_the_fraction_counts_overlapping_outlines_once() -> None:
    index = OutlineIndex([outline(SQUARE), outline(SQUARE, "stroma"), outline(SMALL)])

    assert index.fraction(Region(5, 0, 10, 10)) == 0.5
    assert index.fraction(Region(0, 0, 10, 10)) == 1
    assert index.fraction(Region(30, 0, 10, 10)) == 0


def test_a_region_that_several_outlines_cover_together_is_all_inside() -> None:
    halves = [outline([[x, 0], [x + 5, 0], [x + 5, 9], [x, 9]]) for x in (0, 5)]

    assert OutlineIndex(halves).fraction(Region(2, 1, 6, 6)) == 1


def test_only_wanted_classes_count_however_they_are_spelled() -> None:
    outlines = [outline(SQUARE, "Tumour"), outline(FAR, "stroma")]

    index = OutlineIndex(outlines, {" tumour", "STROMA "})
    of_tumour = OutlineIndex(outlines, {"TUMOUR"})

    assert index.touches(Region(20, 0, 5, 5))
    assert of_tumour.touches(Region(0, 0, 5, 5))
    assert not of_tumour.touches(Region(20, 0, 5, 5))


def test_classes_are_listed_with_their_number_of_outlines() -> None:
    outlines = [outline(SQUARE, name) for name in ("Tumour", "stroma", "tumour", "")]

    index = OutlineIndex(outlines, {"stroma"})

    assert index.names() == {"Tumour": 2, "stroma": 1, "": 1}


def test_wanted_classes_that_nobody_drew_are_known() -> None:
    outlines = [outline(SQUARE, "Tumour")]

    assert OutlineIndex(outlines, {"tumour", "vessel", "Fat"}).missing() == ["Fat", "vessel"]
    assert OutlineIndex(outlines).missing() == []


def test_without_outlines_nothing_is_inside() -> None:
    index = OutlineIndex([])

    assert not index.touches(Region(0, 0, 5, 5))
    assert index.fraction(Region(0, 0, 5, 5)) == 0
    assert index.names() == {}


def test_a_region_without_area_is_a_slip() -> None:
    with pytest.raises(ValueError, match="A region of 0 x 5 px has no area"):
        OutlineIndex([]).fraction(Region(0, 0, 0, 5))


small_rings = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=3, max_size=8
).map(lambda corners: [list(corner) for corner in corners])


@given(st.lists(small_rings, min_size=1, max_size=4), st.integers(3, 15))
def test_the_fractions_of_tiles_add_up_to_the_area(drawn: list[Points], side: int) -> None:
    outlines = outlines_of(json.dumps(drawn).encode(), "file")
    index = OutlineIndex(outlines)
    tiles = [Region(x, y, side, side) for x in range(0, 41, side) for y in range(0, 41, side)]

    fractions = [index.fraction(tile) for tile in tiles]

    whole = shapely.union_all([one.area for one in outlines]).area
    assert sum(fractions) * side**2 == pytest.approx(whole, rel=1e-9, abs=1e-9)
    assert [fraction > 0 for fraction in fractions] == [index.touches(tile) for tile in tiles]


def shoelace(points: Points) -> float:
    """Area inside a ring that does not cross itself."""
    x, y = np.asarray(points, dtype=np.float64).T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def winding_area(points: Points, lines_per_px: int = 4) -> float:
    """Area around which a ring winds at all, from lines that scan it."""
    start: Float64[np.ndarray, "points 2"] = np.asarray(points, dtype=np.float64)
    end = np.roll(start, -1, axis=0)
    lowest, highest = start[:, 1].min(), start[:, 1].max()
    total = 0.0
    for y in np.arange(lowest, highest, 1 / lines_per_px) + 0.5 / lines_per_px:
        direction = (end[:, 1] > y).astype(int) - (start[:, 1] > y)
        (crossed,) = direction.nonzero()
        (x0, y0), (x1, y1) = start[crossed].T, end[crossed].T
        x = x0 + (y - y0) / (y1 - y0) * (x1 - x0)
        order = np.argsort(x)
        inside = np.cumsum(direction[crossed][order])[:-1] != 0
        total += float(np.diff(x[order])[inside].sum()) / lines_per_px
    return total


def xml_rings(text: str, element: str) -> list[tuple[str, Points]]:
    """Type and corners of each element, found without reading XML."""
    pieces = text.split(f"<{element} ")[1:]
    return [
        (
            re.findall(r'Type="(\w+)"', piece)[0],
            [[float(x), float(y)] for x, y in re.findall(r'X="(.+?)" Y="(.+?)"', piece)],
        )
        for piece in pieces
    ]


def num_holes(area: shapely.Polygon | shapely.MultiPolygon) -> int:
    return sum(len(part.interiors) for part in shapely.get_parts(area))


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("dlup_qupath05.geojson", {"UT": 1, "I": 2}),
        ("histoqc_geojson_example.json", {"Tumor": 1, "Invborder": 1}),
        ("wsiprocess_test_annotation.geojson", {"0": 1}),
    ],
)
def test_real_geojson_is_read_whole(shared_data: Path, name: str, classes: dict[str, int]) -> None:
    path = shared_data / "annotations" / name
    text = path.read_text()
    features = json.loads(text)
    features = features if isinstance(features, list) else features["features"]

    drawing = read_drawing(path)

    assert len(drawing.outlines) == len(re.findall(r'"type"\s*:\s*"Feature"', text))
    assert drawing.left_out == {}
    assert OutlineIndex(drawing.outlines).names() == classes
    for one, outline in zip(features, drawing.outlines, strict=True):
        coordinates = one["geometry"]["coordinates"]
        polygons = [coordinates] if one["geometry"]["type"] == "Polygon" else coordinates
        area = sum(
            shoelace(shell) - sum(shoelace(hole) for hole in holes) for shell, *holes in polygons
        )
        assert outline.area.area == pytest.approx(area, rel=1e-12)
        assert num_holes(outline.area) == sum(len(polygon) - 1 for polygon in polygons)


def test_the_real_multipolygon_has_a_hole(shared_data: Path) -> None:
    outlines = read_outlines(shared_data / "annotations" / "histoqc_geojson_example.json")

    assert [num_holes(outline.area) for outline in outlines] == [0, 1]


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("wsiprocess_CMU-1_classification.xml", {"malignant": 2, "benign": 2}),
        ("wsiprocess_CMU-1_detection.xml", {"malignant": 22, "benign": 1}),
    ],
)
def test_real_asap_files_are_read_whole(
    shared_data: Path, name: str, classes: dict[str, int]
) -> None:
    path = shared_data / "annotations" / name
    found = xml_rings(path.read_text(), "Annotation")

    drawing = read_drawing(path)

    assert OutlineIndex(drawing.outlines).names() == classes
    assert drawing.left_out == {"point": sum(kind == "Dot" for kind, _ in found)}
    areas = [shoelace(points) for kind, points in found if kind != "Dot"]
    assert [outline.area.area for outline in drawing.outlines] == pytest.approx(areas, rel=1e-9)


def test_a_real_imagescope_file_is_read_whole(shared_data: Path) -> None:
    path = shared_data / "annotations" / "histoqc_TCGA-EJ-5518-01Z-00-DX1.xml"
    text = path.read_text()
    by_imagescope = [float(area) for area in re.findall(r' Area="(.+?)"', text)]

    drawing = read_drawing(path)

    areas = [outline.area.area for outline in drawing.outlines]
    assert len(areas) == text.count("<Region ")
    assert drawing.left_out == {}
    assert [outline.name for outline in drawing.outlines] == ["CaP", "CaP", "3", "4"]
    assert areas == pytest.approx(by_imagescope, rel=2e-3)
    rings = [points for _, points in xml_rings(text, "Region")]
    assert areas == pytest.approx([winding_area(ring, 1) for ring in rings], rel=1e-4)


@dataclass(frozen=True)
class Traced:
    """A polygon of HuBMAP + HPA 2022 and its outline, if it has one."""

    points: Points
    area: float


@pytest.fixture(scope="module")
def hubmap(shared_data: Path) -> list[list[Traced]]:
    """Each of the 351 files."""
    files = []
    archive = shared_data / "annotations" / "hubmap_hpa_2022_ftu.tar.xz"
    with lzma.open(archive) as unpacked, tarfile.open(fileobj=unpacked) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.name.endswith(".json") else None
            if content is None:
                continue
            data = content.read()
            drawing = drawing_of(data, member.name)
            areas = iter(outline.area.area for outline in drawing.outlines)
            files.append(
                [
                    Traced(points, next(areas) if shoelace(points) > 0 else 0)
                    for points in json.loads(data)
                ]
            )
            assert drawing.left_out.get("outline without area", 0) == sum(
                shoelace(traced.points) == 0 for traced in files[-1]
            )
            assert next(areas, None) is None
            assert all(outline.area.is_valid for outline in drawing.outlines)
    return files


def test_all_hubmap_files_are_read(hubmap: list[list[Traced]]) -> None:
    polygons = [traced for file in hubmap for traced in file]

    assert len(hubmap) == 351
    assert len(polygons) == 4909
    assert sum(traced.area == 0 for traced in polygons) == 4
    whole = sum(shoelace(traced.points) for traced in polygons)
    assert sum(traced.area for traced in polygons) == pytest.approx(whole, rel=1e-4)


def test_hubmap_polygons_that_do_not_cross_themselves_keep_their_area(
    hubmap: list[list[Traced]],
) -> None:
    simple = [
        traced for file in hubmap for traced in file if shapely.LinearRing(traced.points).is_simple
    ]

    assert len(simple) > 2000
    assert [traced.area for traced in simple] == pytest.approx(
        [shoelace(traced.points) for traced in simple], rel=1e-12
    )


def test_hubmap_polygons_that_cross_themselves_become_what_they_wind_around(
    hubmap: list[list[Traced]],
) -> None:
    by_change = sorted(
        (traced for file in hubmap for traced in file if traced.area > 0),
        key=lambda traced: abs(traced.area - shoelace(traced.points)) / traced.area,
    )
    worst = by_change[-100:]

    assert abs(worst[-1].area / shoelace(worst[-1].points) - 1) > 0.1
    assert [traced.area for traced in worst] == pytest.approx(
        [winding_area(traced.points) for traced in worst], rel=1e-3, abs=0.2
    )


def test_a_ring_keeps_the_six_decimals_that_imagescope_writes() -> None:
    ring = ring_of([[40265.344427, 13434.053525], [40301.072377, 13434.053525], [1, 2]], "here")

    assert ring[0].tolist() == [40265.344427, 13434.053525]
    assert filled([ring]).is_valid
