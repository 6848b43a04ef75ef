"""What is run: every arm, number of labels, label draw, seed and test fold."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hdgan.errors import SettingsError
from hdgan.method.comparison.planning import Design
from hdgan.settings.compare import USUAL_AT, Arm, CompareSettings
from hdgan.settings.train_classifier import ClassifierPreset
from hdgan.stages.compare.arms import RECIPES, candidate_of


@dataclass(frozen=True)
class PairsJob:
    """Pairs of a classifier that was fitted to some annotated drawings; several runs share them."""

    drawings: int
    """Place of the annotated drawings in the inputs."""

    preset: ClassifierPreset
    """Of the classifier."""

    count: int
    """Drawings whose labels it learns from."""

    draw: int
    """Which ones."""

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"pairs-{self.drawings}-{self.preset}-{self.count}-draw{self.draw}"


@dataclass(frozen=True)
class RunJob:
    """A segmenter to be trained and tested."""

    arm: Arm
    count: int | None
    """Labels; None for all there are."""

    fold: int
    """To test on."""

    draw: int | None
    """Which images are labelled; None if all are."""

    seed: int
    """Of the training, from 0 on."""

    drawings: int = 0
    """Place of the annotated drawings in the inputs."""

    keeps_predictions: bool = False
    """Whether its label maps are wanted for pictures."""

    @property
    def name(self) -> str:
        """Of its files."""
        if self.count is None:
            return f"{self.arm}-fold{self.fold}-seed{self.seed}"
        return f"{self.arm}-{self.count}-fold{self.fold}-draw{self.draw}-seed{self.seed}"

    @property
    def pairs(self) -> PairsJob | None:
        """The pairs that it learns from, if any."""
        recipe = RECIPES[self.arm]
        if not recipe.has_pairs or self.count is None or self.draw is None:
            return None
        return PairsJob(self.drawings, recipe.preset, recipe.num_drawings(self.count), self.draw)


@dataclass(frozen=True)
class Available:
    """Labels that there are."""

    tiles: int
    """Annotated tiles outside the test fold that leaves fewest."""

    drawings: int
    """Annotated drawings of the generator that has fewest."""

    def fits(self, arm: Arm, count: int) -> bool:
        """Whether an arm can have so many labels."""
        recipe = RECIPES[arm]
        halves = recipe.labels != "both" or count > 1
        enough = recipe.num_tiles(count) <= self.tiles
        return halves and enough and recipe.num_drawings(count) <= self.drawings


@dataclass(frozen=True)
class Plan:
    """Everything that is run, and what the verdict is about."""

    arms: tuple[Arm, ...]
    design: Design
    folds: tuple[int, ...]
    drawings_of: Mapping[int, int]
    """Place of each fold's drawings in the inputs."""

    available: Available
    candidate: Arm
    reference: Arm
    at: int

    @property
    def counted_arms(self) -> list[Arm]:
        """The arms that have a number of labels."""
        return [arm for arm in self.arms if RECIPES[arm].labels != "all"]

    def runs(self) -> list[RunJob]:
        """Every run, in the order in which they are made: a label draw after another."""
        design = self.design
        jobs = [
            self._job(arm, count, fold, draw, seed)
            for draw in range(design.num_draws)
            for count in design.counts
            for fold in self.folds
            for seed in range(design.num_seeds)
            for arm in self.counted_arms
            if self.available.fits(arm, count)
        ]
        return jobs + [
            RunJob(arm, None, fold, None, seed)
            for arm in self.arms
            if RECIPES[arm].labels == "all"
            for fold in self.folds
            for seed in range(design.num_seeds)
        ]

    def jobs(self) -> Iterator[PairsJob | RunJob]:
        """Runs, each after the pairs that it needs; runs without pairs stand between the two."""
        runs, made = self.runs(), set[PairsJob]()
        for draw in (*range(self.design.num_draws), None):
            for count in (*self.design.counts, None):
                here = [run for run in runs if (run.draw, run.count) == (draw, count)]
                needed = dict.fromkeys(run.pairs for run in here if run.pairs is not None)
                yield from (pairs for pairs in needed if pairs not in made)
                made.update(needed)
                yield from sorted(here, key=lambda run: run.pairs is not None)

    def _job(self, arm: Arm, count: int, fold: int, draw: int, seed: int) -> RunJob:
        pictured = count == self.at and arm in (self.candidate, self.reference)
        return RunJob(
            arm,
            count,
            fold,
            draw,
            seed,
            self.drawings_of.get(fold, 0),
            keeps_predictions=pictured and draw == 0 and seed == 0,
        )


def planned(
    settings: CompareSettings,
    arms: tuple[Arm, ...],
    folds: Sequence[int],
    drawings_of: Mapping[int, int],
    available: Available,
) -> tuple[Plan, list[str]]:
    """What is to be run, and what is left out and why.

    Raises:
        SettingsError: there are too few labels for any comparison.
    """
    candidate = candidate_of(settings, arms)
    counted = [arm for arm in arms if RECIPES[arm].labels != "all"]
    fitting = {
        count: [arm for arm in counted if available.fits(arm, count)]
        for count in sorted(settings.counts)
    }
    counts = [count for count, those in fitting.items() if those]
    both = [count for count in counts if {candidate, settings.reference} <= set(fitting[count])]
    if not both:
        raise SettingsError(
            f"--counts begins with {min(settings.counts)} labels, but there are {available.tiles} "
            f"annotated tiles outside the test fold{_and_drawings(available)}. Give smaller "
            "numbers, or annotate more."
        )
    at, moved = _at(settings, both)
    design = Design(tuple(counts), settings.draws, settings.seeds, len(folds))
    plan = Plan(
        arms=arms,
        design=design,
        folds=tuple(folds),
        drawings_of=drawings_of,
        available=available,
        candidate=candidate,
        reference=settings.reference,
        at=at,
    )
    left_out = [
        f"{count} labels: {_too_few(count, counted, those, available)}"
        for count, those in fitting.items()
        if len(those) < len(counted)
    ]
    return plan, left_out + moved


def with_counts_around(plan: Plan, design: Design) -> Plan:
    """The plan with a smaller design, in which the verdict's number of labels stays."""
    if plan.at not in design.counts:
        others = [count for count in plan.design.counts if count != plan.at]
        near = sorted(others, key=lambda count: abs(count - plan.at))[: len(design.counts) - 1]
        design = replace(design, counts=tuple(sorted([*near, plan.at])))
    return replace(plan, design=design)


def _at(settings: CompareSettings, both: list[int]) -> tuple[int, list[str]]:
    """The verdict's number of labels, and a sentence if it is not the one asked for."""
    wanted = settings.at or (USUAL_AT if USUAL_AT in settings.counts else max(settings.counts))
    if wanted in both:
        return wanted, []
    at = max((count for count in both if count <= wanted), default=both[0])
    return at, [f"The verdict is for {at} labels, since {wanted} are not there for both arms."]


def _too_few(count: int, counted: list[Arm], fitting: list[Arm], available: Available) -> str:
    lost = [arm for arm in counted if arm not in fitting]
    why = f"there are {available.tiles} annotated tiles outside the test fold"
    why += _and_drawings(available)
    if count == 1 and lost == ["hdgan+real"]:
        why = "one label cannot be on both a tile and a drawing"
    return f"not for {', '.join(lost)}, because {why}."


def _and_drawings(available: Available) -> str:
    return f" and {available.drawings} annotated drawings" if available.drawings else ""
