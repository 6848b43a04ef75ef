"""Fitting an ensemble to labelled drawings, and what it writes on the way."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property

from hdgan.artifacts.checkpoint import Learning
from hdgan.artifacts.classifier import CONTEXT, write_ensemble
from hdgan.artifacts.curves import curve_line
from hdgan.artifacts.feature_store import FeatureStore
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.artifacts.weights import device_named, tensor_bytes, tensors_of
from hdgan.method.classifier_presets import Recipe, recipe_of
from hdgan.method.context_fitting import fit_context
from hdgan.method.context_head import ContextHead, context_shape_of
from hdgan.method.features import (
    FeatureMap,
    FeaturePyramid,
    bytes_of,
    channels_of,
    image_and_features,
)
from hdgan.method.fitting import (
    ClassifierEpoch,
    fit_classifier,
    new_fitting,
    validated,
)
from hdgan.method.labelled_pixels import Gathering, LabelledPixels, PixelSource, one_ahead
from hdgan.method.latent import pixels_of
from hdgan.method.linear_probe import fit_linear_probe
from hdgan.method.pixel_classifier import PixelClassifier
from hdgan.method.pixel_sampling import ClassMix
from hdgan.method.stylegan.synthesis import Generator
from hdgan.report.progress import ProgressBar, announce
from hdgan.settings.train_classifier import TrainClassifierSettings
from hdgan.stages.train_classifier.drawings import LabelledDrawings
from hdgan.stages.train_classifier.ensemble import Described, fresh_classifier

CHECKPOINT_SECONDS = 30.0
"""Time between two checkpoints: what a kill may cost."""


class Fitting:
    """A fit that writes what it reaches into its artifact."""

    def __init__(
        self,
        unfinished: UnfinishedArtifact,
        settings: TrainClassifierSettings,
        drawings: LabelledDrawings,
        generator: GeneratorFolder,
    ) -> None:
        self.unfinished = unfinished
        self.recipe: Recipe = recipe_of(settings).for_blocks(len(generator.shape.resolutions))
        self.device = device_named(settings.device)
        self.drawings, self.generator = drawings, generator
        self.store = FeatureStore(unfinished)
        self.regenerates = settings.features == "regenerate"
        names = drawings.class_map.names
        self.by_object = [names.index(name) for name in settings.object_vote]
        self.checked: set[str] = set()
        self.context: ContextHead | None = None
        self.context_maps: dict[str, FeatureMap] = {}

    def complete(self) -> None:
        """Make features, fit, and write the artifact's files."""
        training = self.drawings.training
        validation = self.drawings.validation or training
        drawn = [*training, *self.drawings.validation]
        shape = self.generator.shape
        keeps = not (self.regenerates or self.recipe.is_linear)
        on_disk = bytes_of(shape, self.recipe.num_blocks) if keeps else 0
        announce("train-classifier", disk_bytes=on_disk * len(drawn))
        if keeps:
            self._keep_features(drawn)
        if self.recipe.is_linear:
            classifier, curves = self._probe(training, validation)
        else:
            self.context = self._fitted_context(training)
            features = self.features
            pyramids = (features(name) for name in training)
            classifier = self._fresh_classifier(pyramids).to(self.device)
            curves = self._fitted(classifier, training, validation)
        described = Described(self.drawings.class_map, self.drawings.split_table(), curves)
        described.write(self.unfinished)
        recipe = self.recipe
        write_ensemble(
            self.unfinished,
            classifier,
            recipe.num_blocks,
            recipe.decision,
            by_object=self.by_object,
            context=self.context,
        )

    def _keep_features(self, names: Sequence[str]) -> None:
        """Draw the annotated images again and keep their feature maps on disk."""
        with ProgressBar("features", len(names), "images") as progress:
            for name in names:
                if not self.store.has(name):
                    self.store.write(name, self._redrawn(name))
                progress.advance()

    @cached_property
    def _network(self) -> Generator:
        return self.generator.generator().to(self.device)

    def _redrawn(self, name: str) -> FeaturePyramid:
        """The features of a drawing, from its latent.

        Raises:
            WrongArtifactError: its latent does not draw it.
        """
        w = self.drawings.latent(name).to(self.device)
        image, pyramid = image_and_features(self._network, w, self.recipe.num_blocks)
        if name not in self.checked:
            self.drawings.check(name, pixels_of(image))
            self.checked.add(name)
        return pyramid

    @property
    def num_channels(self) -> int:
        """Features a pixel, those of the context head included."""
        around = 0 if self.context is None else self.context.shape.widths[1]
        return channels_of(self.generator.shape, self.recipe.num_blocks) + around

    @property
    def features(self) -> Callable[[str], FeaturePyramid]:
        """The features of a drawing by its name: kept ones, or drawn again each time.

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

    def _fitted_context(self, training: Sequence[str]) -> ContextHead | None:
        """The head that reads what lies around each pixel, from an earlier run if it is there."""
        if not self.recipe.has_context:
            return None
        shape = context_shape_of(
            self.generator.shape, self.recipe.num_blocks, len(self.drawings.class_map)
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

    def _fit_context(self, head: ContextHead, training: Sequence[str]) -> None:
        """Fit the head to the coarse maps of the training images."""
        side = head.shape.side_px
        pyramids = [self.features(name).up_to(side) for name in training]
        labels = [self.drawings.labels(name) for name in training]
        plan = self.recipe.context_plan
        with ProgressBar("context", plan.steps, "steps") as progress:
            for report in fit_context(head, pyramids, labels, plan):
                progress.reach(report.steps, f"loss {report.loss:.3f}")

    def _pixels(self, names: Sequence[str], mix: ClassMix) -> LabelledPixels:
        """Pixels of some of the annotated images."""
        source = PixelSource(
            self.features,
            self.num_channels,
            self.recipe.plan,
            self.recipe.num_members,
            self.device,
            self.regenerates,
        )
        labels = {name: self.drawings.labels(name) for name in names}
        return LabelledPixels(source, labels, mix)

    def _probe(
        self, training: Sequence[str], validation: Sequence[str]
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
        num_classes = len(self.drawings.class_map)
        return fresh_classifier(self.recipe, num_classes, self.num_channels, training)

    def _fitted(
        self,
        classifier: PixelClassifier,
        training: Sequence[str],
        validation: Sequence[str],
    ) -> list[str]:
        """Fit to the end of the plan; the curves come back, a line an epoch."""
        plan = self.recipe.plan
        state = new_fitting(classifier, plan)
        learning = Learning(
            {"classifier": state.classifier}, {"optimizer": (state.optimizer, state.classifier)}
        )
        state.steps, lines = learning.restored(self.unfinished)
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
                    learning.save(self.unfinished, state.steps, lines)
                    saved = time.monotonic()
        return lines
