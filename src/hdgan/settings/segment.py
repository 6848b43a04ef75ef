"""Choices of `hdgan segment`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SegmentSettings:
    """What is predicted."""

    folds: tuple[int, ...] | None = None
    """Of a tile set: which folds; without it, all."""

    device: str = "auto"
    """`cpu`, `cuda`, or the first GPU if there is one."""
