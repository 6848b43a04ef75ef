"""What a kill leaves half-written beside a user's own files goes with the next run."""

import os
import signal
from pathlib import Path

import pytest

from hdgan.artifacts.writing import remove_left, write_among_others
from tests.faults import events
from tests.faults.timeless import timeless_digest


def killed_while_writing(path: Path, moment: int) -> None:
    """Write a file in a fork that is killed at an event."""
    process = os.fork()
    if process == 0:
        events.watch(path.parent, events.kill_at(moment))
        write_among_others(path, b"new")
        os._exit(0)
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


@pytest.mark.parametrize("moment", [2, 3, 4])
def test_a_killed_write_leaves_the_old_file_and_the_next_one_no_debris(
    tmp_path: Path, moment: int
) -> None:
    path, own = tmp_path / "page [1].html", tmp_path / ".page.html.partial"
    for place in (path, own):
        place.write_bytes(b"old")

    killed_while_writing(path, moment)
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 3
    write_among_others(path, b"new")

    assert {place: place.read_bytes() for place in tmp_path.iterdir()} == {
        path: b"new",
        own: b"old",
    }


def test_debris_goes_from_subfolders_too(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    for name in ("labels/.s0.png.0123.partial", "labels/s0.png", "report.html"):
        (tmp_path / name).write_bytes(b"")

    remove_left(tmp_path)

    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(left) == ["report.html", "s0.png"]


def test_times_do_not_tell_comparisons_apart_and_scores_do(tmp_path: Path) -> None:
    texts = ('[{"dice": 0.5, "cpu_seconds": 1.0}]', '[{"dice": 0.5, "cpu_seconds": 2.0}]', "[]")
    path = tmp_path / "comparison.json"

    def digest(text: str) -> str:
        path.write_text(text, encoding="utf-8")
        return timeless_digest(path)

    first, second, third = map(digest, texts)
    assert first == second != third
