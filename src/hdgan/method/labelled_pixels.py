"""Labelled pixels with their features, step by step, for a classifier to be fitted to."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch

from hdgan.class_map import LabelMap
from hdgan.method.features import FeaturePyramid
from hdgan.method.fitting import FittingPlan, LabelledFeatures
from hdgan.method.pixel_sampling import ClassMix, DrawnPixels, PixelSampler

Key = TypeVar("Key")
Result = TypeVar("Result")

REGENERATED_BYTES = 512 * 2**20
"""Features of drawn pixels that are held when feature maps are not kept."""

VALIDATION_PIXELS = 20_000
"""Pixels of the validation images that are scored each epoch."""


@dataclass(frozen=True)
class PixelSource:
    """Where features come from, and how many pixels are wanted."""

    features: Callable[[str], FeaturePyramid]
    """The features of an image by its name."""

    num_channels: int
    """Features a pixel."""

    plan: FittingPlan
    """How many pixels each member sees a step, and the seed that draws them."""

    num_members: int
    """Members, each with pixels of its own."""

    device: torch.device
    """Where features are wanted."""

    regenerates: bool
    """Whether features are drawn again each time, so that asking seldom pays."""


def one_ahead(make: Callable[[Key], Result], keys: Sequence[Key]) -> Iterator[Result]:
    """What is made of each key, in order; the next in a thread while the last is used."""
    with ThreadPoolExecutor(1) as thread:
        coming = [thread.submit(make, key) for key in keys[:1]]
        for i in range(len(keys)):
            made = coming.pop().result()
            coming = [thread.submit(make, key) for key in keys[i + 1 : i + 2]]
            yield made


class LabelledPixels:
    """Labelled pixels of some of the images, with their features.

    Kept features are read a step at a time. Features that are drawn again come for as many steps
    at a time as fit into `REGENERATED_BYTES`; the pixels of each step are the same.
    """

    def __init__(
        self,
        source: PixelSource,
        labels: Mapping[str, LabelMap],
        mix: ClassMix,
    ) -> None:
        """Pixels are drawn from all label maps together.

        Args:
            source: where features come from, and how many are wanted.
            labels: the label map of each image, by its name.
            mix: how often each class is drawn.
        """
        self.plan, self.members = source.plan, source.num_members
        self.device, self.features = source.device, source.features
        self.names = list(labels)
        self.num_channels = source.num_channels
        step_bytes = 4 * self.members * self.plan.batch * self.num_channels
        self.steps_at_once = max(1, REGENERATED_BYTES // step_bytes) if source.regenerates else 1
        self.ready: dict[int, LabelledFeatures] = {}
        self.sampler = PixelSampler(list(labels.values()), mix)

    def __call__(self, step: int) -> LabelledFeatures:
        """A step's pixels: every member sees its own."""
        if step not in self.ready:
            steps = range(step, min(step + self.steps_at_once, self.plan.steps))
            drawn = [self.drawn(i) for i in steps]
            made = self._with_features(drawn, self.members)
            self.ready = dict(zip(steps, made, strict=True))
        return self.ready.pop(step)

    def drawn(self, step: int) -> DrawnPixels:
        """Which pixels a step sees."""
        random = np.random.default_rng([self.plan.seed, 3, step])
        return self.sampler.draw(self.members * self.plan.batch, random)

    def validation(self) -> LabelledFeatures:
        """Pixels to score on, always the same."""
        return self._with_features([self.drawn_for_validation()], 1)[0]

    def drawn_for_validation(self) -> DrawnPixels:
        """Which pixels those are."""
        random = np.random.default_rng([self.plan.seed, 4])
        return self.sampler.draw(VALIDATION_PIXELS, random)

    def gathering(self, steps: Sequence[DrawnPixels], members: int) -> "Gathering":
        """Room for the features of each step's pixels."""
        return Gathering(steps, members, self.num_channels, self.device)

    def _with_features(self, steps: Sequence[DrawnPixels], members: int) -> list[LabelledFeatures]:
        """The features of each step's pixels; every image is read once."""
        gathering = self.gathering(steps, members)
        for i, name in enumerate(self.names):
            gathering.take(i, self.features(name))
        return gathering.made()


class Gathering:
    """Features of drawn pixels, taken in image by image."""

    def __init__(
        self, steps: Sequence[DrawnPixels], members: int, num_channels: int, device: torch.device
    ) -> None:
        self.steps, self.members, self.device = steps, members, device
        self.features = [np.empty((drawn.rows.size, num_channels), np.float32) for drawn in steps]

    def take(self, i: int, pyramid: FeaturePyramid) -> None:
        """The pixels of the i-th image."""
        for drawn, features in zip(self.steps, self.features, strict=True):
            here = np.flatnonzero(drawn.images == i)
            features[here] = pyramid.at(drawn.rows[here], drawn.columns[here])

    def made(self) -> list[LabelledFeatures]:
        """All of them, step by step."""
        return [
            LabelledFeatures(self._dealt(features), self._dealt(drawn.classes.astype(np.int64)))
            for drawn, features in zip(self.steps, self.features, strict=True)
        ]

    def _dealt(self, values: np.ndarray) -> torch.Tensor:
        """The same, an equal part for each member."""
        return torch.from_numpy(values).to(self.device).unflatten(0, (self.members, -1))
