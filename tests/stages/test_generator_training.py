"""What `train-generator` offers besides the method: several processes, stains, caches, watching."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hdgan.artifacts.decoded import DecodedOnDisk, place_for
from hdgan.artifacts.generator import PROGRESS, WATCH, WEIGHTS, GeneratorFolder
from hdgan.artifacts.manifest import UNFINISHED
from hdgan.artifacts.real_images import Crop, RealImages, decoded_tiles
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.unfinished import CHECKPOINT
from hdgan.errors import SettingsError
from hdgan.method.generator_watch import Watched
from hdgan.method.stylegan.presets import planned
from hdgan.method.stylegan.training import new_state
from hdgan.settings.train_generator import TrainGeneratorSettings
from hdgan.stages.sample import sample
from hdgan.stages.synthesize.run import synthesize
from hdgan.stages.tile.run import tile
from hdgan.stages.train_generator import train_generator
from tests.tiny_world import SAMPLE, SYNTHESIZE, TILE, TRAIN_GENERATOR, TinyWorld

TOKENS = [
    *["--resolution", "16", "--kimg", "0.256", "--preset", "small", "--batch", "8"],
    *["--channel-base", "128", "--channel-max", "8", "--latent-dim", "8", "--threads", "1"],
    *["--learning-rate", "0.005", "--style-mixing", "0.9", "--noise", "--snapshot-kimg", "0.1"],
]
"""As TRAIN_GENERATOR has it."""


ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}


def torchrun_command(*program: object) -> list[str]:
    """A program in two processes."""
    return [
        *[sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"],
        *["--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0"],
        *map(str, program),
    ]


def torchrun(*tokens: object) -> subprocess.CompletedProcess[str]:
    """`hdgan train-generator` in two processes."""
    return subprocess.run(
        torchrun_command("-m", "hdgan", "train-generator", *tokens),
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )


def difference(generator: Path, other: Path) -> float:
    """How far apart two generators are, as a part of how far either went in its training.

    Rounding alone makes some: Adam enlarges it (tests/method/stylegan/test_processes.py compares
    in double precision).
    """
    one, two = (
        torch.cat(
            [value.flatten() for value in GeneratorFolder.open(folder).generator().parameters()]
        )
        for folder in (generator, other)
    )
    folder = GeneratorFolder.open(generator)
    shape, plan = planned(TRAIN_GENERATOR)
    assert shape == folder.shape
    fresh = new_state(shape, plan, torch.device("cpu")).average
    start = torch.cat([value.flatten() for value in fresh.parameters()])
    return float((one - two).norm() / (one - start).norm())


def test_two_processes_make_the_generator_that_one_makes(world: TinyWorld, tmp_path: Path) -> None:
    result = torchrun(world.tiles, tmp_path / "two", *TOKENS)

    assert result.returncode == 0, result.stderr
    assert result.stdout.count("generator in") == 1
    assert difference(world.generator, tmp_path / "two") < 0.01
    assert not (tmp_path / "two" / UNFINISHED).exists()

    again = torchrun(world.tiles, tmp_path / "two", *TOKENS)
    assert again.returncode == 0, again.stderr


OFTEN = """
import dataclasses, sys
from hdgan.stages import train_generator
train_generator.CHECKPOINT_SECONDS = 0.0
planned = train_generator.planned
def with_short_ticks(*arguments, **keywords):
    shape, plan = planned(*arguments, **keywords)
    return shape, dataclasses.replace(plan, tick_batches=4)
