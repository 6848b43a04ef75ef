"""`hdgan annotate` from the outside: begun, killed, gone on with, finished."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hdgan.artifacts.annotation_history import AnnotationHistory, Mark, Stroke
from hdgan.artifacts.annotation_set import HISTORY, AnnotationSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.class_map import AMBIGUOUS, UNLABELLED
from hdgan.errors import (
    ClassMapError,
    DamagedArtifactError,
    LabelError,
    MissingArtifactError,
    SettingsError,
    StorageError,
    WrongArtifactError,
)
from hdgan.settings.annotate import AnnotateSettings, AnnotateSources
from hdgan.settings.import_annotations import ImportAnnotationsSettings
from hdgan.settings.train_classifier import TrainClassifierSettings
from hdgan.stages.annotate import run
from hdgan.stages.annotate.run import annotate
from hdgan.stages.import_annotations import import_annotations
from hdgan.stages.train_classifier.run import train_classifier
from tests.tiny_world import SIDE, TinyWorld, brightness_classes
from tests.web.served_page import ServedPage, open_client, save_stroke

FINISH = AnnotateSettings(finish=True, goal=(2, 1, 2))


def begun(folder: Path, world: TinyWorld, painted: int = 5) -> Path:
    """An unfinished folder in which some tiles are painted as their brightness has it."""
    with pytest.raises(LabelError, match="Nothing is painted yet"):
        annotate(world.samples, folder, FINISH)
    samples = SampleSet.open(world.samples)
    with ServedPage(world.samples, folder) as page:
        client = open_client(page)
        for record in samples.records()[:painted]:
            labels = brightness_classes(samples.image(record))
            save_stroke(client, record.sample, labels)
            client.put(f"/api/tiles/{record.sample}/mark", json={"verdict": "keep"})
        client.close()
        page.kill()
    return folder


@pytest.fixture(scope="module")
def painted(world: TinyWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose server was killed; do not change it."""
    return begun(tmp_path_factory.mktemp("annotate") / "painted", world)


@pytest.fixture
def unfinished(painted: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(painted, tmp_path / "painted"))


def test_what_was_painted_before_a_kill_becomes_an_annotation_set(
    world: TinyWorld, unfinished: Path
) -> None:
    made = annotate(world.samples, unfinished, FINISH)

    annotations = AnnotationSet.open(unfinished)
    samples = SampleSet.open(world.samples)
    records = annotations.records()
    assert made.facts["label maps"] == len(records) == 5
    assert made.facts["minutes of annotation"] == 5.0
    for record, sample in zip(records, samples.records(), strict=False):
        expected = brightness_classes(samples.image(sample))
        assert np.array_equal(annotations.labels(record), expected)
        assert (record.annotators, record.minutes, record.revision) == ("Anna", 1.0, 1)
    splits = [record.split for record in records]
    assert [splits.count(s) for s in ("training", "validation", "test")] == [2, 1, 2]
    assert not (unfinished / ".unfinished").exists()
    annotations.check_files()


def test_a_classifier_can_be_fitted_to_what_was_painted(
    world: TinyWorld, unfinished: Path, tmp_path: Path
) -> None:
    annotate(world.samples, unfinished, FINISH)
    for name in ("samples", "generator"):
        (tmp_path / name).symlink_to(getattr(world, name))

    settings = TrainClassifierSettings(steps=2, batch=16, num_members=2)
    made = train_classifier(unfinished, tmp_path / "classifier", settings)

    assert made.facts["members"] == 2


def test_finishing_twice_says_the_same(world: TinyWorld, unfinished: Path) -> None:
    first = annotate(world.samples, unfinished, FINISH)
    manifest = (unfinished / "manifest.json").read_bytes()

    assert annotate(world.samples, unfinished, FINISH) == first
    assert (unfinished / "manifest.json").read_bytes() == manifest


def test_what_a_kill_left_in_a_finished_set_goes_when_it_is_finished_again(
    world: TinyWorld, unfinished: Path
) -> None:
    begun = (unfinished / ".unfinished/command.json").read_bytes()
    annotate(world.samples, unfinished, FINISH)
    (unfinished / ".unfinished").mkdir()
    (unfinished / ".unfinished/command.json").write_bytes(begun)
    (unfinished / ".unfinished/lock").touch()

    annotate(world.samples, unfinished, FINISH)

    assert not (unfinished / ".unfinished").exists()


def test_a_finished_set_is_not_painted_on(world: TinyWorld, unfinished: Path) -> None:
    annotate(world.samples, unfinished, FINISH)

    with pytest.raises(SettingsError, match="--start-from"):
        annotate(world.samples, unfinished, AnnotateSettings())


