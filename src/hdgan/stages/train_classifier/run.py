"""`hdgan train-classifier`: annotated samples or real tiles to an ensemble of pixel classifiers."""

from pathlib import Path

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.encoder_file import EncoderFile, read_encoder
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.lineage import parent_of
from hdgan.artifacts.order import Order, plain
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.seen import seen_together
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once, seen_by
from hdgan.artifacts.weights import device_named
from hdgan.errors import SettingsError
from hdgan.method.likeness_of_images import EdgeLook, EncoderLook
from hdgan.method.projection import ProjectionPlan
from hdgan.pipeline import Fact, Made
from hdgan.report.progress import remark
from hdgan.settings.sources import ClassifierSources, SampleSources
from hdgan.settings.train_classifier import DEFAULT_REAL_LABELS, TrainClassifierSettings
from hdgan.stages.train_classifier.choices import (
    check_classes,
    check_context,
    check_of_samples,
    check_way,
)
from hdgan.stages.train_classifier.drawings import AnnotatedSamples
from hdgan.stages.train_classifier.fitting import Fitting
from hdgan.stages.train_classifier.matching import Matching
from hdgan.stages.train_classifier.projecting import ProjectedTiles, Projecting
from hdgan.stages.train_classifier.real_crops import RealCrops


def train_classifier(
    annotations: Path,
    output: Path,
    settings: TrainClassifierSettings,
    sources: SampleSources | None = None,
) -> Made:
    """Fit an ensemble to annotated samples, or to annotated real tiles.

    Disk: the feature maps of the training and validation images at native resolution in half
    precision (1.07 GB an image of 4096 px), freed at the end; none with `features="regenerate"`.
    Memory: five bytes a labelled training pixel, and a step's pixels; without kept maps one image's
    and `REGENERATED_BYTES`. With a context head its map of each image (1 MB) and, while it is
    fitted without kept maps, the training images' maps up to 128 px (27 MB an image at most).
    Of real tiles also their crops, four bytes a pixel; to project them, the generator's maps of one
    tile's crops with their gradients.

    Args:
        annotations: of samples, or of real tiles.
        output: where the classifier goes.
        settings: how it is fitted.
        sources: where the rest is; the generator must be named for annotations of real tiles.

    Raises:
        WrongArtifactError: the samples were not drawn by the generator, or no longer are; or it
            draws nothing that looks like the real tiles.
        LabelError: no training pixel is labelled.
        ImageError: a real tile is smaller than the generator's drawings.
        SettingsError: weights of another number of classes, a vote over classes that are none, a
            context head that has nothing to read, more images than are annotated, no generator
            for real tiles, or choices that the way of learning does not have.
    """
    annotated = AnnotationSet.open(annotations)
    check_classes(annotated, settings)
    sources = sources or SampleSources()
    if TileSet.kind in annotated.manifest.parents:
        of_tiles = (
            sources
            if isinstance(sources, ClassifierSources)
            else ClassifierSources(generator=sources.generator)
        )
        _from_tiles(annotated, output, settings, of_tiles)
    else:
        _from_samples(annotated, output, settings, sources)
    return Made("classifier", output, _facts(ClassifierFolder.open(output)))


def _from_samples(
    annotated: AnnotationSet,
    output: Path,
    settings: TrainClassifierSettings,
    sources: SampleSources,
) -> None:
    check_of_samples(annotated, settings, sources)
    samples = parent_of(annotated, SampleSet, sources.samples)
    generator = parent_of(samples, GeneratorFolder, sources.generator)
    check_context(generator, settings)
    drawings = AnnotatedSamples(annotated, samples, generator, settings)
    order = Order(
        "classifier",
        plain(settings),
        generator.parents | samples.parents | annotated.parents,
        seen_together(seen_by(generator, samples, annotated), drawings.seen),
    )

    def make(unfinished: UnfinishedArtifact) -> None:
        if not drawings.validation:
            remark("train-classifier", NOTHING_LEFT)
        Fitting(unfinished, settings, drawings, generator).complete()

    made_once(output, order, make)


NOTHING_LEFT = "no annotated image is left to validate on; accuracy is that on training pixels"


def _from_tiles(
    annotated: AnnotationSet,
    output: Path,
    settings: TrainClassifierSettings,
    sources: ClassifierSources,
) -> None:
    way = settings.real_labels or DEFAULT_REAL_LABELS
    check_way(way, settings, sources)
    tiles = parent_of(annotated, TileSet, sources.tiles)
    if sources.generator is None:
        raise SettingsError(
            f"{annotated.folder} holds annotated tiles, which belong to no generator. Say with "
            "--generator which one is to learn from them."
        )
    generator = GeneratorFolder.open(sources.generator)
    check_context(generator, settings)
    crops = RealCrops(annotated, tiles, generator, settings)
    encoder = None
    if sources.encoder is not None:
        encoder = read_encoder(sources.encoder, trusted=settings.trust_encoder)
    parents = generator.parents | tiles.parents | annotated.parents
    order = Order(
        "classifier",
        plain(settings),
        parents if encoder is None else parents | {"encoder": encoder.digest},
        seen_together(seen_by(generator, tiles, annotated), tiles.seen_in(settings.folds)),
    )

    def make(unfinished: UnfinishedArtifact) -> None:
        if way == "projection":
            _project(unfinished, settings, crops, generator, encoder)
        else:
            Matching(unfinished, settings, crops, generator).complete()

    made_once(output, order, make)


def _project(
    unfinished: UnfinishedArtifact,
    settings: TrainClassifierSettings,
    crops: RealCrops,
    generator: GeneratorFolder,
    encoder: EncoderFile | None,
) -> None:
    """Find latents of the crops, then fit to the drawings that are near enough."""
    device = device_named(settings.device)
    network = generator.generator().to(device)
    if encoder is None:
        remark("train-classifier", "without --encoder, drawings are compared by pixels and edges")
    look = EdgeLook() if encoder is None else EncoderLook(encoder.encoder.to(device))
    plan = ProjectionPlan(steps=settings.projection_steps)
    found = Projecting(unfinished, crops, network, look, plan).all()
    drawings = ProjectedTiles(crops, found, generator)
    remark("train-classifier", NOTHING_LEFT)
    Fitting(unfinished, settings, drawings, generator).complete()
    drawings.write(unfinished, network)


def _facts(made: ClassifierFolder) -> dict[str, Fact]:
    last = made.curves()[-1]
    sought = made.projections()
    facts: dict[str, Fact] = {}
    if sought:
        near = sum(row.accepted for row in sought)
        facts["crops of real tiles that it draws"] = f"{near} of {len(sought)}"
    return facts | {
        "members": made.text.num_members,
        "features a pixel": made.text.num_channels,
        "classes": ", ".join(made.class_map.names),
        "steps": last.steps,
        f"accuracy on {made.validated_on}": round(last.validation_accuracy, 4),
    }
