"""Make a generator small, and put it with its card and annotated drawings where it is shipped.

usage: ship_generator.py GENERATOR QUALITY ANNOTATIONS TEXT OUTPUT [--tiles TILES]
                         [--samples SAMPLES]

GENERATOR is a trained generator, QUALITY its scores (`hdgan score-generator`), ANNOTATIONS the
label maps of its drawings (`hdgan import-annotations`), TEXT what a person says about it (as
recipes/kidney_card.md), OUTPUT the new folder, whose name is the generator's name: such as
src/hdgan/shipped/kidney. The tile set, and the generators that it began from, are looked for in the
folders beside GENERATOR, the sample set beside ANNOTATIONS.
"""

import argparse
import hashlib
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from hdgan.artifacts.annotation_set import AnnotationSet, class_map_bytes
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.generator import NETWORK, PROGRESS, WEIGHTS, GeneratorFolder
from hdgan.artifacts.image_quality import CLOSEST as CLOSEST_OF_QUALITY
from hdgan.artifacts.image_quality import DISTANCES as DISTANCES_OF_QUALITY
from hdgan.artifacts.image_quality import QUALITY, ImageQualityFolder
from hdgan.artifacts.images import rgb_of
from hdgan.artifacts.lineage import parent_of
from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.order import Order
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.shipped_generator import (
    ABOUT,
    ANNOTATED,
    ANNOTATED_CLASSES,
    CARD,
    CLOSEST,
    DISTANCES,
    SCORES,
    AboutText,
    AnnotatedDrawing,
    CardWords,
    HalfPrecision,
    Training,
    TrainingData,
)
from hdgan.artifacts.table import table_bytes
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once
from hdgan.artifacts.weights import tensor_bytes
from hdgan.errors import HdganError, InputError, MissingArtifactError, WrongArtifactError
from hdgan.method.latent import image_of, w_of
from hdgan.method.stylegan.synthesis import Generator
from hdgan.report.generator_card import generator_card, words_of
from hdgan.settings.import_annotations import ImportAnnotationsSettings
from hdgan.settings.sample import SampleSettings
from hdgan.settings.score_generator import ScoreGeneratorSettings
from hdgan.settings.tile import TileSettings
from hdgan.settings.train_generator import TrainGeneratorSettings

PICTURE_BYTES = 1_000_000
"""What the picture of the closest drawings may take."""

NOT_DRAWN_WITH = {"num_samples", "seed", "seeds", "select", "device"}
"""Choices of `hdgan sample` that do not change what a seed looks like."""


@dataclass(frozen=True)
class Sources:
    """Everything that a shipped generator is made from."""

    generator: GeneratorFolder
    starts: list[GeneratorFolder]
    """What it began from, the last first."""
    quality: ImageQualityFolder
    annotations: AnnotationSet
    samples: SampleSet
    tiles: TileSet
    words: CardWords
    text_digest: str

    @property
    def parents(self) -> dict[str, str]:
        """Digests by kind."""
        made_from: list[Artifact] = [
            self.tiles,
            self.generator,
            self.quality,
            self.samples,
            self.annotations,
        ]
        digests = {kind: digest for one in made_from for kind, digest in one.parents.items()}
        return digests | {"text": self.text_digest}

    @property
    def drawn_with(self) -> dict[str, Any]:
        """Choices that the annotated drawings were made with."""
        settings = self.samples.manifest.settings
        return {
            name: value
            for name, value in settings.items()
            if name not in NOT_DRAWN_WITH and value is not None
        }

    def drawings(self) -> dict[str, AnnotatedDrawing]:
        """The annotated drawings by the name that the annotations have for them."""
        seeds = {record.sample: record.seed for record in self.samples.records()}
        return {
            record.image: AnnotatedDrawing(seed=seeds[record.image])
            for record in self.annotations.records()
        }


def sources_of(arguments: argparse.Namespace) -> Sources:
    """Open everything, and see that it belongs together.

    Raises:
        HdganError: something is missing, damaged, or of another generator.
    """
    generator = GeneratorFolder.open(arguments.generator)
    quality = ImageQualityFolder.open(arguments.quality)
    annotations = AnnotationSet.open(arguments.annotations)
    samples = parent_of(annotations, SampleSet, arguments.samples)
    for child in (quality, samples):
        if child.manifest.parents.get(generator.kind) != generator.digest:
            raise WrongArtifactError(
                f"{child.folder} was not made from {generator.folder}, but from another generator. "
                f"Make it again from {generator.folder}, or give the generator that it belongs to."
            )
    if not arguments.text.is_file():
        raise InputError(f"There is no text {arguments.text}. Check the path.")
    text = arguments.text.read_bytes()
    return Sources(
        generator,
        starts_of(generator),
        quality,
        annotations,
        samples,
        parent_of(generator, TileSet, arguments.tiles),
        words_of(text.decode(errors="replace"), str(arguments.text)),
        hashlib.sha256(text).hexdigest(),
    )


