"""`hdgan tile` on slides: what is kept, what is known of it, and how it is stored."""

import json
import os
import shutil
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import shapely
import tifffile
from PIL import Image

from hdgan.artifacts.annotation_set import AnnotationSet, class_map_bytes
from hdgan.artifacts.images import png_of, rgb_of
from hdgan.artifacts.segmenter import SegmenterFolder
from hdgan.artifacts.shards import Shards, shard_being_made
from hdgan.artifacts.slides.opening import open_slide
from hdgan.artifacts.slides.slide import Slide
from hdgan.artifacts.tile_set import TileRecord, TileSet
from hdgan.class_map import KIDNEY
from hdgan.errors import (
    DamagedArtifactError,
    HdganError,
    ImageError,
    InputError,
    LabelError,
    LeakError,
    SettingsError,
    WrongArtifactError,
)
from hdgan.geometry import Region
from hdgan.method.segmenter.network import predicted_labels
from hdgan.settings.import_annotations import ImportAnnotationsSettings
from hdgan.settings.tile import TileSettings, TileSources
from hdgan.stages.import_annotations import import_annotations
from hdgan.stages.tile.run import refuse_twins, tile
from hdgan.stages.train_generator import train_generator
from tests.peak_memory import megabytes
from tests.slide_world import tissue_pixels, write_tiff
from tests.tiny_world import TRAIN_GENERATOR, TinyWorld

