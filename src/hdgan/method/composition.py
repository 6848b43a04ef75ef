"""Pairs that hold at least so much of a class: looked for, drawn, and counted to be sure.

A targeted pair set is no fair sample of what the generator draws: its composition is changed, and
rare looks are chosen with the rare class. Callers say so, with what it cost (`Found`).

Every pair is found by itself: what is found depends on its seed, on what is wanted, on the probe
and on the choices, and on nothing else. Candidate 0 is the image that the seed draws without any
wish (`composition_candidates`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from hdgan.method.coarse_look import Guess, Probe, coarse_look, counted, shares_of
from hdgan.method.composition_candidates import candidate_w, crossed
from hdgan.method.composition_wanted import Wanted, check_wanted, has_wanted
from hdgan.method.labelled_drawing import LabelledDrawing, LabelledGenerator
from hdgan.settings.bounds import at_least, within

Way = Literal["first", "rejection", "search", "missed"]
"""The first drawing had it; another drawing did; a latent between others did; none within reach."""

GLANCE_AT = -1.0
"""Margin from which a candidate of which only w was seen is worth a coarse look."""

DRAW_AT = 0.0
"""Margin from which a candidate is drawn as soon as it comes, so that what is kept stays as mixed
as what the generator draws by itself; only if these fail is the most promising drawn."""

HOPELESS = -2.5
"""Margin below which an ordinary candidate is not drawn."""

CHILDREN = 32
"""Latents that a generation of the search looks at."""

PARENTS = 8
"""Latents that the next generation comes from."""

DRAWN_CHILDREN = 2
"""Latents of a generation that are drawn, the most promising."""


@dataclass(frozen=True)
class SearchChoices:
    """How long a pair is looked for; its latents are made as those of other pairs."""

    truncation: float = 0.7
    """Of all candidates."""

    stain: str | None = None
    """Of all candidates; None: the pair's seed decides."""

    most_glances: int = 2048
    """Candidates of which w is seen: a tenth of a millisecond each."""

    most_looks: int = 256
    """Candidates of which the coarse blocks are drawn; the search has as many again."""

    most_draws: int = 16
    """Candidates that are drawn and labelled; the search has as many again."""

    search: bool = True
    """Whether latents between candidates are looked for where no candidate has enough."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work.

        Raises:
            SettingsError: nothing could be drawn, or less than nothing seen.
        """
        at_least(self, 0, "most_glances", "most_looks")
        at_least(self, 1, "most_draws")
        within(self, 0, 1, "truncation")


@dataclass(frozen=True)
class Found:
    """A pair's latent, and what it took."""

    w: Float[Tensor, "1 w_dim"]
    """The latent; of a pair that was missed the one that came nearest."""

    drawing: LabelledDrawing | None
    """Its drawing with constant noise; None if it is not kept, or missed."""

    shares: Float64[np.ndarray, " classes"]
    """The part of its pixels that each class has, counted in its label map."""

    way: Way
    glances: int
    """Latents of which only w was seen, or w first."""

    looks: int
    """Latents of which the coarse blocks were drawn."""

    draws: int
    """Latents that were drawn and labelled."""


class Finder:
    """Finds a latent for each pair whose label map holds what is wanted."""

    def __init__(
        self,
        labelled: LabelledGenerator,
        probe: Probe,
        wanted: Wanted,
        choices: SearchChoices,
        *,
        keep_drawing: bool = True,
    ) -> None:
        """Check what is wanted.

        Args:
            labelled: what draws and labels.
            probe: fitted to a pilot of the same generator, labels and truncation.
            wanted: by class.
            choices: how long is looked.
            keep_drawing: whether `Found` has the drawing, eight bytes a pixel; without, label maps
                are counted band by band in a band's memory, and the caller draws w again.

        Raises:
            SettingsError: no image can hold what is wanted (`check_wanted`).
        """
        check_wanted(wanted, len(probe.natural))
        self.labelled, self.probe, self.wanted, self.choices = labelled, probe, wanted, choices
        self.keep_drawing = keep_drawing
        self.places = np.array(list(wanted), dtype=np.int64)
        self.roots = np.sqrt(np.array(list(wanted.values())))

    def found(self, seed: int) -> Found:
        """The pair of a seed, whose label map has been counted, with constant noise.

        With other noise the same latent has other shares: count again (`shares_of`, `has_wanted`).

        Memory: the drawing if it is kept, what labelling takes, and the latents of as many
        candidates as are looked at.
        """
        hunt = _Hunt(self, seed)
        ways = [hunt.first, hunt.rejected, *([hunt.searched] if self.choices.search else [])]
        for way in ways:
            found = way()
            if found is not None:
                return found
        return hunt.missed()

    def margin(self, roots: Float64[np.ndarray, " classes"], guess: Guess) -> float:
        """How far roots of shares are above what is wanted, in errors of a guess; least class."""
        return float(((roots[self.places] - self.roots) / guess.spread[self.places]).min())


@dataclass
class _Candidate:
    """A latent, and how far its image is above what is wanted."""

    margin: float
    w: Float[Tensor, "1 w_dim"]
    is_drawn: bool = False
    """Whether the margin was counted, not guessed."""


