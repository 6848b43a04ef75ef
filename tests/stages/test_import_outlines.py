"""`hdgan import-annotations` on outlines and COCO files."""

import json
import lzma
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from jaxtyping import Float64
from PIL import Image
from roifile import ImagejRoi, roiwrite

from hdgan.artifacts.annotation_set import AnnotationSet, class_map_bytes
from hdgan.artifacts.class_colours import OKABE_ITO
from hdgan.artifacts.coco import CocoImage, coco_bytes
from hdgan.artifacts.images import png_of
from hdgan.artifacts.order import Order
from hdgan.artifacts.outlines.outline import Outline
from hdgan.artifacts.outlines.reading import drawing_of, read_drawing
from hdgan.artifacts.outlines.written_geojson import geojson_of
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.table import table_bytes
from hdgan.artifacts.tile_set import TILES, TileRecord, TileSet
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once
from hdgan.class_map import AMBIGUOUS, KIDNEY, UNLABELLED, ClassMap, LabelMap
from hdgan.cli import main
from hdgan.errors import LabelError, SettingsError
from hdgan.pipeline import Made
from hdgan.settings.import_annotations import ImportAnnotationsSettings
from hdgan.stages.import_annotations import import_annotations
from tests.tiny_world import TinyWorld

Points = Sequence[Sequence[float]]

SIDE = 32


def square(left: float, top: float, side: float) -> Points:
    right, bottom = left + side, top + side
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def feature(points: Points, name: str = "") -> dict[str, Any]:
    properties = {"classification": {"name": name}} if name else {}
    geometry = {"type": "Polygon", "coordinates": [points]}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def geojson(*features: dict[str, Any]) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features})


def virtual_tiles(folder: Path, *tiles: TileRecord) -> Path:
    """A tile set without pixels, which nobody looks at when annotations are taken in."""

    def make(unfinished: UnfinishedArtifact) -> None:
        unfinished.write(TILES, table_bytes(list(tiles), TileRecord))

    made_once(folder, Order("tile-set", {}, {}), make)
    return folder


def tile_of(slide: str, x: int = 0, y: int = 0, side: int = SIDE, scale: float = 1.0) -> TileRecord:
    return TileRecord(
        tile=f"{slide}_x{x}_y{y}",
        slide=slide,
        patient=slide,
        stain=None,
        x=x,
        y=y,
        width=side,
        height=side,
        scale=scale,
        spacing_um=None,
        whitespace=0.0,
        fold=0,
        stored="slide",
    )


@dataclass
class Desk:
    """A tile set, a folder for annotations, and what comes of them."""

    folder: Path

    def tiles(self, *tiles: TileRecord) -> None:
        virtual_tiles(self.folder / "tiles", *tiles)

    def put(self, name: str, content: str | bytes) -> None:
        path = self.folder / "drawn" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def made(self, class_map: ClassMap | None = None, place: str = "drawn", **choices: Any) -> Made:
        classes = None if class_map is None else self.folder / "drawn" / "classes.json"
        if class_map is not None:
            self.put("classes.json", class_map_bytes(class_map))
        settings = ImportAnnotationsSettings(**choices)
        images, output = self.folder / "tiles", self.folder / "made"
        return import_annotations(images, self.folder / place, output, settings, classes)

    def labels(self) -> dict[str, LabelMap]:
        annotations = AnnotationSet.open(self.folder / "made")
        return {one.image: annotations.labels(one) for one in annotations.records()}

    def class_map(self) -> ClassMap:
        return AnnotationSet.open(self.folder / "made").class_map


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def expected(*squares: tuple[int, int, int, int], around: int = UNLABELLED) -> LabelMap:
    labels = np.full((SIDE, SIDE), around, dtype=np.uint8)
    for left, top, side, value in squares:
        labels[max(top, 0) : top + side, max(left, 0) : left + side] = value
    return labels


def test_outlines_of_a_tile_are_in_its_pixels_and_later_ones_on_top(desk: Desk) -> None:
    desk.tiles(tile_of("a", x=100))
    drawn = geojson(feature(square(2, 3, 10), "Artery"), feature(square(4, 5, 4), "glomerulus"))
    desk.put("a_x100_y0.geojson", drawn)

    made = desk.made(KIDNEY)

    (labels,) = desk.labels().values()
    assert np.array_equal(labels, expected((2, 3, 10, 4), (4, 5, 4, 2)))
    assert made.facts["outlines"] == 2
    assert desk.class_map() == KIDNEY