def starts_of(generator: GeneratorFolder) -> list[GeneratorFolder]:
    """The generators that this one began from, the last first.

    The chain ends at one that was shipped: its own card tells what came before.

    Raises:
        MissingArtifactError: one of them is not beside it.
    """
    starts: list[GeneratorFolder] = []
    last = generator
    while GeneratorFolder.kind in last.manifest.parents and not was_shipped(last):
        try:
            last = parent_of(last, GeneratorFolder)
        except MissingArtifactError as error:
            raise MissingArtifactError(
                f"{last.folder} began from a generator that is not in a folder beside it; needed "
                "is that one too, since the card counts the images it was shown. Put it there."
            ) from error
        starts.append(last)
    return starts


def was_shipped(generator: GeneratorFolder) -> bool:
    """Whether it is what this program makes."""
    return ABOUT in generator.manifest.files


def told_by(shipped: GeneratorFolder) -> AboutText:
    """What the card of a shipped generator says of its making."""
    return AboutText.model_validate_json(shipped.read(ABOUT))


def halved(network: Generator, name: str) -> dict[str, Tensor]:
    """The network's numbers in half precision.

    Raises:
        WrongArtifactError: one is too large for that.
    """
    half = {key: tensor.half() for key, tensor in network.state_dict().items()}
    for key, tensor in half.items():
        if not torch.isfinite(tensor).all():
            raise WrongArtifactError(
                f"{name} holds numbers in {key} that half precision cannot hold (above 65,504). "
                "Such a generator cannot be shipped."
            )
    return half


def half_precision(
    network: Generator, half: Mapping[str, Tensor], seeds: Sequence[int], truncation: float
) -> HalfPrecision:
    """How much drawings change when the weights are kept in half precision."""
    stored = Generator(network.shape)
    stored.load_state_dict(dict(half))
    stored.eval()
    differences = np.stack(
        [
            np.abs(
                image_of(network, w_of(network, seed, truncation)).astype(np.int64)
                - image_of(stored, w_of(stored, seed, truncation))
            )
            for seed in seeds
        ]
    )
    return HalfPrecision(
        drawings=len(seeds),
        largest_difference=int(differences.max()),
        mean_difference=float(differences.mean()),
    )


def training_data(sources: Sources) -> TrainingData:
    """What the generator has learned from, counted in the table of tiles."""
    settings = sources.generator.manifest.settings
    folds = sources.generator.manifest.seen.get(sources.tiles.digest, [])
    seen = [record for record in sources.tiles.records() if record.fold in folds]
    kept = [record for record in sources.tiles.records() if record.fold not in folds]
    low, high = settings.get("shrink") or (1.0, 1.0)
    return TrainingData(
        tiles=len(seen),
        images=len({record.slide for record in seen}),
        patients=len({record.patient for record in seen}),
        folds=folds,
        held_out_images=len({record.slide for record in kept}),
        held_out_patients=len({record.patient for record in kept}),
        shrink=(float(low), float(high)),
    )


def is_elsewhere(generator: GeneratorFolder, tiles: TileSet) -> bool:
    """Whether a generator learned from other tiles than these."""
    return generator.manifest.parents.get(tiles.kind) != tiles.digest


def trainings(sources: Sources) -> list[Training]:
    """Each training that led to the generator, the first first."""
    led: list[Training] = []
    for generator in [*reversed(sources.starts), sources.generator]:
        if was_shipped(generator):
            led += told_by(generator).trainings
            continue
        progress = generator.progress()
        led.append(
            Training(
                resolution=generator.shape.resolution,
                images_shown=progress[-1].images if progress else 0,
                digest=generator.digest,
                is_elsewhere=is_elsewhere(generator, sources.tiles),
            )
        )
    return led


def commands(sources: Sources) -> list[str]:
    """The verbs that made everything, with the choices that their manifests hold."""
    tiles, quality, samples = sources.tiles, sources.quality, sources.samples
    name = sources.generator.folder.name
    lines = [_command("tile", ["images", tiles.folder.name], tiles, TileSettings)]
    start = None
    for generator in [*reversed(sources.starts), sources.generator]:
        if was_shipped(generator):
            lines += before_it_was_shipped(generator)
            start = generator
            continue
        learned_from = tiles.folder.name
        if is_elsewhere(generator, tiles):
            learned_from = f"tiles-of-{generator.folder.name}"
        line = _command(
            "train-generator",
            [learned_from, generator.folder.name],
            generator,
            TrainGeneratorSettings,
        )
        lines.append(line if start is None else f"{line} --start-from {start.folder.name}")
        start = generator
    places = [name, tiles.folder.name, "squeezenet.npz", quality.folder.name]
    lines.append(_command("score-generator", places, quality, ScoreGeneratorSettings))
    lines.append(_command("sample", [name, samples.folder.name], samples, SampleSettings))
    places = [samples.folder.name, "label-maps", sources.annotations.folder.name]
    line = _command("import-annotations", places, sources.annotations, ImportAnnotationsSettings)
    return [*lines, f"{line} --classes classes.json"]


