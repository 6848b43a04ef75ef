"""How far a network's answer is from what it should be."""

import torch
from jaxtyping import Bool, Float, Int
from monai.losses.dice import DiceLoss
from torch import Tensor
from torch.nn import functional

from hdgan.class_map import UNLABELLED


def segmentation_loss(
    logits: Float[Tensor, "batch classes side side"], labels: Int[Tensor, "batch side side"]
) -> Float[Tensor, ""]:
    """Cross entropy plus soft Dice loss over the labelled pixels; unlabelled ones do not count."""
    target, known = one_hot(labels, logits.shape[1])
    entropy = functional.cross_entropy(logits, labels, ignore_index=UNLABELLED, reduction="sum")
    return entropy / known.sum().clamp_min(1) + _soft_dice_loss(logits, target, known)


def mixture_loss(
    logits: Float[Tensor, "batch classes side side"],
    target: Float[Tensor, "batch classes side side"],
    known: Bool[Tensor, "batch side side"],
) -> Float[Tensor, ""]:
    """The same loss to class probabilities rather than labels, over the known pixels."""
    return soft_entropy(logits, target, known) + _soft_dice_loss(logits, target, known)


def entropy_over_all(
    logits: Float[Tensor, "batch classes side side"], labels: Int[Tensor, "batch side side"]
) -> Float[Tensor, ""]:
    """Cross entropy of the labelled pixels, divided by the number of all: few labels weigh little.

    This is how FixMatch counts (Sohn et al. 2020, equation 4).
    """
    entropy = functional.cross_entropy(logits, labels, ignore_index=UNLABELLED, reduction="sum")
    return entropy / labels.numel()


def soft_entropy(
    logits: Float[Tensor, "batch classes side side"],
    target: Float[Tensor, "batch classes side side"],
    known: Bool[Tensor, "batch side side"],
) -> Float[Tensor, ""]:
    """Mean cross entropy to class probabilities, over the known pixels."""
    entropy = -(target * logits.log_softmax(dim=1)).sum(dim=1)
    return (entropy * known).sum() / known.sum().clamp_min(1)


def squared_error(
    logits: Float[Tensor, "batch classes side side"],
    target: Float[Tensor, "batch classes side side"],
    known: Bool[Tensor, "batch side side"] | None = None,
) -> Float[Tensor, ""]:
    """Mean squared difference of class probabilities, over classes and known pixels (or all)."""
    error = (logits.softmax(dim=1) - target).square().mean(dim=1)
    if known is None:
        return error.mean()
    return (error * known).sum() / known.sum().clamp_min(1)


def one_hot(
    labels: Int[Tensor, "batch side side"], num_classes: int
) -> tuple[Float[Tensor, "batch classes side side"], Bool[Tensor, "batch side side"]]:
    """Labels as class probabilities, and which pixels have a label; others are all zero."""
    known = labels != UNLABELLED
    target = functional.one_hot(labels.where(known, 0), num_classes).permute(0, 3, 1, 2)
    return target.to(torch.float32) * known[:, None], known


def _soft_dice_loss(
    logits: Float[Tensor, "batch classes side side"],
    target: Float[Tensor, "batch classes side side"],
    known: Bool[Tensor, "batch side side"],
) -> Float[Tensor, ""]:
    """One minus soft Dice over the known pixels of the batch, mean over classes."""
    mask = known[:, None].to(logits.dtype)
    loss: Tensor = DiceLoss(batch=True)(logits.softmax(dim=1) * mask, target * mask)
    return loss
