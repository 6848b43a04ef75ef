"""`hdgan compare`: the same labels for every arm, no patient on both sides, numbers that add up."""

import json
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recipes.comparison_results import main as print_results

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.comparison import ArmText, Comparison
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.leaks import Known
from hdgan.artifacts.manifest import MANIFEST
from hdgan.class_map import UNLABELLED
from hdgan.cli import main
from hdgan.errors import LeakError, SettingsError, WrongArtifactError
from hdgan.pipeline import Made
from hdgan.report.comparison_page import numbers_of
from hdgan.report.comparison_sections import compared_section
from hdgan.report.comparison_words import title_of
from hdgan.settings.compare import ARMS, Arm, CompareSettings, CompareSources
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.synthesize import SynthesizeSettings
from hdgan.settings.train_segmenter import PIXEL_METHODS, TrainSegmenterSettings
from hdgan.stages.compare.arms import RECIPES
from hdgan.stages.compare.inputs import held_out_folds, opened_inputs
from hdgan.stages.compare.plan import Available, Plan, RunJob, planned, with_counts_around
from hdgan.stages.compare.run import compare
from hdgan.stages.evaluate.run import evaluate
from hdgan.stages.synthesize.run import synthesize
from hdgan.stages.train_classifier.run import train_classifier
from hdgan.stages.train_segmenter.run import train_segmenter
from tests.tiny_world import TinyWorld

VERBS: dict[str, Callable[..., Made]] = {
    "train-segmenter": train_segmenter,
    "evaluate": evaluate,
    "train-classifier": train_classifier,
    "synthesize": synthesize,
}

THIN = CompareSettings(
    arms=("supervised", "hdgan"),
    counts=(2,),
    draws=1,
    seeds=2,
    steps=5,
    batch=2,
    width=4,
    num_pairs=4,
    classifier_steps=5,
    classifier_members=2,
    num_pictures=2,
    workers=1,
    device="cpu",
)

QUICK_ARMS = tuple(arm for arm in ARMS if arm != "frozen-features")


def sources_of(world: TinyWorld) -> CompareSources:
    """The annotated drawings of the tiny world's generator, which has not seen fold 0."""
    return CompareSources(annotated_samples=(world.annotations,))


