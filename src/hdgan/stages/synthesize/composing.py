"""Pairs that hold at least so much of a class: prepared once, found by every process."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool

from hdgan.artifacts.pair_set import PROBE
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.artifacts.weights import tensor_bytes, tensors_of
from hdgan.class_map import ClassMap
from hdgan.errors import SettingsError
from hdgan.method.coarse_look import Pilot, Probe, pilot_of
from hdgan.method.composition import Finder, SearchChoices
from hdgan.method.composition_wanted import check_wanted
from hdgan.report.progress import ProgressBar, remark
from hdgan.settings.synthesize import LAST_SEED
from hdgan.stages.synthesize.networks import Networks
from hdgan.stages.synthesize.plan import Plan
from hdgan.stages.synthesize.tallies import WAYS, Tallies

PILOT_SEED = LAST_SEED + 1
"""Seeds of the pilot begin here, where no pair's can be."""

PILOT_PART = 8
"""Drawings of the pilot that are kept together when a run is killed."""


def wanted_of(wanted: dict[str, float], class_map: ClassMap) -> tuple[tuple[int, float], ...]:
    """The least part of the pixels by place of the class.

    Raises:
        SettingsError: there is no such class, or no image can hold all of it.
    """
    if not wanted:
        return ()
    strange = [name for name in wanted if name not in class_map.names]
    if strange:
        raise SettingsError(
            f"--at-least names {', '.join(strange)}, which is no class of the classifier. It has "
            f"{', '.join(class_map.names)}."
        )
    places = {class_map.names.index(name): share for name, share in wanted.items()}
    check_wanted(places, len(class_map))
    return tuple(places.items())


def prepare(plan: Plan, unfinished: UnfinishedArtifact, device: torch.device) -> None:
    """Draw the pilot and fit what tells promising latents, unless that has been done."""
    if not plan.wanted or unfinished.has(PROBE):
        return
    networks, parts = Networks.loaded(plan, device), []
    num_pilot = plan.settings.num_pilot
    with ProgressBar("synthesize: drawing without selection", num_pilot, "drawings") as progress:
        for first in range(0, num_pilot, PILOT_PART):
            last = min(first + PILOT_PART, num_pilot)
            parts.append(_part(plan, unfinished, networks, range(first, last)))
            progress.reach(last)
    unfinished.is_dear = True
    pilot = Pilot.joined(parts)
    _warn(plan, pilot)
    unfinished.write(PROBE, tensor_bytes(Probe.fit(pilot).tensors()))


def _warn(plan: Plan, pilot: Pilot) -> None:
    """Say so if no drawing of the pilot has as much of a class as is wanted."""
    for name, (place, share) in zip(plan.settings.wanted, plan.wanted, strict=True):
        most = float(pilot.shares[:, place].max())
        if most < share:
            remark(
                "synthesize",
                f"of {len(pilot.shares)} drawings without selection, none has {share:.2%} of "
                f"{name}, the most is {most:.2%}; pairs may be slow to find, or none be found",
            )


def _part(
    plan: Plan, unfinished: UnfinishedArtifact, networks: Networks, numbers: Sequence[int]
) -> Pilot:
    """Some drawings of the pilot, from an earlier run if it has made them."""
    name = f"pilot/{numbers[0]:06d}-{numbers[-1]:06d}.safetensors"
    path = unfinished.scratch / name
    if path.is_file():
        tensors = tensors_of(path.read_bytes(), str(path))
        return Pilot(**{key: tensor.numpy() for key, tensor in tensors.items()})
    pilot = pilot_of(
        networks.labelled,
        [PILOT_SEED + number for number in numbers],
        plan.settings.truncation,
        plan.settings.stain,
        num_classes=networks.num_classes,
    )
    arrays = {key: torch.from_numpy(np.ascontiguousarray(of)) for key, of in vars(pilot).items()}
    unfinished.write_scratch(name, tensor_bytes(arrays))
    return pilot


def finder_of(plan: Plan, networks: Networks) -> Finder | None:
    """What finds a pair's latent; None if pairs are taken as they come."""
    if not plan.wanted:
        return None
    settings = plan.settings
    choices = SearchChoices(
        truncation=settings.truncation,
        stain=settings.stain,
        most_draws=settings.most_draws,
        search=settings.search,
    )
    return Finder(
        networks.labelled,
        _probe(plan),
        dict(plan.wanted),
        choices,
        keep_drawing=plan.ending == "png",
    )


def _probe(plan: Plan) -> Probe:
    path = plan.folder / PROBE
    return Probe.of(tensors_of(path.read_bytes(), str(path)))


def composition_of(
    plan: Plan, tallies: Tallies, kept: Bool[np.ndarray, " pairs"], class_map: ClassMap
) -> dict[str, Any] | None:
    """What `dataset.json` says of how the composition was changed, and what that cost."""
    if not plan.wanted:
        return None
    natural, num_kept = _probe(plan).natural, int(kept.sum())
    return {
        "wanted": {class_map.names[place]: share for place, share in plan.wanted},
        "natural_share": dict(zip(class_map.names, natural.round(6).tolist(), strict=True)),
        "num_pilot": plan.settings.num_pilot,
        "num_missed": int(tallies.missed.sum()),
        "draws_per_kept_pair": float(tallies.draws.sum() / num_kept) if num_kept else None,
        "looks_per_kept_pair": float(tallies.looks.sum() / num_kept) if num_kept else None,
        "by_way": {
            way: int((tallies.way[kept] == place).sum())
            for place, way in enumerate(WAYS)
            if way != "missed"
        },
    }
