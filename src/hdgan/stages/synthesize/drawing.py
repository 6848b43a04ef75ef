"""One process's part: pairs drawn, labelled and written, one after another."""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import local
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from hdgan.artifacts.pair_files import PairFiles, Tally
from hdgan.artifacts.pair_notes import PairNote, pair_name
from hdgan.artifacts.pair_set import PairRecord
from hdgan.artifacts.real_tiles import RealismOfImage
from hdgan.artifacts.weights import device_named
from hdgan.method.composition import Found
from hdgan.method.labelled_drawing import LabelledDrawing
from hdgan.method.latent import noise_of, w_of
from hdgan.method.stylegan.synthesis import Noise
from hdgan.stages.synthesize.composing import finder_of
from hdgan.stages.synthesize.likeness import likeness_of
from hdgan.stages.synthesize.networks import WRITERS, Networks
from hdgan.stages.synthesize.plan import Plan, Portion


@dataclass(frozen=True)
class _Made:
    """A pair that is drawn; `tally` is there if its files are, too."""

    w: Float[Tensor, "1 w_dim"]
    drawing: LabelledDrawing | None
    tally: Tally | None = None
    about: dict[str, Any] = field(default_factory=dict)
    """What else its note says."""


class Drawer:
    """Draws the pairs of a plan.

    Memory: the networks, and a few drawings that are being written; of TIFF files, some rows of
    one.
    """

    def __init__(self, plan: Plan, device: torch.device) -> None:
        """Load what draws.

        Raises:
            SettingsError: the memory that is allowed is not enough.
        """
        self.plan, self.notes = plan, plan.notes
        self.networks = Networks.loaded(plan, device)
        self.files = PairFiles(self.networks.num_classes, self.networks.largest)
        self.finder = finder_of(plan, self.networks)
        self.likeness = likeness_of(plan, device)

    def draw(self, rows: Iterable[int]) -> Generator[int, None, None]:
        """Each pair's row once it is whole; pairs that already are come back at once.

        Raises:
            StorageError: the disk is full or read-only.
        """
        with ThreadPoolExecutor(WRITERS) as threads:
            waiting: deque[Future[int]] = deque()
            for row in rows:
                if self.notes.has(row):
                    yield row
                    continue
                waiting.append(threads.submit(self._written, row, self._made(row)))
                while len(waiting) > self.networks.most_waiting:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _made(self, row: int) -> _Made:
        """Draw a pair."""
        seed, settings, generator = self.plan.seed(row), self.plan.settings, self.networks.generator
        if self.finder is not None:
            return self._found(row, self.finder.found(seed))
        w = w_of(generator, seed, settings.truncation, settings.stain)
        noise = noise_of(generator, seed, self.plan.noise(row))
        if self.plan.ending == "tif":
            return _Made(w, None, self._streamed(row, w, noise))
        return self._compared(_Made(w, self.networks.labelled.drawing(w, noise)))

    def _found(self, row: int, found: Found) -> _Made:
        """A pair that was looked for."""
        about = {"way": found.way, "draws": found.draws, "looks": found.looks}
        made = _Made(found.w, found.drawing, about=about)
        if found.way != "missed" and self.plan.ending == "tif":
            noise = self.networks.generator.synthesis.constant_noise()
            return replace(made, tally=self._streamed(row, found.w, noise))
        return self._compared(made)

    def _compared(self, made: _Made) -> _Made:
        """The same, held against the real tiles if there are some."""
        if self.likeness is None or made.drawing is None:
            return made
        realism = self.likeness.score(made.drawing.pixels)
        return replace(made, about=made.about | _likeness(realism))

    def _streamed(self, row: int, w: Float[Tensor, "1 w_dim"], noise: Noise) -> Tally:
        bands = self.networks.labelled.bands(w, noise)
        place = self.notes.place(row)
        return self.files.write_bands(place, self._record(row), bands, self.plan.side_px)

    def _written(self, row: int, made: _Made) -> int:
        """Write a pair, its note last."""
        tally = made.tally
        if tally is None and made.drawing is not None:
            tally = self.files.write(self.notes.place(row), self._record(row), made.drawing)
        if tally is None:
            tally = Tally(float("nan"), [0] * self.files.num_classes)
        w = tuple(np.asarray(made.w[0].cpu(), dtype=np.float32).astype(float).tolist())
        note = PairNote(w, tally.uncertainty, tuple(tally.pixels), **made.about)
        self.notes.write(row, note)
        return row

    def _record(self, row: int) -> PairRecord:
        return PairRecord(
            pair=pair_name(row),
            row=row,
            seed=0,
            uncertainty=0.0,
            kept=True,
            ending=self.plan.ending,
        )


def _likeness(realism: RealismOfImage) -> dict[str, Any]:
    """What a note says of it."""
    return {
        "realism": realism.realism,
        "nearest_tile": realism.tile,
        "nearest_distance": realism.distance,
        "nearness": realism.nearness,
    }


_own = local()
"""A thread's drawer: threads of a cluster's worker do not share one."""


def draw_portion(portion: Portion) -> tuple[int, ...]:
    """Draw some pairs, in whichever process this runs; their rows come back.

    Raises:
        StorageError: the disk is full or read-only.
    """
    torch.set_num_threads(portion.plan.settings.threads)
    if getattr(_own, "plan", None) != portion.plan:
        _own.drawer = Drawer(portion.plan, device_named(portion.plan.settings.device))
        _own.plan = portion.plan
    return tuple(_own.drawer.draw(portion.in_time()))
