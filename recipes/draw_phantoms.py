"""Draw context-coded phantom tissue: images, and the truth about them.

usage: draw_phantoms.py OUTPUT COUNT SIDE_PX

Writes `images/` and `labels/`. Every tenth tile or so is of one patient; all have the stain `rose`.
"""

import sys
from pathlib import Path

from PIL import Image

from hdgan.method.phantom.drawing import draw_phantom

NUM_PATIENTS = 25


def main(output: Path, count: int, side_px: int) -> None:
    """Draw and write."""
    for kind in ("images", "labels"):
        (output / kind).mkdir(parents=True, exist_ok=True)
    for i in range(count):
        patient = i % NUM_PATIENTS
        phantom = draw_phantom(side_px, "rose", patient=patient, seed=i, coding="context")
        for kind, pixels in (("images", phantom.image), ("labels", phantom.labels)):
            Image.fromarray(pixels).save(output / kind / f"patient{patient:02d}_{i:05d}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
