"""What a rule of learning is: networks and the crops of a step to a loss."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hdgan.method.segmenter.crops import StepCrops


@dataclass(frozen=True)
class Networks:
    """The network that learns and, if the rule has one, its moving average."""

    student: nn.Module

    teacher: nn.Module | None = None

    precision: torch.dtype = torch.float32
    """What the forward pass computes in."""

    def answered(
        self, images: Float[Tensor, "batch 3 side side"]
    ) -> Float[Tensor, "batch classes side side"]:
        """Logits of the student, which learns from them; float32."""
        return self._logits(self.student.train(), images)

    def guessed(
        self, images: Float[Tensor, "batch 3 side side"]
    ) -> Float[Tensor, "batch classes side side"]:
        """Class probabilities as targets: of the teacher, or without one of the student."""
        return self._guessed(self.teacher or self.student, images)

    def student_guessed(
        self, images: Float[Tensor, "batch 3 side side"]
    ) -> Float[Tensor, "batch classes side side"]:
        """Class probabilities as targets, of the student as it is now."""
        return self._guessed(self.student, images)

    @torch.no_grad()
    def _guessed(
        self, network: nn.Module, images: Float[Tensor, "batch 3 side side"]
    ) -> Float[Tensor, "batch classes side side"]:
        # In evaluation mode a guess neither depends on the batch nor changes the network.
        return self._logits(network.eval(), images).softmax(dim=1)

    def _logits(
        self, network: nn.Module, images: Float[Tensor, "batch 3 side side"]
    ) -> Float[Tensor, "batch classes side side"]:
        is_low = self.precision != torch.float32
        with torch.autocast(images.device.type, self.precision, enabled=is_low):
            logits: Tensor = network(images)
        return logits.float()


class StepLoss(NamedTuple):
    """What a step makes smaller: the sum of both."""

    labelled: Float[Tensor, ""]

    unlabelled: Float[Tensor, ""] | None = None
    """Of unlabelled crops, weighted; None if the rule does not look at them now."""


@runtime_checkable
class Rule(Protocol):
    """A way to learn."""

    @property
    def decay(self) -> float | None:
        """Of the moving average; None for a rule without teacher."""

    def __call__(self, networks: Networks, crops: StepCrops, done: float) -> StepLoss:
        """The loss of a step, when this part of the run is done (0 to 1)."""


def unlabelled_of(crops: StepCrops) -> Float[Tensor, "unlabelled 3 side side"]:
    """The unlabelled crops of a step.

    Raises:
        ValueError: there are none.
    """
    if crops.unlabelled is None:
        raise ValueError("This rule learns from unlabelled crops too, but the step has none.")
    return crops.unlabelled
