"""The shape of the two networks, as numbers."""

import math
from dataclasses import dataclass

from hdgan.errors import SettingsError


@dataclass(frozen=True)
class NetworkShape:
    """What a generator and its discriminator are built from."""

    resolution: int
    """Side of the image in pixels, a power of two from 8."""

    channel_base: int = 32768
    """A block at resolution r has `channel_base / r` channels, from `channel_min` to
    `channel_max`."""

    channel_max: int = 512
    """See `channel_base`."""

    z_dim: int = 512
    """Length of z."""

    w_dim: int = 512
    """Length of w."""

    mapping_layers: int = 8
    """Fully connected layers from z to w."""

    clamp: float | None = None
    """Bound of every feature map; published networks have 256, for half precision."""

    minibatch_group: int = 4
    """Images whose spread the discriminator sees together."""

    channel_min: int = 1
    """See `channel_base`; published networks have no such bound."""

    stains: tuple[str, ...] = ()
    """Names of the stains that both networks are told; none: they are told nothing."""

    def __post_init__(self) -> None:
        """Refuse sizes that no StyleGAN2 has.

        Raises:
            SettingsError: resolution is not a power of two from 8.
        """
        if self.resolution < 8 or self.resolution & (self.resolution - 1):
            raise SettingsError(
                f"A generator of {self.resolution} px cannot be built: its side must be a power "
                "of two from 8. Choose 64, 128, 256, ... with --resolution."
            )

    @property
    def resolutions(self) -> list[int]:
        """Sides of the blocks, from 4 up."""
        return [2**i for i in range(2, int(math.log2(self.resolution)) + 1)]

    @property
    def num_ws(self) -> int:
        """How many style vectors the synthesis network takes."""
        return 2 * int(math.log2(self.resolution)) - 2

    def channels(self, resolution: int) -> int:
        """Channels of the block at this resolution."""
        return max(self.channel_min, min(self.channel_base // resolution, self.channel_max))
