"""Whether an image, its latent and a generator still belong together.

Images, latents, noise and weights that do not are the classic silent failure of this family of
programs: labels then lie on features of something else.
"""

import numpy as np
from jaxtyping import UInt8

TOLERANCE = 2
"""Grey levels that rounding on another machine may cost a pixel."""


def regenerates(
    kept: UInt8[np.ndarray, "side side 3"], redrawn: UInt8[np.ndarray, "side side 3"]
) -> bool:
    """Whether an image drawn again is the kept one, but for rounding.

    At most one pixel in a thousand may differ by more than the tolerance.
    """
    difference = np.abs(kept.astype(np.int16) - redrawn.astype(np.int16)).max(axis=-1)
    return float((difference > TOLERANCE).mean()) <= 1e-3