def before_it_was_shipped(generator: GeneratorFolder) -> list[str]:
    """The trainings of a shipped generator; the last makes it under the name of its folder."""
    lines = [
        shlex.split(line)
        for line in told_by(generator).commands
        if line.startswith("hdgan train-generator ")
    ]
    if lines:
        lines[-1][3] = generator.folder.name
    return [shlex.join(line) for line in lines]


def _command(verb: str, places: Sequence[str], made: Artifact, kind: type[Any]) -> str:
    """A command line; choices that are the default are left out."""
    tokens = ["hdgan", verb, *places]
    for field in fields(kind):
        value = made.manifest.settings.get(field.name)
        value = tuple(value) if isinstance(value, list) else value
        if value is None or value == field.default:
            continue
        option = field.name.replace("_", "-")
        if isinstance(value, bool):
            tokens.append(f"--{option}" if value else f"--no-{option}")
        else:
            values = value if isinstance(value, tuple) else (value,)
            tokens += [f"--{option}", *(_token(one) for one in values)]
    return shlex.join(tokens)


def _token(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def small_png(picture: Image.Image) -> bytes:
    """A picture as a PNG that is as small as it can be."""
    buffer = BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def closest_picture(quality: ImageQualityFolder) -> bytes:
    """The picture of the drawings that come nearest to a training crop, in 255 colours.

    Not the one that has the crops beside them: images that a generator learned from are not
    shipped, whole or cut.

    Raises:
        InputError: there is none, or it is too large to be shipped.
    """
    if CLOSEST_OF_QUALITY not in quality.manifest.files:
        raise InputError(
            f"{quality.folder} has no picture of the closest drawings. Score again with "
            "--num-nearest above 0."
        )
    picture = Image.fromarray(rgb_of(quality.read(CLOSEST_OF_QUALITY), CLOSEST_OF_QUALITY))
    data = small_png(picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=255))
    if len(data) > PICTURE_BYTES:
        raise InputError(
            f"The picture of the closest drawings of {quality.folder} takes {len(data):,} bytes, "
            f"more than the {PICTURE_BYTES:,} that may be shipped. Score with a lower "
            "--num-nearest."
        )
    return data


def ship(sources: Sources, output: Path) -> None:
    """Write the folder; it is left alone if an equal one is there.

    Raises:
        WrongArtifactError: something else is there.
    """
    parent = sources.generator
    order = Order("generator", parent.manifest.settings, sources.parents, parent.manifest.learned)

    def make(unfinished: UnfinishedArtifact) -> None:
        network, drawings = parent.generator(), sources.drawings()
        half = halved(network, str(parent.folder))
        about = AboutText(
            words=sources.words,
            resolution=parent.shape.resolution,
            parameters=sum(tensor.numel() for tensor in half.values()),
            data=training_data(sources),
            trainings=trainings(sources),
            commands=commands(sources),
            half_precision=half_precision(
                network,
                half,
                [drawing.seed for drawing in drawings.values()],
                sources.drawn_with["truncation"],
            ),
            drawn_with=sources.drawn_with,
            label_maps=len(drawings),
        )
        classes = sources.annotations.class_map
        card = generator_card(about, sources.quality.text, classes.names, order.parents)
        unfinished.write(NETWORK, parent.read(NETWORK))
        unfinished.write(WEIGHTS, tensor_bytes(half))
        unfinished.write(PROGRESS, parent.read(PROGRESS))
        unfinished.write(SCORES, sources.quality.read(QUALITY))
        unfinished.write(DISTANCES, sources.quality.read(DISTANCES_OF_QUALITY))
        unfinished.write(CLOSEST, closest_picture(sources.quality))
        unfinished.write(ANNOTATED_CLASSES, class_map_bytes(classes))
        for record in sources.annotations.records():
            labels = Image.fromarray(sources.annotations.labels(record))
            unfinished.write(drawings[record.image].labels, small_png(labels))
        rows = sorted(drawings.values(), key=lambda drawing: drawing.seed)
        unfinished.write(ANNOTATED, table_bytes(rows, AnnotatedDrawing))
        unfinished.write(ABOUT, json_bytes(about.model_dump(mode="json")))
        unfinished.write(CARD, card.encode())

    made_once(output, order, make)


def main(tokens: Sequence[str] | None = None) -> None:
    """Ship a generator, or say in one line why not."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("generator", "quality", "annotations", "text", "output"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--tiles", type=Path)
    parser.add_argument("--samples", type=Path)
    arguments = parser.parse_args(tokens)
    try:
        ship(sources_of(arguments), arguments.output)
    except HdganError as error:
        print(f"ship_generator: {error}", file=sys.stderr)
        sys.exit(2)
    size = sum(path.stat().st_size for path in arguments.output.rglob("*") if path.is_file())
    print(f"{arguments.output}: {size / 1e6:.2f} MB. Read {arguments.output / CARD}.")


if __name__ == "__main__":
    main()
