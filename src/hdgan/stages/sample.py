"""`hdgan sample`: a generator to images with their latents."""

import json
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32
from torch import Tensor

from hdgan.artifacts.arrays import array_bytes, npy_bytes
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.images import png_of
from hdgan.artifacts.order import Order, plain
from hdgan.artifacts.sample_set import LATENTS, SAMPLES, SampleRecord
from hdgan.artifacts.table import table_bytes
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once, seen_by
from hdgan.artifacts.weights import device_named
from hdgan.errors import SettingsError, WrongArtifactError
from hdgan.method.features import pixels_and_means
from hdgan.method.labelled_drawing import LabelledGenerator
from hdgan.method.latent import stain_of, w_of
from hdgan.method.selection import diverse, uncertain_and_diverse
from hdgan.method.stylegan.synthesis import Generator
from hdgan.method.uncertainty import image_score
from hdgan.pipeline import Made
from hdgan.report.progress import ProgressBar
from hdgan.settings.sample import SampleSettings


def sample(
    generator: Path, output: Path, settings: SampleSettings, classifier: Path | None = None
) -> Made:
    """Draw images one by one; each depends on its own seed alone.

    With a classifier, for a second round of annotation, each is labelled too, and those are
    suggested of which the classifier is unsure.

    Memory holds one image and its features at a time; from 512 px, one image and one band.

    Raises:
        SettingsError: more samples are to be suggested than drawn, the generator does not know the
            stain, or the classifier has one member.
        WrongArtifactError: the classifier was fitted to another generator.
    """
    num_suggested = min(36, settings.count) if settings.select is None else settings.select
    if num_suggested > settings.count:
        raise SettingsError(
            f"--select is {settings.select}, but there are {settings.count} samples to "
            "choose from. Choose from 0 to --num-samples."
        )
    parent = GeneratorFolder.open(generator)
    stain_of(parent.shape, 0, settings.stain)
    ensemble = None if classifier is None else _fitted_to(parent, classifier)
    order = Order(
        "sample-set",
        plain(settings),
        parent.parents | ({} if ensemble is None else ensemble.parents),
        seen_by(parent) if ensemble is None else seen_by(parent, ensemble),
    )

    def make(unfinished: UnfinishedArtifact) -> None:
        network = parent.generator().to(device_named(settings.device))
        labelled = None if ensemble is None else _labelling(network, ensemble)
        latents, pooled, scores = [], [], []
        seeds = _seeds(settings)
        with ProgressBar("sample", settings.count, "images") as progress:
            for name, seed in seeds.items():
                w = w_of(network, seed, settings.truncation, settings.stain)
                latents.append(w[0].cpu().numpy())
                pooled.append(_drawn(unfinished, network, name, w))
                if labelled is not None:
                    scores.append(_scored(unfinished, labelled, name, w))
                progress.advance()
        suggested = _places(np.stack(pooled), scores, num_suggested, settings.seed)
        stains = [stain_of(parent.shape, seed, settings.stain) for seed in seeds.values()]
        unfinished.write(LATENTS, array_bytes({"w": np.stack(latents)}))
        rows = _records(seeds, suggested, stains, scores)
        unfinished.write(SAMPLES, table_bytes(rows, SampleRecord))

    made_once(output, order, make)
    return Made(
        "sample-set",
        output,
        {
            "samples": settings.count,
            "truncation": settings.truncation,
            "suggested for annotation": num_suggested,
        },
    )


def _drawn(
    unfinished: UnfinishedArtifact, network: Generator, name: str, w: Float[Tensor, "1 w_dim"]
) -> Float32[np.ndarray, " channels"]:
    """Draw a sample unless an earlier run has; its pooled features come back."""
    kept = unfinished.scratch / "pooled" / f"{name}.npy"
    if kept.is_file():
        pooled: Float32[np.ndarray, " channels"] = np.load(kept)
        return pooled
    pixels, pooled = pixels_and_means(network, w)
    unfinished.write(f"images/{name}.png", png_of(pixels))
    unfinished.write_scratch(f"pooled/{name}.npy", npy_bytes(pooled))
    return pooled


def _fitted_to(parent: GeneratorFolder, classifier: Path) -> ClassifierFolder:
    """A classifier that reads this generator's features.

    Raises:
        WrongArtifactError: it was fitted to another generator's.
    """
    ensemble = ClassifierFolder.open(classifier)
    if ensemble.manifest.parents[GeneratorFolder.kind] != parent.digest:
        raise WrongArtifactError(
            f"{classifier} was fitted to another generator than {parent.folder}. Give the "
            "generator that its samples were drawn by."
        )
    if ensemble.text.num_members == 1:
        raise SettingsError(
            f"{classifier} has one member, so nobody disagrees and nothing is uncertain. Give one "
            "that was fitted with --num-members above 1, or leave out --classifier."
        )
    return ensemble


def _labelling(network: Generator, ensemble: ClassifierFolder) -> LabelledGenerator:
    device = network.synthesis.convolutions[0].bias.device
    classifier = ensemble.classifier().to(device)
    context = ensemble.context()
    return LabelledGenerator(
        network,
        classifier,
        ensemble.text.num_blocks,
        context=None if context is None else context.to(device),
        decision=ensemble.decision,
    )


def _scored(
    unfinished: UnfinishedArtifact,
    labelled: LabelledGenerator,
    name: str,
    w: Float[Tensor, "1 w_dim"],
) -> float:
    """How unsure the classifier is of a sample, unless an earlier run has found out."""
    kept = unfinished.scratch / "uncertainty" / f"{name}.json"
    if not kept.is_file():
        score = image_score(labelled.drawing(w).uncertainty)
        unfinished.write_scratch(f"uncertainty/{name}.json", json.dumps(score).encode())
    return float(json.loads(kept.read_bytes()))


def _places(
    pooled: Float32[np.ndarray, "samples channels"],
    scores: list[float],
    num_suggested: int,
    seed: int,
) -> dict[int, int]:
    """The place of each suggested sample among the suggested."""
    if num_suggested == 0:
        return {}
    if scores:
        chosen = uncertain_and_diverse(pooled, np.array(scores), num_suggested, seed=seed)
    else:
        chosen = diverse(pooled, num_suggested, seed=seed)
    return {int(i): place for place, i in enumerate(chosen)}


def _records(
    seeds: dict[str, int],
    suggested: dict[int, int],
    stains: list[str | None],
    scores: list[float],
) -> list[SampleRecord]:
    """The rows of the table; `scores` is empty without a classifier."""
    return [
        SampleRecord(
            sample=name,
            row=i,
            seed=seed,
            suggested=suggested.get(i),
            stain=stains[i],
            uncertainty=scores[i] if scores else None,
        )
        for i, (name, seed) in enumerate(seeds.items())
    ]


def _seeds(settings: SampleSettings) -> dict[str, int]:
    """The seed of each sample by its name, ascending.

    A sample is called after its seed, so that no two drawings of a generator have one name.
    """
    seeds = settings.seeds or range(settings.seed, settings.seed + settings.num_samples)
    return {f"s{seed:06d}": seed for seed in sorted(seeds)}
