"""Every pinned package is under a licence that lets anybody use, change and sell."""

from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
from scripts import licences
from scripts.licences import ALLOWED, EXCEPTIONS, objection, stated_licence
from scripts.pins import PINS, read_pins


def package(folder: Path, *fields: str) -> PathDistribution:
    """An installed package whose metadata has these lines."""
    lines = ("Metadata-Version: 2.4", "Name: some", "Version: 1", *fields)
    (folder / "METADATA").write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    return PathDistribution(folder)


def test_all_that_is_installed_is_allowed() -> None:
    licences.main()


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        (["License-Expression: mit OR apache-2.0"], "MIT OR Apache-2.0"),
        (
            ["License: New BSD", "Classifier: License :: OSI Approved :: BSD License"],
            "BSD-3-Clause",
        ),
        (["Classifier: License :: OSI Approved :: MIT License"], "MIT"),
        (["License: Permission is granted", "Classifier: License :: OSI Approved"], ""),
        (
            [
                "License: MIT",
                "Classifier: License :: Free for non-commercial use",
            ],
            "",
        ),
        (["License: UNKNOWN"], ""),
        ([], ""),
    ],
)
def test_a_licence_is_read_wherever_it_is_stated(
    tmp_path: Path, fields: list[str], licence: str
) -> None:
    assert stated_licence(package(tmp_path, *fields)) == licence


@pytest.mark.parametrize(
    ("licence", "problem"),
    [
        ("", "some states no licence that is known"),
        ("GPL-3.0-only", "some is under GPL-3.0-only"),
        ("MIT AND (CC-BY-NC-4.0 OR GPL-2.0-only)", "some is under CC-BY-NC-4.0, GPL-2.0-only"),
        ("Apache-2.0 WITH LLVM-exception AND MIT", ""),
    ],
)
def test_what_is_not_allowed_is_named(licence: str, problem: str) -> None:
    assert objection("some", licence) == problem


def test_the_command_fails_on_what_is_not_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(licences, "ALLOWED", ALLOWED - {"MPL-2.0"})

    with pytest.raises(SystemExit, match=r"not allowed: .*certifi is under MPL-2\.0"):
        licences.main()


def test_every_exception_is_of_a_pinned_package_and_has_a_reason() -> None:
    pinned = {name for path in PINS for name in read_pins(path)}

    assert EXCEPTIONS.keys() <= pinned
    assert min(len(reason) for reason in EXCEPTIONS.values()) > 40
