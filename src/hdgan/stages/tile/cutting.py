"""One slide to its tiles: a piece of work that any worker can do, and do again."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from shutil import rmtree

import numpy as np
from jaxtyping import Bool
from PIL import Image

from hdgan.artifacts.manifest import MANIFEST, UNFINISHED, digest_of_file, json_bytes
from hdgan.artifacts.outlines.outline_index import OutlineIndex
from hdgan.artifacts.outlines.reading import read_outlines
from hdgan.artifacts.slide_files import SlideFile
from hdgan.artifacts.slide_metadata import SlideMetadata
from hdgan.artifacts.slides.looking import brightfield_overview, known_spacing, scale_to
from hdgan.artifacts.slides.opening import PLAIN_SUFFIXES, open_slide
from hdgan.artifacts.slides.slide import Pixels, Slide, read_scaled
from hdgan.artifacts.tile_set import TileRecord
from hdgan.artifacts.writing import write_atomically
from hdgan.errors import InputError
from hdgan.geometry import Region
from hdgan.method.sharpness import sharpness
from hdgan.method.tile_grid import covered_fractions, tile_grid
from hdgan.method.tissue import tissue_mask, whitespace_mask
from hdgan.report.slide_overview import overview_picture
from hdgan.settings.tile import SLIDE_SIDE_PX, TileSettings
from hdgan.stages.tile.storing import encoded, jpeg_of, stored_as, tile_store

DEALING = (
    "centre_pattern",
    "num_folds",
    "patient_pattern",
    "seed",
    "spacing_um",
    "stain",
    "stain_pattern",
)
"""Settings that change no slide that was cut: they deal tiles to folds at the end, or,
`spacing_um`, concern some slides alone, whose notes say so."""

_WAYS = ("cluster", "keep_going", "workers")
"""Settings that decide how the work is done."""

MIN_TISSUE = 0.1
"""Of a slide's tile, unless the user says otherwise."""

THUMBNAILS = 6
"""Tiles of a slide, at most, that the report may show."""

THUMBNAIL_PX = 112
"""Side of their pictures."""


@dataclass(frozen=True)
class SlideWork:
    """What a worker needs to know to cut a slide."""

    file: SlideFile
    settings: TileSettings
    metadata: SlideMetadata
    output: Path
    """Folder of the artifact."""
    outlines: Path | None = None
    """The slide's annotations."""
    segmenter: Path | None = None
    """Folder of a segmenter."""

    @property
    def notes(self) -> Path:
        """Where it is written down what became of the slide."""
        return self.output / UNFINISHED / "slides" / f"{self.file.name}.json"

    @property
    def given_um(self) -> float | None:
        """Spacing of files that do not say theirs."""
        return self.settings.spacing_um

    @property
    def made_from(self) -> str:
        """Tells whether notes are of the same slide, cut in the same way."""
        others = {*DEALING, *_WAYS}
        chosen = {name: value for name, value in vars(self.settings).items() if name not in others}
        about = [
            chosen,
            self.file.path.stat().st_size,
            self.metadata.spacing_um,
            digest_of_file(self.outlines) if self.outlines else None,
            digest_of_file(self.segmenter / MANIFEST) if self.segmenter else None,
        ]
        return sha256(json.dumps(about).encode()).hexdigest()

    def forget(self) -> None:
        """Take back what is noted of the slide: its tiles are about to change or to go."""
        self.notes.unlink(missing_ok=True)
        rmtree(self.thumbnails, ignore_errors=True)

    def is_done(self) -> bool:
        """Whether an earlier run has cut this slide in this way."""
        if not self.notes.is_file():
            return False
        notes = json.loads(self.notes.read_bytes())
        same_spacing = not notes["asks_for_spacing"] or notes["given_um"] == self.given_um
        return bool(same_spacing and notes["made_from"] == self.made_from)

    @property
    def overview(self) -> Path:
        """The picture of the slide with its tissue and its tiles."""
        return self.output / "overviews" / f"{self.file.name}.jpg"

    @property
    def thumbnails(self) -> Path:
        """Where small pictures of some of its tiles are, until the report is made of them."""
        return self.output / UNFINISHED / "thumbnails" / self.file.name


@dataclass(frozen=True)
class Outcome:
    """What became of a slide."""

    work: SlideWork
    problem: str | None
    """Why it could not be cut; None if it was."""


def cut_slide(work: SlideWork) -> Outcome:
    """Cut a slide, unless an earlier run has done so; its notes are written last.

    Memory: the overview, a tile, and what the file's reader holds.
    """
    try:
        if work.is_done():
            return Outcome(work, None)
        made_from = work.made_from
        work.forget()
        with open_slide(work.file.path) as slide:
            notes = _Cut(work, slide).made()
    except InputError as error:
        return Outcome(work, str(error))
    except OSError as error:
        return Outcome(work, _unreadable(work, error))
    write_atomically(work.notes, json_bytes(notes | {"made_from": made_from}))
    return Outcome(work, None)


