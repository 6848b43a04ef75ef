"""What is told of each kind of artifact, and the page that is written of it."""

import csv
import json
import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hdgan.artifacts.annotation_set import ANNOTATIONS, CLASSES, AnnotationSet, class_map_bytes
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.images import png_of
from hdgan.artifacts.manifest import MANIFEST, UNFINISHED
from hdgan.artifacts.order import Order
from hdgan.artifacts.pair_set import PairSet
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once
from hdgan.class_map import KIDNEY, UNLABELLED
from hdgan.cli import main
from hdgan.errors import DamagedArtifactError, SettingsError
from hdgan.settings.export import ExportSettings, LayoutName
from hdgan.settings.sample import SampleSettings
from hdgan.settings.show import ShowSettings
from hdgan.settings.synthesize import SynthesizeSettings
from hdgan.settings.tile import TileSettings
from hdgan.stages.export.run import export
from hdgan.stages.sample import sample
from hdgan.stages.show.account import Look
from hdgan.stages.show.run import show
from hdgan.stages.synthesize.run import synthesize
from hdgan.stages.tile.run import tile
from tests.tiny_world import TinyWorld, draw_tiles

PARTS = (
    "tiles",
    "truth",
    "generator",
    "samples",
    "annotations",
    "classifier",
    "evaluation",
    "pairs",
    "segmenter",
    "segmentation",
)


def page_of(folder: Path, page: Path, num_pictures: int = 200) -> str:
    show(folder, ShowSettings(html=page, num_pictures=num_pictures))
    return page.read_text()


def dataset(folder: Path, files: dict[str, bytes]) -> Path:
    def make(unfinished: UnfinishedArtifact) -> None:
        for name, data in files.items():
            unfinished.write(name, data)

    made_once(folder, Order("dataset", {"layout": "plain"}, {}), make)
    return folder


def pairs_with(
    world: TinyWorld,
    place: Path,
    about: dict[str, Any],
    files: dict[str, bytes] | None = None,
    *,
    keep_parents: bool = False,
) -> Path:
    """The pairs of the world, of which something else is said."""
    pairs = PairSet.open(world.pairs)
    changed = {"dataset.json": json.dumps(pairs.about | about).encode(), **(files or {})}

    def make(unfinished: UnfinishedArtifact) -> None:
        for name in pairs.manifest.files:
            unfinished.write(name, changed.get(name) or (world.pairs / name).read_bytes())

    parents = dict(pairs.manifest.parents) if keep_parents else {}
    made_once(place / "pairs", Order("pair-set", {}, parents), make)
    return place / "pairs"


@pytest.mark.parametrize("part", PARTS)
def test_facts_come_before_origins_and_settings_come_last(part: str, world: TinyWorld) -> None:
    names = list(show(world.folder / part).facts)

    origin = next(i for i, name in enumerate(names) if name.startswith("made from"))
    assert 0 < origin < names.index("whole") < names.index("digest")
    assert all(name.startswith("setting") for name in names[names.index("digest") + 1 :])


@pytest.mark.parametrize(
    ("part", "pictures", "words"),
    [
        ("tiles", 20, ["patient", "fold"]),
        ("truth", 20, ["labels over image", "class present"]),
        ("generator", 36, ["Training", "How it learned"]),
        ("samples", 12, ["suggested"]),
        ("annotations", 9, ["labels over image", "split"]),
        ("classifier", 0, ["Fitting"]),
        ("evaluation", 4, ["what is wrong", "What is taken for what"]),
        ("pairs", 9, ["uncertainty", "outlines"]),
        ("segmenter", 0, ["Training"]),
        ("segmentation", 4, ["labels over image"]),
    ],
)
def test_every_kind_has_a_page(
    part: str, pictures: int, words: list[str], world: TinyWorld, tmp_path: Path
) -> None:
    html = page_of(world.folder / part, tmp_path / "page.html")

    assert html.count('class="card"') == pictures
    for word in words:
        assert word in html
    assert not re.findall(r"(?:src|href)=\"(?:https?:|//)", html)


