"""How the scanners of several centres show the same drawn tissue."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy import ndimage

Centre = Literal["home", "amber", "dusk", "haze"]

GRAIN = 2.0
"""Standard deviation of the grain at `home`, in grey levels."""


@dataclass(frozen=True)
class Look:
    """What a centre does to colours; the rule still reads them."""

    balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Gain of red, green and blue."""

    gamma: float = 1.0
    """Exponent of the brightness: above 1 darkens the middle tones."""

    grain: float = GRAIN
    """Standard deviation of the grain, in grey levels."""

    blur_px: float = 0.0
    """Standard deviation of the blur. More than half a pixel would mix the classes at edges."""


LOOKS: dict[Centre, Look] = {
    "home": Look(),
    "amber": Look(balance=(1.0, 0.95, 0.88), gamma=0.9, grain=4.0, blur_px=0.3),
    "dusk": Look(balance=(0.91, 0.93, 0.96), gamma=1.1, grain=3.0, blur_px=0.35),
    "haze": Look(balance=(0.98, 1.0, 1.0), gamma=0.85, grain=1.5, blur_px=0.4),
}


def scanned(
    image: Float[np.ndarray, "side side 3"], look: Look
) -> Float[np.ndarray, "side side 3"]:
    """An image of 0 to 255 in a look, still without grain."""
    if look.gamma != 1.0:
        image = 255 * (np.clip(image, 0, 255) / 255) ** look.gamma
    if look.balance != (1.0, 1.0, 1.0):
        image = image * np.array(look.balance)
    if look.blur_px > 0:
        image = ndimage.gaussian_filter(image, (look.blur_px, look.blur_px, 0.0))
    return image
