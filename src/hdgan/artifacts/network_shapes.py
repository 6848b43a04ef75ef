"""What a network is built from, as a text of an artifact says it: never more than is sensible."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from hdgan.artifacts.not_understood import not_understood
from hdgan.errors import DamagedArtifactError, SettingsError

Shape = TypeVar("Shape")
"""A dataclass of sizes."""

MOST = 2**24
"""No size of a network is larger, nor the number of nodes of a forest."""

MOST_REPEATED = {"mapping_layers": 64, "num_levels": 12, "depth": 1000, "resolution": 65_536}
"""Of what is done again and again, even before any memory is taken."""


def shape_in(data: bytes, kind: type[Shape], path: Path) -> Shape:
    """The shape in a JSON text.

    Raises:
        DamagedArtifactError: it cannot be understood, or a size is absurd.
    """
    try:
        return shape_of(TypeAdapter(dict[str, object]).validate_json(data), kind, path)
    except ValidationError as error:
        raise not_understood(path, error) from error


def shape_of(content: dict[str, object], kind: type[Shape], path: Path) -> Shape:
    """The same from what was in the text.

    Raises:
        DamagedArtifactError: as above.
    """
    strange = content.keys() - {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if strange:
        raise DamagedArtifactError(f"{path} cannot be understood ({min(strange)} is not known).")
    try:
        shape: Shape = TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        raise not_understood(path, error) from error
    except SettingsError as error:
        raise DamagedArtifactError(f"{path} cannot be understood ({error})") from error
    for name, size in _sizes(dataclasses.asdict(shape)):  # type: ignore[call-overload]
        if not 0 <= size <= MOST_REPEATED.get(name, MOST):
            raise DamagedArtifactError(
                f"{path} describes a network whose {name} is {size}; 0 to "
                f"{MOST_REPEATED.get(name, MOST):,} would be sensible. It is damaged or made to do "
                "harm."
            )
    return shape


def _sizes(content: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Every whole number, with its name, of a shape and of those inside it."""
    for name, value in content.items():
        if isinstance(value, dict):
            yield from _sizes(value)
        for number in value if isinstance(value, list | tuple) else (value,):
            if isinstance(number, int) and not isinstance(number, bool):
                yield name, number