def test_facts_are_those_of_the_records(world: TinyWorld) -> None:
    tiles, pairs = show(world.tiles).facts, show(world.pairs).facts
    records = TileSet.open(world.tiles).records()

    assert tiles["tiles"] == len(records) == 20
    assert tiles["patients"] == len({record.patient for record in records})
    assert tiles["tiles by fold"] == "0: 4, 1: 4, 2: 4, 3: 4, 4: 4"
    assert (pairs["pairs drawn"], pairs["pairs kept"]) == (10, 9)
    assert str(pairs["composition"]).startswith("not targeted: as the generator draws, less what ")
    assert show(world.classifier).facts["members"] == 3
    assert str(show(world.classifier).facts["scored in evaluation"]).startswith("Dice, macro 0.")


def test_shares_of_classes_are_counted_over_the_labelled_pixels(tmp_path: Path) -> None:
    labels = np.full((10, 10), UNLABELLED, dtype=np.uint8)
    labels[:5, :6], labels[:5, 6:8] = 2, 0

    def make(unfinished: UnfinishedArtifact) -> None:
        unfinished.write(CLASSES, class_map_bytes(KIDNEY))
        rows = 'a,training,"Anna, Ben",2.5,1,0\nb,test,Anna,1.5,1,0\n'
        header = "image,split,annotators,minutes,revision,ambiguous\n"
        unfinished.write(ANNOTATIONS, (header + rows).encode())
        for name in "ab":
            unfinished.write(f"labels/{name}.png", png_of(labels))

    made_once(tmp_path / "labels", Order("annotation-set", {}, {"sample-set": "0" * 64}), make)

    facts = show(tmp_path / "labels").facts

    assert facts["class glomerulus"] == "75.0% of the labelled pixels"
    assert facts["class whitespace"] == "25.0% of the labelled pixels"
    assert facts["unlabelled"] == "60.0% of all pixels"
    assert facts["annotators"] == "Anna, Ben"
    assert facts["minutes of annotation"] == "4.0"
    assert facts["splits"] == "training 1, validation 0, test 1"
    html = page_of(tmp_path / "labels", tmp_path / "page.html")
    assert "shown alone" in html
    assert html.count('class="labels"') == 2
    assert 'class="image"' not in html


def test_scores_of_a_generator_are_told_with_it(
    world: TinyWorld, shipped_kidney: Path, tmp_path: Path
) -> None:
    for folder in (world.generator, shipped_kidney.parents[1] / "quality"):
        shutil.copytree(folder, tmp_path / folder.name)

    facts = show(tmp_path / "generator").facts
    html = page_of(tmp_path / "quality", tmp_path / "page.html")

    assert "KID, by quality" in facts
    assert facts["KID, by quality"] == show(tmp_path / "quality").facts["KID"]
    assert "Does it draw what it has seen?" in html
    assert html.count("data:image/svg+xml") == 1
    assert "How close it comes, by quality" in page_of(
        tmp_path / "generator", tmp_path / "generator.html"
    )


@pytest.mark.usefixtures("with_kidney")
def test_a_generator_that_comes_with_the_package_shows_its_card(tmp_path: Path) -> None:
    html = page_of(Path("kidney"), tmp_path / "page.html")

    assert "Its card: Phantom kidney" in html
    assert "Brightness decides the class." in html
    assert html.count('class="card"') == 36


def test_few_pictures_are_spread_over_the_whole_artifact(world: TinyWorld, tmp_path: Path) -> None:
    html = page_of(world.tiles, tmp_path / "page.html", num_pictures=3)

    shown = re.findall(r'<p class="name">(.*?)</p>', html)
    names = [record.tile for record in TileSet.open(world.tiles).records()]
    assert shown == [names[0], names[10], names[19]]
    facts = show(world.truth, ShowSettings(num_pictures=3)).facts
    assert str(facts["unlabelled"]).endswith("(of 3 of 20 tiles)")


def test_what_is_whole_but_not_understood_is_still_told_of(tmp_path: Path) -> None:
    order = Order("generator", {}, {})
    made_once(tmp_path / "made", order, lambda unfinished: unfinished.write("file", b"content"))

    facts = show(tmp_path / "made", ShowSettings(html=tmp_path / "page.html")).facts

    assert "network.json is missing" in str(facts["not understood"])
    assert str(facts["whole"]).startswith("yes")
    assert "not understood" in (tmp_path / "page.html").read_text()


def test_scores_beside_that_are_damaged_are_not_what_is_asked_for(
    world: TinyWorld, tmp_path: Path
) -> None:
    for name in ("classifier", "evaluation"):
        shutil.copytree(world.folder / name, tmp_path / name)
    (tmp_path / "evaluation" / "scores.json").write_text("{}")

    facts = show(tmp_path / "classifier").facts

    assert facts["members"] == 3
    assert "scored in evaluation" not in facts