SIDE = 64
SMALL = TileSettings(side_px=SIDE, num_folds=2, workers=1)


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four slides of 400 x 300 px, two thirds tissue; do not change them."""
    folder = tmp_path_factory.mktemp("slides")
    for i in range(4):
        write_tiff(
            folder / f"P{i // 2}_{'he' if i % 2 else 'pas'}.tif",
            tissue_pixels(400, 300, seed=i),
            compression="adobe_deflate",
        )
    return folder


def settings(**choices: object) -> TileSettings:
    return TileSettings(**{**vars(SMALL), **choices})


def made(slides: Path, output: Path, **choices: object) -> TileSet:
    tile(slides, output, settings(**choices))
    return TileSet.open(output)


def test_a_tile_is_the_slides_pixels(slides: Path, tmp_path: Path) -> None:
    tiles = made(slides, tmp_path / "tiles")

    for record in tiles.records():
        seed = ["P0_pas", "P0_he", "P1_pas", "P1_he"].index(record.slide)
        whole = tissue_pixels(400, 300, seed=seed)
        cut = whole[record.y : record.y + SIDE, record.x : record.x + SIDE]
        assert (tiles.image(record) == cut).all()
        assert record.spacing_um == pytest.approx(0.5)
        assert record.scale == 1.0


def test_glass_gives_no_tile(slides: Path, tmp_path: Path) -> None:
    tiles = made(slides, tmp_path / "tiles", min_tissue=0.5)

    records = tiles.records()
    assert {record.x for record in records} == {0, 64, 128, 192}
    assert all(record.tissue is not None and record.tissue >= 0.5 for record in records)
    assert all(record.whitespace <= 0.5 for record in records)


def test_tiles_are_resampled_to_the_wanted_spacing(slides: Path, tmp_path: Path) -> None:
    tiles = made(slides, tmp_path / "tiles", to_spacing_um=1.25, side_px=48)

    records = tiles.records()
    assert {record.scale for record in records} == {2.5}
    assert {record.spacing_um for record in records} == {1.25}
    assert {record.region for record in records if record.slide == "P0_pas"} >= {
        Region(0, 0, 120, 120),
        Region(120, 120, 120, 120),
    }
    record = next(r for r in records if r.slide == "P0_pas" and (r.x, r.y) == (120, 120))
    whole = Image.fromarray(tissue_pixels(400, 300))
    shrunk = np.asarray(whole.resize((160, 120), Image.Resampling.BICUBIC))[48:96, 48:96]
    difference = tiles.image(record).astype(float) - shrunk
    assert np.abs(difference).mean() < 12  # one from the halved level, one from the full size


def test_a_slide_that_is_coarser_than_wanted_is_refused(slides: Path, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"scanned at 0.5 um/px, coarser than --to-spacing-um 0.2"):
        tile(slides, tmp_path / "tiles", settings(to_spacing_um=0.2))


def test_a_scanners_slide_without_spacing_is_asked_for(shared_data: Path, tmp_path: Path) -> None:
    slide = shared_data / "slides" / "tcga-cr-7395-01a-01-ts1.svs"
    with pytest.raises(ImageError, match=r"does not say how much tissue a pixel covers. Give it"):
        tile(slide, tmp_path / "tiles", settings(num_folds=1))

    tiles = made(slide, tmp_path / "tiles", num_folds=1, spacing_um=0.25, side_px=512)

    assert {record.spacing_um for record in tiles.records()} == {0.25}


def test_fluorescence_is_refused(shared_data: Path, tmp_path: Path) -> None:
    slide = shared_data / "slides" / "slideio_test3-DAPI-2-_387_.ndpi"
    with pytest.raises(ImageError, match=r"has a dark background, as fluorescence has"):
        tile(slide, tmp_path / "tiles", settings(num_folds=1))


def test_all_slides_at_hand_are_tiled_or_left_out_with_a_reason(
    shared_data: Path, tmp_path: Path
) -> None:
    tiles = made(
        shared_data / "slides", tmp_path / "tiles", keep_going=True, side_px=256, num_folds=4
    )

    about = {slide.slide: slide for slide in tiles.slides()}
    problems = {name: slide.problem or "" for name, slide in about.items()}
    assert "fluorescence" in problems["slideio_test3-DAPI-2-_387_"]
    assert "fluorescence" in problems["slideio_test3-TRITC_2__560_"]
    assert "--spacing-um" in problems["tcga-cr-7395-01a-01-ts1"]
    assert all(
        about[name].tiles > 5 and not problem
        for name, problem in problems.items()
        if name.startswith(("OS-", "cmu"))
    )
    assert len(about) == 7
    assert b"Without tiles" in (tmp_path / "tiles" / "report.html").read_bytes()


@pytest.mark.parametrize(
    ("choices", "stored"),
    [
        ({"storage": "shards"}, "zip/png"),
        ({"storage": "virtual"}, "slide"),
    ],
)
def test_however_tiles_are_stored_they_are_the_same(
    slides: Path, tmp_path: Path, choices: dict[str, object], stored: str
) -> None:
    files = made(slides, tmp_path / "files", to_spacing_um=0.75)
    other = made(slides, tmp_path / "other", to_spacing_um=0.75, **choices)

    records = other.records()
    assert {record.stored for record in records} == {stored}
    for one, two in zip(files.records(), records, strict=True):
        assert (one.tile, one.region, one.fold) == (two.tile, two.region, two.fold)
        assert (files.image(one) == other.image(two)).all()


def test_jpeg_tiles_are_close_to_the_slide_and_say_what_they_are(
    slides: Path, tmp_path: Path
) -> None:
    exact = made(slides, tmp_path / "exact")
    jpeg = made(slides, tmp_path / "jpeg", image_format="jpeg", jpeg_quality=95)

    one, two = exact.records()[0], jpeg.records()[0]
    difference = exact.image(one).astype(float) - jpeg.image(two)
    assert two.image.endswith(".jpg")
    assert 0 < np.abs(difference).mean() < 4


def test_virtual_tiles_take_no_room(slides: Path, tmp_path: Path) -> None:
    made(slides, tmp_path / "tiles", storage="virtual")

    assert not (tmp_path / "tiles" / "images").exists()


def test_virtual_tiles_find_slides_that_were_moved(
    slides: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(slides, tmp_path / "here")
    tiles = made(tmp_path / "here", tmp_path / "tiles", storage="virtual")
    record = tiles.records()[0]
    (tmp_path / "here").rename(tmp_path / "there")
    with pytest.raises(
        ImageError, match=r"is not there, and the tiles are virtual. Set HDGAN_SLIDES"
    ):
        tiles.image(record)
    monkeypatch.setenv("HDGAN_SLIDES", str(tmp_path / "there"))

    assert TileSet.open(tmp_path / "tiles").image(record).shape == (SIDE, SIDE, 3)


def test_virtual_tiles_of_another_slide_are_refused(slides: Path, tmp_path: Path) -> None:
    shutil.copytree(slides, tmp_path / "here")
    tiles = made(tmp_path / "here", tmp_path / "tiles", storage="virtual")
    with (tmp_path / "here" / "P0_he.tif").open("ab") as file:
        file.write(b"more")

    with pytest.raises(ImageError, match=r"but the slide that was tiled had"):
        tiles.image(tiles.records()[0])


def test_a_damaged_archive_is_one_sentence(tmp_path: Path) -> None:
    with shard_being_made(tmp_path / "a.zip") as shard:
        shard.add("one.png", b"pixels" * 100)
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[60] ^= 255
    (tmp_path / "a.zip").write_bytes(data)

    with pytest.raises(DamagedArtifactError, match=r"a\.zip is damaged, or lacks one\.png"):
        Shards().read(tmp_path / "a.zip", "one.png")


def test_a_table_says_whose_slides_they_are(slides: Path, tmp_path: Path) -> None:
    (tmp_path / "slides.csv").write_text(
        "Slide;patient;stain;centre;age\nP0_he.tif;Ann;HE;Houston;50\nP0_pas;Ann;PAS;Houston;50\n"
        "P1_he;Bob;HE;Boston;61\nP1_pas.tif;Bob;PAS;Boston;61\n",
        encoding="utf-8",
    )

    tile(slides, tmp_path / "tiles", SMALL, TileSources(table=tmp_path / "slides.csv"))

    records = TileSet.open(tmp_path / "tiles").records()
    assert {(r.slide, r.patient, r.stain, r.centre) for r in records} == {
        ("P0_he", "Ann", "HE", "Houston"),
        ("P0_pas", "Ann", "PAS", "Houston"),
        ("P1_he", "Bob", "HE", "Boston"),
        ("P1_pas", "Bob", "PAS", "Boston"),
    }
    assert len({record.fold for record in records if record.patient == "Ann"}) == 1


@pytest.mark.parametrize(
    ("table", "kind", "sentence"),
    [
        ("slide,patient\nP0_he,Ann\n", SettingsError, "has no line for the slide P0_pas"),
        ("name,patient\nP0_he,Ann\n", InputError, "it needs one called slide"),
        ("slide\nP0_he\nP0_he\n", InputError, "line 3, names P0_he twice"),
        ("slide,patient\nP0_he,\n", InputError, "line 2, names no patient for P0_he"),
        ("slide,fold\nP0_he,one\n", InputError, "fold is 'one'; needed is a whole number"),
        ("slide,spacing_um\nP0_he,-1\n", InputError, "spacing_um is '-1'; needed is a number"),
        (
            "slide,fold\nP0_he,0\nP0_pas,\nP1_he,1\nP1_pas,1\n",
            SettingsError,
            "gives folds to 3 slides, but not to P0_pas",
        ),
        (
            "slide,patient,fold\nP0_he,Ann,0\nP0_pas,Ann,1\nP1_he,B,1\nP1_pas,B,1\n",
            LeakError,
            "patient Ann in folds 1 and 0|patient Ann in folds 0 and 1",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_one_sentence(
    slides: Path, tmp_path: Path, table: str, kind: type[HdganError], sentence: str
) -> None:
    (tmp_path / "slides.csv").write_text(table, encoding="utf-8")

    with pytest.raises(kind, match=sentence):
        tile(slides, tmp_path / "tiles", SMALL, TileSources(table=tmp_path / "slides.csv"))


def test_a_leak_in_a_tile_set_is_found_when_it_is_read(slides: Path, tmp_path: Path) -> None:
    tiles = made(slides, tmp_path / "tiles", patient_pattern="^(P[0-9])")
    path = tmp_path / "tiles" / "tiles.csv"
    rows = path.read_text(encoding="utf-8").splitlines()
    columns = rows[0].split(",")
    cells = rows[1].split(",")
    cells[columns.index("fold")] = str(1 - int(cells[columns.index("fold")]))
    path.write_text("\n".join([rows[0], ",".join(cells), *rows[2:]]) + "\n", encoding="utf-8")
    manifest = json.loads((tmp_path / "tiles" / "manifest.json").read_bytes())
    manifest["files"]["tiles.csv"] = sha256(path.read_bytes()).hexdigest()
    (tmp_path / "tiles" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    with pytest.raises(LeakError, match=r"Give each patient one fold"):
        TileSet.open(tiles.folder).records()


def outlined(folder: Path, name: str, classes: dict[str, tuple[int, int, int, int]]) -> None:
    """QuPath annotations: boxes of classes."""
    features = [
        {
            "type": "Feature",
            "geometry": shapely.geometry.mapping(shapely.box(*box)),
            "properties": {"objectType": "annotation", "classification": {"name": label}},
        }
        for label, box in classes.items()
    ]
    folder.mkdir(exist_ok=True)
    content = {"type": "FeatureCollection", "features": features}
    (folder / f"{name}.geojson").write_text(json.dumps(content), encoding="utf-8")


def test_compartments_of_interest_decide_which_tiles_are_kept(slides: Path, tmp_path: Path) -> None:
    boxes = {"Glomerulus": (70, 70, 120, 120), "Artery": (0, 200, 30, 220)}
    outlined(tmp_path / "outlines", "P0_he", boxes)
    outlined(tmp_path / "outlines", "P1_pas", {"Artery": (130, 130, 200, 140)})
    sources = TileSources(outlines=tmp_path / "outlines")

    tile(slides, tmp_path / "one", settings(compartments=("glomerulus",), num_folds=1), sources)
    tile(slides, tmp_path / "any", SMALL, sources)

    one, every = (TileSet.open(tmp_path / name).records() for name in ("one", "any"))
    assert [(r.slide, r.x, r.y) for r in one] == [("P0_he", 64, 64)]
    assert [(r.slide, r.x, r.y) for r in every] == [
        ("P0_he", 64, 64),
        ("P0_he", 0, 192),
        ("P1_pas", 128, 128),
        ("P1_pas", 192, 128),
    ]


def test_a_least_part_of_a_compartment_may_be_asked_for(slides: Path, tmp_path: Path) -> None:
    outlined(tmp_path / "outlines", "P1_pas", {"Artery": (0, 0, 96, 64)})

    tile(
        slides,
        tmp_path / "tiles",
        settings(min_compartment=0.6, num_folds=1),
        TileSources(outlines=tmp_path / "outlines"),
    )

    assert [(r.x, r.y) for r in TileSet.open(tmp_path / "tiles").records()] == [(0, 0)]


def test_a_segmenter_decides_which_tiles_are_kept(world: TinyWorld, tmp_path: Path) -> None:
    segmenter = SegmenterFolder.open(world.segmenter)
    network, names = segmenter.network(), segmenter.class_map.names
    images = world.folder / "drawn" / "images"
    parts = {
        path.stem: float((predicted_labels(network, rgb_of(path.read_bytes(), "")) == 0).mean())
        for path in sorted(images.iterdir())
    }
    limit = sorted(parts.values())[len(parts) // 2]

    tile(
        images,
        tmp_path / "tiles",
        TileSettings(compartments=(names[0],), min_compartment=limit, num_folds=1),
        TileSources(segmenter=world.segmenter),
    )

    kept = {record.tile for record in TileSet.open(tmp_path / "tiles").records()}
    assert kept == {name for name, part in parts.items() if part > 0 and part >= limit}
    assert 0 < len(kept) < len(parts)


def test_a_class_that_the_segmenter_does_not_know_is_named(
    world: TinyWorld, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=r"names bone, which .* does not know. The classes of"):
        tile(
            world.folder / "drawn" / "images",
            tmp_path / "tiles",
            TileSettings(compartments=("bone",)),
            TileSources(segmenter=world.segmenter),
        )


def test_label_maps_of_slides_shrink_with_their_tiles(slides: Path, tmp_path: Path) -> None:
    tiles = made(slides, tmp_path / "tiles", to_spacing_um=1.0)
    rows, columns = np.mgrid[:300, :400]
    whole = (rows // 2 * 3 + columns // 2).astype(np.uint8) % 5
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "P0_he.png").write_bytes(png_of(whole))
    (tmp_path / "classes.json").write_bytes(class_map_bytes(KIDNEY))

    import_annotations(
        tiles.folder,
        tmp_path / "labels",
        tmp_path / "annotations",
        ImportAnnotationsSettings(),
        tmp_path / "classes.json",
    )

    annotated = AnnotationSet.open(tmp_path / "annotations")
    of = {record.tile: record for record in tiles.records()}
    assert len(annotated.records()) > 2
    for record in annotated.records():
        tile_ = of[record.image]
        small = whole[::2, ::2][tile_.y // 2 : tile_.y // 2 + SIDE, tile_.x // 2 :][:, :SIDE]
        assert (annotated.labels(record) == small).all()


def test_a_generator_learns_the_same_from_virtual_tiles(slides: Path, tmp_path: Path) -> None:
    training = replace(TRAIN_GENERATOR, kimg=0.016, folds=(0, 1))
    for storage in ("files", "virtual"):
        made(slides, tmp_path / f"tiles-{storage}", storage=storage)
        train_generator(tmp_path / f"tiles-{storage}", tmp_path / storage, training)

    weights = [tmp_path / name / "generator.safetensors" for name in ("files", "virtual")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_a_compartment_that_nobody_outlined_is_named(slides: Path, tmp_path: Path) -> None:
    outlined(tmp_path / "outlines", "P0_he", {"Artery": (0, 0, 50, 50)})

    with pytest.raises(
        LabelError, match=r"No annotation is of class 'glomerolus'. The classes are"
    ):
        tile(
            slides,
            tmp_path / "tiles",
            settings(compartments=("glomerolus",)),
            TileSources(outlines=tmp_path / "outlines"),
        )


def test_compartments_need_somebody_who_knows_them(slides: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"Give annotations with --outlines, or a segmenter"):
        tile(slides, tmp_path / "tiles", settings(compartments=("artery",)))


def spoil(path: Path) -> None:
    """A slide that opens, and whose pixels cannot be read."""
    write_tiff(path, tissue_pixels(200, 200))
    with tifffile.TiffFile(path) as file:
        first = file.pages.first
        places = list(zip(first.dataoffsets, first.databytecounts, strict=True))
    data = bytearray(path.read_bytes())
    for offset, size in places:
        data[offset : offset + size] = bytes(size)
    path.write_bytes(data)


def test_all_that_cannot_be_cut_is_told_before_anything_is(slides: Path, tmp_path: Path) -> None:
    shutil.copytree(slides, tmp_path / "slides")
    (tmp_path / "slides" / "A.svs").write_bytes(b"broken")
    (tmp_path / "slides" / "Z.svs").write_bytes(b"broken, too")

    with pytest.raises(
        ImageError, match=r"A\.svs is no slide.* would also stop at Z\. This run has"
    ):
        tile(tmp_path / "slides", tmp_path / "tiles", SMALL)

    assert not (tmp_path / "tiles" / "images").exists()


def test_one_file_twice_as_two_patients_is_refused_before_it_tests_itself(
    slides: Path, tmp_path: Path
) -> None:
    twice = Path(shutil.copytree(slides, tmp_path / "slides"))
    shutil.copy(twice / "P0_he.tif", twice / "P9_he.tif")

    with pytest.raises(SettingsError, match=r"P9_he\.tif are the same file.* P0 and P9: one"):
        tile(twice, tmp_path / "tiles", settings(patient_pattern="^(P[0-9])"))

    assert not (tmp_path / "tiles").exists()


def test_copies_of_which_nobody_named_the_patient_are_one_patients(
    slides: Path, tmp_path: Path
) -> None:
    twice = Path(shutil.copytree(slides, tmp_path / "slides"))
    shutil.copy(twice / "P1_he.tif", twice / "A_copy.tif")

    records = made(twice, tmp_path / "tiles").records()

    of = {row.slide: (row.patient, row.fold) for row in records}
    assert of["A_copy"] == of["P1_he"]
    assert len({patient for patient, _ in of.values()}) == 4


def test_one_file_twice_is_taken_if_it_is_of_one_patient_or_in_one_fold(
    slides: Path, tmp_path: Path
) -> None:
    twice = Path(shutil.copytree(slides, tmp_path / "slides"))
    shutil.copy(twice / "P0_he.tif", twice / "P0_copy.tif")
    table = tmp_path / "table.csv"
    folds = {"P0_he": 0, "P0_pas": 1, "P0_copy": 0, "P1_he": 1, "P1_pas": 1}
    table.write_text(
        "".join(f"{row}\n" for row in ["slide,fold", *(f"{n},{f}" for n, f in folds.items())])
    )

    of_patient = made(twice, tmp_path / "tiles", patient_pattern="^(P[0-9])")
    tile(twice, tmp_path / "in-folds", SMALL, TileSources(table=table))

    assert {row.slide for row in of_patient.records()} == folds.keys()
    assert {row.slide for row in TileSet.open(tmp_path / "in-folds").records()} == folds.keys()


def test_a_broken_slide_stops_the_run_and_loses_nothing(slides: Path, tmp_path: Path) -> None:
    shutil.copytree(slides, tmp_path / "slides")
    spoil(tmp_path / "slides" / "P9_broken.tif")
    with pytest.raises(ImageError, match=r"P9_broken\.tif is damaged or cut short"):
        tile(tmp_path / "slides", tmp_path / "tiles", SMALL)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "tiles" / "images").iterdir()}

    (tmp_path / "slides" / "P9_broken.tif").unlink()
    tile(tmp_path / "slides", tmp_path / "tiles", SMALL)

    assert len(before) > 50
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    assert len(TileSet.open(tmp_path / "tiles").slides()) == 4


def test_a_broken_slide_is_left_out_if_the_user_says_so(slides: Path, tmp_path: Path) -> None:
    shutil.copytree(slides, tmp_path / "slides")
    spoil(tmp_path / "slides" / "P9_broken.tif")

    tiles = made(tmp_path / "slides", tmp_path / "tiles", keep_going=True)

    left_out = [slide for slide in tiles.slides() if slide.problem is not None]
    assert [slide.slide for slide in left_out] == ["P9_broken"]
    assert "is damaged or cut short" in str(left_out[0].problem)
    assert "P9_broken" not in {record.slide for record in tiles.records()}


def test_other_folds_need_no_new_cutting(slides: Path, tmp_path: Path) -> None:
    shutil.copytree(slides, tmp_path / "slides")
    spoil(tmp_path / "slides" / "P9_broken.tif")
    with pytest.raises(ImageError):
        tile(tmp_path / "slides", tmp_path / "tiles", SMALL)
    (tmp_path / "slides" / "P9_broken.tif").unlink()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "tiles" / "images").iterdir()}

    tiles = made(tmp_path / "slides", tmp_path / "tiles", num_folds=3)

    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    assert {record.fold for record in tiles.records()} == {0, 1, 2}


def test_the_spacing_that_a_slide_lacks_may_be_given_later(slides: Path, tmp_path: Path) -> None:
    shutil.copytree(slides, tmp_path / "slides")
    write_tiff(tmp_path / "slides" / "Z.tif", tissue_pixels(200, 200), spacing_um=None)
    spoil(tmp_path / "slides" / "P9_broken.tif")
    with pytest.raises(ImageError, match=r"P9_broken\.tif is damaged or cut short"):
        tile(tmp_path / "slides", tmp_path / "tiles", settings(to_spacing_um=1.0, spacing_um=0.9))
    (tmp_path / "slides" / "P9_broken.tif").unlink()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "tiles" / "images").iterdir()}

    tiles = made(tmp_path / "slides", tmp_path / "tiles", to_spacing_um=1.0, spacing_um=0.25)

    assert before
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    of = {slide.slide: slide for slide in tiles.slides()}
    assert of["Z"].spacing_um == 0.25
    assert of["P0_he"].spacing_um == pytest.approx(0.5)
    assert of["Z"].problem == "It is smaller than a tile of 64 pixels."


def test_the_table_knows_a_spacing_better_than_the_file(slides: Path, tmp_path: Path) -> None:
    rows = "".join(f"{path.stem},0.25\n" for path in slides.iterdir())
    (tmp_path / "slides.csv").write_text(f"slide,spacing_um\n{rows}", encoding="utf-8")

    tile(slides, tmp_path / "tiles", SMALL, TileSources(table=tmp_path / "slides.csv"))

    assert {r.spacing_um for r in TileSet.open(tmp_path / "tiles").records()} == {0.25}


def test_what_nobody_reads_of_a_table_is_said(
    slides: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"{path.stem},PAS\n" for path in slides.iterdir())
    (tmp_path / "slides.csv").write_text(f"slide,staining\n{rows}X9,HE\n", encoding="utf-8")

    tile(slides, tmp_path / "tiles", SMALL, TileSources(table=tmp_path / "slides.csv"))

    said = capsys.readouterr().err
    assert "passed over the columns staining" in said
    assert "1 lines are of no slide here, such as X9" in said


def test_slides_without_annotations_are_listed(
    slides: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outlined(tmp_path / "outlines", "P0_he", {"Artery": (0, 0, 50, 50)})
    outlined(tmp_path / "outlines", "P0-pas", {"Artery": (0, 0, 50, 50)})

    tile(
        slides,
        tmp_path / "tiles",
        settings(num_folds=1),
        TileSources(outlines=tmp_path / "outlines"),
    )

    rows = TileSet.open(tmp_path / "tiles").slides()
    problems = [row.problem for row in rows if row.slide != "P0_he"]
    assert problems == [f"No annotations in {tmp_path / 'outlines'}."] * 3
    said = capsys.readouterr().err
    assert "3 of 4 slides have no annotations: passed over" in said
    assert "P0-pas.geojson is named like no slide" in said


def test_a_run_that_gave_no_tile_leaves_its_folder_free(slides: Path, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"gives no tile. 4 of 4: It is smaller than a tile of"):
        tile(slides, tmp_path / "tiles", settings(side_px=512))

    assert made(slides, tmp_path / "tiles").records()


def test_another_cut_does_not_take_over_what_was_begun(slides: Path, tmp_path: Path) -> None:
    shutil.copytree(slides, tmp_path / "slides")
    spoil(tmp_path / "slides" / "P9_broken.tif")
    with pytest.raises(ImageError):
        tile(tmp_path / "slides", tmp_path / "tiles", SMALL)

    with pytest.raises(WrongArtifactError, match=r"side-px was 64, now 32"):
        tile(tmp_path / "slides", tmp_path / "tiles", settings(side_px=32))


def test_a_slide_that_was_replaced_meanwhile_is_cut_again(slides: Path, tmp_path: Path) -> None:
    shutil.copytree(slides, tmp_path / "slides")
    spoil(tmp_path / "slides" / "P9_broken.tif")
    with pytest.raises(ImageError):
        tile(tmp_path / "slides", tmp_path / "tiles", SMALL)
    (tmp_path / "slides" / "P9_broken.tif").unlink()
    other = tissue_pixels(200, 200, seed=7)
    write_tiff(tmp_path / "slides" / "P0_he.tif", other, compression="adobe_deflate")

    tiles = made(tmp_path / "slides", tmp_path / "tiles")

    records = [record for record in tiles.records() if record.slide == "P0_he"]
    assert max(record.x + record.width for record in records) <= 200
    assert all((tiles.image(r) == other[r.y : r.y + SIDE, r.x : r.x + SIDE]).all() for r in records)
    names = {f"{record.tile}.png" for record in tiles.records()}
    assert {path.name for path in (tmp_path / "tiles" / "images").iterdir()} == names


def test_processes_make_what_one_makes(slides: Path, tmp_path: Path) -> None:
    made(slides, tmp_path / "one")
    made(slides, tmp_path / "two", workers=2)

    for path in (tmp_path / "one").rglob("*"):
        if path.is_file() and path.name != "manifest.json":
            other = tmp_path / "two" / path.relative_to(tmp_path / "one")
            assert path.read_bytes() == other.read_bytes(), path


def test_a_blurred_tile_is_left_out(tmp_path: Path) -> None:
    pixels = tissue_pixels(768, 256)
    blurred = np.asarray(Image.fromarray(pixels).resize((96, 32)).resize((768, 256)))
    pixels = np.concatenate([pixels[:, :256], blurred[:, :256]], axis=1)
    write_tiff(tmp_path / "slides" / "half.tif", pixels, compression="adobe_deflate")
    first = made(tmp_path / "slides", tmp_path / "all", num_folds=1, side_px=128)
    sharp = {r.x // 256: r.sharpness or 0.0 for r in first.records()}
    assert sharp[0] > sharp[1]

    limit = (sharp[0] + sharp[1]) / 2
    tiles = made(
        tmp_path / "slides", tmp_path / "sharp", num_folds=1, side_px=128, min_sharpness=limit
    )

    assert {record.x for record in tiles.records()} == {0, 128}


TILE_ALL = """
import sys
from hdgan.cli import main
main(["tile", *sys.argv[1:], "--side-px", "1024", "--num-folds", "1", "--workers", "1"])
print(peak_kb())
"""


def test_a_slide_of_twice_the_side_takes_no_more_memory(tmp_path: Path) -> None:
    pixels = tissue_pixels(512, 512)
    peaks = []
    for side in (8192, 16384):
        path = tmp_path / f"{side}.tif"
        with tifffile.TiffWriter(path) as file:
            file.write(
                (pixels for _ in range((side // 512) ** 2)),
                shape=(side, side, 3),
                dtype=np.uint8,
                tile=(512, 512),
                photometric="rgb",
                compression="jpeg",
                metadata=None,
            )
        output = tmp_path / f"tiles-{side}"
        peaks.append(megabytes(TILE_ALL, path, output, "--storage", "virtual"))

    assert peaks[1] / peaks[0] < 1.1
    assert peaks[1] < 1000


@pytest.mark.parametrize("storage", ["files", "virtual"])
def test_whole_images_are_resampled_too(tmp_path: Path, storage: str) -> None:
    (tmp_path / "images").mkdir()
    pixels = tissue_pixels(71, 50)
    (tmp_path / "images" / "a.png").write_bytes(png_of(pixels))

    tiles = made(
        tmp_path / "images",
        tmp_path / "tiles",
        side_px=None,
        num_folds=1,
        spacing_um=0.5,
        to_spacing_um=1.0,
        storage=storage,
    )

    (record,) = tiles.records()
    assert (record.width, record.height, record.spacing_um) == (36, 25, 1.0)
    assert record.region == Region(0, 0, 71, 50)
    small = Image.fromarray(pixels).resize((36, 25), Image.Resampling.BICUBIC)
    assert (tiles.image(record) == np.asarray(small)).all()


def test_a_slide_that_comes_back_is_cut_again(
    slides: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(slides, tmp_path / "slides")
    with monkeypatch.context() as patched:
        patched.setattr("hdgan.stages.tile.run.tile_report", interrupted)
        with pytest.raises(KeyboardInterrupt):
            tile(tmp_path / "slides", tmp_path / "tiles", SMALL)
        (tmp_path / "slides" / "P0_he.tif").rename(tmp_path / "aside.tif")
        with pytest.raises(KeyboardInterrupt):
            tile(tmp_path / "slides", tmp_path / "tiles", SMALL)
    (tmp_path / "aside.tif").rename(tmp_path / "slides" / "P0_he.tif")

    tiles = made(tmp_path / "slides", tmp_path / "tiles")

    assert len({record.slide for record in tiles.records()}) == 4
    for record in tiles.records():
        assert tiles.image(record).shape == (SIDE, SIDE, 3)


def interrupted(*_: object) -> bytes:
    raise KeyboardInterrupt


def test_a_cut_that_was_interrupted_is_not_taken_for_an_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tiff(tmp_path / "slides" / "S.tif", tissue_pixels(300, 200), spacing_um=None)
    choices = {"num_folds": 1, "side_px": 48, "to_spacing_um": 1.0}
    for spacing, where in ((1.0, "run.tile_report"), (0.5, "cutting.json_bytes")):
        with monkeypatch.context() as patched:
            patched.setattr(f"hdgan.stages.tile.{where}", interrupted)
            with pytest.raises(KeyboardInterrupt):
                made(tmp_path / "slides", tmp_path / "tiles", spacing_um=spacing, **choices)

    tiles = made(tmp_path / "slides", tmp_path / "tiles", spacing_um=1.0, **choices)
    fresh = made(tmp_path / "slides", tmp_path / "fresh", spacing_um=1.0, **choices)

    assert [r.tile for r in tiles.records()] == [r.tile for r in fresh.records()]
    for record in fresh.records():
        assert (tiles.image(record) == fresh.image(record)).all()


def test_two_tiles_of_one_name_are_refused(slides: Path, tmp_path: Path) -> None:
    records = made(slides, tmp_path / "tiles").records()
    twin = records[0].model_copy(update={"slide": "other"})

    with pytest.raises(ImageError, match=rf"Two tiles would be called {records[0].tile}, of the"):
        refuse_twins([*records, twin])


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
def test_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    path = Path(os.fsdecode(os.fsencode(tmp_path / "images") + b"/z\xff.png"))
    path.write_bytes(png_of(tissue_pixels(30, 30)))

    with pytest.raises(ImageError, match=r"has a name that is not UTF-8. Rename the file"):
        tile(tmp_path / "images", tmp_path / "tiles", SMALL)


def test_names_that_are_too_long_are_refused(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / f"{'x' * 200}.png").write_bytes(png_of(tissue_pixels(30, 30)))

    with pytest.raises(ImageError, match=r"200 bytes long; tiles need names of at most 180"):
        tile(tmp_path / "images", tmp_path / "tiles", SMALL)


def test_a_slide_that_may_not_be_read_is_left_out(
    slides: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> Slide:
        if path.stem == "P0_he":
            raise PermissionError(13, "Permission denied", str(path))
        return open_slide(path)

    monkeypatch.setattr("hdgan.stages.tile.cutting.open_slide", refused)

    tiles = made(slides, tmp_path / "tiles", keep_going=True)

    problems = {slide.slide: slide.problem for slide in tiles.slides()}
    assert "P0_he.tif cannot be read (Permission denied)" in str(problems["P0_he"])


def test_links_out_of_the_folder_are_refused(slides: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.tif").symlink_to(slides / "P0_he.tif")

    with pytest.raises(ImageError, match=r"link\.tif is a link to .*, outside"):
        tile(tmp_path / "in", tmp_path / "tiles", SMALL)


def test_folders_that_link_in_circles_are_walked_once(slides: Path, tmp_path: Path) -> None:
    shutil.copytree(slides, tmp_path / "in")
    (tmp_path / "in" / "again").symlink_to(tmp_path / "in", target_is_directory=True)

    assert len(made(tmp_path / "in", tmp_path / "tiles").slides()) == 4


def test_plain_images_are_tiles_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for i in range(2):
        (tmp_path / "images" / f"{i}.png").write_bytes(png_of(tissue_pixels(70, 50, seed=i)))

    tile(tmp_path / "images", tmp_path / "tiles", TileSettings(num_folds=2))

    tiles = TileSet.open(tmp_path / "tiles")
    records: list[TileRecord] = tiles.records()
    assert [(r.tile, r.width, r.height, r.tissue) for r in records] == [
        ("0", 70, 50, None),
        ("1", 70, 50, None),
    ]
    assert (tiles.image(records[1]) == tissue_pixels(70, 50, seed=1)).all()