def _unreadable(work: SlideWork, error: OSError) -> str:
    """The sentence for a slide that the system does not give; another error goes on."""
    if error.filename is None or Path(error.filename) != work.file.path:
        raise error
    return (
        f"{work.file.path} cannot be read ({error.strerror}). Check the file and its permissions, "
        "or leave it out."
    )


def problem_with(work: SlideWork) -> str | None:
    """Why a slide could not be cut, as far as its first bytes tell; None if they say nothing.

    Plain images, which would be decoded as a whole, are not looked at.
    """
    if work.file.path.suffix.lower() in PLAIN_SUFFIXES:
        return None
    try:
        with open_slide(work.file.path) as slide:
            _Cut(work, slide)
    except InputError as error:
        return str(error)
    except OSError as error:
        return _unreadable(work, error)
    return None


@dataclass(frozen=True)
class _Candidate:
    """A place for a tile, with what the overview says of it."""

    region: Region
    whitespace: float
    tissue: float | None


class _Cut:
    """A slide on its way to tiles."""

    def __init__(self, work: SlideWork, slide: Slide) -> None:
        self.work, self.slide, self.settings = work, slide, work.settings
        self.is_plain = slide.kind == "plain image"
        self.full = slide.levels[0]
        wanted_um = work.settings.to_spacing_um
        self.asks_for_spacing = slide.spacing_um is None and work.metadata.spacing_um is None
        own_um = work.metadata.spacing_um  # the table knows better than the file
        self.spacing_um = own_um or known_spacing(
            slide, work.given_um, is_needed=wanted_um is not None
        )
        self.scale = scale_to(slide, self.spacing_um, wanted_um)
        self.side_px = work.settings.side_px or (None if self.is_plain else SLIDE_SIDE_PX)

    def made(self) -> dict[str, object]:
        """Write the tiles; what there is to say of the slide and of each comes back."""
        candidates = self._candidates()
        with tile_store(self.work.output, self.work.file.name, self.settings) as put:
            tiles = [record for candidate in candidates for record in self._tile(candidate, put)]
        self._write_thumbnails(tiles)
        if not self.is_plain:
            picture = overview_picture(
                self.small, self.tissue, [self._on_overview(tile.region) for tile in tiles]
            )
            write_atomically(self.work.overview, jpeg_of(picture, 85))
        return {
            "given_um": self.work.given_um if self.asks_for_spacing else None,
            "asks_for_spacing": self.asks_for_spacing,
            "slide": self._about(len(tiles)),
            "problem": None if tiles else self._why_none(candidates),
            "tiles": [tile.model_dump() for tile in tiles],
        }

    @cached_property
    def small(self) -> Pixels:
        """The overview; a plain image is its own."""
        if self.is_plain:
            return self.slide.read(0, Region(0, 0, self.full.width, self.full.height))
        return brightfield_overview(self.slide)

    @cached_property
    def tissue(self) -> Bool[np.ndarray, "height width"]:
        """Where the overview shows tissue."""
        larger = self.full.width / self.small.shape[1]
        return tissue_mask(self.small, self.spacing_um and self.spacing_um * larger)

    def _why_none(self, candidates: Sequence[_Candidate]) -> str:
        """What keeps a slide without tiles."""
        if candidates:
            return "No tile is sharp enough, or shows the compartments."
        if self.side_px and self.side_px * self.scale > min(self.full.width, self.full.height):
            return f"It is smaller than a tile of {self.side_px} pixels."
        if self._outlines is not None:
            return "No place has enough tissue and touches the compartments."
        return "No place has enough tissue."

    def _candidates(self) -> list[_Candidate]:
        """Places with enough tissue that touch the wanted compartments, if some are wanted."""
        side_px = self.side_px
        regions = tile_grid(self.full.width, self.full.height, side_px, scale=self.scale)
        whitespace = self._covered(whitespace_mask(self.small), regions)
        tissue = None if self.is_plain else self._covered(self.tissue, regions)
        least = self.settings.min_tissue
        if least is None:
            least = 0.0 if self.is_plain else MIN_TISSUE
        elif tissue is None:
            tissue = self._covered(self.tissue, regions)
        found = [
            _Candidate(
                region,
                round(float(whitespace[i]), 6),
                None if tissue is None else round(float(tissue[i]), 6),
            )
            for i, region in enumerate(regions)
        ]
        return [
            candidate
            for candidate in found
            if candidate.whitespace <= self.settings.max_whitespace
            and (candidate.tissue is None or candidate.tissue >= least)
            and self._is_of_interest(candidate.region)
        ]

    def _covered(
        self, mask: Bool[np.ndarray, "height width"], regions: Sequence[Region]
    ) -> np.ndarray:
        return covered_fractions(mask, regions, self.full.width, self.full.height)

    def _is_of_interest(self, region: Region) -> bool:
        """Whether the annotations have a wanted compartment there; they decide if there are any."""
        if self._outlines is None:
            return True
        if self.settings.min_compartment > 0:
            return self._outlines.fraction(region) >= self.settings.min_compartment
        return self._outlines.touches(region)

    @cached_property
    def _outlines(self) -> OutlineIndex | None:
        if self.work.outlines is None:
            return None
        wanted = set(self.settings.compartments) or None
        return OutlineIndex(read_outlines(self.work.outlines), wanted)

    def _tile(
        self, candidate: _Candidate, put: Callable[[str, bytes], None]
    ) -> Iterator[TileRecord]:
        """Store a tile, unless its pixels do not please."""
        region, settings = candidate.region, self.settings
        width, height = (
            self.side_px or max(1, round(side / self.scale))
            for side in (region.width, region.height)
        )
        whole = self.is_plain and settings.side_px is None
        name = self.work.file.name
        record = TileRecord(
            tile=name if whole else f"{name}_x{region.x}_y{region.y}",
            slide=name,
            patient="",
            stain=None,
            x=region.x,
            y=region.y,
            width=width,
            height=height,
            scale=self.scale,
            covered_width=region.width,
            covered_height=region.height,
            spacing_um=self.spacing_um and round(self.spacing_um * self.scale, 9),
            whitespace=candidate.whitespace,
            tissue=candidate.tissue,
            fold=0,
            stored=stored_as(settings),
        )
        if self._needs_pixels:
            pixels = read_scaled(self.slide, region, width, height)
            sharp = sharpness(pixels)
            if not self._pleases(pixels, sharp):
                return
            record = record.model_copy(
                update={"sharpness": None if np.isnan(sharp) else round(sharp, 6)}
            )
            if record.stored != "slide":
                put(record.image, encoded(pixels, settings))
        yield record

    @property
    def _needs_pixels(self) -> bool:
        settings = self.settings
        needs = self.work.segmenter is not None or settings.min_sharpness is not None
        return needs or settings.storage != "virtual"

    def _pleases(self, pixels: Pixels, sharp: float) -> bool:
        """Whether a tile is sharp enough and has the compartments that a segmenter looks for."""
        settings = self.settings
        if settings.min_sharpness is not None and not sharp >= settings.min_sharpness:
            return False
        if self.work.segmenter is None:
            return True
        part = _part_of(self.work.segmenter, settings.compartments, pixels)
        return part > 0 and part >= settings.min_compartment

    def _on_overview(self, region: Region) -> Region:
        height, width, _ = self.small.shape
        across, down = width / self.full.width, height / self.full.height
        return Region(
            round(region.x * across),
            round(region.y * down),
            max(1, round(region.width * across)),
            max(1, round(region.height * down)),
        )

    def _write_thumbnails(self, tiles: Sequence[TileRecord]) -> None:
        """Small pictures of a few tiles, cut from the overview."""
        every = max(1, -(-len(tiles) // THUMBNAILS))
        for tile in tiles[::every]:
            region = self._on_overview(tile.region)
            cut = self.small[
                region.y : region.y + region.height, region.x : region.x + region.width
            ]
            small = Image.fromarray(np.ascontiguousarray(cut)).resize((THUMBNAIL_PX,) * 2)
            write_atomically(
                self.work.thumbnails / f"{tile.tile}.jpg", jpeg_of(np.asarray(small), 85)
            )

    def _about(self, num_tiles: int) -> dict[str, object]:
        """What the slide itself says."""
        return {
            "kind": self.slide.kind,
            "width": self.full.width,
            "height": self.full.height,
            "spacing_um": self.spacing_um,
            "tiles": num_tiles,
            "tissue": None if self.is_plain else round(float(self.tissue.mean()), 6),
        }


def _part_of(segmenter: Path, classes: Sequence[str], pixels: Pixels) -> float:
    """The part of a tile that a segmenter takes for one of these classes."""
    from hdgan.method.segmenter.network import predicted_labels

    network, names = _segmenter(segmenter)
    labels = predicted_labels(network, pixels)
    return float(np.isin(labels, [names.index(name) for name in classes]).mean())


@cache
def _segmenter(folder: Path):  # type: ignore[no-untyped-def]
    from hdgan.artifacts.segmenter import SegmenterFolder

    model = SegmenterFolder.open(folder)
    return model.network(), model.class_map.names
