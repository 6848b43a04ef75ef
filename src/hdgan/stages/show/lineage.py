"""Where an artifact comes from, and what was made from it."""

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.lineage import places_beside
from hdgan.artifacts.manifest import MANIFEST, digest_of_file
from hdgan.artifacts.shipped import shipped_folders
from hdgan.artifacts.shipped_generator import CARD
from hdgan.errors import ArtifactError
from hdgan.pipeline import Fact
from hdgan.report.artifact_page import Relative

FILES = frozenset({"images", "label-maps", "encoder", "network-file", "outlines", "table", "text"})
"""Parents that are files rather than artifacts."""

_README = "README.md"


def folders_beside(folder: Path) -> dict[str, Path]:
    """The artifacts beside a folder, itself among them, and the shipped ones, by digest.

    What cannot be opened is passed over: it is not what is asked for.
    """
    found: dict[str, Path] = {}
    for place in places_beside(folder):
        try:
            Artifact.open(place)
        except ArtifactError:
            continue
        found.setdefault(digest_of_file(place / MANIFEST), place)
    return found


def origin_facts(artifact: Artifact, beside: Mapping[str, Path]) -> dict[str, Fact]:
    """What an artifact was made from, and where that lies."""
    manifest = artifact.manifest
    facts: dict[str, Fact] = {}
    for kind, digest in manifest.parents.items():
        place = "" if kind in FILES else " (in no folder beside it)"
        place = f" in {beside[digest]}" if digest in beside else place
        facts[f"made from {kind}"] = f"{digest[:12]}{place}"
    return facts


def learned_facts(artifact: Artifact, beside: Mapping[str, Path]) -> dict[str, Fact]:
    """Which folds it has learned from, by the names of the tile sets that lie beside it."""
    seen = artifact.manifest.seen
    if not seen:
        return {}
    names = {digest: beside[digest].name if digest in beside else digest[:12] for digest in seen}
    return {
        "has learned from folds": "; ".join(
            f"{', '.join(map(str, folds))} of tile-set {names[digest]}"
            for digest, folds in seen.items()
        )
    }


def card_facts(artifact: Artifact) -> dict[str, Fact]:
    """Where its card lies."""
    cards = [name for name in (CARD, _README) if name in artifact.manifest.files]
    return {"card": str(artifact.folder / cards[0])} if cards else {}


def file_facts(artifact: Artifact) -> dict[str, Fact]:
    """What files there are; every one of them was checked before."""
    names, folder = artifact.manifest.files, artifact.folder
    facts: dict[str, Fact] = {}
    counts = Counter(str(PurePosixPath(name).parent) for name in names)
    sizes = sum((folder / name).stat().st_size for name in names)
    facts["files"] = ", ".join(
        f"{count} in {place}" if place != "." else f"{count} at the top"
        for place, count in sorted(counts.items())
    )
    facts["size"] = f"{sizes / 1e6:.1f} MB"
    facts["whole"] = "yes: every file has the SHA-256 that the manifest says"
    return facts


def making_facts(artifact: Artifact, unused: frozenset[str] = frozenset()) -> dict[str, Fact]:
    """By what it was made, with which choices, and its digest.

    Args:
        artifact: it.
        unused: settings that had no say, because others took their place.
    """
    manifest = artifact.manifest
    settings = {name: value for name, value in manifest.settings.items() if name not in unused}
    facts: dict[str, Fact] = {"made by": manifest.made_by, "digest": artifact.digest}
    for name, value in settings.items():
        if value is not None:
            facts[f"setting {name.replace('_', '-')}"] = json.dumps(value, ensure_ascii=False)
    left = [name.replace("_", "-") for name, value in settings.items() if value is None]
    if left:
        facts["settings not given"] = ", ".join(left)
    return facts


@dataclass(frozen=True)
class Linker:
    """Finds where a page can lead to."""

    page: Path
    """The page's file."""

    beside: Mapping[str, Path]
    """Folders by digest."""

    def parents(self, artifact: Artifact) -> list[Relative]:
        """What an artifact was made from."""
        return [self._to(kind, digest) for kind, digest in artifact.manifest.parents.items()]

    def children(self, artifact: Artifact) -> list[Relative]:
        """What beside it was made from it, by name."""
        found = []
        for digest, folder in self.beside.items():
            one = Artifact.open(folder)
            if artifact.digest in one.manifest.parents.values():
                found.append(self._to(one.manifest.kind, digest))
        return sorted(found, key=lambda relative: relative.name or "")

    def _to(self, kind: str, digest: str) -> Relative:
        folder = self.beside.get(digest)
        if folder is None:
            return Relative(kind, digest)
        if folder in shipped_folders():
            return Relative(kind, digest, f"{folder.name}, which comes with hdgan")
        return Relative(kind, digest, folder.name, self._link(folder))

    def _link(self, folder: Path) -> str:
        """A page of the same name beside this one, or else the folder itself."""
        place = self.page.resolve().parent
        named = place / f"{folder.name}{self.page.suffix}"
        target = named if named.is_file() and named != self.page.resolve() else folder
        return quote(Path(os.path.relpath(target.resolve(), place)).as_posix())
