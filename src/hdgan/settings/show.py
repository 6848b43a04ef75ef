"""Choices of `hdgan show`."""

from dataclasses import dataclass
from pathlib import Path

from hdgan.errors import SettingsError
from hdgan.settings.bounds import within


@dataclass(frozen=True)
class ShowSettings:
    """Whether a page is written, and how many pictures are looked at."""

    html: Path | None = None
    """Write a page with pictures to this file, which fetches nothing: `page.html`. A page that
    `show` has written there before is replaced, any other file is left alone."""

    num_pictures: int = 200
    """Pictures on the page, and label maps from which shares are counted, spread evenly over the
    artifact. 64 or fewer are up to 512 px large, 250 or fewer 256 px, more 128 px."""

    def __post_init__(self) -> None:
        """Refuse numbers and names that cannot work."""
        within(self, 1, 1000, "num_pictures")
        if self.html is not None and self.html.suffix.lower() not in (".html", ".htm"):
            raise SettingsError(
                f"--html is {self.html}, which browsers do not take for a page; let its name end "
                "in .html."
            )
