"""How strongly to augment: the controller of StyleGAN2-ADA.

If the discriminator is too sure of the real images, it has begun to know them by heart; the
strength then rises.
"""

from dataclasses import dataclass

TARGET = 0.6
"""Wanted mean sign of the scores of real images (StyleGAN2-ADA, section 3)."""


@dataclass
class AdaptiveStrength:
    """The strength and the scores seen since it was last moved."""

    images_to_full: int = 500_000
    """Images in which the strength can go from 0 to 1."""

    strength: float = 0.0
    """Probability of each augmentation, 0 or more; it has no upper bound."""

    signs: float = 0.0
    """Sum of the signs of the scores since the last move."""

    scores: int = 0
    """How many scores there were."""

    def see(self, signs: float, scores: int) -> None:
        """Take in the scores of real images, as the sum of their signs."""
        self.signs += signs
        self.scores += scores

    def move(self, images: int) -> None:
        """Step up if the mean sign is above the target, down if below; never under 0.

        Args:
            images: images that passed since the last move.
        """
        if self.scores == 0:
            return
        excess = self.signs / self.scores - TARGET
        direction = (excess > 0) - (excess < 0)
        self.strength = max(0.0, self.strength + direction * images / self.images_to_full)
        self.signs, self.scores = 0.0, 0
