"""recipes/ship_generator.py: what is shipped of a generator, and what its card says."""

import re
import subprocess
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recipes.ship_generator import Sources, commands, main, sources_of
from recipes.ship_generator import trainings as trainings_of
from safetensors.numpy import load_file

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.image_quality import ImageQualityFolder
from hdgan.artifacts.images import grey_of
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.shipped_generator import ShippedGenerator
from hdgan.artifacts.tile_set import TileSet
from hdgan.errors import InputError
from hdgan.method.latent import image_of, w_of
from hdgan.report.generator_card import words_of
from hdgan.settings.sample import SampleSettings
from hdgan.stages.sample import sample
from tests.tiny_world import CARD, SAMPLE, TinyWorld

ROOT = Path(__file__).resolve().parents[1]


def card_of(shipped: Path) -> str:
    return (shipped / "card.md").read_text()


def row_of(card: str, name: str) -> list[str]:
    """The cells after the first of the table row that begins with `name`."""
    (row,) = re.findall(rf"^\| {re.escape(name)} \|(.*)\|$", card, flags=re.MULTILINE)
    return [cell.strip() for cell in row.split(" | ")]


def numbers_in(text: str) -> list[float]:
    return [float(found.replace(",", "")) for found in re.findall(r"-?\d[\d,]*\.?\d*", text)]


def test_weights_are_shipped_in_half_precision_and_nothing_else_is(
    world: TinyWorld, shipped_kidney: Path
) -> None:
    shipped = GeneratorFolder.open(shipped_kidney)
    shipped.check_files()

    assert {str(a.dtype) for a in load_file(shipped_kidney / "generator.safetensors").values()} == {
        "float16"
    }
    assert not [name for name in shipped.manifest.files if "discriminator" in name]
    assert not [name for name in shipped.manifest.files if "snapshots" in name]
    full = GeneratorFolder.open(world.generator).generator().state_dict()
    for name, tensor in shipped.generator().state_dict().items():
        assert tensor.dtype == full[name].dtype
        assert np.allclose(tensor.numpy(), full[name].numpy(), rtol=1e-3, atol=1e-4)


def test_a_shipped_generator_has_seen_what_the_whole_one_has(
    world: TinyWorld, shipped_kidney: Path
) -> None:
    shipped, full = Artifact.open(shipped_kidney), Artifact.open(world.generator)

    assert shipped.manifest.seen == full.manifest.seen
    assert shipped.manifest.parents["generator"] == full.digest


def test_annotated_drawings_can_be_drawn_again(
    world: TinyWorld, shipped_kidney: Path, tmp_path: Path
) -> None:
    shipped, annotations = (
        ShippedGenerator.open(shipped_kidney),
        AnnotationSet.open(world.annotations),
    )
    seeds = tuple(drawing.seed for drawing in shipped.annotated())

    sample(shipped_kidney, tmp_path, SampleSettings(**shipped.about.drawn_with, seeds=seeds))

    drawn, before = SampleSet.open(tmp_path), SampleSet.open(world.samples)
    by_name = {record.sample: record for record in before.records()}
    assert [record.sample for record in drawn.records()] == sorted(
        record.image for record in annotations.records()
    )
    for record in drawn.records():
        difference = drawn.image(record).astype(int) - before.image(by_name[record.sample])
        assert np.abs(difference).max() <= shipped.about.half_precision.largest_difference


def test_label_maps_are_those_of_the_expert(world: TinyWorld, shipped_kidney: Path) -> None:
    shipped, annotations = (
        ShippedGenerator.open(shipped_kidney),
        AnnotationSet.open(world.annotations),
    )

    for record in annotations.records():
        path = shipped.labels_folder() / f"{record.image}.png"
        assert np.array_equal(grey_of(path.read_bytes(), path.name), annotations.labels(record))
    assert shipped.class_map == annotations.class_map
    assert len(shipped.annotated()) == len(annotations.records())


def test_the_card_has_the_scores_of_the_artifact(shipped_kidney: Path) -> None:
    card, quality = card_of(shipped_kidney), ShippedGenerator.open(shipped_kidney).quality

    assert quality.floor is not None
    assert quality.kid_ratio is not None
    for name, value in quality.scores.items():
        drawn, floor, definition = row_of(card, name.replace("_", " "))
        assert float(drawn) == pytest.approx(value, rel=1e-3)
        assert float(floor) == pytest.approx(quality.floor[name], rel=1e-3)
        assert definition == quality.definitions[name]
    kid, spread = numbers_in(row_of(card, "KID")[0])
    assert kid == pytest.approx(quality.scores["kid"], rel=1e-3)
    assert spread == pytest.approx(quality.scores["kid_deviation"], rel=1e-3)
    ratio = numbers_in(row_of(card, "KID / noise floor")[0])[0]
    assert ratio == pytest.approx(quality.kid_ratio, rel=1e-3)
    assert quality.encoder_digest in card