@pytest.mark.parametrize("count", [1, 2, 5, 99, 100, 101])
def test_a_spread_has_no_record_twice(count: int) -> None:
    chosen = Look(count, {}).spread(range(100))

    assert len(chosen) == len(set(chosen)) == min(count, 100)
    assert chosen == sorted(chosen)


def test_a_changed_composition_is_said_first(world: TinyWorld, tmp_path: Path) -> None:
    composition = {
        "wanted": {"artery": 0.05},
        "natural_share": {"artery": 0.003},
        "draws_per_kept_pair": 14.25,
        "num_pilot": 128,
    }
    spread = {"statistic": "area_share_spread", "synthetic": 0.067, "annotated": 0.144}
    checks = {"comparison": {"statistics": [spread | {"class": "artery"}]}}
    about = {"composition": composition, "licence": "CC0-1.0", "checks": checks}
    pairs = pairs_with(world, tmp_path, about)

    facts = show(pairs).facts
    html = page_of(pairs, tmp_path / "page.html")

    said = "artery at least 5.0% of each pair, by its label map (the generator itself draws 0.3%)"
    assert str(facts["composition"]).startswith(f"CHANGED on request: {said}")
    assert facts["licence"] == "CC0-1.0"
    assert "by 6.7% of a pair" in str(facts["variety of artery"])
    assert "by 14.4%" in str(facts["variety of artery"])
    assert facts["drawings"] == "14.2 were made for each kept pair, after 128 to learn from"
    assert "Each pair was chosen for its 5.0% artery or more" in html
    assert "<dd>artery</dd>" in html


def test_what_dropping_took_is_told(world: TinyWorld, tmp_path: Path) -> None:
    names = PairSet.open(world.pairs).class_map.names
    drawn, kept = ([0.8, 0.1, 0.1], [0.852, 0.098, 0.05])
    about = {
        "share_of_pixels_drawn": dict(zip(names, [*drawn, *[0.0] * 9], strict=False)),
        "share_of_pixels": dict(zip(names, [*kept, *[0.0] * 9], strict=False)),
        "images_with_1_percent": dict.fromkeys(names, 4),
    }
    pairs = pairs_with(world, tmp_path, about)

    facts = show(pairs).facts
    html = page_of(pairs, tmp_path / "page.html")

    told = f"as the generator draws, less what was dropped: {names[2]} 10.0% -> 5.0%"
    assert facts["composition"] == f"not targeted: {told}"
    assert facts[f"class {names[2]}"] == "5.0% of the pixels; 1% or more of 4 of 9 pairs"
    assert f"<dd>{names[2]}, by dropping</dd>" in html
    assert f"<dd>{names[1]}, by dropping</dd>" not in html
    assert "before dropping" in html


def test_all_pairs_kept_are_as_the_generator_draws(world: TinyWorld, tmp_path: Path) -> None:
    pairs = pairs_with(world, tmp_path, {"num_drawn": 9, "num_dropped": 0})

    facts = show(pairs).facts

    assert facts["composition"] == "not targeted: as the generator draws"


def test_the_quality_of_labels_is_told_or_that_nobody_knows_it(
    world: TinyWorld, tmp_path: Path
) -> None:
    quality = {
        "digest": "0" * 64,
        "of": "sample-set",
        "images": 16,
        "dice": {"tubule": 0.875, "artery": None},
        "macro_dice": 0.875,
        "definition": "mean of those that are somewhere",
    }
    measured = pairs_with(world, tmp_path / "measured", {"labels_quality": quality})
    bare = pairs_with(world, tmp_path / "bare", {"labels_quality": None})

    told = show(measured).facts["label quality"]

    assert told == "Dice 0.88 (tubule 0.88, artery -) on 16 annotated drawings"
    html = page_of(measured, tmp_path / "measured.html")
    assert "was tested on 16 annotated drawings, compared with their annotations" in html
    assert "mean of those that are somewhere" in html
    assert str(show(bare).facts["label quality"]).startswith("not measured (hdgan evaluate")
    assert "Nobody knows: not measured (hdgan evaluate CLASSIFIER" in page_of(
        bare, tmp_path / "bare.html"
    )


