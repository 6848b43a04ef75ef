"""Whose tissue each slide is, and which fold its tiles belong to."""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path

from hdgan.artifacts.slide_files import SlideFile, fingerprint_of_file
from hdgan.artifacts.slide_metadata import (
    SlideMetadata,
    keys_of,
    metadata_of,
    read_metadata,
)
from hdgan.artifacts.tile_set import TileRecord, refuse_leak
from hdgan.errors import SettingsError
from hdgan.folds import dealt_to_folds, too_few_patients
from hdgan.report.progress import remark
from hdgan.settings.tile import TileSettings


def metadata_of_slides(
    files: Sequence[SlideFile], settings: TileSettings, table: Path | None
) -> dict[str, SlideMetadata]:
    """What is known of each slide: from the table, else from its name, else from the settings.

    Raises:
        SettingsError: a pattern finds nothing in a name, the table has no line for a slide, or two
            patients are named for one file.
    """
    rows = _table_rows(table, files)
    known, named = {}, set[str]()
    for file in files:
        row = metadata_of(rows, file.name, file.path)
        if table is not None and row is None:
            raise SettingsError(
                f"{table} has no line for the slide {file.name}. Add one, or take "
                f"{file.path.name} out of the folder."
            )
        row = row or SlideMetadata()
        name = file.name
        patient = row.patient or _found(name, settings.patient_pattern, "patient")
        if patient:
            named.add(name)
        known[name] = SlideMetadata(
            patient=patient or name,
            stain=row.stain or _found(name, settings.stain_pattern, "stain") or settings.stain,
            centre=row.centre or _found(name, settings.centre_pattern, "centre"),
            spacing_um=row.spacing_um,
            fold=row.fold,
        )
    _refuse_half_dealt(known, table)
    known = _with_copies(files, known, named)
    num_patients = len({row.patient for row in known.values()})
    if num_patients < settings.num_folds and all(row.fold is None for row in known.values()):
        raise too_few_patients(num_patients, settings.num_folds)
    return known


def _table_rows(table: Path | None, files: Sequence[SlideFile]) -> dict[str, SlideMetadata]:
    """The rows of a table; what nobody will read of it is said."""
    if table is None:
        return {}
    read = read_metadata(table)
    if read.other_columns:
        remark("tile", f"{table}: passed over the columns {', '.join(read.other_columns)}")
    used = {key for file in files for key in keys_of(file.name, file.path)}
    unused = [name for name in read.rows if name not in used]
    if unused:
        remark("tile", f"{table}: {len(unused)} lines are of no slide here, such as {unused[0]}")
    return read.rows


def _refuse_half_dealt(known: dict[str, SlideMetadata], table: Path | None) -> None:
    """Do nothing if all slides have a fold, or none."""
    without = [name for name, row in known.items() if row.fold is None]
    if without and len(without) < len(known):
        raise SettingsError(
            f"{table} gives folds to {len(known) - len(without)} slides, but not to {without[0]}. "
            "Give all of them one, or leave the column out."
        )


def _with_copies(
    files: Sequence[SlideFile], known: Mapping[str, SlideMetadata], named: Set[str]
) -> dict[str, SlideMetadata]:
    """The same, but a file that is there twice is one patient's: else one may test the other.

    Args:
        files: the slides.
        known: what is known of each.
        named: those whose patients somebody has named.

    Raises:
        SettingsError: two patients were named for it.
    """
    first: dict[str, SlideFile] = {}
    joined, copies, refused = dict(known), 0, []
    for file in files:
        mark = fingerprint_of_file(file.path)
        twin = file if mark is None else first.setdefault(mark, file)
        if not _may_be_parted(joined[file.name], joined[twin.name]):
            continue
        copies += 1
        if file.name not in named:
            joined[file.name] = replace(joined[file.name], patient=joined[twin.name].patient)
        else:
            refused.append((twin, file))
    if refused:
        one, two = refused[0]
        more = f" ({len(refused)} such pairs)" if len(refused) > 1 else ""
        raise SettingsError(
            f"{one.path} and {two.path} are the same file, but of the patients "
            f"{known[one.name].patient} and {known[two.name].patient}{more}: one could be learned "
            "from and the other tested on. Take one out of the folder, or give both the same "
            "patient (--patient-pattern or --table)."
        )
    if copies:
        remark("tile", f"{copies} files are copies of others: they count as the same patient's")
    return joined


def _may_be_parted(one: SlideMetadata, other: SlideMetadata) -> bool:
    """Whether two slides may come into different folds."""
    is_one_fold = one.fold is not None and one.fold == other.fold
    return one.patient != other.patient and not is_one_fold


def _found(name: str, pattern: str | None, what: str) -> str | None:
    """The patient, stain or centre in a file's name; None without a pattern."""
    if pattern is None:
        return None
    try:
        found = re.search(pattern, name)
    except re.error as error:
        raise SettingsError(
            f"--{what}-pattern {pattern!r} is no regular expression ({error})."
        ) from error
    if found is None or not found.groups() or not found[1]:
        raise SettingsError(
            f"--{what}-pattern {pattern!r} finds no {what} in {name!r}. Needed: a pattern with "
            "one group in brackets that matches every name, such as '^(P[0-9]+)_'."
        )
    return found[1]


def dealt_tiles(
    rows: Sequence[TileRecord], metadata: dict[str, SlideMetadata], settings: TileSettings
) -> list[TileRecord]:
    """The tiles with patient, stain, centre and fold.

    Raises:
        LeakError: the user has put a patient into two folds.
        SettingsError: there are fewer patients than folds.
    """
    known = [metadata[row.slide] for row in rows]
    patients = [row.patient or "" for row in known]
    given = [row.fold for row in known if row.fold is not None]
    folds = given or dealt_to_folds(
        patients,
        num_folds=settings.num_folds,
        seed=settings.seed,
        strata=[(row.centre, row.stain) for row in known],
    )
    refuse_leak(list(zip(patients, folds, strict=True)), "The table")
    return [
        row.model_copy(
            update={
                "fold": fold,
                "patient": about.patient,
                "stain": about.stain,
                "centre": about.centre,
            }
        )
        for row, fold, about in zip(rows, folds, known, strict=True)
    ]