def test_the_card_says_how_near_the_nearest_training_crops_are(shipped_kidney: Path) -> None:
    card, nearest = card_of(shipped_kidney), ShippedGenerator.open(shipped_kidney).quality.nearest

    said = [
        float(re.findall(rf"^- {name}.* crop ([\d.]+)$", card, flags=re.MULTILINE)[0])
        for name in ("drawings", "held-out crops")
    ]
    (ratio,) = re.findall(r"^- ratio: ([\d.]+);", card, flags=re.MULTILINE)
    assert said == pytest.approx([nearest["drawings"], nearest["held-out crops"]], rel=1e-3)
    assert float(ratio) == pytest.approx(nearest["drawings"] / nearest["held-out crops"], rel=1e-3)


def test_the_card_counts_what_the_generator_was_trained_on(
    world: TinyWorld, shipped_kidney: Path
) -> None:
    card = card_of(shipped_kidney)
    tiles, full = TileSet.open(world.tiles), GeneratorFolder.open(world.generator)
    seen, kept = tiles.records((1, 2, 3, 4)), tiles.records((0,))

    assert numbers_in(row_of(card, "trained on")[0]) == [
        len(seen),
        len({record.slide for record in seen}),
        len({record.patient for record in seen}),
    ]
    (held_out,) = re.findall(r"^(\d+ images of \d+ patients) were held out", card, re.MULTILINE)
    assert numbers_in(held_out) == [
        len({record.slide for record in kept}),
        len({record.patient for record in kept}),
    ]
    shown = full.progress()[-1].images
    assert numbers_in(row_of(card, "images shown")[0]) == [shown]
    assert numbers_in(row_of(card, "1")[1]) == [shown]
    assert full.digest in card
    parameters = sum(tensor.numel() for tensor in full.generator().state_dict().values())
    assert numbers_in(row_of(card, "weights")[0]) == [parameters]


def test_the_card_says_what_half_precision_changes(world: TinyWorld, shipped_kidney: Path) -> None:
    shipped, full = ShippedGenerator.open(shipped_kidney), GeneratorFolder.open(world.generator)
    networks = shipped.generator(), full.generator()
    seeds = [drawing.seed for drawing in shipped.annotated()]

    images = [
        np.stack([image_of(network, w_of(network, seed, SAMPLE.truncation)) for seed in seeds])
        for network in networks
    ]

    largest = int(np.abs(images[0].astype(int) - images[1]).max())
    assert f"at most {largest} of 255 grey levels" in card_of(shipped_kidney)
    assert f"On {len(seeds)} drawings" in card_of(shipped_kidney)


def test_the_card_has_the_commands_with_their_choices(shipped_kidney: Path) -> None:
    from hdgan.cli import app

    (block,) = re.findall(r"```sh\n(.*?)```", card_of(shipped_kidney), flags=re.DOTALL)
    commands = block.splitlines()

    assert [command.split()[1] for command in commands] == [
        "tile",
        "train-generator",
        "score-generator",
        "sample",
        "import-annotations",
    ]
    assert "--channel-base 128" in commands[1]
    assert "--no-snapshots" in commands[2]
    for command in commands:
        app.parse_args(command.removeprefix("hdgan "), exit_on_error=False, print_error=False)


def sources_beside(world: TinyWorld, shipped: Path) -> Sources:
    """What the world's generator was shipped from."""
    work = shipped.parents[1]
    places = {"quality": work / "quality", "text": work / "card.md", "samples": None, "tiles": None}
    return sources_of(Namespace(generator=world.generator, annotations=world.annotations, **places))