train_generator.planned = with_short_ticks
from hdgan.cli import main
main(sys.argv[1:])
"""


def test_when_one_process_dies_the_others_stop_and_the_run_goes_on_when_begun_again(
    world: TinyWorld, tmp_path: Path
) -> None:
    (tmp_path / "often.py").write_text(OFTEN)
    program, output = tmp_path / "often.py", tmp_path / "killed"
    tokens = ["1" if token == "0.256" else token for token in TOKENS]
    order = ["train-generator", world.tiles, *tokens]
    checkpoint = output / UNFINISHED / CHECKPOINT

    with subprocess.Popen(
        torchrun_command(program, *order, output), env=ENVIRONMENT, stderr=subprocess.PIPE
    ) as run:
        while not checkpoint.is_file() and run.poll() is None:
            time.sleep(0.05)
        members = subprocess.run(
            ["pgrep", "-P", str(run.pid), "-f", "often.py"], capture_output=True, text=True
        )
        os.kill(int(members.stdout.split()[-1]), signal.SIGKILL)
        run.communicate()
    assert run.returncode != 0
    assert checkpoint.is_file()

    again = subprocess.run(
        torchrun_command(program, *order, output), env=ENVIRONMENT, capture_output=True, text=True
    )
    whole = subprocess.run(
        torchrun_command(program, *order, tmp_path / "whole"), env=ENVIRONMENT, check=True
    )

    assert again.returncode == 0, again.stderr
    assert "goes on after" in again.stderr
    assert whole.returncode == 0
    for name in (WEIGHTS, PROGRESS, WATCH):
        assert (output / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_a_batch_that_cannot_be_dealt_to_the_processes_is_refused(
    world: TinyWorld, tmp_path: Path
) -> None:
    result = torchrun(world.tiles, tmp_path / "two", *TOKENS, "--micro-batch", "3")

    assert result.returncode != 0
    assert "--micro-batch is 3, but each process has 4 images of a batch of 8." in result.stderr
    assert not (tmp_path / "two").exists()


def two_stains(world: TinyWorld, folder: Path) -> Path:
    """The world's tiles, those of odd patients in one stain and the others in another."""
    images = folder / "images"
    images.mkdir()
    for path in sorted((world.folder / "drawn" / "images").iterdir()):
        patient = int(path.name.removeprefix("patient").split("_")[0])
        stain = "PAS" if patient % 2 else "silver"
        (images / f"{path.stem}_{stain}.png").write_bytes(path.read_bytes())
    tile(images, folder / "tiles", replace(TILE, stain_pattern="_(PAS|silver)$"))
    return folder / "tiles"


def test_a_generator_learns_the_stains_of_its_tiles(world: TinyWorld, tmp_path: Path) -> None:
    tiles = two_stains(world, tmp_path)

    made = train_generator(
        tiles, tmp_path / "generator", replace(TRAIN_GENERATOR, condition="stain")
    )

    assert made.facts["stains"] == "PAS silver"
    assert GeneratorFolder.open(tmp_path / "generator").shape.stains == ("PAS", "silver")


def test_samples_and_pairs_are_drawn_in_the_stain_that_is_asked_for(
    world: TinyWorld, tmp_path: Path
) -> None:
    generator = tmp_path / "generator"
    told = replace(TRAIN_GENERATOR, condition="stain", kimg=0.008)
    train_generator(two_stains(world, tmp_path), generator, told)

    sample(generator, tmp_path / "any", SAMPLE)
    sample(generator, tmp_path / "silver", replace(SAMPLE, stain="silver"))

    any_, silver = SampleSet.open(tmp_path / "any"), SampleSet.open(tmp_path / "silver")
    assert {record.stain for record in any_.records()} == {"PAS", "silver"}
    assert {record.stain for record in silver.records()} == {"silver"}
    for record, other in zip(any_.records(), silver.records(), strict=True):
        assert np.array_equal(any_.latents()[record.row], silver.latents()[record.row]) == (
            record.stain == other.stain
        )
    with pytest.raises(SettingsError, match="the stain 'PSA': it knows PAS, silver"):
        sample(generator, tmp_path / "other", replace(SAMPLE, stain="PSA"))
    with pytest.raises(SettingsError, match="the stain 'PAS': it is told no stain"):
        synthesize(world.classifier, tmp_path / "pairs", replace(SYNTHESIZE, stain="PAS"))
    assert not (tmp_path / "other").exists()


def test_each_image_comes_with_its_own_tiles_stain(world: TinyWorld, tmp_path: Path) -> None:
    tile_set = TileSet.open(two_stains(world, tmp_path))
    records = tile_set.records((1, 2))
    tiles = decoded_tiles(tile_set, records, "memory", tmp_path)
    reals = RealImages(tile_set, records, Crop(16, orientation="as-is"), 0, tiles)
    reals.tell(("PAS", "silver"))

    images, stains = reals.batch(range(2 * len(records)), torch.device("cpu"))

    assert stains is not None
    stain_of = {tile_set.image(record).tobytes(): record.stain for record in records}
    for image, stain in zip(images, stains.tolist(), strict=True):
        pixels = ((image.permute(1, 2, 0) + 1) * 127.5).round().byte().contiguous().numpy()
        assert stain_of[pixels.tobytes()] == ("PAS", "silver")[stain]


