"""A folder of annotations: begun, gone on with, finished."""

from contextlib import closing
from pathlib import Path

from hdgan.artifacts.annotatable import annotatable
from hdgan.artifacts.annotation_set import HISTORY, AnnotationSet, class_map_at
from hdgan.artifacts.manifest import MANIFEST, UNFINISHED
from hdgan.artifacts.order import Order
from hdgan.artifacts.outlines.drawn_labels import AMBIGUOUS_NAME
from hdgan.artifacts.unfinished import being_made, clear_left, order_of, seen_by
from hdgan.class_map import AMBIGUOUS, KIDNEY, ClassMap
from hdgan.errors import ClassMapError, LabelError, SettingsError, WrongArtifactError
from hdgan.pipeline import Made
from hdgan.settings.annotate import AnnotateSettings, AnnotateSources
from hdgan.stages.annotate.beginning import begun_with
from hdgan.stages.annotate.finishing import facts_of
from hdgan.stages.annotate.for_qupath import write_for_qupath
from hdgan.stages.annotate.work import Work
from hdgan.web.tiles import TileSource


def annotated(
    samples: Path,
    output: Path | None,
    settings: AnnotateSettings,
    sources: AnnotateSources | None = None,
) -> Made:
    """Serve the page until the user interrupts; finished there, the folder is an annotation set.

    Until then the folder is unfinished, and the same command goes on. Each stroke is on disk before
    the page says that it is saved.

    Args:
        samples: a sample set or tile set.
        output: folder of the annotation set; None: `annotations` beside the samples.
        settings: choices.
        sources: what else the page works with.

    Raises:
        WrongArtifactError: what is to be gone on from was painted on other tiles, or the classifier
            was fitted to another generator.
        SettingsError: the folder is finished, or the classes do not fit.
    """
    sources = sources or AnnotateSources()
    artifact = annotatable(samples)
    output = samples.absolute().parent / "annotations" if output is None else output
    if sources.to_qupath is not None:
        class_map = _class_map(output, sources)
        _refuse_other_classes(output, class_map)
        return write_for_qupath(artifact, output, class_map, sources.to_qupath)
    if (output / MANIFEST).is_file():
        return _finished(output, artifact.digest, settings)
    class_map = _class_map(output, sources)
    is_begun = (output / UNFINISHED / HISTORY).is_file()
    if settings.finish and sources.start_from is None and not is_begun:
        raise LabelError(f"Nothing is painted yet in {output}. Check the path, or open the page.")
    order = Order(
        "annotation-set",
        {"classes": class_map.to_records()},
        artifact.parents,
        seen_by(artifact),
    )
    with being_made(output, order) as unfinished:
        if unfinished is None:
            return _finished(output, artifact.digest, settings)
        source = TileSource(artifact, unfinished.scratch / "thumbnails")
        with closing(Work(unfinished, source, class_map, settings)) as work:
            if sources.start_from is not None:
                work.start_from(sources.start_from)
            if settings.finish:
                return Made("annotation-set", output, work.finished())
            if sources.classifier is not None or settings.predict:
                from hdgan.stages.annotate.helping import add_predictor

                add_predictor(work, sources)
            work.serve()
            return Made("annotation-set", output, work.facts)


def _finished(output: Path, tiles: str, settings: AnnotateSettings) -> Made:
    """What is in a finished folder.

    Raises:
        SettingsError: the page was to be opened.
        WrongArtifactError: it is of other tiles.
    """
    found = AnnotationSet.open(output)
    if tiles not in found.manifest.parents.values():
        raise WrongArtifactError(
            f"{output} holds annotations of other tiles. Give another folder for these."
        )
    if settings.finish:
        clear_left(output, order_of(found.manifest))
        return Made("annotation-set", output, facts_of(found.records()))
    raise SettingsError(
        f"{output} is a finished annotation set. To go on painting, give a new folder and "
        f"--start-from {output}."
    )


def _refuse_other_classes(painted: Path, class_map: ClassMap) -> None:
    begun = begun_with(painted)
    if begun is not None and begun.names != class_map.names[: len(begun)]:
        raise WrongArtifactError(
            f"{painted} was painted with the classes {', '.join(begun.names)}, not with those that "
            "are given. Leave them out, or give the folder that was painted with them."
        )


def _class_map(output: Path, sources: AnnotateSources) -> ClassMap:
    """The classes to paint: those that were begun with, unless others are given."""
    if sources.classes is not None:
        class_map = class_map_at(sources.classes)
    elif sources.classifier is not None:
        from hdgan.artifacts.classifier import ClassifierFolder

        class_map = ClassifierFolder.open(sources.classifier).class_map
    else:
        places = [place for place in (output, sources.start_from) if place is not None]
        class_map = next(filter(None, map(begun_with, places)), KIDNEY)
    if AMBIGUOUS_NAME in (name.strip().casefold() for name in class_map.names):
        raise ClassMapError(
            f"The page has a mark of its own that is called {AMBIGUOUS_NAME!r}; give that class of "
            "the class map another name."
        )
    if len(class_map) > AMBIGUOUS:
        raise ClassMapError(
            f"The page paints up to {AMBIGUOUS} classes, but the class map has {len(class_map)}."
        )
    return class_map
