"""Pixels of each class of a dataset, counted image by image."""

from pathlib import Path

import numpy as np

from hdgan.artifacts.layouts.class_totals import ClassNotes, percent
from tests.artifacts.layouts_world import labels_of


def test_totals_are_those_of_all_label_maps(tmp_path: Path) -> None:
    notes = ClassNotes(tmp_path / "notes.jsonl")

    for i in range(5):
        notes.note(f"p{i}", labels_of(i))

    maps = np.stack([labels_of(i) for i in range(5)])
    found = notes.totals()
    for value in range(256):
        assert found.num_px[value] == (maps == value).sum()
    assert found.part(3) == (maps == 3).sum() / (maps != 255).sum()


def test_an_image_with_a_pixel_or_two_of_a_class_does_not_count(tmp_path: Path) -> None:
    notes = ClassNotes(tmp_path / "notes.jsonl")
    few, enough = np.zeros((20, 20), dtype=np.uint8), np.zeros((20, 20), dtype=np.uint8)
    few[0, :3] = 1
    enough[0, :4] = 1

    notes.note("few", few)
    notes.note("enough", enough)

    assert notes.totals().num_images[:3].tolist() == [2, 1, 0]


def test_an_image_counts_once(tmp_path: Path) -> None:
    notes = ClassNotes(tmp_path / "notes.jsonl")

    notes.note("p", labels_of(1))
    notes.note("p", labels_of(1))

    assert notes.totals().num_px.sum() == labels_of(1).size


def test_notes_go_on_where_the_last_line_was_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    notes = ClassNotes(path)
    for i in range(3):
        notes.note(f"p{i}", labels_of(i))
    wanted = notes.totals()
    path.write_bytes(path.read_bytes()[:-4])

    again = ClassNotes(path)
    left = [again.has(f"p{i}") for i in range(3)]
    again.note("p2", labels_of(2))

    assert left == [True, True, False]
    np.testing.assert_array_equal(again.totals().num_px, wanted.num_px)
    np.testing.assert_array_equal(ClassNotes(path).totals().num_px, wanted.num_px)


def test_a_small_part_never_looks_like_nothing() -> None:
    assert [percent(part) for part in (0.0, 2e-7, 0.0123, 1.0)] == [
        "0 %",
        "less than 0.01 %",
        "1.23 %",
        "100.00 %",
    ]
