"""The history of strokes: append-only, exact, safe from kills and from one another."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdgan.artifacts.annotation_history import (
    KEYFRAME_EVERY,
    AnnotationHistory,
    Mark,
    Revision,
    Stroke,
)
from hdgan.class_map import UNLABELLED, LabelMap
from hdgan.errors import DamagedArtifactError, StaleRevisionError

SIZES = {"a": (20, 30), "b": (8, 8)}


@pytest.fixture
def history(tmp_path: Path) -> Iterator[AnnotationHistory]:
    opened = AnnotationHistory(tmp_path / "history.sqlite3", SIZES)
    yield opened
    opened.close()


def stroke(value: int, x: int = 0, y: int = 0, width: int = 3, height: int = 2) -> Stroke:
    return Stroke("brush", x, y, np.full((height, width), value, dtype=np.uint8))


def test_a_tile_that_nobody_painted_is_unlabelled_at_revision_0(
    history: AnnotationHistory,
) -> None:
    assert history.head("a", 1) == 0
    assert (history.labels("a", 1) == UNLABELLED).all()
    assert history.heads() == {}


def test_a_stroke_changes_its_rectangle_and_nothing_else(history: AnnotationHistory) -> None:
    history.append("a", 1, 0, stroke(2, x=5, y=7), "Anna")

    expected = np.full(SIZES["a"], UNLABELLED, dtype=np.uint8)
    expected[7:9, 5:8] = 2
    assert np.array_equal(history.labels("a", 1), expected)
    assert (history.labels("a", 2) == UNLABELLED).all()
    assert (history.labels("b", 1) == UNLABELLED).all()


def test_a_stroke_on_an_old_revision_is_refused_and_says_who_was_faster(
    history: AnnotationHistory,
) -> None:
    history.append("a", 1, 0, stroke(2), "Anna")

    with pytest.raises(StaleRevisionError, match="painted on revision 0") as refused:
        history.append("a", 1, 0, stroke(3), "Ben")

    assert isinstance(refused.value.newest, Revision)
    assert (refused.value.newest.revision, refused.value.newest.author) == (1, "Anna")
    assert history.head("a", 1) == 1
    assert 3 not in history.labels("a", 1)


def test_a_stroke_on_a_revision_that_is_not_there_is_refused(history: AnnotationHistory) -> None:
    with pytest.raises(StaleRevisionError):
        history.append("a", 1, 5, stroke(2), "Anna")


Strokes = st.lists(
    st.tuples(
        st.integers(0, 27), st.integers(0, 17), st.integers(1, 30), st.integers(1, 20),
        st.sampled_from([0, 1, 4, 254, 255]),
    ),
    min_size=1,
    max_size=25,
)  # fmt: skip


@given(strokes=Strokes)
def test_every_revision_is_what_was_painted_up_to_it(
    strokes: list[tuple[int, int, int, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("history") / "history.sqlite3"
    painted = np.full(SIZES["a"], UNLABELLED, dtype=np.uint8)
    expected: list[LabelMap] = [painted.copy()]
    history = AnnotationHistory(path, SIZES)
    for i, (x, y, width, height, value) in enumerate(strokes):
        width, height = min(width, 30 - x), min(height, 20 - y)
        history.append("a", 1, i, stroke(value, x, y, width, height), "Anna")
        painted[y : y + height, x : x + width] = value
        expected.append(painted.copy())
    history.close()

    reopened = AnnotationHistory(path, SIZES)

    for revision, labels in enumerate(expected):
        assert np.array_equal(reopened.labels("a", 1, revision), labels)
    (head,) = reopened.heads().values()
    assert np.array_equal(head.counts, np.bincount(painted.ravel(), minlength=256))
    last = reopened.revisions("a", 1)[-1]
    here = np.s_[last.y : last.y + last.height, last.x : last.x + last.width]
    before = reopened.rectangle("a", 1, last.revision, after=False)
    after = reopened.rectangle("a", 1, last.revision, after=True)
    assert np.array_equal(before, expected[-2][here])
    assert np.array_equal(after, expected[-1][here])
    reopened.close()


def test_long_histories_are_read_from_a_whole_label_map(history: AnnotationHistory) -> None:
    for i in range(KEYFRAME_EVERY + 5):
        history.append("b", 1, i, stroke(i % 5, x=i % 5, y=i % 6), "Anna")
    history.close()

    database = sqlite3.connect(history.path)
    database.execute("UPDATE revisions SET labels = x'00' WHERE revision < ?", (KEYFRAME_EVERY,))
    database.commit()
    database.close()

    reopened = AnnotationHistory(history.path, SIZES)
    assert reopened.labels("b", 1).shape == (8, 8)
    with pytest.raises(DamagedArtifactError, match="damaged"):
        reopened.labels("b", 1, KEYFRAME_EVERY - 1)
    reopened.close()


def test_strokes_of_many_threads_are_all_kept_or_refused(history: AnnotationHistory) -> None:
    def paint(value: int) -> int:
        saved = 0
        for base in range(20):
            try:
                history.append("b", 1, base, stroke(value), f"painter {value}")
                saved += 1
            except StaleRevisionError:
                continue
        return saved

    with ThreadPoolExecutor(4) as threads:
        saved = sum(threads.map(paint, range(4)))

    revisions = history.revisions("b", 1)
    assert saved == len(revisions) == history.head("b", 1)
    assert [revision.revision for revision in revisions] == list(range(1, saved + 1))


def test_the_newest_mark_counts_and_older_ones_stay_in_the_file(
    history: AnnotationHistory,
) -> None:
    history.mark("a", Mark("keep", None, "test"), "Anna")
    history.mark("a", Mark("reject", "blurred", None), "Ben")

    assert history.marks() == {"a": Mark("reject", "blurred", None)}
    history.close()
    rows = sqlite3.connect(history.path).execute("SELECT verdict, author FROM marks").fetchall()
    assert rows == [("keep", "Anna"), ("reject", "Ben")]


def test_time_adds_up_and_one_report_is_bounded(history: AnnotationHistory) -> None:
    history.append("a", 1, 0, stroke(1), "Anna", seconds=30.0)
    history.add_time("a", 1, "Anna", 12.0)
    history.add_time("a", 2, "Ben", 1e9)
    history.add_time("b", 1, "Ben", 0.0)

    assert history.seconds() == {("a", 1): 42.0, ("a", 2): 600.0}


def test_a_copy_is_one_file_with_everything(history: AnnotationHistory, tmp_path: Path) -> None:
    history.append("a", 1, 0, stroke(1), "Anna")

    history.copy_to(tmp_path / "copies.sqlite3")

    assert [path.name for path in tmp_path.glob("copies*")] == ["copies.sqlite3"]
    copy = AnnotationHistory(tmp_path / "copies.sqlite3", SIZES)
    assert np.array_equal(copy.labels("a", 1), history.labels("a", 1))
    copy.close()


def test_another_file_is_no_history(tmp_path: Path) -> None:
    (tmp_path / "history.sqlite3").write_bytes(b"something else " * 100)

    with pytest.raises(DamagedArtifactError, match="no history of annotations"):
        AnnotationHistory(tmp_path / "history.sqlite3", SIZES)


def test_a_history_of_a_later_version_is_refused(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "history.sqlite3")
    database.execute("PRAGMA user_version = 7")
    database.close()

    with pytest.raises(DamagedArtifactError, match="layout 7"):
        AnnotationHistory(tmp_path / "history.sqlite3", SIZES)


PAINT_FOR_EVER = """
import sys
from pathlib import Path
import numpy as np
from hdgan.artifacts.annotation_history import AnnotationHistory, Stroke
history = AnnotationHistory(Path(sys.argv[1]), {"a": (20, 30)})
i = history.head("a", 1)
while True:
    labels = np.full((2, 3), i % 5, dtype=np.uint8)
    history.append("a", 1, i, Stroke("brush", i % 27, i % 18, labels), "Anna")
    i += 1
    print(i, flush=True)
"""


def test_a_kill_loses_no_stroke_that_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    saved = 0
    for _ in range(3):
        painter = subprocess.Popen(
            [sys.executable, "-c", PAINT_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert painter.stdout is not None
        for _ in range(15):
            saved = int(painter.stdout.readline())
        os.kill(painter.pid, signal.SIGKILL)
        rest = painter.stdout.read().split("\n")
        painter.wait()
        painter.stdout.close()
        saved = max([saved, *(int(line) for line in rest[:-1] if line)])

    history = AnnotationHistory(path, SIZES)
    assert history.head("a", 1) - saved in (0, 1)
    expected = np.full(SIZES["a"], UNLABELLED, dtype=np.uint8)
    for i in range(history.head("a", 1)):
        expected[i % 18 : i % 18 + 2, i % 27 : i % 27 + 3] = i % 5
    assert np.array_equal(history.labels("a", 1), expected)
    history.close()
