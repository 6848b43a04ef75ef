"""`hdgan segment` on slides: label map, outlines, areas, and what happens to bad slides."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from jaxtyping import UInt8
from PIL import Image

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.images import png_of
from hdgan.artifacts.outlines.reading import read_outlines
from hdgan.artifacts.segmentation import Segmentation
from hdgan.artifacts.segmenter import SegmenterFolder
from hdgan.artifacts.slide_files import SlideFile
from hdgan.artifacts.slides import looking
from hdgan.artifacts.slides.opening import open_slide
from hdgan.artifacts.slides.slide import overview
from hdgan.class_map import UNLABELLED
from hdgan.errors import HdganError, ImageError, SettingsError, WrongArtifactError
from hdgan.geometry import Region
from hdgan.method.segmenter.blending import WindowGrid, WindowNetwork, blended_labels
from hdgan.settings.segment import SegmentSettings
from hdgan.stages.segment import whole_slide
from hdgan.stages.segment.run import segment
from hdgan.stages.segment.whole_slide import planned
from hdgan.stages.show.run import show
from tests.peak_memory import megabytes
from tests.slide_world import tissue_pixels, write_tiff
from tests.tiny_world import TinyWorld

Labels = UInt8[np.ndarray, "height width"]

WIDTH, HEIGHT = 300, 220
UM = 2.0
SMALL = SegmentSettings(window_px=64, min_area_px=30)

PROGRAM = """
import sys
import torch
from hdgan.artifacts import label_polygons
from hdgan.cli import main
label_polygons.MOST_CORNERS = 50_000  # what outlines take is bounded in another way
torch.set_num_threads(1)
main(["segment", *sys.argv[1:]])
print(peak_kb())
"""


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two slides, two thirds tissue; do not change them."""
    folder = tmp_path_factory.mktemp("slides")
    for i, name in enumerate(("a", "b")):
        pixels = tissue_pixels(WIDTH, HEIGHT, seed=i)
        write_tiff(folder / f"{name}.tif", pixels, spacing_um=UM, compression="adobe_deflate")
    return folder


@pytest.fixture(scope="module")
def segmented(
    world: TinyWorld, slides: Path, tmp_path_factory: pytest.TempPathFactory
) -> Segmentation:
    """Both slides, as they were scanned."""
    return made(world, slides, tmp_path_factory.mktemp("segmented") / "out")


def made(world: TinyWorld, slides: Path, output: Path, **choices: Any) -> Segmentation:
    segment(world.segmenter, slides, output, SegmentSettings(**{**vars(SMALL), **choices}))
    return Segmentation.open(output)


def labels_of(segmentation: Segmentation, slide: str) -> Labels:
    labels: Labels = tifffile.imread(segmentation.path(f"slides/{slide}.ome.tif"))
    return labels


def features_of(segmentation: Segmentation, slide: str) -> list[dict[str, Any]]:
    document = json.loads(segmentation.read(f"slides/{slide}.geojson"))
    features: list[dict[str, Any]] = document["features"]
    return features


def refused(act: Callable[[], object], kind: type[HdganError]) -> str:
    with pytest.raises(kind) as raised:
        act()
    return str(raised.value)


