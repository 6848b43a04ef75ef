"""What an exported image is for."""

import hashlib

from hdgan.artifacts.annotation_set import Split
from hdgan.settings.export import ExportSettings


def split_of_seed(seed: int, settings: ExportSettings) -> Split:
    """What a pair is for, by the seed of its latent alone.

    Neither the number of pairs nor their order counts, and pairs of one latent get one answer.
    """
    place = _place(f"{settings.seed} {seed}")
    validation, test = settings.parts
    if place < test:
        return "test"
    return "validation" if place < test + validation else "training"


def split_of_fold(fold: int, settings: ExportSettings) -> Split:
    """What a tile of a fold is for; folds hold whole patients."""
    validation, test = settings.folds
    if fold in test:
        return "test"
    return "validation" if fold in validation else "training"


def _place(text: str) -> float:
    """A number from 0 to 1, as good as drawn at random, but the same for the same text."""
    first = hashlib.sha256(text.encode()).digest()[:6]
    return int.from_bytes(first) / 2**48
