"""A real generator of 128 px, small enough for tests: the one of kidney that comes along."""

from pathlib import Path

import pytest

from hdgan.artifacts import shipped
from hdgan.artifacts.annotation_set import class_map_bytes
from hdgan.artifacts.sample_set import SampleSet
from hdgan.class_map import KIDNEY
from hdgan.settings.sample import SampleSettings
from hdgan.settings.train_classifier import TrainClassifierSettings
from hdgan.stages.import_annotations import import_annotations
from hdgan.stages.sample import sample
from hdgan.stages.train_classifier.run import train_classifier
from tests.tiny_world import IMPORT, paint_samples

FEW = SampleSettings(num_samples=9, select=9, device="cpu")
FEW_STEPS = TrainClassifierSettings(preset="paper", steps=10, batch=64, num_members=2, device="cpu")


@pytest.fixture(scope="session")
def kidney() -> Path:
    """The generator."""
    return shipped.SHIPPED / "kidney"


@pytest.fixture(scope="session")
def kidney_classifier(kidney: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier that was fitted a little to nine of its drawings."""
    folder = tmp_path_factory.mktemp("kidney")
    sample(kidney, folder / "samples", FEW)
    names = [record.sample for record in SampleSet.open(folder / "samples").records()]
    paint_samples(folder / "samples", folder / "painted", names)
    (folder / "classes.json").write_bytes(class_map_bytes(KIDNEY))
    import_annotations(
        folder / "samples", folder / "painted", folder / "made", IMPORT, folder / "classes.json"
    )
    train_classifier(folder / "made", folder / "classifier", FEW_STEPS)
    return folder / "classifier"
