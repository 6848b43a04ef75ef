"""The command line: parses and prints, nothing else.

Stages are imported when their verb runs, so that help needs no torch.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn

from cyclopts import App, CycloptsError, Parameter

from hdgan.errors import HdganError
from hdgan.pipeline import STAGES, Made, stage_of
from hdgan.settings.annotate import AnnotateSettings, AnnotateSources
from hdgan.settings.check_scores import CheckScoresSettings
from hdgan.settings.compare import CompareSettings, CompareSources
from hdgan.settings.demo import DemoSettings
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.export import ExportSettings
from hdgan.settings.export_generator import ExportGeneratorSettings
from hdgan.settings.import_annotations import ImportAnnotationsSettings
from hdgan.settings.import_generator import ImportGeneratorSettings
from hdgan.settings.sample import SampleSettings
from hdgan.settings.score_generator import ScoreGeneratorSettings
from hdgan.settings.segment import SegmentSettings
from hdgan.settings.show import ShowSettings
from hdgan.settings.sources import AnnotationSources, ClassifierSources
from hdgan.settings.synthesize import SynthesizeSettings, SynthesizeSources
from hdgan.settings.tile import TileSettings, TileSources
from hdgan.settings.train_classifier import TrainClassifierSettings
from hdgan.settings.train_generator import TrainGeneratorSettings
from hdgan.settings.train_segmenter import SegmenterSources, TrainSegmenterSettings

app = App(
    name="hdgan",
    help="Labelled histology from a generator: Histopathology DatasetGAN in bounded memory.",
    help_epilogue="`hdgan VERB --help` says more of a verb, with an example. Begin with "
    "`hdgan demo`.",
    version_flags=["--version"],
    default_parameter=Parameter(consume_multiple=True, negative_iterable=()),
    suppress_keyboard_interrupt=False,  # `main` says what is kept
    result_action="return_value",
)

Flat = Parameter(name="*")
"""A settings dataclass whose fields are options of their own."""

Json = Annotated[bool, Parameter(name="--json", negative="")]
"""The option that every verb has."""


def main(tokens: list[str] | None = None) -> None:
    """Run a command; an expected error is one line and exit code 2."""
    # Threads that spin while they wait make small networks crawl on a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app(tokens, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        _complain(str(error))
    except HdganError as error:
        _complain(str(error))
    except KeyboardInterrupt:
        print(  # noqa: T201
            "hdgan: interrupted. What was finished is kept; run the same command again to go on.",
            file=sys.stderr,
        )
        sys.exit(130)
    except OSError as error:
        _complain(f"{error.filename or 'The system'}: {error.strerror or error}.")


def _complain(sentence: str) -> NoReturn:
    # A file may have put into it what moves the cursor of a terminal, or further lines.
    line = "".join(map(_shown, sentence.strip()))
    print(f"hdgan: {line}", file=sys.stderr)  # noqa: T201
    sys.exit(2)


def _shown(char: str) -> str:
    """A character that stays in its line."""
    if char in "\n\r\t\xa0":
        return " "
    return char if char.isprintable() else "\ufffd"


def _verb(name: str) -> dict[str, Any]:
    """How a verb is registered: its sentence and its example come from the pipeline."""
    stage = stage_of(name)
    return {
        "name": name,
        "help": stage.does,
        "help_epilogue": f"Example: `{stage.example}`",
        "sort_key": STAGES.index(stage),
    }


def _print(made: Made, *, as_json: bool) -> None:
    if os.environ.get("RANK", "0") != "0":
        return  # of several processes, torchrun's first speaks for all
    try:
        print(_text_of(made, as_json=as_json), flush=True)  # noqa: T201
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        # What is left must go somewhere, or the interpreter complains as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)  # what shells report of a program that nobody reads any more


def _text_of(made: Made, *, as_json: bool) -> str:
    if as_json:
        content = {"kind": made.kind, "folder": str(made.folder), **made.facts}
        return json.dumps(content)
    width = max((len(name) for name in made.facts), default=0)
    facts = [f"  {name:<{width}}  {fact}" for name, fact in made.facts.items()]
    return "\n".join([f"{made.kind} in {made.folder}", *facts])


@app.command(**_verb("tile"))
def tile(
    slides: Path,
    output: Path,
    /,
    *,
    sources: Annotated[TileSources, Flat] = TileSources(),
    settings: Annotated[TileSettings, Flat] = TileSettings(),
    as_json: Json = False,
) -> None:
    """Cut slides.

    Args:
        slides: a folder of slides or images, searched with its subfolders, or one slide.
        output: folder of the new tile set.
        sources: what is known of the slides.
        settings: choices.
        as_json: print what was made as JSON.
    """
    from hdgan.stages.tile.run import tile as run

    _print(run(slides, output, settings, sources), as_json=as_json)


@app.command(**_verb("train-generator"))
def train_generator(
    tiles: Path,
    output: Path,
    /,
    *,
    start_from: Path | None = None,
    settings: Annotated[TrainGeneratorSettings, Flat] = TrainGeneratorSettings(),
    as_json: Json = False,
) -> None:
    """Train a generator.

    Args:
        tiles: a tile set.
        output: folder of the new generator.
        start_from: a trained or imported generator to begin from, of this or another resolution, or
            the name of one that comes with hdgan.
        settings: choices.
        as_json: print what was made as JSON.
    """
    from hdgan.stages.train_generator import train_generator as run

    _print(run(tiles, output, settings, start_from), as_json=as_json)


@app.command(**_verb("export-generator"))
def export_generator(
    generator: Path,
    output: Path,
    /,
    *,
    settings: Annotated[ExportGeneratorSettings, Flat] = ExportGeneratorSettings(),
    as_json: Json = False,
) -> None:
    """Write a network file.

    Args:
        generator: a generator, or the name of one that comes with hdgan.
        output: the new file, ending in .safetensors.
        settings: choices.
        as_json: print what was made as JSON.
    """
    from hdgan.stages.export_generator import export_generator as run

    _print(run(generator, output, settings), as_json=as_json)


@app.command(**_verb("import-generator"))
def import_generator(
    file: Path,
    output: Path,
    /,
    *,
    settings: Annotated[ImportGeneratorSettings, Flat] = ImportGeneratorSettings(),
    as_json: Json = False,
) -> None:
    """Import a network.

    Args:
        file: a published .pkl, a state dict in safetensors, or one that PyTorch saved.
        output: folder of the new generator.
        settings: choices.
        as_json: print what was made as JSON.
    """
    from hdgan.stages.import_generator import import_generator as run

    _print(run(file, output, settings), as_json=as_json)


@app.command(**_verb("score-generator"))
def score_generator(
    generator: Path,
    tiles: Path,
    encoder: Path,
    output: Path,
    /,
    *,
    settings: Annotated[ScoreGeneratorSettings, Flat] = ScoreGeneratorSettings(),
    as_json: Json = False,
) -> None:
    """Score a generator.

    Args:
        generator: a generator, or the name of one that comes with hdgan.
        tiles: the tile set that it was trained on, or another.
        encoder: weights of an encoder (.npz, .safetensors, .pth), TorchScript, or the word
            efficientnet-lite0.
        output: folder of the new scores.
        settings: choices.
        as_json: print what was made as JSON.
    """
    from hdgan.stages.score_generator import score_generator as run

    _print(run(generator, tiles, encoder, output, settings), as_json=as_json)


@app.command(**_verb("sample"))
def sample(
    generator: Path,
    output: Path,
    /,
    *,
    classifier: Path | None = None,
    settings: Annotated[SampleSettings, Flat] = SampleSettings(),
    as_json: Json = False,
) -> None:
    """Draw samples.

    Args:
        generator: a generator, or the name of one that comes with hdgan.
        output: folder of the new sample set.
        classifier: for a second round of annotation: a classifier of this generator; suggested are
            different samples among those that it is unsure of. Draw new ones with --seed.
        settings: choices.
        as_json: print what was made as JSON.
    """
    from hdgan.stages.sample import sample as run

    _print(run(generator, output, settings, classifier), as_json=as_json)


@app.command(**_verb("annotate"))
def annotate(
    samples: Path,
    output: Path | None = None,
    /,
    *,
    sources: Annotated[AnnotateSources, Flat] = AnnotateSources(),
    settings: Annotated[AnnotateSettings, Flat] = AnnotateSettings(),
    as_json: Json = False,
) -> None:
    """Annotate tiles.

    Args:
        samples: a sample set, or a tile set.
        output: folder of the annotation set; without it, `annotations` beside the samples.
        sources: what else is at hand.
        settings: choices.
        as_json: print what was made as JSON.
    """
    from hdgan.stages.annotate.run import annotate as run

    _print(run(samples, output, settings, sources), as_json=as_json)


@app.command(**_verb("import-annotations"))
def import_annotations(
    images: Path,
    labels: Path,
    output: Path,
    /,
    *,
    classes: Path | None = None,
    settings: Annotated[ImportAnnotationsSettings, Flat] = ImportAnnotationsSettings(),
    as_json: Json = False,
) -> None:
    """Import annotations.

    Args:
        images: a sample set or a tile set.
        labels: folder of label maps or outlines named like their images or slides (QuPath GeoJSON,
            ASAP or Aperio XML, ImageJ regions), one COCO file, or a segmentation.
        output: folder of the new annotation set.
        classes: the class map, a JSON file: {"classes": [{"name": "tissue", "colour": "#56b4e9"},
            ...]}. A segmentation brings its own; without it, outlines bring their names.
        settings: choices.
        as_json: print what was made as JSON.
    """
    from hdgan.stages.import_annotations import import_annotations as run

    _print(run(images, labels, output, settings, classes), as_json=as_json)


@app.command(**_verb("train-classifier"))
def train_classifier(
    annotations: Path,
    output: Path,
    /,
    *,
    sources: Annotated[ClassifierSources, Flat] = ClassifierSources(),
    settings: Annotated[TrainClassifierSettings, Flat] = TrainClassifierSettings(),
    as_json: Json = False,
) -> None:
    """Fit a classifier.

    Args:
        annotations: annotations of a sample set, or of real tiles with --generator.
        output: folder of the new classifier.
        sources: parents.
        settings: choices.
        as_json: print what was made as JSON.
    """
    from hdgan.stages.train_classifier.run import train_classifier as run

    _print(run(annotations, output, settings, sources), as_json=as_json)


@app.command(**_verb("evaluate"))
def evaluate(
    predictor: Path,
    annotations: Path,
    output: Path,
    /,
    *,
    sources: Annotated[AnnotationSources, Flat] = AnnotationSources(),
    settings: Annotated[EvaluateSettings, Flat] = EvaluateSettings(),
    as_json: Json = False,
) -> None:
    """Score predictions.

    Args:
        predictor: a classifier or a segmenter.
        annotations: annotations of samples or of tiles.
        output: folder of the new evaluation.
        sources: parents.
        settings: choices.
        as_json: print what was made as JSON.
    """
    from hdgan.stages.evaluate.run import evaluate as run

    _print(run(predictor, annotations, output, settings, sources), as_json=as_json)


@app.command(**_verb("synthesize"))
def synthesize(
    classifier: Path,
    output: Path,
    /,
    *,
    sources: Annotated[SynthesizeSources, Flat] = SynthesizeSources(),
    settings: Annotated[SynthesizeSettings, Flat] = SynthesizeSettings(),
    as_json: Json = False,
) -> None:
    """Draw pairs.

    Args:
        classifier: a classifier.
        output: folder of the new pair set.
        sources: parents.
        settings: choices.
        as_json: print what was made as JSON.
    """
    from hdgan.stages.synthesize.run import synthesize as run

    _print(run(classifier, output, settings, sources), as_json=as_json)


@app.command(**_verb("export"))
def export(
    source: Path,
    output: Path,
    /,
    *,
    images: Path | None = None,
    settings: Annotated[ExportSettings, Flat] = ExportSettings(),
    as_json: Json = False,
) -> None:
    """Write a dataset.

    Args:
        source: a pair set, or annotations of samples or tiles.
        output: folder of the new dataset.
        images: the sample set or tile set that was annotated, if it is not in a folder beside the
            annotations.
        settings: choices.
        as_json: print what was made as JSON.
    """
    from hdgan.stages.export.run import export as run

    _print(run(source, output, settings, images), as_json=as_json)


@app.command(**_verb("train-segmenter"))
def train_segmenter(
    source: Path,
    output: Path,
    /,
    *,
    also: tuple[Path, ...] = (),
    sources: Annotated[SegmenterSources, Flat] = SegmenterSources(),
    settings: Annotated[TrainSegmenterSettings, Flat] = TrainSegmenterSettings(),
    as_json: Json = False,
) -> None:
    """Train a segmenter.

    Args:
        source: a pair set, or annotations of tiles or samples.
        output: folder of the new segmenter.
        also: a further source; may be given several times.
        sources: parents.
        settings: choices.
        as_json: print what was made as JSON.
    """
    from hdgan.stages.train_segmenter.run import train_segmenter as run

    _print(run(source, output, settings, also, sources), as_json=as_json)


@app.command(**_verb("segment"))
def segment(
    segmenter: Path,
    tiles: Path,
    output: Path,
    /,
    *,
    settings: Annotated[SegmentSettings, Flat] = SegmentSettings(),
    as_json: Json = False,
) -> None:
    """Segment tiles.

    Args:
        segmenter: a segmenter.
        tiles: a tile set, a sample set, a slide, or a folder of slides or images.
        output: folder of the new segmentation.
        settings: choices.
        as_json: print what was made as JSON.
    """
    from hdgan.stages.segment.run import segment as run

    _print(run(segmenter, tiles, output, settings), as_json=as_json)


@app.command(**_verb("compare"))
def compare(
    real: Path,
    output: Path,
    /,
    *,
    sources: Annotated[CompareSources, Flat] = CompareSources(),
    settings: Annotated[CompareSettings, Flat] = CompareSettings(),
    as_json: Json = False,
) -> None:
    """Compare arms.

    Args:
        real: annotations of real tiles, which every arm is tested on.
        output: folder of the new comparison.
        sources: what else is at hand.
        settings: choices.
        as_json: print what was made as JSON.
    """
    from hdgan.stages.compare.run import compare as run

    _print(run(real, output, settings, sources, _stages()), as_json=as_json)


@app.command(**_verb("check-scores"))
def check_scores(
    table: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    settings: Annotated[CheckScoresSettings, Flat] = CheckScoresSettings(),
    as_json: Json = False,
) -> None:
    """Check printed scores.

    Args:
        table: a table in CSV, TSV, Markdown or aligned text; or - to paste one.
        settings: choices.
        as_json: print it as JSON.
    """
    from hdgan.stages.check_scores import check_scores as run

    _print(run(table, settings), as_json=as_json)


@app.command(**_verb("show"))
def show(
    artifact: Path,
    /,
    *,
    settings: Annotated[ShowSettings, Flat] = ShowSettings(),
    as_json: Json = False,
) -> None:
    """Describe an artifact.

    Args:
        artifact: any artifact, or the name of a generator that comes with hdgan.
        settings: choices.
        as_json: print it as JSON.
    """
    from hdgan.stages.show.run import show as run

    told = run(artifact, settings, _redrawing)
    _print(told, as_json=as_json)
    if told.differs:
        sys.exit(1)


@app.command(**_verb("demo"))
def demo(
    output: Path = Path("runs/demo"),
    /,
    *,
    settings: Annotated[DemoSettings, Flat] = DemoSettings(),
    as_json: Json = False,
) -> None:
    """Run everything.

    Args:
        output: folder for all artifacts and the report.
        settings: choices.
        as_json: print what was made as JSON.
    """
    from hdgan.stages.demo.run import demo as run

    _print(run(output, settings, _stages()), as_json=as_json)


def _stages() -> dict[str, Callable[..., Made]]:
    """The stages that the demonstration and comparisons run, by verb."""
    from hdgan.stages.evaluate.run import evaluate
    from hdgan.stages.import_annotations import import_annotations
    from hdgan.stages.sample import sample
    from hdgan.stages.synthesize.run import synthesize
    from hdgan.stages.tile.run import tile
    from hdgan.stages.train_classifier.run import train_classifier
    from hdgan.stages.train_generator import train_generator
    from hdgan.stages.train_segmenter.run import train_segmenter

    return {
        "tile": tile,
        "train-generator": train_generator,
        "sample": sample,
        "import-annotations": import_annotations,
        "train-classifier": train_classifier,
        "evaluate": evaluate,
        "synthesize": synthesize,
        "train-segmenter": train_segmenter,
    }


def _redrawing() -> dict[str, Callable[..., Any]]:
    """What draws again, for `show --regenerate`."""
    from hdgan.stages.sample import sample
    from hdgan.stages.synthesize.redrawing import redraw_pairs

    return {"sample": sample, "redraw-pairs": redraw_pairs}
