"""The annotated drawings that come with a shipped generator, as a sample set and an annotation set.

usage: shipped_annotations.py GENERATOR OUTPUT    (GENERATOR: kidney, nuclei, phantom)

Writes OUTPUT/samples and OUTPUT/annotations.
"""

import sys
from pathlib import Path

from hdgan.artifacts.shipped import shipped_or
from hdgan.artifacts.shipped_generator import ANNOTATED_CLASSES, ShippedGenerator
from hdgan.settings.import_annotations import ImportAnnotationsSettings
from hdgan.settings.sample import SampleSettings
from hdgan.stages.import_annotations import import_annotations
from hdgan.stages.sample import sample


def main(name: str, output: Path) -> None:
    """Draw the annotated ones again, and take in their label maps."""
    generator = ShippedGenerator.open(shipped_or(Path(name)))
    seeds = tuple(sorted(drawing.seed for drawing in generator.annotated()))
    settings = SampleSettings(**generator.about.drawn_with, seeds=seeds, select=0)
    sample(generator.folder, output / "samples", settings)
    import_annotations(
        output / "samples",
        generator.labels_folder(),
        output / "annotations",
        ImportAnnotationsSettings(),
        generator.checked_path(ANNOTATED_CLASSES),
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
