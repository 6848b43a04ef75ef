"""Choices of `hdgan import-generator`."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ImportGeneratorSettings:
    """Which network of a file is taken."""

    network: Literal["G_ema", "G"] = "G_ema"
    """The moving average, which draws better, or the generator as it was trained last."""
