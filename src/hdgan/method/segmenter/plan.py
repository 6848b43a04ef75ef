"""What decides how a segmenter is trained."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class SegmenterPlan:
    """Everything that decides what training computes, apart from the images and the rule."""

    steps: int
    """Steps of the optimizer."""

    batch: int
    """Labelled crops a step."""

    crop_px: int
    """Side of a crop."""

    learning_rate: float
    """Of AdamW; it falls to zero along a cosine."""

    stain_jitter: float
    """Largest relative change of each colour channel's optical density."""

    cut_mix: float = 0.0
    """Chance of a labelled crop to get a rectangle of another."""

    precision: torch.dtype = torch.float32
    """What the forward pass computes in; weights and losses are float32."""

    tick_steps: int = 20
    """Steps between two reports."""

    seed: int = 0
    """Decides weights, crops and their changes."""
