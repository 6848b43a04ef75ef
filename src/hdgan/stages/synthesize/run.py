"""`hdgan synthesize`: a generator and a classifier to labelled drawings."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from time import monotonic

import torch

from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.lineage import parent_of
from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.pair_set import DATASET, PairSet
from hdgan.artifacts.team import team_and_device
from hdgan.artifacts.unfinished import Order, UnfinishedArtifact, being_made, plain, seen_by
from hdgan.errors import SettingsError
from hdgan.method.latent import has_noise, stain_of
from hdgan.method.stylegan.processes import Team
from hdgan.pipeline import Fact, Made
from hdgan.settings.synthesize import SynthesizeSettings, SynthesizeSources
from hdgan.stages.synthesize import composing, likeness
from hdgan.stages.synthesize.finishing import Finishing
from hdgan.stages.synthesize.plan import Plan, Task, refuse_bands
from hdgan.stages.synthesize.ranks import draw_part, follow
from hdgan.stages.synthesize.spreading import draw_everywhere
from hdgan.stages.synthesize.tallies import known_rows
from hdgan.stages.synthesize.watching import Watch

PATIENCE = timedelta(days=30)
"""How long processes of one run wait for another at its end."""

WHERE = ("workers", "cluster")
"""Settings that change no byte of what is made."""

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
    ensemble = ClassifierFolder.open(classifier)
    parent = parent_of(ensemble, GeneratorFolder, sources.generator)
    tiles = likeness.real_tiles_named(sources, settings, parent)
    plan = replace(
        _plan(ensemble, parent, output, settings),
        tiles=likeness.named(sources.tiles),
        encoder=likeness.named(sources.encoder),
    )
    refuse_bands(plan, by_object=bool(ensemble.text.by_object))
    order = _order(ensemble, parent, settings, {} if tiles is None else tiles.parents)
    with team_and_device(settings.device, PATIENCE) as (team, device):
        if team.size > 1 and settings.cluster is not None:
            raise SettingsError("--cluster and torchrun exclude one another: choose one.")
        if not team.leads:
            follow(plan, team, device)
        else:
            with being_made(output, order) as unfinished:
                if unfinished is None:
                    team.told(b"")
                else:
                    composing.prepare(plan, unfinished, device)
                    likeness.prepare(tiles, unfinished, device)
                    run = _Run(unfinished, plan, team, device)
                    Finishing(unfinished, plan, ensemble, parent, sources).complete(*run.draw())
    return Made("pair-set", output, _facts(output) if team.leads else {})


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
        self, unfinished: UnfinishedArtifact, plan: Plan, team: Team, device: torch.device
    ) -> None:
        self.unfinished, self.plan, self.team, self.device = unfinished, plan, team, device
        self.notes = plan.notes
        self.task = Task(
            known_rows(unfinished.folder), plan.settings.most_pairs, self._seconds_left()
        )
        self.watch = Watch(plan, self.task, with_ranks=team.size > 1)

    def draw(self) -> tuple[int, float | None]:
        """Draw what is missing.

        Returns:
            How many pairs there are, from the first without a gap, and the seconds it took if they
            were limited.
        """
        budget, began = self.plan.settings.budget_seconds, monotonic()
        spent = (budget or 0.0) - (self.task.seconds or 0.0)
        self.team.told(json_bytes(asdict(self.task)))
        with self.watch as watch:

            def drawn(rows: Sequence[int]) -> None:
                seconds = spent + monotonic() - began
                self.unfinished.is_dear = True
                watch.see(rows, seconds)
                if budget is not None:
                    self.unfinished.write_scratch(SPENT, json_bytes(seconds))

            left = self.task.rows(self.notes)
            if self.team.size > 1:
                draw_part(self.plan, self.team, self.device, left, drawn)
            else:
                draw_everywhere(self.plan, left, watch.num_left, drawn)
        gap = (row for row in self.task.all_rows() if not self.notes.has(row))
        num_drawn = next(gap, self.task.most or 0)
        if num_drawn == 0:
            raise SettingsError(
                f"--budget is {self.plan.settings.budget}, which was over before the first pair "
                "was whole. Give more time."
            )
        return num_drawn, None if budget is None else spent + monotonic() - began

    def _seconds_left(self) -> float | None:
        """What is left of the time, after earlier runs and what is being added to."""
        budget, folder = self.plan.settings.budget_seconds, self.unfinished.folder
        if budget is None:
            return None
        spent = 0.0
        for path in (folder / DATASET, self.unfinished.scratch / SPENT):
            if path.is_file():
                content = json.loads(path.read_bytes())
                spent = content.get("seconds") or 0.0 if isinstance(content, dict) else content
        return max(0.0, budget - spent)


def _facts(output: Path) -> dict[str, Fact]:
    about = PairSet.open(output).about
    facts: dict[str, Fact] = {"pairs drawn": about["num_drawn"]}
    if about["num_missed"]:
        facts["not found, left out"] = about["num_missed"]
    if about["num_outside"]:
        facts["dropped as outside the range"] = about["num_outside"]
    facts["dropped as most uncertain"] = about["num_dropped"]
    facts["pairs kept"] = about["num_kept"]
    return facts