def test_outlines_of_a_slide_are_cut_to_each_tile(desk: Desk) -> None:
    desk.tiles(tile_of("a"), tile_of("a", x=SIDE), tile_of("a", x=64, y=64, scale=2.0))
    desk.put(
        "a.geojson", geojson(feature(square(20, 4, 20), "x"), feature(square(80, 84, 10), "x"))
    )

    desk.made()

    labels = desk.labels()
    assert np.array_equal(labels["a_x0_y0"], expected((20, 4, 20, 0)))
    assert np.array_equal(labels["a_x32_y0"], expected((-12, 4, 20, 0)))
    assert np.array_equal(labels["a_x64_y64"], expected((8, 10, 5, 0)))


def test_a_tile_that_is_its_whole_slide_made_smaller_takes_outlines_of_the_slide(
    desk: Desk,
) -> None:
    desk.tiles(tile_of("a", scale=4.0).model_copy(update={"tile": "a"}))
    desk.put("a.geojson", geojson(feature(square(8, 16, 40), "x")))

    desk.made()

    assert np.array_equal(desk.labels()["a"], expected((2, 4, 10, 0)))


@pytest.mark.parametrize("name", ["a.svs.geojson", "a.png.json", "deep/a.json"])
def test_a_file_may_repeat_the_ending_of_its_slide(desk: Desk, name: str) -> None:
    desk.tiles(tile_of("a"))
    desk.put(name, geojson(feature(square(2, 3, 10), "x")))

    desk.made()

    assert (desk.labels()["a_x0_y0"] == 0).sum() == 100


def test_without_a_class_map_classes_are_those_of_the_files_in_order(desk: Desk) -> None:
    desk.tiles(tile_of("a"), tile_of("b"))
    desk.put(
        "a.geojson", geojson(feature(square(2, 3, 4), "Vein"), feature(square(9, 9, 2), "fat"))
    )
    desk.put("b.xml", ASAP.format("vein", "nerve"))

    desk.made()

    assert desk.class_map().names == ["Vein", "fat", "nerve"]
    assert [tissue.colour for tissue in desk.class_map().classes] == list(OKABE_ITO[:3])
    assert set(np.unique(desk.labels()["b_x0_y0"])) == {0, 2, UNLABELLED}


def coordinates(points: Points) -> str:
    return "".join(f'<Coordinate Order="{i}" X="{x}" Y="{y}"/>' for i, (x, y) in enumerate(points))


ASAP = (
    "<ASAP_Annotations><Annotations>"
    f'<Annotation Type="Polygon" PartOfGroup="{{}}">{coordinates(square(1, 1, 5))}</Annotation>'
    f'<Annotation Type="Polygon" PartOfGroup="{{}}">{coordinates(square(9, 9, 5))}</Annotation>'
    f'<Annotation Type="Dot" PartOfGroup="vein">{coordinates([[9, 9]])}</Annotation>'
    "</Annotations></ASAP_Annotations>"
)


def test_names_may_stand_for_classes(desk: Desk) -> None:
    desk.tiles(tile_of("a"))
    drawn = [("Glom", 1), ("?", 6), ("hole", 11), ("artery", 16)]
    desk.put("a.geojson", geojson(*(feature(square(left, 1, 4), name) for name, left in drawn)))

    made = desk.made(KIDNEY, rename=("glom=glomerulus", "?=ambiguous", "hole=unlabelled"))

    assert np.array_equal(desk.labels()["a_x0_y0"], expected((1, 1, 4, 2), (16, 1, 4, 4)))
    assert made.facts["ambiguous"] == "1 outlines, taken as unlabelled"


def test_unknown_classes_are_one_error_that_lists_them(desk: Desk) -> None:
    desk.tiles(tile_of("a"), tile_of("b"))
    desk.put("a.geojson", geojson(feature(square(1, 1, 4), "fat"), feature(square(1, 1, 4))))
    desk.put(
        "b.geojson", geojson(feature(square(1, 1, 4), "fat"), feature(square(1, 1, 4), "vein"))
    )

    with pytest.raises(LabelError, match=r"'fat' \(2\), 'no class' \(1\), 'vein' \(1\)") as refused:
        desk.made(KIDNEY)
    assert "--rename NAME=CLASS, --unnamed CLASS for outlines without class" in str(refused.value)
    assert not (desk.folder / "made").exists() or not list((desk.folder / "made").iterdir())


