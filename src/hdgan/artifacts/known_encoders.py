"""Encoders whose weights are recognised by the names of their tensors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isqrt
from pathlib import Path

import torch
from torch import Tensor, nn

from hdgan.artifacts.encoder_names import (
    DINOV2,
    EFFICIENTNET_LITE,
    SQUEEZENET,
    SQUEEZENET_KERAS,
    SQUEEZENET_TORCHVISION,
    TIMM,
    TIMM_SCALED,
    VIT,
    Naming,
    stored_names,
)
from hdgan.errors import EncoderError
from hdgan.method.efficientnet_lite import EfficientNetLite0
from hdgan.method.encoder_input import imagenet
from hdgan.method.squeezenet import SqueezeNet
from hdgan.method.vision_transformer import HEAD_DIM, TransformerShape, VisionTransformer

LARGEST_WIDTH = 1024
"""Of a vision transformer; wider ones (ViT-H) divide their heads in other ways."""


LARGEST_DEPTH = 4000
"""Blocks of a vision transformer; published ones have up to 40. Each takes a millisecond before
sizes are compared."""

LARGEST_SIDE_PX = 1024
"""Of the images that a vision transformer takes; published ones take 224 to 518."""


class StoredEncoder:
    """A file's tensors under our names."""

    def __init__(self, tensors: dict[str, Tensor], known: "KnownEncoder", path: Path) -> None:
        self.tensors, self.known, self.path = tensors, known, path

    def parts(self, own: str) -> list[tuple[str, Tensor]]:
        """The parts that make up a tensor of ours, with their names; none if files have none such.

        Raises:
            EncoderError: the file lacks one.
        """
        names = stored_names(self.known.naming, own)
        for name in names:
            if name not in self.tensors:
                raise EncoderError(
                    f"{self.path} has no tensor {name}, which {self.known.name} needs."
                )
        return [(name, self.tensors[name]) for name in names]

    def sizes(self, own: str, *pattern: int) -> tuple[int, ...]:
        """The size of a tensor that is stored as one.

        Args:
            own: our name of it.
            pattern: what it must be like, 0 standing for any length from 1.

        Raises:
            EncoderError: it is not like that.
        """
        ((name, tensor),) = self.parts(own)
        found = tuple(tensor.shape)
        fits = len(found) == len(pattern) and all(
            length > 0 and wanted in (0, length)
            for length, wanted in zip(found, pattern, strict=True)
        )
        if not fits:
            self.refuse_size(name, " x ".join(str(length or "any") for length in pattern))
        return found

    def refuse_size(self, name: str, needed: str) -> None:
        """Raise the error that says so."""
        raise EncoderError(
            f"{self.path} has a {name} of size {_by(tuple(self.tensors[name].shape))}; "
            f"{self.known.name} needs {needed}."
        )

    def count(self, own: str) -> int:
        """How many blocks have this tensor, its name having `{}` for the number.

        Raises:
            EncoderError: more than are read.
        """
        number = 0
        while stored_names(self.known.naming, own.format(number))[0] in self.tensors:
            number += 1
        if number > LARGEST_DEPTH:
            raise EncoderError(
                f"{self.path}, {self.known.name}, has {number:,} blocks; more than "
                f"{LARGEST_DEPTH:,} blocks are not read. It is damaged or made to do harm."
            )
        return number


@dataclass(frozen=True)
class KnownEncoder:
    """A network, and how a kind of file calls its tensors."""

    name: str
    """What reports call it."""

    mark: str
    """A tensor by which such a file is recognised."""

    naming: Naming
    """The file's names of our tensors."""

    empty: Callable[[StoredEncoder], nn.Module]
    """Builds the network of the size that the file has; its numbers do not matter."""

    unused: tuple[str, ...] = ()
    """Beginnings of the names of tensors that features do not need."""

    kernel_axes: tuple[int, ...] = (0, 1, 2, 3)
    """Axes of the file's kernels in our order: out, in, height, width."""


def network_of(tensors: dict[str, Tensor], path: Path) -> tuple[nn.Module, str]:
    """The network that tensors belong to, ready to be asked on the CPU, and what it is called.

    Raises:
        EncoderError: it is none of `KNOWN`, or its tensors are not complete.
    """
    known = next((known for known in KNOWN if known.mark in tensors), None)
    if known is None:
        some = ", ".join(sorted(tensors)[:3]) or "nothing"
        raise EncoderError(
            f"{path} holds no encoder that is known here: its tensors are called {some}. Known are "
            f"{', '.join(dict.fromkeys(known.name for known in KNOWN))}; another one can be given "
            "as TorchScript."
        )
    stored = StoredEncoder(tensors, known, path)
    # Without memory of its own, so that what a file declares cannot ask for more than it holds.
    with torch.device("meta"):
        network = known.empty(stored)
    state = dict(_state(network, stored))
    _check_leftover(network, stored)
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(requires_grad=False), known.name


