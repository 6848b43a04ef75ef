"""How many patients a difference takes to be seen."""

import math

from scipy import stats

from hdgan.method.comparison.difference import LEVEL, ArmMean

TYPICAL_DEVIATION = 0.06
"""Standard deviation over patients of a paired difference in macro Dice, to plan with."""

TYPICAL_RUN_DEVIATION = 0.02
"""Standard deviation over runs of the same difference, each run over all patients."""

MOST_PATIENTS = 1_000_000
"""Beyond this many, nobody plans."""


def detectable(
    num_patients: int, deviation: float = TYPICAL_DEVIATION, *, level: float = LEVEL
) -> float:
    """The least difference in Dice that the interval tells from 0, once it is found.

    It is half the width of Student's interval for a mean; infinite for one patient. Runs are taken
    to be so many that they add nothing. With .06: 5 patients .074, 10 .043, 20 .028.
    """
    if num_patients < 2:
        return math.inf
    quantile = float(stats.t.ppf((1 + level) / 2, num_patients - 1))
    return quantile * deviation / math.sqrt(num_patients)


def counts_from(difference: ArmMean) -> float:
    """From what size on such a difference would be a verdict here, in Dice; NaN without interval.

    It is how far the interval reaches from the mean towards 0. So whatever got no verdict is
    smaller, and whatever got one is larger.
    """
    if difference.mean < 0:
        return difference.high - difference.mean
    return difference.mean - difference.low


def half_width(
    num_patients: int,
    num_runs: int,
    *,
    deviation: float = TYPICAL_DEVIATION,
    run_deviation: float = TYPICAL_RUN_DEVIATION,
    level: float = LEVEL,
) -> float:
    """Half the width of a paired difference's interval to be expected, with so many runs.

    As `resampling` has it, with Satterthwaite's degrees of freedom; infinite with one patient or
    one run. One deviation at least is above 0.
    """
    if num_patients < 2 or num_runs < 2:
        return math.inf
    of_patients, of_runs = deviation**2 / num_patients, run_deviation**2 / num_runs
    total = of_patients + of_runs
    free = total**2 / (of_patients**2 / (num_patients - 1) + of_runs**2 / (num_runs - 1))
    return float(stats.t.ppf((1 + level) / 2, free)) * math.sqrt(total)


def patients_needed(difference: ArmMean, least: float) -> int:
    """The fewest patients, as unlike as these, with whom a found `least` would count as evidence.

    More patients do not make up for too few runs; those are not allowed for here.

    Args:
        difference: with the deviation of its patients, so of two at least.
        least: the smallest difference that would matter, in Dice, above 0.
    """
    if not least > 0:
        raise ValueError(f"the least difference must be above 0, not {least}")
    if math.isnan(difference.patient_deviation):
        raise ValueError("how patients differ is unknown with fewer than two")
    low, high = 1, 2
    while high < MOST_PATIENTS and detectable(high, difference.patient_deviation) > least:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if detectable(middle, difference.patient_deviation) > least:
            low = middle
        else:
            high = middle
    return high
