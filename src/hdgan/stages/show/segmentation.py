"""A segmentation: predicted label maps of tiles, samples or slides."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from hdgan.artifacts.images import grey_of, rgb_of
from hdgan.artifacts.segmentation import Segmentation, SegmentedSlide
from hdgan.class_map import LabelMap
from hdgan.pipeline import Fact
from hdgan.report.artifact_page import Gallery, GalleryPicture
from hdgan.report.artifact_page_layers import photo, side_px_for
from hdgan.report.charts import share
from hdgan.report.page import PageTable, Section
from hdgan.stages.show.account import Account, Look, Shown, of_all
from hdgan.stages.show.labelled import IMAGE, Labelled, Painter, class_shares, finite, views_of
from hdgan.stages.show.parents import images_of

_LEAD = "Label maps that a segmenter predicted."


def account_of(segmentation: Segmentation, look: Look) -> Account:
    """What is in a segmentation; memory holds one label map at a time.

    Raises:
        DamagedArtifactError: a table or a label map cannot be read.
    """
    if segmentation.is_of_slides:
        return _of_slides(segmentation, look)
    names = sorted(
        name for name in segmentation.manifest.files if PurePosixPath(name).parent.name == "labels"
    )
    chosen = look.spread(names)

    def labels(name: str) -> LabelMap:
        return grey_of(segmentation.read(name), str(segmentation.folder / name))

    shares, _ = class_shares(map(labels, chosen), segmentation.class_map)
    part = of_all(len(chosen), len(names), "label maps")
    facts: dict[str, Fact] = {
        "label maps": len(names),
        "classes": len(segmentation.class_map),
        **{name: f"{fact}{part}" for name, fact in shares.items()},
    }

    def shown() -> Shown:
        painter = Painter(segmentation.class_map, side_px_for(len(chosen)))
        images = images_of(segmentation, look)
        pictures = []
        for name in chosen:
            stem = PurePosixPath(name).stem
            pictures.append(painter.picture(Labelled(stem, labels(name), images(stem))))
        text = f"{len(chosen):,} of {len(names):,} label maps, spread evenly over their names."
        return Shown(
            gallery=Gallery(text, views_of(pictures), pictures, segmentation.class_map)
            if pictures
            else None
        )

    return Account(_LEAD, facts, shown)


def _of_slides(segmentation: Segmentation, look: Look) -> Account:
    slides = segmentation.slides()
    done = [slide for slide in slides if slide.problem is None]
    facts: dict[str, Fact] = {
        "slides": len(done),
        "slides left out": len(slides) - len(done),
        "outlines": sum(slide.regions for slide in done),
        "classes": len(segmentation.class_map),
        **_areas(segmentation),
    }
    return Account(_LEAD, facts, lambda: _shown_slides(segmentation, done, look))


def _pixels(segmentation: Segmentation) -> dict[str, int]:
    """Pixels by class, over all slides."""
    pixels = dict.fromkeys(segmentation.class_map.names, 0)
    for row in segmentation.areas():
        pixels[row.tissue_class] = pixels.get(row.tissue_class, 0) + row.pixels
    return pixels


def _areas(segmentation: Segmentation) -> Mapping[str, Fact]:
    pixels = _pixels(segmentation)
    total = max(1, sum(pixels.values()))
    return {
        f"class {name}": f"{share(count / total)} of the labelled pixels"
        for name, count in pixels.items()
    }


def _shown_slides(segmentation: Segmentation, done: list[SegmentedSlide], look: Look) -> Shown:
    chosen = [slide for slide in look.spread(done) if slide.preview in segmentation.manifest.files]
    side_px = side_px_for(len(chosen))
    pictures = []
    for slide in chosen:
        pixels = rgb_of(segmentation.read(slide.preview), str(segmentation.folder / slide.preview))
        shape = (pixels.shape[0], pixels.shape[1])
        notes = [f"{slide.regions:,} outlines"]
        layers = {"image": photo(pixels, side_px)}
        numbers = finite({"outlines": slide.regions})
        pictures.append(GalleryPicture(slide.slide, layers, shape, notes, {}, numbers))
    text = f"{len(chosen):,} of {len(done):,} slides, in the colours of their classes."
    gallery = (
        Gallery(text, [IMAGE], pictures, segmentation.class_map, "black") if pictures else None
    )
    return Shown(gallery=gallery, sections=[_area_table(segmentation, done, look)])


def _area_table(segmentation: Segmentation, done: list[SegmentedSlide], look: Look) -> Section:
    by_slide: dict[str, dict[str, str]] = {}
    for row in segmentation.areas():
        area = f"{row.pixels:,} px" if row.mm2 is None else f"{row.mm2:.3f} mm2"
        by_slide.setdefault(row.slide, {})[row.tissue_class] = area
    names = segmentation.class_map.names
    rows = [
        [slide.slide, *(by_slide.get(slide.slide, {}).get(name, "-") for name in names)]
        for slide in look.spread(done)
    ]
    table = PageTable("areas.csv has all slides.", ["slide", *names], rows)
    return Section("Areas", "The area of each class.", tables=[table])
