"""Where a tile lies on its slide, and how much tissue a pixel covers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Spacing:
    """Tissue per pixel."""

    um: float
    """um/px, the same in both directions."""


@dataclass(frozen=True)
class Region:
    """A rectangle on a slide."""

    x: int
    """Left edge, level-0 px."""

    y: int
    """Upper edge, level-0 px."""

    width: int
    """Level-0 px."""

    height: int
    """Level-0 px."""

    def overlaps(self, other: "Region") -> bool:
        """Whether the two share a pixel."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )
