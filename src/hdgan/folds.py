"""Tiles to folds, whole patients: no patient is ever on both sides of a comparison."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

from hdgan.errors import SettingsError


def dealt_to_folds(
    patients: Sequence[str],
    *,
    num_folds: int,
    seed: int,
    strata: Sequence[Hashable] | None = None,
) -> list[int]:
    """The fold of each tile.

    The patients with most tiles are dealt first, each to the fold that has fewest tiles so far: of
    its own kind, and of folds with equally few, in all. So folds are about equal, and each has
    about the same part of each kind. Ties are broken by the seed.

    Args:
        patients: whose tissue each tile is.
        num_folds: how many folds; each gets a patient at least.
        seed: another one gives another deal.
        strata: what each tile is like, such as its centre and stain; a patient is of the kind that
            all of its tiles together make. None: all are alike.

    Raises:
        SettingsError: there are fewer patients than folds.
    """
    num_tiles = Counter(patients)
    if len(num_tiles) < num_folds:
        raise too_few_patients(len(num_tiles), num_folds)
    kinds = _kinds(patients, strata)
    random = np.random.default_rng(seed)
    names = sorted(num_tiles)
    shuffled = [names[i] for i in random.permutation(len(names))]
    sizes = [0] * num_folds
    sizes_by_kind: dict[Hashable, list[int]] = defaultdict(lambda: [0] * num_folds)
    fold_of: dict[str, int] = {}
    for patient in sorted(shuffled, key=lambda patient: -num_tiles[patient]):
        alike = sizes_by_kind[kinds[patient]]
        fold = min(range(num_folds), key=lambda fold: (alike[fold], sizes[fold]))
        fold_of[patient] = fold
        sizes[fold] += num_tiles[patient]
        alike[fold] += num_tiles[patient]
    return [fold_of[patient] for patient in patients]


def too_few_patients(num_patients: int, num_folds: int) -> SettingsError:
    """What is wrong if there are fewer patients than folds."""
    return SettingsError(
        f"{num_patients} patients cannot be dealt to {num_folds} folds: a patient's tiles stay "
        "together. Give more patients, or fewer folds with --num-folds."
    )


def _kinds(patients: Sequence[str], strata: Sequence[Hashable] | None) -> dict[str, Hashable]:
    """What each patient's tiles are like, together."""
    if strata is None:
        return dict.fromkeys(patients)
    together: dict[str, set[Hashable]] = defaultdict(set)
    for patient, stratum in zip(patients, strata, strict=True):
        together[patient].add(stratum)
    return {patient: frozenset(kinds) for patient, kinds in together.items()}
