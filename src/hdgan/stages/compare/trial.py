"""A short trial before a comparison: what its parts take on this computer."""

import json
import shutil
from pathlib import Path

from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.writing import write_atomically
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
    timed,
    train,
)
from hdgan.stages.compare.plan import PairsJob, Plan, RunJob

STEPS = 24
"""Of the longer of two short trainings; the shorter has a third."""

PAIRS = 4
"""Drawn in the trial."""


def measured_costs(bench: Bench, plan: Plan) -> Costs:
    """The seconds of each arm's run, and of making pairs; an earlier run's trial is kept.

    Two short trainings tell what a step takes and what comes on top; methods without steps are run
    once as they are.
    """
    path = bench.scratch / "trial.json"
    if not path.is_file():
        folder = bench.scratch / "trial"
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed in its trial
        with one_thread(), quiet():
            found = {"runs": _runs(bench, plan, folder), "pairs": _pairs(bench, plan, folder)}
        write_atomically(path, json_bytes(found))
        shutil.rmtree(folder, ignore_errors=True)
    found = json.loads(path.read_bytes())
    return Costs(
        {arm: found["runs"][RECIPES[arm].method] for arm in plan.arms},
        found["pairs"] * _pair_sets_a_cell(plan),
        arms_without_count=frozenset(arm for arm in plan.arms if RECIPES[arm].labels == "all"),
    )


def _runs(bench: Bench, plan: Plan, folder: Path) -> dict[str, float]:
    """The seconds of a run of each method, testing included."""
    methods = dict.fromkeys(RECIPES[arm].method for arm in plan.arms)
    first = RunJob("supervised", min(plan.at, plan.available.tiles), plan.folds[0], 0, 0)
    train(bench, first, folder / "first", 1)  # loads what later runs find loaded
    return {method: _run(bench, plan, method, folder / method) for method in methods}


def _run(bench: Bench, plan: Plan, method: SegmenterMethod, folder: Path) -> float:
    """The seconds of one run, on annotated tiles: where the labels are changes little."""
    arm: Arm = method  # each method has an arm of its name
    run = RunJob(arm, min(plan.at, plan.available.tiles), plan.folds[0], 0, 0)
    steps = bench.settings.steps
    if method in PIXEL_METHODS or steps <= STEPS:
        training = timed(lambda: train(bench, run, folder / "segmenter", steps)).seconds
    else:
        few = timed(lambda: train(bench, run, folder / "short", STEPS // 3)).seconds
        more = timed(lambda: train(bench, run, folder / "segmenter", STEPS)).seconds
        training = _for_all(few, more, steps)
    return (
        training + timed(lambda: score(bench, run, folder / "segmenter", folder / "test")).seconds
    )


def _pairs(bench: Bench, plan: Plan, folder: Path) -> float:
    """The seconds of one set of pairs with its classifier; 0 if no arm has any."""
    jobs = [run.pairs for run in plan.runs() if run.pairs is not None]
    if not jobs:
        return 0.0
    job = max(jobs, key=lambda job: job.count)
    steps = _classifier_steps(bench, job)
    if steps <= STEPS:
        fitting = timed(lambda: fit_classifier(bench, job, folder / "classifier", steps)).seconds
    else:
        few = timed(lambda: fit_classifier(bench, job, folder / "short", STEPS // 3)).seconds
        more = timed(lambda: fit_classifier(bench, job, folder / "classifier", STEPS)).seconds
        fitting = _for_all(few, more, steps)
    number = min(PAIRS, bench.settings.num_pairs)
    drawing = timed(lambda: draw_pairs(bench, job, folder, number)).seconds
    return fitting + drawing * bench.settings.num_pairs / number


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