def test_outlines_that_name_no_class_need_one(desk: Desk) -> None:
    desk.tiles(tile_of("a"))
    desk.put("a.json", json.dumps([square(2, 3, 10)]))

    with pytest.raises(LabelError, match=r"'no class' \(1\); the classes are none"):
        desk.made()
    desk.made(unnamed="glomerulus")

    assert desk.class_map().names == ["glomerulus"]
    assert np.array_equal(desk.labels()["a_x0_y0"], expected((2, 3, 10, 0)))


def test_what_no_outline_covers_may_be_a_class(desk: Desk) -> None:
    desk.tiles(tile_of("a"))
    desk.put("a.geojson", geojson(feature(square(2, 3, 10), "x")))

    desk.made(background="rest")

    assert desk.class_map().names == ["rest", "x"]
    assert np.array_equal(desk.labels()["a_x0_y0"], expected((2, 3, 10, 1), around=0))


def test_a_background_that_is_no_class_is_refused(desk: Desk) -> None:
    desk.tiles(tile_of("a"))
    desk.put("a.geojson", geojson(feature(square(2, 3, 10), "artery")))

    with pytest.raises(SettingsError, match="--background rest is no class; the classes are white"):
        desk.made(KIDNEY, background="rest")


def test_an_image_whose_file_has_no_outline_is_unlabelled_and_said_so(desk: Desk) -> None:
    desk.tiles(tile_of("a"), tile_of("b"))
    desk.put("a.xml", ASAP.format("vein", "vein"))
    desk.put("b.geojson", geojson())

    made = desk.made()

    assert (desk.labels()["b_x0_y0"] == UNLABELLED).all()
    assert made.facts["without an outline"] == "b_x0_y0: all unlabelled"
    assert made.facts["left out, without area"] == "1 x point"
    assert desk.made().facts == made.facts


def test_label_maps_and_outlines_may_lie_side_by_side(desk: Desk) -> None:
    desk.tiles(tile_of("a"), tile_of("b"))
    desk.put("a.geojson", geojson(feature(square(2, 3, 10), "artery")))
    desk.put("b_x0_y0.png", png_of(expected((0, 0, 5, 1), (5, 5, 5, AMBIGUOUS))))

    desk.made(KIDNEY)

    assert np.array_equal(desk.labels()["a_x0_y0"], expected((2, 3, 10, 4)))
    assert np.array_equal(desk.labels()["b_x0_y0"], expected((0, 0, 5, 1)))


def test_one_image_has_one_annotation(desk: Desk) -> None:
    desk.tiles(tile_of("a"))
    desk.put("a.geojson", geojson(feature(square(2, 3, 10), "artery")))
    desk.put("a.png", png_of(expected()))

    with pytest.raises(LabelError, match=r"a.geojson and .*a.png are annotations of one image"):
        desk.made(KIDNEY)


def test_outlines_of_no_image_are_refused(desk: Desk) -> None:
    desk.tiles(tile_of("a"))
    desk.put("a.geojson", geojson(feature(square(2, 3, 10), "artery")))
    desk.put("holiday.geojson", geojson())

    with pytest.raises(LabelError, match=r"holiday.geojson belongs to no image .* such as a_x0_y0"):
        desk.made()


def test_a_background_is_for_outlines(desk: Desk) -> None:
    desk.tiles(tile_of("a"))
    desk.put("a_x0_y0.png", png_of(expected()))

    with pytest.raises(SettingsError, match="--background is for outlines"):
        desk.made(KIDNEY, background="artery")


def test_a_folder_without_annotations_is_refused(desk: Desk) -> None:
    desk.tiles(tile_of("a"))
    desk.put("notes.txt", "hello")

    with pytest.raises(LabelError, match=r"holds no label map and no outlines. Needed: files that"):
        desk.made()


