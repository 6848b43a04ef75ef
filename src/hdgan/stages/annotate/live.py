"""Live predictions of the annotation page: strokes correct what an ensemble thinks, or begin it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int64

from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.lineage import parent_of
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.weights import device_named
from hdgan.class_map import UNLABELLED, ClassMap
from hdgan.errors import WrongArtifactError
from hdgan.method.corrected_labels import certainty, corrected
from hdgan.method.correction import (
    FROM_NOTHING,
    NUM_MEMBERS,
    UPON_ENSEMBLE,
    Correction,
    fit_correction,
)
from hdgan.method.regeneration import regenerates
from hdgan.method.uncertainty import image_score, largest_divergence
from hdgan.stages.annotate.drawn_tiles import DrawnTile, DrawnTiles, Ensemble
from hdgan.stages.annotate.strokes import Strokes
from hdgan.stages.annotate.turns import Turns
from hdgan.web.predictor import PaintedTile, Prediction

SCORED_SIDE = 128
"""Of a tile that is scored, so many pixels a side are asked."""

_AT_ONCE = 4096


def live_predictor(
    samples: SampleSet,
    generator: GeneratorFolder | None,
    classifier: ClassifierFolder | None,
    class_map: ClassMap,
    scratch: Path,
    device: str = "auto",
) -> "LivePredictor":
    """Who predicts the tiles of a sample set.

    Args:
        samples: whose images are painted.
        generator: what drew them; None looks beside the sample set.
        classifier: an ensemble that was fitted to this generator; None begins without.
        class_map: what is painted.
        scratch: folder for the features of large tiles, `drawn_tiles.KEPT_TILES` at most.
        device: as the command line has it.

    Raises:
        WrongArtifactError: the samples are not from the generator, the latents no longer draw them,
            or the classifier belongs to another generator or has other classes.
    """
    given = None if generator is None else generator.folder
    generator = parent_of(samples, GeneratorFolder, given)
    if classifier is not None:
        _check_fits(classifier, generator, class_map)
    on = device_named(device)
    network = generator.generator().to(on)
    ensemble = None
    if classifier is not None:
        context = classifier.context()
        ensemble = Ensemble(
            classifier.classifier().to(on),
            None if context is None else context.to(on),
            classifier.text.num_blocks,
        )
    records, latents = samples.records(), samples.latents()
    rows = {record.sample: latents[record.row] for record in records}
    # Later half of the blocks: earlier ones tell tiles apart, not tissue.
    num_blocks = (len(generator.shape.resolutions) + 1) // 2
    tiles = DrawnTiles(network, rows, num_blocks, ensemble, scratch)
    first = records[0]
    if not regenerates(samples.image(first), tiles.image(first.sample)):
        raise WrongArtifactError(
            f"{samples.folder / first.image} is not what {generator.folder} draws from its latent: "
            "images, latents and weights no longer belong together. Draw the samples again with "
            "`hdgan sample` and annotate those."
        )
    return LivePredictor(tiles, len(class_map), on)


def _check_fits(
    classifier: ClassifierFolder, generator: GeneratorFolder, class_map: ClassMap
) -> None:
    if classifier.manifest.parents[GeneratorFolder.kind] != generator.digest:
        raise WrongArtifactError(
            f"{classifier.folder} was fitted to another generator than {generator.folder}. Give "
            "one that was fitted to drawings of the generator that these samples are from."
        )
    if classifier.class_map.names != class_map.names:
        raise WrongArtifactError(
            f"{classifier.folder} knows the classes {', '.join(classifier.class_map.names)}, but "
            f"{', '.join(class_map.names)} are painted. Give a class map with the same classes in "
            "the same order, or leave out --classifier."
        )


@dataclass(frozen=True)
class _Fitted:
    """The last correction."""

    revisions: tuple[tuple[str, int], ...]
    """What it was fitted to."""
    correction: Correction | None
    num_learned: int


class LivePredictor:
    """A `hdgan.web.predictor.Predictor` of drawn tiles.

    Memory: two tiles' features with the ensemble's word on them (`DrawnTiles`), some pixels of each
    painted tile (`Strokes`), and what fitting takes (100 MB at 1024 px).
    """

    def __init__(self, tiles: DrawnTiles, num_classes: int, device: torch.device) -> None:
        """Nothing is learned yet.

        Args:
            tiles: what is predicted.
            num_classes: of the class map.
            device: where it is computed.
        """
        self._tiles, self._num_classes, self._device = tiles, num_classes, device
        self._turns = Turns()
        self._scale = tiles.scale()
        self._strokes = Strokes(tiles, num_classes)
        self._scores: dict[str, float] = {}
        self._fitted = _Fitted((), None, 0)
        self._current = ""
        self.carries_over = tiles.ensemble is None
        """Whether strokes teach about other tiles than their own."""

    @property
    def predicts_before_strokes(self) -> bool:
        """Whether there is an ensemble."""
        return self._tiles.ensemble is not None

    @property
    def largest_uncertainty(self) -> float:
        """What no pixel's uncertainty exceeds, nats."""
        members = self._num_classes if self.predicts_before_strokes else NUM_MEMBERS
        return largest_divergence(members, self._num_classes)

    def predict(self, tile: str, painted: Mapping[str, PaintedTile]) -> Prediction | None:
        """What is predicted of a tile; see the protocol."""
        started = time.monotonic()
        with self._turns.first():
            self._current = tile
            correction = self._correction(self._taught_by(tile, painted), _nothing)
            drawn = self._tiles.drawn(tile, _nothing)
            prior = self._tiles.with_prior(drawn, _nothing)
            if correction is None and prior is None:
                return None
            labelled = corrected(self._tiles.corrected(drawn), correction, prior)
            self._scores[tile] = image_score(labelled.uncertainty)
            num_learned = self._fitted.num_learned
        scale = 255.0 / max(self.largest_uncertainty, 1e-9)
        shown = np.rint(labelled.uncertainty * scale).clip(0, 255).astype(np.uint8)
        seconds = time.monotonic() - started
        return Prediction(labelled.labels, shown, self.largest_uncertainty, num_learned, seconds)

    def teaches(self) -> Mapping[str, float]:
        """How uncertain each tile is that was scored so far, nats."""
        return dict(self._scores)

    def score(self, tile: str, painted: Mapping[str, PaintedTile]) -> float:
        """The same of one tile; the largest possible while there is nothing to predict from."""
        with self._turns.last() as give_way:
            correction = self._correction(self._taught_by(tile, painted), give_way)
            if correction is None and tile in self._scores:
                return self._scores[tile]  # an ensemble alone thinks the same again
            if correction is None and not self.predicts_before_strokes:
                return self.largest_uncertainty
            drawn = self._tiles.drawn(tile, give_way, beside=self._current)
            self._scores[tile] = image_score(self._coarsely(drawn, correction))
            return self._scores[tile]

    def _taught_by(
        self, tile: str, painted: Mapping[str, PaintedTile]
    ) -> Mapping[str, PaintedTile]:
        """The strokes that teach about a tile: all, or with an ensemble those on the tile itself.

        Carried over to other drawings, corrections of an ensemble cost two to four points of macro
        Dice there (docs/results.md, "Correcting on the annotation page").
        """
        if self.carries_over:
            return painted
        return {name: own for name, own in painted.items() if name == tile}

    def close(self) -> None:
        """Delete what lies in the scratch folder."""
        with self._turns.first():
            self._tiles.close()

    def _coarsely(
        self, drawn: DrawnTile, correction: Correction | None
    ) -> Float32[np.ndarray, "rows columns"]:
        """The uncertainty of some pixels of a tile, evenly spaced."""
        side = self._tiles.side
        step = max(1, side // SCORED_SIDE)
        places = np.arange(step // 2, side, step)
        rows, columns = (axis.ravel() for axis in np.meshgrid(places, places, indexing="ij"))
        parts = [
            self._uncertainty_at(drawn, correction, rows[first:last], columns[first:last])
            for first, last in pairwise([*range(0, rows.size, _AT_ONCE), rows.size])
        ]
        return np.concatenate(parts).reshape(places.size, places.size)

    @torch.no_grad()
    def _uncertainty_at(
        self,
        drawn: DrawnTile,
        correction: Correction | None,
        rows: Int64[np.ndarray, " pixels"],
        columns: Int64[np.ndarray, " pixels"],
    ) -> Float32[np.ndarray, " pixels"]:
        thought = self._tiles.thought_at(drawn, rows, columns)
        logits, doubt = (None, None) if thought is None else (thought[0][None], thought[1])
        if correction is not None:
            features = torch.from_numpy(self._tiles.corrected(drawn).at(rows, columns))
            added = correction.logits(features.to(self._device))
            logits = added if logits is None else added + logits
        assert logits is not None
        return certainty(logits, doubt)[1].cpu().numpy()

    def _correction(
        self, painted: Mapping[str, PaintedTile], between: Callable[[], None]
    ) -> Correction | None:
        """What all strokes together teach; None if nothing is painted. Fitted once."""
        revisions = tuple(sorted((name, tile.revision) for name, tile in painted.items()))
        if revisions == self._fitted.revisions:
            return self._fitted.correction
        pixels = self._strokes.learned(painted, between, beside=self._current)
        correction, num_learned = None, 0
        if pixels is not None:
            num_learned = int((pixels.classes != UNLABELLED).sum())
            stiffness = UPON_ENSEMBLE if self.predicts_before_strokes else FROM_NOTHING
            correction = fit_correction(
                pixels, self._scale, device=self._device, stiffness=stiffness
            )
        self._fitted = _Fitted(revisions, correction, num_learned)
        return correction


def _nothing() -> None:
    """Nobody is given way to."""
