"""`hdgan score-generator`: how a generator's drawings compare with real tiles."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import Float, Float32, Int, UInt8
from scipy.spatial.distance import cdist

from hdgan.artifacts.arrays import npy_bytes
from hdgan.artifacts.decoded import Decoded
from hdgan.artifacts.encoder_file import EncoderFile, features_of, read_encoder
from hdgan.artifacts.generator import SNAPSHOTS, WEIGHTS, GeneratorFolder
from hdgan.artifacts.image_quality import (
    CLOSEST,
    DISTANCES,
    HELD_OUT_CROPS,
    NEAREST,
    QUALITY,
    ImageQualityFolder,
    QualityText,
    SnapshotScore,
    plain_scores,
    quality_bytes,
)
from hdgan.artifacts.images import png_of
from hdgan.artifacts.leaks import known_of
from hdgan.artifacts.order import Order, plain
from hdgan.artifacts.real_tiles import crop_of, learned_folds
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once, seen_by
from hdgan.artifacts.weights import device_named, with_weights
from hdgan.errors import ImageError
from hdgan.method.image_quality import (
    image_quality,
    kernel_distance,
    nearest_distances,
    relative_nearness,
)
from hdgan.method.latent import image_of, w_of
from hdgan.method.stylegan.synthesis import Generator
from hdgan.method.tile_crop import all_ways, laid, shrunk_crop
from hdgan.pipeline import Fact, Made
from hdgan.report.charts import histogram
from hdgan.report.grids import grid
from hdgan.report.progress import ProgressBar
from hdgan.settings.score_generator import ScoreGeneratorSettings

Image = UInt8[np.ndarray, "side side 3"]
Features = Float32[np.ndarray, "images features"]
Distances = Float[np.ndarray, " _"]

FINAL = "final"
NUM_NEIGHBOURS = 4
BATCH = 16


def score_generator(
    generator: Path, tiles: Path, encoder: Path, output: Path, settings: ScoreGeneratorSettings
) -> Made:
    """Score drawings against random crops of real tiles; goes on where it was interrupted.

    Memory: the features of all images (2 to 8 kB each) and three matrices of images x images.

    Raises:
        EncoderError: the encoder cannot be read.
        ImageError: a tile is smaller than the drawings.
    """
    folder, tile_set, read = (
        GeneratorFolder.open(generator),
        TileSet.open(tiles),
        read_encoder(encoder, trusted=settings.trust_encoder),
    )
    order = Order(
        "image-quality",
        plain(settings),
        folder.parents | tile_set.parents | {"encoder": read.digest},
        seen_by(folder),
    )

    def make(unfinished: UnfinishedArtifact) -> None:
        _Scoring(unfinished, settings, folder, tile_set, read).complete()

    made_once(output, order, make)
    return Made("image-quality", output, _facts(ImageQualityFolder.open(output).text))


@dataclass
class _Scoring:
    """Features of several sets of images, and what follows from them."""

    unfinished: UnfinishedArtifact
    settings: ScoreGeneratorSettings
    generator: GeneratorFolder
    tiles: TileSet
    encoder: EncoderFile

    def complete(self) -> None:
        """Draw, crop, encode, compare, and write the artifact's files."""
        self.device = device_named(self.settings.device)
        self.network = self.encoder.encoder.to(self.device)
        training, held_out = self._folds()
        names = [*self._kept_snapshots(), FINAL]
        sets = {name: partial(self._drawn, name) for name in names}
        sets["training"] = partial(self._crops, training, stream=0)
        if held_out:
            sets["held-out"] = partial(self._crops, held_out, stream=1)
        features = self._encoded_sets(sets)
        real = features["training"]
        scores = image_quality(real, features[FINAL], seed=self.settings.seed)
        nearest = {"drawings": nearest_distances(real, features[FINAL])}
        floor = None
        if held_out:
            nearest[HELD_OUT_CROPS] = nearest_distances(real, features["held-out"])
            floor = image_quality(real, features["held-out"], seed=self.settings.seed)
        snapshots = [self._snapshot_score(name, real, features[name]) for name in names]
        nearness = relative_nearness(real, features[FINAL])
        closest = np.argsort(nearness, kind="stable")[: self.settings.num_nearest]
        self._write_pictures(nearest, self._nearest(real, training, closest))
        text = QualityText(
            encoder=self.encoder.name,
            encoder_digest=self.encoder.digest,
            num_images=self.settings.num_images,
            truncation=self.settings.truncation,
            training_folds=sorted(training),
            held_out_folds=sorted(held_out),
            scores=plain_scores(scores),
            floor=None if floor is None else plain_scores(floor),
            kid_ratio=scores.kid / floor.kid if floor is not None and floor.kid > 0 else None,
            nearest={name: float(np.median(each)) for name, each in nearest.items()},
            nearest_of_each={name: _rounded(each) for name, each in nearest.items()},
            snapshots=snapshots,
            best_snapshot=min(snapshots, key=lambda score: score.kid).snapshot,
        )
        self.unfinished.write(QUALITY, quality_bytes(text))

    def _folds(self) -> tuple[set[int], set[int]]:
        """Folds that the generator has learned from, and the others."""
        there = {record.fold for record in self.tiles.records()}
        seen = learned_folds(self.generator, self.tiles)
        known = known_of(self.tiles, self.generator.manifest.learned).all_folds
        return (seen, there - known) if seen else (there, set())

    def _crops(self, folds: set[int], stream: int) -> Callable[[int], Image]:
        """Crop i of the tiles of these folds, in one of the eight ways."""
        records = self.tiles.records(tuple(sorted(folds)))
        side = self.generator.shape.resolution
        shrink = self._shrink()
        needed = round(side * shrink[1])
        for record in records:
            if min(record.width, record.height) < needed:
                raise ImageError(
                    f"{self.tiles.folder / record.image} is {record.width} x {record.height} "
                    f"pixels; needed are {needed} on each side for drawings of {side} px. Cut "
                    "larger tiles, or lower --shrink."
                )
        decoded = Decoded(lambda i: self.tiles.image(records[i]))

        def crop(number: int) -> Image:
            random = np.random.default_rng([self.settings.seed, stream, number])
            tile = decoded[int(random.integers(len(records)))]
            way = int(random.integers(8))
            return np.ascontiguousarray(laid(shrunk_crop(tile, side, shrink, random), way))

        return crop

    def _shrink(self) -> tuple[float, float]:
        """How tiles are shrunk: as the user says, or as the generator has seen them."""
        if self.settings.shrink is not None:
            return self.settings.shrink
        return crop_of(self.generator).shrink

    def _snapshot(self, name: str) -> Generator:
        path = WEIGHTS if name == FINAL else f"{SNAPSHOTS}/{name}.safetensors"
        network = with_weights(lambda: Generator(self.generator.shape), self.generator, path)
        return network.eval().requires_grad_(requires_grad=False).to(self.device)

    def _drawn(self, snapshot: str) -> Callable[[int], Image]:
        """Drawing i of a snapshot."""
        network = self._snapshot(snapshot)

        def draw(number: int) -> Image:
            seed = self.settings.seed + number
            return image_of(network, w_of(network, seed, self.settings.truncation))

        return draw

    def _kept_snapshots(self) -> list[str]:
        """Names of the snapshots to score, from the first."""
        if not self.settings.snapshots:
            return []
        files = [PurePosixPath(name) for name in self.generator.manifest.files]
        return sorted(path.stem for path in files if path.parts[0] == SNAPSHOTS)

    def _snapshot_score(self, name: str, real: Features, drawn: Features) -> SnapshotScore:
        kid = kernel_distance(real, drawn, seed=self.settings.seed)
        return SnapshotScore(snapshot=name, kid=kid.mean, kid_deviation=kid.deviation)

    def _encoded_sets(
        self, sets: Mapping[str, Callable[[], Callable[[int], Image]]]
    ) -> dict[str, Features]:
        """The features of each set of images; taken from an earlier run if that had finished it.

        One set at a time is opened, so that one network at a time is in memory.
        """
        features: dict[str, Features] = {}
        paths = {name: self.unfinished.scratch / "features" / f"{name}.npy" for name in sets}
        for name, path in paths.items():
            if path.is_file():
                features[name] = np.load(path, allow_pickle=False)
        count = self.settings.num_images
        done = len(features) * count
        with ProgressBar("score-generator", len(sets) * count, "images", done=done) as progress:
            for name in [name for name in sets if name not in features]:
                image, parts = sets[name](), []
                for numbers in _batches(count):
                    images = [image(number) for number in numbers]
                    parts.append(features_of(self.network, images, self.device))
                    progress.reach(done + numbers.stop, name)
                done += count
                features[name] = np.concatenate(parts)
                self.unfinished.write_scratch(f"features/{name}.npy", npy_bytes(features[name]))
        return features

    def _nearest(
        self, real: Features, training: set[int], drawings: Int[np.ndarray, " drawings"]
    ) -> list[list[Image]]:
        """Each drawing with the training crops that are nearest to it in any of eight ways."""
        draw, crop = self._drawn(FINAL), self._crops(training, stream=0)
        rows = []
        for number in drawings:
            image = draw(int(number))
            ways = features_of(self.network, all_ways(image), self.device)
            distance = cdist(ways, real).min(axis=0)
            nearest = np.argsort(distance, kind="stable")[:NUM_NEIGHBOURS]
            rows.append([image, *(crop(int(i)) for i in nearest)])
        return rows

    def _write_pictures(self, nearest: Mapping[str, Distances], rows: list[list[Image]]) -> None:
        """How near drawings come, as a chart; and the nearest, with and without the real crops."""
        label = "distance to the nearest training crop"
        chart = histogram(nearest, x_label=label, y_label="part of them")
        self.unfinished.write(DISTANCES, chart.encode())
        if rows:
            drawings, crops = [row[0] for row in rows], [image for row in rows for image in row]
            self.unfinished.write(CLOSEST, png_of(grid(drawings, columns=min(8, len(rows)))))
            self.unfinished.write(NEAREST, png_of(grid(crops, columns=1 + NUM_NEIGHBOURS)))


def _batches(count: int) -> Iterator[range]:
    for first in range(0, count, BATCH):
        yield range(first, min(first + BATCH, count))


def _rounded(distances: Distances) -> list[float]:
    """To five significant digits, so that a thousand are short."""
    return [float(f"{distance:.5g}") for distance in distances]


def _facts(text: QualityText) -> dict[str, Fact]:
    facts: dict[str, Fact] = {
        "encoder": text.encoder,
        "encoder SHA-256": text.encoder_digest,
        "images of each kind": text.num_images,
    }
    for name, value in text.scores.items():
        floor = "" if text.floor is None else f"  (held-out real tiles: {text.floor[name]:.4f})"
        facts[name.replace("_", " ")] = f"{value:.4f}{floor}"
    for name, distance in text.nearest.items():
        facts[f"nearest training crop, {name}"] = f"{distance:.4f}"
    if text.kid_ratio is not None:
        facts["kid / noise floor"] = f"{text.kid_ratio:.1f}  (1: as close as other real tissue)"
    if not text.held_out_folds:
        facts["noise floor"] = "none: no fold is known to be unseen"
    if len(text.snapshots) > 1:
        facts["best snapshot by kid"] = text.best_snapshot
    return facts
