"""A segmenter that is tested: on annotated tiles of a fold, or on annotated drawings."""

from pathlib import Path

from hdgan.artifacts.annotation_set import AnnotationRecord, AnnotationSet
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.leaks import known_of, known_seeds
from hdgan.artifacts.lineage import parent_of
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.segmenter import SegmenterFolder
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.weights import device_named
from hdgan.errors import LeakError, SettingsError
from hdgan.method.segmenter.network import predicted_with_probabilities
from hdgan.method.trust import Judged
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.sources import AnnotationSources
from hdgan.stages.evaluate.task import Picture, Prediction, Task


def task_of_segmenter(
    predictor: Path,
    annotated: AnnotationSet,
    settings: EvaluateSettings,
    sources: AnnotationSources,
) -> Task:
    """What is done to score a segmenter.

    Raises:
        SettingsError: no fold of annotated tiles is named, or nothing is annotated there.
        LeakError: the segmenter has learned from what it would be scored on.
    """
    segmenter = SegmenterFolder.open(predictor)
    device = device_named(settings.device)
    network = segmenter.network().to(device)

    if SampleSet.kind in annotated.manifest.parents:
        samples = parent_of(annotated, SampleSet, sources.samples)
        by_name = {record.sample: record for record in samples.records()}
        records = _of_split(samples, annotated, segmenter, settings)
        unit, patient_of = "tile", {record.image: record.image for record in records}

        def image_of(name: str) -> Picture:
            return samples.image(by_name[name])

    else:
        tiles = parent_of(annotated, TileSet, sources.tiles)
        records = _of_fold(tiles, annotated, segmenter, settings.fold)
        tile_of = {record.tile: record for record in tiles.records()}
        unit, patient_of = "patient", {name: tile.patient for name, tile in tile_of.items()}

        def image_of(name: str) -> Picture:
            return tiles.image(tile_of[name])

    def predict(record: AnnotationRecord) -> Prediction:
        image, truth = image_of(record.image), annotated.labels(record)
        labels, probabilities = predicted_with_probabilities(network, image)
        return Prediction(image, truth, labels, Judged(truth, labels, probabilities))

    return Task(
        segmenter,
        segmenter.class_map,
        records,
        predict,
        unit,
        lambda record: patient_of[record.image],
    )


def _of_fold(
    tiles: TileSet, annotated: AnnotationSet, segmenter: SegmenterFolder, fold: int | None
) -> list[AnnotationRecord]:
    """The annotated tiles of a fold that the segmenter has not learned from.

    Raises:
        SettingsError: no fold is named, or it has no annotated tile.
        LeakError: the segmenter, or something that it was made from, has seen the fold.
    """
    known = known_of(tiles, segmenter.manifest.learned)
    if fold is None:
        unseen = sorted({record.fold for record in tiles.records()} - known.all_folds)
        raise SettingsError(
            "Say with --fold which fold of the annotated tiles to test on. "
            f"{segmenter.folder} has not learned from: {', '.join(map(str, unseen)) or 'none'}."
        )
    if fold in known.folds:
        raise LeakError(
            f"{segmenter.folder} has learned from folds {sorted(known.folds)} of {tiles.folder}, "
            f"directly or through what it was made from, so fold {fold} cannot test it. Choose a "
            "fold that it has not seen."
        )
    if fold in known.slides:
        raise LeakError(
            f"{segmenter.folder} has learned from patients of fold {fold} of {tiles.folder}, "
            "directly or through what it was made from: it knows "
            f"{known.slides_in_words([fold])}, from another tile set. So fold {fold} cannot test "
            "it. Choose a fold that it has not seen, or annotate tiles of other slides."
        )
    names = {record.tile for record in tiles.records((fold,))}
    records = [record for record in annotated.records() if record.image in names]
    if not records:
        raise SettingsError(f"{annotated.folder} has no annotated tile in fold {fold}.")
    return records


def _of_split(
    samples: SampleSet,
    annotated: AnnotationSet,
    segmenter: SegmenterFolder,
    settings: EvaluateSettings,
) -> list[AnnotationRecord]:
    """The annotated drawings of a split; of any but the training one, all must be new to it.

    Raises:
        SettingsError: there are none.
        LeakError: the segmenter, or something that it was made from, has learned from some.
    """
    records = annotated.records(settings.split)
    if settings.split == "training":
        return records
    seed_of = {record.sample: record.seed for record in samples.records()}
    generator = samples.manifest.parents.get(GeneratorFolder.kind, "")
    seeds = [seed_of[record.image] for record in records]
    known = set(known_seeds(segmenter.manifest.learned, generator, seeds))
    names = [record.image for record in records if seed_of[record.image] in known]
    if names:
        raise LeakError(
            f"{segmenter.folder} has learned from {len(names)} of {len(records)} drawings of the "
            f"split {settings.split} of {annotated.folder}, such as {names[0]}, directly or "
            "through what it was made from, so they cannot test it. Annotate drawings of other "
            "seeds, or train a segmenter without these."
        )
    return records
