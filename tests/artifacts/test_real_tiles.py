"""The real tiles that a generator has learned from, and how like them a drawing is."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from hdgan.artifacts.arrays import array_bytes, arrays_of
from hdgan.artifacts.encoder_file import EncoderFile
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.images import png_of
from hdgan.artifacts.manifest import MANIFEST
from hdgan.artifacts.real_tiles import LARGEST_REALISM, NUM_HELD_OUT, Likeness, RealTiles
from hdgan.artifacts.tile_set import TileSet
from hdgan.errors import DamagedArtifactError, EncoderError, SettingsError, WrongArtifactError
from hdgan.method.phantom.drawing import draw_phantom
from hdgan.method.tile_crop import all_ways
from hdgan.stages.tile.run import tile
from hdgan.stages.train_generator import train_generator
from tests.artifacts.test_encoder_file import scripted
from tests.tiny_world import SIDE, TILE, TRAIN_GENERATOR

CPU = torch.device("cpu")


class Coarse(nn.Module):
    """The image in 4 x 4 colours: an encoder that tells ways to lay it apart."""

    def forward(self, images: Tensor) -> Tensor:
        return adaptive_avg_pool2d(images, (4, 4)).flatten(1)


ENCODER = EncoderFile(Coarse(), "coarse", "c" * 64)


def learned_in(folder: Path) -> Path:
    """Tiles of twice the generator's side, and a generator that has learned from folds 1 to 4."""
    (folder / "images").mkdir()
    for i in range(20):
        image = draw_phantom(2 * SIDE, "rose", patient=i % 10, seed=i).image
        (folder / "images" / f"patient{i % 10}_{i:03d}.png").write_bytes(png_of(image))
    tile(folder / "images", folder / "tiles", TILE)
    train_generator(folder / "tiles", folder / "generator", replace(TRAIN_GENERATOR, kimg=0.008))
    return folder


def opened(folder: Path, *, generator: str = "generator", most: int = 5000) -> RealTiles:
    tiles = TileSet.open(folder / "tiles")
    return RealTiles(tiles, ENCODER, GeneratorFolder.open(folder / generator), most)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learned_in(tmp_path_factory.mktemp("learned"))


@pytest.fixture(scope="module")
def tiles(folder: Path) -> RealTiles:
    return opened(folder)


@pytest.fixture(scope="module")
def fitted(tiles: RealTiles) -> dict[str, np.ndarray]:
    return tiles.fitted(CPU)


@pytest.fixture(scope="module")
def likeness(tiles: RealTiles, fitted: dict[str, np.ndarray]) -> Likeness:
    return Likeness(tiles, fitted, CPU)


