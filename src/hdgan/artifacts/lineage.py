"""Finding what an artifact was made from.

Manifests hold digests, not paths, so that a folder of artifacts can be moved as a whole. A parent
is looked for beside the artifact that names it, and among the generators that come with the
package.
"""

from pathlib import Path
from typing import TypeVar

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.manifest import MANIFEST, digest_of_file
from hdgan.artifacts.shipped import shipped_folders
from hdgan.errors import MissingArtifactError, WrongArtifactError

Kind = TypeVar("Kind", bound=Artifact)

_OPTIONS = {"sample-set": "samples", "tile-set": "tiles"}
"""Options of the command line that are not called like the kind they name."""


def parent_of(child: Artifact, kind: type[Kind], given: Path | None = None) -> Kind:
    """The artifact of this kind that `child` was made from.

    Args:
        child: whose parent is wanted.
        kind: class of the parent.
        given: where the parent is said to be; None looks in the folders beside the child.

    Raises:
        WrongArtifactError: `given` is another one.
        MissingArtifactError: the parent is not beside the child, or it has none of this kind.
    """
    digest = child.manifest.parents.get(kind.kind)
    if digest is None:
        raise MissingArtifactError(
            f"{child.folder} was not made from a {kind.kind}, but one is needed here."
        )
    if given is None:
        return kind.open(_beside(child, kind.kind, digest))
    parent = kind.open(given)
    if parent.digest != digest:
        raise WrongArtifactError(
            f"{child.folder} was not made from {given}, but from another {kind.kind} "
            f"({digest[:12]}, not {parent.digest[:12]}). Give the one that it was made from."
        )
    return parent


def places_beside(folder: Path) -> list[Path]:
    """Where relatives of an artifact may lie, the likelier first.

    These are the finished folders beside it, itself among them, and the generators that come with
    the package.
    """
    beside = sorted(folder.resolve().parent.glob(f"*/{MANIFEST}"))
    return [*(manifest.parent for manifest in beside), *shipped_folders()]


def _beside(child: Artifact, kind: str, digest: str) -> Path:
    for place in places_beside(child.folder):
        if digest_of_file(place / MANIFEST) == digest:
            return place
    raise MissingArtifactError(
        f"{child.folder} was made from a {kind} ({digest[:12]}) that is not in a folder beside it. "
        f"Say where it is with --{_OPTIONS.get(kind, kind)}."
    )
