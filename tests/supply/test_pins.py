"""Every package is pinned and, but for torch, has its hashes in a lock; nothing names an index."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from scripts.pins import LOCKS, PINS, ROOT, UNLOCKED, Pin, needs_of, reached_from, read_pins

LISTS = [pytest.param(*both, id=both[0].stem) for both in zip(PINS, LOCKS, strict=True)]


def all_pins() -> dict[str, Pin]:
    return {name: pin for path in PINS for name, pin in read_pins(path).items()}


@pytest.mark.parametrize(("pins", "lock"), LISTS)
def test_the_lock_has_the_pins_and_nothing_else(pins: Path, lock: Path) -> None:
    pinned = {name: pin.version for name, pin in read_pins(pins).items() if name != UNLOCKED}
    locked = {name: pin.version for name, pin in read_pins(lock).items()}

    assert locked == pinned, "run scripts/lock"


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_every_locked_release_has_hashes(lock: Path) -> None:
    assert [pin.name for pin in read_pins(lock).values() if not pin.hashes] == []


def test_releases_for_many_systems_have_the_hashes_of_all_their_files() -> None:
    locked = read_pins(LOCKS[0])

    # These are built for Linux, macOS and Windows, for two processors and several Pythons.
    assert min(len(locked[name].hashes) for name in ("numpy", "pillow", "scipy")) > 30


@pytest.mark.parametrize("path", [*PINS, *LOCKS], ids=lambda path: path.name)
def test_no_list_says_where_packages_are_had(path: Path) -> None:
    words = re.sub(r"--hash=sha256:[0-9a-f]{64}", "", path.read_text(encoding="utf-8"))
    stated = [line for line in words.splitlines() if not line.startswith("#")]

    assert [line for line in stated if "://" in line or line.lstrip().startswith("-")] == []


def test_what_the_package_asks_for_is_pinned_to_a_version_that_will_do() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    pinned = all_pins()

    for need in (Requirement(text) for group in groups for text in group):
        assert need.specifier.contains(pinned[canonicalize_name(need.name)].version), need


def test_what_is_installed_is_what_is_pinned() -> None:
    pinned = {name: Version(pin.version).public for name, pin in all_pins().items()}

    # A build of torch says which it is behind a plus.
    assert {name: Version(version(name)).public for name in pinned} == pinned


def test_nothing_is_needed_that_is_not_pinned() -> None:
    needed = reached_from("hdgan", ["dev"])
    only_with_cuda = {name for name in needed if name.startswith(("nvidia-", "cuda-", "triton"))}

    assert {"torch", "mpmath", "pytest"} < needed  # one of them is needed by what torch needs
    assert needed - only_with_cuda - all_pins().keys() == set()


def test_extras_of_a_need_are_followed() -> None:
    assert "scikit-learn" not in {canonicalize_name(need.name) for need in needs_of("hdgan")}
    assert "scikit-learn" in {need.name for need in needs_of("hdgan", ["compare"])}
    assert needs_of("no-such-package") == []


@pytest.mark.parametrize("line", ["numpy>=2", "numpy", "-e .", "numpy==2.* --hash=sha256:00"])
def test_a_line_that_is_no_pin_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"# a list\n{line}\n", encoding="utf-8")

    with pytest.raises(ValueError, match=r"list\.txt has the line .* needed is a pin"):
        read_pins(path)


def test_a_hash_that_is_cut_short_is_none(tmp_path: Path) -> None:
    path = tmp_path / "list.lock"
    path.write_text(f"numpy==2.0 \\\n    --hash=sha256:{'0' * 63}\n", encoding="utf-8")

    assert read_pins(path)["numpy"].hashes == ()