def _best_first(candidates: list[_Candidate]) -> list[_Candidate]:
    return sorted(candidates, key=lambda candidate: -candidate.margin)


class _Hunt:
    """The way to one pair."""

    def __init__(self, finder: Finder, seed: int) -> None:
        self.finder, self.seed, self.choices = finder, seed, finder.choices
        self.generator = finder.labelled.generator
        self.glances = self.looks = self.draws = 0
        self.known: list[_Candidate] = []
        """All that were looked at or drawn."""
        self.passed_over: list[tuple[float, int]] = []
        """Candidates that were glanced at only: less their margin, and their number."""
        self.nearest: tuple[float, Tensor, np.ndarray] | None = None

    def first(self) -> Found | None:
        """Draw what the seed draws by itself."""
        own = _Candidate(0.0, self._w(0))
        self.known.append(own)
        return self._drawn(own, "first")

    def rejected(self) -> Found | None:
        """Draw the candidates that promise enough, as they come; then the best of the others."""
        for candidate in chain(self._promising(), self._others()):
            if self.draws >= self.choices.most_draws:
                return None
            if (found := self._drawn(candidate, "rejection")) is not None:
                return found
        return None

    def _promising(self) -> Iterator[_Candidate]:
        """Candidates whose coarse blocks promise enough, in their order."""
        for number in range(1, self.choices.most_glances + 1):
            if self.looks >= self.choices.most_looks:
                return
            w = self._w(number)
            margin = self._glanced(w)
            if margin < GLANCE_AT:
                self.passed_over.append((-margin, number))
            elif (candidate := self._looked(w)).margin >= DRAW_AT:
                yield candidate

    def _others(self) -> Iterator[_Candidate]:
        """Candidates that promise less, best first; before, the looks that are left are taken."""
        left = max(0, self.choices.most_looks - self.looks)
        for _, number in sorted(self.passed_over)[:left]:
            self._looked(self._w(number))
        for candidate in _best_first(self.known):
            if not candidate.is_drawn and candidate.margin >= HOPELESS:
                yield candidate

    def searched(self) -> Found | None:
        """Cross the latents that come nearest, generation by generation."""
        random = np.random.default_rng([self.seed, 4])
        probe = self.finder.probe
        looks, draws = self.looks, self.draws
        centre = torch.from_numpy(probe.centre).to(self.known[0].w)
        while (
            self.looks + CHILDREN <= looks + self.choices.most_looks
            and self.draws + DRAWN_CHILDREN <= draws + self.choices.most_draws
        ):
            self.known = _best_first(self.known)[:PARENTS]
            parents = [candidate.w for candidate in self.known]
            children = [
                self._looked(crossed(parents, centre, probe.reach, random)) for _ in range(CHILDREN)
            ]
            for child in _best_first(children)[:DRAWN_CHILDREN]:
                if (found := self._drawn(child, "search")) is not None:
                    return found
        return None

    def missed(self) -> Found:
        """What came nearest."""
        assert self.nearest is not None
        _, w, shares = self.nearest
        return self._found(w, None, shares, "missed")

    def _w(self, number: int) -> Float[Tensor, "1 w_dim"]:
        choices = self.choices
        return candidate_w(self.generator, self.seed, number, choices.truncation, choices.stain)

    def _glanced(self, w: Float[Tensor, "1 w_dim"]) -> float:
        self.glances += 1
        guess = self.finder.probe.glance
        return self.finder.margin(guess.roots(w[0].cpu().numpy()), guess)

    def _looked(self, w: Float[Tensor, "1 w_dim"]) -> _Candidate:
        self.looks += 1
        guess = self.finder.probe.look
        margin = self.finder.margin(guess.roots(coarse_look(self.generator, w)), guess)
        candidate = _Candidate(margin, w)
        self.known.append(candidate)
        return candidate

    def _drawn(self, candidate: _Candidate, way: Way) -> Found | None:
        """Draw in full and count; None if it is not enough, of which the candidate then knows."""
        self.draws += 1
        finder, num_classes = self.finder, len(self.finder.probe.natural)
        drawing = finder.labelled.drawing(candidate.w) if finder.keep_drawing else None
        if drawing is None:
            shares = shares_of(finder.labelled, candidate.w, num_classes)
        else:
            shares = counted([drawing.labels], num_classes)
        if has_wanted(shares, finder.wanted):
            return self._found(candidate.w, drawing, shares, way)
        candidate.is_drawn = True
        candidate.margin = finder.margin(np.sqrt(shares), finder.probe.look)
        if self.nearest is None or candidate.margin > self.nearest[0]:
            self.nearest = (candidate.margin, candidate.w, shares)
        return None

    def _found(
        self,
        w: Float[Tensor, "1 w_dim"],
        drawing: LabelledDrawing | None,
        shares: Float64[np.ndarray, " classes"],
        way: Way,
    ) -> Found:
        return Found(w, drawing, shares, way, self.glances, self.looks, self.draws)
