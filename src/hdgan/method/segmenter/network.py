"""A U-Net of MONAI, and the label map that it predicts for an image of any size."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from monai.inferers.utils import sliding_window_inference
from monai.networks.nets.unet import UNet
from torch import Tensor, nn

from hdgan.method.latent import tensor_of

WINDOW_PX = 512
"""Images with longer sides are predicted in overlapping windows of this size."""


@dataclass(frozen=True)
class SegmenterShape:
    """What the network is built from."""

    num_classes: int
    """Classes to tell apart."""

    width: int = 16
    """Channels at full resolution; they double at each step down."""

    num_levels: int = 4
    """Resolutions, each half the one before."""


def unet(shape: SegmenterShape, *, seed: int = 0) -> nn.Module:
    """The network with fresh weights; the same seed gives the same weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: nn.Module = UNet(
            spatial_dims=2,
            in_channels=3,
            out_channels=shape.num_classes,
            channels=tuple(shape.width * 2**level for level in range(shape.num_levels)),
            strides=(2,) * (shape.num_levels - 1),
            num_res_units=1,
            norm="batch",
        )
    return network


@torch.no_grad()
def predicted_labels(
    network: nn.Module, image: UInt8[np.ndarray, "height width 3"]
) -> UInt8[np.ndarray, "height width"]:
    """The most likely class of each pixel. The network must be in evaluation mode.

    Memory grows with the image; the network itself sees windows of at most `WINDOW_PX`.
    """
    return _most_likely(_logits_of(network, image))


@torch.no_grad()
def predicted_with_probabilities(
    network: nn.Module, image: UInt8[np.ndarray, "height width 3"]
) -> tuple[UInt8[np.ndarray, "height width"], Float32[np.ndarray, "classes height width"]]:
    """The same labels, and how probable each class is at each pixel."""
    logits = _logits_of(network, image)
    return _most_likely(logits), logits.softmax(dim=0).float().cpu().numpy()


def _most_likely(
    logits: Float[Tensor, "classes height width"],
) -> UInt8[np.ndarray, "height width"]:
    labels: UInt8[np.ndarray, "height width"] = logits.argmax(dim=0).to(torch.uint8).cpu().numpy()
    return labels


def _logits_of(
    network: nn.Module, image: UInt8[np.ndarray, "height width 3"]
) -> Float[Tensor, "classes height width"]:
    device = next(network.parameters()).device
    return _logits(network, tensor_of(image)[None].to(device))[0]


def _logits(
    network: nn.Module, x: Float[Tensor, "1 3 height width"]
) -> Float[Tensor, "1 classes height width"]:
    sides = x.shape[2:]
    window = [min(WINDOW_PX, -(-side // 32) * 32) for side in sides]
    # What an image has too few pixels to reflect is its edge, continued.
    has_room = all((wide - side + 1) // 2 < side for wide, side in zip(window, sides, strict=True))
    mode = "reflect" if has_room else "replicate"
    logits = sliding_window_inference(
        x, window, 1, network, overlap=0.25, mode="gaussian", padding_mode=mode
    )
    return torch.as_tensor(logits)