def test_tiles_without_stains_cannot_tell_one(world: TinyWorld, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="has no stain, which --condition stain needs"):
        train_generator(
            world.tiles, tmp_path / "generator", replace(TRAIN_GENERATOR, condition="stain")
        )
    assert not (tmp_path / "generator").exists()


def test_one_stain_is_nothing_to_tell(world: TinyWorld, tmp_path: Path) -> None:
    tile(world.folder / "drawn" / "images", tmp_path / "tiles", replace(TILE, stain="PAS"))

    with pytest.raises(SettingsError, match=r"have the stain 'PAS'; .* at least two"):
        train_generator(
            tmp_path / "tiles", tmp_path / "generator", replace(TRAIN_GENERATOR, condition="stain")
        )


@pytest.mark.parametrize("change", [{"cache": "disk"}, {"cache": "none"}, {"micro_batch": 4}])
def test_what_saves_memory_changes_nothing(
    world: TinyWorld, tmp_path: Path, change: dict[str, str | int]
) -> None:
    settings = TrainGeneratorSettings(**vars(TRAIN_GENERATOR) | change)

    train_generator(world.tiles, tmp_path / "generator", settings)

    assert difference(world.generator, tmp_path / "generator") < 0.01
    assert not (tmp_path / "generator" / UNFINISHED).exists()


def test_a_tile_on_disk_is_decoded_once(world: TinyWorld, tmp_path: Path) -> None:
    tile_set = TileSet.open(world.tiles)
    records, asked = tile_set.records(), []

    def read(number: int) -> np.ndarray:
        asked.append(number)
        return tile_set.image(records[number])

    for _ in range(2):  # the second time as another process
        tiles = DecodedOnDisk(read, tmp_path)
        for number in (3, 5, 3):
            assert np.array_equal(tiles[number], tile_set.image(records[number]))
    assert asked == [3, 5]
    assert isinstance(tiles[3], np.memmap)


def test_tiles_are_kept_where_they_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = 100 * 2**30
    monkeypatch.setattr(
        "hdgan.artifacts.decoded.shutil.disk_usage",
        lambda _: type("Usage", (), {"free": free})(),
    )

    assert place_for("auto", 2**30, tmp_path / "not" / "there") == "memory"
    assert place_for("auto", 50 * 2**30, tmp_path / "not" / "there") == "disk"
    assert place_for("auto", 99 * 2**30, tmp_path) == "none"
    assert place_for("memory", 99 * 2**30, tmp_path) == "memory"


def test_a_training_is_watched_at_each_snapshot(world: TinyWorld) -> None:
    folder = GeneratorFolder.open(world.generator)

    looks = [json.loads(line) for line in folder.read(WATCH).splitlines()]

    assert [look["images"] for look in looks] == [256]
    assert 0 <= looks[0]["recall"] <= 1
    assert 0 <= looks[0]["precision"] <= 1
    assert looks[0]["nearness"] > 0


def test_signs_of_trouble_are_said_while_training(
    world: TinyWorld,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(
        "hdgan.report.generator_watch.watched",
        lambda images, *_: Watched(images, 0.5, 0.9, 0.2, 0.3),
    )

    train_generator(world.tiles, tmp_path / "generator", TRAIN_GENERATOR)

    said = capsys.readouterr().err
    assert re.search(r"^train-generator: warning: drawings are 0.20 times as far", said, re.M)


def test_curves_and_pictures_are_written_for_tensorboard(world: TinyWorld, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train_generator(world.tiles, tmp_path / "generator", replace(TRAIN_GENERATOR, tensorboard=True))

    events = EventAccumulator(str(tmp_path / "generator" / "events"))
    events.Reload()
    ticks = GeneratorFolder.open(tmp_path / "generator").progress()
    written = events.Scalars("training/discriminator_loss")
    assert [event.step for event in written] == [tick.images for tick in ticks]
    assert [event.value for event in written] == pytest.approx(
        [tick.discriminator_loss for tick in ticks]
    )
    assert events.Scalars("watch/recall")
    assert events.Images("drawings")
    assert (tmp_path / "generator" / PROGRESS).is_file()
