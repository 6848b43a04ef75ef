"""`hdgan train-classifier`: annotated samples to an ensemble of pixel classifiers."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32

from hdgan.artifacts.annotation_set import CLASSES, AnnotationRecord, AnnotationSet, class_map_bytes
from hdgan.artifacts.checkpoint import (
    network_tensors,
    optimizer_tensors,
    read_checkpoint,
    restore_network,
    restore_optimizer,
    write_checkpoint,
)
from hdgan.artifacts.classifier import CONTEXT, CURVES, SPLIT, ClassifierFolder, write_ensemble
from hdgan.artifacts.curves import curve_line
from hdgan.artifacts.feature_store import FeatureStore
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.lineage import parent_of
from hdgan.artifacts.sample_set import SampleRecord, SampleSet
from hdgan.artifacts.table import table_bytes
from hdgan.artifacts.unfinished import Order, UnfinishedArtifact, made_once, plain, seen_by
from hdgan.artifacts.weights import device_named, tensor_bytes, tensors_of
from hdgan.errors import SettingsError, WrongArtifactError
from hdgan.method.classifier_presets import Recipe, recipe_of
from hdgan.method.context_fitting import fit_context
from hdgan.method.context_head import ContextHead, context_shape_of
from hdgan.method.features import (
    FeatureMap,
    FeaturePyramid,
    bytes_of,
    channel_statistics,
    channels_of,
    image_and_features,
)
from hdgan.method.fitting import (
    ClassifierEpoch,
    FittingState,
    fit_classifier,
    new_fitting,
    validated,
)
from hdgan.method.labelled_pixels import Gathering, LabelledPixels, PixelSource, one_ahead
from hdgan.method.latent import pixels_of
from hdgan.method.linear_probe import fit_linear_probe, linear_shape
from hdgan.method.pixel_classifier import ClassifierShape, PixelClassifier
from hdgan.method.pixel_sampling import ClassMix
from hdgan.method.regeneration import regenerates
from hdgan.method.stylegan.bands import WHOLE_PX
from hdgan.method.stylegan.synthesis import Generator
from hdgan.pipeline import Made
from hdgan.report.progress import ProgressBar, announce
from hdgan.settings.sources import SampleSources
from hdgan.settings.train_classifier import TrainClassifierSettings

CHECKPOINT_SECONDS = 30.0
"""Time between two checkpoints: what a kill may cost."""


def train_classifier(
    annotations: Path,
    output: Path,
    settings: TrainClassifierSettings,
    sources: SampleSources | None = None,
) -> Made:
    """Fit an ensemble to the training part of the annotations.

    Disk: the feature maps of the training and validation images at native resolution in half
    precision (1.07 GB an image of 4096 px), freed at the end; none with `features="regenerate"`.
    Memory: five bytes a labelled training pixel, and a step's pixels; without kept maps one image's
    and `REGENERATED_BYTES`. With a context head its map of each image (1 MB) and, while it is
    fitted without kept maps, the training images' maps up to 128 px (27 MB an image at most).

    Raises:
        WrongArtifactError: the samples were not drawn by the generator, or no longer are.
        LabelError: no training pixel is labelled.
        SettingsError: weights of another number of classes, a vote over classes that are none, or
            a context head that has nothing to read.
    """
    sources = sources or SampleSources()
    annotated = AnnotationSet.open(annotations)
    samples = parent_of(annotated, SampleSet, sources.samples)
    generator = parent_of(samples, GeneratorFolder, sources.generator)
    num_weights, num_classes = len(settings.class_weights or ()), len(annotated.class_map)
    if num_weights not in (0, num_classes):
        raise SettingsError(
            f"--class-weights has {num_weights} numbers; {annotations} has {num_classes} classes: "
            f"{', '.join(annotated.class_map.names)}. Give one number a class, in this order."
        )
    strange = [name for name in settings.object_vote if name not in annotated.class_map.names]
    if strange:
        raise SettingsError(
            f"--object-vote names {strange[0]}, which is no class of {annotations}. They are "
            f"{', '.join(annotated.class_map.names)}."
        )
    order = Order(
        "classifier",
        plain(settings),
        generator.parents | samples.parents | annotated.parents,
        seen_by(generator, samples, annotated),
    )

    def make(unfinished: UnfinishedArtifact) -> None:
        _Fitting(unfinished, settings, annotated, samples, generator).complete()

    made_once(output, order, make)
    made = ClassifierFolder.open(output)
    last = made.curves()[-1]
    return Made(
        "classifier",
        output,
        {
            "members": made.text.num_members,
            "features a pixel": made.text.num_channels,
            "classes": ", ".join(made.class_map.names),
            "steps": last.steps,
            "accuracy on validation pixels": round(last.validation_accuracy, 4),
        },
    )


class _Fitting:
    """A fit that writes what it reaches into its artifact."""

    def __init__(
        self,
        unfinished: UnfinishedArtifact,
        settings: TrainClassifierSettings,
        annotated: AnnotationSet,
        samples: SampleSet,
        generator: GeneratorFolder,
    ) -> None:
        self.unfinished = unfinished
        self.recipe: Recipe = recipe_of(settings).for_blocks(len(generator.shape.resolutions))
        self.device = device_named(settings.device)
        self.annotated, self.samples, self.generator = annotated, samples, generator
        self.store = FeatureStore(unfinished)
        self.regenerates = settings.features == "regenerate"
        names = annotated.class_map.names
        self.by_object = [names.index(name) for name in settings.object_vote]
        self.checked: set[str] = set()
        self.must_have_context = settings.context is True
        self.context: ContextHead | None = None
        self.context_maps: dict[str, FeatureMap] = {}

    def complete(self) -> None:
        """Make features, fit, and write the artifact's files."""
        training = self.annotated.records("training")
        validation = self.annotated.records("validation")
        shape = self.generator.shape
        keeps = not (self.regenerates or self.recipe.is_linear)
        on_disk = bytes_of(shape, self.recipe.num_blocks) if keeps else 0
        announce("train-classifier", disk_bytes=on_disk * len([*training, *validation]))
        if keeps:
            self._keep_features([*training, *validation])
        if self.recipe.is_linear:
            classifier, curves = self._probe(training, validation)
        else:
            self.context = self._fitted_context(training)
            features = self.features
            pyramids = (features(record.image) for record in training)
            classifier = self._fresh_classifier(pyramids).to(self.device)
            curves = self._fitted(classifier, training, validation)
        self.unfinished.write(CURVES, "".join(f"{line}\n" for line in curves).encode())
        self.unfinished.write(CLASSES, class_map_bytes(self.annotated.class_map))
        self.unfinished.write(SPLIT, table_bytes(self.annotated.records(), AnnotationRecord))
        recipe = self.recipe
        write_ensemble(
            self.unfinished,
            classifier,
            recipe.num_blocks,
            recipe.decision,
            by_object=self.by_object,
            context=self.context,
        )

    def _keep_features(self, records: Sequence[AnnotationRecord]) -> None:
        """Draw the annotated images again and keep their feature maps on disk."""
        with ProgressBar("features", len(records), "images") as progress:
            for record in records:
                if not self.store.has(record.image):
                    self.store.write(record.image, self._redrawn(record.image))
                progress.advance()

    @cached_property
    def _network(self) -> Generator:
        return self.generator.generator().to(self.device)

    @cached_property
    def _latents(self) -> Float32[np.ndarray, "samples w_dim"]:
        return self.samples.latents()

    @cached_property
    def _samples_by_name(self) -> dict[str, SampleRecord]:
        return {record.sample: record for record in self.samples.records()}

    def _redrawn(self, name: str) -> FeaturePyramid:
        """The features of a sample, from its latent.

        Raises:
            WrongArtifactError: its latent does not draw it.
        """
        sample = self._samples_by_name[name]
        w = torch.from_numpy(self._latents[sample.row : sample.row + 1]).to(self.device)
        image, pyramid = image_and_features(self._network, w, self.recipe.num_blocks)
        if name not in self.checked:
            self._check_same(sample, pixels_of(image))
            self.checked.add(name)
        return pyramid

    @property
    def num_channels(self) -> int:
        """Features a pixel, those of the context head included."""
        around = 0 if self.context is None else self.context.shape.widths[1]
        return channels_of(self.generator.shape, self.recipe.num_blocks) + around

    @property
    def features(self) -> Callable[[str], FeaturePyramid]:
        """The features of a sample by its name: kept ones, or drawn again each time.

        With what the context head makes of them, once it is fitted: 1 MB an image, kept.
        """
        features = self._redrawn if self.regenerates else cache(self.store.read)
        context = self.context
        if context is None:
            return features

        def with_context(name: str) -> FeaturePyramid:
            pyramid = features(name)
            if name not in self.context_maps:
                read = pyramid.up_to(context.shape.side_px).maps
                self.context_maps[name] = context.context(read)
            return pyramid.with_map(self.context_maps[name])

        return with_context

    def _fitted_context(self, training: Sequence[AnnotationRecord]) -> ContextHead | None:
        """The head that reads what lies around each pixel, from an earlier run if it is there.

        Raises:
            SettingsError: it is wished for, but no map is small enough to be read.
        """
        if not self.recipe.has_context:
            return None
        shape = context_shape_of(
            self.generator.shape, self.recipe.num_blocks, len(self.annotated.class_map)
        )
        if shape is None and self.must_have_context:
            raise SettingsError(
                f"--context needs feature maps up to {WHOLE_PX} px, but of {self.generator.folder} "
                f"only the last {self.recipe.num_blocks} blocks are read, which are larger. Read "
                "more with --num-blocks, or leave out --context."
            )
        if shape is None:
            return None
        head = ContextHead(shape, seed=self.recipe.plan.seed).to(self.device)
        kept = self.unfinished.scratch / CONTEXT
        if kept.is_file():
            head.load_state_dict(tensors_of(kept.read_bytes(), str(kept)))
        else:
            self._fit_context(head, training)
            self.unfinished.write_scratch(CONTEXT, tensor_bytes(head.state_dict()))
        return head.eval()

    def _fit_context(self, head: ContextHead, training: Sequence[AnnotationRecord]) -> None:
        """Fit the head to the coarse maps of the training images."""
        side = head.shape.side_px
        pyramids = [self.features(record.image).up_to(side) for record in training]
        labels = [self.annotated.labels(record) for record in training]
        plan = self.recipe.context_plan
        with ProgressBar("context", plan.steps, "steps") as progress:
            for report in fit_context(head, pyramids, labels, plan):
                progress.reach(report.steps, f"loss {report.loss:.3f}")

    def _check_same(self, sample: SampleRecord, redrawn: np.ndarray) -> None:
        if not regenerates(self.samples.image(sample), redrawn):
            raise WrongArtifactError(
                f"{self.samples.folder / sample.image} is not what {self.generator.folder} draws "
                "from its latent: images, latents and weights no longer belong together. Draw the "
                "samples again with `hdgan sample` and annotate those."
            )

    def _pixels(self, records: Sequence[AnnotationRecord], mix: ClassMix) -> LabelledPixels:
        """Pixels of some of the annotated images."""
        source = PixelSource(
            self.features,
            self.num_channels,
            self.recipe.plan,
            self.recipe.num_members,
            self.device,
            self.regenerates,
        )
        labels = {record.image: self.annotated.labels(record) for record in records}
        return LabelledPixels(source, labels, mix)

    def _probe(
        self, training: Sequence[AnnotationRecord], validation: Sequence[AnnotationRecord]
    ) -> tuple[PixelClassifier, list[str]]:
        """A fitted linear probe and its curve: every image is drawn once, nothing is kept."""
        pixels = self._pixels(training, self.recipe.plan.class_mix)
        held_out = self._pixels(validation, "natural")
        drawn = pixels.gathering([pixels.drawn(0)], 1)
        tested = held_out.gathering([held_out.drawn_for_validation()], 1)
        count = len(training) + len(validation)
        with ProgressBar("features", count, "images") as progress:

            def gathered(gathering: Gathering, names: Sequence[str]) -> Iterator[FeaturePyramid]:
                for i, pyramid in enumerate(one_ahead(self._redrawn, names)):
                    gathering.take(i, pyramid)
                    progress.advance()
                    yield pyramid

            classifier = self._fresh_classifier(gathered(drawn, pixels.names)).to(self.device)
            for _ in gathered(tested, held_out.names):
                pass
        loss = fit_linear_probe(classifier, drawn.made()[0])
        return classifier, [
            curve_line(ClassifierEpoch(1, loss, *validated(classifier, tested.made()[0])))
        ]

    def _fresh_classifier(self, training: Iterator[FeaturePyramid]) -> PixelClassifier:
        """A classifier that knows how the features of the training images are scaled."""
        num_classes = len(self.annotated.class_map)
        num_channels = self.num_channels
        shape = ClassifierShape(
            num_channels=num_channels,
            num_classes=num_classes,
            num_members=self.recipe.num_members,
            widths=self.recipe.widths_for(num_classes),
            num_normalised=self.recipe.num_normalised,
            dropout=self.recipe.dropout,
        )
        if self.recipe.is_linear:
            shape = linear_shape(num_channels, num_classes)
        classifier = PixelClassifier(shape, seed=self.recipe.plan.seed)
        if self.recipe.scales:
            mean, deviation = channel_statistics(training)
            classifier.mean.copy_(torch.from_numpy(mean))
            classifier.deviation.copy_(torch.from_numpy(deviation))
        return classifier

    def _fitted(
        self,
        classifier: PixelClassifier,
        training: Sequence[AnnotationRecord],
        validation: Sequence[AnnotationRecord],
    ) -> list[str]:
        """Fit to the end of the plan; the curves come back, a line an epoch."""
        plan = self.recipe.plan
        state = new_fitting(classifier, plan)
        lines = self._restored(state)
        pixels = self._pixels(training, plan.class_mix)
        held_out = self._pixels(validation, "natural").validation()
        saved = time.monotonic()
        coming = one_ahead(pixels, range(state.steps, plan.steps))
        with ProgressBar("train-classifier", plan.steps, "steps", done=state.steps) as progress:
            for epoch in fit_classifier(state, plan, lambda _: next(coming), held_out):
                lines.append(curve_line(epoch))
                progress.reach(
                    epoch.steps,
                    f"loss {epoch.loss:.3f}, validation accuracy {epoch.validation_accuracy:.3f}",
                )
                if time.monotonic() - saved >= CHECKPOINT_SECONDS:
                    self._save(state, lines)
                    saved = time.monotonic()
        return lines

    def _save(self, state: FittingState, lines: list[str]) -> None:
        write_checkpoint(
            self.unfinished,
            {
                **network_tensors("classifier", state.classifier),
                **optimizer_tensors("optimizer", state.optimizer, state.classifier),
            },
            {"steps": state.steps, "curves": lines},
        )

    def _restored(self, state: FittingState) -> list[str]:
        """Go back to the last checkpoint, if there is one; the curves until there come back."""
        checkpoint = read_checkpoint(self.unfinished)
        if checkpoint is None:
            return []
        tensors, about = checkpoint
        restore_network("classifier", state.classifier, tensors)
        restore_optimizer("optimizer", state.optimizer, state.classifier, tensors)
        state.steps = about["steps"]
        return list(about["curves"])
