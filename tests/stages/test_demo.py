"""`hdgan demo` with a generator that comes with the package, and without."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from hdgan.artifacts import shipped
from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.pair_set import PairSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.shipped_generator import ShippedGenerator
from hdgan.cli import main
from hdgan.errors import SettingsError
from hdgan.report.generator_card import number
from hdgan.report.page import Section
from hdgan.report.shipped_report import plain
from hdgan.report.tables import percent
from hdgan.settings.demo import FROM_SCRATCH, FROM_SHIPPED, DemoSettings
from tests.tiny_world import TinyWorld

SMALL = ["--num-samples", "40", "--classifier-steps", "20", "--num-pairs", "6"]


class Text(HTMLParser):
    """What a reader of a page sees, and how many pictures."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.num_pictures = 0
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.num_pictures += 1
            assert (dict(attrs)["src"] or "").startswith("data:image/png;base64,")

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.parts).split())


@pytest.fixture(scope="module")
def demo(shipped_kidney: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demonstration with the tiny world's generator."""
    folder = tmp_path_factory.mktemp("demo") / "runs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipped, "SHIPPED", shipped_kidney.parent)
        main(["demo", str(folder), *SMALL])
    return folder


def test_no_generator_is_trained(demo: Path) -> None:
    kinds = {
        json.loads(path.read_bytes())["kind"]: path.parent.name
        for path in demo.glob("*/manifest.json")
    }

    assert kinds == {
        "sample-set": "samples",
        "annotation-set": "annotations",
        "classifier": "classifier",
        "evaluation": "evaluation",
        "pair-set": "pairs",
    }


def test_the_annotated_drawings_come_first_and_others_fill_up(
    demo: Path, shipped_kidney: Path
) -> None:
    seeds = [record.seed for record in SampleSet.open(demo / "samples").records()]

    annotated = {drawing.seed for drawing in ShippedGenerator.open(shipped_kidney).annotated()}
    assert annotated <= set(seeds)
    assert len(seeds) == len(set(seeds)) == 40


def test_the_annotations_are_the_shipped_label_maps(demo: Path, world: TinyWorld) -> None:
    taken, painted = AnnotationSet.open(demo / "annotations"), AnnotationSet.open(world.annotations)

    by_name = {record.image: record for record in painted.records()}
    assert {record.image for record in taken.records()} == set(by_name)
    for record in taken.records():
        assert np.array_equal(taken.labels(record), painted.labels(by_name[record.image]))


def test_the_pairs_come_from_the_shipped_generator(demo: Path, shipped_kidney: Path) -> None:
    digest = ShippedGenerator.open(shipped_kidney).digest

    pairs = PairSet.open(demo / "pairs")

    assert pairs.manifest.parents["generator"] == digest
    assert ClassifierFolder.open(demo / "classifier").manifest.parents["generator"] == digest
    assert len(pairs.all_records()) == 6
    assert not {record.seed for record in pairs.all_records()} & set(range(100))


def test_the_page_has_its_sections_and_names_its_columns(demo: Path) -> None:
    page = (demo / "report.html").read_text()

    for title in (
        "The generator",
        "How close the drawings come to real tissue",
        "Does it draw what it has seen?",
        "The annotation",
        "The classifier",
        "How good the labels are",
        "The dataset",
        "What this does not say",
        "How it was made",
    ):
        assert f"<h2>{title}</h2>" in page
    for heads in (
        ["image", "annotation", "prediction", "what is wrong"],
        ["drawing", "label map", "uncertainty"],
    ):
        assert "".join(f"<span>{head}</span>" for head in heads) in page
    assert Text(page).num_pictures == 6


def test_the_page_has_the_numbers_of_the_artifacts(demo: Path, shipped_kidney: Path) -> None:
    text = Text((demo / "report.html").read_text()).text
    generator = ShippedGenerator.open(shipped_kidney)
    quality = generator.quality

    dice = Evaluation.open(demo / "evaluation").overall()[0]
    assert f"{percent(dice.value)} macro Dice of the labels of drawings" in text
    kept = len(PairSet.open(demo / "pairs").records())
    assert f"{kept} labelled pairs kept of 6 drawn" in text
    assert quality.floor is not None
    assert quality.kid_ratio is not None
    for name, value in quality.scores.items():
        row = f"{name.replace('_', ' ')} {number(value)} {number(quality.floor[name])} "
        assert f"{row}{quality.definitions[name]}" in text
    assert f"{quality.kid_ratio:.2g} times as far from real tissue" in text
    assert f"{number(quality.nearest['drawings'])} for drawings" in text
    assert f"tiles of {generator.about.data.images} images" in text
    for words in (generator.about.words.annotation, generator.about.words.use):
        assert words in text


def test_a_list_becomes_paragraphs() -> None:
    section = Section("Limits", plain("Words:\n\n- one\n  and `more`\n- two"))

    assert section.paragraphs == ["Words:", "one and more", "two"]


def test_a_demonstration_goes_on_where_it_stopped(
    demo: Path, with_kidney: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert with_kidney.name == "kidney"
    shutil.copytree(demo, tmp_path / "again")
    shutil.rmtree(tmp_path / "again" / "pairs")

    main(["demo", str(tmp_path / "again"), *SMALL])

    assert re.search(r"generator +kidney", capsys.readouterr().out)
    for name in ("classifier", "pairs"):
        manifests = [folder / name / "manifest.json" for folder in (demo, tmp_path / "again")]
        assert manifests[0].read_bytes() == manifests[1].read_bytes()


def test_without_a_shipped_generator_tissue_is_drawn_and_a_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class BeganError(Exception):
        """The demonstration went so far."""

    def began(*_: object) -> None:
        raise BeganError

    monkeypatch.setattr(shipped, "SHIPPED", tmp_path / "nothing")
    monkeypatch.setattr("hdgan.stages.demo.run.demo_from_scratch", began)

    with pytest.raises(BeganError):
        main(["demo", str(tmp_path / "demo")])

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("demo: no generator came with this installation")


@pytest.mark.usefixtures("with_kidney")
def test_another_name_is_told_the_right_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["demo", str(tmp_path / "demo"), "--generator", "liver"])

    assert "what does is called kidney" in capsys.readouterr().err


def test_a_generator_without_annotated_drawings_is_refused(
    world: TinyWorld,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(shipped, "SHIPPED", tmp_path / "shipped")
    shutil.copytree(world.generator, tmp_path / "shipped" / "kidney")

    with pytest.raises(SystemExit):
        main(["demo", str(tmp_path / "demo")])

    assert "is a generator without annotated drawings" in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()


def test_numbers_that_are_left_out_depend_on_the_beginning() -> None:
    settings = DemoSettings(num_pairs=7)

    assert settings.numbers(from_scratch=True).num_samples == FROM_SCRATCH.num_samples
    assert settings.numbers(from_scratch=False).num_samples == FROM_SHIPPED.num_samples
    assert settings.numbers(from_scratch=True).num_pairs == 7


@pytest.mark.parametrize(
    ("choices", "what"),
    [
        ({"kimg": 1.0}, "--kimg changes nothing"),
        ({"segmenter_steps": 5}, "--segmenter-steps changes nothing"),
        ({"from_scratch": True, "generator": "nuclei"}, "cannot both be"),
    ],
)
def test_choices_that_do_not_go_together_are_refused(choices: dict[str, object], what: str) -> None:
    with pytest.raises(SettingsError, match=what):
        DemoSettings(**choices)  # type: ignore[arg-type]
