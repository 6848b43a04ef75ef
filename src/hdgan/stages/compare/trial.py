"""A short trial before a comparison: what its parts take on this computer."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.writing import write_atomically
from hdgan.errors import SettingsError
from hdgan.method.classifier_presets import recipe_of
from hdgan.method.comparison.planning import Costs
from hdgan.settings.compare import Arm
from hdgan.settings.train_classifier import TrainClassifierSettings
from hdgan.settings.train_segmenter import PIXEL_METHODS, SegmenterMethod
from hdgan.stages.compare.arms import RECIPES
from hdgan.stages.compare.cell import (
    Bench,
    draw_pairs,
    fit_classifier,
    one_thread,
    quiet,
    score,
    train,
)
from hdgan.stages.compare.cost import timed
from hdgan.stages.compare.plan import PairsJob, Plan, RunJob

STEPS = 24
"""Of the longer of two short trainings; the shorter has a third."""

PAIRS = 4
"""Drawn in the trial."""


@dataclass(frozen=True)
class Trial:
    """What a trial has shown."""

    costs: Costs
    """What the parts of the comparison take."""

    seconds: float
    """What the trial itself took."""


def measured_costs(bench: Bench, plan: Plan) -> Trial:
    """The seconds of each arm's run, and of making pairs; an earlier run's trial is kept.

    Two short trainings tell what a step takes and what comes on top; methods without steps are run
    once as they are, with the smallest number of labels.

    Raises:
        SettingsError: the trial alone takes longer than the budget.
    """
    path = bench.scratch / "trial.json"
    if not path.is_file():
        folder = bench.scratch / "trial"
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed in its trial
        with one_thread(), quiet():
            write_atomically(path, json_bytes(_Trying(bench, plan, folder).found()))
        shutil.rmtree(folder, ignore_errors=True)
    found = json.loads(path.read_bytes())
    costs = Costs(
        {arm: found["runs"][RECIPES[arm].method] for arm in plan.arms},
        found["pairs"] * _pair_sets_a_cell(plan),
        arms_without_count=frozenset(arm for arm in plan.arms if RECIPES[arm].labels == "all"),
    )
    return Trial(costs, found.get("seconds", 0.0))


class _Trying:
    """A trial that is being made; it stops when it has taken the whole budget."""

    def __init__(self, bench: Bench, plan: Plan, folder: Path) -> None:
        self.bench, self.plan, self.folder = bench, plan, folder
        self.began = time.monotonic()

    def found(self) -> dict[str, object]:
        """Seconds: of a run of each method, of a set of pairs, and of the trial."""
        first = self._job("supervised", self.plan.at)
        self._timed(lambda: train(self.bench, first, self.folder / "first", 1))  # loads much
        return {"pairs": self._pairs(), "runs": self._runs(), "seconds": self._spent()}

    def _runs(self) -> dict[str, float]:
        """The seconds of a run of each method, testing included; the slowest methods last."""
        methods = dict.fromkeys(RECIPES[arm].method for arm in self.plan.arms)
        ordered = sorted(methods, key=lambda method: method in PIXEL_METHODS)
        return {method: self._run(method, self.folder / method) for method in ordered}

    def _run(self, method: SegmenterMethod, folder: Path) -> float:
        """The seconds of one run, on annotated tiles: where the labels are changes little."""
        bench, steps = self.bench, self.bench.settings.steps
        has_steps = method not in PIXEL_METHODS
        # Each method has an arm of its name.
        run = self._job(method, self.plan.at if has_steps else min(self.plan.design.counts))
        if not has_steps or steps <= STEPS:
            training = self._timed(lambda: train(bench, run, folder / "segmenter", steps))
        else:
            few = self._timed(lambda: train(bench, run, folder / "short", STEPS // 3))
            more = self._timed(lambda: train(bench, run, folder / "segmenter", STEPS))
            training = _for_all(few, more, steps)
        return training + self._timed(
            lambda: score(bench, run, folder / "segmenter", folder / "test")
        )

    def _pairs(self) -> float:
        """The seconds of one set of pairs with its classifier; 0 if no arm has any."""
        jobs = [run.pairs for run in self.plan.runs() if run.pairs is not None]
        if not jobs:
            return 0.0
        bench, folder = self.bench, self.folder
        job = max(jobs, key=lambda job: job.count)
        steps = _classifier_steps(bench, job)
        classifier = folder / "classifier"
        if steps <= STEPS:
            fitting = self._timed(lambda: fit_classifier(bench, job, classifier, steps))
        else:
            few = self._timed(lambda: fit_classifier(bench, job, folder / "short", STEPS // 3))
            more = self._timed(lambda: fit_classifier(bench, job, classifier, STEPS))
            fitting = _for_all(few, more, steps)
        number = min(PAIRS, bench.settings.num_pairs)
        drawing = self._timed(lambda: draw_pairs(bench, job, folder / "pairs", number))
        return fitting + drawing * bench.settings.num_pairs / number

    def _job(self, arm: Arm, count: int) -> RunJob:
        return RunJob(arm, min(count, self.plan.available.tiles), self.plan.folds[0], 0, 0)

    def _timed(self, do: Callable[[], object]) -> float:
        """The seconds that something takes.

        Raises:
            SettingsError: the budget is spent.
        """
        seconds = timed(do).seconds
        budget = self.bench.settings.budget_seconds
        if budget is not None and self._spent() > budget:
            raise SettingsError(
                f"--budget is {self.bench.settings.budget}, but the trial that comes first, of "
                f"what each arm takes here, was not done after {self._spent():.0f} s. Give more "
                "time, or fewer --arms."
            )
        return seconds

    def _spent(self) -> float:
        return time.monotonic() - self.began


def _classifier_steps(bench: Bench, job: PairsJob) -> int:
    settings = TrainClassifierSettings(preset=job.preset, steps=bench.settings.classifier_steps)
    return recipe_of(settings).plan.steps


def _for_all(few: float, more: float, steps: int) -> float:
    """Seconds of so many steps, from those of a third of `STEPS` and of all of them."""
    a_step = max(0.0, (more - few) / (STEPS - STEPS // 3))
    return more + a_step * (steps - STEPS)


def _pair_sets_a_cell(plan: Plan) -> float:
    """Sets of pairs to a fold, number of labels and label draw: folds and arms share them."""
    sets = {run.pairs for run in plan.runs() if run.pairs is not None}
    cells = plan.design.num_draws * len(plan.design.counts) * plan.design.num_folds
    return len(sets) / cells
