"""Vision transformer (Dosovitskiy et al. 2021): an encoder whose class token describes an image.

Phikon, UNI and other networks that were trained on tissue are of this kind. Attention is plain;
layer scale (Touvron et al. 2021) is there, and 1 for the networks that have none.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from hdgan.method.encoder_input import imagenet

HEAD_DIM = 64
"""Numbers of an attention head in ViT-Ti, -S, -B and -L; weights do not tell it."""


@dataclass(frozen=True)
class TransformerShape:
    """Sizes of a vision transformer."""

    width: int
    """Numbers of a token; a multiple of `HEAD_DIM`."""

    depth: int
    """Blocks."""

    hidden: int
    """Numbers between the two layers of a block's perceptron."""

    patch_px: int
    """Side of the patches that become tokens."""

    grid: int
    """Patches in a row; its images have `grid * patch_px` pixels a side."""

    epsilon: float
    """What is added to variances."""


class TransformerBlock(nn.Module):
    """Attention, then a perceptron, each on normalised tokens and added to them."""

    def __init__(self, shape: TransformerShape) -> None:
        super().__init__()
        width, hidden = shape.width, shape.hidden
        self.num_heads = width // HEAD_DIM
        self.attention_norm = nn.LayerNorm(width, eps=shape.epsilon)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.attention_scale = nn.Parameter(torch.ones(width))
        self.perceptron_norm = nn.LayerNorm(width, eps=shape.epsilon)
        self.perceptron_in = nn.Linear(width, hidden)
        self.perceptron_out = nn.Linear(hidden, width)
        self.perceptron_scale = nn.Parameter(torch.ones(width))

    def forward(
        self, x: Float[Tensor, "batch tokens width"]
    ) -> Float[Tensor, "batch tokens width"]:
        """The tokens after this block."""
        x = x + self.attention_scale * self._attended(self.attention_norm(x))
        hidden = functional.gelu(self.perceptron_in(self.perceptron_norm(x)))
        return x + self.perceptron_scale * self.perceptron_out(hidden)

    def _attended(
        self, x: Float[Tensor, "batch tokens width"]
    ) -> Float[Tensor, "batch tokens width"]:
        batch, tokens, width = x.shape
        parts = self.query_key_value(x).view(batch, tokens, 3, self.num_heads, HEAD_DIM)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return self.attention_out(mixed.transpose(1, 2).reshape(batch, tokens, width))


class VisionTransformer(nn.Module):
    """Images to the normalised class token."""

    def __init__(self, shape: TransformerShape) -> None:
        super().__init__()
        self.prepare = imagenet(shape.grid * shape.patch_px)
        self.patches = nn.Conv2d(3, shape.width, shape.patch_px, stride=shape.patch_px)
        self.class_token = nn.Parameter(torch.zeros(1, 1, shape.width))
        self.positions = nn.Parameter(torch.zeros(1, 1 + shape.grid**2, shape.width))
        self.blocks = nn.ModuleList([TransformerBlock(shape) for _ in range(shape.depth)])
        self.norm = nn.LayerNorm(shape.width, eps=shape.epsilon)

    def forward(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch features"]:
        """Features of RGB images from -1 to 1, of any size."""
        patches = self.patches(self.prepare(images)).flatten(2).transpose(1, 2)
        token = self.class_token.expand(len(patches), -1, -1)
        x = torch.cat([token, patches], dim=1) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.norm(x[:, 0])
