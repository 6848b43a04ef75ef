"""A generator: what it draws, how it learned, how close it comes."""

from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.generator import GRIDS, PROGRESS, SNAPSHOTS, GeneratorFolder
from hdgan.artifacts.image_quality import QualityText
from hdgan.artifacts.images import rgb_of
from hdgan.artifacts.shipped_generator import ABOUT, CLOSEST, DISTANCES, ShippedGenerator
from hdgan.method.stylegan.training import GeneratorTick
from hdgan.pipeline import Fact
from hdgan.report.artifact_page import Gallery, GalleryPicture
from hdgan.report.artifact_page_layers import photo, side_px_for, svg_uri
from hdgan.report.artifact_page_markdown import PageText
from hdgan.report.charts import lines
from hdgan.report.grids import GAP, Grid, Picture, grid
from hdgan.report.page import PageFigure, Section
from hdgan.report.pictures import drawn_grid
from hdgan.stages.show.account import Account, Look, Shown
from hdgan.stages.show.cards import texts_of
from hdgan.stages.show.labelled import IMAGE
from hdgan.stages.show.scores import qualities_of, quality_facts, quality_table, texts

_MAX_SNAPSHOTS = 8
"""Rows of the picture that shows how it learned."""

_SIDE_OF_SNAPSHOTS = 96


def account_of(generator: GeneratorFolder, look: Look) -> Account:
    """What a generator is.

    Raises:
        DamagedArtifactError: a file cannot be understood.
    """
    return Account(
        "A network that draws images of tissue from random numbers.",
        _facts(generator, look),
        lambda: _shown(generator, look),
    )


def _facts(generator: GeneratorFolder, look: Look) -> dict[str, Fact]:
    shape = generator.shape
    snapshots = _names(generator, SNAPSHOTS)
    facts: dict[str, Fact] = {
        "resolution": f"{shape.resolution} x {shape.resolution} px",
        "shown": _shown_images(generator),
        "stains": texts(shape.stains) or "it is told none",
        "snapshots": texts([PurePosixPath(name).stem for name in snapshots]) or "none kept",
        "latent": f"z {shape.z_dim}, w {shape.w_dim} numbers",
    }
    for name, text in _qualities(generator, look).items():
        for score, fact in quality_facts(text).items():
            facts.setdefault(f"{score}, {name}", fact)
    return facts


def _shown_images(generator: GeneratorFolder) -> str:
    """How many real images it has seen."""
    if ABOUT in generator.manifest.files:
        about = ShippedGenerator.open(generator.folder).about
        before = about.images_shown(elsewhere=True)
        after = f", and {before / 1000:g} of other tissue before" if before else ""
        return f"{about.images_shown(elsewhere=False) / 1000:g} kimg (thousand images){after}"
    progress = _progress(generator)
    return f"{progress[-1].images / 1000:g} kimg (thousand images)" if progress else "not known"


def _qualities(generator: GeneratorFolder, look: Look) -> dict[str, QualityText]:
    """The scores that came with it, and those beside it, by where they are."""
    found = {f"by {name}": text for name, text in qualities_of(generator, look).items()}
    if ABOUT in generator.manifest.files:
        found["by its card"] = ShippedGenerator.open(generator.folder).quality
    return found


def _progress(generator: GeneratorFolder) -> list[GeneratorTick]:
    return generator.progress() if PROGRESS in generator.manifest.files else []


def _names(artifact: Artifact, folder: str) -> list[str]:
    """Files directly in a folder of the artifact, sorted."""
    return sorted(
        name for name in artifact.manifest.files if str(PurePosixPath(name).parent) == folder
    )


def _shown(generator: GeneratorFolder, look: Look) -> Shown:
    final = f"{GRIDS}/final.png"
    if final in generator.manifest.files:
        drawn = _cut(_rgb(generator, final), generator.shape.resolution)
    else:
        drawn = _cut(drawn_grid(generator.generator()), generator.shape.resolution)
    drawn = drawn[: look.num_pictures]
    side_px = side_px_for(len(drawn))
    pictures = [
        GalleryPicture(f"seed {seed}", {"image": photo(pixels, side_px)}, pixels.shape[:2])
        for seed, pixels in enumerate(drawn)
    ]
    text = f"What it draws at truncation 0.7 from seeds 0 to {len(drawn) - 1}, which no one chose."
    sections = [
        _training(_progress(generator)),
        _snapshots(generator),
        *_closeness(generator, look),
    ]
    return Shown(
        gallery=Gallery(text, [IMAGE], pictures),
        sections=[section for section in sections if section is not None],
        texts=_card(generator),
    )