def features(image: np.ndarray) -> np.ndarray:
    """What `Coarse` says, by numpy."""
    quarter = image.reshape(4, len(image) // 4, 4, len(image) // 4, 3).mean(axis=(1, 3))
    return quarter.transpose(2, 0, 1).ravel() / 127.5 - 1.0


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def test_every_tile_that_was_learned_from_is_there_and_no_other(tiles: RealTiles) -> None:
    held = {record.tile for record in tiles.tile_set.records((0,))}

    names = [tiles.tile(number) for number in range(tiles.num_crops)]

    assert set(names) == {record.tile for record in tiles.tile_set.records()} - held
    # Each tile has room for four crops.
    assert all(names.count(name) == 4 for name in names)
    assert (tiles.num_tiles, tiles.num_crops) == (16, 64)


def test_of_many_tiles_only_some_are_looked_at_each_once(folder: Path) -> None:
    some = opened(folder, most=10)

    names = {some.tile(number) for number in range(some.num_crops)}

    assert len(names) == some.num_tiles == some.num_crops == 10


def test_features_are_those_of_the_crops_in_their_order(
    tiles: RealTiles, fitted: dict[str, np.ndarray]
) -> None:
    for number in range(0, tiles.num_crops, 7):
        wanted = features(tiles.learned[number])
        assert fitted["features"][number] == pytest.approx(wanted, abs=1e-5)


def test_a_score_is_what_the_definition_says(tiles: RealTiles, likeness: Likeness) -> None:
    reals = [features(tiles.learned[number]) for number in range(tiles.num_crops)]
    between = np.array([[np.linalg.norm(a - b) for a in reals] for b in reals])
    radii = np.sort(between, axis=1)[:, 3]
    drawing = tiles.unseen[0]

    score = likeness.score(drawing)

    distances = np.array([np.linalg.norm(features(drawing) - real) for real in reals])
    kept = radii <= np.median(radii)
    nearest = int(distances.argmin())
    assert score.realism == pytest.approx((radii[kept] / distances[kept]).max(), rel=1e-4)
    assert score.distance == pytest.approx(distances[nearest], rel=1e-4)
    assert score.nearness == pytest.approx(distances[nearest] / radii[nearest], rel=1e-4)
    assert score.tile == tiles.tile(nearest)


def test_real_tissue_is_more_real_than_noise(tiles: RealTiles, likeness: Likeness) -> None:
    real = [likeness.score(tiles.unseen[number]).realism for number in range(20)]
    drawn = [likeness.score(noise(seed)).realism for seed in range(20)]

    assert min(real) > max(drawn)


def test_a_copy_is_found_and_its_realism_is_plain_json(
    tiles: RealTiles, likeness: Likeness, fitted: dict[str, np.ndarray]
) -> None:
    densest = int(fitted["radii"].argmin())

    score = likeness.score(tiles.learned[densest])

    assert (score.tile, score.distance, score.nearness) == (tiles.tile(densest), 0.0, 0.0)
    assert score.realism == LARGEST_REALISM
    assert json.loads(json.dumps(vars(score), allow_nan=False)) == vars(score)


def test_a_copy_is_found_however_it_is_laid_and_shown_laid_alike(
    tiles: RealTiles, likeness: Likeness
) -> None:
    for way, turned in enumerate(all_ways(tiles.learned[11])):
        found = likeness.nearest(turned)

        assert np.array_equal(found.picture, turned), way
        assert found.tile == tiles.tile(11)
        assert found.distance == pytest.approx(0.0, abs=1e-5)


def test_what_is_stored_scores_alike_in_another_opening(
    folder: Path, likeness: Likeness, fitted: dict[str, np.ndarray]
) -> None:
    stored = arrays_of(array_bytes(fitted), "stored")

    again = Likeness(opened(folder), stored, CPU)

    for seed in range(3):
        assert again.score(noise(seed)) == likeness.score(noise(seed))
    assert again.held_out_median == likeness.held_out_median


def test_what_is_fitted_is_the_same_each_time(folder: Path, fitted: dict[str, np.ndarray]) -> None:
    again = opened(folder).fitted(CPU)

    assert {name: array.tobytes() for name, array in again.items()} == {
        name: array.tobytes() for name, array in fitted.items()
    }


def test_progress_is_told_up_to_the_last_look(folder: Path) -> None:
    told: list[int] = []
    tiles = opened(folder)

    tiles.fitted(CPU, told.append)

    assert told == sorted(told)
    assert told[-1] == tiles.num_looks == tiles.num_crops + NUM_HELD_OUT


def test_held_out_tiles_say_how_near_real_tissue_comes(
    tiles: RealTiles, likeness: Likeness
) -> None:
    found = [likeness.nearest(tiles.unseen[number]) for number in range(NUM_HELD_OUT)]
    scores = [likeness.score(tiles.unseen[number]) for number in range(NUM_HELD_OUT)]

    assert likeness.held_out_median == pytest.approx(
        np.median([each.distance for each in found]), rel=1e-4
    )
    below = np.mean([score.realism < 1.0 for score in scores])
    assert likeness.rejected_held_out(1.0) == pytest.approx(below)
    assert likeness.rejected_held_out(0.0) == 0.0
    held = {record.tile for record in tiles.tile_set.records((0,))}
    assert {tiles.unseen.records[tiles.unseen.tile_of(i)].tile for i in range(9)} == held


def altered(folder: Path, name: str, seen: dict[str, list[int]]) -> None:
    """A copy of the generator that says that it has learned from other folds."""
    shutil.copytree(folder / "generator", folder / name)
    path = folder / name / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | {"seen": seen}))


def test_without_held_out_folds_nobody_knows_how_near_real_tissue_comes(folder: Path) -> None:
    digest = TileSet.open(folder / "tiles").digest
    altered(folder, "all-folds", {digest: [0, 1, 2, 3, 4]})

    tiles = opened(folder, generator="all-folds")
    likeness = Likeness(tiles, tiles.fitted(CPU), CPU)

    assert tiles.num_tiles == 20
    assert likeness.held_out_median is None
    assert likeness.rejected_held_out(1.0) is None


@pytest.mark.parametrize(
    ("seen", "named"), [({"d" * 64: [1]}, "d" * 12), ({}, "tiles that nobody knows")]
)
def test_tiles_that_the_generator_has_not_learned_from_are_refused(
    folder: Path, seen: dict[str, list[int]], named: str
) -> None:
    altered(folder, f"other-{len(seen)}", seen)

    with pytest.raises(WrongArtifactError, match=f"has not learned from .* but from {named};"):
        opened(folder, generator=f"other-{len(seen)}")


def test_too_few_tiles_are_refused(folder: Path) -> None:
    assert opened(folder, most=4).num_crops == 4

    with pytest.raises(SettingsError, match=r"gives 3 crops .* needs 4 at least"):
        opened(folder, most=3)


def test_an_encoder_that_is_not_there_is_named(folder: Path) -> None:
    generator = GeneratorFolder.open(folder / "generator")

    with pytest.raises(EncoderError, match=r"There is no encoder .*nowhere\.npz"):
        RealTiles.open(folder / "tiles", folder / "nowhere.npz", generator)


def test_an_encoder_is_opened_by_its_path_and_becomes_a_parent(
    folder: Path, likeness: Likeness
) -> None:
    path = scripted(Coarse(), folder / "coarse.pt")
    generator = GeneratorFolder.open(folder / "generator")

    tiles = RealTiles.open(folder / "tiles", path, generator, trusted=True)

    assert tiles.parents == {
        "tile-set": TileSet.open(folder / "tiles").digest,
        "encoder": tiles.encoder.digest,
    }
    score = Likeness(tiles, tiles.fitted(CPU), CPU).score(noise(0))
    # Encoders that are programs are given images of a size of their own.
    assert score.realism == pytest.approx(likeness.score(noise(0)).realism, rel=0.02)


def test_numbers_of_other_tiles_are_refused(folder: Path, fitted: dict[str, np.ndarray]) -> None:
    with pytest.raises(DamagedArtifactError, match=r"has 64 crops, but .* gives 10"):
        Likeness(opened(folder, most=10), fitted, CPU)
