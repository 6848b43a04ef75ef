"""Drawn images with what is needed to draw them again."""

import numpy as np
from jaxtyping import Float32, UInt8

from hdgan.artifacts.arrays import latents_of
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.images import rgb_of
from hdgan.artifacts.table import Name, Record, table_of

SAMPLES = "samples.csv"
LATENTS = "latents.safetensors"


class SampleRecord(Record):
    """One drawn image."""

    sample: Name
    """Its name; the image is `images/{sample}.png`."""

    row: int
    """Its row in the table of latents."""

    seed: int
    """What its z was drawn with."""

    suggested: int | None
    """Its place among those suggested for annotation, from 0; empty if it is not."""

    stain: str | None = None
    """What the generator was told; empty if it is told none."""

    uncertainty: float | None = None
    """Mean divergence of the most uncertain tenth of its pixels, nats; empty without a
    classifier."""

    @property
    def image(self) -> str:
        """The image's path in the artifact."""
        return f"images/{self.sample}.png"


class SampleSet(Artifact):
    """`samples.csv`, `latents.safetensors` (w after truncation) and `images/*.png`."""

    kind = "sample-set"

    def records(self) -> list[SampleRecord]:
        """The samples, in the order of their seeds."""
        return table_of(self.read(SAMPLES), SampleRecord, str(self.folder / SAMPLES))

    def latents(self) -> Float32[np.ndarray, "samples w_dim"]:
        """W of each sample, after truncation, in the order of the table."""
        return latents_of(self.read(LATENTS), str(self.folder / LATENTS))

    def image(self, record: SampleRecord) -> UInt8[np.ndarray, "side side 3"]:
        """A sample's pixels, RGB."""
        return rgb_of(self.read(record.image), str(self.folder / record.image))
