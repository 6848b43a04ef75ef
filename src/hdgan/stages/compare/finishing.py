"""The end of a comparison: scores, verdict, pictures and the report."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

import numpy as np

from hdgan.artifacts.annotation_set import CLASSES, class_map_bytes
from hdgan.artifacts.comparison import (
    COMPARISON,
    IMAGES,
    REPORT,
    RUNS,
    ArmText,
    ComparedImage,
    ComparisonText,
    DesignText,
    Matrices,
    RunRecord,
    WorstText,
)
from hdgan.artifacts.images import grey_of, png_of
from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.table import table_bytes
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.class_map import painted
from hdgan.method.comparison.difference import verdict_of
from hdgan.method.comparison.patient_scores import score_definition
from hdgan.method.comparison.planning import what_it_can_show
from hdgan.method.comparison.power import detectable
from hdgan.report.comparison_page import comparison_page
from hdgan.report.comparison_words import limits_of
from hdgan.report.grids import Grid, grid
from hdgan.report.page import html_of
from hdgan.stages.compare.arms import RECIPES, changes_of
from hdgan.stages.compare.cell import Bench
from hdgan.stages.compare.cost import cost_of
from hdgan.stages.compare.differences import Differences, Key, interval_of, known
from hdgan.stages.compare.doubts import doubts
from hdgan.stages.compare.inputs import Inputs
from hdgan.stages.compare.plan import Plan, RunJob
from hdgan.stages.compare.scores import ArmScores, arm_scores


@dataclass(frozen=True)
class Finishing:
    """Everything has run; its files are to be written."""

    unfinished: UnfinishedArtifact
    bench: Bench
    inputs: Inputs
    plan: Plan
    left_out: list[str]
    seconds: float | None
    """What it was said to take."""

    def complete(self) -> None:
        """Write tables, verdict, pictures and the report."""
        text = self.text
        write = self.unfinished.write
        write(IMAGES, table_bytes(self.images, ComparedImage))
        write(RUNS, table_bytes(self.records, RunRecord))
        write(CLASSES, class_map_bytes(self.inputs.real.class_map))
        write(COMPARISON, json_bytes(text.model_dump()))
        pictures = [self._picture(worst) for worst in text.worst]
        for place, (worst, picture) in enumerate(zip(text.worst, pictures, strict=True)):
            write(f"pictures/{place:02d}-{worst.image}.png", png_of(picture))
        write(REPORT, html_of(comparison_page(text, self.inputs.real.class_map, pictures)))

    @cached_property
    def images(self) -> list[ComparedImage]:
        """What was tested on, in the order of the annotations."""
        return [image for image in self.inputs.images if image.fold in self.plan.folds]

    @cached_property
    def records(self) -> list[RunRecord]:
        """Every run with its cost."""
        return [self._record(run) for run in self.plan.runs()]

    @cached_property
    def scores(self) -> dict[Key, ArmScores]:
        """What every arm scored at each number of labels."""
        keys = dict.fromkeys((record.arm, record.count) for record in self.records)
        return {key: arm_scores(self._records_of(*key), self._read, self.images) for key in keys}

    @cached_property
    def differences(self) -> Differences:
        """The arms against one another."""
        return Differences(self.plan, self.scores, self.bench.settings.seed)

    @cached_property
    def text(self) -> ComparisonText:
        """All that was found."""
        plan, differences = self.plan, self.differences
        primary = self.scores[plan.candidate, plan.at]
        return ComparisonText(
            candidate=plan.candidate,
            reference=plan.reference,
            at=plan.at,
            verdict=verdict_of(differences.headline),
            sentences=differences.sentences(),
            doubts=doubts(self._means()),
            definition=score_definition(self.num_patients, len(self.images)),
            definitions=primary.definitions,
            design=self._design(),
            arms=[self._arm_text(key, scores) for key, scores in self.scores.items()],
            differences=differences.texts(),
            multiplier=differences.multiplier_text(self.inputs.minutes, self.minutes_spent),
            worst=self._worst(),
            knows_generators=self.knows_generators,
            changed=changes_of(self.bench.settings, plan.arms),
            left_out=self.left_out,
            cannot_show=[
                *what_it_can_show(plan.design, self.num_patients, differences.headline),
                *limits_of(plan.arms, knows_generators=self.knows_generators),
                *self._other_pools(),
            ],
            minutes_a_label=self.minutes_a_label,
        )

    def _means(self) -> dict[Key, float]:
        """Mean score of each arm at each number of labels that has one."""
        found = {
            key: interval_of(scores, self.bench.settings.seed).mean
            for key, scores in self.scores.items()
        }
        return {key: mean for key, mean in found.items() if mean is not None}

    @property
    def num_patients(self) -> int:
        """Who was tested on."""
        return len({image.patient for image in self.images})

    @property
    def knows_generators(self) -> bool:
        """Whether the generators that were used say what they have learned from."""
        return self.inputs.knows_generators(self.plan.drawings_of.values())

    def _other_pools(self) -> list[str]:
        """What generators and arms with unlabelled tiles do not have in common."""
        if not any(RECIPES[arm].uses_unlabelled for arm in self.plan.arms):
            return []
        return self.inputs.other_pools(self.plan.drawings_of)

    @property
    def minutes_a_label(self) -> float | None:
        """Mean work of annotators at a tile, or else at a drawing, where that is known."""
        known_ones = [self.inputs.minutes, *(one.minutes for one in self.inputs.drawings)]
        return next((minutes for minutes in known_ones if minutes is not None), None)

    @property
    def minutes_spent(self) -> float | None:
        """Work at the labels of a run of the candidate, mean of the runs, if all is known."""
        runs = self._records_of(self.plan.candidate, self.plan.at)
        minutes = [run.minutes for run in runs if run.minutes is not None]
        return fmean(minutes) if minutes and len(minutes) == len(runs) else None

    def _record(self, run: RunJob) -> RunRecord:
        cost = cost_of(self.bench.cost_file(run))
        return RunRecord(
            run=run.name,
            arm=run.arm,
            count=run.count,
            fold=run.fold,
            draw=run.draw,
            seed=run.seed,
            cpu_seconds=None if cost is None else round(cost.cpu_seconds, 3),
            seconds=None if cost is None else round(cost.seconds, 3),
            minutes=self._minutes(run),
        )

    def _minutes(self, run: RunJob) -> float | None:
        """The work at a run's labels, if it is known of all kinds that it has."""
        recipe = RECIPES[run.arm]
        if run.count is None:
            return None
        tiles, drawings = recipe.num_tiles(run.count), recipe.num_drawings(run.count)
        of_drawing = self.inputs.drawings[run.drawings].minutes if drawings else 0.0
        of_tile = self.inputs.minutes if tiles else 0.0
        if of_drawing is None or of_tile is None:
            return None
        return tiles * of_tile + drawings * of_drawing

    def _records_of(self, arm: str, count: int | None) -> list[RunRecord]:
        return [record for record in self.records if (record.arm, record.count) == (arm, count)]

    def _read(self, record: RunRecord) -> Matrices:
        matrices: Matrices = np.load(self.bench.output / record.confusion, allow_pickle=False)
        return matrices

    def _design(self) -> DesignText:
        design = self.plan.design
        return DesignText(
            arms=list(self.plan.arms),
            counts=list(design.counts),
            draws=design.num_draws,
            seeds=design.num_seeds,
            folds=list(self.plan.folds),
            num_runs=len(self.records),
            num_patients=self.num_patients,
            num_images=len(self.images),
            detectable=known(detectable(self.num_patients)),
            estimated_seconds=None if self.seconds is None else round(self.seconds, 1),
        )

    def _arm_text(self, key: Key, scores: ArmScores) -> ArmText:
        arm, count = key
        names = self.inputs.real.class_map.names
        records = self._records_of(arm, count)
        return ArmText(
            arm=arm,
            count=count,
            score=interval_of(scores, self.bench.settings.seed),
            scores={name: known(value) for name, value in scores.overall.items()},
            classes={
                name: known(float(value)) for name, value in zip(names, scores.classes, strict=True)
            },
            cpu_seconds=_mean_known([record.cpu_seconds for record in records]),
            seconds=_mean_known([record.seconds for record in records]),
        )

    def _worst(self) -> list[WorstText]:
        """The images that the candidate does worst on, the worst first."""
        plan = self.plan
        candidate = self.scores[plan.candidate, plan.at].by_image
        reference = self.scores[plan.reference, plan.at].by_image
        ordered = sorted(
            (image for image in self.images if known(candidate[image.image]) is not None),
            key=lambda image: candidate[image.image],
        )
        return [
            WorstText(
                image=image.image,
                patient=image.patient,
                candidate=known(candidate[image.image]),
                reference=known(reference[image.image]),
            )
            for image in ordered[: self.bench.settings.num_pictures]
        ]

    def _picture(self, worst: WorstText) -> Grid:
        """Image, annotation, and what reference and candidate predict, in a row."""
        real, tiles = self.inputs.real, self.inputs.tiles
        tile = next(record for record in tiles.records() if record.tile == worst.image)
        record = next(row for row in real.records() if row.image == worst.image)
        labels = [real.labels(record)]
        for arm in (self.plan.reference, self.plan.candidate):
            path = self.bench.scratch / "predictions" / arm / f"{worst.image}.png"
            labels.append(grey_of(path.read_bytes(), str(path)))
        drawn = [painted(one, real.class_map) for one in labels]
        return grid([tiles.image(tile), *drawn], columns=4)


def _mean_known(costs: Sequence[float | None]) -> float | None:
    """Mean of the costs that are known; None if none is."""
    found = [cost for cost in costs if cost is not None]
    return fmean(found) if found else None
