"""Feature maps on disk, mapped into memory: one file a map and image, at native resolution."""

import numpy as np

from hdgan.artifacts.arrays import npy_bytes
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.method.features import FeaturePyramid


class FeatureStore:
    """Pyramids by name, in the scratch folder of an artifact that is being made.

    Reading maps the files: memory is what the system chooses to keep of them.
    """

    def __init__(self, unfinished: UnfinishedArtifact) -> None:
        self._unfinished = unfinished

    def has(self, name: str) -> bool:
        """Whether the pyramid of this name is there as a whole."""
        return (self._unfinished.scratch / "features" / name / "whole").is_file()

    def write(self, name: str, pyramid: FeaturePyramid) -> None:
        """Put a pyramid there.

        Raises:
            StorageError: the disk is full.
        """
        for i, feature_map in enumerate(pyramid.maps):
            self._unfinished.write_scratch(f"features/{name}/{i:02d}.npy", npy_bytes(feature_map))
        self._unfinished.write_scratch(f"features/{name}/whole", str(pyramid.side).encode())

    def read(self, name: str) -> FeaturePyramid:
        """The pyramid of this name, mapped into memory."""
        folder = self._unfinished.scratch / "features" / name
        maps = [np.load(path, mmap_mode="r") for path in sorted(folder.glob("*.npy"))]
        return FeaturePyramid(maps, int((folder / "whole").read_bytes()))