def test_an_evaluation_that_was_made_later_tells_of_the_labels(
    world: TinyWorld, tmp_path: Path
) -> None:
    pairs = pairs_with(world, tmp_path, {"labels_quality": None}, keep_parents=True)
    shutil.copytree(world.folder / "evaluation", tmp_path / "scores")
    images = len(Evaluation.open(tmp_path / "scores").images())

    told = str(show(pairs).facts["label quality"])

    assert told.endswith(f"on {images} annotated drawings, by scores")


def test_drawings_are_told_from_tiles_and_fitting_from_testing(
    world: TinyWorld, tmp_path: Path
) -> None:
    annotation = {
        "of": "sample-set",
        "tiles": 36,
        "splits": {"training": 16, "validation": 4, "test": 16},
        "annotators": ["Anna"],
        "share_of_pixels": {},
    }
    drawings = pairs_with(world, tmp_path / "drawings", {"annotation": annotation})
    tiles = {"of": "tile-set", "tiles": 7, "annotators": [], "share_of_pixels": {"artery": 0.1}}
    of_tiles = pairs_with(world, tmp_path / "tiles", {"annotation": tiles})

    told = show(drawings).facts["classifier fitted to"]

    assert told == "16 annotated drawings (beside them 4 validation, 16 test); annotators: Anna"
    assert (
        show(of_tiles).facts["classifier fitted to"] == "7 annotated tiles; annotators: not known"
    )
    assert "in the annotated tiles</th>" in page_of(of_tiles, tmp_path / "page.html")


def test_a_set_without_pairs_has_a_page(world: TinyWorld, tmp_path: Path) -> None:
    rows = list(csv.DictReader((world.pairs / "pairs.csv").read_text().splitlines()))
    table = StringIO()
    writer = csv.DictWriter(table, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row | {"kept": "0", "uncertainty": "nan"} for row in rows)
    about = {"num_kept": 0, "num_dropped": 0, "num_missed": 10}
    pairs = pairs_with(world, tmp_path, about, {"pairs.csv": table.getvalue().encode()})

    facts = show(pairs).facts
    html = page_of(pairs, tmp_path / "page.html")

    assert facts["pairs kept"] == 0
    assert facts["not found with the wanted composition"] == 10
    assert 'class="card"' not in html
    assert "<h2>Uncertainty</h2>" not in html


def test_a_page_has_the_card_and_no_path_of_this_machine(world: TinyWorld, tmp_path: Path) -> None:
    for name in ("tiles", "generator", "classifier", "pairs"):
        shutil.copytree(world.folder / name, tmp_path / name)

    facts = show(tmp_path / "pairs").facts
    html = page_of(tmp_path / "pairs", tmp_path / "page.html")

    assert "They are drawings, not photographs of tissue" in html
    assert "<h3>Known limits</h3>" in html
    assert html.count('<a href="#t1">Its card</a>') == 1
    assert str(tmp_path) not in html
    assert "README.md</td>" not in html
    assert facts["card"] == str(tmp_path / "pairs" / "README.md")
    assert str(facts["has learned from folds"]).endswith("of tile-set tiles")


def test_seeds_that_were_named_leave_no_word_of_how_many(world: TinyWorld, tmp_path: Path) -> None:
    sample(world.generator, tmp_path / "samples", SampleSettings(seeds=(3, 5), select=1))

    facts = show(tmp_path / "samples").facts

    assert facts["samples"] == 2
    assert facts["setting seeds"] == "[3, 5]"
    assert not {"setting num-samples", "setting seed"} & set(facts)


def test_pairs_in_archives_are_shown_like_others(world: TinyWorld, tmp_path: Path) -> None:
    for name in ("generator", "classifier"):
        shutil.copytree(world.folder / name, tmp_path / name)
    settings = SynthesizeSettings(num_pairs=4, files="shards", workers=1)
    synthesize(tmp_path / "classifier", tmp_path / "pairs", settings)

    html = page_of(tmp_path / "pairs", tmp_path / "page.html")

    kept = len(PairSet.open(tmp_path / "pairs").records())
    assert html.count('class="uncertainty"') == html.count('class="image"') == kept > 0


