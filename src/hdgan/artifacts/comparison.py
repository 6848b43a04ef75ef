"""Arms that were compared on held-out patients: every run, every confusion matrix, the verdict."""

from typing import Literal

import numpy as np
from jaxtyping import Int64
from pydantic import BaseModel, ConfigDict, ValidationError

from hdgan.artifacts.annotation_set import CLASSES, class_map_of
from hdgan.artifacts.arrays import npy_of
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.table import Name, Record, table_of
from hdgan.class_map import ClassMap
from hdgan.errors import DamagedArtifactError

IMAGES = "images.csv"
RUNS = "runs.csv"
COMPARISON = "comparison.json"
REPORT = "report.html"

Matrices = Int64[np.ndarray, "images classes classes"]


class ComparedImage(Record):
    """A real image that segmenters were tested on."""

    image: Name
    """Name of the tile."""

    patient: str
    """Whose tissue it is."""

    fold: int
    """The runs of this fold were tested on it."""


class RunRecord(Record):
    """A segmenter that was trained, and tested on the images of its fold."""

    run: Name
    """Its name."""

    arm: str
    """How it was made."""

    count: int | None
    """Human labels that it had; None for all there are."""

    fold: int
    """What it was tested on; no patient of it was learned from."""

    draw: int | None
    """Which choice of labelled images; None where all are taken."""

    seed: int
    """Of the training."""

    cpu_seconds: float | None
    """What it cost in time of the processor: training, and the pairs that it learned from. None if
    nobody knows, because it was interrupted and went on."""

    seconds: float | None
    """The same by the clock, with one thread; on a GPU this is what counts."""

    minutes: float | None = None
    """Work of annotators: its labels times the mean of those whose minutes are known."""

    @property
    def confusion(self) -> str:
        """The matrices' path in the artifact."""
        return f"confusion/{self.run}.npy"


class _Text(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IntervalText(_Text):
    """A mean over patients and runs, and what else it could well have been. 0 to 1."""

    mean: float | None
    """None if there is nothing to average."""

    low: float | None
    """Lower end; None if there is too little for an interval."""

    high: float | None
    """Upper end."""

    num_patients: int
    num_runs: int


class ArmText(_Text):
    """How one arm did at one number of labels."""

    arm: str
    count: int | None
    """Labels; None for all there are."""

    score: IntervalText
    """The primary score."""

    scores: dict[str, float | None]
    """Other scores over all classes by name, means of the runs."""

    classes: dict[str, float | None]
    """Dice of each class, all images of a run together, means of the runs."""

    cpu_seconds: float | None
    """Mean of the runs whose cost is known; None if there is none."""

    seconds: float | None
    """The same by the clock."""


class DifferenceText(_Text):
    """One arm against another, on the same patients, labels and seeds."""

    arm: str
    against: str
    count: int | None
    difference: IntervalText
    verdict: str
    """`helps`, `no evidence` or `hurts`, as if this were the only comparison."""

    corrected: str | None = None
    """The same, allowing for how many arms are compared with `supervised`."""


class MultiplierText(_Text):
    """How many labels a purely supervised segmenter would need for the same score."""

    sentence: str
    """For people."""

    labels: float | None = None
    multiplier: float | None = None
    low: float | None = None
    high: float | None = None
    minutes_saved: float | None = None
    """Work of annotators, where the minutes of each label are known."""


class WorstText(_Text):
    """A test image that the candidate gets wrong."""

    image: str
    patient: str
    candidate: float | None
    """Mean Dice of its classes, mean of the runs."""

    reference: float | None


class DesignText(_Text):
    """What was run."""

    arms: list[str]
    counts: list[int]
    draws: int
    seeds: int
    folds: list[int]
    num_runs: int
    num_patients: int
    num_images: int
    detectable: float | None
    """The smallest difference that so many patients show, if they differ as patients usually do."""

    estimated_seconds: float | None = None
    """What the trial said it would take; none without a budget."""


class ComparisonText(_Text):
    """What a comparison found."""

    candidate: str
    reference: str
    at: int
    """Labels of the verdict."""

    verdict: Literal["helps", "no evidence", "hurts"]
    sentences: list[str]
    """The verdict in words, the primary one first."""

    doubts: list[str] = []
    """Signs that the networks have not learned what they could."""

    definition: str
    """Of the primary score."""

    definitions: dict[str, str]
    """Of the other scores, by name."""

    design: DesignText
    arms: list[ArmText]
    differences: list[DifferenceText]
    multiplier: MultiplierText | None = None
    worst: list[WorstText]
    left_out: list[str]
    """What was not run, and why."""

    cannot_show: list[str]
    """Limits of this comparison."""

    minutes_a_label: float | None = None
    """Mean work of annotators, where it is known."""

    knows_generators: bool = True
    """Whether the generators that were used say which of these tiles they have learned from."""

    changed: dict[str, str] = {}
    """By arm, in what its classifier differs from its preset."""

    def arm(self, name: str, count: int | None) -> ArmText | None:
        """How an arm did at a number of labels, if it was run."""
        return next((row for row in self.arms if (row.arm, row.count) == (name, count)), None)

    def difference(self, name: str, against: str, count: int | None) -> DifferenceText | None:
        """One arm against another, if both were run."""
        wanted = (name, against, count)
        rows = (row for row in self.differences if (row.arm, row.against, row.count) == wanted)
        return next(rows, None)


class Comparison(Artifact):
    """`comparison.json`, tables, a confusion matrix an image and run, pictures, `report.html`."""

    kind = "comparison"

    @property
    def class_map(self) -> ClassMap:
        """The classes, in order."""
        return class_map_of(self.read(CLASSES), str(self.folder / CLASSES))

    @property
    def text(self) -> ComparisonText:
        """What it found.

        Raises:
            DamagedArtifactError: it cannot be read.
        """
        try:
            return ComparisonText.model_validate_json(self.read(COMPARISON))
        except ValidationError as error:
            first = error.errors()[0]
            raise DamagedArtifactError(
                f"{self.folder / COMPARISON} cannot be understood ({first['msg']})."
            ) from error

    def images(self) -> list[ComparedImage]:
        """The test images."""
        return table_of(self.read(IMAGES), ComparedImage, str(self.folder / IMAGES))

    def runs(self) -> list[RunRecord]:
        """Every run."""
        return table_of(self.read(RUNS), RunRecord, str(self.folder / RUNS))

    def confusion(self, run: RunRecord) -> Matrices:
        """The matrices of a run, true class by predicted class, an image each.

        They are in the order of those `images` that are of the run's fold. Memory: one run.
        """
        matrices = npy_of(self.read(run.confusion), str(self.folder / run.confusion))
        classes = len(self.class_map)
        if matrices.dtype != np.int64 or matrices.shape[1:] != (classes, classes):
            raise DamagedArtifactError(
                f"{self.folder / run.confusion} holds no confusion matrices of {classes} classes. "
                "Restore it from a copy."
            )
        return matrices

    def pictures(self) -> list[str]:
        """Paths of the pictures, the worst first, in the order of `text.worst`."""
        return sorted(name for name in self.manifest.files if name.startswith("pictures/"))
