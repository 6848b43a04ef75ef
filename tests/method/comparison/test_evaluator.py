"""The evaluator itself is tested: on drawn tissue, by arms whose worth is known.

The learner is the cheapest that learns: a table of the class that each colour and darkness of the
neighbourhood has most often among the labelled pixels it was shown. What it predicts goes the
way of every arm: confusion matrices, Dice pooled in patients, paired interval, verdict.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from hdgan.artifacts.tile_set import refuse_leak
from hdgan.errors import LeakError
from hdgan.folds import dealt_to_folds
from hdgan.method.comparison.difference import PairedDifference, paired_difference, verdict_of
from hdgan.method.comparison.patient_scores import patient_dice
from hdgan.method.metrics import confusion_matrix
from hdgan.method.phantom.drawing import draw_phantom

SIDE, CLASSES, NUM_PATIENTS, TILES_A_PATIENT, NUM_LABELS = 32, 5, 30, 2, 10

NUM_LEVELS = 6
"""Levels of each of the four numbers that a pixel is described by."""


@dataclass(frozen=True)
class World:
    """Tiles as the learner sees them, their truth and whose they are."""

    seen: np.ndarray
    """What each pixel looks like, as one number: `[tiles, height, width]`."""

    truth: np.ndarray
    """`[tiles, height, width]`."""

    patients: np.ndarray
    """`[tiles]`."""


def appearance(image: np.ndarray) -> np.ndarray:
    """Colour and darkness of the neighbourhood, in levels, as one number a pixel."""
    around = ndimage.uniform_filter(image.mean(axis=-1), 9)[..., None]
    levels = (np.concatenate([image, around], axis=-1) / 256 * NUM_LEVELS).astype(np.int64)
    return levels @ NUM_LEVELS ** np.arange(4)


@cache
def world() -> World:
    """Drawn tissue whose classes colour alone does not tell."""
    patients = np.repeat(np.arange(NUM_PATIENTS), TILES_A_PATIENT)
    tiles = [
        draw_phantom(SIDE, "rose", patient=int(patient), seed=seed, coding="context")
        for seed, patient in enumerate(patients)
    ]
    return World(
        np.stack([appearance(tile.image) for tile in tiles]),
        np.stack([tile.labels for tile in tiles]),
        patients,
    )


def learned(seen: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """The class of each appearance, from a part of the pixels that the seed chooses."""
    random = np.random.default_rng(seed)
    shown = random.random(labels.shape) < 0.3
    votes = np.zeros((NUM_LEVELS**4, CLASSES))
    np.add.at(votes, (seen[shown], labels[shown].astype(np.int64)), 1)
    votes += 1e-3 * votes.sum(axis=0)
    return votes.argmax(axis=1).astype(np.uint8)


Teaching = Callable[[World, np.ndarray, int], np.ndarray]
"""What an arm makes of a world's labelled tiles, with a seed: the class of each appearance."""


def taught_well(world: World, labelled: np.ndarray, seed: int) -> np.ndarray:
    return learned(world.seen[labelled], world.truth[labelled], seed)


def taught_shuffled_maps(world: World, labelled: np.ndarray, seed: int) -> np.ndarray:
    """Every image gets the label map of another."""
    return learned(world.seen[labelled], np.roll(world.truth[labelled], 1, axis=0), seed)


@cache
def unrelated() -> World:
    """Silver tissue, whose classes are told by colours that rose tissue does not have."""
    tiles = [
        draw_phantom(SIDE, "silver", patient=pair, seed=pair, coding="colour") for pair in range(80)
    ]
    return World(
        np.stack([appearance(tile.image) for tile in tiles]),
        np.stack([tile.labels for tile in tiles]),
        np.arange(80),
    )


def taught_an_unrelated_world(world: World, labelled: np.ndarray, seed: int) -> np.ndarray:
    """Twenty pairs of it, and none of the labelled tiles."""
    pairs = np.random.default_rng(seed).choice(80, 20, replace=False)
    return learned(unrelated().seen[pairs], unrelated().truth[pairs], seed)


def taught_well_and_noise(world: World, labelled: np.ndarray, seed: int) -> np.ndarray:
    """The labelled tiles, and four times as many images of noise with their label maps."""
    noise = np.random.default_rng(seed).integers(0, 256, size=(4 * NUM_LABELS, SIDE, SIDE, 3))
    seen = np.stack([appearance(image) for image in noise])
    return learned(
        np.concatenate([world.seen[labelled], seen]),
        np.concatenate([world.truth[labelled], np.tile(world.truth[labelled], (4, 1, 1))]),
        seed,
    )


