"""What is said of a pair set: counts, checks, annotation, scores, uncertainty; plain data."""

import json
import math
import shutil
import weakref
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import UInt8

from hdgan.artifacts.annotation_set import AnnotationRecord, AnnotationSet
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.evaluation import SCORES, Evaluation, write_scores
from hdgan.artifacts.manifest import MANIFEST
from hdgan.artifacts.order import Order
from hdgan.artifacts.pair_notes import PairNote
from hdgan.artifacts.pair_set import PairSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once
from hdgan.class_map import KIDNEY, UNLABELLED, ClassMap, LabelMap, TissueClass
from hdgan.errors import DamagedArtifactError
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.synthesize import SynthesizeSettings, SynthesizeSources
from hdgan.stages.evaluate.run import evaluate
from hdgan.stages.synthesize.about import (
    Annotated,
    Chosen,
    counts_of,
    labels_quality,
    lost_classes,
)
from hdgan.stages.synthesize.describing import (
    FEWEST_PAIRS,
    MOST_PAIRS,
    annotation_of,
    checks_of,
    num_checked,
    uncertainty_histogram,
)
from hdgan.stages.synthesize.plan import Plan
from hdgan.stages.synthesize.tallies import Tallies
from tests.tiny_world import TinyWorld


def test_the_checks_of_a_pair_set_are_plain_data(world: TinyWorld) -> None:
    pairs, annotations = PairSet.open(world.pairs), AnnotationSet.open(world.annotations)
    samples = SampleSet.open(world.samples)
    images = {record.sample: samples.image(record) for record in samples.records()}

    checks = checks_of(
        ((pairs.image(record), pairs.labels(record)) for record in pairs.records()),
        ((images[r.image], annotations.labels(r)) for r in annotations.records()),
        pairs.class_map,
    )

    assert json.loads(json.dumps(checks, allow_nan=False)) == checks
    assert checks["num_synthetic"] == 9
    assert checks["num_annotated"] == len(annotations.records())
    assert checks["same_size"] is True
    shares = {
        one["class"]: one["synthetic"]
        for one in checks["comparison"]["statistics"]
        if one["statistic"] == "area_share"
    }
    for name, share in pairs.about["share_of_pixels"].items():
        assert shares[name] == pytest.approx(share, abs=1e-5)
    for edges in checks["edge_alignment"].values():
        assert 0.5 < edges["auc"] <= 1


def test_the_same_pairs_have_the_same_checks(world: TinyWorld) -> None:
    pairs, annotations = PairSet.open(world.pairs), AnnotationSet.open(world.annotations)

    first, second = (
        checks_of(
            ((pairs.image(record), pairs.labels(record)) for record in pairs.records()),
            ((None, annotations.labels(record)) for record in annotations.records()),
            pairs.class_map,
        )
        for _ in range(2)
    )

    assert first == second
    assert first["edge_alignment"]["annotated"] is None


def test_without_annotations_there_is_a_layout_but_no_comparison(world: TinyWorld) -> None:
    pairs = PairSet.open(world.pairs)

    checks = checks_of(
        ((pairs.image(record), pairs.labels(record)) for record in pairs.records()),
        (),
        pairs.class_map,
    )

    assert checks["comparison"] is None
    assert checks["same_size"] is None
    assert checks["layout"]["annotated"] is None
    assert set(checks["layout"]["synthetic"]["classes"]) == set(KIDNEY.names)


def test_without_anything_there_is_nothing_to_say() -> None:
    checks = checks_of((), [(None, np.full((4, 4), UNLABELLED, dtype=np.uint8))], KIDNEY)

    assert checks["num_synthetic"] == checks["num_annotated"] == 0
    assert checks["comparison"] is None
    assert checks["edge_alignment"] == {"synthetic": None, "annotated": None}


def test_images_are_read_one_at_a_time() -> None:
    """When a pair is asked for, those before the last one have been let go."""
    given: list[weakref.ref[LabelMap]] = []
    alive: list[int] = []

    def pairs() -> Iterator[tuple[UInt8[np.ndarray, "8 8 3"], LabelMap]]:
        for i in range(5):
            alive.append(sum(reference() is not None for reference in given))
            labels = np.full((8, 8), i % 2, dtype=np.uint8)
            given.append(weakref.ref(labels))
            yield np.zeros((8, 8, 3), dtype=np.uint8), labels

    checks_of(pairs(), (), KIDNEY)

    assert len(alive) == 5
    assert max(alive) <= 1


