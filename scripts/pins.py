"""The pinned requirements, the locks with their hashes, and what of it hdgan reaches."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PINS = (ROOT / "requirements.txt", ROOT / "requirements-dev.txt")
LOCKS = tuple(path.with_suffix(".lock") for path in PINS)

UNLOCKED = "torch"
"""Comes in builds for CPU, CUDA and ROCm, which no lock of ours can name; it is pinned alone."""


@dataclass(frozen=True)
class Pin:
    """One release of one package."""

    name: str
    """As the index spells it: lower case, with dashes."""

    version: str

    hashes: tuple[str, ...]
    """SHA-256 of every file of the release; none in a list of pins."""


def read_pins(path: Path) -> dict[str, Pin]:
    """The pins of a list or a lock, by name.

    Raises:
        ValueError: a line is no pin of one version.
    """
    lines = path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    stated = [line for line in lines if line.strip() and not line.startswith("#")]
    pins = [_pin(path, line) for line in stated]
    return {pin.name: pin for pin in pins}


def _pin(path: Path, line: str) -> Pin:
    hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})(?=\s|$)", line)
    text = re.sub(r"--hash=\S+", "", line).strip()
    found = re.fullmatch(r"([\w.-]+)==([\w.]+)", text)
    if found is None:
        raise ValueError(f"{path.name} has the line {text!r}; needed is a pin: NAME==VERSION.")
    return Pin(canonicalize_name(found[1]), found[2], tuple(hashes))


def needs_of(name: str, extras: Iterable[str] = ()) -> list[Requirement]:
    """What an installed package needs here, with some of its extras; nothing of one that is not."""
    try:
        stated = requires(name) or []
    except PackageNotFoundError:
        return []
    chosen = [{"extra": extra} for extra in ("", *extras)]
    parsed = map(Requirement, stated)
    return [
        need
        for need in parsed
        if need.marker is None or any(need.marker.evaluate(extra) for extra in chosen)
    ]


def reached_from(name: str, extras: Iterable[str] = ()) -> set[str]:
    """Names of all that an installed package needs, directly or not, without itself."""
    waiting: list[tuple[str, frozenset[str]]] = [(canonicalize_name(name), frozenset(extras))]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        step = waiting.pop()
        if step not in seen:
            seen.add(step)
            found = needs_of(*step)
            waiting += [(canonicalize_name(need.name), frozenset(need.extras)) for need in found]
    return {reached for reached, _ in seen} - {canonicalize_name(name)}
