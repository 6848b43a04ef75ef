"""Exporting pairs and annotations: what is in the dataset, and what each image is for."""

import csv
import json
import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hdgan.artifacts.annotation_set import CLASSES, AnnotationSet, class_map_bytes
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.images import png_of
from hdgan.artifacts.layouts.labelled_images import LabelledImages
from hdgan.artifacts.layouts.plain import Plain
from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.order import Order
from hdgan.artifacts.pair_set import CARD, DATASET, PAIRS, PairRecord, PairSet
from hdgan.artifacts.table import table_bytes
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once
from hdgan.class_map import KIDNEY
from hdgan.cli import app, main
from hdgan.errors import (
    DamagedArtifactError,
    LabelError,
    MissingArtifactError,
    SettingsError,
    WrongArtifactError,
)
from hdgan.settings.export import ExportSettings
from hdgan.stages.export.counting import counted
from hdgan.stages.export.dealing import split_of_seed
from hdgan.stages.export.run import export, layout_of
from tests.artifacts.layouts_world import files_of, labelled, python_blocks
from tests.tiny_world import TinyWorld

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "datasets.md"
LARGEST = 1.0986
SIDE = 8


def labels_of(row: int) -> np.ndarray:
    return np.random.default_rng(row).integers(0, 5, size=(SIDE, SIDE)).astype(np.uint8)


def grey_uncertainty_of(row: int, below: int = 256) -> np.ndarray:
    return np.random.default_rng([row, 1]).integers(0, below, size=(SIDE, SIDE)).astype(np.uint8)