def test_tiles_whose_slides_are_gone_are_still_told_of(tmp_path: Path) -> None:
    draw_tiles(tmp_path, count=5)
    tile(tmp_path / "images", tmp_path / "tiles", TileSettings(storage="virtual"))
    (tmp_path / "images").rename(tmp_path / "elsewhere")

    html = page_of(tmp_path / "tiles", tmp_path / "page.html")

    assert "Not all can be shown" in html
    assert show(tmp_path / "tiles").facts["tiles"] == 5


def test_a_dataset_is_shown_by_its_images_and_its_readme(tmp_path: Path) -> None:
    image = png_of(np.zeros((8, 8, 3), dtype=np.uint8))
    files = {
        "images/train/a.png": image,
        "labels/train/a.png": png_of(np.zeros((8, 8), dtype=np.uint8)),
        "images/b.png": b"no image",
        "README.md": b"# My set\n\nFor tests.\n\n![Seen](images/train/a.png)\n![Lost](../a.png)",
    }

    html = page_of(dataset(tmp_path / "set", files), tmp_path / "page.html")

    assert re.findall(r'<p class="name">(.*?)</p>', html) == ["a"]
    assert "<h3>My set</h3>" in html
    assert "<p>For tests.</p>" in html
    assert "<figcaption>Seen</figcaption>" in html
    assert "<p>(A picture that is not here: Lost)</p>" in html


@pytest.mark.parametrize(
    "layout", ["plain", "nnunet", "coco", "huggingface-folder", "qupath", "monai"]
)
def test_an_exported_dataset_is_shown_with_its_labels(
    layout: LayoutName, world: TinyWorld, tmp_path: Path
) -> None:
    pytest.importorskip({"coco": "pycocotools", "qupath": "tifffile"}.get(layout, "numpy"))
    settings = ExportSettings(layout=layout, validation=0.4, licence="CC0-1.0", threads=1)
    made = export(world.pairs, tmp_path / "set", settings)
    plain = page_of(world.pairs, tmp_path / "pairs.html")

    html = page_of(tmp_path / "set", tmp_path / "page.html")

    assert html.count('class="card"') == html.count('class="labels"') == 9
    layers = re.findall(r'<img class="labels" src="(.*?)"', html)
    assert sorted(layers) == sorted(re.findall(r'<img class="labels" src="(.*?)"', plain))
    facts = show(tmp_path / "set").facts
    for name in ("layout", "images", "for training", "for validation", "classes", "licence"):
        assert facts[name] == made.facts[name]
    (menu,) = re.findall(r"<nav.*?</nav>", html, flags=re.DOTALL)
    links = re.findall(r">([^<]+)</a>", menu)
    assert links.count("Where it comes from") == links.count("What is in it") == 1
    assert "The card of its source" in links


def test_unlabelled_pixels_of_nnunet_are_clear(world: TinyWorld, tmp_path: Path) -> None:
    largest = max(record.uncertainty for record in PairSet.open(world.pairs).records())
    for layout in ("plain", "nnunet"):
        settings = ExportSettings(layout=layout, unsure_above=largest / 4)
        export(world.pairs, tmp_path / layout, settings)

    layers = [
        sorted(re.findall(r'class="labels" src="(.*?)"', page_of(tmp_path / layout, page)))
        for layout, page in (("plain", tmp_path / "p.html"), ("nnunet", tmp_path / "n.html"))
    ]

    assert layers[0] == layers[1]
    assert "(unlabelled)" in (tmp_path / "n.html").read_text()


def test_of_pictures_in_archives_it_is_said_where_they_can_be_seen(
    world: TinyWorld, tmp_path: Path
) -> None:
    shutil.copytree(world.pairs, tmp_path / "pairs")
    export(tmp_path / "pairs", tmp_path / "set", ExportSettings(layout="webdataset"))

    html = page_of(tmp_path / "set", tmp_path / "page.html")

    assert 'class="card"' not in html
    assert "The pictures are in archives (train-000000.tar" in html
    assert "They are those of the pair-set pairs" in html