def _rgb(artifact: Artifact, name: str) -> Picture:
    return rgb_of(artifact.read(name), str(artifact.folder / name))


def _cut(picture: Grid, side: int) -> list[Picture]:
    """The tiles of a grid, row by row; the picture itself if it is no such grid."""
    height, width = picture.shape[:2]
    if (height + GAP) % (side + GAP) or (width + GAP) % (side + GAP):
        return [picture]
    tiles = [
        picture[y : y + side, x : x + side]
        for y in range(0, height, side + GAP)
        for x in range(0, width, side + GAP)
    ]
    while len(tiles) > 1 and (tiles[-1] == 255).all():
        tiles.pop()  # a row that is not full ends in white
    return tiles


def _training(progress: Sequence[GeneratorTick]) -> Section | None:
    if not progress:
        return None
    kimg = [tick.images / 1000 for tick in progress]
    charts = {
        "What the discriminator makes of real tiles and of drawings. The closer the two lines, the "
        "harder they are to tell apart.": (
            {
                "real tiles": [tick.score_real for tick in progress],
                "drawings": [tick.score_drawn for tick in progress],
            },
            "discriminator's score",
        ),
        "The losses of the two networks.": (
            {
                "generator": [tick.generator_loss for tick in progress],
                "discriminator": [tick.discriminator_loss for tick in progress],
            },
            "loss, nats",
        ),
        "How often images are augmented before the discriminator sees them.": (
            {"augmentation": [tick.strength for tick in progress]},
            "probability",
        ),
    }
    figures = [
        PageFigure(
            caption,
            picture=svg_uri(lines(kimg, series, x_label="thousand images shown", y_label=label)),
        )
        for caption, (series, label) in charts.items()
        if any(any(values) for values in series.values())
    ]
    return Section("Training", "", figures)


def _snapshots(generator: GeneratorFolder) -> Section | None:
    """The same seeds at several times of the training, a row each."""
    names = [name for name in _names(generator, GRIDS) if PurePosixPath(name).stem != "final"]
    chosen = Look(_MAX_SNAPSHOTS, {}).spread(names)
    if not chosen:
        return None
    final = f"{GRIDS}/final.png"
    chosen += [final] if final in generator.manifest.files else []
    rows = [_cut(_rgb(generator, name), generator.shape.resolution)[:6] for name in chosen]
    columns = min(map(len, rows))
    pictures = [_about(tile, _SIDE_OF_SNAPSHOTS) for row in rows for tile in row[:columns]]
    picture = grid(pictures, columns=columns)
    caption = "The same seeds, drawn by the snapshots of the training and by what it ended with."
    figure = PageFigure(
        caption,
        picture=photo(picture, max(picture.shape)),
        width_px=picture.shape[1],
        rows=[PurePosixPath(name).stem for name in chosen],
    )
    return Section("How it learned", "", [figure])


def _about(tile: Picture, side_px: int) -> Grid:
    """A square tile at about this size, by whole steps."""
    step, zoom = max(1, tile.shape[0] // side_px), max(1, side_px // tile.shape[0])
    side = tile.shape[0] // step
    blocks = tile[: side * step, : side * step].reshape(side, step, side, step, 3)
    small = blocks.mean(axis=(1, 3)).round().astype(np.uint8)
    return small.repeat(zoom, axis=0).repeat(zoom, axis=1)


def _closeness(generator: GeneratorFolder, look: Look) -> list[Section]:
    """How close its drawings come to real tissue, as far as that was measured."""
    sections = [
        Section(f"How close it comes, {name}", "", tables=[quality_table(text)])
        for name, text in _qualities(generator, look).items()
    ]
    if ABOUT not in generator.manifest.files:
        return sections
    shipped = ShippedGenerator.open(generator.folder)
    figures = []
    if DISTANCES in generator.manifest.files:
        caption = (
            "How far drawings are from the nearest training crop, and how far real crops that the "
            "generator never saw are from it. Copies would lie far to the left."
        )
        figures.append(PageFigure(caption, picture=svg_uri(shipped.distances)))
    if CLOSEST in generator.manifest.files:
        closest = shipped.closest
        caption = "The drawings that come nearest to a training crop."
        figures.append(PageFigure(caption, picture=photo(closest, max(closest.shape))))
    return [*sections, Section("Copies?", "", figures)]


def _card(generator: GeneratorFolder) -> list[PageText]:
    """What the card of a generator that comes with the package says."""
    if ABOUT not in generator.manifest.files:
        return []
    words = ShippedGenerator.open(generator.folder).about.words
    parts = [words.lead, words.data, words.licence, words.annotation, words.limits, words.use]
    return texts_of(generator, {f"Its card: {words.title}": "\n\n".join(parts)})
