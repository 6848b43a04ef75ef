"""Opening a slide with the reader that suits its file."""

from importlib.util import find_spec
from pathlib import Path

from hdgan.artifacts.images import MAX_PIXELS, rgb_of
from hdgan.artifacts.slides.plain import PlainSlide
from hdgan.artifacts.slides.slide import Slide
from hdgan.errors import ImageError, SettingsError

PLAIN_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp"})
"""Endings of images that are never slides."""

TIFF_SUFFIXES = frozenset({".tif", ".tiff", ".svs"})
"""Endings of files that tifffile reads, if they are tiled; else OpenSlide, else Pillow."""

SLIDE_SUFFIXES = frozenset({".svs", ".ndpi", ".mrxs", ".scn", ".bif", ".svslide", ".dcm", ".czi"})
"""Endings of files that scanners write, apart from TIFF."""

MAX_SIDE = 2_000_000
"""A slide is 75 mm long: 750,000 px at 0.1 um. What declares more is not believed."""

MAX_OVERVIEW_PIXELS = 4_000_000_000
"""Of a slide's smallest size, which its overview is made from."""


def open_slide(path: Path) -> Slide:
    """Open a slide or a plain image.

    A plain image is decoded as a whole; of a slide nothing is.

    Raises:
        ImageError: it cannot be read, or declares an absurd size.
        SettingsError: it needs the readers that come with `hdgan[wsi]`.
    """
    slide = _opened(path)
    full = slide.levels[0]
    if min(full.width, full.height) < 1 or max(full.width, full.height) > MAX_SIDE:
        slide.close()
        raise ImageError(
            f"{path} declares {full.width} x {full.height} pixels; a slide has at most "
            f"{MAX_SIDE:,} on a side. The file is damaged or made up: leave it out."
        )
    last = slide.levels[-1]
    if last.width * last.height > MAX_OVERVIEW_PIXELS:
        slide.close()
        raise ImageError(
            f"{path} has {full.width} x {full.height} pixels and no smaller sizes, so that looking "
            "at it would take hours. Export it as a pyramidal TIFF."
        )
    return slide


def _opened(path: Path) -> Slide:
    suffix = path.suffix.lower()
    if not path.is_file():
        raise ImageError(f"There is no file {path}. Check the path.")
    if suffix in PLAIN_SUFFIXES:
        return PlainSlide(rgb_of(path.read_bytes(), str(path)), str(path))
    from hdgan.artifacts.slides.by_tifffile import TiffSlide, is_tiled_tiff, refuse_many_images

    refuse_many_images(path)
    if suffix in TIFF_SUFFIXES and is_tiled_tiff(path):
        _need("imagecodecs", path)
        return TiffSlide(path)
    return _by_openslide(path)


def _by_openslide(path: Path) -> Slide:
    """What OpenSlide reads; a TIFF that is neither tiled nor a slide is a plain image."""
    may_be_plain = path.suffix.lower() in {".tif", ".tiff"}
    if not may_be_plain:
        _need("openslide", path)
    if find_spec("openslide") is not None:
        import openslide

        from hdgan.artifacts.slides.by_openslide import OpenSlideSlide

        if openslide.OpenSlide.detect_format(path) is not None:
            return OpenSlideSlide(path)
    if may_be_plain:
        if path.stat().st_size > 4 * MAX_PIXELS:
            raise ImageError(
                f"{path} is stored in strips and too large to be read at once. Save it as a tiled, "
                "pyramidal TIFF."
            )
        return PlainSlide(rgb_of(path.read_bytes(), str(path)), str(path))
    raise ImageError(
        f"{path} is no slide that can be read: it is damaged, or of a kind that neither OpenSlide "
        "nor tifffile knows. Export it as OME-TIFF, or leave it out."
    )


def _need(package: str, path: Path) -> None:
    """Say what to install if a reader is not there."""
    if find_spec(package) is None:
        raise SettingsError(
            f"{path} needs the package {package}, which is not installed. Install it with: "
            'pip install "hdgan[wsi]"'
        )
