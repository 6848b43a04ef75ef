"""What becomes of an image before an encoder sees it: its size, its scale, the order of colours."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Preparation:
    """What a network was trained to be given."""

    side_px: int
    """Images are resized to this, as a whole; one of this size is taken as it is."""

    mean: tuple[float, float, float]
    """What is subtracted, on the scale 0 to 255, in the order of `blue_first`."""

    deviation: tuple[float, float, float]
    """By what the rest is divided, on the same scale and in the same order."""

    blue_first: bool = False
    """Whether the network takes blue, green, red."""

    def __call__(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch 3 side side"]:
        """RGB images from -1 to 1, of any size, as the network takes them."""
        size = [self.side_px, self.side_px]
        x = functional.interpolate(
            images, size, mode="bilinear", antialias=True, align_corners=False
        )
        mean = x.new_tensor(self.mean)[:, None, None]
        deviation = x.new_tensor(self.deviation)[:, None, None]
        x = x.flip(1) if self.blue_first else x
        return ((x + 1.0) * 127.5 - mean) / deviation


def imagenet(side_px: int) -> Preparation:
    """Mean and deviation of ImageNet's colours, as most PyTorch networks take them."""
    return Preparation(side_px, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
