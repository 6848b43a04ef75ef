"""Files of artifacts from strangers, whose manifest fits them: everything that is read of each."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hdgan.artifacts.annotation_history import AnnotationHistory
from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.checkpoint import Learning, network_tensors
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.integrity import compare_files
from hdgan.artifacts.manifest import MANIFEST, read_manifest
from hdgan.artifacts.order import Order
from hdgan.artifacts.pair_set import PairSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.segmenter import SegmenterFolder
from hdgan.artifacts.shards import Shards, shard_being_made
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.unfinished import CHECKPOINT, UnfinishedArtifact
from hdgan.artifacts.weights import tensor_bytes
from hdgan.method.segmenter.network import SegmenterShape, unet
from tests.hostile.mutations import Mutation, in_json, in_safetensors, in_text, in_zip
from tests.hostile.reader import Read, Reader, file_at, read_from_file


def _of(
    kind: type[Artifact], place: str, name: str, use: Callable[[Any], object]
) -> Callable[[Path, Path], Read]:
    """Reads an artifact of the world in which one file is another, and the manifest says so."""

    def opened(world: Path, folder: Path) -> Read:
        copy = Path(shutil.copytree(world / place, folder / place, dirs_exist_ok=True))
        manifest = read_manifest(copy)

        def read(data: bytes) -> object:
            (copy / name).write_bytes(data)
            files = manifest.files | {name: hashlib.sha256(data).hexdigest()}
            return use(kind(copy, manifest.model_copy(update={"files": files})))

        return read

    return opened


def _manifest(world: Path, folder: Path) -> Read:
    copy = Path(shutil.copytree(world / "samples", folder / "samples", dirs_exist_ok=True))

    def read(data: bytes) -> object:
        (copy / MANIFEST).write_bytes(data)
        artifact = SampleSet.open(copy)
        found = compare_files(artifact, lambda _: None)
        artifact.check_files()
        return found, artifact.manifest.learned.drawings

    return read


def _tiles(tiles: TileSet) -> object:
    rows = tiles.records()
    tiles.fingerprints()
    return tiles.slides(), tiles.image(rows[0]), tiles.seen_in((0,))


def _samples(samples: SampleSet) -> object:
    rows = samples.records()
    return samples.latents(), [samples.image(row) for row in rows[:1]]


def _annotations(annotated: AnnotationSet) -> object:
    rows = annotated.records()
    labels = annotated.labels(rows[0])
    annotated.class_map.check(labels, rows[0].image)
    return labels


def _pairs(pairs: PairSet) -> object:
    rows = pairs.records()[:1]
    drawn = [(pairs.image(row), pairs.labels(row), pairs.uncertainty(row)) for row in rows]
    return drawn, pairs.latents(), pairs.class_map, pairs.about


def _evaluation(evaluation: Evaluation) -> object:
    scores = evaluation.overall(), evaluation.classes(), evaluation.trust()
    return scores, evaluation.images(), evaluation.confusion()


def _classifier(folder: ClassifierFolder) -> object:
    parts = folder.classifier(), folder.context(), folder.decision
    return parts, folder.curves(), folder.learned_from(), folder.validated_on


def _segmenter(folder: SegmenterFolder) -> object:
    return folder.network(), folder.class_map, folder.curves()


def _generator(folder: GeneratorFolder) -> object:
    return folder.generator(), folder.progress(), folder.discriminator_tensors()


def _learning() -> Learning:
    return Learning({"network": unet(SegmenterShape(3, 4, 2))}, {})


def _checkpoint_seeds(_: Path) -> list[bytes]:
    tensors = network_tensors("network", _learning().networks["network"])
    return [tensor_bytes(tensors, {"steps": 3, "curves": ["{}"]})]


def _checkpoint(_: Path, folder: Path) -> Read:
    unfinished = UnfinishedArtifact(folder, Order("segmenter", {}, {}))
    unfinished.scratch.mkdir(exist_ok=True)
    learning = _learning()

    def read(data: bytes) -> object:
        (unfinished.scratch / CHECKPOINT).write_bytes(data)
        return learning.restored(unfinished)

    return read


def _history(path: Path) -> object:
    for ending in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    history = AnnotationHistory(path, {f"s{number:06d}": (16, 16) for number in range(12)})
    try:
        found = [history.labels(*key) for key in history.heads()]
        return found, history.marks(), history.seconds(), history.facts()
    finally:
        history.close()


def _shard_seeds(world: Path) -> list[bytes]:
    path = world.parent / "seed.zip"
    with shard_being_made(path) as shard:
        shard.add("a.png", (world / "samples" / "images" / "s000000.png").read_bytes())
    return [path.read_bytes()]


def _one(
    name: str, kind: type[Artifact], place: str, use: Callable[[Any], object], inside: Mutation
) -> Reader:
    return Reader(
        f"{place}/{name}", file_at(f"{place}/{name}"), _of(kind, place, name, use), inside
    )


_SLOW = {"generator.safetensors", "network.json", "segmenter.safetensors", "ensemble.json"}

_FILES = (
    ("tiles.csv", TileSet, "tiles", _tiles, in_text),
    ("slides.csv", TileSet, "tiles", _tiles, in_text),
    ("samples.csv", SampleSet, "samples", _samples, in_text),
    ("latents.safetensors", SampleSet, "samples", _samples, in_safetensors),
    ("annotations.csv", AnnotationSet, "annotations", _annotations, in_text),
    ("pairs.csv", PairSet, "pairs", _pairs, in_text),
    ("dataset.json", PairSet, "pairs", _pairs, in_json),
    ("scores.json", Evaluation, "evaluation", _evaluation, in_json),
    ("trust.json", Evaluation, "evaluation", _evaluation, in_json),
    ("confusion.npy", Evaluation, "evaluation", _evaluation, in_text),
    ("ensemble.json", ClassifierFolder, "classifier", _classifier, in_json),
    ("ensemble.safetensors", ClassifierFolder, "classifier", _classifier, in_safetensors),
    ("split.csv", ClassifierFolder, "classifier", _classifier, in_text),
    ("curves.jsonl", ClassifierFolder, "classifier", _classifier, in_json),
    ("network.json", SegmenterFolder, "segmenter", _segmenter, in_json),
    ("segmenter.safetensors", SegmenterFolder, "segmenter", _segmenter, in_safetensors),
    ("network.json", GeneratorFolder, "generator", _generator, in_json),
    ("generator.safetensors", GeneratorFolder, "generator", _generator, in_safetensors),
    ("progress.jsonl", GeneratorFolder, "generator", _generator, in_json),
)

READERS = [
    Reader("manifest", file_at(f"samples/{MANIFEST}"), _manifest, in_json),
    *(replace(_one(*parts), share=0.2 if parts[0] in _SLOW else 0.5) for parts in _FILES),
    Reader("checkpoint", _checkpoint_seeds, _checkpoint, in_safetensors, 0.5),
    Reader(
        "history",
        file_at("begun/.unfinished/history.sqlite3"),
        read_from_file(_history, "history.sqlite3"),
        share=0.3,
    ),
    Reader(
        "shard",
        _shard_seeds,
        read_from_file(lambda path: Shards().read(path, "a.png"), "shard.zip"),
        in_zip,
        0.5,
    ),
]
"""Of artifacts."""
