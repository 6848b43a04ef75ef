"""One process's part: pairs drawn, labelled and written, one after another."""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import local
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.memory import bytes_for_work
from hdgan.artifacts.pair_files import PairFiles, Tally
from hdgan.artifacts.pair_notes import PairNote, pair_name
from hdgan.artifacts.pair_set import PairRecord
from hdgan.artifacts.real_tiles import RealismOfImage
from hdgan.artifacts.weights import device_named
from hdgan.method.labelled_drawing import LabelledDrawing, LabelledGenerator, fixed_bytes_of
from hdgan.method.latent import noise_of, w_of
from hdgan.method.stylegan.synthesis import Noise
from hdgan.method.uncertainty import largest_divergence
from hdgan.stages.synthesize.likeness import likeness_of
from hdgan.stages.synthesize.plan import Plan, Portion

WRITERS = 2
"""Threads that encode and write, so that the generator need not wait for them."""

WAITING_BYTES = 64 * 2**20
"""Drawings that wait to be written may take so much; one always may."""


@dataclass(frozen=True)
class _Made:
    """A pair that is drawn; `tally` is there if its files are, too."""

    w: Float[Tensor, "1 w_dim"]
    drawing: LabelledDrawing | None
    tally: Tally | None = None
    realism: RealismOfImage | None = None


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
        self.plan, self.notes, settings = plan, plan.notes, plan.settings
        ensemble = ClassifierFolder.open(plan.classifier)
        folder = GeneratorFolder.open(plan.generator)
        self.network = folder.generator().to(device)
        classifier = ensemble.classifier().to(device)
        context = ensemble.context()
        context = None if context is None else context.to(device)
        drawing_bytes = 8 * plan.side_px**2
        self.most_waiting = max(1, min(2 * WRITERS, WAITING_BYTES // drawing_bytes))
        fixed = fixed_bytes_of(folder.shape, classifier, context)
        self.labelled = LabelledGenerator(
            self.network,
            classifier,
            ensemble.text.num_blocks,
            context=context,
            decision=ensemble.decision,
            by_object=ensemble.text.by_object,
            memory_bytes=bytes_for_work(
                settings.memory, plan.side_px, fixed + self.most_waiting * drawing_bytes
            ),
        )
        num_classes = len(ensemble.class_map)
        self.largest = largest_divergence(classifier.shape.num_members, num_classes)
        self.files = PairFiles(num_classes, self.largest)
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
                while len(waiting) > self.most_waiting:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _made(self, row: int) -> _Made:
        """Draw a pair."""
        seed, settings = self.plan.seed(row), self.plan.settings
        w = w_of(self.network, seed, settings.truncation, settings.stain)
        noise = noise_of(self.network, seed, self.plan.noise(row))
        if self.plan.ending == "tif":
            return _Made(w, None, self._streamed(row, w, noise))
        drawing = self.labelled.drawing(w, noise)
        realism = None if self.likeness is None else self.likeness.score(drawing.pixels)
        return _Made(w, drawing, realism=realism)

    def _streamed(self, row: int, w: Float[Tensor, "1 w_dim"], noise: Noise) -> Tally:
        bands = self.labelled.bands(w, noise)
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
        note = PairNote(w, tally.uncertainty, tuple(tally.pixels), **_likeness(made.realism))
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


def _likeness(realism: RealismOfImage | None) -> dict[str, Any]:
    """What a note says of it."""
    if realism is None:
        return {}
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
    return tuple(_own.drawer.draw(portion.rows))
