"""Label maps from outlines and to outlines: QuPath, ImageJ, COCO, and files from anybody."""

import io
import json
import struct
import time
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from jaxtyping import Bool, UInt8
from PIL import Image, ImageDraw
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from rasterio.features import rasterize, shapes
from roifile import ROI_OPTIONS, ROI_TYPE, ImagejRoi
from scipy import ndimage

from hdgan.artifacts import annotation_file, guarded
from hdgan.artifacts.annotation_file import found_classes, guessed_class, labels_in
from hdgan.artifacts.class_colours import OKABE_ITO, coloured, colours
from hdgan.artifacts.coco import CocoImage, coco_bytes, label_maps_in_coco
from hdgan.artifacts.images import png_of
from hdgan.artifacts.optional_packages import need
from hdgan.artifacts.outlines import scan_lines, zipped
from hdgan.artifacts.outlines.drawn_labels import (
    AMBIGUOUS_NAME,
    ClassNumbers,
    Cut,
    class_numbers,
    labels_of,
)
from hdgan.artifacts.outlines.outline import Outline
from hdgan.artifacts.outlines.reading import drawing_of, outlines_of
from hdgan.artifacts.outlines.written_geojson import geojson_of
from hdgan.artifacts.qupath_project import (
    QuPathImage,
    qupath_files,
    write_qupath_project,
    write_qupath_zip,
)
from hdgan.class_map import AMBIGUOUS, KIDNEY, UNLABELLED, ClassMap, TissueClass
from hdgan.errors import LabelError, SettingsError

Labels = UInt8[np.ndarray, "height width"]
Points = Sequence[Sequence[float]]

NUMBERS = class_numbers(KIDNEY)
SQUARE = [[2, 1], [7, 1], [7, 6], [2, 6]]


def outline(points: Points, name: str = "artery", holes: Sequence[Points] = ()) -> Outline:
    return Outline(name, shapely.Polygon(points, holes))


def inside(points: Points, height: int, width: int) -> Bool[np.ndarray, "height width"]:
    """The page's rule, pixel by pixel: an odd number of edges lie at a centre or left of it."""
    found = np.zeros((height, width), dtype=bool)
    for row in range(height):
        for column in range(width):
            x, y = column + 0.5, row + 0.5
            for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
                if (y0 <= y) != (y1 <= y) and x0 + (y - y0) * (x1 - x0) / (y1 - y0) <= x:
                    found[row, column] ^= True
    return found


def test_a_pixel_belongs_to_an_outline_if_its_centre_is_inside() -> None:
    labels = labels_of([outline([[1.5, 0.5], [3.4, 0.5], [3.4, 2.6], [1.5, 2.6]])], NUMBERS, 4, 5)

    expected = np.full((4, 5), UNLABELLED)
    expected[0:3, 1:3] = 4
    assert np.array_equal(labels, expected)


def test_later_outlines_lie_over_earlier_ones() -> None:
    small = [[3, 2], [5, 2], [5, 4], [3, 4]]

    over = labels_of([outline(SQUARE), outline(small, "glomerulus")], NUMBERS, 8, 8)
    under = labels_of([outline(small, "glomerulus"), outline(SQUARE)], NUMBERS, 8, 8)

    assert (over == 2).sum() == 4
    assert (under == 2).sum() == 0
    assert ((over != UNLABELLED) == (under != UNLABELLED)).all()


def test_holes_show_what_lies_below() -> None:
    ring = outline(SQUARE, holes=[[[3, 2], [5, 2], [5, 4], [3, 4]]])

    labels = labels_of(
        [outline([[0, 0], [8, 0], [8, 8], [0, 8]], "glomerulus"), ring], NUMBERS, 8, 8
    )

    assert (labels[2:4, 3:5] == 2).all()
    assert (labels == 4).sum() == 21


def test_what_no_outline_covers_is_the_background() -> None:
    assert labels_of([], NUMBERS, 2, 3, background=1).tolist() == [[1, 1, 1]] * 2


def test_a_tile_shows_its_part_of_the_slide_at_its_scale() -> None:
    far = outline([[1000, 500], [1040, 500], [1040, 520], [1000, 520]])

    labels = labels_of([far], NUMBERS, 10, 20, Cut(x=980.0, y=490.0, across=4.0, down=2.0))

    expected = np.full((10, 20), UNLABELLED)
    expected[5:, 5:15] = 4
    assert np.array_equal(labels, expected)


