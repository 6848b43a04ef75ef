"""Choices of `hdgan check-scores`."""

from dataclasses import dataclass

from hdgan.settings.bounds import within


@dataclass(frozen=True)
class CheckScoresSettings:
    """How exactly the numbers were printed."""

    last_digit: float = 0.5
    """How far a printed number may be from what was meant, in units of its last digit: .5 where
    numbers were rounded, 1 where they may have been cut off."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        within(self, 0, 10, "last_digit")
