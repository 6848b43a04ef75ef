"""SqueezeNet 1.1 (Iandola et al. 2016) without its last layer: an encoder of 512 numbers an image.

Small enough for a CPU. What it makes of tissue is no better than what ImageNet taught it; scores in
its features say which of two generators is closer to the real tiles, and little else.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from hdgan.method.encoder_input import Preparation

INPUT_PX = 227
"""Side of the images that the first published weights were trained on."""

CAFFE = Preparation(INPUT_PX, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0), blue_first=True)
"""What those weights were trained to be given."""

FIRE = {2: (64, 16, 64), 3: (128, 16, 64), 4: (128, 32, 128), 5: (256, 32, 128),
        6: (256, 48, 192), 7: (384, 48, 192), 8: (384, 64, 256), 9: (512, 64, 256)}  # fmt: skip
"""Channels of each fire module: in, squeezed, and out of each of its two halves."""

NUM_FEATURES = 512


class Fire(nn.Module):
    """Squeeze to few channels, then expand by 1 x 1 and by 3 x 3."""

    def __init__(self, inputs: int, squeezed: int, half: int) -> None:
        super().__init__()
        self.squeeze1x1 = nn.Conv2d(inputs, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, half, 1)
        self.expand3x3 = nn.Conv2d(squeezed, half, 3, padding=1)

    def forward(
        self, x: Float[Tensor, "batch inputs height width"]
    ) -> Float[Tensor, "batch outputs height width"]:
        """Both halves, side by side."""
        x = functional.relu(self.squeeze1x1(x))
        return functional.relu(torch.cat([self.expand1x1(x), self.expand3x3(x)], dim=1))


class SqueezeNet(nn.Module):
    """Images to the means of the last feature maps."""

    def __init__(self, prepare: Preparation = CAFFE) -> None:
        super().__init__()
        self.prepare = prepare
        self.conv1 = nn.Conv2d(3, 64, 3, stride=2)
        for number, channels in FIRE.items():
            self.add_module(f"fire{number}", Fire(*channels))

    def forward(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch features"]:
        """Features of RGB images from -1 to 1, of any size."""
        x = functional.relu(self.conv1(self.prepare(images)))
        for number in FIRE:
            if number in (2, 4, 6):
                x = functional.max_pool2d(x, 3, stride=2)
            x = self.get_submodule(f"fire{number}")(x)
        return x.mean(dim=(2, 3))
