"""An artifact's folder at every kill between two changes of the disk."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from hdgan.artifacts.order import Order
from hdgan.artifacts.unfinished import UnfinishedArtifact, being_made, made_once
from hdgan.errors import LabelError
from tests.faults import events

ORDER = Order("sample-set", {"seed": 1}, {})


def fill(unfinished: UnfinishedArtifact) -> None:
    unfinished.write("images/a.png", b"a")
    unfinished.write("b.csv", b"b")
    unfinished.write_scratch("c/d", b"d")


def make(folder: Path) -> None:
    made_once(folder, ORDER, fill)


def be_refused(folder: Path) -> None:
    try:
        with being_made(folder, ORDER) as unfinished:
            assert unfinished is not None
            fill(unfinished)
            raise LabelError("a label map does not fit")
    except LabelError:
        return


def was_killed(do: Callable[[Path], None], folder: Path, moment: int) -> bool:
    """Do it in a fork that is killed at an event; False if it ended before that."""
    process = os.fork()
    if process == 0:
        try:
            events.watch(folder.parent, events.kill_at(moment))
            do(folder)
        finally:
            os._exit(0)
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def all_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def swept(do: Callable[[Path], None], within: Path) -> list[list[str]]:
    """For a kill at every event: what is in the folder after a run that then goes on."""
    found, moment = [], 1
    while was_killed(do, within / f"{moment}" / "out", moment):
        make(within / f"{moment}" / "out")
        found.append(all_below(within / f"{moment}" / "out"))
        moment += 1
    return found


WHOLE = ["b.csv", "images", "images/a.png", "manifest.json"]


def test_whenever_a_run_is_killed_nothing_of_it_stays_beside_the_artifact(tmp_path: Path) -> None:
    found = swept(make, tmp_path)

    assert len(found) > 20
    assert [below for below in found if below != WHOLE] == []


def test_what_another_run_finishes_between_the_first_look_and_the_lock_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"

    def finished_meanwhile(place: Path, order: Order) -> None:
        monkeypatch.undo()
        make(folder)

    monkeypatch.setattr("hdgan.artifacts.unfinished._refuse_strange", finished_meanwhile)

    def must_not_be_asked(unfinished: UnfinishedArtifact) -> None:
        unfinished.write("b.csv", b"another")

    assert not made_once(folder, ORDER, must_not_be_asked)
    assert all_below(folder) == WHOLE
    assert (folder / "b.csv").read_bytes() == b"b"


def test_whenever_a_refused_run_is_killed_the_mended_command_finds_the_folder_free(
    tmp_path: Path,
) -> None:
    found = swept(be_refused, tmp_path)

    assert len(found) > 20
    assert [below for below in found if below != WHOLE] == []
