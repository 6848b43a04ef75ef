"""The same command makes the same bytes, in whatever process, folder, time zone and language."""

import pytest

from tests.supply.two_runs import PATIENCE, TwoRuns

SAYS_WHERE_IT_LIES = {"annotate to-qupath": {"out/project.qpproj"}}
"""Files with the address of their own folder in them, because their reader wants it so."""


@pytest.mark.timeout(PATIENCE)
def test_every_verb_makes_the_same_bytes_again(two_runs: TwoRuns) -> None:
    first, second = two_runs.first.made, two_runs.second.made
    assert first.keys() == second.keys()

    differing = {
        command: {path for path, _ in first[command].items() ^ second[command].items()}
        for command in first
        if first[command] != second[command]
    }

    assert differing == SAYS_WHERE_IT_LIES
    assert min(len(files) for files in first.values()) >= 1
