"""Texts of artifacts that are JSON and something else than they should be; digests fit."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from hdgan.artifacts.checkpoint import Learning, network_tensors
from hdgan.artifacts.evaluation import SCORES, Evaluation
from hdgan.artifacts.order import Order
from hdgan.artifacts.pair_set import DATASET, PairSet
from hdgan.artifacts.unfinished import CHECKPOINT, UnfinishedArtifact
from hdgan.artifacts.weights import tensor_bytes
from hdgan.errors import DamagedArtifactError
from tests.hostile.case import with_file

LAYOUT_1 = Path(__file__).parents[1] / "fixtures" / "layout-1"
WRONG = (b"[]", b"3", b"{}", b"null", b'"', b"[" * 100_000)


def changed(kind: str, folder: Path, name: str, data: bytes) -> Path:
    """A copy of an artifact in which a file says something else."""
    copy = Path(shutil.copytree(LAYOUT_1 / kind, folder / kind))
    with_file(name, data)(copy)
    return copy


def without(kind: str, name: str, part: str) -> bytes:
    """The text of an artifact without one of its parts."""
    text = json.loads((LAYOUT_1 / kind / name).read_bytes())
    del text[part]
    return json.dumps(text).encode()


@pytest.mark.parametrize("data", WRONG)
@pytest.mark.parametrize("read", [Evaluation.images, Evaluation.overall, Evaluation.classes])
def test_scores_that_are_something_else_are_damaged(
    tmp_path: Path, read: Callable[[Evaluation], object], data: bytes
) -> None:
    evaluation = Evaluation.open(changed("evaluation", tmp_path, SCORES, data))

    with pytest.raises(DamagedArtifactError, match=r"scores\.json cannot be understood"):
        read(evaluation)


@pytest.mark.parametrize("part", ["images", "overall", "classes"])
def test_scores_that_lack_a_part_are_damaged(tmp_path: Path, part: str) -> None:
    data = without("evaluation", SCORES, part)
    evaluation = Evaluation.open(changed("evaluation", tmp_path, SCORES, data))

    with pytest.raises(DamagedArtifactError, match=rf"\({part}: "):
        evaluation.images()


@pytest.mark.parametrize("data", [*WRONG, without("pairs", DATASET, "num_kept")])
def test_a_text_of_pairs_that_is_something_else_is_damaged(tmp_path: Path, data: bytes) -> None:
    pairs = PairSet.open(changed("pairs", tmp_path, DATASET, data))

    with pytest.raises(DamagedArtifactError, match=r"dataset\.json cannot be understood"):
        pairs.about  # noqa: B018


@pytest.mark.parametrize(
    "about",
    [
        {},
        {"steps": 1},
        {"steps": "1", "curves": []},
        {"steps": 1, "curves": {}},
        {"steps": 1, "curves": [1]},
    ],
)
def test_a_checkpoint_that_does_not_say_how_far_it_came_is_damaged(
    tmp_path: Path, about: dict[str, object]
) -> None:
    network = torch.nn.Linear(2, 1)
    unfinished = UnfinishedArtifact(tmp_path, Order("segmenter", {}, {}))
    unfinished.write_scratch(CHECKPOINT, tensor_bytes(network_tensors("network", network), about))

    with pytest.raises(DamagedArtifactError, match="how far it had come"):
        Learning({"network": network}, {}).restored(unfinished)
