"""Choices of `hdgan import-annotations`."""

from dataclasses import dataclass
from typing import Literal

from hdgan.errors import SettingsError
from hdgan.settings.bounds import at_least


@dataclass(frozen=True)
class ImportAnnotationsSettings:
    """How label maps and outlines are read and dealt."""

    values: Literal["auto", "index", "colour"] = "auto"
    """What a pixel of a label map holds: the class's number, its colour, or, with `auto`, colours
    where the file has colours of the class map, else numbers."""

    only: Literal["all", "suggested"] = "all"
    """Take every label map that is there, or those of the samples that `sample` suggested."""

    split: tuple[int, int, int] = (16, 4, 16)
    """Parts of training, validation and test images. The paper has 16, 4, 16."""

    seed: int = 0
    """Another seed deals the images in another way."""

    rename: tuple[str, ...] | None = None
    """The classes that names in files of outlines stand for, as pairs `NAME=CLASS`; `ambiguous` and
    `unlabelled` are understood, too."""

    unnamed: str | None = None
    """The class of outlines that name none, such as ImageJ's; without it they are refused."""

    background: str | None = None
    """The class of what no outline covers; without it that is unlabelled."""

    def __post_init__(self) -> None:
        """Refuse choices that cannot work."""
        at_least(self, 0, "seed")
        for pair in self.rename or ():
            name, _, meant = pair.partition("=")
            if not (name.strip() and meant.strip()):
                raise SettingsError(
                    f"--rename has {pair!r}; needed are pairs NAME=CLASS, such as "
                    '"Glom=glomerulus".'
                )

    @property
    def renames(self) -> dict[str, str]:
        """The class that each name stands for."""
        pairs = [pair.partition("=") for pair in self.rename or ()]
        return {name.strip(): meant.strip() for name, _, meant in pairs}