def test_outlines_far_larger_than_the_label_map_are_cut() -> None:
    huge = outline([[-9e8, -9e8], [9e8, -9e8], [9e8, 2], [-9e8, 2]])
    beside = outline([[50, 50], [60, 50], [60, 60]])

    labels = labels_of([huge, beside], NUMBERS, 5, 4)

    assert (labels[:2] == 4).all()
    assert (labels[2:] == UNLABELLED).all()


@pytest.mark.parametrize("name", ["Artery", " artery ", "ARTERY"])
def test_neither_case_nor_spaces_of_a_class_name_matter(name: str) -> None:
    assert (labels_of([outline(SQUARE, name)], NUMBERS, 8, 8) == 4).sum() == 25


def test_a_name_that_is_spelled_exactly_goes_first() -> None:
    numbers = ClassNumbers({"a": 0, "A": 1})

    assert (numbers.get("a"), numbers.get("A"), numbers.get(" a")) == (0, 1, None)


def test_the_ambiguous_mark_has_a_value_unless_a_class_is_called_so() -> None:
    mark = [outline(SQUARE, "Ambiguous")]

    assert (labels_of(mark, NUMBERS, 8, 8) == AMBIGUOUS).sum() == 25
    assert (labels_of(mark, NUMBERS | {AMBIGUOUS_NAME: 3}, 8, 8) == 3).sum() == 25


def test_unknown_classes_are_listed_with_what_to_do() -> None:
    drawn = [outline(SQUARE, name) for name in ("vein", "artery", "vein", "")]

    with pytest.raises(LabelError, match=r"'vein' \(2\), 'no class' \(1\); the classes are 'white"):
        labels_of(drawn, NUMBERS, 8, 8)


places = st.one_of(st.integers(-3, 12), st.floats(-3, 12, allow_subnormal=False, width=32))
corners = st.lists(st.tuples(places, places).map(list), min_size=3, max_size=7)


@given(st.lists(corners, min_size=1, max_size=4))
def test_rings_are_filled_as_the_page_fills_polygons(rings: list[list[list[float]]]) -> None:
    labels = np.full((9, 10), UNLABELLED, dtype=np.uint8)
    expected = labels.copy()
    for number, ring in enumerate(rings):
        expected[inside(ring, 9, 10)] = number

    values = np.arange(len(rings), dtype=np.uint8)
    scan_lines.fill_rings(labels, [np.array(ring, dtype=np.float64) for ring in rings], values)

    assert np.array_equal(labels, expected)


@given(st.integers(0, 2**32 - 1))
def test_areas_are_filled_as_gdal_fills_them(seed: int) -> None:
    random = np.random.default_rng(seed)
    rings = random.uniform(-20, 80, (3, 12, 2)).round(3).tolist()
    drawn = outlines_of(json.dumps(rings).encode(), "file")

    labels = labels_of(drawn, {"": 1}, 50, 60, background=0)

    expected = rasterize([(one.area, 1) for one in drawn], out_shape=(50, 60), dtype="uint8")
    assert np.array_equal(labels, expected)


