"""Choices of `hdgan segment`."""

from dataclasses import dataclass

from hdgan.errors import SettingsError
from hdgan.settings.bounds import above_zero, at_least, within

_WINDOW_MULTIPLE = 32
"""The network halves a window several times."""


@dataclass(frozen=True)
class SegmentSettings:
    """What is predicted."""

    folds: tuple[int, ...] | None = None
    """Of a tile set: which folds; without it, all."""

    to_spacing_um: float | None = None
    """Tissue per pixel, um/px, at which slides are segmented: that of the tiles which the segmenter
    has learned from. Without it, as they were scanned."""

    spacing_um: float | None = None
    """Tissue per pixel, um/px, of slides whose file does not say it."""

    window_px: int = 512
    """Side of the windows in which slides are predicted; a multiple of 32. Larger ones see more
    around each pixel and take more memory."""

    overlap: float = 0.25
    """The part of a window that it shares with the next, at least; there the two are blended. More
    is smoother, and slower by 1 / (1 - overlap)^2."""

    min_area_px: int = 32
    """Outlines of smaller regions are not written; pixels at which the slide is segmented."""

    min_area_um2: float | None = None
    """The same in square micrometres; both must be reached."""

    keep_going: bool = False
    """Leave out slides that cannot be read, and say so in `slides.csv`, instead of stopping."""

    device: str = "auto"
    """`cpu`, `cuda`, or the first GPU if there is one."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        above_zero(self, "to_spacing_um", "spacing_um")
        at_least(self, _WINDOW_MULTIPLE, "window_px")
        at_least(self, 0, "min_area_px", "min_area_um2")
        within(self, 0, 0.75, "overlap")
        if self.window_px % _WINDOW_MULTIPLE:
            raise SettingsError(
                f"--window-px is {self.window_px}; it must be a multiple of {_WINDOW_MULTIPLE}."
            )
