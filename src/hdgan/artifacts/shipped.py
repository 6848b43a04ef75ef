"""Generators that come with the package: called by name instead of by folder."""

from pathlib import Path

from hdgan.artifacts.manifest import MANIFEST
from hdgan.errors import MissingArtifactError

SHIPPED = Path(__file__).resolve().parents[1] / "shipped"
"""Each folder in it is a generator, called as the folder."""


def shipped_folders() -> list[Path]:
    """Where the generators lie that came with this installation, sorted by name."""
    return sorted(manifest.parent for manifest in SHIPPED.glob(f"*/{MANIFEST}"))


def shipped_or(folder: Path) -> Path:
    """The folder itself, or that of the shipped generator of this name if there is no such path.

    Raises:
        MissingArtifactError: a bare name is neither a path nor a shipped generator.
    """
    by_name = {shipped.name: shipped for shipped in shipped_folders()}
    is_bare = folder.parts == (folder.name,)
    if not is_bare or folder.exists() or not by_name:
        return folder
    if folder.name not in by_name:
        raise MissingArtifactError(
            f"There is no folder {folder}, and no generator of that name comes with hdgan; what "
            f"does is called {' and '.join(by_name)}. Check the path or the name."
        )
    return by_name[folder.name]
