"""Pairs: more of them later, archives of them, those that are dropped, noise, time."""

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from hdgan.artifacts.arrays import array_bytes, arrays_of, rows_at, write_rows
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.images import rgb_of
from hdgan.artifacts.manifest import MANIFEST, UNFINISHED
from hdgan.artifacts.pair_notes import PairNote, PairNotes
from hdgan.artifacts.pair_set import PairRecord, PairSet
from hdgan.artifacts.tile_set import TileSet
from hdgan.errors import (
    LabelError,
    MissingArtifactError,
    SettingsError,
    StorageError,
    WrongArtifactError,
)
from hdgan.method.labelled_drawing import LabelledGenerator
from hdgan.method.latent import image_of, noise_of, w_of
from hdgan.method.uncertainty import kept_after_filter
from hdgan.settings.synthesize import SynthesizeSettings, SynthesizeSources
from hdgan.stages.synthesize import composing, finishing, plan, spreading
from hdgan.stages.synthesize.drawing import Drawer
from hdgan.stages.synthesize.networks import Networks
from hdgan.stages.synthesize.run import synthesize
from hdgan.workers import done_by_processes
from tests.stages.test_interruption import files_of
from tests.tiny_world import TinyWorld, write_encoder

FEW = SynthesizeSettings(num_pairs=6, drop_fraction=0.3, workers=1)
MANY = replace(FEW, num_pairs=14)


def made(world: TinyWorld, output: Path, settings: SynthesizeSettings) -> PairSet:
    """The pairs that a command makes."""
    synthesize(world.classifier, output, settings, SynthesizeSources(generator=world.generator))
    return PairSet.open(output)


