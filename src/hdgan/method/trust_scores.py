"""Numbers that say how far labels may be trusted, each with its definition."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ReliabilityBin:
    """Pixels of which something was said with about the same probability."""

    said: float
    """The mean probability."""

    true: float
    """The part of them of which it was so."""

    pixels: int
    """How many."""


@dataclass(frozen=True)
class Calibration:
    """Whether the probability of a class means what it says."""

    name: str
    """The class; or all classes, for the probability of the class that is predicted."""

    expected_error: float | None
    """Expected calibration error, 0 to 1; None without a pixel."""

    true_pixels: int
    """Pixels of the class; or pixels whose class is right."""

    bins: list[ReliabilityBin]
    """The reliability curve; empty bins are left out."""


@dataclass(frozen=True)
class Detection:
    """Whether uncertainty tells wrong pixels from right ones."""

    measure: str
    """Of uncertainty."""

    name: str
    """The class that is predicted, or all classes."""

    auroc: float | None
    """The chance that a wrong pixel is more uncertain than a right one; None if all are one."""

    wrong: int
    """Wrong pixels."""

    pixels: int
    """All pixels of which this is predicted."""


@dataclass(frozen=True)
class Risk:
    """What part is wrong of the pixels that are left when the most uncertain are left out."""

    measure: str
    """Of uncertainty."""

    coverage: list[float]
    """The part of the pixels that is left."""

    risk: list[float]
    """The part of those that is wrong."""

    optimal: list[float]
    """The same, had every wrong pixel been more uncertain than every right one."""

    area: float
    """Mean risk over all coverages."""

    least_area: float
    """The same of the optimal curve."""


@dataclass(frozen=True)
class Margin:
    """By how much the predicted region of a class must grow to cover the true one."""

    name: str
    """The class."""

    unit: str
    """What is exchangeable: tile or patient."""

    units: int
    """Calibration units that have the class."""

    px: int | None
    """The margin; None if there is none."""

    why_not: str
    """Why there is none."""


@dataclass(frozen=True)
class Contours:
    """Boundaries and objects of a class."""

    name: str
    """The class."""

    boundary_f1: float | None
    """To two pixels; None of a class without a boundary."""

    objects: int
    """Predicted objects."""

    undecided: int
    """Of those, the ones whose two best classes are nearly as probable."""

    speckles_per_megapixel: float
    """Predicted specks."""


@dataclass(frozen=True)
class NoiseFlips:
    """What becomes of labels when an image is drawn again with other noise."""

    images: int
    """That were drawn twice."""

    share: float | None
    """The part of their pixels whose label changes; None where nothing could be measured."""

    why_not: str
    """Why nothing could be."""


@dataclass(frozen=True)
class Trust:
    """All of it."""

    calibration: list[Calibration]
    """A row a class, and one for the class that is predicted."""

    detection: list[Detection]
    """A row a measure of uncertainty and class, and for all classes."""

    risk: list[Risk]
    """One a measure of uncertainty."""

    margins: list[Margin]
    """A row a class."""

    contours: list[Contours]
    """A row a class."""

    noise: NoiseFlips | None = None
    """Of a classifier; a segmenter draws nothing."""

    definitions: dict[str, str] = field(default_factory=dict)
    """What each number is, by its name."""


def definitions_of(covered: float, alpha: float, unit: str, *, drawn: bool) -> dict[str, str]:
    """What each number is.

    Args:
        covered: the part of a true region that a margin is to cover.
        alpha: the part of the units of which it may fail.
        unit: tile or patient.
        drawn: whether the images were drawn by a generator.
    """
    of = "drawings" if drawn else "images"
    return {
        "expected_error": "expected calibration error: probabilities in 15 bins of equal width; "
        "the mean over the bins, weighted by their pixels, of |mean probability - part that is so|."
        " For all classes of the predicted class (Guo et al. 2017), for a class of its own "
        "probability at every labelled pixel (Nixon et al. 2019): a rare class's is small because "
        "most pixels are surely something else",
        "auroc": "the chance that a pixel whose class is wrong is more uncertain than one whose "
        "class is right, over all images together; .5 is chance. Of a class: among the pixels of "
        "which it is predicted",
        "risk": "the part that is wrong of the pixels that are left when the most uncertain are "
        "left out",
        "area": "mean risk over all coverages (AURC, Geifman and El-Yaniv 2017), and what it were "
        "had every wrong pixel been more uncertain than every right one",
        "margin": f"split conformal: the predicted region, grown by so many px, covers at least "
        f"{covered:.4g} of the true region of the next {unit} with a chance of {1 - alpha:.4g} or "
        f"more; {unit}s that have the class are the calibration units, never pixels (Mossina and "
        f"Friedrich 2025). Valid for {of} like these"
        + (", not for real tissue" if drawn else ", of the same source"),
        "boundary_f1": "harmonic mean of the part of the predicted boundary within 2 px of the "
        "true one and the part of the true one within 2 px of the predicted one",
        "undecided": "objects (connected regions of a predicted class, 30 px or more) whose two "
        "best classes lie within .2 in mean probability",
        "speckles_per_megapixel": "connected regions of the predicted class under 30 px, a million "
        "pixels",
        "noise": "the part of the pixels whose label changes when the same latent is drawn with "
        "random noise in place of the constant noise",
    }
