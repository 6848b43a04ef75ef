"""An artifact of which only the files are known, such as a dataset in another program's layout."""

from collections import Counter
from pathlib import PurePosixPath

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.images import IMAGE_SUFFIXES, rgb_of
from hdgan.errors import ImageError
from hdgan.pipeline import Fact
from hdgan.report.artifact_page import Gallery, GalleryPicture
from hdgan.report.artifact_page_layers import photo, side_px_for
from hdgan.report.artifact_page_markdown import sections_of
from hdgan.report.page import Section
from hdgan.stages.show.account import Account, Look, Shown
from hdgan.stages.show.labelled import IMAGE

_README = "README.md"
_TOLD = ("layout", "title", "licence", "validation", "test", "limit", "image_format")
"""Settings that a user asks for first."""


def account_of(artifact: Artifact, look: Look) -> Account:
    """What can be said of any artifact: its images by folder, and what its README says."""
    settings = artifact.manifest.settings
    facts: dict[str, Fact] = {
        name.replace("_", " "): str(settings[name])
        for name in _TOLD
        if settings.get(name) is not None
    }
    images = _images(artifact)
    if images:
        facts["images"] = len(images)
        folders = Counter(str(PurePosixPath(name).parent) for name in images)
        facts["images by folder"] = ", ".join(f"{place} {n:,}" for place, n in folders.items())
    is_dataset = artifact.manifest.kind == "dataset"
    lead = "Labelled images in a layout that other programs read." if is_dataset else ""
    return Account(lead, facts, lambda: _shown(artifact, images, look))


def _images(artifact: Artifact) -> list[str]:
    """Files that are images, not label maps: those below a folder whose name begins so."""
    return sorted(
        name
        for name in artifact.manifest.files
        if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES
        and any(part.lower().startswith("images") for part in PurePosixPath(name).parts[:-1])
    )


def _shown(artifact: Artifact, images: list[str], look: Look) -> Shown:
    chosen = look.spread(images)
    side_px = side_px_for(len(chosen))
    pictures = []
    for name in chosen:
        try:
            pixels = rgb_of(artifact.read(name), str(artifact.folder / name))
        except ImageError:
            continue  # a layout's own kind of image
        folder = str(PurePosixPath(name).parent)
        shape = (pixels.shape[0], pixels.shape[1])
        layers = {"image": photo(pixels, side_px)}
        stem = PurePosixPath(name).stem
        pictures.append(GalleryPicture(stem, layers, shape, [folder], {"folder": [folder]}))
    text = f"{len(pictures):,} of {len(images):,} images, spread evenly over their names."
    return Shown(
        gallery=Gallery(text, [IMAGE], pictures) if pictures else None,
        sections=_readme(artifact),
    )


def _readme(artifact: Artifact) -> list[Section]:
    """What its README says."""
    if _README not in artifact.manifest.files:
        return []
    text = artifact.read(_README).decode(errors="replace")
    return sections_of(text, "What its README says")
