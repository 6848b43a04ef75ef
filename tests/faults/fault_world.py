"""The tiny world, and beside it everything else that a command may read."""

import shutil
from pathlib import Path
from unittest.mock import patch

from hdgan.artifacts.annotation_history import Mark, Stroke
from hdgan.artifacts.sample_set import SampleSet
from hdgan.cli import main
from hdgan.stages.annotate.work import Work
from tests.slide_world import tissue_pixels, write_tiff
from tests.stages.test_import_outlines import feature, geojson, square
from tests.stages.test_pixel_methods import random_transformer
from tests.tiny_world import TinyWorld, brightness_classes, ship_generator, write_encoder

SHIPPED = "shipped"
"""Folder of the world in which generators lie as they come with the package."""


def make_fault_world(folder: Path, tiny_world: Path | None = None) -> None:
    """Run every stage once, and draw slides, outlines, encoders and a begun annotation.

    Args:
        folder: where; it is made.
        tiny_world: one that is copied instead of being made.
    """
    if tiny_world is None:
        world = TinyWorld.made_in(folder)
    else:
        world = TinyWorld(Path(shutil.copytree(tiny_world, folder)))
    write_encoder(folder / "encoder.npz")
    (folder / "transformer.safetensors").write_bytes(random_transformer())
    main(["export-generator", str(world.generator), str(folder / "network.safetensors")])
    for seed in range(2):
        pixels = tissue_pixels(160, 130, seed=seed)
        path = folder / "slides" / f"P{seed}.tif"
        write_tiff(path, pixels, spacing_um=2.0, num_levels=2, compression="adobe_deflate")
    _draw_outlines(folder / "outlines")
    _begin_to_paint(world, folder / "begun")
    work = folder / "shipping"
    work.mkdir()
    ship_generator(world, work, folder / SHIPPED / "kidney")
    shutil.rmtree(work)


def _draw_outlines(folder: Path) -> None:
    folder.mkdir()
    for i in range(6):
        inner = feature(square(2, 3, 6), "tumour")
        outer = feature(square(0, 0, 16), "stroma")
        (folder / f"s{i:06d}.geojson").write_text(geojson(outer, inner), encoding="utf-8")


def _begin_to_paint(world: TinyWorld, folder: Path) -> None:
    """A folder in which five tiles were painted on the page before its server was killed."""
    samples = SampleSet.open(world.samples)

    def paint(work: Work) -> None:
        work.unfinished.is_dear = True
        for record in samples.records()[:5]:
            labels = brightness_classes(samples.image(record))
            work.history.append(record.sample, 1, 0, Stroke("brush", 0, 0, labels), "Anna")
            work.history.mark(record.sample, Mark("keep"), "Anna")

    with patch.object(Work, "serve", paint):
        main(["annotate", str(world.samples), str(folder), "--no-browser"])
