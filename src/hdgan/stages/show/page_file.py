"""The file that a page is written to: nothing else is lost by it."""

from pathlib import Path

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.manifest import MANIFEST, UNFINISHED
from hdgan.errors import ArtifactError, SettingsError
from hdgan.report.artifact_page import is_artifact_page

_BEGINNING = 4096
"""Bytes that are looked at."""


def refuse_other_file(path: Path) -> None:
    """Do nothing if a page may be written here.

    Raises:
        SettingsError: something else is there, or it lies inside an artifact.
    """
    inside = next((place for place in path.resolve().parents if _is_artifact(place)), None)
    if inside is not None:
        raise SettingsError(
            f"--html is {path}, which lies inside the artifact {inside}, where only its own files "
            "belong. Write the page beside it."
        )
    if path.is_dir():
        raise SettingsError(f"--html is {path}, which is a folder. Name a file in it.")
    if path.exists() and not _is_page(path):
        raise SettingsError(
            f"--html is {path}, a file that `hdgan show` has not written. Choose another name, or "
            "move that file away."
        )


def _is_page(path: Path) -> bool:
    with path.open("rb") as file:
        return is_artifact_page(file.read(_BEGINNING))


def _is_artifact(folder: Path) -> bool:
    if (folder / UNFINISHED).is_dir():
        return True
    if not (folder / MANIFEST).is_file():
        return False
    try:
        Artifact.open(folder)
    except ArtifactError:
        return False  # a manifest of another program
    return True
