"""Choices of `hdgan tile`."""

from dataclasses import dataclass

from hdgan.errors import SettingsError
from hdgan.settings.bounds import above_zero, at_least, within


@dataclass(frozen=True)
class TileSettings:
    """How images are cut and dealt to folds."""

    side_px: int | None = None
    """Side of a tile. Without it each image is one tile, as it is."""

    spacing_um: float | None = None
    """Tissue per pixel of the images, um/px; only written down here."""

    stain: str | None = None
    """Name of the stain of all images; a generator can be told it (`train-generator --condition
    stain`)."""

    stain_pattern: str | None = None
    """Regular expression whose first group, found in the file name, is the stain, if not all images
    have the same."""

    max_whitespace: float = 0.9
    """Tiles with a larger part of empty glass are left out."""

    patient_pattern: str | None = None
    """Regular expression whose first group, found in the file name, is the patient. Without it
    each image is its own patient."""

    num_folds: int = 5
    """Folds to deal the patients to. The paper has five."""

    seed: int = 0
    """Another seed deals the patients in another way."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        if self.stain is not None and self.stain_pattern is not None:
            raise SettingsError("--stain and --stain-pattern exclude one another: choose one.")
        at_least(self, 8, "side_px")
        at_least(self, 1, "num_folds")
        above_zero(self, "spacing_um")
        within(self, 0, 1, "max_whitespace")
