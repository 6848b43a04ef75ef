"""How far labels may be trusted: counted image by image, then said in numbers.

Memory does not grow with the images' size once they are counted: bins of probability, steps of
uncertainty, and for each unit and class what its margin is found from.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from hdgan.class_map import UNLABELLED, LabelMap
from hdgan.method.boundary_agreement import boundary_counts, boundary_f1, no_boundaries
from hdgan.method.calibration import no_reliability, reliability_of
from hdgan.method.conformal import (
    Reach,
    conformal_quantile,
    margin_px,
    no_reach,
    reach_of,
    units_needed,
)
from hdgan.method.error_detection import (
    UncertaintyCounts,
    error_auroc,
    no_uncertainty,
    risk_curve,
    uncertainty_counts,
)
from hdgan.method.layout_statistics import MEGAPIXEL
from hdgan.method.trust_scores import (
    Calibration,
    Contours,
    Detection,
    Margin,
    ReliabilityBin,
    Risk,
    Trust,
)
from hdgan.method.undecided_objects import no_objects, object_counts

CHUNK = 2**20
"""Pixels that are put into bins at a time."""

DIVERGENCE = "divergence of the members"
UNSURENESS = "1 - largest probability"

ALL = "all classes"
"""What stands for the class that is predicted, whichever it is."""


@dataclass(frozen=True)
class Judged:
    """An image's labels, what was predicted, and how surely."""

    truth: LabelMap
    """What is right; unlabelled pixels count nowhere."""

    predicted: LabelMap
    """The class of each pixel."""

    probabilities: Float32[np.ndarray, "classes height width"]
    """Of each class."""

    divergence: Float32[np.ndarray, "height width"] | None = None
    """Of an ensemble's members, nats; None without several."""


@dataclass(frozen=True)
class MarginChoice:
    """What a margin has to hold."""

    covered: float = 0.99
    """The part of a true region that the grown one is to cover."""

    alpha: float = 0.1
    """The part of the units of which it may fail."""

    unit: str = "tile"
    """What one calibration unit is: a tile or a patient."""


