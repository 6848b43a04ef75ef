"""What the pages promise is backed by tests that are there."""

import re
from pathlib import Path

import pytest

from hdgan.pipeline import STAGES
from tests.faults.commands import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("docs/determinism.md", "SECURITY.md")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def problem_with(path: str, name: str) -> str:
    """What is wrong with the name of a test; empty if nothing is."""
    file = ROOT / path
    if not file.is_file():
        return f"{path} is not there"
    is_there = re.search(rf"^def {name}\(", file.read_text(encoding="utf-8"), re.MULTILINE)
    return "" if is_there else f"{path} has no {name}"


def rows_of(page: str) -> list[str]:
    """The rows of the page's tables that name what keeps a promise, without their heads."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("| ") and "| kept by |" not in line]


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_a_page_names_is_there(page: str) -> None:
    named = NAMED.findall((ROOT / page).read_text(encoding="utf-8"))

    assert len(named) > 10
    assert list(filter(None, (problem_with(*test) for test in named))) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_promise_has_a_test(page: str) -> None:
    rows = rows_of(page)

    assert len(rows) > 8
    assert [row for row in rows if not NAMED.search(row.split("|")[-2])] == []


def test_a_test_that_is_not_there_is_found_out() -> None:
    here = Path(__file__).relative_to(ROOT).as_posix()

    assert problem_with(here, "test_every_promise_has_a_test") == ""
    assert problem_with(here, "test_every_promise_has") == f"{here} has no test_every_promise_has"
    assert problem_with("tests/none.py", "test_x") == "tests/none.py is not there"


def test_the_page_of_determinism_says_how_many_commands_are_run_twice() -> None:
    text = (ROOT / "docs" / "determinism.md").read_text(encoding="utf-8")

    assert f" {len(COMMANDS)} commands in all" in text
    assert {command.verb for command in COMMANDS} | {"check-scores"} == {s.verb for s in STAGES}
