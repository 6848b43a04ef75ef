"""Choices of `hdgan import-annotations`."""

from dataclasses import dataclass
from typing import Literal

from hdgan.settings.bounds import at_least


@dataclass(frozen=True)
class ImportAnnotationsSettings:
    """How label maps are read and dealt."""

    values: Literal["auto", "index", "colour"] = "auto"
    """What a pixel of a label map holds: the class's number, its colour, or, with `auto`, colours
    where the file has colours of the class map, else numbers."""

    only: Literal["all", "suggested"] = "all"
    """Take every label map that is there, or those of the samples that `sample` suggested."""

    split: tuple[int, int, int] = (16, 4, 16)
    """Parts of training, validation and test images. The paper has 16, 4, 16."""

    seed: int = 0
    """Another seed deals the images in another way."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        at_least(self, 0, "seed")
