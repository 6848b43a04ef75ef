"""Write what hdgan is made of as a CycloneDX document: every pinned package with its licence.

usage: scripts/sbom [FILE]    without a name, build/sbom.json
"""

import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution, metadata
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.utils import canonicalize_name
from scripts.licences import stated_licence
from scripts.pins import PINS, Pin, needs_of, reached_from, read_pins

NAME = "hdgan"


def document(pins: Mapping[str, Pin]) -> str:
    """The document as JSON. The same pins and metadata give the same bytes: it says no time."""
    components = {name: _component(name, pin.version) for name, pin in sorted(pins.items())}
    extras = set(metadata(NAME).get_all("Provides-Extra") or []) - {"dev"}
    _say_who_needs_it(components, extras)
    root = _component(NAME, distribution(NAME).version)
    everything = " ".join(str(component.purl) for component in (root, *components.values()))
    bom = Bom(
        components=components.values(),
        metadata=BomMetaData(component=root),
        serial_number=uuid5(NAMESPACE_URL, everything),
    )
    bom.metadata.timestamp = None  # type: ignore[assignment]
    for name, component in {NAME: root, **components}.items():
        needs = needs_of(name, extras if name == NAME else ())
        found = {canonicalize_name(need.name) for need in needs}
        bom.register_dependency(component, [components[need] for need in found & pins.keys()])
    return JsonV1Dot6(bom).output_as_string(indent=1) + "\n"


def _say_who_needs_it(components: Mapping[str, Component], extras: set[str]) -> None:
    """Required by hdgan, by an extra of it, or by nothing but tests and tools."""
    required, optional = reached_from(NAME), reached_from(NAME, extras)
    for name, component in components.items():
        scope = ComponentScope.OPTIONAL if name in optional else ComponentScope.EXCLUDED
        component.scope = ComponentScope.REQUIRED if name in required else scope


def _component(name: str, version: str) -> Component:
    purl = PackageURL("pypi", name=name, version=version)
    try:
        licence = stated_licence(distribution(name))
    except PackageNotFoundError:  # of another system
        licence = ""
    return Component(
        name=name,
        version=version,
        type=ComponentType.APPLICATION if name == NAME else ComponentType.LIBRARY,
        bom_ref=purl.to_string(),
        purl=purl,
        licenses=[LicenseFactory().make_from_string(licence)] if licence else [],
    )


def main(path: Path) -> None:
    """Write it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pins = {name: pin for file in PINS for name, pin in read_pins(file).items()}
    path.write_text(document(pins), encoding="utf-8")
    print(f"{path}: hdgan and {len(pins)} packages")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/sbom.json"))