@pytest.mark.parametrize("files", ["png", "shards", "tiff"])
def test_a_larger_number_adds_to_what_is_there(
    world: TinyWorld, tmp_path: Path, files: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_shards(monkeypatch)
    few, many = (replace(settings, files=files) for settings in (FEW, MANY))  # type: ignore[arg-type]
    made(world, tmp_path / "grown", few)
    again = drawn_again(tmp_path, monkeypatch)

    grown = made(world, tmp_path / "grown", many)
    at_once = made(world, tmp_path / "whole", many)

    assert len(at_once.records()) == 14 - 5
    assert files_of(tmp_path / "grown") == files_of(tmp_path / "whole")
    shards = {record.shard for record in grown.records()} - {None}
    assert shards == {f"shards/{path.name}" for path in (tmp_path / "grown" / "shards").glob("*")}
    assert (len(shards) > 2) == (files == "shards")
    drawn = [row for folder, row in again if folder == "grown"]
    # Of the first six, only those are drawn again that had been dropped and now are not.
    assert set(range(6, 14)) <= set(drawn)
    assert len(drawn) == len(set(drawn)) < 14
    for record in grown.records():
        assert grown.image(record).shape == (*grown.labels(record).shape, 3)


def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four pairs in an archive."""
    monkeypatch.setattr("hdgan.artifacts.pair_notes.SHARD_PAIRS", 4)
    for module in ("finishing", "watching"):
        monkeypatch.setattr(f"hdgan.stages.synthesize.{module}.SHARD_PAIRS", 4)


def stopped_at(row: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the disk be full when this pair is drawn, but not before."""
    original = Drawer._made

    def made_until(self: Drawer, each: int) -> object:
        if each == row:
            raise StorageError("the disk is full")
        return original(self, each)

    monkeypatch.setattr(Drawer, "_made", made_until)


def test_archives_are_packed_while_others_are_drawn_and_taken_up_again(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_shards(monkeypatch)
    settings = replace(MANY, files="shards")
    whole = made(world, tmp_path / "whole", settings)
    with monkeypatch.context() as patch:
        stopped_at(11, patch)
        with pytest.raises(StorageError):
            made(world, tmp_path / "stopped", settings)
    packed = sorted((tmp_path / "stopped" / UNFINISHED / "shards").iterdir())
    again = drawn_again(tmp_path, monkeypatch)

    made(world, tmp_path / "stopped", settings)

    assert packed[0].name == "s000000.zip"
    assert {row for _, row in again} <= set(range(7, 14))
    assert files_of(tmp_path / "stopped") == files_of(whole.folder)


@pytest.mark.parametrize("files", ["png", "shards"])
def test_a_growth_that_was_stopped_leaves_the_first_pairs_as_they_were(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: str
) -> None:
    few, many = (replace(each, files=files) for each in (FEW, MANY))  # type: ignore[arg-type]
    made(world, tmp_path / "pairs", few)
    before = files_of(tmp_path / "pairs")
    with monkeypatch.context() as patch:
        stopped_at(11, patch)
        with pytest.raises(StorageError):
            made(world, tmp_path / "pairs", many)

    made(world, tmp_path / "pairs", few)  # the first command again: there is nothing to do

    found = files_of(tmp_path / "pairs")
    assert {name: found[name] for name in found if UNFINISHED not in name} == before
    again = drawn_again(tmp_path, monkeypatch)
    made(world, tmp_path / "pairs", many)
    assert {row for _, row in again if row > 5} <= set(range(7, 14))
    made(world, tmp_path / "whole", many)
    assert files_of(tmp_path / "pairs") == files_of(tmp_path / "whole")


def test_a_pair_that_is_not_there_is_drawn_again_or_missed(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = PairNotes.write
    forgotten = [3]

    def forgetful(self: PairNotes, row: int, note: PairNote) -> None:
        if row in forgotten:
            forgotten.remove(row)
        else:
            written(self, row, note)

    monkeypatch.setattr(PairNotes, "write", forgetful)
    assert len(made(world, tmp_path / "once", FEW).all_records()) == 6

    forgotten += [3, 3, 3]
    with pytest.raises(StorageError, match="p0000003 was drawn, but is not in"):
        made(world, tmp_path / "always", FEW)
    assert not (tmp_path / "always" / MANIFEST).exists()


def test_wrong_annotations_are_told_before_anything_is_drawn(
    world: TinyWorld, tmp_path: Path
) -> None:
    made(world, tmp_path / "pairs", FEW)
    before = files_of(tmp_path / "pairs")

    for name, error in (("samples", WrongArtifactError), ("nowhere", MissingArtifactError)):
        sources = SynthesizeSources(world.generator, annotations=world.folder / name)
        with pytest.raises(error):
            synthesize(world.classifier, tmp_path / "pairs", MANY, sources)

    assert files_of(tmp_path / "pairs") == before


def test_nothing_is_begun_after_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    some = plan.Plan(Path("o"), Path("c"), Path("g"), ("", ""), FEW, 16)
    now = iter([0.0, 1.0, 2.0, 3.0])
    monkeypatch.setattr("hdgan.stages.synthesize.plan.time", lambda: next(now))

    assert list(plan.Portion(some, (4, 5, 6, 7), deadline=2.0).in_time()) == [4, 5]


def test_another_classifier_at_the_same_path_is_found_out(world: TinyWorld, tmp_path: Path) -> None:
    some = plan.Plan(*(tmp_path / "o", world.classifier, world.generator), ("old", "old"), FEW, 16)

    with pytest.raises(WrongArtifactError, match="is another one here than where the run was"):
        Networks.loaded(some, torch.device("cpu"))


def test_strange_files_among_the_images_are_left_alone(world: TinyWorld, tmp_path: Path) -> None:
    made(world, tmp_path / "pairs", FEW)
    strange = tmp_path / "pairs" / "images" / "p0000001 (copy).png"
    strange.write_bytes(b"mine")

    made(world, tmp_path / "pairs", MANY)

    assert strange.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"threads": 100_000}, "--threads is 100000; it must be from 1 to 1024"),
        ({"seed": 4_000_000_000, "num_pairs": 2}, "only 32 bits of a seed are used"),
        ({"drop_fraction": 1.0}, "--drop-fraction is 1.0"),
    ],
)
def test_numbers_that_cannot_work_are_refused(choice: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        replace(FEW, **choice)  # type: ignore[arg-type]


def drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The folder and the row of every pair that is drawn from now on."""
    found: list[tuple[str, int]] = []
    original = Drawer._made

    def noted(self: Drawer, row: int) -> object:
        found.append((self.plan.folder.relative_to(tmp_path).parts[0], row))
        return original(self, row)

    monkeypatch.setattr(Drawer, "_made", noted)
    return found


def test_a_smaller_number_or_another_choice_is_refused(world: TinyWorld, tmp_path: Path) -> None:
    made(world, tmp_path / "pairs", FEW)
    before = files_of(tmp_path / "pairs")

    for other, words in (
        (replace(FEW, num_pairs=5), "num-pairs was 6, now 5"),
        (replace(MANY, truncation=0.5), r"command \(truncation was 0.7, now 0.5\)"),
        (replace(FEW, num_pairs=None, budget="1h"), "num-pairs was 6, now not given"),
    ):
        with pytest.raises(WrongArtifactError, match=words):
            made(world, tmp_path / "pairs", other)
    assert files_of(tmp_path / "pairs") == before


def test_what_is_being_added_to_stays_whole_until_the_end(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(world, tmp_path / "pairs", FEW)
    before = files_of(tmp_path / "pairs")

    def full(*_: object) -> None:
        raise StorageError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(finishing.Finishing, "_draw_again", full)
        with pytest.raises(StorageError):
            made(world, tmp_path / "pairs", MANY)
    pairs = PairSet.open(tmp_path / "pairs")
    pairs.check_files()
    assert len(pairs.all_records()) == 6
    # A number between the two goes on, too, and loses nothing.
    made(world, tmp_path / "pairs", replace(FEW, num_pairs=10))
    made(world, tmp_path / "ten", replace(FEW, num_pairs=10))

    assert files_of(tmp_path / "pairs") == files_of(tmp_path / "ten")
    assert before[MANIFEST] != files_of(tmp_path / "pairs")[MANIFEST]


def test_what_goes_wrong_at_the_end_costs_no_pair(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object) -> None:
        raise LabelError("the annotations are damaged")

    made(world, tmp_path / "grown", FEW)
    before = files_of(tmp_path / "grown")
    with monkeypatch.context() as patch:
        patch.setattr(finishing, "compared", wrong)
        for name in ("new", "grown"):
            with pytest.raises(LabelError):
                made(world, tmp_path / name, MANY)
    drawn = drawn_again(tmp_path, monkeypatch)
    pairs = made(world, tmp_path / "new", MANY)
    made(world, tmp_path / "grown", MANY)

    assert drawn == []
    assert len(pairs.all_records()) == 14
    assert files_of(tmp_path / "new") == files_of(tmp_path / "grown") != before


def test_archives_hold_the_same_pairs(world: TinyWorld, tmp_path: Path) -> None:
    plain = made(world, tmp_path / "plain", FEW)
    packed = made(world, tmp_path / "packed", replace(FEW, files="shards"))

    assert [r.pair for r in plain.records()] == [r.pair for r in packed.records()]
    for record, other in zip(plain.records(), packed.records(), strict=True):
        assert np.array_equal(plain.image(record), packed.image(other))
        assert np.array_equal(plain.labels(record), packed.labels(other))
        assert np.array_equal(plain.uncertainty(record), packed.uncertainty(other))
    with zipfile.ZipFile(tmp_path / "packed" / "shards" / "s000000.zip") as archive:
        assert len(archive.namelist()) == 3 * len(packed.records())
    assert not (tmp_path / "packed" / "images").exists()
    assert plain.about["share_of_pixels"] == packed.about["share_of_pixels"]


def test_a_limit_drops_first_and_a_part_then(world: TinyWorld, tmp_path: Path) -> None:
    everything = made(world, tmp_path / "all", replace(FEW, drop_fraction=0.0))
    scores = sorted(record.uncertainty for record in everything.all_records())
    limit = (scores[3] + scores[4]) / 2

    both = made(world, tmp_path / "both", replace(FEW, max_uncertainty=limit))

    # Two exceed the limit; of the four that are left, ceil(0.3 x 4) go.
    assert sorted(record.uncertainty for record in both.records()) == scores[:2]
    assert both.about["num_dropped"] == 4
    assert {record.why for record in both.all_records() if not record.kept} == {"uncertain"}


def test_exactly_the_ceiling_is_dropped_of_any_number() -> None:
    random = np.random.default_rng(0)
    for count in range(1001):
        for fraction in (0.0, 0.07, 0.1, 1 / 4, 0.5):
            kept = kept_after_filter(random.random(count), fraction)
            hundredths = round(fraction * 100)
            assert kept.sum() == count - -(-hundredths * count // 100)


def test_draws_of_a_latent_differ_in_their_noise_alone(world: TinyWorld, tmp_path: Path) -> None:
    settings = replace(FEW, noise_draws=3, drop_fraction=0.0)
    pairs = made(world, tmp_path / "pairs", settings)
    network = GeneratorFolder.open(world.generator).generator()
    folder = ClassifierFolder.open(world.classifier)
    labelled = LabelledGenerator(
        network,
        folder.classifier(),
        folder.text.num_blocks,
        context=folder.context(),
        decision=folder.decision,
    )

    records = pairs.records()

    assert [(r.seed - settings.seed, r.noise) for r in records] == [
        *((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2))
    ]
    assert np.array_equal(pairs.latents()[0], pairs.latents()[2])
    assert not np.array_equal(pairs.image(records[0]), pairs.image(records[1]))
    for record in records:
        w = torch.from_numpy(pairs.latents()[record.row : record.row + 1])
        noise = noise_of(network, record.seed, record.noise)
        assert np.array_equal(pairs.image(record), image_of(network, w, noise))
        assert np.array_equal(pairs.labels(record), labelled.drawing(w, noise).labels)


def test_noise_is_asked_only_of_generators_that_have_some(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hdgan.stages.synthesize.run.has_noise", lambda _: False)

    with pytest.raises(SettingsError, match="was trained without noise"):
        made(world, tmp_path / "pairs", replace(FEW, noise_draws=2))


def test_noise_does_not_depend_on_what_was_drawn_before(world: TinyWorld) -> None:
    network = GeneratorFolder.open(world.generator).generator()
    w = w_of(network, 3, 0.7)
    torch.manual_seed(1)
    first = image_of(network, w, noise_of(network, 3, 1))
    torch.manual_seed(2)

    assert np.array_equal(first, image_of(network, w, noise_of(network, 3, 1)))
    assert not np.array_equal(first, image_of(network, w, noise_of(network, 3, 2)))
    assert np.array_equal(image_of(network, w), image_of(network, w, noise_of(network, 3, 0)))


def test_time_decides_how_many_there_are_and_more_time_adds(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ticking(monkeypatch)
    timed = replace(FEW, num_pairs=None, budget="20s")

    first = made(world, tmp_path / "pairs", timed)
    first_count = first.about["num_drawn"]
    kept = {r.pair: r.uncertainty for r in first.all_records()}
    more = made(world, tmp_path / "pairs", replace(timed, budget="60s"))

    assert 0 < first_count < more.about["num_drawn"]
    assert more.about["seconds"] >= 60 > first.about["seconds"] >= 20
    assert kept.items() <= {r.pair: r.uncertainty for r in more.all_records()}.items()
    counted = made(world, tmp_path / "counted", replace(FEW, num_pairs=more.about["num_drawn"]))
    assert [r.uncertainty for r in more.all_records()] == [
        r.uncertainty for r in counted.all_records()
    ]
    assert clock() > 60


def ticking(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """A clock that goes on by a second whenever it is looked at."""
    now = [0.0]

    def monotonic() -> float:
        now[0] += 1.0
        return now[0]

    for clock in ("plan.time", "run.time", "run.monotonic"):
        monkeypatch.setattr(f"hdgan.stages.synthesize.{clock}", monotonic)
    return monotonic


def test_too_little_time_is_said(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match=r"--budget is '0s'"):
        replace(FEW, budget="0s")

    ticking(monkeypatch)
    with pytest.raises(SettingsError, match="was over before the first pair was whole"):
        made(world, tmp_path / "pairs", replace(FEW, num_pairs=None, budget="0.5s"))

    assert not list((tmp_path / "pairs").glob("*"))


def test_archives_that_another_process_has_packed_are_seen(tmp_path: Path) -> None:
    ours, theirs = (PairNotes(tmp_path, in_shards=True) for _ in range(2))
    note = PairNote((0.5,), 0.1, (3, 4))
    for row in (0, 1):
        (theirs.place(row) / "images").mkdir(parents=True, exist_ok=True)
        (theirs.place(row) / "images" / f"p{row:07d}.png").write_bytes(bytes([row]))
        theirs.write(row, note)
        theirs.pack(row)

        assert [ours.has(each) for each in range(3)] == [True, row == 1, False]
        assert ours.read(row) == note
    assert not theirs.place(0).exists()
    with zipfile.ZipFile(ours.packed(0)) as archive:
        assert archive.read("images/p0000001.png") == bytes([1])


def test_one_process_hands_over_when_that_is_worth_it(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, int]] = []

    def noted(do, works, num_workers):  # type: ignore[no-untyped-def]
        listed = list(works)
        calls.append((sum(len(work.rows) for work in listed), num_workers))
        return map(do, listed)

    monkeypatch.setattr(spreading, "TRIAL_SECONDS", 0.0)
    monkeypatch.setattr(spreading, "START_SECONDS", -1.0)
    monkeypatch.setattr(spreading, "num_cores", lambda: 3)
    monkeypatch.setattr(spreading, "done_by_processes", noted)
    spread = made(world, tmp_path / "spread", replace(MANY, workers=None))
    alone = made(world, tmp_path / "alone", MANY)

    ((left, num_workers),) = calls
    assert num_workers == 3
    assert 14 - 6 <= left < 14
    assert files_of(spread.folder) == files_of(alone.folder)


def test_portions_hold_each_row_once() -> None:
    some = plan.Plan(Path("o"), Path("c"), Path("g"), ("", ""), FEW, 16)

    rows = [portion.rows for portion in plan.portions(some, range(7), 3)]

    assert rows == [(0, 1, 2), (3, 4, 5), (6,)]


def test_rows_that_are_written_one_by_one_are_the_file_of_the_whole(tmp_path: Path) -> None:
    array = np.random.default_rng(0).random((7, 5)).astype(np.float32)

    write_rows(tmp_path / "a", "w", array.shape, [array[:3], array[3:]])

    assert (tmp_path / "a").read_bytes() == array_bytes({"w": array})
    assert np.array_equal(arrays_of((tmp_path / "a").read_bytes(), "a")["w"], array)
    assert np.array_equal(rows_at(tmp_path / "a", "w", 2, 4), array[2:4])
    with pytest.raises(ValueError, match="should have had 7 rows"):
        write_rows(tmp_path / "a", "w", array.shape, [array[:3]])


def kill_once(folder: str) -> str:
    """Die the first time, and work the second."""
    import os
    import signal

    mark = Path(folder) / "died"
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return folder


def test_a_process_that_dies_is_begun_again(tmp_path: Path) -> None:
    folders = [tmp_path / str(i) for i in range(3)]
    for folder in folders:
        folder.mkdir()
    shutil.copy(__file__, tmp_path)

    done = list(done_by_processes(kill_once, map(str, folders[:2]), 1))

    assert sorted(done) == sorted(map(str, folders[:2]))


def test_every_pair_has_what_was_asked_for(world: TinyWorld, tmp_path: Path) -> None:
    plain = made(world, tmp_path / "plain", replace(FEW, drop_fraction=0.0))
    names = plain.class_map.names
    shares = np.array([class_shares(plain, record) for record in plain.records()])
    place = int(shares.std(axis=0).argmax())
    least = float(np.sort(shares[:, place])[-2])  # one of six drawings has more
    asked = replace(FEW, drop_fraction=0.0, at_least=(f"{names[place]}={least:.4f}",), num_pilot=16)

    pairs = made(world, tmp_path / "asked", asked)

    about = pairs.about["composition"]
    for record in pairs.records():
        assert class_shares(pairs, record)[place] >= round(least, 4)
    ways = {record.pair: record.way for record in pairs.all_records()}
    for record, share in zip(plain.records(), shares[:, place], strict=True):
        # A drawing that has enough as it comes is taken as it comes.
        assert (ways[record.pair] == "first") == (share >= round(least, 4))
    draws = sum(record.draws for record in pairs.all_records())
    assert about["draws_per_kept_pair"] == pytest.approx(draws / len(pairs.records()))
    assert sum(about["by_way"].values()) + about["num_missed"] == 6
    assert about["num_pilot"] == 16
    card = pairs.read("README.md").decode()
    assert f"{about['draws_per_kept_pair']:.3g} drawings" in card
    assert pairs.about["share_of_pixels"][names[place]] >= round(least, 4)


def class_shares(pairs: PairSet, record: PairRecord) -> np.ndarray:
    """The part of a pair's pixels that each class has."""
    counts = np.bincount(pairs.labels(record).ravel(), minlength=len(pairs.class_map))
    shares: np.ndarray = counts / counts.sum()
    return shares


def test_what_is_made_once_does_not_depend_on_the_cores_of_the_computer(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def noting(module: ModuleType, name: str) -> None:
        original = getattr(module, name)

        def noted(*arguments: object, **keywords: object) -> object:
            threads.append(torch.get_num_threads())
            return original(*arguments, **keywords)

        monkeypatch.setattr(module, name, noted)

    noting(composing, "pilot_of")
    noting(finishing, "compared")
    torch.set_num_threads(2)
    made(world, tmp_path / "pairs", replace(FEW, at_least=("artery=0.01",), num_pilot=4))

    assert threads == [1, 1]
    assert torch.get_num_threads() == 2


def test_what_cannot_be_found_is_left_out_and_counted(world: TinyWorld, tmp_path: Path) -> None:
    plain = made(world, tmp_path / "plain", replace(FEW, drop_fraction=0.0))
    shares = sorted(class_shares(plain, record)[4] for record in plain.records())
    least = (shares[-1] + shares[-2]) / 2
    few = replace(FEW, num_pilot=4, most_draws=1, search=False, drop_fraction=0.0)

    pairs = made(world, tmp_path / "pairs", replace(few, at_least=(f"artery={least:.6f}",)))

    # With a single draw a pair, only the one that has enough as it comes is found.
    assert pairs.about["num_missed"] == 5
    assert [record.why for record in pairs.all_records()].count("missed") == 5
    assert len(list((tmp_path / "pairs").glob("images/*"))) == 1 == len(pairs.records())


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (
            {"at_least": ("artery=99%",), "num_pilot": 4, "most_draws": 1, "search": False},
            "No pair is left of 6: 6 without the composition that --at-least asks for",
        ),
        ({"max_uncertainty": 0.0}, "No pair is left of 6: 6 too uncertain"),
    ],
)
def test_a_set_without_a_pair_is_refused(
    world: TinyWorld, tmp_path: Path, choice: dict[str, object], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        made(world, tmp_path / "pairs", replace(FEW, **choice))  # type: ignore[arg-type]

    assert not list((tmp_path / "pairs").glob("*"))


def test_without_a_number_the_set_stays_as_large_as_it_is(world: TinyWorld, tmp_path: Path) -> None:
    made(world, tmp_path / "pairs", FEW)
    before = files_of(tmp_path / "pairs")

    made(world, tmp_path / "pairs", replace(FEW, num_pairs=None))

    assert files_of(tmp_path / "pairs") == before


def test_equal_choices_in_other_words_are_equal(world: TinyWorld, tmp_path: Path) -> None:
    small = replace(FEW, num_pilot=4, drop_fraction=0.0)
    made(world, tmp_path / "pairs", replace(small, at_least=("artery=1%", "arteriole=0.02")))
    before = files_of(tmp_path / "pairs")

    made(world, tmp_path / "pairs", replace(small, at_least=("arteriole=2%", "artery=0.01")))

    assert files_of(tmp_path / "pairs") == before


@pytest.mark.parametrize(
    ("at_least", "words"),
    [
        (("vein=0.1",), "names vein, which is no class of the classifier. It has whitespace"),
        (("artery",), "--at-least is 'artery'; needed is a class and its least part"),
        (("artery=0",), "above 0 and at most 1"),
        (("artery=0.6", "arteriole=50%"), "asks for 110% of the pixels in all"),
        (("artery=0.1", "artery=0.2"), "names a class twice"),
    ],
)
def test_a_composition_that_cannot_be_is_refused(
    world: TinyWorld, tmp_path: Path, at_least: tuple[str, ...], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        made(world, tmp_path / "pairs", replace(FEW, at_least=at_least))
    assert not (tmp_path / "pairs").exists()


def test_pairs_outside_the_range_of_real_tiles_are_dropped(
    world: TinyWorld, tmp_path: Path
) -> None:
    write_encoder(tmp_path / "squeezenet.npz")
    sources = SynthesizeSources(
        generator=world.generator, tiles=world.tiles, encoder=tmp_path / "squeezenet.npz"
    )
    few = replace(FEW, drop_fraction=0.0)
    synthesize(world.classifier, tmp_path / "all", few, sources)
    everything = PairSet.open(tmp_path / "all")
    realism = sorted(float(record.realism or 0) for record in everything.all_records())
    limit = (realism[2] + realism[3]) / 2

    synthesize(world.classifier, tmp_path / "inside", replace(few, min_realism=limit), sources)

    inside = PairSet.open(tmp_path / "inside")
    assert len(everything.records()) == 6
    assert [record.why for record in inside.all_records()].count("outside") == 3
    assert inside.about["num_outside"] == 3
    assert inside.about["real_tiles"]["min_realism"] == pytest.approx(limit)
    names = {record.tile for record in TileSet.open(world.tiles).records((1, 2, 3, 4))}
    assert {record.nearest_tile for record in inside.all_records()} <= names
    assert rgb_of(inside.read("nearest.png"), "nearest.png").ndim == 3
    assert "nearest.png" in inside.read("README.md").decode()
    assert everything.manifest.parents["tile-set"] == TileSet.open(world.tiles).digest


@pytest.mark.parametrize(
    ("sources", "settings", "words"),
    [
        ({}, {"min_realism": 0.7}, "--min-realism is 0.7, but there is nothing to hold"),
        ({"tiles": "tiles"}, {}, "need one another: --encoder is missing"),
        ({"encoder": "encoder"}, {}, "need one another: --tiles is missing"),
        (
            {"tiles": "tiles", "encoder": "encoder"},
            {"files": "tiff"},
            "--encoder looks at whole images",
        ),
    ],
)
def test_half_of_what_realism_needs_is_refused(
    world: TinyWorld,
    tmp_path: Path,
    sources: dict[str, str],
    settings: dict[str, object],
    words: str,
) -> None:
    write_encoder(tmp_path / "squeezenet.npz")
    places = {"tiles": world.tiles, "encoder": tmp_path / "squeezenet.npz"}
    given = SynthesizeSources(generator=world.generator, **{name: places[name] for name in sources})

    with pytest.raises(SettingsError, match=words):
        synthesize(world.classifier, tmp_path / "pairs", replace(FEW, **settings), given)  # type: ignore[arg-type]
    assert not (tmp_path / "pairs").exists()
