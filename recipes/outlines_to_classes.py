"""Maps of single objects to label maps: 0 background, 1 nucleus, 2 the outer pixels of a nucleus.

usage: outlines_to_classes.py INSTANCES OUTPUT
"""

import sys
from pathlib import Path

import numpy as np
from jaxtyping import Integer, UInt8
from PIL import Image
from scipy import ndimage

BOUNDARY_PX = 2
"""Width of the boundary, inside the object."""


def classes_of(
    instances: Integer[np.ndarray, "height width"],
) -> UInt8[np.ndarray, "height width"]:
    """Label map of a map that numbers its objects from 1; 0 is background."""
    window = 2 * BOUNDARY_PX + 1
    highest = ndimage.maximum_filter(instances, window)
    lowest = ndimage.minimum_filter(instances, window)
    inside = instances > 0
    labels = inside.astype(np.uint8)
    labels[inside & (highest != lowest)] = 2
    return labels


def main() -> None:
    """Write a label map for each map of objects."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.glob("*.png")):
        instances = np.asarray(Image.open(path)).astype(np.int64)
        Image.fromarray(classes_of(instances)).save(target / path.name)


if __name__ == "__main__":
    main()
