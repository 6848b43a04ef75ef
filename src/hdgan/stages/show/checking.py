"""`hdgan show --check`: every file of an artifact, and of all that it was made from, read again."""

from collections.abc import Sequence
from dataclasses import dataclass

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.integrity import FilesFound, bytes_there, compare_files
from hdgan.artifacts.manifest import UNFINISHED
from hdgan.artifacts.shipped import shipped_folders
from hdgan.pipeline import Fact
from hdgan.report.progress import ProgressBar
from hdgan.stages.show.ancestors import Absent, Ancestors

MOST_NAMES = 50
"""Files of one sort that are named; of more it is said how many."""

_SORTS = ("missing", "changed", "unreadable", "additional")
"""What may befall a file, as `FilesFound` calls it."""


@dataclass(frozen=True)
class Checked:
    """An artifact that was read as a whole."""

    artifact: Artifact
    files: FilesFound

    @property
    def name(self) -> str:
        """Its kind and its folder."""
        folder = self.artifact.folder
        ending = " (comes with hdgan)" if folder in shipped_folders() else ""
        return f"{self.artifact.manifest.kind} {folder.resolve().name}{ending}"


def check(artifact: Artifact) -> tuple[dict[str, Fact], bool]:
    """What was found, by name, and whether something differs.

    Every byte at hand is read once. Memory does not grow with the size of files.

    Raises:
        ArtifactError: a manifest cannot be read.
    """
    ancestors = Ancestors(artifact)
    checked = _read([artifact, *ancestors.found])
    facts: dict[str, Fact] = {}
    for one in checked:
        facts |= _facts_of(one)
    for place, problem in ancestors.unreadable.items():
        facts[f"manifest of {place.name}"] = f"DIFFERS: {problem}"
    for absent in ancestors.absent:
        facts |= _facts_of_absent(absent)
    broken = [one for one in checked if not one.files.is_whole]
    facts["result"] = _result(broken, checked, ancestors)
    return facts, bool(broken or ancestors.unreadable)


def _read(artifacts: Sequence[Artifact]) -> list[Checked]:
    total = sum(bytes_there(artifact) for artifact in artifacts)
    read = 0

    with ProgressBar("show: reading", _megabytes(total), "MB") as progress:

        def advance(num_bytes: int) -> None:
            nonlocal read
            read += num_bytes
            progress.reach(_megabytes(read))

        return [Checked(artifact, compare_files(artifact, advance)) for artifact in artifacts]


def _megabytes(num_bytes: int) -> int:
    return -(-num_bytes // 10**6)


def _size(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:,.1f} MB" if num_bytes >= 1e6 else f"{num_bytes / 1e3:,.1f} kB"


def _facts_of(one: Checked) -> dict[str, Fact]:
    """A row for the artifact, and one for each sort of file that is not as it should be."""
    files, name = one.files, one.name
    size = f"{files.num_files:,} files, {_size(files.num_bytes)}"
    if (one.artifact.folder / UNFINISHED).is_dir():
        size += ", and a run has begun to add to it"
    if files.is_whole:
        return {name: f"whole: {size}, digest {one.artifact.digest[:12]}"}
    found = {sort: getattr(files, sort) for sort in _SORTS}
    counts = ", ".join(f"{len(names):,} {sort}" for sort, names in found.items() if names)
    facts: dict[str, Fact] = {name: f"DIFFERS: {counts}, of {size}"}
    for sort, names in found.items():
        if names:
            facts[f"{name}: {sort}"] = _listed(names)
    return facts


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f", and {more:,} more" if more > 0 else "")


def _facts_of_absent(absent: Absent) -> dict[str, Fact]:
    if absent.comes_along:
        name = f"parents of {absent.child.folder.name}"
        return {name: "not checked: they do not come with hdgan; its card tells of them"}
    return {f"{absent.name} {absent.digest[:12]}": f"not checked: {absent.reason}"}


def _result(broken: Sequence[Checked], checked: Sequence[Checked], ancestors: Ancestors) -> str:
    """What it comes to, and what to do."""
    absent = [one for one in ancestors.absent if not one.comes_along]
    left = f"; {len(absent)} of what it was made from not checked" if absent else ""
    if not (broken or ancestors.unreadable):
        return f"whole: {len(checked)} artifact{'s' if len(checked) > 1 else ''} checked{left}"
    places = [place.name for place in ancestors.unreadable]
    names = ", ".join([one.name for one in broken] + places)
    advice = ["restore the manifest from a copy"] if places else []
    if any(one.files.missing or one.files.changed or one.files.unreadable for one in broken):
        advice.append("restore the folder from a copy, or make the artifact again")
    if any(one.files.additional for one in broken):
        advice.append("move additional files out of the folder")
    return f"DIFFERS: {names}{left}. What to do: {'; '.join(advice)}."
