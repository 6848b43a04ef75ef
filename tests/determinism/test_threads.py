"""What other numbers of CPU threads change: nothing, or the last bits of a sum."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hdgan.artifacts.pair_set import PairSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.method.redrawn import Difference
from hdgan.settings.sample import SampleSettings
from hdgan.settings.synthesize import SynthesizeSettings
from hdgan.settings.tile import TileSettings
from hdgan.settings.train_generator import TrainGeneratorSettings
from hdgan.stages.sample import sample
from hdgan.stages.synthesize.run import synthesize
from hdgan.stages.tile.run import tile
from hdgan.stages.train_generator import train_generator
from tests.faults.ground import digests
from tests.slide_world import tissue_pixels, write_tiff

DRAWINGS = SampleSettings(num_samples=6, select=2, device="cpu")
PAIRS = SynthesizeSettings(num_pairs=3, drop_fraction=0.0, workers=1, device="cpu")
TRAINING = TrainGeneratorSettings(
    resolution=64, kimg=0.016, preset="small", batch=8, threads=1, device="cpu"
)


@contextmanager
def threads(number: int) -> Iterator[None]:
    """As on a computer where torch takes so many threads by itself."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@pytest.fixture(scope="module")
def drawn(kidney: Path, tmp_path_factory: pytest.TempPathFactory) -> SampleSet:
    """Samples that one thread has drawn."""
    folder = tmp_path_factory.mktemp("drawn") / "samples"
    with threads(1):
        sample(kidney, folder, DRAWINGS)
    return SampleSet.open(folder)


@pytest.mark.parametrize("number", [2, 3, 4])
def test_drawings_of_other_threads_are_the_same_but_for_rounding(
    number: int, kidney: Path, drawn: SampleSet, tmp_path: Path
) -> None:
    with threads(number):
        sample(kidney, tmp_path / "samples", DRAWINGS)
    others = SampleSet.open(tmp_path / "samples")

    assert np.allclose(drawn.latents(), others.latents(), rtol=1e-5, atol=1e-5)
    for one, other in zip(drawn.records(), others.records(), strict=True):
        difference = Difference.between(drawn.image(one), others.image(other))
        assert difference.is_rounding_of_image
        assert difference.largest <= 2


def test_pairs_of_other_threads_are_the_same_but_for_rounding(
    kidney_classifier: Path, tmp_path: Path
) -> None:
    made = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        synthesize(kidney_classifier, folder, replace(PAIRS, threads=number))
        made.append(PairSet.open(folder))
    one, other = made

    for kept, again in zip(one.records(), other.records(), strict=True):
        images = Difference.between(one.image(kept), other.image(again))
        labels = Difference.between(one.labels(kept), other.labels(again))
        assert images.is_rounding_of_image
        assert labels.is_rounding_of_labels


@pytest.mark.parametrize(
    "settings",
    [PAIRS, replace(PAIRS, at_least=("glomerulus=0.01",), num_pilot=4, most_draws=1)],
    ids=["plain", "composition"],
)
def test_pairs_do_not_depend_on_the_threads_of_the_computer(
    settings: SynthesizeSettings, kidney_classifier: Path, tmp_path: Path
) -> None:
    for number in (1, 4):
        with threads(number):
            synthesize(kidney_classifier, tmp_path / str(number), settings)

    assert digests(tmp_path / "1") == digests(tmp_path / "4")


def test_a_generator_that_is_given_its_threads_does_not_depend_on_those_of_the_computer(
    tmp_path: Path,
) -> None:
    for patient in range(5):
        pixels = tissue_pixels(200, 200, seed=patient)
        write_tiff(tmp_path / "slides" / f"P{patient}.tif", pixels, spacing_um=2.0)
    tile(tmp_path / "slides", tmp_path / "tiles", TileSettings(side_px=64, workers=1))

    for number in (1, 4):
        with threads(number):
            train_generator(tmp_path / "tiles", tmp_path / str(number), TRAINING)

    assert digests(tmp_path / "1") == digests(tmp_path / "4")