def write_pairs(
    folder: Path, count: int, *, noise_draws: int = 1, grey_below: int = 256, **about: object
) -> Path:
    """A pair set without a generator, `noise_draws` pairs of each seed; every fourth is dropped."""
    records = [
        PairRecord(
            pair=f"p{i:07d}",
            row=i,
            seed=1_000_000 + i // noise_draws,
            uncertainty=i / 100,
            kept=i % 4 != 3,
            noise=i % noise_draws,
        )
        for i in range(count)
    ]

    def fill(unfinished: UnfinishedArtifact) -> None:
        for record in records:
            if record.kept:
                image = np.full((SIDE, SIDE, 3), record.row % 256, dtype=np.uint8)
                unfinished.write(record.image, png_of(image))
                unfinished.write(record.labels, png_of(labels_of(record.row)))
                grey = grey_uncertainty_of(record.row, grey_below)
                unfinished.write(record.uncertainty_map, png_of(grey))
        unfinished.write(PAIRS, table_bytes(records, PairRecord))
        unfinished.write(CLASSES, class_map_bytes(KIDNEY))
        counts = {"num_drawn": count, "num_kept": sum(record.kept for record in records)}
        known = {"largest_uncertainty_nats": LARGEST, "noise_draws": noise_draws} | counts | about
        unfinished.write(DATASET, json_bytes(known))
        card = "# Drawings\n\n![near](pictures/near.png) and [a page](elsewhere.md)\n"
        unfinished.write(CARD, card.encode())
        unfinished.write("pictures/near.png", png_of(np.zeros((2, 2, 3), dtype=np.uint8)))

    made_once(folder, Order("pair-set", {"count": count}, {"generator": "0" * 64}), fill)
    return folder


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty pairs, thirty of them kept; do not change it."""
    return write_pairs(tmp_path_factory.mktemp("export") / "pairs", 40)


def table_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "images.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def label_map(folder: Path, row: dict[str, str]) -> np.ndarray:
    return np.array(Image.open(folder / row["labels"]))


def test_a_dataset_holds_the_kept_pairs(pairs: Path, tmp_path: Path) -> None:
    made = export(pairs, tmp_path / "made", ExportSettings())

    rows = table_of(tmp_path / "made")
    kept = [i for i in range(40) if i % 4 != 3]
    assert made.facts["images"] == 30
    assert [row["seed"] for row in rows] == [str(1_000_000 + i) for i in kept]
    for i, row in zip(kept, rows, strict=True):
        image = np.array(Image.open(tmp_path / "made" / row["image"]))
        assert image.shape == (SIDE, SIDE, 3)
        assert (image == i).all()
        np.testing.assert_array_equal(label_map(tmp_path / "made", row), labels_of(i))


def test_a_dataset_is_an_artifact_that_names_its_source(pairs: Path, tmp_path: Path) -> None:
    export(pairs, tmp_path / "made", ExportSettings())

    made = Artifact.open(tmp_path / "made")

    made.check_files()
    assert made.manifest.kind == "dataset"
    assert made.manifest.parents == {"pair-set": PairSet.open(pairs).digest}


def test_a_dataset_knows_what_its_source_has_learned_from(world: TinyWorld, tmp_path: Path) -> None:
    export(world.pairs, tmp_path / "made", ExportSettings())

    seen = Artifact.open(tmp_path / "made").manifest.seen

    assert seen == PairSet.open(world.pairs).manifest.seen
    assert seen


@pytest.mark.parametrize(
    "layout",
    [
        *("plain", "nnunet", "coco", "huggingface", "huggingface-folder"),
        *("webdataset", "qupath", "monai"),
    ],
)
def test_every_layout_is_made_once_and_of_the_same_bytes(
    layout: Any, pairs: Path, tmp_path: Path
) -> None:
    settings = ExportSettings(layout=layout, limit=7, validation=0.3)

    export(pairs, tmp_path / "one", settings)
    export(pairs, tmp_path / "other", ExportSettings(layout=layout, limit=7, validation=0.3))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "one").rglob("*")}
    export(pairs, tmp_path / "one", settings)

    assert files_of(tmp_path / "one") == files_of(tmp_path / "other")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "one").rglob("*")} == before


def test_another_command_leaves_a_dataset_alone(pairs: Path, tmp_path: Path) -> None:
    export(pairs, tmp_path / "made", ExportSettings())
    before = files_of(tmp_path / "made")

    with pytest.raises(WrongArtifactError, match=r'layout was "plain", now "monai"'):
        export(pairs, tmp_path / "made", ExportSettings(layout="monai"))

    assert files_of(tmp_path / "made") == before


def test_a_pair_of_a_larger_pair_set_has_the_same_place(tmp_path: Path) -> None:
    few, many = write_pairs(tmp_path / "few", 40), write_pairs(tmp_path / "many", 100)
    settings = ExportSettings(validation=0.3, test=0.2)
    export(few, tmp_path / "one", settings)
    export(many, tmp_path / "other", settings)

    splits = {row["seed"]: row["split"] for row in table_of(tmp_path / "other")}

    assert set(splits.values()) == {"training", "validation", "test"}
    for row in table_of(tmp_path / "one"):
        assert splits[row["seed"]] == row["split"]


def test_drawings_of_one_latent_are_in_one_split(tmp_path: Path) -> None:
    source = write_pairs(tmp_path / "pairs", 120, noise_draws=3)
    export(source, tmp_path / "made", ExportSettings(validation=0.3, test=0.3))

    rows = table_of(tmp_path / "made")
    splits: dict[str, set[str]] = {}
    for row in rows:
        splits.setdefault(row["seed"], set()).add(row["split"])

    assert {len(found) for found in splits.values()} == {1}
    assert len(set().union(*splits.values())) == 3
    assert max(Counter(row["seed"] for row in rows).values()) == 3
    assert {row["noise"] for row in rows} == {"0", "1", "2"}


def test_parts_are_as_large_as_asked_for() -> None:
    settings = ExportSettings(validation=0.1, test=0.25)

    counts = Counter(split_of_seed(seed, settings) for seed in range(20_000))

    # Three standard deviations of a binomial distribution.
    assert abs(counts["validation"] - 2_000) < 130
    assert abs(counts["test"] - 5_000) < 190


def test_another_seed_deals_otherwise() -> None:
    dealt = [
        [split_of_seed(i, ExportSettings(validation=0.5, seed=seed)) for i in range(100)]
        for seed in (0, 1)
    ]

    assert dealt[0] != dealt[1]


def test_nothing_is_for_validation_if_no_part_is() -> None:
    settings = ExportSettings(validation=0.0)

    assert {split_of_seed(i, settings) for i in range(1000)} == {"training"}


def test_pixels_that_are_unsure_become_unlabelled(pairs: Path, tmp_path: Path) -> None:
    export(pairs, tmp_path / "made", ExportSettings(unsure_above=0.5))

    for row in table_of(tmp_path / "made"):
        i = int(row["seed"]) - 1_000_000
        found = label_map(tmp_path / "made", row)
        is_unsure = grey_uncertainty_of(i).astype(float) * LARGEST / 255 > 0.5
        assert 0 < is_unsure.sum() < is_unsure.size
        np.testing.assert_array_equal(found, np.where(is_unsure, 255, labels_of(i)))
    assert "above 0.5 nats are unlabelled" in (tmp_path / "made" / "README.md").read_text()


def test_how_many_pixels_became_unlabelled_is_said_and_written(pairs: Path, tmp_path: Path) -> None:
    settings = ExportSettings(unsure_above=0.5)

    made = export(pairs, tmp_path / "made", settings)

    kept = [i for i in range(40) if i % 4 != 3]
    nats = np.stack([grey_uncertainty_of(i) for i in kept]) * (LARGEST / 255)
    count = int((nats > 0.5).sum())
    told = f"{count:,} of 1,920 pixels ({100 * count / 1920:.2f} %)"
    assert made.facts["unlabelled"] == told
    assert f"Unlabelled: {told}." in (tmp_path / "made" / "README.md").read_text()
    assert export(pairs, tmp_path / "made", settings).facts == made.facts


def test_nothing_is_unlabelled_unless_it_is_wished(pairs: Path, tmp_path: Path) -> None:
    made = export(pairs, tmp_path / "made", ExportSettings())

    assert made.facts["unlabelled"] == "0 of 1,920 pixels (0 %)"


@pytest.mark.parametrize("threshold", [LARGEST, 5.0])
def test_a_threshold_that_no_pixel_can_exceed_is_refused(
    threshold: float, pairs: Path, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=r"a pixel of it can have is 1\.0986 nats"):
        export(pairs, tmp_path / "made", ExportSettings(unsure_above=threshold))


def test_of_a_single_classifier_there_is_no_uncertainty(tmp_path: Path) -> None:
    source = write_pairs(tmp_path / "pairs", 4, largest_uncertainty_nats=0.0)
    export(source, tmp_path / "made", ExportSettings())

    assert not (tmp_path / "made" / "uncertainty").exists()
    with pytest.raises(SettingsError, match="maps are empty"):
        export(source, tmp_path / "other", ExportSettings(unsure_above=0.03))


def test_a_threshold_that_would_do_nothing_is_warned_of_and_another_proposed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_pairs(tmp_path / "pairs", 80, grey_below=12)

    export(source, tmp_path / "made", ExportSettings(unsure_above=0.3))
    warning = capsys.readouterr().err
    proposed = re.search(r"Above ([0-9.]+) nats are ([0-9.]+) %", warning)
    assert "no pixel of 30 pairs that were looked at" in warning
    assert proposed
    settings = ExportSettings(unsure_above=float(proposed[1]))
    export(source, tmp_path / "other", settings)

    found = np.stack(
        [label_map(tmp_path / "other", row) for row in table_of(tmp_path / "other")[::2]]
    )
    assert "warning" not in capsys.readouterr().err
    assert float((found == 255).mean()) == pytest.approx(float(proposed[2]) / 100, abs=6e-5)
    assert (found == 255).mean() >= 0.01


def test_plain_folders_hold_the_uncertainty_maps_of_pairs(pairs: Path, tmp_path: Path) -> None:
    export(pairs, tmp_path / "made", ExportSettings(limit=5))

    rows = table_of(tmp_path / "made")
    assert len(rows) == 5
    for row in rows:
        found = np.array(Image.open(tmp_path / "made" / row["uncertainty_map"]))
        np.testing.assert_array_equal(found, grey_uncertainty_of(int(row["seed"]) - 1_000_000))
    assert "255 is 1.0986 nats" in (tmp_path / "made" / "README.md").read_text()


def test_annotated_images_have_no_uncertainty_maps(world: TinyWorld, tmp_path: Path) -> None:
    export(world.truth, tmp_path / "made", ExportSettings())

    assert not (tmp_path / "made" / "uncertainty").exists()
    assert "uncertainty_map" not in table_of(tmp_path / "made")[0]


def test_the_readme_says_how_much_there_is_of_each_class(tmp_path: Path) -> None:
    source = write_pairs(tmp_path / "pairs", 12)
    export(source, tmp_path / "made", ExportSettings(layout="webdataset"))

    maps = np.stack([labels_of(i) for i in range(12) if i % 4 != 3])
    text = (tmp_path / "made" / "README.md").read_text()

    for i, tissue in enumerate(KIDNEY.classes):
        part, there = (maps == i).mean(), ((maps == i).mean(axis=(1, 2)) >= 0.01).sum()
        row = f"| {i} | {tissue.name} | `{tissue.colour}` | {100 * part:.2f} % | {there} |"
        assert row in text


def test_counting_goes_on_after_an_interruption(tmp_path: Path) -> None:
    def written(folder: Path, images: LabelledImages) -> str:
        said = []

        def fill(unfinished: UnfinishedArtifact) -> None:
            noted, totals = counted(images.images, unfinished)
            dataset = replace(images, images=noted, totals=totals)
            Plain().write(dataset, unfinished, lambda: None)
            said.append((folder / "README.md").read_text())

        made_once(folder, Order("dataset", {}, {}), fill)
        return said[0]

    reads: list[int] = []
    undisturbed = written(tmp_path / "undisturbed", labelled(9))
    with pytest.raises(KeyboardInterrupt):
        written(tmp_path / "disturbed", labelled(9, stops_at=6))

    assert written(tmp_path / "disturbed", labelled(9, reads=reads)) == undisturbed
    assert reads == [6, 7, 8]
    # Four of the nine have a corner of 15 unlabelled pixels.
    assert "Unlabelled: 60 of 1,836 pixels (3.27 %)." in undisturbed


def test_a_limit_takes_the_first_images(pairs: Path, tmp_path: Path) -> None:
    export(pairs, tmp_path / "made", ExportSettings(limit=4))

    seeds = [int(row["seed"]) - 1_000_000 for row in table_of(tmp_path / "made")]

    assert seeds == [0, 1, 2, 4]


def test_title_and_licence_are_those_asked_for(pairs: Path, tmp_path: Path) -> None:
    settings = ExportSettings(title="My kidney", licence="CC0-1.0")

    made = export(pairs, tmp_path / "made", settings)

    text = (tmp_path / "made" / "README.md").read_text()
    assert made.facts["licence"] == "CC0-1.0"
    assert text.startswith("# My kidney\n")
    assert "Licence: CC0-1.0" in text


def test_the_licence_is_that_of_the_pair_set_or_not_stated(pairs: Path, tmp_path: Path) -> None:
    licensed = write_pairs(tmp_path / "licensed", 4, licence="MIT")

    assert export(pairs, tmp_path / "a", ExportSettings()).facts["licence"] == "not stated"
    assert export(licensed, tmp_path / "b", ExportSettings()).facts["licence"] == "MIT"


def test_what_the_card_shows_comes_along(pairs: Path, tmp_path: Path) -> None:
    export(pairs, tmp_path / "made", ExportSettings())

    text = (tmp_path / "made" / "README.md").read_text()
    for link in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
        assert (tmp_path / "made" / link).is_file()
    assert "![near](source/pictures/near.png)" in text
    about = json.loads((tmp_path / "made" / "source" / "dataset.json").read_text())
    assert about["largest_uncertainty_nats"] == LARGEST


def test_annotated_tiles_are_dealt_by_their_folds(world: TinyWorld, tmp_path: Path) -> None:
    settings = ExportSettings(validation_folds=(1,), test_folds=(0, 2))
    export(world.truth, tmp_path / "made", settings)

    tiles, annotated = TileSet.open(world.tiles), AnnotationSet.open(world.truth)
    record_of = {record.tile: record for record in tiles.records()}
    rows = table_of(tmp_path / "made")
    assert len(rows) == 20
    for row, record in zip(rows, annotated.records(), strict=True):
        tile = record_of[row["source"]]
        split = {0: "test", 1: "validation", 2: "test"}.get(tile.fold, "training")
        assert (row["split"], row["patient"]) == (split, tile.patient)
        image = np.array(Image.open(tmp_path / "made" / row["image"]))
        np.testing.assert_array_equal(image, tiles.image(tile))
        np.testing.assert_array_equal(label_map(tmp_path / "made", row), annotated.labels(record))


def test_a_dataset_of_tiles_says_which_folds_are_in_it(world: TinyWorld, tmp_path: Path) -> None:
    export(world.truth, tmp_path / "made", ExportSettings())

    tiles = TileSet.open(world.tiles)
    assert Artifact.open(tmp_path / "made").manifest.seen == {tiles.digest: [0, 1, 2, 3, 4]}


def test_annotated_samples_keep_their_splits(world: TinyWorld, tmp_path: Path) -> None:
    export(world.annotations, tmp_path / "made", ExportSettings())

    wanted = {
        record.image: record.split for record in AnnotationSet.open(world.annotations).records()
    }
    found = {row["source"]: row["split"] for row in table_of(tmp_path / "made")}

    assert found == wanted
    assert len(set(found.values())) == 3


def test_annotated_images_can_lie_elsewhere(world: TinyWorld, tmp_path: Path) -> None:
    shutil.copytree(world.truth, tmp_path / "alone" / "truth")

    with pytest.raises(MissingArtifactError, match=r"the tile-set .* with --images"):
        export(tmp_path / "alone" / "truth", tmp_path / "made", ExportSettings())
    made = export(tmp_path / "alone" / "truth", tmp_path / "made", ExportSettings(), world.tiles)

    assert made.facts["images"] == 20


def test_other_images_than_those_annotated_are_refused(world: TinyWorld, tmp_path: Path) -> None:
    with pytest.raises(WrongArtifactError):
        export(world.truth, tmp_path / "made", ExportSettings(), world.samples)


def test_images_of_a_pair_set_cannot_be_given(pairs: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--images is for annotations"):
        export(pairs, tmp_path / "made", ExportSettings(), tmp_path)


def test_annotations_have_no_uncertainty(world: TinyWorld, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--unsure-above is for pairs"):
        export(world.truth, tmp_path / "made", ExportSettings(unsure_above=0.1))


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"test_folds": (0,)}, r"--test-folds is for annotated tiles.*Use --test instead"),
        ({"validation_folds": (1,)}, r"--validation-folds is .*Use --validation instead"),
    ],
)
def test_folds_of_pairs_are_refused(
    choices: dict[str, Any], sentence: str, pairs: Path, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=sentence):
        export(pairs, tmp_path / "made", ExportSettings(**choices))

    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", ["validation", "test"])
def test_parts_of_annotated_images_are_refused(name: str, world: TinyWorld, tmp_path: Path) -> None:
    settings = ExportSettings(**{name: 0.1})  # type: ignore[arg-type]

    with pytest.raises(SettingsError, match=rf"--{name} is for pairs.*Use --{name}-folds instead"):
        export(world.truth, tmp_path / "made", settings)
    with pytest.raises(SettingsError, match=rf"--{name} is for pairs.*keep the splits"):
        export(world.annotations, tmp_path / "made", settings)


def test_folds_of_annotated_samples_are_refused(world: TinyWorld, tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"--test-folds is for annotated tiles.*keep the splits"
    ):
        export(world.annotations, tmp_path / "made", ExportSettings(test_folds=(1,)))


def test_a_dataset_says_with_which_parts_and_folds_it_was_dealt(
    pairs: Path, tmp_path: Path
) -> None:
    export(pairs, tmp_path / "made", ExportSettings())
    before = files_of(tmp_path / "made")

    settings = Artifact.open(tmp_path / "made").manifest.settings
    export(pairs, tmp_path / "made", ExportSettings(validation=0.1, test=0.0))

    assert (settings["validation"], settings["test"]) == (0.1, 0.0)
    assert (settings["validation_folds"], settings["test_folds"]) == ([], [0])
    assert files_of(tmp_path / "made") == before


def test_other_artifacts_cannot_be_exported(world: TinyWorld, tmp_path: Path) -> None:
    with pytest.raises(WrongArtifactError, match="only a pair-set or an annotation-set"):
        export(world.tiles, tmp_path / "made", ExportSettings())


def test_a_pair_set_of_which_nothing_was_kept_is_refused(tmp_path: Path) -> None:
    empty = write_pairs(tmp_path / "pairs", 0)

    with pytest.raises(SettingsError, match="nothing to export"):
        export(empty, tmp_path / "made", ExportSettings())


def test_a_damaged_pair_is_named_and_the_folder_left_free(pairs: Path, tmp_path: Path) -> None:
    shutil.copytree(pairs, tmp_path / "pairs")
    (tmp_path / "pairs" / "labels" / "p0000002.png").write_bytes(b"nothing")

    with pytest.raises(DamagedArtifactError, match=r"p0000002\.png"):
        export(tmp_path / "pairs", tmp_path / "made", ExportSettings())
    made = export(pairs, tmp_path / "made", ExportSettings())

    assert made.facts["images"] == 30


def test_a_class_that_the_class_map_lacks_is_refused(tmp_path: Path) -> None:
    source = write_pairs(tmp_path / "pairs", 2)
    strange = png_of(np.full((SIDE, SIDE), 9, dtype=np.uint8))

    def fill(unfinished: UnfinishedArtifact) -> None:
        for path, data in files_of(source).items():
            if path != "manifest.json":
                unfinished.write(path, strange if path == "labels/p0000001.png" else data)

    made_once(tmp_path / "strange", Order("pair-set", {}, {}), fill)

    with pytest.raises(LabelError, match=r"p0000001 has 64 pixels of class 9"):
        export(tmp_path / "strange", tmp_path / "made", ExportSettings())


@pytest.mark.parametrize("layout", ["nnunet", "coco", "qupath"])
def test_layouts_without_jpeg_say_so(layout: Any) -> None:
    with pytest.raises(SettingsError, match=f"--layout {layout} stores images losslessly"):
        layout_of(ExportSettings(layout=layout, image_format="jpeg"), KIDNEY)


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"validation": 0.6, "test": 0.5}, "more than all pairs"),
        ({"validation": 1.1}, "--validation is 1.1"),
        ({"validation_folds": (0, 1)}, "Fold 0 is in --validation-folds and in --test-folds"),
        ({"shard_size": 0}, "--shard-size is 0"),
        ({"dataset_number": 1000}, "--dataset-number is 1000"),
        ({"limit": 0}, "--limit is 0"),
        ({"unsure_above": -0.1}, "--unsure-above is -0.1"),
    ],
)
def test_choices_that_cannot_work_are_refused(choices: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        ExportSettings(**choices)


def test_the_command_line_exports(
    pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens = ["export", str(pairs), str(tmp_path / "made"), "--layout", "nnunet", "--json"]

    main([*tokens, "--validation", "0.3", "--dataset-number", "7"])

    made = json.loads(capsys.readouterr().out)
    assert (made["kind"], made["images"], made["layout"]) == ("dataset", 30, "nnunet")
    assert (tmp_path / "made" / "Dataset007_SyntheticHistology" / "dataset.json").is_file()


def test_the_code_on_the_page_about_datasets_is_that_of_the_readmes(
    pairs: Path, tmp_path: Path
) -> None:
    on_the_page = python_blocks(DOCUMENT)
    in_readmes = []
    for layout in ("plain", "huggingface", "huggingface-folder", "webdataset", "monai"):
        settings = ExportSettings(layout=layout, limit=3)
        export(pairs, tmp_path / layout, settings)
        in_readmes += python_blocks(tmp_path / layout / "README.md")

    assert len(in_readmes) == 5
    for code in in_readmes:
        assert code.replace('folder = "."', 'folder = "runs/dataset"') in on_the_page


def test_the_commands_on_the_page_about_datasets_are_understood() -> None:
    text = DOCUMENT.read_text().replace("\\\n", " ")
    commands = re.findall(r"^hdgan (export .*)$", text, flags=re.MULTILINE)

    assert len(commands) >= 8
    for command in commands:
        app.parse_args(command, exit_on_error=False, print_error=False)


def test_coco_leaves_out_what_is_background_and_what_is_small(
    world: TinyWorld, tmp_path: Path
) -> None:
    everything = ExportSettings(layout="coco", validation=0.0)
    export(world.pairs, tmp_path / "all", everything)
    fewer = replace(everything, background=("whitespace",), min_area_px=4)
    export(world.pairs, tmp_path / "fewer", fewer)

    found = [
        json.loads((tmp_path / name / "annotations" / "instances_training.json").read_bytes())
        for name in ("all", "fewer")
    ]

    assert [len(each["categories"]) for each in found] == [5, 4]
    assert min(each["area"] for each in found[0]["annotations"]) < 4
    assert min(each["area"] for each in found[1]["annotations"]) >= 4
    with pytest.raises(SettingsError, match="--background names glass, which is no class"):
        export(world.pairs, tmp_path / "no", replace(fewer, background=("glass",)))
