"""recipes/draw_phantoms.py, read_phantoms.py and phantom_small.sh."""

import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from recipes.draw_phantoms import main as draw_phantoms
from recipes.read_phantoms import main as read_phantoms

from hdgan.artifacts.images import rgb_of
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.tile_set import TileSet
from hdgan.method.phantom.drawing import draw_phantom
from hdgan.method.phantom.oracle import read_labels
from hdgan.settings.tile import TileSettings, TileSources
from hdgan.stages.tile.run import tile
from tests.tiny_world import TinyWorld

ROOT = Path(__file__).resolve().parents[1]


def pixels(path: Path) -> np.ndarray:
    return rgb_of(path.read_bytes(), path.name)


def test_tiles_are_what_the_method_draws(tmp_path: Path) -> None:
    draw_phantoms([str(tmp_path), "30", "32"])

    name = "patient03_00028.png"
    drawn = draw_phantom(32, "rose", patient=3, seed=28, coding="context")
    assert np.array_equal(pixels(tmp_path / "images" / name), drawn.image)
    assert len(list((tmp_path / "images").iterdir())) == 30
    assert len(list((tmp_path / "labels").iterdir())) == 30


def test_the_table_tells_hdgan_tile_patients_stains_and_centres(tmp_path: Path) -> None:
    options = ["--stains", "rose", "azure", "--centres", "home", "dusk", "--patients", "8"]
    draw_phantoms([str(tmp_path / "drawn"), "16", "32", *options])

    sources = TileSources(table=tmp_path / "drawn" / "slides.csv")
    tile(tmp_path / "drawn" / "images", tmp_path / "tiles", TileSettings(), sources)

    records = TileSet.open(tmp_path / "tiles").records()
    looks = {record.patient: (record.stain, record.centre) for record in records}
    assert len(looks) == 8
    assert Counter(looks.values()) == {
        (stain, centre): 2 for stain in ("rose", "azure") for centre in ("home", "dusk")
    }


def test_tiles_of_another_seed_are_others_of_the_same_patients(tmp_path: Path) -> None:
    for seed in ("0", "1"):
        draw_phantoms([str(tmp_path / seed), "3", "32", "--patients", "3", "--seed", seed])

    first, second = (sorted((tmp_path / seed / "images").iterdir()) for seed in ("0", "1"))
    assert [path.name for path in first] == [path.name for path in second]
    for one, other in zip(first, second, strict=True):
        assert not np.array_equal(pixels(one), pixels(other))


def test_the_rule_labels_every_sample_once_it_has_qualified(
    world: TinyWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read_phantoms([str(world.samples), str(tmp_path), "--coding", "colour", "--stains", "rose"])

    samples = SampleSet.open(world.samples)
    for record in samples.records():
        labels = pixels(tmp_path / f"{record.sample}.png")
        expected = read_labels(samples.image(record), "colour", ["rose"])
        assert np.array_equal(labels[..., 0], expected)
    assert "generated tiles" in capsys.readouterr().out


def test_a_rule_that_does_not_qualify_labels_nothing(world: TinyWorld, tmp_path: Path) -> None:
    # At 16 pixels an arteriole is one pixel, and its shape tells nothing.
    with pytest.raises(SystemExit, match="does not qualify"):
        read_phantoms([str(world.samples), str(tmp_path / "read")])

    assert not (tmp_path / "read").exists()


def test_the_small_recipe_without_its_data_says_so_in_one_line(tmp_path: Path) -> None:
    result = subprocess.run(
        ["bash", str(ROOT / "recipes" / "phantom_small.sh"), str(tmp_path / "out")],
        env={"PATH": "/usr/bin:/bin", "HDGAN_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "Set HDGAN_DATA" in result.stderr
