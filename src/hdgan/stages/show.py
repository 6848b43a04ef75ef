"""`hdgan show`: what an artifact is."""

import json
from collections import Counter
from pathlib import Path, PurePosixPath

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.manifest import MANIFEST, digest_of_file
from hdgan.artifacts.shipped import shipped_folders, shipped_or
from hdgan.artifacts.shipped_generator import CARD
from hdgan.pipeline import Fact, Made

_FILES = frozenset({"images", "label-maps", "encoder", "outlines", "table", "text"})
"""Parents that are files rather than artifacts."""


def show(folder: Path) -> Made:
    """Say what an artifact is, what it was made from and where that lies, and check its files.

    Raises:
        ArtifactError: it is not finished or damaged.
    """
    folder = shipped_or(folder)
    artifact = Artifact.open(folder)
    artifact.check_files()
    manifest = artifact.manifest
    facts: dict[str, Fact] = {"digest": artifact.digest, "made by": manifest.made_by}
    around = [path.parent for path in folder.resolve().parent.glob(f"*/{MANIFEST}")]
    beside = {digest_of_file(place / MANIFEST): place for place in [*shipped_folders(), *around]}
    for kind, digest in manifest.parents.items():
        place = "" if kind in _FILES else " (in no folder beside it)"
        place = f" in {beside[digest]}" if digest in beside else place
        facts[f"made from {kind}"] = f"{digest[:12]}{place}"
    if manifest.seen:
        facts["has learned from folds"] = "; ".join(
            f"{', '.join(map(str, folds))} of tile-set {beside.get(digest, digest[:12])}"
            for digest, folds in manifest.seen.items()
        )
    for name, value in manifest.settings.items():
        if value is not None:
            facts[f"setting {name.replace('_', '-')}"] = json.dumps(value, ensure_ascii=False)
    left = [name.replace("_", "-") for name, value in manifest.settings.items() if value is None]
    if left:
        facts["settings not given"] = ", ".join(left)
    if CARD in manifest.files:
        facts["card"] = str(folder / CARD)
    counts = Counter(str(PurePosixPath(name).parent) for name in manifest.files)
    sizes = sum((folder / name).stat().st_size for name in manifest.files)
    facts["files"] = ", ".join(
        f"{count} in {place}" if place != "." else f"{count} at the top"
        for place, count in sorted(counts.items())
    )
    facts["size"] = f"{sizes / 1e6:.1f} MB"
    facts["whole"] = "yes: every file has the SHA-256 that the manifest says"
    return Made(manifest.kind, folder, facts)
