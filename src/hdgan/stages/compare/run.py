"""`hdgan compare`: where it begins, and how its pieces are spread over processes."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from hdgan.artifacts.comparison import Comparison
from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.order import Order, plain
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once, seen_by
from hdgan.artifacts.weights import device_named
from hdgan.artifacts.writing import write_atomically
from hdgan.errors import SettingsError
from hdgan.method.comparison.planning import (
    Design,
    fitted_design,
    seconds_needed,
    what_it_can_show,
)
from hdgan.pipeline import Fact, Made
from hdgan.report.progress import ProgressBar, remark
from hdgan.settings.compare import NEED_DRAWINGS, CompareSettings, CompareSources
from hdgan.stages.compare.arms import chosen_arms
from hdgan.stages.compare.cell import Bench, DrawingsPlaces, Piece, Verbs, do_piece
from hdgan.stages.compare.finishing import Finishing
from hdgan.stages.compare.inputs import Inputs, held_out_folds, opened_inputs
from hdgan.stages.compare.plan import (
    Available,
    PairsJob,
    Plan,
    RunJob,
    planned,
    with_counts_around,
)
from hdgan.stages.compare.trial import Trial, measured_costs
from hdgan.workers import done_by_processes, done_here, num_cores

VERB = "compare"

CROP_PX = 128
"""Largest side of a crop if none is given, as in `train-segmenter`."""


def compare(
    real: Path,
    output: Path,
    settings: CompareSettings,
    sources: CompareSources,
    verbs: Verbs,
) -> Made:
    """Train every arm again and again, test each on held-out patients, and say what helps.

    Goes on where an interrupted run of the same command stopped. Disk: the pairs of two label
    draws, and a segmenter a process; they go when they are no longer needed. What stays is a
    confusion matrix for each run and test image. Memory: that of the verbs, in each process.

    Args:
        real: annotations of real tiles.
        output: where the comparison goes.
        settings: what is compared.
        sources: what else is at hand.
        verbs: the other stages, by verb.

    Raises:
        SettingsError: a choice that cannot work, or a budget that is too small for any comparison.
        LeakError: a generator has learned from what would be tested on.
        WrongArtifactError: annotations that do not belong together.
    """
    inputs = opened_inputs(real, sources)
    plan, left_out = _plan(settings, inputs)
    drawn_from = [one.annotations for one in inputs.drawings]
    order = Order("comparison", plain(settings), inputs.parents, seen_by(inputs.real, *drawn_from))

    def make(unfinished: UnfinishedArtifact) -> None:
        bench = _bench(output, settings, inputs, verbs)
        _Comparing(unfinished, bench, inputs, plan, left_out).complete()

    made_once(output, order, make)
    return Made("comparison", output, _facts(Comparison.open(output)))


def _plan(settings: CompareSettings, inputs: Inputs) -> tuple[Plan, list[str]]:
    """Everything that is to be run, and what is left out and why."""
    chosen = chosen_arms(settings, inputs.encoder, has_drawings=bool(inputs.drawings))
    needs = any(arm in NEED_DRAWINGS for arm in chosen.arms)
    held_out = held_out_folds(inputs, settings.folds, needs_drawings=needs)
    outside = [sum(image.fold != fold for image in inputs.images) for fold in held_out.folds]
    used = [inputs.drawings[number].num_annotated for number in held_out.drawings_of.values()]
    available = Available(min(outside), min(used, default=0))
    plan, too_many = planned(settings, chosen.arms, held_out.folds, held_out.drawings_of, available)
    return plan, [*held_out.left_out, *too_many, *chosen.left_out]


def _bench(output: Path, settings: CompareSettings, inputs: Inputs, verbs: Verbs) -> Bench:
    """Where everything lies; every arm cuts crops of one size."""
    tiles = inputs.tiles.records()
    sides = [min(tile.width, tile.height) for tile in tiles]
    sides += [one.generator.shape.resolution for one in inputs.drawings]
    crop_px = settings.crop_px or max(16, min(CROP_PX, *sides) // 8 * 8)
    return Bench(
        output=output,
        settings=replace(settings, crop_px=crop_px),
        verbs=verbs,
        real=inputs.real.folder,
        tiles=inputs.tiles.folder,
        encoder=inputs.encoder,
        drawings=tuple(
            DrawingsPlaces(one.annotations.folder, one.samples.folder, one.generator.folder)
            for one in inputs.drawings
        ),
        all_folds=tuple(sorted({tile.fold for tile in tiles})),
    )


class _Comparing:
    """A comparison that is being made in its folder."""

    def __init__(
        self,
        unfinished: UnfinishedArtifact,
        bench: Bench,
        inputs: Inputs,
        plan: Plan,
        left_out: list[str],
    ) -> None:
        self.unfinished, self.bench, self.inputs = unfinished, bench, inputs
        self.plan, self.left_out = plan, left_out
        self.seconds: float | None = None
        """What it will take, where a trial has measured it."""

    def complete(self) -> None:
        """Plan, say so, run, and write what was found."""
        self._fit_budget()
        self._announce()
        self._run_all()
        Finishing(
            self.unfinished, self.bench, self.inputs, self.plan, self.left_out, self.seconds
        ).complete()

    @property
    def num_workers(self) -> int:
        """Processes at the same time."""
        if self.bench.settings.workers is not None:
            return self.bench.settings.workers
        is_gpu = device_named(self.bench.settings.device).type == "cuda"
        return 1 if is_gpu else num_cores()

    def _fit_budget(self) -> None:
        """Under a budget, try what things take, and plan less if there is not enough time.

        Raises:
            SettingsError: even the smallest comparison takes longer.
        """
        budget = self.bench.settings.budget_seconds
        if budget is None:
            return
        trial = measured_costs(self.bench, self.plan)
        path = self.bench.scratch / "design.json"
        if path.is_file():
            found = json.loads(path.read_bytes())
            design = Design(**found | {"counts": tuple(found["counts"])})
        else:
            design = self._affordable(trial, budget)
            write_atomically(path, json_bytes(asdict(design)))
        if design != self.plan.design:
            self.left_out.insert(0, _reduced(self.plan.design, design, self.bench.settings))
        self.plan = replace(self.plan, design=design)
        self.seconds = seconds_needed(design, trial.costs, self.num_workers)

    def _affordable(self, trial: Trial, budget: float) -> Design:
        """The design, or as much of it as the budget allows after the trial."""
        left = budget - trial.seconds
        fitted = fitted_design(self.plan.design, trial.costs, left, self.num_workers)
        plan = with_counts_around(self.plan, fitted)
        needed = seconds_needed(plan.design, trial.costs, self.num_workers)
        if needed > left:
            raise SettingsError(
                f"--budget is {self.bench.settings.budget}, but the smallest comparison that can "
                f"show anything ({len(plan.runs())} trainings) takes about {_duration(needed)} "
                f"here after a trial of {_duration(trial.seconds)}. Give more time, fewer --arms, "
                "or fewer --steps."
            )
        return plan.design

    def _announce(self) -> None:
        """Say what will be run, what it takes, and what it can show."""
        plan, design = self.plan, self.plan.design
        tested = [image for image in self.inputs.images if image.fold in plan.folds]
        num_patients = len({image.patient for image in tested})
        remark(
            VERB,
            f"{len(plan.runs())} trainings: {len(plan.arms)} arms x labels "
            f"{', '.join(map(str, design.counts))} x {_counted(design.num_draws, 'label draw')} "
            f"x {_counted(design.num_seeds, 'seed')}, tested on {num_patients} patients "
            f"({len(tested)} images) of fold {', '.join(map(str, plan.folds))}",
        )
        remark(VERB, f"arms: {', '.join(plan.arms)}")
        remark(VERB, f"the verdict: {plan.candidate} against {plan.reference} on {plan.at} labels")
        for sentence in [*what_it_can_show(design, num_patients), *self.left_out]:
            remark(VERB, sentence)
        processes = "one process" if self.num_workers == 1 else f"{self.num_workers} processes"
        if self.seconds is None:
            remark(VERB, f"with {processes}; the bar tells the time that is left")
        else:
            remark(VERB, f"takes about {_duration(self.seconds)} with {processes}")

    def _run_all(self) -> None:
        """Do every piece; pairs go when no run needs them any more."""
        self.unfinished.is_dear = True
        runs = self.plan.runs()
        waiting = [run for run in runs if not self.bench.cost_file(run).is_file()]
        needed = Counter(run.pairs for run in waiting if run.pairs is not None)
        works = list(self._works(waiting))
        done = len(runs) - len(waiting)
        with ProgressBar(VERB, len(runs), "trainings", done=done) as progress:
            for job in self._spread(works):
                if isinstance(job, PairsJob):
                    continue
                progress.advance()
                pairs = job.pairs
                if pairs is None:
                    continue
                needed[pairs] -= 1
                if needed[pairs] == 0:
                    shutil.rmtree(self.bench.pairs_folder(pairs), ignore_errors=True)

    def _works(self, waiting: list[RunJob]) -> Iterator[Piece]:
        """Everything that is left to do, in order."""
        left: set[PairsJob | RunJob] = {*waiting}
        left |= {run.pairs for run in waiting if run.pairs is not None}
        return (Piece(self.bench, job) for job in self.plan.jobs() if job in left)

    def _spread(self, works: list[Piece]) -> Iterator[PairsJob | RunJob]:
        if self.num_workers == 1 or len(works) < 2:
            return done_here(do_piece, works)
        return done_by_processes(do_piece, works, min(self.num_workers, len(works)))


def _reduced(wished: Design, design: Design, settings: CompareSettings) -> str:
    """What a budget has taken away."""
    changes = (
        ("numbers of labels", wished.counts, design.counts),
        ("label draws", wished.num_draws, design.num_draws),
        ("seeds", wished.num_seeds, design.num_seeds),
    )
    words = [
        f"{name}: {_listed(now)} instead of {_listed(before)}"
        for name, before, now in changes
        if now != before
    ]
    return f"For --budget {settings.budget} less is run: {'; '.join(words)}."


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _listed(numbers: int | tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers)) if isinstance(numbers, tuple) else str(numbers)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _facts(comparison: Comparison) -> dict[str, Fact]:
    """The verdict, and every arm's score."""
    text = comparison.text
    facts: dict[str, Fact] = {"verdict": text.verdict}
    facts["in words"] = text.sentences[0]
    if text.sentences[1:] or text.doubts:
        facts["also"] = " ".join([*text.sentences[1:], *text.doubts])
    for row in text.arms:
        if row.count in (text.at, None) and row.score.mean is not None:
            labels = "all labels" if row.count is None else f"{row.count} labels"
            cost = "" if row.cpu_seconds is None else f", {row.cpu_seconds:.0f} CPU s"
            facts[f"{row.arm}, {labels}"] = (
                f"{row.score.mean:.4f}{_interval(row.score.low, row.score.high)}{cost}"
            )
    facts["score"] = text.definition
    facts["report"] = str(comparison.folder / "report.html")
    return facts


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" [{low:.4f}, {high:.4f}]"
