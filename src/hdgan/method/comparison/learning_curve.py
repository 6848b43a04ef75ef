"""How macro Dice grows with the number of labels: Dice(n) = a - b n^-c.

A power law towards a ceiling is what learning curves of such networks look like over the sizes
that can be measured (Hestness et al. 2017; Viering and Loog 2023, "The shape of learning curves").
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

EXPONENTS = np.geomspace(0.05, 3.0, 80)
"""The c that are tried: from a curve that is straight in log n to one that is flat after twice n.

Measured curves have .05 to 1; three points cannot tell a larger c from a step.
"""

MIN_COUNTS = 3
"""As many numbers of labels as the curve has parameters. With two: a line in log n."""


@dataclass(frozen=True)
class LearningCurves:
    """Curves a - b n^-c, or lines a + b log n; one a replicate."""

    ceiling: Float[np.ndarray, " replicates"]
    """a: what the curve tends to, 0 to 1; of a line its value at one label."""

    gain: Float[np.ndarray, " replicates"]
    """b, 0 or more."""

    exponent: Float[np.ndarray, " replicates"]
    """c; 0 stands for a line in log n."""

    def at(self, count: float) -> Float[np.ndarray, " replicates"]:
        """Dice with so many labels."""
        power = self.ceiling - self.gain * count**-self.exponent
        return np.where(self.exponent > 0, power, self.ceiling + self.gain * np.log(count))

    def labels_for(
        self, dice: Float[np.ndarray, " replicates"]
    ) -> Float[np.ndarray, " replicates"]:
        """The labels that give this Dice: 0 to infinity; infinity at the ceiling and above."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            below = np.maximum(self.ceiling - dice, 0.0)
            power = np.where(below > 0, (self.gain / below) ** (1 / self.exponent), np.inf)
            line = np.exp((dice - self.ceiling) / self.gain)
        return np.where(self.exponent > 0, power, np.where(self.gain > 0, line, np.inf))


def fitted_curves(
    counts: Float[np.ndarray, " counts"], dice: Float[np.ndarray, "replicates counts"]
) -> LearningCurves:
    """The curve of least squares through each row, with 0 <= a <= 1, b >= 0 and c of `EXPONENTS`.

    For a given c the curve is a straight line in n^-c, so every c is tried and the best is kept:
    no starting value, no local minimum, all replicates at once. With two counts the line in log n
    passes through both points, or is flat if the second is lower. Of equally good curves the one
    that bends least.

    Args:
        counts: numbers of labels, two at least, all different.
        dice: one curve's points a row.
    """
    if len(counts) < 2 or len(set(counts.tolist())) < len(counts):
        raise ValueError(f"a curve needs two different numbers of labels, not {counts.tolist()}")
    if len(counts) < MIN_COUNTS:
        return _lines(counts, dice)
    tried = [_bounded(counts**-exponent, dice) for exponent in EXPONENTS]
    errors = np.stack([error for _, _, error in tried])
    best = errors.argmin(axis=0)
    rows = np.arange(len(dice))
    ceilings, gains = (np.stack([one[i] for one in tried])[best, rows] for i in (0, 1))
    return LearningCurves(ceilings, gains, EXPONENTS[best])


def _bounded(
    falling: Float[np.ndarray, " counts"], dice: Float[np.ndarray, "replicates counts"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """a, b and the squared error of the best a - b x with 0 <= a <= 1 and b >= 0."""
    centred = falling - falling.mean()
    gain = np.maximum(-(dice @ centred) / (centred @ centred), 0.0)
    ceiling = dice.mean(axis=1) + gain * falling.mean()
    through_one = np.maximum((1 - dice) @ falling / (falling @ falling), 0.0)
    gain = np.where(ceiling > 1, through_one, gain)
    ceiling = np.clip(ceiling, 0.0, 1.0)
    error = ((ceiling[:, None] - gain[:, None] * falling - dice) ** 2).sum(axis=1)
    return ceiling, gain, error


def _lines(
    counts: Float[np.ndarray, "2"], dice: Float[np.ndarray, "replicates 2"]
) -> LearningCurves:
    """The line in log n through both points; where it would fall, flat at their mean."""
    logs = np.log(counts)
    gain = np.maximum((dice[:, 1] - dice[:, 0]) / (logs[1] - logs[0]), 0.0)
    start = dice.mean(axis=1) - gain * logs.mean()
    return LearningCurves(start, gain, np.zeros(len(dice)))
