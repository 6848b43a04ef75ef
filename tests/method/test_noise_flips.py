"""Labels that change with the noise alone."""

import numpy as np

from hdgan.method.noise_flips import NoiseFlipTally


def test_the_part_that_changes_is_over_all_pixels_drawn_again() -> None:
    def redraw(image: int) -> np.ndarray:
        labels = np.zeros((4, 5), dtype=np.uint8)
        labels.ravel()[:image] = 1
        return labels

    tally = NoiseFlipTally(redraw, 2)
    for image in (3, 4, 20):
        tally.add(image, np.zeros((4, 5), dtype=np.uint8))

    flips = tally.flips()
    assert (flips.images, flips.share) == (2, (3 + 4) / 40)


def test_without_noise_there_is_nothing_to_change() -> None:
    tally: NoiseFlipTally[int] = NoiseFlipTally(None, 4)
    tally.add(0, np.zeros((2, 2), dtype=np.uint8))

    flips = tally.flips()

    assert flips.share is None
    assert "no noise inputs" in flips.why_not
