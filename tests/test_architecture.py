"""The floors and their import contracts: kept, and seen to fail when they are broken on purpose."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "hdgan"

VIOLATIONS = {
    "a lower floor imports a higher one": (
        "artifacts/manifest.py",
        "import hdgan.report.pictures",
        "Imports go down the floors only",
    ),
    "report imports the page's floor": (
        "report/pictures.py",
        "import hdgan.web",
        "Imports go down the floors only",
    ),
    "a new module stands on no floor": (
        "newcomer.py",
        '"""A module without a floor."""',
        "Imports go down the floors only",
    ),
    "the method opens files": (
        "method/metrics.py",
        "import pathlib",
        "The method touches no disk, clock, log or command line",
    ),
    "the method reads the clock": (
        "method/stylegan/training.py",
        "import time",
        "The method touches no disk, clock, log or command line",
    ),
    "the page reaches torch": (
        "web/__init__.py",
        "import hdgan.artifacts.generator",
        "Nothing that the annotation page reaches imports torch",
    ),
    "a stage imports another": (
        "stages/sample.py",
        "import hdgan.stages.tile",
        "Stages meet on disk, not in code",
    ),
    "settings import torch": (
        "settings/sample.py",
        "import torch",
        "Help is quick: nothing that the command line reads at once imports torch",
    ),
}


def contracts(source: Path) -> subprocess.CompletedProcess[str]:
    """Check the import contracts of the package below `source`."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from importlinter.cli import lint_imports; "
        "sys.exit(lint_imports(config_filename=sys.argv[2], no_cache=True))"
    )
    return subprocess.run(
        [sys.executable, "-c", program, str(source), str(ROOT / "pyproject.toml")],
        capture_output=True,
        text=True,
        check=False,
        cwd=source,
    )


def test_all_contracts_are_kept() -> None:
    result = contracts(SOURCE.parent)

    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


@pytest.mark.parametrize("what", VIOLATIONS)
def test_a_planted_violation_is_caught(what: str, tmp_path: Path) -> None:
    name, line, contract = VIOLATIONS[what]
    shutil.copytree(SOURCE, tmp_path / "hdgan", ignore=shutil.ignore_patterns("__pycache__"))
    planted = tmp_path / "hdgan" / name
    before = planted.read_text() if planted.exists() else ""
    planted.write_text(f"{before}\n{line}\n")

    result = contracts(tmp_path)

    assert result.returncode == 1
    assert f"{contract} BROKEN" in result.stdout


def test_folders_have_a_docstring_and_no_code() -> None:
    for path in SOURCE.rglob("__init__.py"):
        body = ast.parse(path.read_text()).body
        assert len(body) == 1, path
        assert isinstance(body[0], ast.Expr), path


def test_no_module_is_a_drawer() -> None:
    drawers = {"util", "utils", "helper", "helpers", "manager", "common", "base", "misc"}

    assert not drawers & {path.stem for path in SOURCE.rglob("*.py")}


def test_stages_settings_and_verbs_have_the_same_names() -> None:
    stages = {path.stem for path in (SOURCE / "stages").iterdir()} - {"__init__", "__pycache__"}
    shared = {"__init__", "bounds", "sources"}
    settings = {path.stem for path in (SOURCE / "settings").glob("*.py")} - shared
    from hdgan.pipeline import STAGES

    verbs = {stage.verb.replace("-", "_") for stage in STAGES}

    assert stages == verbs
    assert settings == verbs
