"""What every stage wants to know of a slide before it reads its pixels."""

from hdgan.artifacts.slides.slide import Pixels, Slide, overview
from hdgan.errors import ImageError
from hdgan.method.tissue import is_brightfield

_COARSER = 0.9
"""Slides whose pixels are larger than those that are wanted, by more than this, are refused."""


def brightfield_overview(slide: Slide) -> Pixels:
    """The whole slide as a small image.

    Raises:
        ImageError: it is no picture in brightfield.
    """
    small = overview(slide)
    if not is_brightfield(small):
        raise ImageError(
            f"{slide.name} has a dark background, as fluorescence has; tissue in brightfield is "
            "needed. Leave it out."
        )
    return small


def known_spacing(slide: Slide, given_um: float | None, *, is_needed: bool) -> float | None:
    """Tissue per level-0 pixel, um/px: what the file says, else what the user says.

    None, if it is not needed, for plain images and TIFF files that no scanner wrote.

    Raises:
        ImageError: nobody says.
    """
    spacing_um = slide.spacing_um or given_um
    if spacing_um is None and (is_needed or slide.kind not in ("plain image", "tiff")):
        raise ImageError(
            f"{slide.name} does not say how much tissue a pixel covers. Give it in um/px with "
            "--spacing-um, or, to tile, in the column spacing_um of --table; it is not guessed."
        )
    return spacing_um


def scale_to(slide: Slide, spacing_um: float | None, wanted_um: float | None) -> float:
    """Level-0 px per pixel of the wanted spacing; 1 if none is wanted.

    Raises:
        ImageError: the slide is coarser than that.
    """
    if wanted_um is None or spacing_um is None:
        return 1.0
    scale = wanted_um / spacing_um
    if scale < _COARSER:
        raise ImageError(
            f"{slide.name} was scanned at {spacing_um:g} um/px, coarser than --to-spacing-um "
            f"{wanted_um:g}: everything would be blurred. Leave it out, or choose {spacing_um:g} "
            "or more."
        )
    return scale
