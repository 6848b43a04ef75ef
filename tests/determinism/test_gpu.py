"""What a GPU draws is what the CPU draws, but for rounding. Skipped where there is none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from hdgan.settings.sample import SampleSettings
from hdgan.settings.show import ShowSettings
from hdgan.settings.synthesize import SynthesizeSettings
from hdgan.stages.sample import sample
from hdgan.stages.show.run import show
from hdgan.stages.synthesize.redrawing import redraw_pairs
from hdgan.stages.synthesize.run import synthesize

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")

ALL = ShowSettings(regenerate=(8,), device="cuda")


def differs(folder: Path) -> bool:
    """Whether what lies there, drawn again by the GPU, is another by more than rounding."""
    verbs: dict[str, Callable[..., Any]] = {"sample": sample, "redraw-pairs": redraw_pairs}
    return show(folder, ALL, lambda: verbs).differs


def test_drawings_of_the_cpu_are_those_of_a_gpu_but_for_rounding(
    kidney: Path, tmp_path: Path
) -> None:
    (tmp_path / "kidney").symlink_to(kidney)  # --regenerate looks beside the samples
    settings = SampleSettings(num_samples=8, select=0, device="cpu")
    sample(tmp_path / "kidney", tmp_path / "samples", settings)

    assert not differs(tmp_path / "samples")


def test_pairs_of_the_cpu_are_those_of_a_gpu_but_for_rounding(
    kidney: Path, kidney_classifier: Path, tmp_path: Path
) -> None:
    (tmp_path / "kidney").symlink_to(kidney)
    (tmp_path / "classifier").symlink_to(kidney_classifier)
    settings = SynthesizeSettings(num_pairs=8, drop_fraction=0.0, workers=1, device="cpu")
    synthesize(tmp_path / "classifier", tmp_path / "pairs", settings)

    assert not differs(tmp_path / "pairs")


def test_a_gpu_that_draws_again_differs_from_itself_by_rounding_at_most(
    kidney: Path, tmp_path: Path
) -> None:
    (tmp_path / "kidney").symlink_to(kidney)
    settings = SampleSettings(num_samples=8, select=0, device="cuda")
    sample(tmp_path / "kidney", tmp_path / "samples", settings)

    assert not differs(tmp_path / "samples")
