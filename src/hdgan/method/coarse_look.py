"""What a drawing will hold, guessed before it is drawn: a ridge regression fitted on a pilot.

Two guesses: from w alone, which costs next to nothing, and from the means and standard deviations
of the coarse blocks' maps. On the shipped kidney generator a look at the coarse blocks takes about
a twentieth of drawing and labelling an image of 128 px. With a pilot of 128, guesses from w rank
others' shares of a rare class with a correlation of 0.55 to 0.75, those from a look with 0.57 to
0.79 (`scripts/bench composition`): so w sorts out most candidates, and a look is for the rest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, UInt8
from torch import Tensor

from hdgan.method.labelled_drawing import LabelledGenerator
from hdgan.method.latent import w_of
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator, Noise

COARSE_PART = 4
"""A look draws the blocks up to this part of the side..."""

COARSE_PX = 64
"""...and never finer ones than this."""

PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Weights of the squared weights, of which each class takes what predicts left-out images best."""

LEAST_SPREAD = 0.02
"""Error that a guess has at least, as a root of a share: a class that the pilot never shows would
be guessed without any."""

REACH = 0.95
"""Part of the pilot's latents that lie as near to their mean as a latent that is searched for may.
"""


def coarse_side(shape: NetworkShape) -> int:
    """Side of the finest block that a look draws."""
    return max(4, min(shape.resolution // COARSE_PART, COARSE_PX))


@torch.no_grad()
def coarse_look(
    generator: Generator, w: Float[Tensor, "1 w_dim"]
) -> Float64[np.ndarray, " statistics"]:
    """Mean and standard deviation of each channel of the coarse blocks, with constant noise."""
    side = coarse_side(generator.shape)
    statistics: list[Tensor] = []
    blocks = generator.synthesis.blocks(generator.styles(w), generator.synthesis.constant_noise())
    for block in blocks:
        for feature_map in block.maps:
            values = feature_map[0].double().flatten(1)
            statistics += [values.mean(dim=1), values.std(dim=1, correction=0)]
        if block.resolution >= side:
            break
    return torch.cat(statistics).cpu().numpy()


def shares_of(
    labelled: LabelledGenerator,
    w: Float[Tensor, "1 w_dim"],
    num_classes: int,
    noise: Noise | None = None,
) -> Float64[np.ndarray, " classes"]:
    """The part of a latent's pixels that each class has, counted band by band.

    Memory is a band's, or the whole drawing's where classes are told apart object by object.

    Args:
        labelled: what draws and labels.
        w: the latent.
        num_classes: how many classes there are.
        noise: one map a convolution; None takes the generator's constant noise.
    """
    # Only a whole label map has objects.
    parts = [labelled.drawing(w, noise)] if labelled.by_object else labelled.bands(w, noise)
    return counted((part.labels for part in parts), num_classes)


def counted(
    label_maps: Iterable[UInt8[np.ndarray, "_ _"]], num_classes: int
) -> Float64[np.ndarray, " classes"]:
    """The part of all pixels of some label maps that each class has."""
    total = np.zeros(num_classes, dtype=np.int64)
    for labels in label_maps:
        total += np.bincount(labels.ravel(), minlength=num_classes)[:num_classes]
    return total / total.sum()


@dataclass(frozen=True)
class Pilot:
    """Drawings as they come, untargeted: what the generator draws by itself."""

    w: Float32[np.ndarray, "images w_dim"]
    """Their latents."""

    looks: Float64[np.ndarray, "images statistics"]
    """What a coarse look finds in each."""

    shares: Float64[np.ndarray, "images classes"]
    """The part of its pixels that each class has."""

    @property
    def natural(self) -> Float64[np.ndarray, " classes"]:
        """The share of each class of the pixels of all images: the natural composition."""
        shares: Float64[np.ndarray, " classes"] = self.shares.mean(axis=0)
        return shares

    @classmethod
    def joined(cls, parts: Sequence["Pilot"]) -> "Pilot":
        """Pilots of several runs as one, in order."""
        return cls(
            np.concatenate([part.w for part in parts]),
            np.concatenate([part.looks for part in parts]),
            np.concatenate([part.shares for part in parts]),
        )


def pilot_of(
    labelled: LabelledGenerator,
    seeds: Sequence[int],
    truncation: float,
    stain: str | None = None,
    *,
    num_classes: int,
) -> Pilot:
    """Draw and label the images of some seeds in full; what is kept is a few thousand numbers each.

    Args:
        labelled: what draws and labels.
        seeds: of images that are no pairs, so that pairs stay unseen; two at least.
        truncation: the pairs'.
        stain: the pairs'; None: each seed decides its own.
        num_classes: how many classes there are.
    """
    generator = labelled.generator
    latents = [w_of(generator, seed, truncation, stain) for seed in seeds]
    return Pilot(
        np.stack([w[0].cpu().numpy() for w in latents]),
        np.stack([coarse_look(generator, w) for w in latents]),
        np.stack([shares_of(labelled, w, num_classes) for w in latents]),
    )


@dataclass(frozen=True)
class Guess:
    """A linear guess at the root of each class's share, and by how much it errs."""

    mean: Float64[np.ndarray, " inputs"]
    deviation: Float64[np.ndarray, " inputs"]
    weight: Float64[np.ndarray, "inputs classes"]
    bias: Float64[np.ndarray, " classes"]
    spread: Float64[np.ndarray, " classes"]
    """Root mean square error on images that were left out of the fit."""

    def roots(
        self, inputs: Float[np.ndarray, "*images inputs"]
    ) -> Float64[np.ndarray, "*images classes"]:
        """The guessed roots of the shares; they may be below 0."""
        scaled = (inputs.astype(np.float64) - self.mean) / self.deviation
        roots: Float64[np.ndarray, "*images classes"] = scaled @ self.weight + self.bias
        return roots


def fitted_guess(
    inputs: Float[np.ndarray, "images inputs"], shares: Float64[np.ndarray, "images classes"]
) -> Guess:
    """Ridge regression from inputs to roots of shares; the penalty by leaving out each image once.

    Roots, because most shares of a rare class are near 0 and few are large. Solved in the space of
    images: memory is images x (inputs + images) numbers.
    """
    values = inputs.astype(np.float64)
    mean, deviation = values.mean(axis=0), values.std(axis=0)
    deviation = np.where(deviation > 1e-9, deviation, 1.0) * np.sqrt(values.shape[1])
    scaled = (values - mean) / deviation
    roots = np.sqrt(shares)
    bias = roots.mean(axis=0)
    sizes, axes = np.linalg.eigh(scaled @ scaled.T)
    turned = axes.T @ (roots - bias)
    errors = []
    for penalty in PENALTIES:
        kept = sizes / (sizes + penalty)
        leverage = np.square(axes) @ kept + 1 / len(values)
        missed = roots - bias - axes @ (kept[:, None] * turned)
        left_out = missed / np.maximum(1 - leverage, 1e-3)[:, None]
        errors.append(np.sqrt(np.square(left_out).mean(axis=0)))
    best = np.argmin(errors, axis=0)
    dual = axes @ (turned / (sizes[:, None] + np.array(PENALTIES)[best]))
    spread = np.maximum(np.min(errors, axis=0), LEAST_SPREAD)
    return Guess(mean, deviation, scaled.T @ dual, bias, spread)


@dataclass(frozen=True)
class Probe:
    """What a pilot teaches about latents that have not been drawn."""

    glance: Guess
    """From w alone."""

    look: Guess
    """From what `coarse_look` finds."""

    centre: Float64[np.ndarray, " w_dim"]
    """The mean of the pilot's latents."""

    reach: float
    """How far from it ordinary latents lie: of the pilot's, `REACH` are nearer."""

    natural: Float64[np.ndarray, " classes"]
    """The natural composition, as the pilot shows it."""

    @classmethod
    def fit(cls, pilot: Pilot) -> "Probe":
        """Fit both guesses, in double precision on the CPU; nothing is random.

        Raises:
            ValueError: the pilot has a single image.
        """
        if len(pilot.w) < 2:
            raise ValueError(f"a pilot of {len(pilot.w)} images; a probe needs two at least")
        centre = pilot.w.mean(axis=0, dtype=np.float64)
        radii = np.linalg.norm(pilot.w - centre, axis=1)
        return cls(
            fitted_guess(pilot.w, pilot.shares),
            fitted_guess(pilot.looks, pilot.shares),
            centre,
            float(np.quantile(radii, REACH)),
            pilot.natural,
        )

    def tensors(self) -> dict[str, Tensor]:
        """All numbers by name, to be kept in a file or sent to another process."""
        arrays = {
            f"{name}.{part}": array
            for name, guess in (("glance", self.glance), ("look", self.look))
            for part, array in vars(guess).items()
        }
        arrays |= {"centre": self.centre, "reach": np.array([self.reach]), "natural": self.natural}
        return {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}

    @classmethod
    def of(cls, tensors: dict[str, Tensor]) -> "Probe":
        """The probe of which these are the `tensors`."""
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        glance, look = (
            Guess(
                **{
                    name.removeprefix(f"{kind}."): array
                    for name, array in arrays.items()
                    if name.startswith(f"{kind}.")
                }
            )
            for kind in ("glance", "look")
        )
        return cls(glance, look, arrays["centre"], float(arrays["reach"][0]), arrays["natural"])