@pytest.mark.parametrize("limit", ["CORNERS_AT_ONCE", "CROSSINGS_AT_ONCE"])
def test_what_is_filled_does_not_depend_on_how_much_is_worked_on_at_once(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(1)
    rings = random.uniform(-20, 80, (30, 9, 2)).tolist()
    drawn = outlines_of(json.dumps(rings).encode(), "file")
    drawn = [Outline(str(i), one.area) for i, one in enumerate(drawn)]
    class_of = {str(i): i for i in range(len(drawn))}
    whole = labels_of(drawn, class_of, 50, 60)

    monkeypatch.setattr(scan_lines, limit, 7)

    assert np.array_equal(labels_of(drawn, class_of, 50, 60), whole)


values = st.sampled_from([0, 1, 2, 3, 4, AMBIGUOUS, UNLABELLED])
sides = st.tuples(st.integers(1, 12), st.integers(1, 12))
label_maps = arrays(np.uint8, sides, elements=values)


@given(label_maps)
def test_geojson_gives_every_label_map_back(labels: Labels) -> None:
    drawing = drawing_of(geojson_of(labels, KIDNEY), "file")

    assert np.array_equal(labels_of(drawing.outlines, NUMBERS, *labels.shape), labels)
    assert np.array_equal(labels_of(drawing.outlines[::-1], NUMBERS, *labels.shape), labels)
    assert drawing.left_out == {}


def test_geojson_has_class_colours_and_a_grey_class_for_the_ambiguous_mark() -> None:
    document = json.loads(geojson_of(np.array([[2, 254, 255]], dtype=np.uint8), KIDNEY))

    found = [feature["properties"]["classification"] for feature in document["features"]]
    assert found == [
        {"name": "glomerulus", "color": [0, 158, 115]},
        {"name": "ambiguous", "color": [128, 128, 128]},
    ]


def test_a_pixel_of_no_class_is_not_written() -> None:
    labels = np.full((2, 2), 7, dtype=np.uint8)

    with pytest.raises(LabelError, match="4 pixels of class 7"):
        geojson_of(labels, KIDNEY)
    with pytest.raises(LabelError, match=r"a.png has 4 pixels of class 7"):
        coco_bytes([CocoImage("a.png", labels)], KIDNEY)


def opened(data: bytes, folder: Path) -> COCO:
    (folder / "coco.json").write_bytes(data)
    return COCO(folder / "coco.json")


def blobs(seed: int = 0, height: int = 40, width: int = 30) -> Labels:
    random = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(random.random((7, height, width)), (0, 3, 3))
    table = np.array([0, 1, 2, 3, 4, AMBIGUOUS, UNLABELLED], dtype=np.uint8)
    return table[smooth.argmax(axis=0)]


@given(st.lists(label_maps, min_size=1, max_size=3))
def test_coco_gives_every_label_map_back(maps: list[Labels]) -> None:
    data = coco_bytes([CocoImage(f"x/{i}.png", one) for i, one in enumerate(maps)], KIDNEY)

    found = dict(label_maps_in_coco(data, "file", NUMBERS))

    assert list(found) == [str(i) for i in range(len(maps))]
    assert all(np.array_equal(found[str(i)], one) for i, one in enumerate(maps))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_pycocotools_reads_what_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maps = [blobs(0), blobs(1)]
    coco = opened(
        coco_bytes([CocoImage(f"{i}.png", m) for i, m in enumerate(maps)], KIDNEY), tmp_path
    )

    names = {category["id"]: category["name"] for category in coco.loadCats(coco.getCatIds())}
    assert names == dict(enumerate(KIDNEY.names, start=1)) | {255: "ambiguous"}
    for image_id, labels in enumerate(maps, start=1):
        painted = np.full_like(labels, UNLABELLED)
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=[image_id], iscrowd=False))
        for annotation in annotations:
            mask = coco.annToMask(annotation).astype(bool)
            rows, columns = mask.nonzero()
            painted[mask] = annotation["category_id"] - 1
            assert annotation["area"] == mask.sum()
            assert annotation["bbox"] == [
                columns.min(),
                rows.min(),
                np.ptp(columns) + 1,
                np.ptp(rows) + 1,
            ]
            assert ndimage.label(mask)[1] == 1
        assert np.array_equal(painted, labels)
        regions = sum(ndimage.label(labels == v)[1] for v in np.unique(labels) if v != UNLABELLED)
        assert len(annotations) == regions
    capsys.readouterr()


def coco_of(*segmentations: object, size: tuple[int, int] = (8, 9)) -> bytes:
    height, width = size
    return json.dumps(
        {
            "images": [{"id": 7, "file_name": "dir\\a.jpg", "height": height, "width": width}],
            "categories": [{"id": i, "name": f"class {i}"} for i in range(len(segmentations))],
            "annotations": [
                {"id": i, "image_id": 7, "category_id": i, "segmentation": one}
                for i, one in enumerate(segmentations)
            ],
        }
    ).encode()


CLASSES = {f"class {i}": i for i in range(9)}


@given(arrays(np.uint8, st.just((8, 9)), elements=st.integers(0, 1)))
def test_both_forms_of_runs_are_read(mask: Labels) -> None:
    encoded = coco_mask.encode(np.asfortranarray(mask))
    text = {"size": encoded["size"], "counts": encoded["counts"].decode()}
    flat = mask.T.ravel().tolist()
    counts, inside_now = [0], 0
    for pixel in flat:
        if pixel != inside_now:
            counts, inside_now = [*counts, 0], pixel
        counts[-1] += 1

    for runs in (text, {"size": [8, 9], "counts": counts}):
        ((stem, labels),) = label_maps_in_coco(coco_of(runs), "file", CLASSES)
        assert stem == "a"
        assert np.array_equal(labels, np.where(mask, 0, UNLABELLED))


