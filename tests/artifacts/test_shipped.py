"""Generators that come with the package."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from hdgan.artifacts import shipped
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.shipped_generator import ShippedGenerator, words_about
from hdgan.cli import main
from hdgan.errors import MissingArtifactError
from hdgan.settings.sample import SampleSettings
from hdgan.settings.synthesize import SynthesizeSettings
from hdgan.stages.sample import sample
from hdgan.stages.synthesize.run import synthesize
from tests.tiny_world import TinyWorld, write_encoder


@pytest.fixture
def kidney(world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that comes with the generator `kidney`, and an empty folder to work in."""
    monkeypatch.setattr(shipped, "SHIPPED", tmp_path / "package" / "shipped")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return Path(shutil.copytree(world.generator, shipped.SHIPPED / "kidney"))


def test_a_name_is_understood_where_no_such_path_is(kidney: Path, world: TinyWorld) -> None:
    sample(Path("kidney"), Path("samples"), SampleSettings(num_samples=2, select=0))

    drawn, same = SampleSet.open(Path("samples")), SampleSet.open(world.samples)
    assert np.array_equal(drawn.image(drawn.records()[1]), same.image(same.records()[1]))


@pytest.mark.usefixtures("kidney")
def test_a_path_comes_before_a_name() -> None:
    Path("kidney").mkdir()

    with pytest.raises(MissingArtifactError, match="kidney was not made by hdgan"):
        GeneratorFolder.open(Path("kidney"))


@pytest.mark.usefixtures("kidney")
def test_a_wrong_name_is_told_the_right_ones(tmp_path: Path) -> None:
    (tmp_path / "package" / "shipped" / "half").mkdir()

    with pytest.raises(MissingArtifactError, match=r"no folder kidny, and .* called kidney\. "):
        GeneratorFolder.open(Path("kidny"))


@pytest.mark.usefixtures("kidney")
def test_a_path_that_is_not_there_is_told_as_ever() -> None:
    with pytest.raises(MissingArtifactError, match=r"There is no folder runs/kidney\. Check"):
        GeneratorFolder.open(Path("runs/kidney"))


@pytest.mark.usefixtures("kidney")
def test_what_was_made_from_a_shipped_generator_finds_it_again(
    world: TinyWorld, tmp_path: Path
) -> None:
    alone = tmp_path / "work" / "classifier"
    shutil.copytree(world.classifier, alone)

    synthesize(alone, tmp_path / "work" / "pairs", SynthesizeSettings(num_pairs=1))

    assert (tmp_path / "work" / "pairs" / "manifest.json").is_file()


def test_a_shipped_generator_can_be_shown(kidney: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["show", "kidney"])

    assert capsys.readouterr().out.startswith(f"generator in {kidney}\n")


@pytest.mark.usefixtures("with_kidney")
def test_a_name_is_understood_wherever_a_generator_is_read(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_encoder(tmp_path / "squeezenet.npz")
    tiles = str(world.tiles)

    main(["sample", "kidney", "samples", "--seeds", "3", "--select", "0"])
    main(["export-generator", "kidney", "network.safetensors"])
    main(["score-generator", "kidney", tiles, "squeezenet.npz", "quality", "--num-images", "20"])
    main(
        f"train-generator {tiles} next --start-from kidney --resolution 16 --kimg 0.004 "
        "--preset small --batch 4".split()
    )

    digest = GeneratorFolder.open(Path("kidney")).digest
    for name in ("samples", "quality", "next"):
        assert Artifact.open(tmp_path / name).manifest.parents["generator"] == digest
    assert (tmp_path / "network.safetensors").is_file()


def test_only_a_generator_that_comes_along_has_words(
    world: TinyWorld, shipped_kidney: Path
) -> None:
    words = words_about(GeneratorFolder.open(shipped_kidney))

    assert words is not None
    assert words == ShippedGenerator.open(shipped_kidney).about.words
    assert words_about(GeneratorFolder.open(world.generator)) is None
