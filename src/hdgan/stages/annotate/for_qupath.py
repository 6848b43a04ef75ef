"""The tiles of a set as a project that QuPath opens, with what has been painted on them."""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from hdgan.artifacts.annotation_history import AnnotationHistory
from hdgan.artifacts.annotation_set import HISTORY
from hdgan.artifacts.manifest import MANIFEST, UNFINISHED
from hdgan.artifacts.qupath_project import write_qupath_project
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.tile_set import TileSet
from hdgan.class_map import ClassMap
from hdgan.errors import WrongArtifactError
from hdgan.pipeline import Made
from hdgan.stages.annotate.beginning import write_copy
from hdgan.web.assistant import Assistant
from hdgan.web.desk import Desk
from hdgan.web.tiles import TileSource
from hdgan.web.transfer import qupath_images


def write_for_qupath(
    artifact: SampleSet | TileSet, painted: Path, class_map: ClassMap, folder: Path
) -> Made:
    """Write the kept tiles, or else those suggested, or else all, and those painted.

    Args:
        artifact: the tiles.
        painted: where the page keeps what was painted on them, if anything was.
        class_map: the classes.
        folder: of the project, new or empty.

    Raises:
        WrongArtifactError: the folder is not empty.
        StorageError: it cannot be written.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise WrongArtifactError(f"{folder} is not empty. Choose a new folder for QuPath.")
    with TemporaryDirectory() as scratch:
        source = TileSource(artifact, Path(scratch))
        with closing(_history(painted, Path(scratch) / HISTORY, source, class_map)) as history:
            desk = Desk(source, history, class_map, {}, Assistant(None), lambda: ("", {}))
            names = write_qupath_project(folder, qupath_images(desk), class_map)
    images = sum(name.startswith("images/") for name in names)
    outlined = sum(name.startswith("annotations/") for name in names)
    return Made("QuPath project", folder, {"tiles": images, "with annotations": outlined})


def _history(
    painted: Path, copy: Path, source: TileSource, class_map: ClassMap
) -> AnnotationHistory:
    """A copy of what was painted, so that a server may go on with it; empty if nothing was."""
    if (painted / MANIFEST).is_file() or (painted / UNFINISHED / HISTORY).is_file():
        write_copy(painted, source, class_map, copy)
    return AnnotationHistory(copy, source.sizes)