def test_later_annotations_lie_over_earlier_ones_whatever_their_form() -> None:
    left = {"size": [8, 9], "counts": [0, 8 * 4, 8 * 5]}
    square = [2, 1, 7, 1, 7, 6, 2, 6]
    corner = [0, 0, 3, 0, 3, 3, 0, 3]

    ((_, labels),) = label_maps_in_coco(coco_of([square], left, [corner, square]), "f", CLASSES)

    expected = np.full((8, 9), UNLABELLED)
    expected[:, :4] = 1
    expected[1:6, 2:7] = 2
    expected[:3, :3] = 2
    assert np.array_equal(labels, expected)


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        ([[1, 2, 3]], "a polygon that is no list x, y"),
        ([["a", "b", "c", "d", "e", "f"]], "not a list of points"),
        ([[1, 2, 3, 4, 1e300, 5]], "corner at 1e"),
        ({"size": [9, 8], "counts": [72]}, "neither polygons nor runs of its image's 9 x 8"),
        ({"size": [8, 9], "counts": [71]}, "runs that do not fill its image of 72 pixels"),
        ({"size": [8, 9], "counts": [-1, 73]}, "runs that do not fill"),
        ({"size": [8, 9], "counts": ["x"]}, "run-length encoding that cannot be read"),
        ({"size": [8, 9], "counts": [[1], 2]}, "run-length encoding that cannot be read"),
        ({"size": [8, 9], "counts": "é"}, "run-length encoding that cannot be read"),
        ({"size": [8, 9], "counts": "oooooooooooo0"}, "run-length encoding that cannot be read"),
        ({"size": [8, 9], "counts": "oo"}, "run-length encoding that cannot be read"),
        ("x", "neither polygons nor runs"),
    ],
)
def test_segmentations_that_cannot_be_are_refused(segmentation: object, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        dict(label_maps_in_coco(coco_of(segmentation), "file", CLASSES))


def saved(*rois: ImagejRoi, packed: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packed) as archive:
        for number, roi in enumerate(rois):
            archive.writestr(f"{roi.name or number}.roi", roi.tobytes())
    return file.getvalue()


def roi_of(points: Points, kind: ROI_TYPE = ROI_TYPE.POLYGON, name: str = "") -> ImagejRoi:
    roi = ImagejRoi.frompoints(points, name=name)
    roi.roitype = kind
    return roi


def boxed(kind: ROI_TYPE, left: int, top: int, right: int, bottom: int) -> ImagejRoi:
    return ImagejRoi(roitype=kind, left=left, top=top, right=right, bottom=bottom)


def composite(*path: float) -> ImagejRoi:
    roi = boxed(ROI_TYPE.RECT, 0, 0, 9, 9)
    roi.multi_coordinates = np.array(path, dtype=np.float32)
    roi.shape_roi_size = len(path)
    return roi


def path_of(points: Points) -> list[float]:
    (x, y), *others = points
    return [0, x, y, *(n for x, y in others for n in (1, x, y)), 4]


@pytest.mark.parametrize("kind", [ROI_TYPE.POLYGON, ROI_TYPE.FREEHAND, ROI_TYPE.TRACED])
@pytest.mark.parametrize("shift", [0, 0.25])
def test_corners_of_imagej_are_corners_of_pixels(kind: ROI_TYPE, shift: float) -> None:
    points = (np.array(SQUARE) + shift).tolist() if shift else SQUARE

    (found,) = outlines_of(roi_of(points, kind).tobytes(), "file")

    left, top = 2 + shift, 1 + shift
    assert found.area.bounds == (left, top, left + 5, top + 5)
    assert found.area.area == 25


def test_rectangles_and_ovals_of_imagej_fill_their_box() -> None:
    rectangle, oval = outlines_of(
        saved(boxed(ROI_TYPE.RECT, 2, 1, 12, 5), boxed(ROI_TYPE.OVAL, 2, 1, 12, 5)), "file"
    )

    assert rectangle.area.bounds == oval.area.bounds == (2, 1, 12, 5)
    assert rectangle.area.area == 40
    assert oval.area.area == pytest.approx(np.pi * 10, rel=2e-3)


def test_boxes_of_imagej_may_have_fractions_and_round_corners() -> None:
    exact = boxed(ROI_TYPE.RECT, 2, 1, 12, 5)
    exact.options = ROI_OPTIONS.SUB_PIXEL_RESOLUTION
    exact.xd, exact.yd, exact.widthd, exact.heightd = 2.25, 1.5, 10.0, 4.0
    rounded = boxed(ROI_TYPE.RECT, 0, 0, 20, 10)
    rounded.rounded_rect_arc_size = 4

    first, second = outlines_of(saved(exact, rounded), "file")

    assert first.area.bounds == (2.25, 1.5, 12.25, 5.5)
    assert second.area.area == pytest.approx(200 - (4 - np.pi) * 4, rel=1e-3)


def test_composite_regions_of_imagej_have_holes_and_islands() -> None:
    hole = [[3, 2], [6, 2], [6, 5], [3, 5]]
    island = [[4, 3], [5, 3], [5, 4], [4, 4]]

    (found,) = outlines_of(
        composite(*path_of(SQUARE), *path_of(hole), *path_of(island)).tobytes(), "file"
    )

    assert found.area.area == 25 - 9 + 1
    assert found.area.is_valid


def test_curves_of_composite_regions_are_followed() -> None:
    """A circle of radius 10 as four cubic curves, which is how Java draws it."""
    k = 10 * 0.5522847498
    quarters = [
        (10, k, k, 10, 0, 10),
        (-k, 10, -10, k, -10, 0),
        (-10, -k, -k, -10, 0, -10),
        (k, -10, 10, -k, 10, 0),
    ]
    path = [0.0, 10.0, 0.0, *(n for quarter in quarters for n in (3.0, *quarter)), 4.0]

    (found,) = outlines_of(composite(*path).tobytes(), "file")
    (parabola,) = outlines_of(composite(0, 0, 0, 2, 5, 10, 10, 0, 4).tobytes(), "file")

    assert found.area.area == pytest.approx(np.pi * 100, rel=2e-3)
    assert parabola.area.area == pytest.approx(2 / 3 * 10 * 5, rel=1e-3)


def test_regions_of_imagej_without_area_are_left_out() -> None:
    kinds = [ROI_TYPE.POINT, ROI_TYPE.POLYLINE, ROI_TYPE.FREELINE, ROI_TYPE.ANGLE]
    flat = [[0, 0], [5, 5], [9, 9]]

    drawing = drawing_of(
        saved(
            *(roi_of(SQUARE, kind) for kind in kinds),
            boxed(ROI_TYPE.LINE, 0, 0, 5, 5),
            boxed(ROI_TYPE.OVAL, 3, 3, 3, 3),
            roi_of(flat),
            roi_of(SQUARE),
        ),
        "file",
    )

    assert len(drawing.outlines) == 1
    assert drawing.left_out == {"point": 1, "line": 3, "angle": 1, "outline without area": 2}


@pytest.mark.parametrize(
    ("name", "group", "called"),
    [
        ("0123-0456", 0, ""),
        ("0001-0123-0456", 0, ""),
        ("F01-C2", 0, ""),
        ("7f0d5c34-cbbf-11f0-8de9-0242ac120002", 0, ""),
        ("0123-0456", 3, "group 3"),
        ("glomerulus", 3, "glomerulus"),
        ("glomerulus-2", 0, "glomerulus"),
    ],
)
def test_the_class_of_a_region_is_a_name_that_somebody_gave(
    name: str, group: int, called: str
) -> None:
    roi = roi_of(SQUARE, name=name)
    roi.group = group

    assert [one.name for one in outlines_of(saved(roi), "file")] == [called]


@pytest.mark.parametrize("number", range(1, 6))
def test_real_regions_are_those_that_were_painted_up_to_their_edges(
    shared_data: Path, number: int
) -> None:
    """The masks were drawn by Pillow, which takes corners for centres and paints edges, too."""
    folder = shared_data / "kidney_glomeruli_roi"
    mask = np.asarray(Image.open(folder / f"mask_C{number}.png")) == 1
    data = (folder / f"RoiSetR22C{number}.zip").read_bytes()
    drawn = outlines_of(data, "file")

    height, width = mask.shape
    labels = labels_of(drawn, {"": 1}, height, width, background=0) == 1

    edges = Image.new("1", mask.shape[::-1])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.namelist():
            points = np.asarray(ImagejRoi.frombytes(archive.read(member)).coordinates())
            ImageDraw.Draw(edges).polygon([(int(x), int(y)) for x, y in points], outline=1)
    near = ndimage.binary_dilation(np.asarray(edges), np.ones((3, 3), dtype=bool))
    assert (labels & mask).sum() / (labels | mask).sum() > 0.98
    assert not ((labels != mask) & ~near).any()


def test_names_in_an_archive_are_no_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("../../evil.roi", "/etc/evil.roi", "C:\\evil.roi"):
            archive.writestr(name, roi_of(SQUARE).tobytes())

    assert len(outlines_of(file.getvalue(), "file")) == 3
    assert list(tmp_path.rglob("*")) == []


def zip_of(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.roi", content)
    return file.getvalue()


def lying(data: bytes, size: int) -> bytes:
    """The archive with another size of its only file in both of its headers."""
    changed = bytearray(data)
    struct.pack_into("<I", changed, 22, size)
    struct.pack_into("<I", changed, data.index(b"PK\x01\x02") + 24, size)
    return bytes(changed)


ROI = roi_of(SQUARE).tobytes()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (ROI[:60], "file is not a region of ImageJ that can be read"),
        (ROI[:70], "file is not a region of ImageJ that can be read"),
        (composite(9, 1, 2).tobytes(), "cut short or of another kind"),
        (composite(1, 1, 2).tobytes(), "does not begin with a move"),
        (zip_of(a=b"Iout"), r"'a.roi' of file is not a region of ImageJ"),
        (zip_of(a=b"hello" * 20), "not a region of ImageJ"),
        (zip_of(), "without a file that ends in .roi"),
        (zip_of(a=ROI)[:-30], "is not a ZIP archive that can be read"),
        (zip_of(a=bytes(1_000_000)), "packed more than 100 times"),
        (lying(zip_of(a=ROI), 5), "another size than it says|can be read"),
        (lying(zip_of(a=ROI), 40_000), "another size than it says|can be read"),
        (
            zip_of(a=ROI).replace(b"\x08\x00", b"\x0c\x00", 2),
            "packed in an unusual way|can be read",
        ),
    ],
)
def test_damaged_regions_and_archives_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        outlines_of(data, "file")


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("MAX_MEMBERS", "more than 1 files"),
        ("MAX_BYTES", "more than 1 bytes, unpacked"),
        ("MAX_MEMBER_BYTES", "a file of more than 1 bytes"),
    ],
)
def test_archives_that_would_grow_too_large_are_refused(
    limit: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipped, limit, 1)

    with pytest.raises(LabelError, match=message):
        outlines_of(saved(roi_of(SQUARE, name="a"), roi_of(SQUARE, name="b")), "file")


