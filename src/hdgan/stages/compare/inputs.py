"""What a comparison is made from: annotated tiles, and annotated drawings of generators."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hdgan.artifacts.annotation_set import AnnotationRecord, AnnotationSet
from hdgan.artifacts.comparison import ComparedImage
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.leaks import Known, known_of
from hdgan.artifacts.lineage import parent_of
from hdgan.artifacts.manifest import digest_of_file
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.tile_set import TileSet
from hdgan.errors import LeakError, MissingArtifactError, SettingsError, WrongArtifactError
from hdgan.settings.compare import CompareSources


@dataclass(frozen=True)
class Drawings:
    """Annotated drawings of one generator."""

    annotations: AnnotationSet
    samples: SampleSet
    generator: GeneratorFolder

    known: Known
    """Tiles that they, or their generator, have learned from."""

    num_annotated: int

    minutes: float | None
    """Mean work at one, where it is known."""


@dataclass(frozen=True)
class Inputs:
    """Everything that is handed in, opened and checked."""

    real: AnnotationSet
    tiles: TileSet

    images: list[ComparedImage]
    """Every annotated tile."""

    minutes: float | None
    """Mean work at a tile, where it is known."""

    drawings: list[Drawings]

    encoder: Path | None

    @property
    def parents(self) -> dict[str, str]:
        """Digests by kind; further sets of drawings are numbered."""
        parents = {**self.real.parents, **self.tiles.parents}
        for number, one in enumerate(self.drawings, start=2):
            parents[f"{AnnotationSet.kind} {number}"] = one.annotations.digest
            parents[f"{GeneratorFolder.kind} {number}"] = one.generator.digest
        if self.encoder is not None and self.encoder.is_file():
            parents["encoder"] = digest_of_file(self.encoder)
        return parents

    def knows_generators(self, used: Iterable[int]) -> bool:
        """Whether the generators of these drawings say which tiles they have learned from."""
        return all(self.drawings[number].known.is_certain for number in used)

    def other_pools(self, drawings_of: Mapping[int, int]) -> list[str]:
        """Generators that have learned from other tiles than arms without one may: a sentence each.

        Args:
            drawings_of: place of each test fold's drawings in `drawings`.
        """
        every = {tile.fold for tile in self.tiles.records()}
        sentences = []
        for fold, number in drawings_of.items():
            one = self.drawings[number]
            if one.known.folds != every - {fold} or one.known.slides:
                learned = _learned(one.known)
                sentences.append(
                    f"Test fold {fold}: the generator of {one.annotations.folder.name} has learned "
                    f"from {learned}, but unlabelled tiles for the other arms are those of folds "
                    f"{_numbers(every - {fold})}. Arms with and without a generator differ in that."
                )
        return sentences


def opened_inputs(real: Path, sources: CompareSources) -> Inputs:
    """Everything that is handed in.

    Raises:
        WrongArtifactError: annotations are of the wrong kind of image, or of other classes.
        MissingArtifactError: what annotations were made of is not beside them.
        LeakError: a patient is in two folds.
    """
    annotated = AnnotationSet.open(real)
    if TileSet.kind not in annotated.manifest.parents:
        raise WrongArtifactError(
            f"{real} holds annotations of drawings; needed first are annotations of real tiles, "
            "which the segmenters are tested on. Give drawings with --annotated-samples."
        )
    tiles = parent_of(annotated, TileSet, sources.tiles)
    records = annotated.records()
    place = {record.tile: record for record in tiles.records()}
    images = [
        ComparedImage(
            image=record.image,
            patient=place[record.image].patient,
            fold=place[record.image].fold,
        )
        for record in records
    ]
    drawings = [_drawings(path, annotated, tiles) for path in sources.annotated_samples]
    return Inputs(annotated, tiles, images, mean_minutes(records), drawings, sources.encoder)


def mean_minutes(records: Sequence[AnnotationRecord]) -> float | None:
    """Mean work at an image, of those where it is known."""
    known = [record.minutes for record in records if record.minutes is not None]
    return sum(known) / len(known) if known else None


def _drawings(path: Path, real: AnnotationSet, tiles: TileSet) -> Drawings:
    annotated = AnnotationSet.open(path)
    if SampleSet.kind not in annotated.manifest.parents:
        raise WrongArtifactError(
            f"{path} is no annotation of drawings, which --annotated-samples needs. Give what "
            "`hdgan annotate` or `hdgan import-annotations` made of a sample set."
        )
    if annotated.class_map.names != real.class_map.names:
        raise WrongArtifactError(
            f"{path} has the classes {', '.join(annotated.class_map.names)}, but {real.folder} has "
            f"{', '.join(real.class_map.names)}. Annotate both with the same class map."
        )
    try:
        samples = parent_of(annotated, SampleSet)
        generator = parent_of(samples, GeneratorFolder)
    except MissingArtifactError as error:
        raise MissingArtifactError(
            f"What {path} was made from is not in folders beside it: needed are the sample set and "
            "its generator. Put them there."
        ) from error
    records = annotated.records()
    known = known_of(tiles, annotated.manifest.learned)
    return Drawings(annotated, samples, generator, known, len(records), mean_minutes(records))


@dataclass(frozen=True)
class HeldOutFolds:
    """The folds that are tested on, and the drawings that may be used for each."""

    folds: list[int]

    drawings_of: dict[int, int]
    """Place of a fold's drawings in `Inputs.drawings`; empty if no arm needs any."""

    left_out: list[str]
    """Folds that are not tested, and drawings that are not used; and why."""


