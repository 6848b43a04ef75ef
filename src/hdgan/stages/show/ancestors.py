"""All that an artifact was made from, as far as it lies beside it."""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.lineage import places_beside
from hdgan.artifacts.manifest import LAYOUT, MANIFEST, digest_of_file
from hdgan.artifacts.shipped import shipped_folders
from hdgan.errors import ArtifactError
from hdgan.stages.show.lineage import FILES

_OURS = frozenset({"kind", "layout", "files"})
"""Parts of a manifest, of which a damaged one has some left."""


@dataclass(frozen=True)
class Absent:
    """A parent that is not at hand."""

    name: str
    """What the manifest calls it: its kind, and a number if there are several."""

    digest: str
    """By which it is known."""

    child: Artifact
    """What was made from it."""

    reason: str
    """Why it is not at hand."""

    @property
    def comes_along(self) -> bool:
        """Whether its child comes with the package, which brings no ancestors of it."""
        return self.child.folder in shipped_folders()


class Ancestors:
    """The parents of an artifact, and theirs, each once, nearest first.

    A parent is the folder whose manifest has the digest that the child's manifest names: so whoever
    is found is the one that was used, and its manifest is unchanged. Looked at are the folders
    beside each child, and the generators that come with the package, as by every verb.
    """

    def __init__(self, artifact: Artifact) -> None:
        self.found: list[Artifact] = []
        """Those that lie there."""
        self.absent: list[Absent] = []
        """Those that do not."""
        self.unreadable: dict[Path, str] = {}
        """Folders that may be one of these, if their manifests could be read, and why not."""
        self._places: dict[Path, _Place] = {}
        self._walk(artifact)

    def _walk(self, artifact: Artifact) -> None:
        met, waiting = {artifact.digest}, deque([artifact])
        while waiting:
            child = waiting.popleft()
            for name, digest in child.manifest.parents.items():
                if digest in met:
                    continue
                met.add(digest)
                parent = self._parent(child, name, digest)
                if isinstance(parent, Absent):
                    self.absent.append(parent)
                else:
                    self.found.append(parent)
                    waiting.append(parent)

    def _parent(self, child: Artifact, name: str, digest: str) -> Artifact | Absent:
        kind = name.split(" ")[0]
        if kind in FILES:
            return Absent(
                name, digest, child, "a file or folder of yours, of which hdgan keeps none"
            )
        place = self._place(child.folder)
        if digest not in place.by_digest:
            self.unreadable |= place.unreadable
            reason = f"in no folder beside {child.folder.name}{place.others_of(kind)}"
            return Absent(name, digest, child, reason)
        try:
            return Artifact.open(place.by_digest[digest])
        except ArtifactError as error:
            return Absent(name, digest, child, str(error))

    def _place(self, child: Path) -> "_Place":
        """The folder that holds a child; each is looked through once."""
        return self._places.setdefault(child.resolve().parent, _Place(child))


def _is_broken(manifest: Path) -> bool:
    """Whether a manifest may be one of ours that was damaged.

    One of another layout is whole, and many programs call a file so.
    """
    try:
        content = json.loads(manifest.read_bytes())
    except (OSError, ValueError, RecursionError):
        return True
    if not isinstance(content, dict) or content.get("layout", LAYOUT) != LAYOUT:
        return False
    return not _OURS.isdisjoint(content)


@dataclass(frozen=True)
class _Place:
    """Where parents of an artifact may lie."""

    child: Path
    """The folder of the artifact, or of another beside it."""

    @cached_property
    def by_digest(self) -> dict[str, Path]:
        """Artifacts by the digests of their manifests, and those that come with the package."""
        found: dict[str, Path] = {}
        for place in places_beside(self.child):
            found.setdefault(digest_of_file(place / MANIFEST), place)
        return found

    @cached_property
    def unreadable(self) -> dict[Path, str]:
        """Folders whose manifests cannot be read, and why; those of other programs do not count."""
        found = {}
        for place in self.by_digest.values():
            try:
                Artifact.open(place)
            except ArtifactError as error:
                if _is_broken(place / MANIFEST):
                    found[place] = str(error)
        return found

    def others_of(self, kind: str) -> str:
        """In words, what else of this kind lies here; empty if nothing does."""
        names = ", ".join(self._names_of(kind))
        return f"; of this kind is {names}, but it is another or has been changed" if names else ""

    def _names_of(self, kind: str) -> Iterator[str]:
        for place in self.by_digest.values():
            try:
                is_one = Artifact.open(place).manifest.kind == kind
            except ArtifactError:
                continue
            if is_one and place not in shipped_folders():
                yield place.name