@given(st.binary(max_size=80), st.integers(0, len(ROI)))
def test_regions_of_any_bytes_are_read_or_refused(data: bytes, place: int) -> None:
    changed = ROI[:place] + data + ROI[place + len(data) :]
    for content in (b"Iout" + data, changed, zip_of(a=changed), zip_of(a=ROI)[:place] + data):
        assert is_read_or_refused(content)


def is_read_or_refused(content: bytes) -> bool:
    try:
        outlines_of(content, "file")
    except LabelError as error:
        return "file" in str(error)
    return True


def read_project(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "project.qpproj").read_text())
    return document


def test_a_qupath_project_lists_images_that_are_where_it_says(tmp_path: Path) -> None:
    labels = blobs(height=16, width=20)
    pixels = np.zeros((16, 20, 3), dtype=np.uint8)
    folder = tmp_path / "a folder"

    names = write_qupath_project(
        folder,
        [QuPathImage("s 1", pixels, labels, 0.25), QuPathImage("s2", pixels)],
        KIDNEY,
    )

    project = read_project(folder)
    assert project["lastID"] == 2
    assert [entry["entryID"] for entry in project["images"]] == [1, 2]
    for entry in project["images"]:
        assert entry["serverBuilder"]["builderType"] == "uri"
        path = (folder / "images" / f"{entry['imageName']}.png").absolute()
        assert entry["serverBuilder"]["uri"] == path.as_uri()
        assert path.is_file()
    assert project["uri"] == (folder / "project.qpproj").absolute().as_uri()
    assert sorted(names) == sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    drawn = outlines_of((folder / "annotations" / "s 1.geojson").read_bytes(), "file")
    assert np.array_equal(labels_of(drawn, NUMBERS, 16, 20), labels)
    assert json.loads((folder / "spacing.json").read_text()) == {"s 1": 0.25}


