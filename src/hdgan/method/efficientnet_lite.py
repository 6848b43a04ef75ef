"""EfficientNet-Lite0 without its last layer: an encoder of 1280 numbers an image.

EfficientNet-B0 (Tan and Le 2019, table 1) as its authors published it for small devices: without
squeeze-and-excitation, and with ReLU6 for swish. Like SqueezeNet it knows ImageNet and no tissue.
"""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from hdgan.method.encoder_input import Preparation

LITE0 = Preparation(224, (127.0, 127.0, 127.0), (128.0, 128.0, 128.0))
"""What Lite networks were trained to be given."""

STAGES = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
          (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3))  # fmt: skip
"""Expansion, channels, blocks, stride of the first block, and kernel of each stage."""

STEM_CHANNELS, NUM_FEATURES = 32, 1280

_EPSILON = 1e-3
"""What is added to variances, as in the published TensorFlow network."""


class Normalised(nn.Module):
    """A convolution without bias, and batch normalisation with kept statistics.

    Padding is TensorFlow's `SAME`: as many outputs as strides begin inside the image, and an odd
    row or column of padding goes to the end.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=_EPSILON)
        self.kernel, self.stride = kernel, stride

    def forward(
        self, x: Float[Tensor, "batch inputs height width"]
    ) -> Float[Tensor, "batch outputs rows columns"]:
        """The maps before the activation."""
        (top, bottom), (left, right) = (self._padding(side) for side in x.shape[2:])
        return self.norm(self.conv(functional.pad(x, [left, right, top, bottom])))

    def _padding(self, side: int) -> tuple[int, int]:
        steps = -(-side // self.stride) - 1
        total = max(steps * self.stride + self.kernel - side, 0)
        return total // 2, total - total // 2


class InvertedBottleneck(nn.Module):
    """Expand, convolve each channel, project; added to the input where sizes agree."""

    def __init__(
        self, inputs: int, outputs: int, *, expansion: int, kernel: int, stride: int
    ) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = Normalised(inputs, wide, 1) if expansion > 1 else None
        self.depthwise = Normalised(wide, wide, kernel, stride=stride, groups=wide)
        self.project = Normalised(wide, outputs, 1)
        self.is_added = stride == 1 and inputs == outputs

    def forward(
        self, x: Float[Tensor, "batch inputs height width"]
    ) -> Float[Tensor, "batch outputs rows columns"]:
        """The maps after this block."""
        wide = x if self.expand is None else functional.relu6(self.expand(x))
        projected: Tensor = self.project(functional.relu6(self.depthwise(wide)))
        return x + projected if self.is_added else projected


class EfficientNetLite0(nn.Module):
    """Images to the means of the last feature maps."""

    def __init__(self, prepare: Preparation = LITE0) -> None:
        super().__init__()
        self.prepare = prepare
        self.stem = Normalised(3, STEM_CHANNELS, 3, stride=2)
        self.blocks = nn.ModuleList()
        channels = STEM_CHANNELS
        for expansion, outputs, count, first_stride, kernel in STAGES:
            for number in range(count):
                stride = 1 if number else first_stride
                self.blocks.append(
                    InvertedBottleneck(
                        channels, outputs, expansion=expansion, kernel=kernel, stride=stride
                    )
                )
                channels = outputs
        self.head = Normalised(channels, NUM_FEATURES, 1)

    def forward(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch features"]:
        """Features of RGB images from -1 to 1, of any size."""
        x = functional.relu6(self.stem(self.prepare(images)))
        for block in self.blocks:
            x = block(x)
        return functional.relu6(self.head(x)).mean(dim=(2, 3))
