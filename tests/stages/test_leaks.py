"""What has been learned from is found again when the slides were tiled again, or drawn again."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.image_quality import ImageQualityFolder
from hdgan.artifacts.images import png_of
from hdgan.artifacts.leaks import known_of, known_seeds
from hdgan.artifacts.manifest import MANIFEST
from hdgan.artifacts.pair_set import PairSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.seen import Seen, seen_together
from hdgan.artifacts.tile_set import SLIDES, TileSet
from hdgan.errors import LeakError, SettingsError
from hdgan.method.phantom.drawing import draw_phantom
from hdgan.settings.annotate import AnnotateSettings, AnnotateSources
from hdgan.settings.compare import CompareSettings, CompareSources
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.export_generator import ExportGeneratorSettings
from hdgan.settings.import_annotations import ImportAnnotationsSettings
from hdgan.settings.import_generator import ImportGeneratorSettings
from hdgan.settings.sample import SampleSettings
from hdgan.settings.score_generator import ScoreGeneratorSettings
from hdgan.settings.sources import AnnotationSources
from hdgan.settings.tile import TileSettings, TileSources
from hdgan.settings.train_generator import TrainGeneratorSettings
from hdgan.settings.train_segmenter import SegmenterSources
from hdgan.stages.annotate.run import annotate
from hdgan.stages.compare.inputs import held_out_folds, opened_inputs
from hdgan.stages.compare.run import compare
from hdgan.stages.evaluate.run import evaluate
from hdgan.stages.export_generator import export_generator
from hdgan.stages.import_annotations import import_annotations
from hdgan.stages.import_generator import import_generator
from hdgan.stages.sample import sample
from hdgan.stages.score_generator import score_generator
from hdgan.stages.tile.run import tile
from hdgan.stages.train_generator import train_generator
from hdgan.stages.train_segmenter.run import train_segmenter
from tests.tiny_world import (
    SAMPLE,
    SIDE,
    TILE,
    TRAIN_GENERATOR,
    TRAIN_SEGMENTER,
    TinyWorld,
    paint_samples,
    write_encoder,
)

OTHERS = 100
"""Seed of the first phantom of another data set."""


def tiled_again(world: TinyWorld, folder: Path, *, known: str = "") -> Path:
    """The same images cut smaller, and annotated in `folder / "truth"`.

    Folds are dealt anew: the first holds the images that the generator has not learned from, and
    those whose names contain `known`, if it is given.
    """
    records = TileSet.open(world.tiles).records()
    lines = ["slide,patient,fold"]
    for record in records:
        is_first = record.fold == 0 or (known and known in record.slide)
        lines.append(f"{record.slide},{record.slide},{0 if is_first else record.fold}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    sources = TileSources(table=folder / "table.csv")
    tile(world.folder / "drawn" / "images", folder / "tiles", TileSettings(side_px=14), sources)
    return annotated(world, world.folder / "drawn", folder)


def annotated(world: TinyWorld, drawn: Path, folder: Path) -> Path:
    """The annotations of the tiles in `folder`."""
    settings = ImportAnnotationsSettings()
    import_annotations(
        folder / "tiles", drawn / "labels", folder / "truth", settings, world.classes
    )
    return folder / "truth"


def another_data_set(world: TinyWorld, folder: Path) -> Path:
    """Other images with the same names, tiled and annotated."""
    for kind in ("images", "labels"):
        (folder / "drawn" / kind).mkdir(parents=True)
    for i, path in enumerate(sorted((world.folder / "drawn" / "images").iterdir())):
        phantom = draw_phantom(SIDE, "rose", patient=OTHERS + i, seed=OTHERS + i)
        (folder / "drawn" / "images" / path.name).write_bytes(png_of(phantom.image))
        (folder / "drawn" / "labels" / path.name).write_bytes(png_of(phantom.labels))
    tile(folder / "drawn" / "images", folder / "tiles", TILE)
    return annotated(world, folder / "drawn", folder)


def test_slides_that_were_tiled_again_do_not_test_who_has_learned_from_them(
    world: TinyWorld, tmp_path: Path
) -> None:
    truth = tiled_again(world, tmp_path)
    images = TileSet.open(tmp_path / "tiles").records((2,))

    with pytest.raises(LeakError, match=r"knows 4 slides, such as patient\d_\d+, from another til"):
        evaluate(world.segmenter, truth, tmp_path / "evaluation", EvaluateSettings(fold=2))

    assert {image.width for image in images} == {14}
    assert not (tmp_path / "evaluation").exists()


def test_slides_that_nothing_has_learned_from_test_it_when_they_were_tiled_again(
    world: TinyWorld, tmp_path: Path
) -> None:
    truth = tiled_again(world, tmp_path)

    with pytest.raises(SettingsError, match=r"has not learned from: 0\."):
        evaluate(world.segmenter, truth, tmp_path / "evaluation", EvaluateSettings())
    made = evaluate(world.segmenter, truth, tmp_path / "evaluation", EvaluateSettings(fold=0))

    assert made.facts["images"] == len(TileSet.open(tmp_path / "tiles").records((0,)))


def test_slides_are_known_again_under_other_names(world: TinyWorld, tmp_path: Path) -> None:
    for path in (world.folder / "drawn" / "images").iterdir():
        renamed = tmp_path / "renamed" / f"x{path.name}"
        renamed.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, renamed)
    tile(tmp_path / "renamed", tmp_path / "tiles", TileSettings())

    known = known_of(
        TileSet.open(tmp_path / "tiles"), Artifact.open(world.generator).manifest.learned
    )

    assert sum(map(len, known.slides.values())) == 16
    assert not known.folds


def test_no_name_of_a_slide_or_patient_is_in_a_manifest(world: TinyWorld) -> None:
    for folder in (world.generator, world.classifier, world.pairs, world.segmenter):
        manifest = json.loads((folder / MANIFEST).read_text())

        assert manifest["seen_slides"]
        assert "patient" not in json.dumps(manifest["seen_slides"])


def test_what_was_learned_from_is_passed_on_to_the_segmenter(world: TinyWorld) -> None:
    tiles = TileSet.open(world.tiles)
    chain = (
        *(world.generator, world.samples, world.annotations, world.classifier),
        *(world.pairs, world.segmenter, world.segmentation, world.evaluation),
    )
    for folder in chain:
        learned = Artifact.open(folder).manifest.learned

        assert learned.slides == tiles.seen_in((1, 2, 3, 4)).slides
        assert sum(map(len, learned.slides[tiles.digest].values())) == 16
        assert learned.has_all_slides


def test_another_data_set_is_tested_on_though_its_images_have_the_same_names(
    world: TinyWorld, tmp_path: Path
) -> None:
    truth = another_data_set(world, tmp_path)

    evaluate(world.segmenter, truth, tmp_path / "evaluation", EvaluateSettings(fold=2))
    inputs = opened_inputs(truth, CompareSources(annotated_samples=(world.annotations,)))
    held_out = held_out_folds(inputs, None, needs_drawings=True)

    names = [
        {slide.file for slide in TileSet.open(place).slides()}
        for place in (world.tiles, tmp_path / "tiles")
    ]
    assert names[0] == names[1]
    assert held_out.folds == [0, 1, 2, 3, 4]
    assert inputs.knows_generators([0])
    assert "from tiles of another tile set, but" in inputs.other_pools({0: 0})[0]


def test_a_comparison_tests_only_slides_that_the_generator_has_not_seen_in_other_tiles(
    world: TinyWorld, tmp_path: Path
) -> None:
    truth = tiled_again(world, tmp_path)
    inputs = opened_inputs(truth, CompareSources(annotated_samples=(world.annotations,)))

    held_out = held_out_folds(inputs, None, needs_drawings=True)

    assert held_out.folds == [0]
    assert inputs.knows_generators([0])
    assert held_out.left_out[0].startswith("Folds 1, 2, 3, 4: the generator")
    assert "another tile set (16 slides, such as patient" in inputs.other_pools({0: 0})[0]


def test_a_comparison_refuses_a_fold_with_one_slide_that_the_generator_has_seen_in_other_tiles(
    world: TinyWorld, tmp_path: Path
) -> None:
    learned = TileSet.open(world.tiles).records((1,))[0].slide
    truth = tiled_again(world, tmp_path, known=learned)
    sources = CompareSources(annotated_samples=(world.annotations,))

    with pytest.raises(LeakError, match=rf"\(1 slide, such as {learned}, from another tile set\)"):
        compare(truth, tmp_path / "comparison", CompareSettings(folds=(0,)), sources, {})
    with pytest.raises(LeakError, match=r"has learned from folds 0, 1, 2, 3, 4 of"):
        compare(truth, tmp_path / "comparison", CompareSettings(), sources, {})


def as_of_before(world: TinyWorld, folder: Path) -> Path:
    """The annotated drawings and their origin, as a version without fingerprints has them."""
    for name in ("generator", "samples", "annotations"):
        shutil.copytree(world.folder / name, folder / name)
    path = folder / "annotations" / MANIFEST
    content = json.loads(path.read_text())
    del content["seen_slides"]
    path.write_text(json.dumps(content))
    return folder / "annotations"


def test_a_generator_of_an_earlier_version_still_needs_a_fold_to_be_named(
    world: TinyWorld, tmp_path: Path
) -> None:
    truth = another_data_set(world, tmp_path / "others")
    before = as_of_before(world, tmp_path / "before")
    inputs = opened_inputs(truth, CompareSources(annotated_samples=(before,)))

    with pytest.raises(SettingsError, match="nobody can tell which of these patients"):
        held_out_folds(inputs, None, needs_drawings=True)

    assert held_out_folds(inputs, (2,), needs_drawings=True).folds == [2]
    assert not inputs.knows_generators([0])


def test_what_begins_from_an_imported_generator_has_a_history_that_nobody_knows(
    world: TinyWorld, tmp_path: Path
) -> None:
    another_data_set(world, tmp_path)
    tiles = TileSet.open(world.tiles)
    file = tmp_path / "network.safetensors"
    export_generator(world.generator, file, ExportGeneratorSettings())
    import_generator(file, tmp_path / "imported", ImportGeneratorSettings())
    settings = replace(TRAIN_GENERATOR, kimg=0.008, snapshot_kimg=0.0)

    train_generator(world.tiles, tmp_path / "generator", settings, tmp_path / "imported")

    learned = Artifact.open(tmp_path / "generator").manifest.learned
    known = known_of(TileSet.open(tmp_path / "tiles"), learned)
    assert learned.folds == {tiles.digest: [1, 2, 3, 4]}
    assert not known.all_folds
    assert not known.is_certain
    assert known_of(tiles, learned).all_folds == {1, 2, 3, 4}
    assert not known_of(tiles, learned).is_certain


def test_what_went_on_from_tiles_without_fingerprints_is_certain_of_no_fold(
    world: TinyWorld,
) -> None:
    tiles = TileSet.open(world.tiles)
    here = Artifact.open(world.generator).manifest.learned
    before = seen_together(here, Seen({"0" * 64: [1]}))
    known_slides = seen_together(here, Seen({"0" * 64: [1]}, {"0" * 64: {1: ["f" * 16]}}))

    assert known_of(tiles, here).is_certain
    assert not known_of(tiles, before).is_certain
    assert known_of(tiles, known_slides).is_certain
    assert known_of(tiles, known_slides).all_folds == {1, 2, 3, 4}


def without_fingerprints(tiles: Path, folder: Path) -> TileSet:
    """The tile set with a table of slides as earlier versions wrote it."""
    shutil.copytree(tiles, folder)
    lines = (folder / SLIDES).read_text().splitlines()
    (folder / SLIDES).write_text("".join(f"{line.rpartition(',')[0]}\n" for line in lines))
    content = json.loads((folder / MANIFEST).read_text())
    del content["files"][SLIDES]
    (folder / MANIFEST).write_text(json.dumps(content))
    return TileSet.open(folder)


def test_a_tile_set_of_an_earlier_version_has_no_fingerprints(
    world: TinyWorld, tmp_path: Path
) -> None:
    before = without_fingerprints(world.tiles, tmp_path / "tiles")
    learned = Artifact.open(world.generator).manifest.learned

    assert before.seen_in((1, 2)).folds == {before.digest: [1, 2]}
    assert not before.seen_in((1, 2)).has_all_slides
    assert not known_of(before, learned).is_certain


def test_what_helped_to_paint_is_known_with_its_slides(world: TinyWorld, tmp_path: Path) -> None:
    finish = AnnotateSettings(finish=True)
    annotate(world.samples, tmp_path / "one", finish, AnnotateSources(start_from=world.annotations))
    annotate(world.samples, tmp_path / "two", finish, AnnotateSources(start_from=tmp_path / "one"))

    learned = AnnotationSet.open(tmp_path / "two").manifest.learned

    assert learned.slides == Artifact.open(world.generator).manifest.learned.slides


def test_what_the_start_has_learned_from_is_not_held_out(world: TinyWorld, tmp_path: Path) -> None:
    tiled_again(world, tmp_path)
    tiles = TileSet.open(tmp_path / "tiles")
    first = Artifact.open(world.generator).manifest.learned
    settings: TrainGeneratorSettings = replace(
        TRAIN_GENERATOR, resolution=8, kimg=0.008, folds=(0,), snapshot_kimg=0.0
    )

    train_generator(tmp_path / "tiles", tmp_path / "generator", settings, world.generator)

    write_encoder(tmp_path / "squeezenet.npz")
    score_generator(
        tmp_path / "generator",
        tmp_path / "tiles",
        tmp_path / "squeezenet.npz",
        tmp_path / "quality",
        ScoreGeneratorSettings(num_images=20, num_nearest=2, snapshots=False, shrink=(1.0, 1.0)),
    )
    both = Artifact.open(tmp_path / "generator").manifest.learned
    assert set(both.slides) == {*first.slides, tiles.digest}
    assert known_of(tiles, both).all_folds == {0, 1, 2, 3, 4}
    assert ImageQualityFolder.open(tmp_path / "quality").text.held_out_folds == []
    watched = (tmp_path / "generator" / "watch.jsonl").read_text().splitlines()
    assert [json.loads(line)["nearness"] for line in watched] == [None] * len(watched)


def drawn_again(world: TinyWorld, folder: Path, seeds: tuple[int, ...]) -> AnnotationSources:
    """Drawings of these seeds, annotated in `folder / "annotations"`."""
    settings = SampleSettings(seeds=seeds, truncation=SAMPLE.truncation, select=0)
    sample(world.generator, folder / "samples", settings)
    names = [record.sample for record in SampleSet.open(folder / "samples").records()]
    paint_samples(folder / "samples", folder / "painted", names)
    import_annotations(
        folder / "samples",
        folder / "painted",
        folder / "annotations",
        ImportAnnotationsSettings(split=(0, 0, 1)),
        world.classes,
    )
    return AnnotationSources(samples=folder / "samples", generator=world.generator)


def test_pairs_that_a_segmenter_has_learned_from_do_not_test_it(
    world: TinyWorld, tmp_path: Path
) -> None:
    seeds = tuple(record.seed for record in PairSet.open(world.pairs).records())[:3]
    sources = drawn_again(world, tmp_path, (*seeds, 77))

    with pytest.raises(LeakError, match=r"has learned from 3 of 4 drawings of the split test"):
        evaluate(
            world.segmenter,
            tmp_path / "annotations",
            tmp_path / "evaluation",
            EvaluateSettings(),
            sources,
        )


def test_drawings_that_taught_the_classifier_of_the_pairs_do_not_test_a_segmenter(
    world: TinyWorld, tmp_path: Path
) -> None:
    taught = AnnotationSet.open(world.annotations).records("training")[0].image
    sources = drawn_again(world, tmp_path, (int(taught[1:]), 77))

    with pytest.raises(LeakError, match=rf"1 of 2 drawings .* such as {taught}, directly or"):
        evaluate(
            world.segmenter,
            tmp_path / "annotations",
            tmp_path / "evaluation",
            EvaluateSettings(),
            sources,
        )


def test_pairs_that_were_dropped_and_drawings_of_other_seeds_test_a_segmenter(
    world: TinyWorld, tmp_path: Path
) -> None:
    dropped = [one.seed for one in PairSet.open(world.pairs).all_records() if not one.kept]
    sources = drawn_again(world, tmp_path, (*dropped, 77))

    made = evaluate(
        world.segmenter,
        tmp_path / "annotations",
        tmp_path / "evaluation",
        EvaluateSettings(),
        sources,
    )

    assert made.facts["images"] == len(dropped) + 1


def test_the_drawings_that_a_segmenter_was_trained_on_do_not_test_it(
    world: TinyWorld, tmp_path: Path
) -> None:
    sources = SegmenterSources(samples=world.samples)
    train_segmenter(world.annotations, tmp_path / "segmenter", TRAIN_SEGMENTER, sources=sources)
    annotations = AnnotationSet.open(world.annotations)
    shown, new = (
        tuple(int(record.image[1:]) for record in annotations.records(split))
        for split in ("training", "test")
    )
    again = drawn_again(world, tmp_path, shown)
    settings = EvaluateSettings()

    with pytest.raises(LeakError, match=rf"from {len(shown)} of {len(shown)} drawings"):
        evaluate(
            tmp_path / "segmenter",
            tmp_path / "annotations",
            tmp_path / "evaluation",
            settings,
            again,
        )
    evaluate(
        tmp_path / "segmenter",
        world.annotations,
        tmp_path / "evaluation",
        settings,
        AnnotationSources(samples=world.samples),
    )

    generator = Artifact.open(world.generator).digest
    learned = Artifact.open(tmp_path / "segmenter").manifest.learned
    assert known_seeds(learned, generator, [*new, *shown]) == list(shown)
    assert (tmp_path / "evaluation" / MANIFEST).is_file()