def test_a_start_that_learned_from_other_tiles_says_so(
    world: TinyWorld, shipped_kidney: Path
) -> None:
    sources = sources_beside(world, shipped_kidney)
    start = GeneratorFolder.open(world.generator)
    start.manifest.parents["tile-set"] = "another"

    lines = commands(replace(sources, starts=[start]))

    own, folder = sources.tiles.folder.name, world.generator.name
    trainings = [line for line in lines if line.startswith("hdgan train-generator")]
    assert [line.split()[2] for line in trainings] == [f"tiles-of-{folder}", own]
    about = ShippedGenerator.open(shipped_kidney).about
    both = about.model_copy(update={"trainings": trainings_of(replace(sources, starts=[start]))})
    shown = about.images_shown(elsewhere=False)
    assert shown > 0
    assert (both.images_shown(elsewhere=False), both.images_shown(elsewhere=True)) == (shown, shown)


def test_a_start_that_was_shipped_tells_what_came_before(
    world: TinyWorld, shipped_kidney: Path
) -> None:
    sources = sources_beside(world, shipped_kidney)
    start = GeneratorFolder.open(shipped_kidney)
    after = replace(sources, starts=[start])

    lines = [line for line in commands(after) if line.startswith("hdgan train-generator")]

    assert [line.split()[3] for line in lines] == [shipped_kidney.name, world.generator.name]
    assert lines[1].endswith(f"--start-from {shipped_kidney.name}")
    (before,) = ShippedGenerator.open(shipped_kidney).about.trainings
    assert trainings_of(after) == [before, *trainings_of(sources)]


def test_shipping_again_changes_nothing(
    world: TinyWorld, shipped_kidney: Path, tmp_path: Path
) -> None:
    work = shipped_kidney.parents[1]
    places = [world.generator, work / "quality", world.annotations, work / "card.md"]
    before = (shipped_kidney / "manifest.json").read_bytes()

    main([str(place) for place in [*places, shipped_kidney]])
    main([str(place) for place in [*places, tmp_path / "kidney"]])

    assert (shipped_kidney / "manifest.json").read_bytes() == before
    assert (tmp_path / "kidney" / "manifest.json").read_bytes() == before


def refused(capsys: pytest.CaptureFixture[str], *places: Path) -> str:
    with pytest.raises(SystemExit) as stopped:
        main([str(place) for place in places])
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_scores_of_another_generator_are_refused(
    world: TinyWorld, shipped_kidney: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = shipped_kidney.parents[1]

    line = refused(
        capsys,
        shipped_kidney,
        work / "quality",
        world.annotations,
        work / "card.md",
        tmp_path / "out",
    )

    assert f"{work / 'quality'} was not made from {shipped_kidney}" in line
    assert not (tmp_path / "out").exists()


def test_scores_without_a_picture_are_refused(
    world: TinyWorld, shipped_kidney: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from hdgan.settings.score_generator import ScoreGeneratorSettings
    from hdgan.stages.score_generator import score_generator

    work = shipped_kidney.parents[1]
    bare = ScoreGeneratorSettings(num_images=20, num_nearest=0, snapshots=False)
    score_generator(
        world.generator, world.tiles, work / "squeezenet.npz", tmp_path / "quality", bare
    )
    places = (world.generator, tmp_path / "quality", world.annotations, work / "card.md")

    line = refused(capsys, *places, tmp_path / "out")

    assert "has no picture of the closest drawings" in line
    assert ImageQualityFolder.open(tmp_path / "quality").text.num_images == 20


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("## Licence\n\nApache-2.0.\n", "", "nothing under licence"),
        ("- It is tiny.", "<!-- later -->", "nothing under limits"),
        ("## Use", "## Usage", "has a chapter 'Usage'"),
        ("# Phantom kidney\n", "", "nothing under"),
    ],
)
def test_a_text_that_leaves_something_out_is_refused(before: str, after: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        words_of(CARD.replace(before, after), "card.md")


def test_no_large_file_is_in_the_repository() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no git repository")
    sizes = {name: (ROOT / name).stat().st_size for name in listed.stdout.split("\0") if name}
    assert not [name for name, size in sizes.items() if size > 5_000_000]


def test_the_shipped_generators_are_whole_and_small() -> None:
    shipped = ROOT / "src" / "hdgan" / "shipped"
    folders = [manifest.parent for manifest in shipped.glob("*/manifest.json")]
    for folder in folders:
        generator = ShippedGenerator.open(folder)
        generator.check_files()
        assert (folder / "closest.png").stat().st_size < 1_000_000
        assert generator.about.label_maps == len(generator.annotated())

    sizes = [path.stat().st_size for path in shipped.rglob("*") if path.is_file()]
    assert sum(sizes) < 40_000_000
