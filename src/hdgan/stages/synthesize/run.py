"""`hdgan synthesize`: a generator and a classifier to labelled drawings."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from time import monotonic, time

import torch

from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.lineage import parent_of
from hdgan.artifacts.manifest import MANIFEST, json_bytes
from hdgan.artifacts.order import Order, plain
from hdgan.artifacts.pair_notes import pair_name
from hdgan.artifacts.pair_set import DATASET, PairSet
from hdgan.artifacts.team import team_and_device
from hdgan.artifacts.unfinished import UnfinishedArtifact, begun_settings, being_made, seen_by
from hdgan.errors import SettingsError, StorageError
from hdgan.method.latent import has_noise, stain_of
from hdgan.method.stylegan.processes import Team
from hdgan.pipeline import Fact, Made
from hdgan.report.progress import remark
from hdgan.settings.synthesize import SynthesizeSettings, SynthesizeSources
from hdgan.stages.synthesize import composing, likeness
from hdgan.stages.synthesize.about import Annotated, lost_classes
from hdgan.stages.synthesize.finishing import Finishing
from hdgan.stages.synthesize.plan import Plan, Task, refuse_bands
from hdgan.stages.synthesize.ranks import draw_part, follow
from hdgan.stages.synthesize.spreading import cpu_threads, draw_everywhere
from hdgan.stages.synthesize.tallies import known_rows
from hdgan.stages.synthesize.watching import Watch

PATIENCE = timedelta(days=30)
"""How long processes of one run wait for another at its end."""

WHERE = ("workers", "cluster")
"""Settings that change no byte of what is made."""

MOST_ATTEMPTS = 2
"""A pair that was drawn and is not there is drawn once more."""

SPENT = "spent.json"
"""Seconds that earlier runs have drawn for."""


def synthesize(
    classifier: Path,
    output: Path,
    settings: SynthesizeSettings,
    sources: SynthesizeSources | None = None,
) -> Made:
    """Draw images with their label maps; pair i depends on seed + i alone, whoever draws it.

    Memory of each process: one image with its labels, the few that are being written, and what
    labelling a band takes; below 512 px its features too. With `files="tiff"` a band's rows instead
    of the images. What is known of all pairs takes about a hundred bytes each.

    Raises:
        WrongArtifactError: the classifier was fitted to another generator.
        SettingsError: the generator does not know the stain, or a choice cannot be followed.
    """
    sources = sources or SynthesizeSources()
    settings = _as_before(output, settings)
    ensemble = ClassifierFolder.open(classifier)
    parent = parent_of(ensemble, GeneratorFolder, sources.generator)
    tiles = likeness.real_tiles_named(sources, settings, parent)
    compared_with = {} if tiles is None else tiles.parents
    plan = replace(
        _plan(ensemble, parent, output, settings),
        tiles=likeness.named(sources.tiles),
        encoder=likeness.named(sources.encoder),
        compared_with=tuple(compared_with.values()),
    )
    refuse_bands(plan, by_object=bool(ensemble.text.by_object))
    annotated = Annotated.found(ensemble, sources)
    order = _order(ensemble, parent, settings, compared_with)
    with team_and_device(settings.device, PATIENCE) as (team, device):
        _refuse_ranks(team, settings)
        if not team.leads:
            follow(plan, team, device)
            return Made("pair-set", output, {})
        with (
            _led(team) as lead,
            being_made(output, order) as unfinished,
            cpu_threads(settings.threads),  # what is made once must not depend on the computer
        ):
            if unfinished is None:
                _tell_of_unused(output, sources)
            else:
                if (output / MANIFEST).is_file():
                    plan.notes.grown.mkdir(exist_ok=True)
                composing.prepare(plan, unfinished, device)
                likeness.prepare(tiles, unfinished, device)
                run = _Run(unfinished, plan, lead, device)
                Finishing(unfinished, plan, ensemble, parent, annotated).complete(*run.draw())
    return Made("pair-set", output, _facts(output))


def _as_before(output: Path, settings: SynthesizeSettings) -> SynthesizeSettings:
    """The settings with the number of pairs that a folder has, if none is asked for."""
    if settings.num_pairs is not None or settings.budget is not None:
        return settings
    begun = begun_settings(output)
    return replace(settings, num_pairs=begun.get("num_pairs")) if begun else settings


def _refuse_ranks(team: Team, settings: SynthesizeSettings) -> None:
    """Do nothing if several ranks can do what is asked for.

    Raises:
        SettingsError: they cannot.
    """
    if team.size > 1 and settings.cluster is not None:
        raise SettingsError("--cluster and torchrun exclude one another: choose one.")
    if team.size > 1 and settings.budget is not None:
        raise SettingsError(
            "--budget and torchrun exclude one another: ranks that are faster would draw in vain. "
            "Give --num-pairs; more can be added later."
        )


class _Lead:
    """The word of the rank that leads, which the others wait for once."""

    def __init__(self, team: Team) -> None:
        self.team, self.has_spoken = team, False

    def tell(self, task: Task | None) -> None:
        """Say what is to be drawn; None: nothing."""
        self.has_spoken = True
        self.team.told(b"" if task is None else json_bytes(asdict(task)))


@contextmanager
def _led(team: Team) -> Iterator[_Lead]:
    """A rank that leads; if it has nothing to say, or refuses, the others go home."""
    lead = _Lead(team)
    try:
        yield lead
    finally:
        if not lead.has_spoken:
            lead.tell(None)


def _tell_of_unused(output: Path, sources: SynthesizeSources) -> None:
    """Say that what was named now is not looked at, where pairs are there already."""
    about = PairSet.open(output).about
    if sources.annotations is not None and about.get("annotation") is None:
        remark(
            "synthesize",
            f"the pairs in {output} are finished, and were made without --annotations; these are "
            "looked at only when pairs are made or added",
        )


def _plan(
    ensemble: ClassifierFolder, parent: GeneratorFolder, output: Path, settings: SynthesizeSettings
) -> Plan:
    """What is drawn.

    Raises:
        SettingsError: it cannot be.
    """
    stain_of(parent.shape, 0, settings.stain)
    if settings.noise_draws > 1 and not has_noise(parent.generator()):
        raise SettingsError(
            f"--noise-draws is {settings.noise_draws}, but {parent.folder} was trained without "
            "noise, so all drawings of a latent are the same. Leave it out."
        )
    return Plan(
        folder=output.resolve(),  # workers of a cluster have a current folder of their own
        classifier=ensemble.folder.resolve(),
        generator=parent.folder.resolve(),
        digests=(ensemble.digest, parent.digest),
        settings=settings,
        side_px=parent.shape.resolution,
        wanted=composing.wanted_of(settings.wanted, ensemble.class_map),
    )


def _order(
    ensemble: ClassifierFolder,
    parent: GeneratorFolder,
    settings: SynthesizeSettings,
    compared_with: dict[str, str],
) -> Order:
    choices = plain(settings) | {
        "num_pairs": settings.most_pairs,
        "budget": settings.budget_seconds,
        "at_least": dict(sorted(settings.wanted.items())),
    }
    for name in WHERE:
        del choices[name]
    return Order(
        "pair-set",
        choices,
        parent.parents | ensemble.parents | compared_with,
        seen_by(parent, ensemble),
        grows=("num_pairs", "budget"),
    )


class _Run:
    """Pairs on their way into an artifact, in the process that leads."""

    def __init__(
        self, unfinished: UnfinishedArtifact, plan: Plan, lead: _Lead, device: torch.device
    ) -> None:
        self.unfinished, self.plan, self.lead, self.device = unfinished, plan, lead, device
        self.team = lead.team
        self.notes = plan.notes
        budget = plan.settings.budget_seconds
        self.spent, self.began = self._spent(), monotonic()
        deadline = None if budget is None else time() + max(0.0, budget - self.spent)
        self.task = Task(known_rows(unfinished.folder), plan.settings.most_pairs, deadline)

    def draw(self) -> tuple[int, float | None]:
        """Draw what is missing.

        Returns:
            How many pairs there are, from the first without a gap, and the seconds it took if they
            were limited.

        Raises:
            StorageError: pairs were drawn, and are not there.
            SettingsError: the time was over before there was any.
        """
        self.lead.tell(self.task)
        for _ in range(MOST_ATTEMPTS if self.team.size == 1 else 1):  # ranks meet once
            self._draw_once()
            num_drawn = self._num_drawn()
            if num_drawn == self.task.most or self.task.deadline is not None:
                break
        else:
            raise StorageError(
                f"{pair_name(num_drawn)} was drawn, but is not in {self.plan.folder}. The disk may "
                "be slow to show what other computers write: run the same command again."
            )
        if num_drawn == 0:
            raise SettingsError(
                f"--budget is {self.plan.settings.budget}, which was over before the first pair "
                "was whole. Give more time."
            )
        return num_drawn, self._seconds()

    def _draw_once(self) -> None:
        with Watch(self.plan, self.task, with_ranks=self.team.size > 1) as watch:

            def drawn(rows: Sequence[int]) -> None:
                seconds = self._seconds()
                self.unfinished.is_dear = True
                watch.see(rows, seconds or 0.0)
                if seconds is not None:
                    self.unfinished.write_scratch(SPENT, json_bytes(seconds))

            left = self.task.rows(self.notes)
            if self.team.size > 1:
                draw_part(self.plan, self.team, self.device, left, drawn)
            else:
                deadline = self.task.deadline
                draw_everywhere(self.plan, left, watch.num_left, drawn, deadline)

    def _num_drawn(self) -> int:
        """How many pairs there are without a gap."""
        gap = (row for row in self.task.all_rows() if not self.notes.has(row))
        return next(gap, self.task.most or 0)

    def _seconds(self) -> float | None:
        """That earlier runs and this one have drawn for, if they are limited."""
        if self.task.deadline is None:
            return None
        return self.spent + monotonic() - self.began

    def _spent(self) -> float:
        """Seconds that earlier runs have drawn for, and those that made what is added to."""
        spent = 0.0
        for path in (self.unfinished.folder / DATASET, self.unfinished.scratch / SPENT):
            if path.is_file():
                content = json.loads(path.read_bytes())
                spent = content.get("seconds") or 0.0 if isinstance(content, dict) else content
        return float(spent)


def _facts(output: Path) -> dict[str, Fact]:
    about = PairSet.open(output).about
    facts: dict[str, Fact] = {"pairs drawn": about["num_drawn"]}
    if about["num_missed"]:
        facts["not found, left out"] = about["num_missed"]
    if about["num_outside"]:
        facts["dropped as outside the range"] = about["num_outside"]
    facts["dropped as too uncertain"] = about["num_dropped"]
    facts["pairs kept"] = about["num_kept"]
    if about.get("seconds") is not None:
        facts["drawn for"] = f"{about['seconds']:.0f} s (--budget)"
    for name, (drawn, kept) in lost_classes(about).items():
        facts[f"{name}, less than was drawn"] = (
            f"{kept:.2%} of the pixels, {drawn:.2%} before dropping: uncertain pairs had more of it"
        )
    return facts
