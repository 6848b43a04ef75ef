"""An artifact of which only the files are known."""

from collections import Counter
from pathlib import PurePosixPath

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.images import IMAGE_SUFFIXES, rgb_of
from hdgan.errors import ImageError
from hdgan.pipeline import Fact
from hdgan.report.artifact_page import Gallery, GalleryPicture
from hdgan.report.artifact_page_layers import photo, side_px_for
from hdgan.stages.show.account import Account, Look, Shown
from hdgan.stages.show.cards import card_text
from hdgan.stages.show.labelled import IMAGE


def account_of(artifact: Artifact, look: Look) -> Account:
    """What can be said of any artifact: its images by folder, and what its README says."""
    images = images_in(artifact)
    return Account("", counts_of(images), lambda: _shown(artifact, images, look))


def images_in(artifact: Artifact) -> list[str]:
    """Files that are images, not label maps: those below a folder whose name begins so."""
    return sorted(
        name
        for name in artifact.manifest.files
        if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES
        and any(part.lower().startswith("images") for part in PurePosixPath(name).parts[:-1])
    )


def counts_of(images: list[str]) -> dict[str, Fact]:
    """How many images there are, and where."""
    if not images:
        return {}
    folders = Counter(str(PurePosixPath(name).parent) for name in images)
    where = ", ".join(f"{place} {n:,}" for place, n in folders.items())
    return {"images": len(images), "images by folder": where}


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
        texts=card_text(artifact, "What its README says"),
    )