@pytest.mark.parametrize("is_finished", [False, True])
def test_another_folder_goes_on_where_this_one_stands(
    world: TinyWorld, unfinished: Path, tmp_path: Path, *, is_finished: bool
) -> None:
    if is_finished:
        annotate(world.samples, unfinished, FINISH)
        before = (unfinished / HISTORY).read_bytes()
    further = tmp_path / "further"

    annotate(world.samples, further, FINISH, AnnotateSources(start_from=unfinished))

    assert len(AnnotationSet.open(further).records()) == 5
    if is_finished:
        assert (unfinished / HISTORY).read_bytes() == before
        AnnotationSet.open(unfinished).check_files()


def test_label_maps_from_elsewhere_can_be_gone_on_from(world: TinyWorld, tmp_path: Path) -> None:
    further = tmp_path / "further"

    annotate(world.samples, further, FINISH, AnnotateSources(start_from=world.annotations))

    before, after = AnnotationSet.open(world.annotations), AnnotationSet.open(further)
    assert len(after.records()) == len(before.records())
    for record in before.records():
        (same,) = [row for row in after.records() if row.image == record.image]
        assert same.split == record.split
        assert np.array_equal(after.labels(same), before.labels(record))


def test_annotations_of_other_tiles_are_not_gone_on_from(world: TinyWorld, tmp_path: Path) -> None:
    with pytest.raises(WrongArtifactError, match="other tiles"):
        annotate(world.samples, tmp_path / "new", FINISH, AnnotateSources(start_from=world.truth))


