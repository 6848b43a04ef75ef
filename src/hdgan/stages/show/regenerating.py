"""`hdgan show --regenerate`: images that are drawn again and compared with those that were kept."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.pair_set import PairRecord, PairSet
from hdgan.artifacts.redrawn_files import difference_of_files
from hdgan.artifacts.sample_set import SampleRecord, SampleSet
from hdgan.artifacts.shards import Shards
from hdgan.errors import MissingArtifactError, SettingsError
from hdgan.pipeline import Fact
from hdgan.report.progress import ProgressBar
from hdgan.settings.sample import SampleSettings
from hdgan.stages.show.account import Look
from hdgan.stages.show.lineage import folders_beside
from hdgan.stages.show.redrawn import IMAGE, LABELS, UNCERTAINTY, Redrawn, facts_of

Verbs = Mapping[str, Callable[..., Any]]
"""What draws again, handed in because stages do not import one another: `sample` is the verb of
this name, `redraw-pairs` draws pairs into a folder, one by one."""

Kind = TypeVar("Kind", bound=Artifact)


@dataclass(frozen=True)
class _Drawing:
    """How to draw again."""

    num: int
    beside: Mapping[str, Path]
    verbs: Verbs
    device: str
    scratch: Path

    def parent(self, child: Artifact, kind: type[Kind]) -> Kind:
        """What an artifact was made from.

        Raises:
            MissingArtifactError: it is not beside it.
        """
        digest = child.manifest.parents.get(kind.kind, "")
        if digest not in self.beside:
            raise MissingArtifactError(
                f"--regenerate needs the {kind.kind} ({digest[:12]}) that {child.folder} was made "
                "from, which is in no folder beside it. Put it there, or a link to it."
            )
        return kind.open(self.beside[digest])


def regenerate(
    artifact: Artifact, num: int, verbs: Verbs, device: str
) -> tuple[dict[str, Fact], bool]:
    """What was found, by name, and whether something differs by more than rounding.

    Memory: that of drawing one image with its labels. Disk, for temporary files: the samples that
    are drawn again, or one pair.

    Args:
        artifact: a sample set or a pair set.
        num: how many images, spread evenly; all if there are fewer.
        verbs: what draws again.
        device: `cpu`, `cuda`, or `auto`.

    Raises:
        SettingsError: it is something else, which nothing can be drawn again of.
        MissingArtifactError: what drew it is not beside it.
        DamagedArtifactError: what drew it, or the table of what was drawn, is damaged.
    """
    kind = artifact.manifest.kind
    if kind not in (SampleSet.kind, PairSet.kind):
        raise SettingsError(
            f"{artifact.folder} is of kind {kind}, which cannot be regenerated: only sample-sets "
            "and pair-sets hold drawings with their seeds. --check compares its files with its "
            "manifest; the command that made it makes it again, in a new folder."
        )
    beside = folders_beside(artifact.folder)
    with TemporaryDirectory(prefix="hdgan-show-") as scratch:
        drawing = _Drawing(num, beside, verbs, device, Path(scratch))
        if kind == SampleSet.kind:
            samples = SampleSet.open(artifact.folder)
            return facts_of(samples, list(_samples(samples, drawing)), len(samples.records()))
        pairs = PairSet.open(artifact.folder)
        return facts_of(pairs, list(_pairs(pairs, drawing)), len(pairs.records()))


def _samples(samples: SampleSet, drawing: _Drawing) -> Iterator[Redrawn]:
    records = _chosen(samples.records(), drawing)
    made_with = samples.manifest.settings
    settings = SampleSettings(
        seeds=tuple(record.seed for record in records),
        select=0,
        truncation=made_with.get("truncation", SampleSettings.truncation),
        stain=made_with.get("stain"),
        device=drawing.device,
    )
    generator = drawing.parent(samples, GeneratorFolder)
    drawing.verbs["sample"](generator.folder, drawing.scratch / "samples", settings)
    redrawn = SampleSet.open(drawing.scratch / "samples")
    rows = {record.seed: record for record in redrawn.records()}
    kept_latents, latents = samples.latents(), redrawn.latents()
    for record in records:
        other = rows[record.seed]
        difference = difference_of_files(
            samples.folder / record.image, redrawn.folder / other.image
        )
        both = (kept_latents[record.row], latents[other.row])
        yield Redrawn(record.sample, {IMAGE: difference}, both)


def _pairs(pairs: PairSet, drawing: _Drawing) -> Iterator[Redrawn]:
    records, latents, shards = _chosen(pairs.records(), drawing), pairs.latents(), Shards()
    classifier = drawing.parent(pairs, ClassifierFolder)
    generator = drawing.parent(pairs, GeneratorFolder)
    redraw = drawing.verbs["redraw-pairs"]
    with ProgressBar("show: drawing again", len(records), "pairs") as progress:
        for record, w in redraw(
            pairs, classifier, generator, records, drawing.scratch, drawing.device
        ):
            names = {
                IMAGE: record.image,
                LABELS: record.labels,
                UNCERTAINTY: record.uncertainty_map,
            }
            files = {}
            for what, name in names.items():
                redrawn = drawing.scratch / name
                files[what] = difference_of_files(_kept(pairs, record, name, shards), redrawn)
                redrawn.unlink()
            yield Redrawn(record.pair, files, (latents[record.row], w))
            progress.advance()


def _kept(pairs: PairSet, record: PairRecord, name: str, shards: Shards) -> Path | bytes:
    """A file of a pair as it is on disk, whatever the manifest says."""
    if record.shard is None:
        return pairs.folder / name
    return shards.read(pairs.path(record.shard), name)


Row = TypeVar("Row", SampleRecord, PairRecord)


def _chosen(records: Sequence[Row], drawing: _Drawing) -> list[Row]:
    return Look(drawing.num, {}).spread(records)
