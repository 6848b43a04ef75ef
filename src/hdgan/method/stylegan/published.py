"""The shape of a published network, read off the shapes of its tensors."""

import re
from collections.abc import Mapping

from hdgan.errors import NetworkFileError
from hdgan.method.stylegan.shape import NetworkShape

Sizes = Mapping[str, tuple[int, ...]]
"""The shape of each tensor, by its published name."""

MAX_RESOLUTION = 65_536
"""Far above any published network; a name in a file costs nothing, its noise maps would."""

_BLOCK = re.compile(r"synthesis\.b(\d+)\.torgb\.weight")


def published_shape(
    sizes: Sizes, *, clamp: float | None = None, stains: tuple[str, ...] = ()
) -> NetworkShape:
    """What to build so that these tensors fit.

    Args:
        sizes: of a generator with skip connections, the published default.
        clamp: bound of the feature maps (`conv_clamp`), which tensors do not show.
        stains: names of the classes that the network is told, if the file has them; classes
            without names are called `class-0`, `class-1`, ...

    Raises:
        NetworkFileError: they are of a network that is not built here; the sentence says which.
    """
    _refuse_others(sizes)
    empty = [name for name, size in sizes.items() if 0 in size]
    if empty:
        raise NetworkFileError(f"{empty[0]} has the size {sizes[empty[0]]}, which holds nothing.")
    resolution = max(int(found[1]) for found in map(_BLOCK.fullmatch, sizes) if found)
    if resolution > MAX_RESOLUTION:
        raise NetworkFileError(
            f"The network would draw {resolution} px; at most {MAX_RESOLUTION} are read."
        )
    channels = {
        int(found[1]): _size(sizes, name)[1] for name in sizes if (found := _BLOCK.fullmatch(name))
    }
    layers = sum(re.fullmatch(r"mapping\.fc\d+\.weight", name) is not None for name in sizes)
    first = _size(sizes, "mapping.fc0.weight")
    told = _size(sizes, "mapping.embed.weight")[1] if "mapping.embed.weight" in sizes else 0
    if told and first[1] <= first[0]:
        raise NetworkFileError(
            f"mapping.fc0.weight has the size {first}, with no room for z beside the class."
        )
    if len(stains) != told:
        stains = tuple(f"class-{number}" for number in range(told))
    least = channels[resolution]
    # Of two equal counts at the fine end the finer is not channel_base / resolution.
    bounded = 1 < least == channels.get(resolution // 2, 0) < max(channels.values())
    shape = NetworkShape(
        resolution=resolution,
        channel_base=max(
            side * count for side, count in channels.items() if count > least or not bounded
        ),
        channel_max=max(channels.values()),
        channel_min=least if bounded else 1,
        z_dim=first[1] - (first[0] if told else 0),
        w_dim=first[0],
        mapping_layers=layers,
        clamp=clamp,
        stains=stains,
    )
    strange = [side for side, count in sorted(channels.items()) if shape.channels(side) != count]
    if strange or sorted(channels) != shape.resolutions:
        raise NetworkFileError(
            f"The network has feature maps by resolution {dict(sorted(channels.items()))}; needed "
            "are channel_base / resolution between two bounds, as published networks have."
        )
    return shape


def _refuse_others(sizes: Sizes) -> None:
    if any(name.startswith("synthesis.input.") for name in sizes):
        raise NetworkFileError(
            "This is an alias-free network (StyleGAN3), whose features lie elsewhere. Only "
            "StyleGAN2 networks are read, those that StyleGAN3's code trains with "
            "--cfg=stylegan2 among them."
        )
    if not any(map(_BLOCK.fullmatch, sizes)) or "mapping.fc0.weight" not in sizes:
        some = ", ".join(sorted(sizes)[:3]) or "nothing"
        raise NetworkFileError(
            f"This is no StyleGAN2 generator: its tensors are called {some}. Needed: names such "
            "as mapping.fc0.weight and synthesis.b4.torgb.weight."
        )
    if any(name.endswith(".skip.weight") for name in sizes):
        raise NetworkFileError(
            "This generator is of the residual kind (it has skip.weight); only the published "
            "default, which sums images, is read."
        )


def _size(sizes: Sizes, name: str) -> tuple[int, ...]:
    """The size of a weight, which has at least two axes."""
    if len(sizes[name]) < 2:
        raise NetworkFileError(f"{name} has the size {sizes[name]}, which no weight has.")
    return sizes[name]