def test_a_qupath_project_that_was_interrupted_is_begun_anew(tmp_path: Path) -> None:
    pixels = np.zeros((16, 20, 3), dtype=np.uint8)
    folder = tmp_path / "project"
    folder.mkdir()

    def broken_off() -> Iterator[QuPathImage]:
        yield QuPathImage("old", pixels)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_qupath_project(folder, broken_off(), KIDNEY)
    assert not any(folder.iterdir())
    names = write_qupath_project(folder, [QuPathImage("new", pixels)], KIDNEY)

    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(path.relative_to(folder).as_posix() for path in written) == sorted(names)
    assert "images/new.png" in names


def test_the_classes_of_a_qupath_project_have_packed_colours(tmp_path: Path) -> None:
    write_qupath_project(tmp_path, [], KIDNEY)

    classes = json.loads((tmp_path / "classifiers" / "classes.json").read_text())["pathClasses"]

    assert [one["name"] for one in classes] == [*KIDNEY.names, "ambiguous"]
    packed = [one["color"] for one in classes]
    assert packed[0] == struct.unpack(">i", bytes([255, 0xF0, 0xE4, 0x42]))[0]
    assert packed[-1] == struct.unpack(">i", bytes([255, 128, 128, 128]))[0]


def test_a_qupath_project_in_an_archive_moves_as_one(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4, 3), dtype=np.uint8)
    file = io.BytesIO()

    write_qupath_zip(file, [QuPathImage("s1", pixels, blobs(height=4, width=4))], KIDNEY)

    with zipfile.ZipFile(file) as archive:
        assert all(name.startswith("qupath/") for name in archive.namelist())
        archive.extractall(tmp_path)
    project = read_project(tmp_path / "qupath")
    base = project["uri"].removesuffix("project.qpproj")
    uri = project["images"][0]["serverBuilder"]["uri"]
    assert (tmp_path / "qupath" / uri.removeprefix(base)).is_file()
    scripts = sorted((tmp_path / "qupath" / "scripts").iterdir())
    assert [script.suffix for script in scripts] == [".groovy"] * 2
    assert "hdgan import-annotations" in (tmp_path / "qupath" / "README.txt").read_text()


