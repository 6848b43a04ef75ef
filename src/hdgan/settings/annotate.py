"""Choices of `hdgan annotate`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hdgan.errors import SettingsError
from hdgan.settings.bounds import within


@dataclass(frozen=True)
class AnnotateSources:
    """What the page works with besides the tiles."""

    classifier: Path | None = None
    """A classifier of the same generator: its predictions are shown, and each stroke corrects
    them."""

    generator: Path | None = None
    """The generator, for predictions, if it is not in a folder beside the samples."""

    classes: Path | None = None
    """The class map, a JSON file. Default: that of the classifier, or the paper's five classes of
    kidney."""

    start_from: Path | None = None
    """Annotations of the same tiles to go on from; they are copied and stay as they are."""

    to_qupath: Path | None = None
    """Do not open the page, but write the tiles into this new folder, as a project for QuPath."""


@dataclass(frozen=True)
class AnnotateSettings:
    """How the page is served, and what is written at the end."""

    predict: bool = False
    """Show predictions that are learned from the strokes alone; needs the generator. With a
    classifier there are always predictions."""

    goal: tuple[int, int, int] = (16, 4, 16)
    """Tiles to annotate for training, validation and test. The paper has 16, 4, 16."""

    reading: Literal["first", "agreed"] = "first"
    """What is written of tiles that were painted twice: the first reading, or only the pixels on
    which all readings agree."""

    finish: bool = False
    """Write the annotation set from what has been painted, without opening the page."""

    author: str | None = None
    """Name that the page proposes; without it, that of this computer's account."""

    port: int = 8470
    """Where the page is served on this computer; if it is taken, the next free one."""

    browser: bool = True
    """Open the page in a browser, if this computer has a screen."""

    device: str = "auto"
    """For predictions: `cpu`, `cuda`, or the first GPU if there is one."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        within(self, 1, 65535, "port")
        if min(self.goal) < 0 or sum(self.goal) == 0:
            raise SettingsError(
                f"--goal is {' '.join(map(str, self.goal))}; needed are numbers from 0 on, not all "
                "0."
            )
