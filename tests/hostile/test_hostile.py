"""Files that nobody should have made: one sentence, little time and memory, nothing else."""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile import artifact_cases, image_cases, network_cases, outline_cases
from tests.hostile.case import Case
from tests.hostile.fresh import Fresh
from tests.hostile.limited import MOST_BYTES, MOST_SECONDS
from tests.tiny_world import TinyWorld

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits are set as Linux has it")

CASES: list[Case] = [
    *artifact_cases.CASES,
    *network_cases.CASES,
    *image_cases.CASES,
    *outline_cases.CASES,
]


@pytest.fixture(scope="module")
def fresh() -> Iterator[Fresh]:
    """A process that forks for each command."""
    with Fresh() as started:
        yield started


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parser}: {case.name}"[:60])
def test_a_hostile_file_is_one_sentence_and_does_nothing(
    case: Case, fresh: Fresh, world: TinyWorld, tmp_path: Path
) -> None:
    given, output = tmp_path / "given", tmp_path / "may write" / "output"
    given.mkdir()
    output.parent.mkdir()
    made = case.make(world, given)
    there = sorted(given.rglob("*"))

    ended = fresh.run(case.command(world, made, output), output.parent)

    assert ended.what == ""
    assert ended.cpu_seconds < MOST_SECONDS
    assert ended.peak_bytes < MOST_BYTES
    assert sorted(given.rglob("*")) == there
    assert sorted(tmp_path.iterdir()) == [given, output.parent]
    assert {path.name for path in output.parent.iterdir()} <= {output.name}
    shutil.rmtree(tmp_path)
    if case.says is None:
        assert ended.code == 0, ended.said
        assert ended.said.replace("\n", "").replace("\r", "").isprintable()
        return
    assert ended.sentence, ended.said
    assert ended.sentence.isprintable()
    assert re.search(case.says, ended.sentence), ended.sentence