class TrustTally:
    """Counts one image after another."""

    def __init__(self, names: Sequence[str], choice: MarginChoice) -> None:
        """Begin.

        Args:
            names: of the classes, in order.
            choice: what margins have to hold.
        """
        self.names, self.choice = list(names), choice
        num = len(self.names)
        self._reliability = [no_reliability() for _ in range(num + 1)]
        self._uncertainty: dict[str, list[UncertaintyCounts]] = {}
        self._boundaries, self._objects = no_boundaries(num), no_objects(num)
        self._reach: dict[str, list[Reach]] = {}

    def add(self, judged: Judged, unit: str) -> None:
        """Count an image.

        Args:
            judged: its labels and what was predicted.
            unit: whose calibration unit it belongs to: its own name, or its patient's.
        """
        for part in _parts(judged):
            self._add_pixels(*part)
        num = len(self.names)
        self._boundaries = self._boundaries.plus(
            boundary_counts(judged.truth, judged.predicted, num)
        )
        self._objects = self._objects.plus(object_counts(judged.predicted, judged.probabilities))
        before = self._reach.setdefault(unit, [no_reach() for _ in range(num)])
        for tissue, reach in enumerate(before):
            true = judged.truth == tissue
            if true.any():
                before[tissue] = reach.plus(reach_of(judged.predicted == tissue, true))

    def _add_pixels(
        self,
        truth: np.ndarray,
        predicted: np.ndarray,
        probabilities: Float32[np.ndarray, "classes pixels"],
        divergence: np.ndarray | None,
    ) -> None:
        num, is_wrong = len(self.names), truth != predicted
        of_predicted = np.take_along_axis(probabilities, predicted[None].astype(np.int64), 0)[0]
        found = [reliability_of(probabilities[i], truth == i) for i in range(num)]
        found.append(reliability_of(of_predicted, ~is_wrong))
        pairs = zip(self._reliability, found, strict=True)
        self._reliability = [before.plus(now) for before, now in pairs]
        measures = {UNSURENESS: 1 - probabilities.max(axis=0)}
        if divergence is not None:
            measures = {DIVERGENCE: divergence} | measures
        for measure, values in measures.items():
            counts = self._uncertainty.setdefault(measure, [no_uncertainty() for _ in range(num)])
            for tissue in range(num):
                here = predicted == tissue
                now = uncertainty_counts(values[here], is_wrong[here])
                counts[tissue] = counts[tissue].plus(now)

    def trust(self) -> Trust:
        """What was counted, in numbers."""
        return Trust(
            calibration=[*self._calibration()],
            detection=[*self._detection()],
            risk=[*self._risk()],
            margins=[self._margin(tissue) for tissue in range(len(self.names))],
            contours=self._contours(),
        )

    def _calibration(self) -> Iterator[Calibration]:
        for name, counted in zip([*self.names, ALL], self._reliability, strict=True):
            rows = zip(counted.mean_said, counted.share_true, counted.pixels, strict=True)
            bins = [ReliabilityBin(float(s), float(t), int(n)) for s, t, n in rows if n]
            pixels = int(counted.true.sum())
            yield Calibration(name, _number(counted.expected_error), pixels, bins)

    def _detection(self) -> Iterator[Detection]:
        for measure, counts in self._uncertainty.items():
            for name, counted in zip([ALL, *self.names], [_all(counts), *counts], strict=True):
                wrong, right = int(counted.wrong.sum()), int(counted.right.sum())
                yield Detection(measure, name, _number(error_auroc(counted)), wrong, wrong + right)

    def _risk(self) -> Iterator[Risk]:
        for measure, counts in self._uncertainty.items():
            curve = risk_curve(_all(counts))
            if curve is not None:
                columns = (curve.coverage.tolist(), curve.risk.tolist(), curve.optimal.tolist())
                yield Risk(measure, *columns, curve.area, curve.least_area)

    def _margin(self, tissue: int) -> Margin:
        name, choice = self.names[tissue], self.choice
        reaches = [of[tissue] for of in self._reach.values() if of[tissue].pixels]
        margins = [margin_px(reach, choice.covered) for reach in reaches]
        lost = sum(math.isinf(margin) for margin in margins)
        needed = units_needed(choice.alpha)
        if len(margins) < needed:
            reason = f"too few calibration units: {len(margins)}, needed {needed}"
            return Margin(name, choice.unit, len(margins), None, reason)
        quantile = conformal_quantile(margins, choice.alpha)
        if math.isinf(quantile):
            reason = (
                f"no margin is enough: in {lost} of {len(margins)} {choice.unit}s too much "
                + ("lies where the class is not predicted at all")
            )
            return Margin(name, choice.unit, len(margins), None, reason)
        return Margin(name, choice.unit, len(margins), int(quantile), "")

    def _contours(self) -> list[Contours]:
        f1, objects = boundary_f1(self._boundaries), self._objects
        megapixels = max(objects.pixels, 1) / MEGAPIXEL
        return [
            Contours(
                name,
                _number(float(f1[i])),
                int(objects.objects[i]),
                int(objects.undecided[i]),
                float(objects.speckles[i] / megapixels),
            )
            for i, name in enumerate(self.names)
        ]


def _parts(judged: Judged) -> Iterator[tuple[np.ndarray, ...]]:
    """The labelled pixels, some rows at a time; the divergence last, or None."""
    rows = max(1, CHUNK // judged.truth.shape[1])
    for first in range(0, len(judged.truth), rows):
        part = slice(first, first + rows)
        truth = judged.truth[part]
        known = truth != UNLABELLED
        divergence = judged.divergence
        yield (
            truth[known],
            judged.predicted[part][known],
            judged.probabilities[:, part][:, known],
            None if divergence is None else divergence[part][known],
        )  # type: ignore[misc]


def _all(counts: Sequence[UncertaintyCounts]) -> UncertaintyCounts:
    together = no_uncertainty()
    for one in counts:
        together = together.plus(one)
    return together


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
