"""Images that were drawn again: what is said of how they compare with those that were kept."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from jaxtyping import Float32

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.redrawn_files import FileDifference
from hdgan.method.redrawn import MOST_LABELS, MOST_PIXELS
from hdgan.method.regeneration import TOLERANCE
from hdgan.pipeline import Fact

MOST_LATENT = 1e-3
"""Difference of a latent's number, of about 1, that counts as rounding."""

IMAGE, LABELS, UNCERTAINTY = "image", "label map", "uncertainty"
"""What a file holds."""

_BOUND = (
    f"at most {MOST_PIXELS:.1%} of an image's pixels, or of an uncertainty map's, by more than "
    f"{TOLERANCE} of 255 steps, and {MOST_LABELS:.1%} of a label map's; numbers of a latent by "
    f"{MOST_LATENT:g}"
)

_WHAT_TO_DO = (
    ". What to do: run --check. If the files are whole, images, latents and networks do not belong "
    "together, or were drawn by a version that draws otherwise: make them again before anything "
    "learns from them."
)


@dataclass(frozen=True)
class Redrawn:
    """An image that was drawn again, with its maps if it has some."""

    name: str
    """What it is called in the artifact."""

    files: Mapping[str, FileDifference]
    """How each file compares, by what it holds."""

    latents: tuple[Float32[np.ndarray, " w_dim"], Float32[np.ndarray, " w_dim"]]
    """That was kept, and that was drawn."""

    @property
    def is_same(self) -> bool:
        """Whether no byte differs."""
        return all(difference.same_bytes for difference in self.files.values())

    @property
    def differs(self) -> bool:
        """Whether more than rounding differs."""
        return bool(self.wrong) or self.latent_difference > MOST_LATENT

    @property
    def wrong(self) -> list[str]:
        """Files of which more than rounding differs."""
        return [
            what
            for what, difference in self.files.items()
            if difference.problem or not _is_rounding(what, difference)
        ]

    @property
    def latent_difference(self) -> float:
        """The largest between a number of both latents."""
        kept, drawn = self.latents
        return float(np.abs(kept - drawn).max(initial=0.0))


def facts_of(
    artifact: Artifact, redrawn: Sequence[Redrawn], num_all: int
) -> tuple[dict[str, Fact], bool]:
    """What was found, by name, and whether something differs by more than rounding.

    Args:
        artifact: the sample set or pair set.
        redrawn: what was drawn again of it.
        num_all: how many images it has.
    """
    facts: dict[str, Fact] = {one.name: _verdict(one) for one in redrawn}
    facts["latents"] = _of_latents(artifact, redrawn)
    if any(not one.is_same for one in redrawn):
        facts["counts as rounding"] = _BOUND
        facts["drawn by"] = f"{artifact.manifest.made_by}; again by hdgan {version('hdgan')}"
    num_wrong = sum(one.differs for one in redrawn)
    advice = _WHAT_TO_DO if num_wrong else ""
    facts["drawn again"] = f"{len(redrawn):,} of {num_all:,}: {_counted(redrawn)}{advice}"
    return facts, bool(num_wrong)


def _counted(redrawn: Sequence[Redrawn]) -> str:
    kinds = {True: "DIFFERS", False: "equal but for rounding"}
    counts = Counter(
        "equal to the byte" if one.is_same and not one.differs else kinds[one.differs]
        for one in redrawn
    )
    return ", ".join(f"{count:,} {kind}" for kind, count in counts.items()) or "there is none"


def _verdict(one: Redrawn) -> str:
    if one.is_same:
        return "equal to the byte"
    if one.wrong:
        parts = {what: one.files[what] for what in one.wrong}
        return f"DIFFERS: {_said(parts)}"
    if all(difference.pixels.num_differing == 0 for difference in one.files.values()):
        return "equal in every pixel; the files are packed otherwise"
    return f"equal but for rounding: {_said(one.files)}"


def _said(files: Mapping[str, FileDifference]) -> str:
    return "; ".join(
        _of_file(what, difference)
        for what, difference in files.items()
        if difference.problem or difference.pixels.num_differing
    )


def _of_file(what: str, difference: FileDifference) -> str:
    pixels = difference.pixels
    if difference.problem:
        return f"{what}: {difference.problem}"
    if what == LABELS:
        return f"{what}: {pixels.share_differing:.3%} of the pixels"
    unit = "grey values" if what == IMAGE else "of 255 steps"
    beyond = f"{pixels.share_beyond:.3%} of the pixels by more than {TOLERANCE}"
    return f"{what}: by up to {pixels.largest} {unit}, {beyond}"


def _is_rounding(what: str, difference: FileDifference) -> bool:
    pixels = difference.pixels
    return pixels.is_rounding_of_labels if what == LABELS else pixels.is_rounding_of_image


def _of_latents(artifact: Artifact, redrawn: Sequence[Redrawn]) -> str:
    if artifact.manifest.settings.get("at_least"):
        return "taken as they were kept: they were searched for, and no seed says them"
    largest = max((one.latent_difference for one in redrawn), default=0.0)
    if largest == 0.0:
        return "equal"
    amount = f"by up to {largest:.1g}"
    return f"DIFFERS: {amount}" if largest > MOST_LATENT else f"equal but for rounding: {amount}"
