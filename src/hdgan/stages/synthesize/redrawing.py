"""Pairs that are drawn again, one by one, to be compared with those that were kept."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.pair_files import PairFiles
from hdgan.artifacts.pair_set import PairRecord, PairSet
from hdgan.artifacts.weights import device_named
from hdgan.method.latent import noise_of, w_of
from hdgan.settings.synthesize import SynthesizeSettings
from hdgan.stages.synthesize.networks import Networks
from hdgan.stages.synthesize.plan import Plan
from hdgan.stages.synthesize.spreading import cpu_threads

_DECIDE = ("truncation", "seed", "stain", "noise_draws", "threads")
"""Settings that decide how a pair is drawn from its row."""


def redraw_pairs(
    pairs: PairSet,
    classifier: ClassifierFolder,
    generator: GeneratorFolder,
    records: Sequence[PairRecord],
    into: Path,
    device: str,
) -> Iterator[tuple[PairRecord, Float32[np.ndarray, " w_dim"]]]:
    """Each pair, once its files lie in `into` under the names of the record, and its latent.

    The latent is that of the seed. Where a composition was asked for, it was searched for, and is
    taken as it was kept.

    Args:
        pairs: what they belong to.
        classifier: what labels.
        generator: what draws.
        records: the pairs, in the order in which they are drawn.
        into: an existing folder.
        device: `cpu`, `cuda`, or `auto`.

    Raises:
        SettingsError: there is no such device.
        DamagedArtifactError: a file of an artifact is missing or changed.
    """
    plan = _plan(pairs, classifier, generator)
    place = device_named(device)
    networks = Networks.loaded(plan, place)
    files = PairFiles(networks.num_classes, networks.largest)
    was_searched = bool(pairs.manifest.settings.get("at_least"))
    latents = pairs.latents() if was_searched else None
    for record in records:
        with cpu_threads(plan.settings.threads):
            seed = plan.seed(record.row)
            if latents is None:
                w = w_of(networks.generator, seed, plan.settings.truncation, plan.settings.stain)
            else:
                w = torch.from_numpy(latents[record.row : record.row + 1].copy()).to(place)
            noise = noise_of(networks.generator, seed, plan.noise(record.row))
            if record.ending == "tif":
                bands = networks.labelled.bands(w, noise)
                files.write_bands(into, record, bands, plan.side_px)
            else:
                files.write(into, record, networks.labelled.drawing(w, noise))
        yield record, w[0].cpu().numpy()


def _plan(pairs: PairSet, classifier: ClassifierFolder, generator: GeneratorFolder) -> Plan:
    made_with: dict[str, Any] = pairs.manifest.settings
    known = {name: made_with[name] for name in _DECIDE if name in made_with}
    return Plan(
        folder=pairs.folder.resolve(),
        classifier=classifier.folder.resolve(),
        generator=generator.folder.resolve(),
        digests=(classifier.digest, generator.digest),
        settings=replace(SynthesizeSettings(), **known),
        side_px=generator.shape.resolution,
    )