def scores(world: World, tested: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Each patient's macro Dice."""
    pairs = zip(world.truth[tested], predicted, strict=True)
    matrices = np.stack([confusion_matrix(truth, guess, CLASSES) for truth, guess in pairs])
    return patient_dice(matrices, [str(patient) for patient in world.patients[tested]])[1]


def mended(truth: np.ndarray, predicted: np.ndarray, part: float, seed: int) -> np.ndarray:
    """The prediction, with the truth in a random part of the pixels."""
    right = np.random.default_rng(seed).random(truth.shape) < part
    return np.where(right, truth, predicted)


@dataclass(frozen=True)
class Cells:
    """The patients of a comparison, and what each of its runs learns from."""

    tested: np.ndarray
    labelled: list[np.ndarray]
    draws: list[int]


def cells(repeat: int, num_patients: int, num_draws: int, num_seeds: int) -> Cells:
    """Patients of the world at random; labelled tiles of all others, drawn anew each draw."""
    random = np.random.default_rng(repeat)
    order = random.permutation(NUM_PATIENTS)
    tested = np.flatnonzero(np.isin(world().patients, order[:num_patients]))
    others = np.flatnonzero(~np.isin(world().patients, order[:num_patients]))
    labelled = [random.choice(others, NUM_LABELS, replace=False) for _ in range(num_draws)]
    draws = [draw for draw in range(num_draws) for _ in range(num_seeds)]
    return Cells(tested, [labelled[draw] for draw in draws], draws)


def arm(teaching: Teaching, of: Cells, seed: int) -> np.ndarray:
    """Macro Dice of each patient and run."""
    runs = []
    for run, labelled in enumerate(of.labelled):
        table = teaching(world(), labelled, 1000 * seed + run)
        runs.append(scores(world(), of.tested, table[world().seen[of.tested]]))
    return np.stack(runs, axis=1)


def compared(teaching: Teaching, repeat: int, num_patients: int = 10) -> PairedDifference:
    """An arm against the one that is taught well, on the same labels with other seeds."""
    of = cells(repeat, num_patients, num_draws=3, num_seeds=3)
    candidate, reference = arm(teaching, of, 2 * repeat + 1), arm(taught_well, of, 2 * repeat)
    return paired_difference(candidate, reference, seed=repeat, draws=of.draws)


def test_the_learner_learns_and_has_room_to_learn_more() -> None:
    of = cells(0, 10, num_draws=3, num_seeds=3)

    score = arm(taught_well, of, 0).mean()

    assert 0.4 < score < 0.85


def test_an_arm_against_itself_helps_in_at_most_5_of_100_comparisons() -> None:
    verdicts = [
        verdict_of(compared(taught_well, repeat, num_patients=(5, 10, 20)[repeat % 3]))
        for repeat in range(200)
    ]

    assert verdicts.count("helps") <= 10
    assert verdicts.count("hurts") <= 10


@pytest.mark.parametrize("teaching", [taught_shuffled_maps, taught_an_unrelated_world])
def test_an_arm_that_is_taught_nonsense_hurts(teaching: Teaching) -> None:
    verdicts = [verdict_of(compared(teaching, repeat)) for repeat in range(20)]

    assert verdicts.count("helps") == 0
    assert verdicts.count("hurts") >= 18


def test_noise_beside_the_labelled_tiles_never_helps() -> None:
    verdicts = [verdict_of(compared(taught_well_and_noise, repeat)) for repeat in range(20)]

    assert verdicts.count("helps") == 0


def mended_until(gain: float, tested: np.ndarray, predicted: np.ndarray, seed: int) -> np.ndarray:
    """Each patient's Dice once so many pixels are mended that the mean has gained so much."""
    truth = world().truth[tested]
    wanted = scores(world(), tested, predicted).mean() + gain
    low, high = 0.0, 1.0
    for _ in range(8):
        middle = (low + high) / 2
        reached = scores(world(), tested, mended(truth, predicted, middle, seed))
        low, high = (middle, high) if reached.mean() < wanted else (low, middle)
    return reached


@pytest.mark.parametrize(("num_patients", "found_at_least"), [(5, 14), (12, 19)])
def test_planted_eight_points_are_found(num_patients: int, found_at_least: int) -> None:
    """In 20 comparisons; the mended arm was trained with other seeds than its reference."""
    found = []
    for repeat in range(20):
        of = cells(repeat, num_patients, num_draws=3, num_seeds=3)
        runs = []
        for run, labelled in enumerate(of.labelled):
            table = taught_well(world(), labelled, 1000 * (2 * repeat + 1) + run)
            runs.append(mended_until(0.08, of.tested, table[world().seen[of.tested]], run))
        reference = arm(taught_well, of, 2 * repeat)
        difference = paired_difference(
            np.stack(runs, axis=1), reference, seed=repeat, draws=of.draws
        )
        found.append(verdict_of(difference))

    assert found.count("helps") >= found_at_least


def test_a_patient_on_both_sides_of_the_comparison_is_an_error() -> None:
    patients = [str(patient) for patient in world().patients]
    folds = dealt_to_folds(patients, num_folds=5, seed=0)
    leaked = folds.copy()
    leaked[0] = (folds[0] + 1) % 5

    refuse_leak(list(zip(patients, folds, strict=True)), "the whole world")

    with pytest.raises(LeakError, match="patient 0 in folds"):
        refuse_leak(list(zip(patients, leaked, strict=True)), "the leaked world")
