"""`scripts/install` takes what the locks hold and nothing else, and torch by its pin alone."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from scripts.pins import LOCKS, PINS, ROOT, read_pins

NOTING = """#!/bin/sh
echo "$@" >> calls
"""
"""In place of the environment's Python: it writes down what it is asked for."""

Install = Callable[[str], list[str]]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of what the script reads, with an environment that notes."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "install", tmp_path / "scripts")
    for path in (*PINS, *LOCKS, ROOT / "pyproject.toml"):
        shutil.copy(path, tmp_path)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(NOTING, encoding="utf-8")
    python.chmod(0o755)
    return tmp_path


@pytest.fixture
def install(house: Path) -> Install:
    """Run the script; what pip was asked to install comes back."""

    def installed(what: str) -> list[str]:
        subprocess.run(
            [house / "scripts" / "install", what],
            env={"PATH": "/usr/bin:/bin", "PYTHON": sys.executable},
            capture_output=True,
            check=True,
        )
        calls = house / "calls"
        lines = calls.read_text(encoding="utf-8").splitlines() if calls.is_file() else []
        calls.unlink(missing_ok=True)
        return [line.split(" install ")[1] for line in lines if " install " in line]

    return installed


def test_what_is_installed_has_a_hash_but_for_torch_and_the_package(install: Install) -> None:
    locked, torch, package = install("dev")

    assert locked == "--require-hashes --no-deps -r requirements.lock -r requirements-dev.lock"
    assert torch == f"torch=={read_pins(PINS[0])['torch'].version}"
    assert package == "--no-deps --no-build-isolation --editable ."


def test_who_only_runs_gets_nothing_for_tests(install: Install) -> None:
    assert install("run")[0] == "--require-hashes --no-deps -r requirements.lock"


def test_it_is_done_once_until_a_lock_changes(install: Install, house: Path) -> None:
    assert install("dev")

    assert install("dev") == install("run") == []
    with (house / "requirements.lock").open("a", encoding="utf-8") as lock:
        lock.write("# changed\n")
    assert install("run")