def test_what_is_no_annotation_is_not_gone_on_from(world: TinyWorld, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(MissingArtifactError, match="no annotations"):
        annotate(
            world.samples, tmp_path / "new", FINISH, AnnotateSources(start_from=tmp_path / "empty")
        )


def test_other_classes_than_those_begun_with_are_refused(
    world: TinyWorld, unfinished: Path, tmp_path: Path
) -> None:
    classes = tmp_path / "classes.json"
    classes.write_text('{"classes": [{"name": "all", "colour": "#112233"}]}')

    with pytest.raises(WrongArtifactError, match="classes was another"):
        annotate(world.samples, unfinished, FINISH, AnnotateSources(classes=classes))
    assert (unfinished / ".unfinished" / HISTORY).is_file()


def test_a_second_server_on_the_same_folder_is_refused(world: TinyWorld, tmp_path: Path) -> None:
    with (
        ServedPage(world.samples, tmp_path / "painted"),
        pytest.raises(StorageError, match="Another run of hdgan"),
    ):
        annotate(world.samples, tmp_path / "painted", FINISH)


def test_an_interrupted_server_says_how_it_stands_and_keeps_everything(
    world: TinyWorld, tmp_path: Path
) -> None:
    with ServedPage(world.samples, tmp_path / "painted") as page:
        client = open_client(page)
        save_stroke(client, "s000003", np.full((SIDE, SIDE), 2, dtype=np.uint8))
        client.close()
        said = page.interrupt()

        page.start()
        client = open_client(page)
        labels = client.get("/api/tiles/s000003/readings/1/labels").content
        client.close()

    assert "painted tiles" in said
    assert "run the same command again" in said
    assert labels == bytes([2]) * SIDE**2


def test_a_browser_is_known_again_after_a_restart(world: TinyWorld, tmp_path: Path) -> None:
    with ServedPage(world.samples, tmp_path / "painted") as page:
        client = open_client(page)
        page.kill()
        page.start()

        assert client.get("/api/session").status_code == 200
        client.close()


def test_the_folder_beside_the_samples_is_the_default(world: TinyWorld, tmp_path: Path) -> None:
    shutil.copytree(world.samples, tmp_path / "samples")

    with ServedPage(tmp_path / "samples"):
        assert (tmp_path / "annotations").is_dir()


def history_of(folder: Path) -> AnnotationHistory:
    sizes = {f"s{i:06d}": (SIDE, SIDE) for i in range(12)}
    return AnnotationHistory(folder / ".unfinished" / HISTORY, sizes)


def test_of_two_readings_only_what_agrees_is_written_if_wished(
    world: TinyWorld, unfinished: Path
) -> None:
    history = history_of(unfinished)
    first = history.labels("s000000", 1)
    other = first.copy()
    other[:4] = 0
    history.append("s000000", 2, 0, Stroke("brush", 0, 0, other), "Ben")
    history.close()

    annotate(world.samples, unfinished, AnnotateSettings(finish=True, reading="agreed"))

    annotations = AnnotationSet.open(unfinished)
    record = annotations.records()[0]
    assert np.array_equal(annotations.labels(record), np.where(first == other, first, UNLABELLED))
    assert record.annotators == "Anna + Ben"


def test_ambiguous_pixels_are_unlabelled_and_counted(world: TinyWorld, unfinished: Path) -> None:
    history = history_of(unfinished)
    unsure = np.full((4, SIDE), AMBIGUOUS, dtype=np.uint8)
    history.append("s000000", 1, 1, Stroke("mark", 0, 0, unsure), "Anna")
    history.close()

    annotate(world.samples, unfinished, FINISH)

    annotations = AnnotationSet.open(unfinished)
    record = annotations.records()[0]
    assert record.ambiguous == 0.25
    assert (annotations.labels(record)[:4] == UNLABELLED).all()


def test_rejected_tiles_are_left_out(world: TinyWorld, unfinished: Path) -> None:
    history = history_of(unfinished)
    history.mark("s000001", Mark("reject", "blurred"), "Anna")
    history.close()

    annotate(world.samples, unfinished, FINISH)

    names = [record.image for record in AnnotationSet.open(unfinished).records()]
    assert "s000001" not in names
    assert len(names) == 4


def test_samples_become_a_project_for_qupath_and_nothing_else(
    world: TinyWorld, tmp_path: Path
) -> None:
    sources = AnnotateSources(to_qupath=tmp_path / "qupath")

    made = annotate(world.samples, tmp_path / "painted", FINISH, sources)

    assert (made.kind, made.facts) == ("QuPath project", {"tiles": 9, "with annotations": 0})
    project = json.loads((tmp_path / "qupath" / "project.qpproj").read_bytes())
    assert len(project["images"]) == 9
    assert [path.name for path in tmp_path.iterdir()] == ["qupath"]


def test_what_is_painted_goes_to_qupath_and_comes_back(
    world: TinyWorld, unfinished: Path, tmp_path: Path
) -> None:
    sources = AnnotateSources(to_qupath=tmp_path / "qupath")
    made = annotate(world.samples, unfinished, FINISH, sources)
    annotate(world.samples, unfinished, FINISH)

    import_annotations(
        world.samples,
        tmp_path / "qupath" / "annotations",
        tmp_path / "back",
        ImportAnnotationsSettings(),
        world.classes,
    )

    assert made.facts == {"tiles": 5, "with annotations": 5}
    before, after = AnnotationSet.open(unfinished), AnnotationSet.open(tmp_path / "back")
    for record in before.records():
        (same,) = [row for row in after.records() if row.image == record.image]
        assert np.array_equal(after.labels(same), before.labels(record))


def test_a_folder_with_something_in_it_is_not_made_a_project(
    world: TinyWorld, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(WrongArtifactError, match="not empty"):
        annotate(world.samples, None, FINISH, AnnotateSources(to_qupath=tmp_path))


def test_without_predictions_nothing_imports_torch(world: TinyWorld, unfinished: Path) -> None:
    program = (
        "import sys\n"
        "from hdgan.cli import main\n"
        "main(['annotate', sys.argv[1], sys.argv[2], '--finish'])\n"
        "heavy = {'torch', 'matplotlib', 'monai'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )

    result = subprocess.run(
        [sys.executable, "-c", program, world.samples, unfinished],
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    assert "label maps" in result.stdout


def test_a_generator_cannot_be_annotated(world: TinyWorld, tmp_path: Path) -> None:
    with pytest.raises(WrongArtifactError, match="sample-set or tile-set"):
        annotate(world.generator, tmp_path / "painted", FINISH)


def test_real_tiles_have_no_features_to_predict_from(world: TinyWorld, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="real tiles"):
        annotate(world.tiles, tmp_path / "painted", AnnotateSettings(predict=True))


def test_a_package_that_is_missing_is_one_sentence(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PACKAGES", {"no_such_module": "no-such-package"})

    with pytest.raises(SettingsError, match=r"needs no-such-package\. .*hdgan\[annotate\]"):
        annotate(world.samples, tmp_path / "painted", FINISH)


def splits_of(folder: Path) -> dict[str, str | None]:
    return {record.image: record.split for record in AnnotationSet.open(folder).records()}


def test_going_on_leaves_every_tile_in_its_split(
    world: TinyWorld, unfinished: Path, tmp_path: Path
) -> None:
    annotate(world.samples, unfinished, FINISH)
    further = tmp_path / "further"
    with pytest.raises(SettingsError, match="finished"):
        annotate(world.samples, unfinished, AnnotateSettings())
    with ServedPage(world.samples, further, "--start-from", unfinished) as page:
        client = open_client(page)
        save_stroke(client, "s000009", np.zeros((SIDE, SIDE), dtype=np.uint8))
        client.close()

    annotate(world.samples, further, FINISH)

    before, after = splits_of(unfinished), splits_of(further)
    assert after.keys() - before.keys() == {"s000009"}
    assert {name: after[name] for name in before} == before


def with_manifest(folder: Path, **changes: object) -> Path:
    """The same artifact, as if it had been made in another way."""
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return folder


def test_what_imported_labels_have_seen_is_not_forgotten(world: TinyWorld, tmp_path: Path) -> None:
    imported = Path(shutil.copytree(world.annotations, tmp_path / "imported"))
    parents = AnnotationSet.open(imported).manifest.parents | {"segmenter": "0" * 64}
    with_manifest(imported, parents=parents, seen={"tiles": [0, 1]})
    for i, start in enumerate([imported, tmp_path / "further0"]):
        further = tmp_path / f"further{i}"
        annotate(world.samples, further, FINISH, AnnotateSources(start_from=start))

    manifest = AnnotationSet.open(tmp_path / "further1").manifest
    assert manifest.seen["tiles"] == [0, 1]
    assert manifest.parents["segmenter"] == "0" * 64


def test_a_start_that_is_refused_in_the_middle_leaves_nothing_behind(
    world: TinyWorld, tmp_path: Path
) -> None:
    imported = Path(shutil.copytree(world.annotations, tmp_path / "imported"))
    last = AnnotationSet.open(imported).records()[-1]
    (imported / last.labels).write_bytes(b"broken")
    further = tmp_path / "further"

    with pytest.raises(DamagedArtifactError):
        annotate(world.samples, further, FINISH, AnnotateSources(start_from=imported))
    annotate(world.samples, further, FINISH, AnnotateSources(start_from=world.annotations))

    assert len(splits_of(further)) == len(splits_of(world.annotations))


def test_a_reading_that_was_undone_agrees_with_everything(
    world: TinyWorld, unfinished: Path
) -> None:
    history = history_of(unfinished)
    stray = np.zeros((2, 2), dtype=np.uint8)
    history.append("s000000", 2, 0, Stroke("brush", 0, 0, stray), "Ben")
    history.append("s000000", 2, 1, Stroke("undo", 0, 0, stray + UNLABELLED, 1), "Ben")
    first = history.labels("s000000", 1)
    history.close()

    annotate(world.samples, unfinished, AnnotateSettings(finish=True, reading="agreed"))

    annotations = AnnotationSet.open(unfinished)
    assert np.array_equal(annotations.labels(annotations.records()[0]), first)


def test_a_tile_on_which_nothing_is_agreed_is_left_out_and_counted(
    world: TinyWorld, unfinished: Path
) -> None:
    history = history_of(unfinished)
    other = (history.labels("s000000", 1) + 1) % 5
    history.append("s000000", 2, 0, Stroke("brush", 0, 0, other.astype(np.uint8)), "Ben")
    history.close()

    made = annotate(world.samples, unfinished, AnnotateSettings(finish=True, reading="agreed"))

    assert made.facts["tiles left out, nothing agreed"] == 1
    assert "s000000" not in splits_of(unfinished)


def test_outlines_of_other_tiles_are_not_written_for_qupath(
    world: TinyWorld, unfinished: Path, tmp_path: Path
) -> None:
    sources = AnnotateSources(to_qupath=tmp_path / "qupath")

    with pytest.raises(WrongArtifactError, match="other tiles"):
        annotate(world.tiles, unfinished, FINISH, sources)


def test_what_was_painted_is_not_renamed_for_qupath(
    world: TinyWorld, unfinished: Path, tmp_path: Path
) -> None:
    classes = tmp_path / "classes.json"
    classes.write_text('{"classes": [{"name": "stroma", "colour": "#112233"}]}')
    sources = AnnotateSources(to_qupath=tmp_path / "qupath", classes=classes)

    with pytest.raises(WrongArtifactError, match="painted with the classes"):
        annotate(world.samples, unfinished, FINISH, sources)
    assert not (tmp_path / "qupath").exists()


def test_a_class_that_is_called_like_the_mark_is_refused(world: TinyWorld, tmp_path: Path) -> None:
    classes = tmp_path / "classes.json"
    classes.write_text('{"classes": [{"name": "Ambiguous", "colour": "#112233"}]}')

    with pytest.raises(ClassMapError, match="another name"):
        annotate(world.samples, tmp_path / "new", FINISH, AnnotateSources(classes=classes))
