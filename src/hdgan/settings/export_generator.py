"""Choices of `hdgan export-generator`."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ExportGeneratorSettings:
    """How the weights are written."""

    precision: Literal["float32", "float16"] = "float32"
    """float16 halves the file and changes drawings by a grey level or so."""