def _state(network: nn.Module, stored: StoredEncoder) -> Iterator[tuple[str, Tensor]]:
    """Our tensors; one that such files never have is 1."""
    for own, empty in network.state_dict().items():
        parts = stored.parts(own)
        if not parts:
            yield own, torch.ones(empty.shape, dtype=empty.dtype)
            continue
        axes = stored.known.kernel_axes if empty.ndim == 4 else tuple(range(empty.ndim))
        shape = list(empty.shape)
        if len(parts) > 1:
            shape[0] //= len(parts)
        needed = tuple(shape[axes.index(axis)] for axis in range(len(axes)))
        for name, tensor in parts:
            if tuple(tensor.shape) != needed:
                stored.refuse_size(name, _by(needed))
        ordered = [tensor.permute(axes).to(empty.dtype) for _, tensor in parts]
        whole = torch.cat(ordered) if len(parts) > 1 else ordered[0]
        yield own, whole.contiguous()


def _check_leftover(network: nn.Module, stored: StoredEncoder) -> None:
    """Refuse a network that has more to it than ours."""
    known = stored.known
    used = {name for own in network.state_dict() for name in stored_names(known.naming, own)}
    for name in sorted(set(stored.tensors) - used):
        if not name.startswith(known.unused):
            raise EncoderError(
                f"{stored.path} has a tensor {name}, which {known.name} has not. It is another "
                "network, and its features would be wrong; it can be given as TorchScript."
            )


def _transformer(epsilon: float) -> Callable[[StoredEncoder], VisionTransformer]:
    """Builds a vision transformer of the sizes that a file has."""

    def empty(stored: StoredEncoder) -> VisionTransformer:
        width, _, patch_px, _ = stored.sizes("patches.weight", 0, 3, 0, 0)
        stored.sizes("patches.weight", width, 3, patch_px, patch_px)
        if width % HEAD_DIM or width > LARGEST_WIDTH:
            stored.refuse_size(
                stored.parts("patches.weight")[0][0],
                f"a width (the first number) of {HEAD_DIM}, {2 * HEAD_DIM} ... {LARGEST_WIDTH}",
            )
        _, tokens, _ = stored.sizes("positions", 1, 0, width)
        grid = isqrt(tokens - 1)
        stored.sizes("positions", 1, 1 + max(grid, 1) ** 2, width)
        if grid * patch_px > LARGEST_SIDE_PX:
            stored.refuse_size(
                stored.parts("positions")[0][0],
                f"images of at most {LARGEST_SIDE_PX} px, these of {patch_px} px a patch",
            )
        hidden, _ = stored.sizes("blocks.0.perceptron_in.weight", 0, width)
        depth = stored.count("blocks.{}.attention_norm.weight")
        return VisionTransformer(TransformerShape(width, depth, hidden, patch_px, grid, epsilon))

    return empty


_VIT_NAME = "a vision transformer (Hugging Face's names, as Phikon has)"
_TIMM_NAME = "a vision transformer (timm's names, as UNI has)"
_DINOV2_NAME = "a vision transformer (Hugging Face's Dinov2 names, as Phikon-v2 has)"
_SQUEEZENET_NAME = "SqueezeNet 1.1"

KNOWN = (
    KnownEncoder(
        name=_SQUEEZENET_NAME,
        mark="fire2/squeeze1x1/kernel",
        naming=SQUEEZENET_KERAS,
        empty=lambda _: SqueezeNet(),
        unused=("conv10/",),
        kernel_axes=(3, 2, 0, 1),
    ),
    KnownEncoder(
        name=_SQUEEZENET_NAME,
        mark="fire2.squeeze1x1.weight",
        naming=SQUEEZENET,
        empty=lambda _: SqueezeNet(),
        unused=("conv10.",),
    ),
    KnownEncoder(
        name="SqueezeNet 1.1 (torchvision)",
        mark="features.3.squeeze.weight",
        naming=SQUEEZENET_TORCHVISION,
        empty=lambda _: SqueezeNet(imagenet(224)),
        unused=("classifier.",),
    ),
    KnownEncoder(
        name=_VIT_NAME,
        mark="encoder.layer.0.layernorm_before.weight",
        naming=VIT,
        empty=_transformer(1e-12),
        unused=("pooler.", "classifier.", "embeddings.mask_token"),
    ),
    KnownEncoder(
        name=_DINOV2_NAME,
        mark="encoder.layer.0.layer_scale1.lambda1",
        naming=DINOV2,
        empty=_transformer(1e-6),
        unused=("classifier.", "embeddings.mask_token"),
    ),
    KnownEncoder(
        name=_TIMM_NAME,
        mark="blocks.0.ls1.gamma",
        naming=TIMM_SCALED,
        empty=_transformer(1e-6),
        unused=("head.", "mask_token"),
    ),
    KnownEncoder(
        name=_TIMM_NAME,
        mark="blocks.0.attn.qkv.weight",
        naming=TIMM,
        empty=_transformer(1e-6),
        unused=("head.", "mask_token"),
    ),
    KnownEncoder(
        name="EfficientNet-Lite0",
        mark="_blocks.0._depthwise_conv.weight",
        naming=EFFICIENTNET_LITE,
        empty=lambda _: EfficientNetLite0(),
        unused=("_fc.",),
    ),
)
"""Every kind of file that is recognised; the first whose mark is there counts."""


def _by(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size)) or "one number"
