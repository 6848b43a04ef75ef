"""How like real tiles the pairs are: prepared once, asked by every process, shown at the end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, UInt8

from hdgan.artifacts.arrays import array_bytes, arrays_of
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.images import png_of
from hdgan.artifacts.pair_notes import pair_name
from hdgan.artifacts.pair_set import NEAREST
from hdgan.artifacts.real_tiles import Likeness, RealismOfImage, RealTiles
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.errors import SettingsError, WrongArtifactError
from hdgan.report.nearest_tiles import nearest_picture, nearest_rows, nearest_summary
from hdgan.report.progress import ProgressBar
from hdgan.settings.synthesize import SynthesizeSettings, SynthesizeSources
from hdgan.stages.synthesize.plan import Plan
from hdgan.stages.synthesize.tallies import Tallies

FITTED = "real_tiles.safetensors"
"""Features of the real tiles, among what goes when the artifact is whole."""

MOST_COMPARED = 20_000
"""Pairs of which the closest are looked for, evenly spread over all."""


def real_tiles_named(
    sources: SynthesizeSources, settings: SynthesizeSettings, generator: GeneratorFolder
) -> RealTiles | None:
    """The real tiles that pairs are held against, if any are named.

    Raises:
        SettingsError: only a part of what is needed is given.
        WrongArtifactError: the generator has not learned from these tiles.
        EncoderError: the encoder cannot be read.
    """
    if sources.tiles is None and sources.encoder is None:
        if settings.min_realism is not None:
            raise SettingsError(
                f"--min-realism is {settings.min_realism:g}, but there is nothing to hold pairs "
                "against. Give the tile set that the generator was trained on with --tiles, and a "
                "network that compares images with --encoder."
            )
        return None
    if sources.tiles is None or sources.encoder is None:
        missing = "--tiles" if sources.tiles is None else "--encoder"
        raise SettingsError(f"--tiles and --encoder need one another: {missing} is missing.")
    return RealTiles.open(sources.tiles, sources.encoder, generator, trusted=settings.trust_encoder)


def prepare(tiles: RealTiles | None, unfinished: UnfinishedArtifact, device: torch.device) -> None:
    """Look at the real tiles, unless an earlier run has."""
    if tiles is None or (unfinished.scratch / FITTED).is_file():
        return
    unfinished.is_dear = True
    with ProgressBar("synthesize: looking at real tiles", tiles.num_looks, "crops") as progress:
        unfinished.write_scratch(FITTED, array_bytes(tiles.fitted(device, progress.reach)))


def likeness_of(plan: Plan, device: torch.device) -> Likeness | None:
    """What scores drawings, in whichever process; None if there are no real tiles.

    Raises:
        WrongArtifactError: others are there than where the run was begun.
    """
    if plan.tiles is None or plan.encoder is None:
        return None
    path = plan.notes.scratch / FITTED
    tiles = RealTiles.open(
        plan.tiles,
        plan.encoder,
        GeneratorFolder.open(plan.generator),
        trusted=plan.settings.trust_encoder,
    )
    if tuple(tiles.parents.values()) != plan.compared_with:
        raise WrongArtifactError(
            f"{plan.tiles} or {plan.encoder} is another one here than where the run was begun. All "
            "computers need the same files under the same paths."
        )
    return Likeness(tiles, arrays_of(path.read_bytes(), str(path)), device)


def show_nearest(
    likeness: Likeness,
    tallies: Tallies,
    kept: Bool[np.ndarray, " pairs"],
    image: Callable[[int], UInt8[np.ndarray, "height width 3"]],
    unfinished: UnfinishedArtifact,
) -> dict[str, Any]:
    """Write the picture of pairs beside their nearest tiles.

    Args:
        likeness: of the tiles.
        tallies: what is known of all pairs.
        kept: those that are in the dataset.
        image: reads the image of a row.
        unfinished: where the picture goes.

    Returns:
        What `dataset.json` says of it, but for the limit.
    """
    rows = np.flatnonzero(kept)
    rows = rows[:: max(1, -(-len(rows) // MOST_COMPARED))]
    about = {
        "tiles": likeness.tiles.num_tiles,
        "encoder": likeness.tiles.encoder.name,
        "nearest": [],
    }
    if not len(rows):
        return about
    scores = [
        RealismOfImage(
            float(tallies.realism[row]),
            tallies.tile_of(int(row)) or "",
            float(tallies.distance[row]),
            float(tallies.nearness[row]),
        )
        for row in rows
    ]
    names = [pair_name(int(row)) for row in rows]
    found = nearest_rows(likeness, names, lambda i: image(int(rows[i])), scores)
    unfinished.write(NEAREST, png_of(nearest_picture(found, likeness.held_out_median)))
    return about | nearest_summary(found, likeness.held_out_median)


def limit_of(likeness: Likeness, min_realism: float | None) -> dict[str, Any]:
    """What `dataset.json` says of the limit: how many real, held-out tiles it would drop, too."""
    if min_realism is None:
        return {"min_realism": None}
    return {
        "min_realism": min_realism,
        "held_out_tiles_outside": likeness.rejected_held_out(min_realism),
    }


def named(path: Path | None) -> Path | None:
    """A path that holds in other processes, too; a name that is no path stays as it is."""
    return path.resolve() if path is not None and path.exists() else path
