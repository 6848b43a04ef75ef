"""Memory bounds, each measured in a fresh process."""

from pathlib import Path

from tests.peak_memory import megabytes, numbers
from tests.tiny_world import TinyWorld

PROGRAM = """
import sys
from hdgan.cli import main
main(sys.argv[1:])
print(peak_kb())
"""

LABELLING = """
import sys
import numpy as np
from hdgan.method.features import FeaturePyramid
from hdgan.method.label_image import label_image
from hdgan.method.pixel_classifier import ClassifierShape, PixelClassifier
side = int(sys.argv[1])
maps = [np.zeros((side // step, side // step, 16), np.float16) for step in (16, 8, 4, 2, 1)]
shape = ClassifierShape(80, 5, num_members=2, widths=(8, 8))
label_image(FeaturePyramid(maps, side), PixelClassifier(shape))
print(peak_kb())
"""

DRAWING = """
import sys
import torch
from hdgan.artifacts.memory import LEAST_BYTES, bytes_for_work, held_bytes
from hdgan.method.features import channels_of
from hdgan.method.labelled_drawing import LabelledGenerator, fixed_bytes_of
from hdgan.method.pixel_classifier import ClassifierShape, PixelClassifier
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator
side = int(sys.argv[1])
torch.set_num_threads(1)
shape = NetworkShape(side, int(sys.argv[3]), z_dim=16, w_dim=16, mapping_layers=1)
generator = Generator(shape).eval().requires_grad_(False)
ensemble = ClassifierShape(channels_of(shape, None), 5, num_members=int(sys.argv[4]))
classifier = PixelClassifier(ensemble)
classifier.requires_grad_(False)
fixed = fixed_bytes_of(shape, classifier)
least = f"{(held_bytes() + fixed + LEAST_BYTES) // 10**6 + 2}MB"
allowed = least if sys.argv[2] == "least" else sys.argv[2]
work = bytes_for_work(allowed, 0, fixed)
labelled = LabelledGenerator(generator, classifier, None, memory_bytes=work)
for band in labelled.bands(torch.randn(1, 16)):
    pass
print(allowed.removesuffix("MB"), peak_kb())
"""

LOOKING = """
import sys
import numpy as np
from hdgan.report.generator_watch import _thumbnails
side, count = int(sys.argv[1]), int(sys.argv[2])
_thumbnails(np.full((side, side, 3), i, np.uint8) for i in range(count))
print(peak_kb())
"""


def test_making_more_pairs_takes_no_more_memory(world: TinyWorld, tmp_path: Path) -> None:
    """The predecessor kept all images of a run in lists."""
    common = (world.classifier, "--generator", world.generator)

    few = megabytes(PROGRAM, "synthesize", common[0], tmp_path / "a", "--num-pairs", 5, *common[1:])
    many = megabytes(
        PROGRAM, "synthesize", common[0], tmp_path / "b", "--num-pairs", 250, *common[1:]
    )

    assert many - few < 20


def test_labelling_a_larger_image_takes_a_band_not_the_image() -> None:
    """Upsampled and stacked, the features of the larger image would take 320 MB."""
    stacked = 1024 * 1024 * 80 * 4 / 2**20

    grown = megabytes(LABELLING, 1024) - megabytes(LABELLING, 256)

    assert grown < stacked / 4


def test_memory_that_is_set_holds_for_images_of_any_side() -> None:
    """Band by band, nothing but the noise that is part of the weights grows with the area."""
    small, large = (megabytes(DRAWING, side, "900MB", 4096, 4) for side in (512, 1024))

    assert large < 900e6 / 2**20
    assert large / small < 1.1


def test_the_least_memory_that_is_accepted_is_enough() -> None:
    """The usual widths and ten members, whose folded weights and coarse blocks weigh most."""
    allowed, peak_kb = numbers(DRAWING, 512, "least", 32768, 10)

    assert peak_kb * 1024 < allowed * 1e6


def test_watching_a_training_holds_one_image_at_a_time() -> None:
    """Side by side, the images alone would take 192 MB, and 768 MB as numbers."""
    assert megabytes(LOOKING, 1024, 64) - megabytes(LOOKING, 1024, 4) < 96
