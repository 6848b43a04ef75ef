"""What a targeted image must hold."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float64

from hdgan.errors import SettingsError

Wanted = Mapping[int, float]
"""The least part of the pixels, by class."""


def check_wanted(wanted: Wanted, num_classes: int) -> None:
    """Do nothing if an image can hold what is wanted.

    Raises:
        SettingsError: nothing is wanted, a class is none of the class map's, a share is not above
            0 and at most 1, or all shares together are more than a whole image.
    """
    if not wanted:
        raise SettingsError("No class is wanted. Name at least one, with its least share.")
    for place, share in wanted.items():
        if not 0 <= place < num_classes:
            raise SettingsError(
                f"Class {place} is wanted, but there are {num_classes} classes, from 0 to "
                f"{num_classes - 1}. Name one of these."
            )
        if not 0 < share <= 1:
            raise SettingsError(
                f"A share of {share:g} is wanted of class {place}; it must be above 0 and at most "
                "1, such as 0.05 for 5 per cent of the pixels."
            )
    together = sum(wanted.values())
    if together > 1 + 1e-9:
        raise SettingsError(
            f"The wanted shares are {together:g} of an image together, more than a whole one. "
            "Lower them to 1 or less."
        )


def has_wanted(shares: Float64[np.ndarray, " classes"], wanted: Wanted) -> bool:
    """Whether an image holds as much as is wanted of every class."""
    return all(bool(shares[place] >= share) for place, share in wanted.items())