def test_a_name_that_some_system_does_not_take_gets_a_number() -> None:
    pixels = np.zeros((2, 2, 3), dtype=np.uint8)
    images = [QuPathImage(name, pixels) for name in ("a:b", "a?b", "../c", "d")]

    names = [name for name, _ in qupath_files(images, KIDNEY, "file:/x/")]

    pictures = [name for name in names if name.startswith("images/")]
    assert pictures == [
        "images/000001_a_b.png",
        "images/000002_a_b.png",
        "images/000003__c.png",
        "images/d.png",
    ]


def palette_png(labels: Labels) -> bytes:
    image = Image.frombytes("P", labels.shape[::-1], labels.tobytes())
    image.putpalette(KIDNEY.palette.ravel().tolist())
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


PLAIN = np.where(blobs() >= AMBIGUOUS, 0, blobs()).astype(np.uint8)


@pytest.mark.parametrize(
    "data",
    [
        png_of(blobs()),
        geojson_of(blobs(), KIDNEY),
        coco_bytes([CocoImage("a.png", blobs())], KIDNEY),
        coco_bytes([CocoImage("b.png", PLAIN), CocoImage("a.png", blobs())], KIDNEY),
    ],
    ids=["numbers", "geojson", "coco", "coco of two"],
)
def test_any_file_gives_its_classes_and_then_its_label_map(data: bytes) -> None:
    found = found_classes(data, "file", "a")
    guessed = {name: guessed_class(name, KIDNEY, of_image=True) for name, _ in found}

    labels = labels_in(
        data, "file", {n: v for n, v in guessed.items() if v is not None}, 40, 30, "a"
    )

    assert None not in guessed.values()
    assert set(guessed.values()) == set(np.unique(blobs()).tolist()) - {UNLABELLED}
    assert np.array_equal(labels, blobs())


@pytest.mark.parametrize(
    "data", [palette_png(PLAIN), png_of(KIDNEY.palette[PLAIN])], ids=["palette", "colour"]
)
def test_colours_of_an_image_are_its_classes(data: bytes) -> None:
    found = found_classes(data, "file")

    assert sorted(name for name, _ in found) == sorted(tissue.colour for tissue in KIDNEY.classes)
    assert sum(count for _, count in found) == PLAIN.size
    class_of = {name: guessed_class(name, KIDNEY, of_image=True) or 0 for name, _ in found}
    assert np.array_equal(labels_in(data, "file", class_of, 40, 30), PLAIN)


def test_black_is_unlabelled_unless_it_has_a_class() -> None:
    black = png_of(np.zeros((2, 3, 3), dtype=np.uint8))

    assert found_classes(black, "file") == [("#000000", 6)]
    assert guessed_class("#000000", KIDNEY, of_image=True) == UNLABELLED
    assert (labels_in(black, "file", {}, 2, 3) == UNLABELLED).all()
    assert (labels_in(black, "file", {"#000000": 2}, 2, 3) == 2).all()


