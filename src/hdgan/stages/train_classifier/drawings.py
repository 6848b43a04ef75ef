"""The drawings that a classifier is fitted to: annotated samples, each with its latent."""

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from hdgan.artifacts.annotation_set import AnnotationRecord, AnnotationSet
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.sample_set import SampleRecord, SampleSet
from hdgan.artifacts.seen import Seen, drawings_of
from hdgan.artifacts.table import table_bytes
from hdgan.class_map import ClassMap, LabelMap
from hdgan.errors import SettingsError, WrongArtifactError
from hdgan.method.regeneration import regenerates
from hdgan.settings.train_classifier import TrainClassifierSettings

Latent = Float[Tensor, "1 w_dim"] | Float[Tensor, "1 num_ws w_dim"]
"""One w for all layers, or one for each."""


@runtime_checkable
class LabelledDrawings(Protocol):
    """Drawings by name, with their latents and labels, all of one size."""

    class_map: ClassMap

    @property
    def training(self) -> Sequence[str]:
        """What is learned from."""

    @property
    def validation(self) -> Sequence[str]:
        """What is validated on; empty: nothing is left for it."""

    def labels(self, name: str) -> LabelMap:
        """The class of each pixel of a drawing."""

    def latent(self, name: str) -> Latent:
        """What it is drawn from, on the CPU."""

    def check(self, name: str, redrawn: UInt8[np.ndarray, "side side 3"]) -> None:
        """Do nothing if this is the drawing that was labelled.

        Raises:
            WrongArtifactError: it is another.
        """

    def split_table(self) -> bytes:
        """What each image was for, as a table."""


class AnnotatedSamples:
    """Annotated samples of a sample set, of which some are learned from.

    Memory: the latents; label maps are read when they are asked for.
    """

    def __init__(
        self,
        annotated: AnnotationSet,
        samples: SampleSet,
        generator: GeneratorFolder,
        settings: TrainClassifierSettings,
    ) -> None:
        """Choose what is learned from.

        Raises:
            SettingsError: there are fewer images than are wanted, or none.
        """
        self.annotated, self.samples, self.generator = annotated, samples, generator
        self.class_map = annotated.class_map
        self._records = {record.image: record for record in annotated.records()}
        offered = annotated.records(None if settings.all_splits else "training")
        self.training = [record.image for record in chosen_of(offered, settings)]
        learned = set(self.training)
        held_out = (
            [record for record in annotated.records() if record.split == "validation"]
            if settings.all_splits
            else annotated.records("validation")
        )
        self.validation = [record.image for record in held_out if record.image not in learned]

    @property
    def seen(self) -> Seen:
        """The drawings that are learned from."""
        seeds = (self._samples[name].seed for name in self.training)
        return drawings_of(self.generator.digest, seeds)

    def labels(self, name: str) -> LabelMap:
        """The class of each pixel of a sample."""
        return self.annotated.labels(self._records[name])

    def latent(self, name: str) -> Latent:
        """The w of a sample."""
        row = self._samples[name].row
        return torch.from_numpy(self._latents[row : row + 1])

    def check(self, name: str, redrawn: UInt8[np.ndarray, "side side 3"]) -> None:
        """Do nothing if this is the sample's image.

        Raises:
            WrongArtifactError: its latent draws another.
        """
        sample = self._samples[name]
        if not regenerates(self.samples.image(sample), redrawn):
            raise WrongArtifactError(
                f"{self.samples.folder / sample.image} is not what {self.generator.folder} draws "
                "from its latent: images, latents and weights no longer belong together. Draw the "
                "samples again with `hdgan sample` and annotate those."
            )

    def split_table(self) -> bytes:
        """The annotated images with what each was for; empty for those that were left out."""
        used = dict.fromkeys(self.training, "training") | dict.fromkeys(
            self.validation, "validation"
        )
        rows = [
            record.model_copy(update={"split": used.get(name, _if_test(record))})
            for name, record in self._records.items()
        ]
        return table_bytes(rows, AnnotationRecord)

    @cached_property
    def _latents(self) -> Float32[np.ndarray, "samples w_dim"]:
        return self.samples.latents()

    @cached_property
    def _samples(self) -> dict[str, SampleRecord]:
        return {record.sample: record for record in self.samples.records()}


def chosen_of(
    records: Sequence[AnnotationRecord], settings: TrainClassifierSettings
) -> list[AnnotationRecord]:
    """As many of the annotated images as are wanted, drawn at random, in their order.

    Raises:
        SettingsError: there are fewer.
    """
    wanted = settings.num_images
    if wanted is None:
        return list(records)
    if wanted > len(records):
        where = "" if settings.all_splits else " for training"
        raise SettingsError(
            f"--num-images is {wanted}, but {len(records)} images are annotated{where}. Ask for no "
            "more than that, or annotate more."
        )
    seed = settings.seed if settings.draw is None else settings.draw
    # The numbers of train-segmenter: of the same tiles both take the same ones.
    random = np.random.default_rng([seed, 5])
    places = random.choice(len(records), size=wanted, replace=False)
    return [records[place] for place in sorted(places)]


def _if_test(record: AnnotationRecord) -> str | None:
    return record.split if record.split == "test" else None