def test_a_reader_that_has_seen_enough_ends_a_command_quietly(world: TinyWorld) -> None:
    command = [sys.executable, "-c", "from hdgan.cli import main; main()", "show"]
    with subprocess.Popen(
        [*command, str(world.pairs)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()

    assert said == b""
    assert process.returncode == 141


def test_parents_lead_to_their_pages_if_there_are_some(world: TinyWorld, tmp_path: Path) -> None:
    for name in ("generator", "samples", "annotations"):
        shutil.copytree(world.folder / name, tmp_path / name)

    before = page_of(tmp_path / "annotations", tmp_path / "annotations.html")
    page_of(tmp_path / "samples", tmp_path / "samples.html")
    after = page_of(tmp_path / "annotations", tmp_path / "annotations.html")

    assert '<a href="samples">samples</a>' in before
    assert '<a href="samples.html">samples</a>' in after
    assert "Beside it lies what was made from it" in page_of(
        tmp_path / "generator", tmp_path / "pages" / "generator.html"
    )
    assert 'href="../samples"' in (tmp_path / "pages" / "generator.html").read_text()


@pytest.mark.parametrize("name", ["javascript:alert(1)", "<b>", "a'b\"c", "50% of it#1"])
def test_hostile_names_of_folders_stay_names(name: str, world: TinyWorld, tmp_path: Path) -> None:
    shutil.copytree(world.samples, tmp_path / name)
    shutil.copytree(world.annotations, tmp_path / "annotations")

    html = page_of(tmp_path / "annotations", tmp_path / "page.html")

    (link,) = re.findall(r'<li>made from sample-set <a href="(.*?)">', html)
    assert re.fullmatch(r"[\w%().~-]+", link)
    assert "<b>" not in html


def test_names_cannot_move_the_cursor_of_a_terminal(tmp_path: Path) -> None:
    order = Order("generator of another kind", {"a": 1}, {"kind\x1b[2J": "0" * 64})
    made_once(tmp_path / "made", order, lambda unfinished: unfinished.write("file", b"content"))

    facts = show(tmp_path / "made").facts

    assert "made from kind\\x1b[2J" in facts


def test_a_page_is_replaced_and_another_file_is_not(world: TinyWorld, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    first = page_of(world.samples, page)
    second = page_of(world.annotations, page)
    other = tmp_path / "mine.html"
    other.write_text("<html>mine</html>")

    assert first != second
    with pytest.raises(SettingsError, match=r"mine.html, a file that `hdgan show` has not written"):
        show(world.samples, ShowSettings(html=other))
    assert other.read_text() == "<html>mine</html>"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.html", "page.html"]


def test_a_page_is_the_same_for_the_same_artifact(world: TinyWorld, tmp_path: Path) -> None:
    pages = [page_of(world.pairs, tmp_path / f"{i}.html") for i in (1, 2)]

    assert pages[0] == pages[1]


def test_no_page_is_written_inside_an_artifact(world: TinyWorld, tmp_path: Path) -> None:
    unfinished = tmp_path / "work"
    (unfinished / UNFINISHED).mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(world.samples)

    for place in (world.tiles, world.samples / "images" / "deep", unfinished, link):
        with pytest.raises(SettingsError, match="lies inside the artifact"):
            show(world.samples, ShowSettings(html=place / "page.html"))
    assert not list(world.folder.rglob("page.html"))


def test_a_manifest_of_another_program_is_no_artifact(world: TinyWorld, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text('{"name": "my app"}')

    assert page_of(world.samples, tmp_path / "page.html")


def test_a_page_needs_the_name_of_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="browsers do not take"):
        ShowSettings(html=tmp_path / "tiles.csv")
    with pytest.raises(SettingsError, match="num-pictures is 0"):
        ShowSettings(num_pictures=0)


def test_a_folder_is_no_page(world: TinyWorld, tmp_path: Path) -> None:
    (tmp_path / "folder.html").mkdir()

    with pytest.raises(SettingsError, match="is a folder"):
        show(world.samples, ShowSettings(html=tmp_path / "folder.html"))


def test_no_page_is_written_of_what_is_damaged(world: TinyWorld, tmp_path: Path) -> None:
    shutil.copytree(world.annotations, tmp_path / "annotations")
    name = AnnotationSet.open(world.annotations).records()[0].labels
    (tmp_path / "annotations" / name).write_bytes(b"other")

    with pytest.raises(DamagedArtifactError, match="is not the file that was written"):
        page_of(tmp_path / "annotations", tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_the_command_says_where_the_page_is(
    world: TinyWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"

    main(["show", str(world.pairs), "--html", str(page), "--num-pictures", "2", "--json"])

    said = json.loads(capsys.readouterr().out)
    assert said["kind"] == "pair-set"
    assert said["page"].startswith(f"{page} (")
    assert page.read_text().count('class="card"') == 2