def test_classes_of_outlines_are_counted_in_order() -> None:
    polygons = json.dumps([SQUARE, SQUARE]).encode()

    assert found_classes(polygons, "file") == [("", 2)]
    assert (labels_in(polygons, "file", {"": 3}, 8, 8) == 3).sum() == 25


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hello", "neither JSON nor XML"),
        (b"", "is empty"),
        (b"\x89PNG\r\n", "not an image that can be read"),
        (png_of(blobs())[:200], "damaged or cut short"),
        (png_of(np.zeros((3, 30), dtype=np.uint8)), "is 30 x 3 pixels, but its image is 30 x 40"),
        (png_of(blobs()), "pixels of value [0-9]+, which was given no class"),
        (geojson_of(blobs(), KIDNEY), "classes that are not known"),
        (coco_of([[1, 1, 5, 1, 5, 5]]), "of an image of 9 x 8, but this one is|9 x 8 pixels"),
        (b'{"images": [], "annotations": []}', "categories that are no list"),
        (b'{"images": [], "annotations": [], "categories": []}', "annotations of 0 images"),
    ],
)
def test_files_that_fit_no_image_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        labels_in(data, "file", {}, 40, 30)


def test_photographs_and_maps_of_objects_are_no_label_maps() -> None:
    random = np.random.default_rng(0)
    photograph = random.integers(0, 256, (40, 30, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(photograph).save(file, "JPEG")
    objects = io.BytesIO()
    Image.fromarray(np.full((4, 4), 300, dtype=np.uint16)).save(objects, "PNG")

    for data, message in (
        (png_of(photograph), "different colours"),
        (file.getvalue(), "is a JPEG"),
        (objects.getvalue(), "pixel of value 300"),
    ):
        with pytest.raises(LabelError, match=message):
            found_classes(data, "file")


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(LabelError, match="64,000,001 bytes, more than the 64,000,000"):
        found_classes(bytes(annotation_file.MAX_BYTES + 1), "file")


def test_outlines_that_would_take_minutes_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ring of 20,000 random corners crosses itself fifty million times."""
    monkeypatch.setattr(annotation_file, "MAX_SECONDS", 4.0)
    ring = np.random.default_rng(0).uniform(0, 4096, (20_000, 2)).round(2).tolist()
    began = time.monotonic()

    with pytest.raises(LabelError, match="20,000 corners that crosses itself about 4"):
        labels_in(json.dumps([ring]).encode(), "file", {"": 0}, 4096, 4096)

    assert time.monotonic() - began < 10


def _dies(_: bytes) -> None:
    raise MemoryError


def test_work_that_runs_out_of_memory_is_refused() -> None:
    with pytest.raises(LabelError, match="file needs more memory"):
        guarded.within_seconds(30.0, "file", _dies, b"")


def test_an_area_with_tens_of_thousands_of_holes_is_filled_in_little_time() -> None:
    """GDAL needs minutes for it: it looks at every corner for every row."""
    noise = (np.random.default_rng(0).random((500, 500)) < 0.68).astype(np.uint8)
    rings = max(
        (geometry["coordinates"] for geometry, value in shapes(noise) if value == 1), key=len
    )
    largest = outline(rings[0], holes=rings[1:])
    began = time.monotonic()

    labels = labels_of([largest], NUMBERS, *noise.shape)

    assert time.monotonic() - began < 10
    regions, _ = ndimage.label(noise)
    biggest = regions == np.bincount(regions[regions > 0]).argmax()
    assert np.array_equal(labels == 4, biggest)


def test_colours_are_those_of_okabe_and_ito_and_then_others_that_differ() -> None:
    many = colours(60)

    assert many[:7] == list(OKABE_ITO)
    assert colours(3) == list(OKABE_ITO[:3])
    rgb = np.array([TissueClass("", colour).rgb for colour in (*many, "#000000", "#808080")])
    apart = np.abs(rgb[:, None] - rgb[None]).sum(axis=2) + np.eye(len(rgb), dtype=np.int64) * 999
    assert apart.min() > 40
    assert len(coloured([str(i) for i in range(250)])) == 250


def test_a_class_of_every_number_leaves_no_mark() -> None:
    full: ClassMap = coloured([str(i) for i in range(255)])
    labels = np.array([[254, 0, 255]], dtype=np.uint8)
    with warnings.catch_warnings():
        data = geojson_of(labels, full)

    assert [one.name for one in outlines_of(data, "file")] == ["254", "0"]
    found = dict(
        label_maps_in_coco(coco_bytes([CocoImage("a", labels)], full), "f", class_numbers(full))
    )
    assert np.array_equal(found["a"], labels)


def test_the_numbers_of_an_image_are_not_taken_for_names() -> None:
    grades = ClassMap((TissueClass("1", "#112233"), TissueClass("0", "#332211")))

    assert guessed_class("1", grades, of_image=True) == 1
    assert guessed_class("1", grades, of_image=False) == 0


def test_a_package_that_is_missing_is_named_with_the_extra_that_brings_it() -> None:
    with pytest.raises(SettingsError, match=r"need the package no_such_package.*hdgan\[annotate\]"):
        need("no_such_package", "annotate", "Things")
