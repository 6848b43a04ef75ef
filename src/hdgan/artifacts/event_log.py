"""Curves and pictures for TensorBoard."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from hdgan.errors import SettingsError

EVENTS = "events"
"""Where an artifact holds them."""


class EventLog:
    """An event file in a folder; without a folder, nothing is written."""

    def __init__(self, folder: Path | None, *, first_step: int = 0) -> None:
        """Open a new event file, which replaces what older ones say from `first_step` on.

        Raises:
            SettingsError: the package tensorboard is not installed.
        """
        self._writer: Any = None
        if folder is None:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise SettingsError(
                "--tensorboard needs the package tensorboard. Install it with pip install "
                "'hdgan[track]', or leave the option out; progress.jsonl has the same numbers."
            ) from error
        self._writer = SummaryWriter(str(folder), purge_step=first_step or None)

    def numbers(self, step: int, values: Mapping[str, float | int], group: str) -> None:
        """One value for each name; what is not a number is left out."""
        if self._writer is None:
            return
        for name, value in values.items():
            if value == value:
                self._writer.add_scalar(f"{group}/{name}", value, step)

    def picture(self, step: int, name: str, pixels: UInt8[np.ndarray, "height width 3"]) -> None:
        """A picture, RGB."""
        if self._writer is not None:
            self._writer.add_image(name, pixels, step, dataformats="HWC")

    def close(self) -> None:
        """Write out what is left."""
        if self._writer is not None:
            self._writer.close()
