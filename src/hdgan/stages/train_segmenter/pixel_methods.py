"""The methods that decide pixel by pixel: a random forest, and perceptrons on frozen features."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import nn

from hdgan.artifacts.curves import curve_line
from hdgan.artifacts.encoder_file import INSTALLED, EncoderFile, read_encoder
from hdgan.artifacts.encoder_tensors import Format, format_of
from hdgan.artifacts.optional_packages import need
from hdgan.artifacts.segmenter import write_segmenter
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.class_map import ClassMap
from hdgan.errors import EncoderError, LabelError
from hdgan.method.latent import tensor_of
from hdgan.method.pixel_classifier import ClassifierShape
from hdgan.method.segmenter.filter_features import filter_features
from hdgan.method.segmenter.forest import (
    LEAST_PROBABILITY,
    ForestPlan,
    forest_of,
    grown_trees,
)
from hdgan.method.segmenter.frozen_features import (
    FrozenFeatureSegmenter,
    FrozenFeatureShape,
    scale_for,
)
from hdgan.method.segmenter.frozen_features_fitting import (
    NUM_MEMBERS,
    NUM_VIEWS,
    fit_frozen_features,
    frozen_features_plan,
    pool_size,
)
from hdgan.method.segmenter.frozen_features_maps import channels_of, encoder_shape_of
from hdgan.method.segmenter.pixel_drawing import DrawnPiece, Views, drawn_pieces
from hdgan.method.segmenter.training import SegmenterTick
from hdgan.report.progress import ProgressBar, remark
from hdgan.settings.train_segmenter import TrainSegmenterSettings

FOREST_PIXELS = 50_000
"""Pixels that the trees see, of all images together: 17 MB of features, half a minute to grow."""

MOST_PIECES = 256
"""Pieces of images whose features are made, at most: several of each of a few images, or one of
each of as many images."""

LabelledImage = UInt8[np.ndarray, "height width 4"]
ReadImage = Callable[[], LabelledImage]
PieceFeatures = Callable[[DrawnPiece], Float32[np.ndarray, "pixels channels"]]


@dataclass(frozen=True)
class _Pool:
    """Drawn pixels of all images."""

    features: Float32[np.ndarray, "pixels channels"]
    classes: Int64[np.ndarray, " pixels"]


def fit_pixel_method(
    unfinished: UnfinishedArtifact,
    settings: TrainSegmenterSettings,
    class_map: ClassMap,
    images: Sequence[ReadImage],
    encoder: Path | None,
    device: torch.device,
) -> list[str]:
    """Fit the segmenter and put it into the artifact; the lines of its curves come back.

    Labelled pixels are drawn from all images, the same number from each; of more than `MOST_PIECES`
    images, from so many of them that have labels, which the seed decides. Within an image every
    labelled pixel is equally likely. In learning, rare classes then count for more
    (`rare_weights`), so that the probabilities are not those of the tissue. Perceptrons see each
    image in several ways, the trees only as it is, as in QuPath and ilastik. Of the settings only
    `method`, `seed`, `stain_jitter` (for perceptrons) and what chose the images count.

    There is no checkpoint: it takes minutes, however many images there are, and a run that was
    killed begins anew and comes to the same result.

    Memory: the features of the pixels drawn, twice while they are gathered (1 GB for perceptrons,
    35 MB for trees), and those of one piece of an image of up to 512 px (0.5 GB). It does not grow
    with the number of images, which are read one at a time.

    Raises:
        LabelError: no pixel is labelled.
        EncoderError: the encoder cannot be read, or is a program.
        SettingsError: scikit-learn is needed and not installed.
    """
    if settings.method == "random-forest":
        return _fit_forest(unfinished, settings, class_map, images)
    network = inner_encoder(encoder or Path(INSTALLED)).encoder.to(device)
    return _fit_frozen(unfinished, settings, class_map, images, network)


def _fit_forest(
    unfinished: UnfinishedArtifact,
    settings: TrainSegmenterSettings,
    class_map: ClassMap,
    images: Sequence[ReadImage],
) -> list[str]:
    need("sklearn", "compare", "random forests")

    def features(piece: DrawnPiece) -> Float32[np.ndarray, "pixels channels"]:
        return filter_features(piece.image)[piece.rows, piece.columns]

    pool = _Drawing(FOREST_PIXELS, settings.seed).pool(images, features)
    plan = ForestPlan(seed=settings.seed, at_once=torch.get_num_threads())
    trees = []
    with ProgressBar("train-segmenter", plan.num_trees, "trees") as progress:
        for tree in grown_trees(pool.features, pool.classes, len(class_map), plan):
            trees.append(tree)
            progress.advance()
    forest = forest_of(trees)
    found = forest.probabilities(torch.from_numpy(pool.features))
    chosen = found[torch.arange(len(found)), torch.from_numpy(pool.classes)]
    loss = float(-chosen.clamp_min(LEAST_PROBABILITY).log().mean())
    write_segmenter(unfinished, forest, forest.shape)
    return [curve_line(SegmenterTick(len(trees), loss))]


def _fit_frozen(
    unfinished: UnfinishedArtifact,
    settings: TrainSegmenterSettings,
    class_map: ClassMap,
    images: Sequence[ReadImage],
    encoder: nn.Module,
) -> list[str]:
    segmenter = _new_segmenter(settings, class_map, images[0](), encoder)
    device = next(encoder.parameters()).device

    def features(piece: DrawnPiece) -> Float32[np.ndarray, "pixels channels"]:
        image = tensor_of(piece.image)[None].to(device)
        places = (torch.from_numpy(place).to(device) for place in (piece.rows, piece.columns))
        return segmenter.features(image, *places).cpu().numpy()

    num_channels = segmenter.shape.classifier.num_channels
    views = Views(NUM_VIEWS, settings.stain_jitter)
    pool = _Drawing(pool_size(num_channels), settings.seed, views).pool(images, features)
    plan = frozen_features_plan(settings.seed)
    epochs = fit_frozen_features(
        segmenter.classifier,
        torch.from_numpy(pool.features).to(device),
        torch.from_numpy(pool.classes).to(device),
        plan,
    )
    lines = []
    with ProgressBar("train-segmenter", plan.steps, "steps") as progress:
        for epoch in epochs:
            lines.append(curve_line(SegmenterTick(epoch.steps, epoch.loss)))
            progress.reach(epoch.steps, f"loss {epoch.loss:.3f}")
    write_segmenter(unfinished, segmenter, segmenter.shape)
    return lines


def _new_segmenter(
    settings: TrainSegmenterSettings, class_map: ClassMap, first: LabelledImage, encoder: nn.Module
) -> FrozenFeatureSegmenter:
    """Fresh perceptrons on this encoder, where the encoder is."""
    shape = encoder_shape_of(encoder)
    if shape is None:
        raise ValueError(f"an encoder of the unknown kind {type(encoder).__name__}")
    perceptrons = ClassifierShape(sum(channels_of(shape)), len(class_map), NUM_MEMBERS)
    scale = scale_for(min(first.shape[:2]), shape)
    segmenter = FrozenFeatureSegmenter(
        FrozenFeatureShape(shape, perceptrons, scale), seed=settings.seed
    )
    segmenter.encoder = encoder
    return segmenter.to(next(encoder.parameters()).device)


def inner_encoder(path: Path) -> EncoderFile:
    """The encoder that a user names, whose inner maps are known.

    Raises:
        EncoderError: it cannot be read, or is a program, which shows only its result.
    """
    if path.is_file() and format_of(path.read_bytes()) is Format.TORCHSCRIPT:
        raise EncoderError(
            f"{path} is TorchScript, a program that shows only its result; frozen features are "
            "read inside the network. Give its weights as .safetensors, .pth or .npz."
        )
    return read_encoder(path)


@dataclass(frozen=True)
class _Drawing:
    """How pixels are drawn."""

    num_pixels: int
    seed: int
    views: Views | None = None

    def pool(self, images: Sequence[ReadImage], features_of: PieceFeatures) -> _Pool:
        """Labelled pixels with their features, the same number from each image that is drawn."""
        features, classes = [], []
        with ProgressBar("train-segmenter", min(len(images), MOST_PIECES), "images") as progress:
            for piece in self._pieces(images, progress):
                features.append(features_of(piece))
                classes.append(piece.classes.astype(np.int64))
        if not classes:
            raise LabelError(
                "None of the labelled images has a labelled pixel. Paint at least one class."
            )
        return _Pool(np.concatenate(features), np.concatenate(classes))

    def _pieces(self, images: Sequence[ReadImage], progress: ProgressBar) -> Iterator[DrawnPiece]:
        """Pieces of all images, or of as many that have labels as there may be pieces."""
        order, at_most = self._order(len(images)), progress.total
        used = count = 0
        for done, number in enumerate(order):
            if used == at_most:
                return
            # What earlier images lacked, later ones may give.
            wanted = (self.num_pixels - count) // min(at_most - used, len(order) - done)
            before = count
            for piece in self._pieces_of(images[number](), max(1, wanted), number, at_most):
                count += piece.classes.size
                yield piece
            used += count > before
            progress.reach(min(done + 1, at_most))

    def _pieces_of(
        self, image: LabelledImage, wanted: int, number: int, num_images: int
    ) -> Iterator[DrawnPiece]:
        random = np.random.default_rng([self.seed, 9, number])
        return drawn_pieces(image, wanted, MOST_PIECES // num_images, random, self.views)

    def _order(self, num_images: int) -> list[int]:
        """In which order images are read: as they come, or at random if not all can be."""
        if num_images <= MOST_PIECES:
            return list(range(num_images))
        remark(
            "train-segmenter",
            f"{MOST_PIECES} of the {num_images:,} images are learned from, drawn at random: pixels "
            "enough for this method",
        )
        return np.random.default_rng([self.seed, 10]).permutation(num_images).tolist()
