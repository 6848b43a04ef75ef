"""`hdgan synthesize`: a generator and a classifier to labelled drawings."""

import json
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

from hdgan.artifacts.annotation_set import CLASSES, class_map_bytes
from hdgan.artifacts.arrays import array_bytes
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.lineage import parent_of
from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.memory import bytes_for_work
from hdgan.artifacts.pair_files import PairFiles, Tally
from hdgan.artifacts.pair_set import (
    CARD,
    DATASET,
    LATENTS,
    PAIRS,
    Ending,
    PairRecord,
    PairSet,
)
from hdgan.artifacts.shipped_generator import words_about
from hdgan.artifacts.table import table_bytes
from hdgan.artifacts.unfinished import Order, UnfinishedArtifact, made_once, plain, seen_by
from hdgan.artifacts.weights import device_named
from hdgan.errors import SettingsError
from hdgan.method.labelled_drawing import LabelledGenerator, fixed_bytes_of
from hdgan.method.latent import stain_of, w_of
from hdgan.method.uncertainty import kept_after_filter, largest_divergence
from hdgan.pipeline import Made
from hdgan.report.card import dataset_card
from hdgan.report.progress import ProgressBar
from hdgan.settings.synthesize import SynthesizeSettings

PNG_PX = 4096
"""Side of the largest drawing that becomes a PNG unless the user says otherwise."""


def synthesize(
    classifier: Path,
    output: Path,
    settings: SynthesizeSettings,
    generator: Path | None = None,
) -> Made:
    """Draw images one by one with their label maps; pair i depends on seed + i alone.

    Memory holds one image with its labels, and what labelling a band of it takes; below 512 px its
    features too. With `files="tiff"` it holds a band's rows instead of the image.

    Raises:
        WrongArtifactError: the classifier was fitted to another generator.
        SettingsError: the generator does not know the stain, or bands cannot be labelled alone.
    """
    ensemble = ClassifierFolder.open(classifier)
    parent = parent_of(ensemble, GeneratorFolder, generator)
    stain_of(parent.shape, 0, settings.stain)
    if ensemble.text.by_object and _ending(settings, parent.shape.resolution) == "tif":
        raise SettingsError(
            f"{classifier} tells some classes apart object by object, for which it needs the whole "
            "label map, but TIFF files are written band by band. Use --files png."
        )
    order = Order(
        "pair-set",
        plain(settings),
        parent.parents | ensemble.parents,
        seen_by(parent, ensemble),
    )

    def make(unfinished: UnfinishedArtifact) -> None:
        _Synthesis(unfinished, settings, ensemble, parent).complete()

    made_once(output, order, make)
    pairs = PairSet.open(output)
    return Made(
        "pair-set",
        output,
        {
            "pairs drawn": settings.num_pairs,
            "dropped as most uncertain": pairs.about["num_dropped"],
            "pairs kept": pairs.about["num_kept"],
        },
    )