@pytest.mark.parametrize("pair", ["glomerulus", "=artery", "Glom="])
def test_a_rename_is_a_pair(pair: str) -> None:
    with pytest.raises(SettingsError, match=r"--rename has '.*'; needed are pairs NAME=CLASS"):
        ImportAnnotationsSettings(rename=(pair,))


def test_regions_of_imagej_are_taken_in(desk: Desk) -> None:
    desk.tiles(tile_of("a"), tile_of("b"))
    desk.put("b.roi", ImagejRoi.frompoints([[1, 1], [6, 1], [6, 6], [1, 6]], name="x").tobytes())
    rois = [ImagejRoi.frompoints(square(left, 2, 5), name=f"000{left}") for left in (2, 12)]
    roiwrite(desk.folder / "drawn" / "a.zip", rois)

    desk.made(unnamed="x")

    assert np.array_equal(desk.labels()["a_x0_y0"], expected((2, 2, 5, 0), (12, 2, 5, 0)))
    assert np.array_equal(desk.labels()["b_x0_y0"], expected((1, 1, 5, 0)))


def test_one_coco_file_has_the_annotations_of_all_images(desk: Desk) -> None:
    desk.tiles(tile_of("a"), tile_of("b"), tile_of("c"))
    first, second = expected((2, 2, 5, 0), (9, 2, 3, AMBIGUOUS)), expected((3, 3, 9, 4))
    images = [CocoImage("a_x0_y0.png", first), CocoImage("x/b.jpg", second)]
    desk.put("coco.json", coco_bytes(images, KIDNEY))

    made = desk.made()

    assert desk.class_map().names == KIDNEY.names
    assert np.array_equal(desk.labels()["a_x0_y0"], expected((2, 2, 5, 0)))
    assert np.array_equal(desk.labels()["b_x0_y0"], second)
    assert list(desk.labels()) == ["a_x0_y0", "b_x0_y0"]
    assert made.facts["outlines"] == 3


def test_a_coco_file_may_be_named_itself_but_not_lie_among_others(desk: Desk) -> None:
    desk.tiles(tile_of("a"))
    desk.put("coco.json", coco_bytes([CocoImage("a.png", expected((3, 3, 9, 4)))], KIDNEY))
    desk.put("b.json", json.dumps([]))

    with pytest.raises(LabelError, match=r"coco.json is a COCO file.* 1 other files beside it"):
        desk.made()
    desk.made(place="drawn/coco.json", background="artery")

    assert (desk.labels()["a_x0_y0"] == 4).all()


def test_a_coco_image_of_another_size_is_refused(desk: Desk) -> None:
    desk.tiles(tile_of("a"))
    labels = np.zeros((8, 9), dtype=np.uint8)
    desk.put("coco.json", coco_bytes([CocoImage("a_x0_y0.png", labels)], KIDNEY))

    with pytest.raises(LabelError, match=r"coco.json is 9 x 8 pixels, but its tile is 32 x 32"):
        desk.made()


def test_samples_that_were_painted_in_qupath_are_taken_in(
    world: TinyWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "drawn").mkdir()
    painted = {}
    for number, record in enumerate(SampleSet.open(world.samples).records()[:3]):
        labels = np.random.default_rng(number).integers(0, 5, (16, 16), dtype=np.uint8)
        painted[record.sample] = labels
        (tmp_path / "drawn" / f"{record.sample}.geojson").write_bytes(geojson_of(labels, KIDNEY))
    command = ["import-annotations", str(world.samples), str(tmp_path / "drawn")]

    main(
        [
            *command,
            str(tmp_path / "made"),
            "--classes",
            str(world.classes),
            "--rename",
            "a=b",
            "c=d",
        ]
    )

    assert "outlines" in capsys.readouterr().out
    annotations = AnnotationSet.open(tmp_path / "made")
    found = {one.image: annotations.labels(one) for one in annotations.records()}
    assert found.keys() == painted.keys()
    assert all(np.array_equal(found[name], painted[name]) for name in painted)


def covering(name: str, corners: Float64[np.ndarray, "corners 2"], side: int) -> TileRecord:
    """A tile that holds all corners, made as small as need be."""
    x, y = np.floor(corners.min(axis=0)).astype(int).tolist()
    scale = float(max(1, np.ceil((corners.max(axis=0) - (x, y)).max() / side)))
    return tile_of(name, x, y, side, scale)