@pytest.fixture(scope="module")
def compared(world: TinyWorld, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Every arm once, but for the one that needs an encoder; do not change it."""
    folder = tmp_path_factory.mktemp("compared") / "comparison"
    settings = replace(THIN, arms=QUICK_ARMS, counts=(4,), seeds=1)
    compare(world.truth, folder, settings, sources_of(world), VERBS)
    return Comparison.open(folder)


@dataclass(frozen=True)
class Thin:
    """Two arms with two seeds, and what was said beforehand."""

    comparison: Comparison
    said: str


@pytest.fixture(scope="module")
def thin(world: TinyWorld, tmp_path_factory: pytest.TempPathFactory) -> Thin:
    """Made undisturbed and by one process; do not change it."""
    folder = tmp_path_factory.mktemp("thin") / "comparison"
    with redirect_stderr(StringIO()) as said:
        compare(world.truth, folder, THIN, sources_of(world), VERBS)
    return Thin(Comparison.open(folder), said.getvalue())


class Text(HTMLParser):
    """What a reader of a page sees."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.parts).split())


def plain_macro_dice(matrix: np.ndarray) -> float:
    """Written out: per class 2 x overlap / (true + predicted), mean of the classes in the truth."""
    values = []
    for k in range(len(matrix)):
        both = int(matrix[k, :].sum()) + int(matrix[:, k].sum())
        if int(matrix[k, :].sum()):
            values.append(2 * int(matrix[k, k]) / both)
    return sum(values) / len(values)


def score_again(comparison: Comparison, row: ArmText) -> float:
    """An arm's score from the confusion matrices and tables on disk, by plain loops."""
    images = comparison.images()
    sums: dict[tuple[str, Any], np.ndarray] = {}
    for run in comparison.runs():
        if (run.arm, run.count) != (row.arm, row.count):
            continue
        tested = [image for image in images if image.fold == run.fold]
        for image, matrix in zip(tested, comparison.confusion(run), strict=True):
            key = (image.patient, (run.draw, run.seed))
            sums[key] = sums.get(key, 0) + matrix
    return float(np.mean([plain_macro_dice(matrix) for matrix in sums.values()]))


def test_every_score_follows_from_the_confusion_matrices_on_disk(compared: Comparison) -> None:
    rows = compared.text.arms

    assert {row.arm for row in rows} == set(QUICK_ARMS)
    for row in rows:
        assert row.score.mean == pytest.approx(score_again(compared, row), abs=1e-12)


def test_a_difference_is_that_of_the_two_arms_and_lies_in_its_interval(thin: Thin) -> None:
    text = thin.comparison.text
    hdgan, supervised = text.arm("hdgan", 2), text.arm("supervised", 2)
    difference = text.difference("hdgan", "supervised", 2)

    assert hdgan is not None
    assert supervised is not None
    assert difference is not None
    found = difference.difference
    expected = score_again(thin.comparison, hdgan) - score_again(thin.comparison, supervised)
    assert found.mean == pytest.approx(expected, abs=1e-12)
    assert found.low is not None
    assert found.high is not None
    assert found.low < expected < found.high
    assert (found.num_patients, found.num_runs) == (2, 2)


def test_every_labelled_pixel_of_the_test_fold_is_counted_in_every_run(
    compared: Comparison, world: TinyWorld
) -> None:
    annotated = AnnotationSet.open(world.truth)
    by_name = {record.image: record for record in annotated.records()}
    images = compared.images()

    for run in compared.runs():
        tested = [image for image in images if image.fold == run.fold]
        for image, matrix in zip(tested, compared.confusion(run), strict=True):
            labels = annotated.labels(by_name[image.image])
            assert int(matrix.sum()) == int((labels != UNLABELLED).sum())


def test_a_run_is_what_its_verbs_make_by_hand(
    compared: Comparison, world: TinyWorld, tmp_path: Path
) -> None:
    settings = TrainSegmenterSettings(
        steps=5, batch=2, crop_px=16, width=4, num_images=4, draw=0, seed=0, folds=(1, 2, 3, 4)
    )
    train_segmenter(world.truth, tmp_path / "segmenter", settings)
    chosen = EvaluateSettings(fold=0)
    evaluate(tmp_path / "segmenter", world.truth, tmp_path / "evaluation", chosen)
    by_hand = np.stack(Evaluation.open(tmp_path / "evaluation").confusion())

    run = next(run for run in compared.runs() if run.run == "supervised-4-fold0-draw0-seed0")
    assert np.array_equal(compared.confusion(run), by_hand)


def test_the_report_begins_with_the_verdict_and_names_every_arm(compared: Comparison) -> None:
    text = compared.text

    page = Text(compared.read("report.html").decode()).text

    assert page.index(text.sentences[0]) < page.index("What was compared")
    for arm in text.design.arms:
        assert title_of(arm) in page
    for sentence in [*text.cannot_show, *text.left_out]:
        assert sentence in page
    assert len(compared.pictures()) == 2
    assert "<script" not in compared.read("report.html").decode()


def test_costs_are_those_of_training_and_pairs(compared: Comparison) -> None:
    cost = {run.arm: run.cpu_seconds for run in compared.runs()}

    known = {arm: seconds for arm, seconds in cost.items() if seconds is not None and seconds > 0}
    assert known.keys() == cost.keys()
    assert known["hdgan"] > known["supervised"]


def test_the_recipe_prints_the_verdict_and_a_row_an_arm(
    compared: Comparison, capsys: pytest.CaptureFixture[str]
) -> None:
    print_results(compared.folder)

    printed = capsys.readouterr().out
    assert printed.startswith(compared.text.sentences[0])
    assert [line.split("`")[1] for line in printed.splitlines() if line.startswith("| `")] == [
        row.arm for row in compared.text.arms
    ]


def test_the_recipe_prints_intervals_alone_where_nothing_may_be_concluded(
    compared: Comparison, capsys: pytest.CaptureFixture[str]
) -> None:
    print_results(compared.folder, verdicts=False)

    printed = capsys.readouterr().out
    assert compared.text.definition in printed
    assert not any(sentence in printed for sentence in compared.text.sentences)
    assert not any(word in printed for word in ("helps", "hurts", "no evidence"))


def test_nothing_large_stays(compared: Comparison) -> None:
    kinds = {path.relative_to(compared.folder).parts[0] for path in compared.folder.iterdir()}

    assert kinds == {
        *("manifest.json", "images.csv", "runs.csv", "classes.json", "comparison.json"),
        *("confusion", "pictures", "report.html"),
    }


def test_show_says_the_verdict(
    compared: Comparison, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["show", str(compared.folder), "--html", str(tmp_path / "page.html")])

    said = capsys.readouterr().out
    assert compared.text.sentences[0] in said
    assert compared.text.sentences[0].split(":")[0] in said
    assert "Worst cases" in Text((tmp_path / "page.html").read_text()).text


def test_without_drawings_every_fold_is_tested_and_every_patient_once(
    world: TinyWorld, tmp_path: Path
) -> None:
    settings = replace(THIN, arms=("supervised", "mean-teacher"), seeds=1)

    compare(world.truth, tmp_path / "comparison", settings, CompareSources(), VERBS)

    comparison = Comparison.open(tmp_path / "comparison")
    patients = {image.patient for image in comparison.images()}
    assert comparison.text.design.folds == [0, 1, 2, 3, 4]
    assert comparison.text.design.num_patients == len(patients) == 10


class Notes:
    """Verbs that note what they are asked for, and do it."""

    def __init__(self) -> None:
        self.segmenters: list[tuple[TrainSegmenterSettings, Any]] = []
        self.classifiers: list[Any] = []
        self.evaluations: list[EvaluateSettings] = []

    @property
    def verbs(self) -> dict[str, Callable[..., Made]]:
        return VERBS | {
            "train-segmenter": self.train_segmenter,
            "train-classifier": self.train_classifier,
            "evaluate": self.evaluate,
        }

    def train_segmenter(self, *parts: Any) -> Made:
        self.segmenters.append((parts[2], parts[4]))
        return train_segmenter(*parts)

    def train_classifier(self, *parts: Any) -> Made:
        self.classifiers.append(parts[2])
        return train_classifier(*parts)

    def evaluate(self, *parts: Any) -> Made:
        self.evaluations.append(parts[3])
        return evaluate(*parts)


def test_every_arm_gets_the_same_number_of_labels_and_no_tile_of_the_test_fold(
    world: TinyWorld, tmp_path: Path
) -> None:
    notes = Notes()
    arms: tuple[Arm, ...] = ("supervised", "fixmatch", "hdgan", "hdgan+real", "hdgan-fixmatch")
    settings = replace(THIN, arms=arms, counts=(4,), seeds=1)

    compare(world.truth, tmp_path / "comparison", settings, sources_of(world), notes.verbs)

    trained = [one for one, _ in notes.segmenters[-len(arms) :]]
    assert all(one.folds == (1, 2, 3, 4) for one in trained)
    assert all(one.fold == 0 for one in notes.evaluations)
    assert {one.steps for one in trained} == {5}
    on_tiles = [one.num_images for one in trained]
    assert sorted(number or 0 for number in on_tiles) == [0, 0, 2, 4, 4]
    assert {one.num_images for one in notes.classifiers} == {2, 4}
    assert all(one.all_splits for one in notes.classifiers)


def test_an_interrupted_comparison_goes_on_to_the_same_result(
    world: TinyWorld, thin: Thin, tmp_path: Path
) -> None:
    folder = tmp_path / "comparison"
    calls = 0

    def impatient(*parts: Any) -> Made:
        nonlocal calls
        calls += 1
        if calls == 3:  # in the middle of the runs
            raise KeyboardInterrupt
        return train_segmenter(*parts)

    with pytest.raises(KeyboardInterrupt):
        compare(
            world.truth, folder, THIN, sources_of(world), VERBS | {"train-segmenter": impatient}
        )
    assert not (folder / MANIFEST).exists()
    assert len(list((folder / "confusion").iterdir())) == 2
    notes = Notes()
    compare(world.truth, folder, THIN, sources_of(world), notes.verbs)

    assert len(notes.segmenters) == 2
    first, second = thin.comparison, Comparison.open(folder)
    for run in first.runs():
        assert first.read(run.confusion) == second.read(run.confusion)
    assert timeless(first) == timeless(second)
    assert [first.read(name) for name in first.pictures()] == [
        second.read(name) for name in second.pictures()
    ]


def timeless(comparison: Comparison) -> dict[str, Any]:
    """What a comparison found, without what it took."""
    text = json.loads(comparison.read("comparison.json"))
    del text["design"]["estimated_seconds"]
    for row in text["arms"]:
        del row["cpu_seconds"], row["seconds"]
    return dict(text)


def test_processes_find_what_one_finds(world: TinyWorld, thin: Thin, tmp_path: Path) -> None:
    compare(world.truth, tmp_path / "two", replace(THIN, workers=2), sources_of(world), VERBS)

    assert timeless(Comparison.open(tmp_path / "two")) == timeless(thin.comparison)


@pytest.mark.parametrize("verb", ["train-segmenter", "evaluate"])
def test_what_an_interrupted_training_cost_is_unknown_but_never_that_of_its_rest(
    world: TinyWorld, tmp_path: Path, verb: str
) -> None:
    folder = tmp_path / "comparison"
    settings = replace(THIN, arms=("supervised", "mean-teacher"), folds=(0,))
    first = "supervised-2-fold0-draw0-seed0"

    def slow(*parts: Any) -> Made:
        made = train_segmenter(*parts)
        time.sleep(1.0)
        return made

    def killed_after(do: Callable[..., Made]) -> Callable[..., Made]:
        def do_and_die(*parts: Any) -> Made:
            made = do(*parts)
            if first in str(made.folder):
                raise KeyboardInterrupt
            return made

        return do_and_die

    slowly = VERBS | {"train-segmenter": slow}
    dying = slowly | {verb: killed_after(slowly[verb])}
    with pytest.raises(KeyboardInterrupt):
        compare(world.truth, folder, settings, CompareSources(), dying)
    compare(world.truth, folder, settings, CompareSources(), VERBS)

    comparison = Comparison.open(folder)
    seconds = {run.run: run.seconds for run in comparison.runs()}
    row = comparison.text.arm("supervised", 2)
    assert row is not None
    if verb == "train-segmenter":
        assert seconds[first] is None
        assert row.seconds == seconds["supervised-2-fold0-draw0-seed1"]
    else:
        assert (seconds[first] or 0.0) > 1.0


def test_each_label_draw_has_pairs_of_other_latents(world: TinyWorld, tmp_path: Path) -> None:
    drawn: dict[str, SynthesizeSettings] = {}

    def noted(*parts: Any) -> Made:
        drawn[parts[1].parent.name] = parts[2]
        return synthesize(*parts)

    settings = replace(THIN, draws=2, seeds=1)

    compare(
        world.truth,
        tmp_path / "comparison",
        settings,
        sources_of(world),
        VERBS | {"synthesize": noted},
    )

    one, other = (drawn[f"pairs-0-default-2-draw{draw}"] for draw in (0, 1))
    assert abs(one.seed - other.seed) >= THIN.num_pairs


def test_a_generator_of_unknown_history_is_used_only_if_there_is_no_other(
    world: TinyWorld,
) -> None:
    inputs = opened_inputs(world.truth, sources_of(world))
    known = inputs.drawings[0]
    unknown = replace(known, known=Known(frozenset(), {}, is_certain=False))
    two = replace(inputs, drawings=[unknown, known])

    held_out = held_out_folds(two, (0,), needs_drawings=True)

    assert held_out.drawings_of == {0: 1}
    assert len(held_out.left_out) == 1
    assert two.other_pools({0: 1}) == []
    assert "tiles of another tile set" in two.other_pools({0: 0})[0]
    fewer_folds = Known(frozenset({1, 2}), {}, is_certain=True)
    fewer = replace(inputs, drawings=[replace(known, known=fewer_folds)])
    assert "learned from folds 1, 2, but" in fewer.other_pools({0: 0})[0]


def test_the_page_says_what_is_so_of_the_arms_that_were_compared(compared: Comparison) -> None:
    text = compared.text
    unknown = text.model_copy(update={"knows_generators": False})
    forest = text.model_copy(update={"candidate": "random-forest"})

    usual, uncertain, other = (compared_section(one).text for one in (text, unknown, forest))

    assert "the same network and the same number of steps" in usual
    assert "of whom nothing had been learned" in usual
    assert "whether the generator had, nobody can check" in uncertain
    assert "whether the generator had, nobody can check" in numbers_of(unknown)[-1][2]
    assert "random forest has no U-Net" in other
    assert "same number of steps" not in other
    page = Text(compared.read("report.html").decode()).text
    assert "its classifier has 5 steps instead of 6000 and 2 perceptrons instead of 10" in page


def test_the_arms_without_steps_are_those_whose_methods_have_none() -> None:
    assert {arm for arm in ARMS if RECIPES[arm].method in PIXEL_METHODS} == {*PIXEL_METHODS}


def test_what_no_arm_uses_is_refused(world: TinyWorld, tmp_path: Path) -> None:
    settings = replace(THIN, arms=("supervised", "mean-teacher"))
    with_encoder = CompareSources(encoder=Path("efficientnet-lite0"))

    with pytest.raises(SettingsError, match="--annotated-samples is given, but no arm"):
        compare(world.truth, tmp_path / "comparison", settings, sources_of(world), VERBS)
    with pytest.raises(SettingsError, match="--encoder is given, but no arm"):
        compare(world.truth, tmp_path / "comparison", settings, with_encoder, VERBS)


def test_a_trial_ends_with_the_budget(world: TinyWorld, tmp_path: Path) -> None:
    notes = Notes()
    settings = replace(THIN, budget="0.01s")

    with pytest.raises(SettingsError, match=r"--budget is 0.01s, but the trial that comes first"):
        compare(world.truth, tmp_path / "comparison", settings, sources_of(world), notes.verbs)

    assert len(notes.segmenters) == 1
    assert not notes.classifiers


def test_a_fold_that_the_generator_has_seen_is_refused(world: TinyWorld, tmp_path: Path) -> None:
    settings = replace(THIN, folds=(0, 1))

    with pytest.raises(LeakError, match=r"has learned from fold 1"):
        compare(world.truth, tmp_path / "comparison", settings, sources_of(world), VERBS)

    assert not (tmp_path / "comparison").exists()


def test_a_planted_leak_is_refused_by_the_test_itself(world: TinyWorld, tmp_path: Path) -> None:
    def careless(*parts: Any) -> Made:
        changed = replace(parts[2], folds=(0, 1, 2, 3, 4))
        return train_segmenter(parts[0], parts[1], changed, *parts[3:])

    verbs = VERBS | {"train-segmenter": careless}

    with pytest.raises(LeakError, match="cannot test it"):
        compare(world.truth, tmp_path / "comparison", THIN, sources_of(world), verbs)


def test_more_labels_than_there_are_are_left_out_and_it_says_so(
    world: TinyWorld, tmp_path: Path
) -> None:
    settings = replace(THIN, counts=(2, 12), seeds=1)

    compare(world.truth, tmp_path / "comparison", settings, sources_of(world), VERBS)

    text = Comparison.open(tmp_path / "comparison").text
    assert text.at == 2
    assert text.arm("supervised", 12) is not None
    assert text.arm("hdgan", 12) is None
    assert any("12 labels: not for hdgan" in sentence for sentence in text.left_out)


def test_it_says_beforehand_what_it_can_show(thin: Thin) -> None:
    assert "4 trainings: 2 arms" in thin.said
    assert "tested on 2 patients (4 images) of fold 0" in thin.said
    assert "One label draw" in thin.said
    assert "Folds 1, 2, 3, 4: the generator" in thin.said


def test_a_budget_that_allows_nothing_is_refused(world: TinyWorld, tmp_path: Path) -> None:
    settings = replace(THIN, steps=100_000, budget="2s")

    with pytest.raises(SettingsError, match=r"--budget is 2s, but the"):
        compare(world.truth, tmp_path / "comparison", settings, sources_of(world), VERBS)

    assert not list((tmp_path / "comparison").iterdir())


def test_a_budget_less_the_trial_takes_seeds_and_label_draws_away_and_says_so(
    world: TinyWorld, tmp_path: Path
) -> None:
    arms: tuple[Arm, ...] = ("supervised", "mean-teacher")
    settings = replace(THIN, arms=arms, folds=(0,), draws=1000, budget="18s")
    calls = 0

    def slow_to_begin(*parts: Any) -> Made:
        nonlocal calls
        calls += 1
        time.sleep(6.0 if calls == 1 else 0.0)
        return train_segmenter(*parts)

    verbs = VERBS | {"train-segmenter": slow_to_begin}
    compare(world.truth, tmp_path / "comparison", settings, CompareSources(), verbs)

    design = Comparison.open(tmp_path / "comparison").text.design
    left_out = Comparison.open(tmp_path / "comparison").text.left_out
    assert 2 <= design.draws < 1000
    assert design.num_runs == len(arms) * design.draws
    assert any(sentence.startswith("For --budget 18s") for sentence in left_out)
    assert design.estimated_seconds is not None
    assert design.estimated_seconds < 12.0


def test_the_arm_of_frozen_features_says_if_its_encoder_cannot_be_read(
    world: TinyWorld, tmp_path: Path
) -> None:
    (tmp_path / "encoder.npz").write_bytes(b"no encoder")
    settings = replace(THIN, arms=("supervised", "frozen-features"))
    sources = replace(sources_of(world), encoder=tmp_path / "encoder.npz")

    with pytest.raises(SettingsError, match=r"frozen-features cannot be run: it has no encoder"):
        compare(world.truth, tmp_path / "comparison", settings, sources, VERBS)


def test_annotated_drawings_are_no_real_tissue(world: TinyWorld, tmp_path: Path) -> None:
    with pytest.raises(WrongArtifactError, match="annotations of drawings"):
        compare(world.annotations, tmp_path / "comparison", THIN, sources_of(world), VERBS)


def test_an_arm_that_needs_drawings_says_what_is_missing(world: TinyWorld, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--annotated-samples"):
        compare(world.truth, tmp_path / "comparison", THIN, CompareSources(), VERBS)


@pytest.mark.parametrize(
    ("choices", "problem"),
    [
        ({"counts": ()}, "--counts"),
        ({"counts": (4, 4)}, "--counts"),
        ({"counts": (0,)}, "--counts"),
        ({"at": 5}, "--at"),
        ({"folds": ()}, "--folds"),
        ({"arms": ("hdgan",)}, "--reference"),
        ({"candidate": "all-labels", "arms": None}, "--candidate"),
        ({"candidate": "supervised"}, "--candidate and --reference are both supervised"),
        ({"budget": "soon"}, "--budget"),
        ({"num_pairs": 1}, "--num-pairs"),
    ],
)
def test_choices_that_cannot_work_are_refused(choices: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        replace(THIN, **choices)


def plan_of(counts: tuple[int, ...], at: int, available: Available) -> Plan:
    """A plan of three arms, tested on fold 0."""
    arms: tuple[Arm, ...] = ("supervised", "hdgan", "hdgan+real")
    settings = replace(THIN, arms=arms, counts=counts, at=at, draws=2)
    return planned(settings, arms, [0], {0: 0}, available)[0]


def test_pairs_are_made_once_and_before_the_runs_that_need_them() -> None:
    plan = plan_of((2, 4), 4, Available(tiles=9, drawings=9))

    jobs = list(plan.jobs())

    places = {job: place for place, job in enumerate(jobs)}
    assert len(places) == len(jobs)
    runs = plan.runs()
    assert {job for job in jobs if isinstance(job, RunJob)} == set(runs)
    for run in runs:
        assert run.pairs is None or places[run.pairs] < places[run]


def test_the_labels_of_a_mixed_arm_are_as_many_as_those_of_any_other() -> None:
    for count in (2, 3, 7, 16):
        for recipe in RECIPES.values():
            if recipe.labels != "all":
                assert recipe.num_tiles(count) + recipe.num_drawings(count) == count


def test_a_smaller_design_keeps_the_labels_of_the_verdict() -> None:
    plan = plan_of((2, 4, 8, 16), 16, Available(tiles=99, drawings=99))

    smaller = with_counts_around(plan, replace(plan.design, counts=(4, 8)))

    assert smaller.design.counts == (8, 16)
