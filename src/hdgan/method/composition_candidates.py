"""Latents to choose from: the numbered candidates of a pair, and latents between them.

Candidate 0 of a pair is what its seed draws by itself. The z of number t > 0 comes from
`numpy.random.default_rng([seed, 3, t])`; 1 and 2 behind a seed are its stain and its noise. NumPy
mixes all bits of all of these, so that no two pairs share a candidate, as they might through
`torch.manual_seed`, of whose seed the CPU's generator reads 32 bits.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from hdgan.method.latent import stain_of, w_of
from hdgan.method.stylegan.synthesis import Generator

BEYOND = 0.3
"""How far a child may lie beyond the better parent, in steps between the two."""


@torch.no_grad()
def candidate_w(
    generator: Generator, seed: int, number: int, truncation: float, stain: str | None = None
) -> Float[Tensor, "1 w_dim"]:
    """The w of a pair's candidate; number 0 is `w_of`, all have its stain."""
    if number == 0:
        return w_of(generator, seed, truncation, stain)
    shape, device = generator.shape, generator.mapping.w_avg.device
    normal = np.random.default_rng([seed, 3, number]).standard_normal((1, shape.z_dim))
    z = torch.from_numpy(normal.astype(np.float32)).to(device)
    told = stain_of(shape, seed, stain)
    places = None if told is None else torch.tensor([shape.stains.index(told)], device=device)
    w: Tensor = generator.mapping(z, places)
    return generator.mapping.truncated(w, truncation)


def crossed(
    parents: Sequence[Float[Tensor, "1 w_dim"]],
    centre: Float[Tensor, " w_dim"],
    reach: float,
    random: np.random.Generator,
) -> Float[Tensor, "1 w_dim"]:
    """A latent on the line of two parents, as far from the centre as they are on average.

    A straight mean of latents lies nearer to the centre than both, and its image nearer to the
    mean image: children of children would all look alike. So the direction is mixed, and the
    distance apart from it; it ends at the reach.

    Args:
        parents: the best first; a single one is given back within the reach.
        centre: the mean of ordinary latents.
        reach: how far from it a child may be.
        random: which parents, and where between them.
    """
    first, second = np.sort(random.choice(len(parents), 2, replace=len(parents) < 2))
    part = random.uniform(-BEYOND, 1.0)
    better, other = parents[first] - centre, parents[second] - centre
    way = torch.lerp(better, other, part)
    far = float(torch.lerp(better.norm(), other.norm(), part))
    length = float(way.norm())
    if length == 0.0:
        return centre[None]
    return centre + way * (min(max(far, 0.0), reach) / length)