def test_few_large_pairs_and_many_small_ones_are_checked() -> None:
    assert num_checked(1000, 128) == MOST_PAIRS
    assert num_checked(1000, 8192) == FEWEST_PAIRS
    assert num_checked(3, 8192) == 3
    assert MOST_PAIRS > num_checked(1000, 2048) > FEWEST_PAIRS


def test_who_annotated_is_unknown_of_label_maps_from_files(world: TinyWorld) -> None:
    annotations = AnnotationSet.open(world.annotations)

    about = annotation_of(annotations)

    assert about["digest"] == annotations.digest
    assert about["of"] == "sample-set"
    assert (about["annotators"], about["minutes"]) == ([], None)
    assert sum(about["splits"].values()) == about["tiles"] == len(annotations.records())
    pixels = np.concatenate([annotations.labels(r).ravel() for r in annotations.records()])
    for i, name in enumerate(annotations.class_map.names):
        assert about["share_of_pixels"][name] == pytest.approx((pixels == i).mean(), rel=1e-5)
    assert annotation_of(AnnotationSet.open(world.truth))["of"] == "tile-set"


def test_annotators_and_minutes_are_added_up(
    world: TinyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotations = AnnotationSet.open(world.annotations)
    first, second, third = (record.image for record in annotations.records()[:3])
    painted = [
        AnnotationRecord(image=first, split="training", annotators="Eva + Ada", minutes=10.0),
        AnnotationRecord(image=second, split="training", annotators="Ada", minutes=5.5),
        AnnotationRecord(image=third, split="test"),
    ]
    monkeypatch.setattr(annotations, "records", lambda: painted)

    about = annotation_of(annotations)

    assert about["annotators"] == ["Ada", "Eva"]
    assert (about["minutes"], about["tiles_with_minutes"]) == (15.5, 2)
    assert about["splits"] == {"training": 2, "validation": 0, "test": 1}


@given(st.lists(st.floats(0.0, 1.0), max_size=30), st.floats(1e-3, 1.1))
def test_every_pair_is_in_the_histogram_once(scores: list[float], largest: float) -> None:
    values = np.array([min(score, largest) for score in scores])
    kept = values < 0.5 * largest

    found = uncertainty_histogram(values, kept, largest)

    edges = found["edges_nats"]
    assert len(edges) == 21
    assert all(low < high for low, high in pairwise(edges))
    assert sum(found["drawn"]) == len(values)
    assert sum(found["kept"]) == kept.sum()


def test_the_histogram_ends_at_a_round_number_above_the_most_uncertain_pair() -> None:
    scores = np.array([0.004, 0.021, 0.036])

    found = uncertainty_histogram(scores, scores < 0.03, math.log(3))

    assert found["edges_nats"][-1] == 0.05
    assert found["edges_nats"][:3] == [0.0, 0.0025, 0.005]
    assert [i for i, count in enumerate(found["drawn"]) if count] == [1, 8, 14]
    assert sum(found["kept"]) == 2


def test_pairs_that_are_sure_are_all_in_the_first_bin() -> None:
    found = uncertainty_histogram(np.zeros(4), np.ones(4, dtype=bool), 0.0)

    assert found["drawn"][0] == 4


TWO = ClassMap((TissueClass("tubule", "#56b4e9"), TissueClass("arteriole", "#e69f00")))

PLAN = Plan(Path("o"), Path("c"), Path("g"), ("", ""), SynthesizeSettings(), side_px=20)


def counted(kept: list[bool], missed: int = 0) -> dict[str, object]:
    """Of drawings of 400 pixels, four with 3, 4, 0 and 200 of arterioles, then those missed."""
    notes = [
        PairNote(w=(0.0,), uncertainty=0.01, pixels=(400 - count, count), way="first")
        for count in (3, 4, 0, 200)
    ]
    nothing = PairNote(w=(0.0,), uncertainty=math.nan, pixels=(100, 300), way="missed")
    tallies = Tallies.of_notes([*notes, *[nothing] * missed], 2)
    chosen = np.array([*kept, *[False] * missed])
    return counts_of(Chosen(tallies, chosen, ~(chosen | tallies.missed), 1.0986), PLAN, TWO)


def test_the_shares_of_what_was_drawn_stand_beside_those_of_what_was_kept() -> None:
    about = counted([True, True, True, False])

    assert about["share_of_pixels"] == {"tubule": 0.994167, "arteriole": 0.005833}
    assert about["share_of_pixels_drawn"] == {"tubule": 0.870625, "arteriole": 0.129375}
    assert lost_classes(about) == {"arteriole": (0.129375, 0.005833)}
    assert lost_classes(counted([True] * 4)) == {}


def test_what_was_not_found_is_not_counted_as_drawn() -> None:
    assert (
        counted([True] * 4, missed=3)["share_of_pixels_drawn"]
        == counted([True] * 4)["share_of_pixels_drawn"]
    )
    nothing = counted([False] * 4)
    assert nothing["share_of_pixels"] == {"tubule": 0.0, "arteriole": 0.0}
    assert lost_classes(nothing) == {}


def test_an_image_counts_from_one_percent_of_its_pixels_on() -> None:
    about = counted([True] * 4)

    assert about["images_with_class"] == {"tubule": 4, "arteriole": 3}
    assert about["images_with_1_percent"] == {"tubule": 4, "arteriole": 2}


def test_a_pair_set_tells_how_its_classifier_was_evaluated(world: TinyWorld) -> None:
    about, evaluation = PairSet.open(world.pairs).about, Evaluation.open(world.evaluation)

    quality = about["labels_quality"]

    assert quality["digest"] == evaluation.digest
    assert quality["of"] == "sample-set"
    assert quality["images"] == len(evaluation.images())
    pooled = np.sum(evaluation.confusion(), axis=0)
    found = []
    for i, name in enumerate(KIDNEY.names):
        whole = pooled[i].sum() + pooled[:, i].sum()
        assert (quality["dice"][name] is None) == (whole == 0)
        if whole:
            found.append(2 * pooled[i, i] / whole)
            assert quality["dice"][name] == pytest.approx(found[-1], abs=1e-6)
    assert quality["macro_dice"] == pytest.approx(np.mean(found), abs=1e-6)
    assert quality["definition"].startswith("Dice[macro")
    card = (world.pairs / "README.md").read_text()
    assert f"(evaluation `{evaluation.digest}`)" in card


def scored(
    folder: Path,
    classifier: ClassifierFolder,
    images: list[str],
    annotations: AnnotationSet | None = None,
) -> None:
    """An evaluation of a classifier on images of these names, which all found two of three."""
    of = {} if annotations is None else annotations.parents

    def make(unfinished: UnfinishedArtifact) -> None:
        matrices = [np.array([[2, 0], [1, 0]], dtype=np.int64)] * len(images)
        write_scores(unfinished, matrices, images, TWO)

    made_once(folder, Order("evaluation", {}, classifier.parents | of), make)


@pytest.fixture
def alone(world: TinyWorld, tmp_path: Path) -> ClassifierFolder:
    """The world's classifier in a folder beside which nothing is."""
    shutil.copytree(world.classifier, tmp_path / "classifiers" / "classifier")
    return ClassifierFolder.open(tmp_path / "classifiers" / "classifier")


def test_an_evaluation_is_found_beside_the_classifier_or_the_pairs(
    alone: ClassifierFolder, tmp_path: Path
) -> None:
    pairs = tmp_path / "sets" / "pairs"
    assert labels_quality(alone, pairs) is None

    scored(tmp_path / "sets" / "few", alone, ["x"])
    beside_pairs = labels_quality(alone, pairs)
    scored(tmp_path / "classifiers" / "more", alone, ["x", "y"])
    of_more = labels_quality(alone, pairs)

    assert beside_pairs is not None
    assert of_more is not None
    assert (beside_pairs["images"], of_more["images"]) == (1, 2)
    assert of_more["digest"] == Evaluation.open(tmp_path / "classifiers" / "more").digest
    assert of_more["dice"] == {"tubule": 0.8, "arteriole": 0.0}
    assert of_more["macro_dice"] == 0.4


def test_a_classifier_that_vanished_is_missing_rather_than_never_evaluated(
    alone: ClassifierFolder, tmp_path: Path
) -> None:
    scored(tmp_path / "classifiers" / "e", alone, ["x"])
    alone.folder.rename(tmp_path / "away")

    with pytest.raises(DamagedArtifactError, match=r"split\.csv is missing"):
        labels_quality(alone, tmp_path / "pairs")


def test_a_class_that_is_nowhere_has_no_score(alone: ClassifierFolder, tmp_path: Path) -> None:
    def make(unfinished: UnfinishedArtifact) -> None:
        write_scores(unfinished, [np.array([[4, 0], [0, 0]], dtype=np.int64)], ["x"], TWO)

    made_once(tmp_path / "classifiers" / "e", Order("evaluation", {}, alone.parents), make)

    quality = labels_quality(alone, tmp_path / "pairs")

    assert quality is not None
    assert quality["dice"] == {"tubule": 1.0, "arteriole": None}
    assert json.loads(json.dumps(quality, allow_nan=False)) == quality


def test_it_is_told_if_the_images_were_tiles(
    world: TinyWorld, alone: ClassifierFolder, tmp_path: Path
) -> None:
    shutil.copytree(world.truth, tmp_path / "classifiers" / "truth")
    scored(tmp_path / "classifiers" / "e", alone, ["x"], AnnotationSet.open(world.truth))

    quality = labels_quality(alone, tmp_path / "pairs")

    assert quality is not None
    assert quality["of"] == "tile-set"


def test_scores_on_what_the_classifier_was_fitted_to_do_not_count(
    world: TinyWorld, alone: ClassifierFolder, tmp_path: Path
) -> None:
    sources = tmp_path / "classifiers"
    for folder in (world.annotations, world.samples, world.generator):
        shutil.copytree(folder, sources / folder.name)
    for split in ("training", "validation"):
        evaluate(
            alone.folder,
            sources / "annotations",
            sources / split,
            EvaluateSettings(split=split),
        )
    assert labels_quality(alone, tmp_path / "pairs") is None

    evaluate(alone.folder, sources / "annotations", sources / "test", EvaluateSettings())

    quality = labels_quality(alone, tmp_path / "pairs")
    assert quality is not None
    assert quality["digest"] == Evaluation.open(sources / "test").digest


def cut_short(folder: Path) -> None:
    path = folder / SCORES
    path.write_bytes(path.read_bytes()[:20])


def of_another(folder: Path) -> None:
    text = (folder / MANIFEST).read_text()
    digest = Evaluation.open(folder).manifest.parents["classifier"]
    (folder / MANIFEST).write_text(text.replace(digest, "0" * 64))


@pytest.mark.parametrize(
    "spoil", [cut_short, of_another, lambda folder: (folder / MANIFEST).unlink()]
)
def test_what_cannot_be_read_or_is_of_another_classifier_is_passed_over(
    alone: ClassifierFolder, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    beside = tmp_path / "classifiers"
    scored(beside / "whole", alone, ["x"])
    scored(beside / "spoilt", alone, ["x", "y"])

    spoil(beside / "spoilt")

    quality = labels_quality(alone, tmp_path / "pairs")
    assert quality is not None
    assert quality["images"] == 1


@pytest.mark.parametrize(
    "content", ["[]", "{}", "no JSON", '{"images": ["x"], "overall": [], "classes": []}']
)
def test_an_evaluation_that_says_nothing_ends_no_run(
    alone: ClassifierFolder, tmp_path: Path, content: str
) -> None:
    made_once(
        tmp_path / "classifiers" / "odd",
        Order("evaluation", {}, alone.parents),
        lambda unfinished: unfinished.write(SCORES, content.encode()),
    )

    assert labels_quality(alone, tmp_path / "pairs") is None


def test_the_classifier_goes_with_what_it_was_fitted_to(world: TinyWorld) -> None:
    found = Annotated.found(ClassifierFolder.open(world.classifier), SynthesizeSources())

    assert found.classifier.folder == world.classifier
    assert found.annotations is not None
    assert found.samples is not None
