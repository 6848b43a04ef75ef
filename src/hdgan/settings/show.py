"""Choices of `hdgan show`."""

from dataclasses import dataclass
from pathlib import Path

from hdgan.errors import SettingsError
from hdgan.settings.bounds import within

NUM_REGENERATED = 8
"""Drawings that are made again if no number is given."""


@dataclass(frozen=True)
class ShowSettings:
    """Whether a page is written, how many pictures are looked at, and what is checked."""

    html: Path | None = None
    """Write a page with pictures to this file, which fetches nothing: `page.html`. A page that
    `show` has written there before is replaced, any other file is left alone."""

    num_pictures: int = 200
    """Pictures on the page, and label maps from which shares are counted, spread evenly over the
    artifact. 64 or fewer are up to 512 px large, 250 or fewer 256 px, more 128 px."""

    check: bool = False
    """Read every file of the artifact, and of all that it was made from as far as it lies beside
    it, and say what is missing, changed or additional. Exit code 1 if anything is."""

    regenerate: tuple[int, ...] | None = None
    """Draw so many of the images of a sample set or pair set again, spread over it (8 if no number
    is given), with label maps and uncertainty, and compare. Exit code 1 if one is another."""

    device: str = "cpu"
    """Where --regenerate draws: `cpu`, `cuda`, or `auto`, the first GPU if there is one."""

    @property
    def num_regenerated(self) -> int | None:
        """Drawings that are made again; None if none are to be."""
        if self.regenerate is None:
            return None
        return self.regenerate[0] if self.regenerate else NUM_REGENERATED

    def __post_init__(self) -> None:
        """Refuse numbers and names that cannot work."""
        within(self, 1, 1000, "num_pictures")
        if self.html is not None and self.html.suffix.lower() not in (".html", ".htm"):
            raise SettingsError(
                f"--html is {self.html}, which browsers do not take for a page; let its name end "
                "in .html."
            )
        if self.html is not None and (self.check or self.regenerate is not None):
            raise SettingsError(
                "--html writes a page, --check and --regenerate compare and write none. Run the "
                "command once for each."
            )
        if self.regenerate is not None and (
            len(self.regenerate) > 1 or min(self.regenerate, default=1) < 1
        ):
            given = " ".join(map(str, self.regenerate))
            raise SettingsError(
                f"--regenerate is {given}; it must be one number of 1 or more, or none for "
                f"{NUM_REGENERATED}."
            )
