"""How a learning rate falls over a run."""

import math


def cosine_rate(start: float, step: int, steps: int) -> float:
    """The rate at a step: from `start` at step 0 along half a cosine to 0 at the end."""
    return start * 0.5 * (1.0 + math.cos(math.pi * step / steps))