def test_a_slide_is_predicted_in_blended_windows(
    world: TinyWorld, slides: Path, segmented: Segmentation
) -> None:
    model = SegmenterFolder.open(world.segmenter)
    grid = WindowGrid(HEIGHT, WIDTH, window_px=64)
    with open_slide(slides / "a.tif") as slide:
        expected = blended_labels(
            grid,
            lambda y, x, height, width: slide.read(0, Region(x, y, width, height)),
            WindowNetwork(model.network(), len(model.class_map)),
        )

    labels = labels_of(segmented, "a")

    covered = labels != UNLABELLED
    assert labels.shape == (HEIGHT, WIDTH)
    assert covered[:, : 2 * WIDTH // 3].all()
    assert not covered[:, -20:].any()
    assert (labels == expected)[:, : 2 * WIDTH // 3 - 64].mean() > 0.999


def test_glass_is_not_predicted(segmented: Segmentation) -> None:
    windows = WindowGrid(HEIGHT, WIDTH, window_px=64)

    for slide in segmented.slides():
        assert 0 < slide.windows < len(windows.rows) * len(windows.columns)


def test_the_artifact_is_whole_and_can_be_shown(segmented: Segmentation) -> None:
    segmented.check_files()
    names = {
        *(f"slides/{slide}.{ending}" for slide in "ab" for ending in ("ome.tif", "geojson")),
        *(f"previews/{slide}.png" for slide in "ab"),
        *("slides.csv", "areas.csv", "classes.json"),
    }
    assert set(segmented.manifest.files) == names
    assert not (segmented.folder / ".unfinished").exists()
    assert str(show(segmented.folder).facts["whole"]).startswith("yes")


def test_areas_are_counted_and_measured(segmented: Segmentation) -> None:
    areas = segmented.areas()

    assert len(areas) == 2 * len(segmented.class_map)
    for area in areas:
        label = segmented.class_map.names.index(area.tissue_class)
        assert area.pixels == (labels_of(segmented, area.slide) == label).sum()
        assert area.mm2 == pytest.approx(area.pixels * UM**2 / 1e6, abs=1e-6)


def test_outlines_cover_what_the_label_map_labels(world: TinyWorld, tmp_path: Path) -> None:
    """Read back by the reader of what people draw."""
    (tmp_path / "x.png").write_bytes(png_of(tissue_pixels(90, 70)))
    segmentation = made(world, tmp_path / "x.png", tmp_path / "out", min_area_px=0)

    outlines = read_outlines(segmentation.path("slides/x.geojson"))

    found = dict.fromkeys(segmentation.class_map.names, 0.0)
    for outline in outlines:
        found[outline.name] += outline.area.area
    pixels = {area.tissue_class: area.pixels for area in segmentation.areas()}
    assert len(outlines) == segmentation.slides()[0].regions > 0
    assert found == pytest.approx(pixels)


def test_small_regions_are_not_outlined(
    world: TinyWorld, slides: Path, segmented: Segmentation, tmp_path: Path
) -> None:
    by_pixels = made(world, slides / "a.tif", tmp_path / "px", min_area_px=50)
    by_um2 = made(world, slides / "a.tif", tmp_path / "um2", min_area_um2=50 * UM**2)

    assert by_pixels.read("slides/a.ome.tif") == segmented.read("slides/a.ome.tif")
    assert by_pixels.read("slides/a.geojson") == by_um2.read("slides/a.geojson")
    assert 0 < len(features_of(by_pixels, "a")) < len(features_of(segmented, "a"))
    for outline in read_outlines(by_pixels.path("slides/a.geojson")):
        assert outline.area.area >= 50


def test_at_another_spacing_outlines_still_lie_on_the_slide(
    world: TinyWorld, slides: Path, tmp_path: Path
) -> None:
    segmentation = made(world, slides, tmp_path / "out", to_spacing_um=2 * UM, min_area_px=0)

    labels, slide = labels_of(segmentation, "a"), segmentation.slides()[0]
    points = np.array(
        [
            point
            for feature in features_of(segmentation, "a")
            for point in feature["geometry"]["coordinates"][0]
        ]
    )
    rows, columns = np.nonzero(labels != UNLABELLED)
    assert labels.shape == (HEIGHT // 2, WIDTH // 2)
    assert (slide.spacing_um, slide.scale) == (2 * UM, 2.0)
    assert points.min(axis=0).tolist() == [2 * columns.min(), 2 * rows.min()]
    assert points.max(axis=0).tolist() == [2 * columns.max() + 2, 2 * rows.max() + 2]
    with tifffile.TiffFile(segmentation.path("slides/a.ome.tif")) as file:
        assert 'PhysicalSizeX="4.0"' in (file.ome_metadata or "")


@pytest.mark.parametrize("to_spacing_um", [None, 2.0, 3.1, 7.9])
def test_windows_lie_on_the_slide_to_half_a_pixel(
    slides: Path, to_spacing_um: float | None
) -> None:
    plan = planned(SlideFile("a", slides / "a.tif"), replace(SMALL, to_spacing_um=to_spacing_um))
    grid, scale = plan.grid, (to_spacing_um or UM) / UM

    assert (grid.width, grid.height) == (round(WIDTH / scale), round(HEIGHT / scale))
    for x in grid.columns:
        region = plan.region(0, x, grid.seen[0], grid.seen[1])
        assert abs(region.x - x * WIDTH / grid.width) <= 0.5
        assert abs(region.width - grid.seen[1] * WIDTH / grid.width) <= 1.0
    last = plan.region(grid.rows[-1], grid.columns[-1], *grid.seen)
    assert (last.x + last.width, last.y + last.height) == (WIDTH, HEIGHT)


def test_previews_are_small_and_in_the_colours_of_the_classes(segmented: Segmentation) -> None:
    with Image.open(segmented.path("previews/a.png")) as preview:
        colours = {colour for _, colour in preview.convert("RGB").getcolors() or []}

    assert max(preview.size) <= 2048
    assert colours <= {tissue.rgb for tissue in segmented.class_map.classes} | {(0, 0, 0)}


def test_plain_images_are_predicted_wholly(world: TinyWorld, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    for name, size in (("x", (40, 30)), ("deep/y", (300, 200))):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.png").write_bytes(png_of(tissue_pixels(*size)))

    segmentation = made(world, folder, tmp_path / "out")

    assert [slide.slide for slide in segmentation.slides()] == ["deep__y", "x"]
    assert labels_of(segmentation, "x").shape == (30, 40)
    assert (labels_of(segmentation, "deep__y") != UNLABELLED).all()
    assert all(area.mm2 is None for area in segmentation.areas())


def test_one_file_is_segmented_alone(world: TinyWorld, slides: Path, tmp_path: Path) -> None:
    segmentation = made(world, slides / "b.tif", tmp_path / "out")

    assert [(slide.slide, slide.file) for slide in segmentation.slides()] == [("b", "b.tif")]


def test_a_segmentation_says_what_it_was_made_from(
    world: TinyWorld, segmented: Segmentation
) -> None:
    segmenter = Artifact.open(world.segmenter)

    assert segmented.manifest.parents["segmenter"] == segmenter.digest
    assert set(segmented.manifest.parents) == {"segmenter", "images"}
    assert segmented.manifest.seen == segmenter.manifest.seen
    assert segmented.is_of_slides
    assert not Segmentation.open(world.segmentation).is_of_slides


def test_a_segmentation_of_tiles_has_no_tables(world: TinyWorld) -> None:
    segmentation = Segmentation.open(world.segmentation)

    assert "not of slides" in refused(segmentation.slides, WrongArtifactError)


def test_an_interrupted_run_goes_on_with_the_next_slide_to_the_same_bytes(
    world: TinyWorld,
    slides: Path,
    segmented: Segmentation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    undisturbed, names = whole_slide.SlideSegmenter.segment, []

    def interrupted_at_b(self: Any, plan: Any, window_read: Any) -> Any:
        names.append(plan.file.name)
        if names == ["a", "b"]:
            raise KeyboardInterrupt
        return undisturbed(self, plan, window_read)

    monkeypatch.setattr(whole_slide.SlideSegmenter, "segment", interrupted_at_b)
    with pytest.raises(KeyboardInterrupt):
        made(world, slides, tmp_path / "out")

    again = made(world, slides, tmp_path / "out")

    assert names == ["a", "b", "b"]
    assert again.manifest.files == segmented.manifest.files


def damaged_copy(slides: Path, folder: Path) -> Path:
    """Two slides, and between them one whose largest level is spoiled."""
    shutil.copytree(slides, folder)
    data = (slides / "a.tif").read_bytes()
    with tifffile.TiffFile(slides / "a.tif") as file:
        first = file.pages[0]
        assert isinstance(first, tifffile.TiffPage)
        spoiled = bytearray(data)
        for offset, size in zip(first.dataoffsets, first.databytecounts, strict=True):
            spoiled[offset : offset + size] = bytes(size)
    (folder / "aa.tif").write_bytes(spoiled)
    return folder


@pytest.fixture
def found_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Overviews come from small levels, as those of large slides: damage shows at the windows."""
    monkeypatch.setattr(looking, "overview", lambda slide: overview(slide, 100))


@pytest.mark.usefixtures("found_late")
def test_what_was_made_before_a_damaged_slide_is_kept_when_it_is_removed(
    world: TinyWorld, slides: Path, segmented: Segmentation, tmp_path: Path
) -> None:
    folder, output = damaged_copy(slides, tmp_path / "slides"), tmp_path / "out"
    message = refused(lambda: made(world, folder, output), ImageError)
    before = (output / "slides" / "a.ome.tif").stat().st_mtime_ns
    (folder / "aa.tif").unlink()

    again = made(world, folder, output)

    assert "aa.tif is damaged" in message
    assert (output / "slides" / "a.ome.tif").stat().st_mtime_ns == before
    assert set(again.manifest.files) == set(segmented.manifest.files)


@pytest.mark.usefixtures("found_late")
def test_nothing_is_left_of_slides_that_are_no_longer_there(
    world: TinyWorld, slides: Path, tmp_path: Path
) -> None:
    folder, output = damaged_copy(slides, tmp_path / "slides"), tmp_path / "out"
    refused(lambda: made(world, folder, output), ImageError)
    for name in ("a.tif", "aa.tif"):
        (folder / name).unlink()

    again = made(world, folder, output)

    assert [name for name in again.manifest.files if name.startswith("slides/")] == [
        "slides/b.geojson",
        "slides/b.ome.tif",
    ]


@pytest.mark.usefixtures("found_late")
def test_a_run_may_go_on_without_damaged_slides(
    world: TinyWorld, slides: Path, tmp_path: Path
) -> None:
    folder = damaged_copy(slides, tmp_path / "slides")
    (folder / "torn.svs").write_bytes(b"II*\0torn")

    segmentation = made(world, folder, tmp_path / "out", keep_going=True)

    problems = {slide.slide: slide.problem for slide in segmentation.slides()}
    assert [name for name, problem in problems.items() if problem is None] == ["a", "b"]
    assert "aa.tif is damaged" in str(problems["aa"])
    assert {area.slide for area in segmentation.areas()} == {"a", "b"}
    assert not (segmentation.folder / "slides" / "aa.ome.tif").exists()


def test_slides_that_can_all_not_be_read_are_an_error(world: TinyWorld, tmp_path: Path) -> None:
    folder = tmp_path / "slides"
    folder.mkdir()
    (folder / "torn.svs").write_bytes(b"II*\0torn")

    message = refused(lambda: made(world, folder, tmp_path / "out", keep_going=True), ImageError)

    assert "None of the 1 slides" in message


@pytest.mark.parametrize(
    ("choices", "what"),
    [
        ({"to_spacing_um": 1.0}, "coarser than --to-spacing-um 1"),
        ({"folds": (0,)}, "--folds is for tile sets"),
        ({"window_px": 100}, "it must be a multiple of 32"),
        ({"window_px": 0}, "--window-px is 0"),
        ({"overlap": 0.8}, "--overlap is 0.8"),
        ({"min_area_px": -1}, "--min-area-px is -1"),
    ],
)
def test_choices_that_cannot_work_are_refused(
    world: TinyWorld, slides: Path, tmp_path: Path, choices: dict[str, Any], what: str
) -> None:
    assert what in refused(lambda: made(world, slides, tmp_path / "out", **choices), HdganError)


def test_a_spacing_that_nobody_knows_is_asked_for(world: TinyWorld, tmp_path: Path) -> None:
    write_tiff(tmp_path / "s" / "x.tif", tissue_pixels(WIDTH, HEIGHT), spacing_um=None)

    for choices in ({"to_spacing_um": 1.0}, {"min_area_um2": 5.0}):
        act = partial(made, world, tmp_path / "s", tmp_path / "out", **choices)
        assert "--spacing-um" in refused(act, ImageError)
    segmentation = made(world, tmp_path / "s", tmp_path / "out", to_spacing_um=4.0, spacing_um=2.0)
    assert segmentation.slides()[0].spacing_um == 4.0


def test_fluorescence_is_refused(world: TinyWorld, tmp_path: Path) -> None:
    dyed = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    dyed[..., 2] = 244 - tissue_pixels(WIDTH, HEIGHT).min(axis=2)
    write_tiff(tmp_path / "s" / "x.tif", dyed, compression="adobe_deflate")

    message = refused(lambda: made(world, tmp_path / "s", tmp_path / "out"), ImageError)

    assert "dark background" in message


def test_choices_for_slides_are_refused_for_tiles(world: TinyWorld, tmp_path: Path) -> None:
    message = refused(
        lambda: made(world, world.tiles, tmp_path / "out", to_spacing_um=1.0), SettingsError
    )

    assert "--to-spacing-um is for slides" in message


def test_an_output_among_the_slides_is_refused(world: TinyWorld, slides: Path) -> None:
    assert "lies inside" in refused(lambda: made(world, slides, slides / "out"), SettingsError)


def test_a_folder_without_slides_is_named(world: TinyWorld, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    message = refused(lambda: made(world, tmp_path / "empty", tmp_path / "out"), ImageError)

    assert "holds no slide and no image" in message


@pytest.mark.parametrize(
    ("name", "spacing_um"), [("cmu-1-small-region.svs", 0.499), ("OS-1-detail.ome.tif", None)]
)
def test_real_slides_are_segmented(
    world: TinyWorld, shared_data: Path, tmp_path: Path, name: str, spacing_um: float | None
) -> None:
    file = shared_data / "slides" / name
    if not file.is_file():
        pytest.skip(f"no {file}")

    segmentation = made(world, file, tmp_path / "out", to_spacing_um=4.0, min_area_px=64)

    (slide,) = segmentation.slides()
    with open_slide(file) as opened:
        full = opened.levels[0]
        assert spacing_um in (None, opened.spacing_um)
    labels = labels_of(segmentation, slide.slide)
    points = [
        point
        for outline in read_outlines(segmentation.path(slide.outlines))
        for point in outline.area.bounds
    ]
    assert labels.shape == (slide.height, slide.width)
    assert slide.scale is not None
    assert abs((slide.width or 0) * slide.scale - full.width) < 0.01
    assert (labels != UNLABELLED).mean() > 0.3
    assert max(points) <= max(full.width, full.height)
    assert slide.regions == len(read_outlines(segmentation.path(slide.outlines))) > 0


def test_a_slide_twice_as_high_takes_no_more_memory(world: TinyWorld, tmp_path: Path) -> None:
    """Added up at once, the probabilities of the higher slide would take 160 MB more."""
    peaks = []
    for height in (4000, 8000):
        path = tmp_path / f"{height}.tif"
        write_striped(path, height=height, width=2000)
        output = tmp_path / f"out{height}"
        peaks.append(megabytes(PROGRAM, world.segmenter, path, output, "--device", "cpu"))
        assert Segmentation.open(output).slides()[0].windows > height // 500 * 4

    assert peaks[1] / peaks[0] < 1.15


def write_striped(path: Path, *, height: int, width: int) -> None:
    """A slide of large smooth patches, written tile by tile."""
    colours = np.array([(222, 150, 190), (150, 90, 160), (190, 120, 170)], dtype=np.uint8)
    tiles = (
        np.full((512, 512, 3), colours[(row + column) % 3])
        for row in range(-(-height // 512))
        for column in range(-(-width // 512))
    )
    with tifffile.TiffWriter(path) as file:
        file.write(
            tiles,
            shape=(height, width, 3),
            dtype=np.uint8,
            tile=(512, 512),
            photometric="rgb",
            compression="jpeg",
            resolution=(20000, 20000),
            resolutionunit="CENTIMETER",
            metadata=None,
        )
