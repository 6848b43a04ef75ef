"""The rows of feature maps that are at hand, while bands of an image are drawn and labelled."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Rows = Float[Tensor, "_ _ _"]
"""Rows, columns and channels of a map; maps run ahead of each other."""


@dataclass
class KnownRows:
    """The rows of the maps of one resolution that are at hand."""

    resolution: int
    maps: list[Rows]
    """Of equally many rows each, one map a tensor."""
    first: int = 0
    """Which row the first is."""

    @property
    def end(self) -> int:
        """The row after the last that all maps have."""
        return self.first + min(len(rows) for rows in self.maps)

    def add(self, maps: Sequence[Rows]) -> None:
        """Further rows of each map."""
        self.maps = [torch.cat(both) for both in zip(self.maps, maps, strict=True)]

    def forget(self, before: int) -> None:
        """Drop the rows before this one."""
        dropped = max(0, before - self.first)
        self.maps = [rows[dropped:].clone() for rows in self.maps] if dropped else self.maps
        self.first += dropped
