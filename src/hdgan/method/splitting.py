"""Annotated images to training, validation and test (section V: 16, 4, 16)."""

from collections.abc import Sequence

import numpy as np

from hdgan.errors import SettingsError


def dealt_to_splits(num_images: int, parts: Sequence[int], *, seed: int) -> list[int]:
    """The split of each image, as its position in `parts`.

    The images are shared out in proportion to the parts, largest remainders first: 36 images in
    parts 16, 4, 16 give just these numbers. Which image goes where is random.

    Raises:
        SettingsError: the parts are no proportion.
    """
    if min(parts) < 0 or sum(parts) == 0:
        raise SettingsError(
            f"--split is {' '.join(map(str, parts))}; needed are numbers from 0 on, not all 0."
        )
    exact = [num_images * part / sum(parts) for part in parts]
    counts = [int(share) for share in exact]
    by_remainder = sorted(range(len(parts)), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: num_images - sum(counts)]:
        counts[i] += 1
    dealt = np.repeat(np.arange(len(parts)), counts)
    return [int(part) for part in np.random.default_rng(seed).permutation(dealt)]
