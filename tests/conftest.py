"""What all tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from hdgan.artifacts import shipped
from tests.tiny_world import TinyWorld, ship_generator

settings.register_profile("hdgan", deadline=None, max_examples=40, derandomize=True)
settings.load_profile("hdgan")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """The tests fill the cores by themselves."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> TinyWorld:
    """A whole pipeline on 16-pixel phantoms, made by the stages themselves; do not change it."""
    return TinyWorld.made_in(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def shipped_kidney(world: TinyWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The world's generator as one that comes with the package; do not change it."""
    folder = tmp_path_factory.mktemp("package")
    ship_generator(world, folder, folder / "shipped" / "kidney")
    return folder / "shipped" / "kidney"


@pytest.fixture
def with_kidney(shipped_kidney: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, called `kidney`."""
    monkeypatch.setattr(shipped, "SHIPPED", shipped_kidney.parent)
    return shipped_kidney


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; tests that need it are skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("HDGAN_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; HDGAN_DATA names another folder")
    return folder
