"""From the logits of an ensemble's members to one class and an uncertainty."""

from typing import Literal

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

Decision = Literal["mean", "vote"]
"""The class of highest mean probability, or the one that most members choose.

Of classes with equally many votes, the one of higher mean probability wins.
"""


def mean_probabilities(
    logits: Float[Tensor, "members classes *pixels"],
) -> Float[Tensor, "classes ..."]:
    """What the members think of each pixel on average."""
    return functional.softmax(logits, dim=1).mean(dim=0)


def decided(
    logits: Float[Tensor, "members classes *pixels"], decision: Decision
) -> tuple[UInt8[Tensor, "*pixels"], Float[Tensor, "*pixels"]]:
    """The class of each pixel, and the divergence of the members."""
    log_probabilities = functional.log_softmax(logits, dim=1)
    probabilities = log_probabilities.exp()
    mean = probabilities.mean(dim=0)
    divergence = torch.zeros_like(mean[0])
    if len(logits) > 1:  # one member agrees with itself, to the last digit
        entropies = -(probabilities * log_probabilities).sum(dim=1).mean(dim=0)
        divergence = (torch.special.entr(mean).sum(dim=0) - entropies).clamp_min_(0.0)
    if decision == "mean":
        return mean.argmax(dim=0).byte(), divergence
    # A whole vote counts more than any mean probability, which only settles ties.
    choices = probabilities.argmax(dim=1, keepdim=True)
    votes = torch.zeros_like(probabilities).scatter_(1, choices, 1.0).sum(dim=0)
    return (votes * 2.0 + mean).argmax(dim=0).byte(), divergence
