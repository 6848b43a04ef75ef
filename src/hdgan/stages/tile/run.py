"""`hdgan tile`: slides, or a folder of images, to a tile set."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.manifest import digest_of_file
from hdgan.artifacts.order import Order, plain
from hdgan.artifacts.outlines.matching import outlines_of_slides, strange_outlines
from hdgan.artifacts.slide_files import (
    SlideFile,
    fingerprint,
    fingerprint_of_file,
    slide_files,
)
from hdgan.artifacts.slide_metadata import SlideMetadata
from hdgan.artifacts.slides.opening import PLAIN_SUFFIXES
from hdgan.artifacts.table import table_bytes
from hdgan.artifacts.tile_set import (
    SLIDES,
    SOURCE,
    TILES,
    SlideRecord,
    TileRecord,
    TileSet,
)
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once
from hdgan.artifacts.virtual_tiles import source_bytes
from hdgan.errors import ImageError, SettingsError
from hdgan.pipeline import Fact, Made
from hdgan.report.progress import ProgressBar, remark
from hdgan.report.tile_report import MAX_OVERVIEWS, SHEET_TILES, tile_report
from hdgan.settings.tile import TileSettings, TileSources
from hdgan.stages.tile.cutting import DEALING, Outcome, SlideWork, cut_slide, problem_with
from hdgan.stages.tile.dealing import dealt_tiles, metadata_of_slides
from hdgan.workers import done_by_cluster, done_by_processes, done_here, num_cores

REPORT = "report.html"

LOOKED_AT_ONCE = 8
"""Slides that are opened at a time, to see whether they can be cut."""


def tile(
    slides: Path, output: Path, settings: TileSettings, sources: TileSources | None = None
) -> Made:
    """Cut slides, or the images of a folder, into tiles.

    Memory is that of `cut_slide` for each worker; disk, the tiles (nothing, if virtual).

    Raises:
        ImageError: a slide cannot be read, or none gives a tile.
        InputError: the table or the annotations cannot be read.
        LeakError: the table puts a patient into two folds.
        SettingsError: a file name has no patient, there are too few patients, or compartments are
            asked for that nobody could find.
        StorageError: the disk is full, or a worker died.
    """
    sources = sources or TileSources()
    if settings.cluster is not None:  # workers have a current folder of their own
        slides, output, sources = slides.absolute(), output.absolute(), sources.absolute()
    if slides.is_dir() and output.resolve().is_relative_to(slides.resolve()):
        raise SettingsError(
            f"{output} lies inside {slides}, so its tiles would be taken for images the next time. "
            "Choose a folder beside it."
        )
    files = slide_files(slides)
    metadata = metadata_of_slides(files, settings, sources.table)
    works = _works(files, metadata, output, settings, sources)
    passed_over: dict[str, Any] = {
        "slide": None,
        "tiles": [],
        "problem": f"No annotations in {sources.outlines}.",
    }
    parents = {"images": fingerprint(slides, files), **_parents(sources, works)}
    order = Order("tile-set", plain(settings), parents, late=DEALING)

    def make(unfinished: UnfinishedArtifact) -> None:
        problems = _cut(works, settings)
        notes = {work.file.name: _notes(work, problems) for work in works}
        base = slides.parent if slides.is_file() else slides
        slide_rows = [
            _slide_row(file, metadata[file.name], notes.get(file.name, passed_over), base)
            for file in files
        ]
        tiles = [TileRecord(**row) for note in notes.values() for row in note["tiles"]]
        if not tiles:
            _remove_strangers(unfinished, [], [])  # leaves the folder free for another command
            raise ImageError(_nothing(slides, settings, slide_rows))
        refuse_twins(tiles)
        dealt = dealt_tiles(tiles, metadata, settings)
        _remove_strangers(unfinished, works, tiles)
        unfinished.write(TILES, table_bytes(dealt, TileRecord))
        unfinished.write(SLIDES, table_bytes(slide_rows, SlideRecord))
        if settings.storage == "virtual":
            unfinished.write(SOURCE, source_bytes(base))
        unfinished.write(
            REPORT, tile_report(dealt, slide_rows, _thumbnails(works), _overviews(works))
        )

    made_once(output, order, make)
    return Made("tile-set", output, _facts(output))


def _works(
    files: Sequence[SlideFile],
    metadata: dict[str, SlideMetadata],
    output: Path,
    settings: TileSettings,
    sources: TileSources,
) -> list[SlideWork]:
    """What is to be done, a piece a slide.

    Raises:
        SettingsError: compartments are asked for and nobody could find them.
        InputError: no annotation belongs to a slide.
    """
    if settings.compartments and not (sources.outlines or sources.segmenter):
        raise SettingsError(
            "--compartments needs to know where they are. Give annotations with --outlines, or a "
            "segmenter with --segmenter."
        )
    if sources.segmenter is not None:
        _check_segmenter(sources.segmenter, settings.compartments)
    outlines: dict[str, Path] = {}
    if sources.outlines is not None:
        outlines = outlines_of_slides(sources.outlines, files, settings.compartments)
        if len(outlines) < len(files):
            number = len(files) - len(outlines)
            remark("tile", f"{number} of {len(files)} slides have no annotations: passed over")
        strange = strange_outlines(sources.outlines, outlines)
        if strange:
            remark("tile", f"{strange[0]} is named like no slide ({len(strange)} such files)")
    return [
        SlideWork(
            file,
            settings,
            metadata[file.name],
            output,
            outlines.get(file.name),
            sources.segmenter,
        )
        for file in files
        if sources.outlines is None or file.name in outlines
    ]


def _check_segmenter(folder: Path, compartments: Sequence[str]) -> None:
    from hdgan.artifacts.segmenter import SegmenterFolder

    names = SegmenterFolder.open(folder).class_map.names
    strange = [name for name in compartments if name not in names]
    if strange or not compartments:
        what = f"names {strange[0]}, which {folder} does not know" if strange else "is missing"
        raise SettingsError(
            f"--compartments {what}. The classes of the segmenter are {', '.join(names)}."
        )


def _parents(sources: TileSources, works: Sequence[SlideWork]) -> dict[str, str]:
    """Digests of what the tiles depend on beside the slides."""
    parents: dict[str, str] = {}
    if sources.table is not None:
        parents["table"] = digest_of_file(sources.table)
    if sources.outlines is not None:
        paths = [work.outlines for work in works if work.outlines is not None]
        parents["outlines"] = fingerprint(
            sources.outlines, [SlideFile(path.name, path) for path in paths]
        )
    if sources.segmenter is not None:
        parents |= Artifact.open(sources.segmenter).parents
    return parents


def _cut(works: Sequence[SlideWork], settings: TileSettings) -> dict[str, str]:
    """Cut every slide; the problems of those that were left out come back, by name.

    Raises:
        ImageError: a slide cannot be read, and the run is not to keep going.
    """
    left = [work for work in works if not work.is_done()]
    done = len(works) - len(left)
    problems: dict[str, str] = {}
    if not settings.keep_going:
        _refuse_now(left)
    with ProgressBar("tile", len(works), "slides", done=done) as progress:
        for outcome in _outcomes(left, settings):
            if outcome.problem is not None:
                if not settings.keep_going:
                    raise ImageError(outcome.problem)
                progress.say(f"tile: left out: {outcome.problem}")
                problems[outcome.work.file.name] = outcome.problem
            progress.advance()
    return problems


def _refuse_now(works: Sequence[SlideWork]) -> None:
    """Look at every slide before the long work begins.

    Raises:
        ImageError: some cannot be cut.
    """
    with ThreadPoolExecutor(LOOKED_AT_ONCE) as threads:
        found = list(threads.map(problem_with, works))
    problems = {work.file.name: why for work, why in zip(works, found, strict=True) if why}
    if not problems:
        return
    first, *others = problems
    more = f" The same run would also stop at {_some(others)}." if others else ""
    raise ImageError(
        f"{problems[first]}{more} This run has cut nothing; --keep-going leaves such slides out."
    )


def _outcomes(works: Sequence[SlideWork], settings: TileSettings) -> Iterator[Outcome]:
    are_plain = all(work.file.path.suffix.lower() in PLAIN_SUFFIXES for work in works)
    num_workers = settings.workers or (1 if are_plain else num_cores())
    if settings.cluster is not None:
        return done_by_cluster(cut_slide, works, settings.cluster, num_workers)
    if num_workers > 1 and works:  # one slide, too: a library that crashes on it ends no command
        return done_by_processes(cut_slide, works, min(num_workers, len(works)))
    return done_here(cut_slide, works)


def _notes(work: SlideWork, problems: dict[str, str]) -> dict[str, Any]:
    """What was written down of a slide; nothing of one that was left out."""
    problem = problems.get(work.file.name)
    if problem is not None:
        return {"slide": None, "tiles": [], "problem": problem}
    content: dict[str, Any] = json.loads(work.notes.read_bytes())
    return content


def _slide_row(
    file: SlideFile, known: SlideMetadata, note: dict[str, Any], base: Path
) -> SlideRecord:
    nothing = dict.fromkeys(("kind", "width", "height", "spacing_um", "tissue"))
    about: dict[str, Any] = note["slide"] or nothing | {"tiles": 0}
    return SlideRecord(
        **about,
        slide=file.name,
        file=file.path.relative_to(base).as_posix(),
        size_bytes=file.path.stat().st_size,
        patient=known.patient or "",
        stain=known.stain,
        centre=known.centre,
        problem=note["problem"],
        fingerprint=fingerprint_of_file(file.path),
    )


def _thumbnails(works: Sequence[SlideWork]) -> dict[str, bytes]:
    """Small pictures of some tiles, as JPEG, by tile."""
    every = max(1, len(works) // SHEET_TILES)
    return {
        path.stem: path.read_bytes()
        for work in works[::every]
        for path in sorted(work.thumbnails.glob("*.jpg"))
    }


def _overviews(works: Sequence[SlideWork]) -> dict[str, bytes]:
    """Pictures of the first slides, as JPEG, by slide; plain images have none."""
    there = [work for work in works if work.overview.is_file()]
    return {work.file.name: work.overview.read_bytes() for work in there[:MAX_OVERVIEWS]}


def refuse_twins(tiles: Sequence[TileRecord]) -> None:
    """Do nothing if no two tiles have one name.

    Raises:
        ImageError: two have; one was written over the other.
    """
    name, count = Counter(row.tile for row in tiles).most_common(1)[0]
    if count > 1:
        slides = sorted({row.slide for row in tiles if row.tile == name})
        raise ImageError(
            f"Two tiles would be called {name}, of the slides {' and '.join(slides)}. Rename one "
            "of the slides, and choose a new folder for the tiles."
        )


def _remove_strangers(
    unfinished: UnfinishedArtifact, works: Sequence[SlideWork], tiles: Sequence[TileRecord]
) -> None:
    """Take away what an earlier run left of slides that are no longer there."""
    images = {row.image.partition(".zip/")[0] + ".zip" for row in tiles if ".zip/" in row.image}
    kept = images | {row.image for row in tiles} | {f"overviews/{w.file.name}.jpg" for w in works}
    names = {work.file.name for work in works}
    for notes in (unfinished.scratch / "slides").glob("*.json"):
        if notes.stem not in names:
            notes.unlink()  # first: notes promise that the tiles are there
    for folder in ("images", "overviews"):
        for path in (unfinished.folder / folder).glob("*"):
            if f"{folder}/{path.name}" not in kept:
                unfinished.remove(f"{folder}/{path.name}")


def _nothing(slides: Path, settings: TileSettings, rows: Sequence[SlideRecord]) -> str:
    """Why there is no tile: the reasons of the slides, the commonest first."""
    reasons = Counter(row.problem or "" for row in rows).most_common(3)
    listed = " ".join(f"{count} of {len(rows)}: {reason}" for reason, count in reasons)
    wanted = ", --min-compartment" if settings.compartments else ""
    return (
        f"{slides} gives no tile. {listed} Choose smaller tiles, raise --max-whitespace or lower "
        f"--min-tissue{wanted}."
    )


def _facts(output: Path) -> dict[str, Fact]:
    tile_set = TileSet.open(output)
    records, slides = tile_set.records(), tile_set.slides()
    folds = [record.fold for record in records]
    stains = {record.stain for record in records if record.stain}
    centres = {record.centre for record in records if record.centre}
    problems = [slide.slide for slide in slides if not slide.tiles]
    return {
        "tiles": len(records),
        "images": len({record.slide for record in records}),
        "patients": len({record.patient for record in records}),
        **({"stains": " ".join(sorted(stains))} if stains else {}),
        **({"centres": " ".join(sorted(centres))} if centres else {}),
        "tiles by fold": ", ".join(f"{fold}: {folds.count(fold)}" for fold in sorted({*folds})),
        **({"slides without tiles": _some(problems)} if problems else {}),
        "report": str(output / REPORT),
    }


def _some(names: Sequence[str]) -> str:
    """The first few of many names."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