def areas_by_class(outlines: Sequence[Outline], names: Sequence[str]) -> Mapping[str, float]:
    """What each class shows: later outlines hide earlier ones."""
    shown: dict[str, float] = dict.fromkeys(names, 0.0)
    above = shapely.Polygon()
    for one in reversed(outlines):
        visible = shapely.difference(one.area, above)
        shown[one.name or "unnamed"] += visible.area
        above = shapely.union(above, one.area)
    return shown


@pytest.mark.parametrize(
    "name",
    [
        "dlup_qupath05.geojson",
        "histoqc_TCGA-EJ-5518-01Z-00-DX1.xml",
        "histoqc_geojson_example.json",
        "wsiprocess_CMU-1_classification.xml",
        "wsiprocess_CMU-1_detection.xml",
        "wsiprocess_test_annotation.geojson",
    ],
)
def test_real_files_give_label_maps_of_their_areas(
    shared_data: Path, desk: Desk, name: str
) -> None:
    file = shared_data / "annotations" / name
    outlines = read_drawing(file).outlines
    corners = shapely.get_coordinates([one.area for one in outlines])
    tile = covering(Path(name).stem, corners, 600)
    desk.tiles(tile)
    desk.put(name, file.read_bytes())

    made = desk.made(unnamed="unnamed")

    (labels,) = desk.labels().values()
    assert made.facts["outlines"] == len(outlines)
    areas = areas_by_class(outlines, desk.class_map().names)
    for number, class_name in enumerate(desk.class_map().names):
        pixels = (labels == number).sum() * tile.scale**2
        assert pixels == pytest.approx(areas[class_name], rel=0.03, abs=30 * tile.scale**2)


def test_all_hubmap_files_are_taken_in_together(shared_data: Path, desk: Desk) -> None:
    archive = shared_data / "annotations" / "hubmap_hpa_2022_ftu.tar.xz"
    tiles, some = [], {}
    with lzma.open(archive) as unpacked, tarfile.open(fileobj=unpacked) as tar:
        for number, member in enumerate(tar):
            content = tar.extractfile(member) if member.name.endswith(".json") else None
            if content is None or not member.isfile():
                continue
            data, stem = content.read(), Path(member.name).stem
            rings = [np.array(ring, dtype=np.float64)[:, :2] for ring in json.loads(data)]
            corners = np.concatenate(rings)
            tiles.append(covering(stem, corners, 256))
            desk.put(f"{stem}.json", data)
            if number % 10 == 0:
                some[tiles[-1]] = drawing_of(data, member.name).outlines
    desk.tiles(*tiles)

    made = desk.made(unnamed="unit")

    labels = desk.labels()
    assert len(labels) == len(tiles) == 351
    assert made.facts["outlines"] == 4905
    assert made.facts["left out, without area"] == "4 x outline without area"
    for tile, outlines in some.items():
        pixels = (labels[tile.tile] == 0).sum() * tile.scale**2
        area = shapely.union_all([one.area for one in outlines]).area
        assert pixels == pytest.approx(area, rel=0.05, abs=60 * tile.scale**2)


def test_real_regions_of_imagej_are_taken_in(shared_data: Path, desk: Desk) -> None:
    folder = shared_data / "kidney_glomeruli_roi"
    slides = [f"RoiSetR22C{number}" for number in range(1, 6)]
    tiles = [
        tile_of(slide).model_copy(update={"tile": slide, "width": 1920, "height": 1018})
        for slide in slides
    ]
    desk.tiles(*tiles)
    for slide in slides:
        desk.put(f"{slide}.zip", (folder / f"{slide}.zip").read_bytes())

    made = desk.made(unnamed="glomerulus", background="rest")

    assert made.facts["outlines"] == 35
    for number, slide in enumerate(slides, start=1):
        mask = np.asarray(Image.open(folder / f"mask_C{number}.png"))
        labels = desk.labels()[slide]
        assert ((labels == 1) & (mask == 1)).sum() / ((labels == 1) | (mask == 1)).sum() > 0.98


def test_tiles_without_pixels_are_a_tile_set(desk: Desk) -> None:
    desk.tiles(tile_of("a"))

    assert TileSet.open(desk.folder / "tiles").records() == [tile_of("a")]
