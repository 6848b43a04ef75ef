"""How much tissue a pixel covers, as far as a file can be believed."""

import math

from hdgan.errors import ImageError

PLAUSIBLE_UM = (0.01, 100.0)
"""Spacings of microscopes and macro cameras lie between; 72 dots per inch, 353 um, does not."""

_MOST_OBLONG = 1.02
"""Pixels that are longer than wide by more than this would need another program."""


def believed(across: str | float | None, down: str | float | None, name: str) -> float | None:
    """The spacing that a file declares, um/px; None if it declares none.

    Args:
        across: um/px along x, as it stands in the file.
        down: um/px along y.
        name: what errors call the file.

    Raises:
        ImageError: its pixels are not square.
    """
    given = [_number(value) for value in (across, down)]
    numbers = [value for value in given if value is not None]
    if not numbers:
        return None
    if max(numbers) > _MOST_OBLONG * min(numbers):
        raise ImageError(
            f"{name} has pixels of {numbers[0]:g} x {numbers[1]:g} um; square ones are needed. "
            "Resample it first."
        )
    return round(sum(numbers) / len(numbers), 9)


def _number(value: str | float | None) -> float | None:
    try:
        number = float(value) if value is not None else math.nan
    except ValueError:
        return None
    low, high = PLAUSIBLE_UM
    return number if low <= number <= high else None