def held_out_folds(
    inputs: Inputs, wanted: tuple[int, ...] | None, *, needs_drawings: bool
) -> HeldOutFolds:
    """The folds to test on: those wanted, or all that no generator has learned from.

    Raises:
        SettingsError: there is no such fold, nothing would be left to learn from, or nobody knows
            what a generator has learned from and no fold is named.
        LeakError: the generators have learned from a fold that is wanted, or from all.
    """
    there = sorted({image.fold for image in inputs.images})
    if len(there) < 2:
        raise SettingsError(
            f"All annotated tiles of {inputs.real.folder} are in fold {there[0]}. To learn from "
            "some and test on others, annotate tiles of two folds at least."
        )
    missing = [fold for fold in wanted or () if fold not in there]
    if missing:
        raise SettingsError(
            f"--folds names fold {missing[0]}, but {inputs.real.folder} has annotated tiles in "
            f"folds {', '.join(map(str, there))}."
        )
    folds = sorted(set(wanted or there))
    if not needs_drawings:
        return HeldOutFolds(folds, {}, [])
    if wanted is None:
        _refuse_unknown(inputs)
    numbered = enumerate(inputs.drawings)
    known_first = sorted(numbered, key=lambda each: not each[1].known.is_certain)
    drawings_of = {
        fold: number
        for fold in folds
        for number, one in reversed(known_first)
        if fold not in one.known.all_folds
    }
    lost = [fold for fold in folds if fold not in drawings_of]
    if lost and (wanted is not None or not drawings_of):
        raise _leak(inputs, lost)
    left_out = [*_told(lost), *_unused(inputs, drawings_of)]
    return HeldOutFolds(sorted(drawings_of), drawings_of, left_out)


def _refuse_unknown(inputs: Inputs) -> None:
    """Do nothing if of every generator is known which of these tiles it has learned from."""
    for one in inputs.drawings:
        if not one.known.is_certain:
            raise SettingsError(
                f"The generator of {one.annotations.folder} was trained on another tile set than "
                f"{inputs.tiles.folder} and does not say on which slides, so nobody can tell which "
                "of these patients it has seen. Name with --folds what it has certainly not seen."
            )


def _leak(inputs: Inputs, lost: list[int]) -> LeakError:
    names = ", ".join(str(one.annotations.folder) for one in inputs.drawings)
    return LeakError(
        f"The generator of {names} has learned from fold{'s' if len(lost) > 1 else ''} "
        f"{_numbers(lost)} of {inputs.tiles.folder}{_slides(inputs, lost)}, so it cannot be tested "
        "there. Test on a fold that it has not seen, or train a generator without this one "
        "(`hdgan train-generator --folds`)."
    )


def _slides(inputs: Inputs, lost: list[int]) -> str:
    """Slides of these folds that a generator knows from another tile set, if there are any."""
    for one in inputs.drawings:
        if not one.known.slides.keys().isdisjoint(lost):
            return f" ({one.known.slides_in_words(lost)}, from another tile set)"
    return ""


def _learned(known: Known) -> str:
    """What a generator has learned from, in words."""
    here = f"folds {_numbers(known.folds)}" if known.folds else "tiles of another tile set"
    return (
        f"{here} ({known.slides_in_words(known.slides)}, are here, too)" if known.slides else here
    )


def _unused(inputs: Inputs, drawings_of: Mapping[int, int]) -> list[str]:
    return [
        f"{one.annotations.folder}: other drawings are used for each fold that these could be used "
        "for."
        for number, one in enumerate(inputs.drawings)
        if number not in drawings_of.values()
    ]


def _numbers(folds: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(folds)))


def _told(lost: list[int]) -> list[str]:
    if not lost:
        return []
    return [
        f"Fold{'s' if len(lost) > 1 else ''} {', '.join(map(str, lost))}: the generator of the "
        "annotated drawings has learned from them, so no arm is tested there. A further generator "
        "that has not (`hdgan train-generator --folds`), with annotated drawings of its own, would "
        "add them."
    ]
