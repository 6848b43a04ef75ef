"""What a process needs to draw: a generator, an ensemble, and as much memory as it may take."""

from dataclasses import dataclass

import torch

from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.memory import bytes_for_work
from hdgan.errors import WrongArtifactError
from hdgan.method.labelled_drawing import LabelledGenerator, fixed_bytes_of
from hdgan.method.stylegan.synthesis import Generator
from hdgan.method.uncertainty import largest_divergence
from hdgan.stages.synthesize.plan import Plan

WRITERS = 2
"""Threads that encode and write, so that the generator need not wait for them."""

WAITING_BYTES = 64 * 2**20
"""Drawings that wait to be written may take so much; one always may."""


@dataclass(frozen=True)
class Networks:
    """The networks of a plan, on one device."""

    generator: Generator
    labelled: LabelledGenerator
    num_classes: int
    largest: float
    """Divergence that no pixel exceeds, nats."""
    most_waiting: int
    """Drawings that may wait to be written."""

    @classmethod
    def loaded(cls, plan: Plan, device: torch.device) -> "Networks":
        """Read them from their artifacts.

        Raises:
            SettingsError: the memory that is allowed is not enough.
            WrongArtifactError: others are there than where the run was begun.
        """
        ensemble = ClassifierFolder.open(plan.classifier)
        folder = GeneratorFolder.open(plan.generator)
        if (ensemble.digest, folder.digest) != plan.digests:
            raise WrongArtifactError(
                f"{plan.classifier} or {plan.generator} is another one here than where the run was "
                "begun. All computers need the same folders under the same paths."
            )
        generator = folder.generator().to(device)
        classifier = ensemble.classifier().to(device)
        context = ensemble.context()
        context = None if context is None else context.to(device)
        drawing_bytes = 8 * plan.side_px**2
        most_waiting = max(1, min(2 * WRITERS, WAITING_BYTES // drawing_bytes))
        fixed = fixed_bytes_of(folder.shape, classifier, context)
        labelled = LabelledGenerator(
            generator,
            classifier,
            ensemble.text.num_blocks,
            context=context,
            decision=ensemble.decision,
            by_object=ensemble.text.by_object,
            memory_bytes=bytes_for_work(
                plan.settings.memory, plan.side_px, fixed + most_waiting * drawing_bytes
            ),
        )
        num_classes = len(ensemble.class_map)
        largest = largest_divergence(classifier.shape.num_members, num_classes)
        return cls(generator, labelled, num_classes, largest, most_waiting)
