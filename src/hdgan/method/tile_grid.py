"""Where tiles lie on a slide (section III)."""

from hdgan.geometry import Region


def tile_grid(width: int, height: int, side_px: int | None) -> list[Region]:
    """Regions side by side from the upper left corner, row by row; none overlaps another.

    What is left over at the right and lower edges is left out.

    Args:
        width: of the slide or image, px.
        height: the same.
        side_px: side of a tile; None takes the whole image as one.
    """
    if side_px is None:
        return [Region(0, 0, width, height)]
    return [
        Region(x, y, side_px, side_px)
        for y in range(0, height - side_px + 1, side_px)
        for x in range(0, width - side_px + 1, side_px)
    ]
