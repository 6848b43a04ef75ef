"""What the annotation page has acknowledged is on the disk, however many people paint."""

from pathlib import Path

from tests.faults.page_saves import saved_by_many
from tests.tiny_world import TinyWorld


def test_no_save_of_many_people_is_lost_by_a_kill(world: TinyWorld, tmp_path: Path) -> None:
    saves = saved_by_many(world.samples, tmp_path / "annotations", num_painters=40, seconds=4)

    assert saves.acknowledged > 0
    assert saves.untold <= 40
    assert saves.others == 0