class _Synthesis:
    """Pairs on their way into an artifact."""

    def __init__(
        self,
        unfinished: UnfinishedArtifact,
        settings: SynthesizeSettings,
        ensemble: ClassifierFolder,
        parent: GeneratorFolder,
    ) -> None:
        device = device_named(settings.device)
        self.unfinished, self.settings, self.ensemble = unfinished, settings, ensemble
        self.network = parent.generator().to(device)
        classifier = ensemble.classifier().to(device)
        context = ensemble.context()
        context = None if context is None else context.to(device)
        self.labelled = LabelledGenerator(
            self.network,
            classifier,
            ensemble.text.num_blocks,
            context=context,
            decision=ensemble.decision,
            by_object=ensemble.text.by_object,
            memory_bytes=bytes_for_work(
                settings.memory,
                parent.shape.resolution,
                fixed_bytes_of(parent.shape, classifier, context),
            ),
        )
        self.side = parent.shape.resolution
        self.words = words_about(parent)
        num_classes = len(ensemble.class_map)
        self.largest = largest_divergence(classifier.shape.num_members, num_classes)
        self.files = PairFiles(unfinished, num_classes, self.largest)
        self.ending: Ending = _ending(settings, self.side)

    def complete(self) -> None:
        """Draw, drop, and write the tables."""
        latents: list[np.ndarray] = []
        tallies: list[Tally] = []
        with ProgressBar("synthesize", self.settings.num_pairs, "pairs") as progress:
            for i in range(self.settings.num_pairs):
                w = self._latent(i)
                latents.append(w[0].cpu().numpy())
                tallies.append(self._drawn(i, w))
                progress.advance()
        records = self._records(tallies)
        for record in records:
            if not record.kept:
                for name in (record.image, record.labels, record.uncertainty_map):
                    self.unfinished.remove(name)
        self.unfinished.write(PAIRS, table_bytes(records, PairRecord))
        self.unfinished.write(LATENTS, array_bytes({"w": np.stack(latents)}))
        self.unfinished.write(CLASSES, class_map_bytes(self.ensemble.class_map))
        self._write_about(records, tallies)

    def _latent(self, i: int) -> Float[Tensor, "1 w_dim"]:
        """The w of pair i."""
        settings = self.settings
        return w_of(self.network, settings.seed + i, settings.truncation, settings.stain)

    def _drawn(self, i: int, w: Float[Tensor, "1 w_dim"]) -> Tally:
        """Draw pair i unless an earlier run has. Its tally is written last."""
        kept = self.unfinished.scratch / "pairs" / f"{_name(i)}.json"
        if kept.is_file():
            return Tally(**json.loads(kept.read_bytes()))
        record = PairRecord(
            pair=_name(i), row=i, seed=0, uncertainty=0.0, kept=True, ending=self.ending
        )
        if self.ending == "tif":
            tally = self.files.write_bands(record, self.labelled.bands(w), self.side)
        else:
            tally = self.files.write(record, self.labelled.drawing(w))
        self.unfinished.write_scratch(f"pairs/{_name(i)}.json", json_bytes(vars(tally)))
        return tally

    def _records(self, tallies: list[Tally]) -> list[PairRecord]:
        scores = np.array([tally.uncertainty for tally in tallies])
        # One member is never unsure, and of one pair there is none that is more uncertain.
        tells = self.largest > 0 and len(scores) > 1
        kept = kept_after_filter(scores, self.settings.drop_fraction if tells else 0.0)
        return [
            PairRecord(
                pair=_name(i),
                row=i,
                seed=self.settings.seed + i,
                uncertainty=tally.uncertainty,
                kept=bool(kept[i]),
                stain=stain_of(self.network.shape, self.settings.seed + i, self.settings.stain),
                ending=self.ending,
            )
            for i, tally in enumerate(tallies)
        ]

    def _write_about(self, records: list[PairRecord], tallies: list[Tally]) -> None:
        pixels = np.array([tally.pixels for tally in tallies])
        kept = np.array([record.kept for record in records])
        share = pixels[kept].sum(axis=0) / max(1, pixels[kept].sum())
        dropped = [tally.uncertainty for tally, keep in zip(tallies, kept, strict=True) if not keep]
        about = {
            "num_drawn": len(records),
            "num_kept": int(kept.sum()),
            "num_dropped": int((~kept).sum()),
            "least_uncertainty_dropped_nats": min(dropped, default=None),
            "largest_uncertainty_nats": self.largest,
            "side_px": self.side,
            "ending": self.ending,
            "truncation": self.settings.truncation,
            "share_of_pixels": dict(
                zip(self.ensemble.class_map.names, share.round(6).tolist(), strict=True)
            ),
        }
        self.unfinished.write(DATASET, json_bytes(about))
        card = dataset_card(about, self.unfinished.order.parents, self.words)
        self.unfinished.write(CARD, card.encode())


def _ending(settings: SynthesizeSettings, side: int) -> Ending:
    if settings.files == "auto":
        return "tif" if side > PNG_PX else "png"
    return "tif" if settings.files == "tiff" else "png"


def _name(i: int) -> str:
    return f"p{i:07d}"
