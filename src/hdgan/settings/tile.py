"""Choices of `hdgan tile`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hdgan.errors import SettingsError
from hdgan.settings.bounds import above_zero, at_least, within

Storage = Literal["files", "shards", "virtual"]
ImageFormat = Literal["png", "jpeg"]

SLIDE_SIDE_PX = 4096
"""Side of a slide's tiles unless the user says otherwise; the paper's."""


@dataclass(frozen=True)
class TileSources:
    """What may be known of slides beside their pixels."""

    table: Path | None = None
    """CSV with a line a slide: the column `slide` (name of the file), and any of `patient`,
    `stain`, `centre`, `spacing_um`, `fold`."""

    outlines: Path | None = None
    """Folder of annotations named like the slides: QuPath GeoJSON, ASAP XML or Aperio XML. With
    --compartments only tiles that touch these classes are kept; without, those that touch any."""

    segmenter: Path | None = None
    """A segmenter: only tiles in which it finds --compartments are kept."""

    def absolute(self) -> "TileSources":
        """The same, from whatever folder they are looked for."""
        return TileSources(*(path and path.absolute() for path in vars(self).values()))


@dataclass(frozen=True)
class TileSettings:
    """How slides are cut and dealt to folds."""

    side_px: int | None = None
    """Side of a tile. Without it slides are cut at 4096, and each plain image is one tile, as it
    is. What is left over at the right and lower edges is left out."""

    spacing_um: float | None = None
    """Tissue per pixel, um/px, of files that do not say theirs and have none in the table."""

    to_spacing_um: float | None = None
    """Tissue per pixel of the tiles, um/px: what was scanned finer is made smaller; what is coarser
    by more than a tenth is refused. Without it pixels stay as they were scanned."""

    stain: str | None = None
    """Name of the stain of all images; a generator can be told it (`train-generator --condition
    stain`)."""

    stain_pattern: str | None = None
    """Regular expression whose first group, found in the file name, is the stain, if not all images
    have the same."""

    max_whitespace: float = 0.9
    """Tiles with a larger part of empty glass are left out."""

    min_tissue: float | None = None
    """Tiles with a smaller part of tissue, as found on the slide's overview, are left out. Without
    it 0.1 for slides; plain images are not judged."""

    min_sharpness: float | None = None
    """Tiles that are more blurred are left out; look at the column `sharpness` of an earlier tile
    set. Needs the pixels, which makes --storage virtual slow."""

    compartments: tuple[str, ...] = ()
    """Compartments of interest: classes of the --outlines or of the --segmenter that tiles must
    touch."""

    min_compartment: float = 0.0
    """Smallest part of a tile that these must cover; 0 takes any touch."""

    patient_pattern: str | None = None
    """Regular expression whose first group, found in the file name, is the patient. Without it
    each image is its own patient."""

    centre_pattern: str | None = None
    """Regular expression whose first group, found in the file name, is the centre. Folds have about
    equal parts of each centre and stain."""

    storage: Storage = "files"
    """`files`: an image a tile. `shards`: one ZIP archive a slide. `virtual`: coordinates alone;
    pixels are read from the slides whenever they are needed."""

    image_format: ImageFormat = "png"
    """How tiles are stored; `jpeg` is a fifth of the size, and not what was scanned."""

    jpeg_quality: int = 95
    """Quality of JPEG, without subsampling of colours."""

    num_folds: int = 5
    """Folds to deal the patients to. The paper has five."""

    seed: int = 0
    """Another seed deals the patients in another way."""

    workers: int | None = None
    """Slides at once. Without it as many as there are cores; for plain images one."""

    cluster: str | None = None
    """Work on a Dask cluster that sees the same files: the address of its scheduler, or `slurm`."""

    keep_going: bool = False
    """Leave out slides that cannot be read, and say so in `slides.csv`, instead of stopping."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        if self.stain is not None and self.stain_pattern is not None:
            raise SettingsError("--stain and --stain-pattern exclude one another: choose one.")
        if self.storage == "virtual" and self.image_format == "jpeg":
            raise SettingsError(
                "--storage virtual stores no pixels, so --image-format jpeg says nothing: leave "
                "one of them out."
            )
        at_least(self, 8, "side_px")
        at_least(self, 1, "num_folds", "workers")
        above_zero(self, "spacing_um", "to_spacing_um")
        within(self, 0, 1, "max_whitespace", "min_tissue", "min_compartment")
        within(self, 1, 100, "jpeg_quality")
