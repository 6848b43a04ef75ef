"""Tiles to folds, whole patients: no patient is ever on both sides of a comparison."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from hdgan.errors import SettingsError


def dealt_to_folds(patients: Sequence[str], *, num_folds: int, seed: int) -> list[int]:
    """The fold of each tile.

    The patients with most tiles are dealt first, each to the fold that has fewest tiles so far, so
    that folds are about equal. Ties are broken by the seed.

    Args:
        patients: whose tissue each tile is.
        num_folds: how many folds; each gets a patient at least.
        seed: another one gives another deal.

    Raises:
        SettingsError: there are fewer patients than folds.
    """
    num_tiles = Counter(patients)
    if len(num_tiles) < num_folds:
        raise SettingsError(
            f"{len(num_tiles)} patients cannot be dealt to {num_folds} folds: a patient's tiles "
            "stay together. Give more patients, or fewer folds with --num-folds."
        )
    random = np.random.default_rng(seed)
    shuffled = [sorted(num_tiles)[i] for i in random.permutation(len(num_tiles))]
    sizes = [0] * num_folds
    fold_of: dict[str, int] = {}
    for patient in sorted(shuffled, key=lambda patient: -num_tiles[patient]):
        fold = sizes.index(min(sizes))
        fold_of[patient] = fold
        sizes[fold] += num_tiles[patient]
    return [fold_of[patient] for patient in patients]
