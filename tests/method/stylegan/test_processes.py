"""Several processes teach a network what one teaches it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import distributed
from torch.multiprocessing.spawn import spawn

from hdgan.method.stylegan.plan import TrainingPlan
from hdgan.method.stylegan.processes import ALONE, Team
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.training import Reals, new_state, train_generator

SHAPE = NetworkShape(
    resolution=8,
    channel_base=32,
    channel_max=4,
    z_dim=4,
    w_dim=4,
    mapping_layers=1,
    minibatch_group=2,
    stains=("PAS", "silver"),
)
PLAN = TrainingPlan(
    images=8 * 17,
    batch=8,
    learning_rate=0.01,
    gamma=1.0,
    ema_images=100.0,
    ema_ramp=None,
    ada_images=1000,
    stain_shares=(0.25, 0.75),
    tick_batches=17,
)
"""Every penalty comes twice, and the strength of augmentation moves."""


def reals(step: int, part: slice) -> Reals:
    random = torch.Generator().manual_seed(step)
    images = torch.rand((8, 3, 8, 8), generator=random) * 2 - 1
    return Reals(images[part], torch.arange(8)[part] % 2)


def trained(team: Team, plan: TrainingPlan) -> dict[str, torch.Tensor]:
    """Everything that a run leaves behind, what it reports among it."""
    state = new_state(SHAPE, plan, torch.device("cpu"))
    state.adaptation.strength = 0.5
    (tick,) = train_generator(state, plan, reals, team)
    return {
        **state.generator.state_dict(),
        **{f"D.{name}": value for name, value in state.discriminator.state_dict().items()},
        **{f"average.{name}": value for name, value in state.average.state_dict().items()},
        "path_length_mean": state.path_length_mean,
        "strength": torch.tensor(tick.strength),
        "r1": torch.tensor(tick.r1),
        "score_real": torch.tensor(tick.score_real),
    }


@pytest.fixture(autouse=True)
def exact() -> Iterator[None]:
    """Double precision: Adam makes much of what little gradients lose by rounding."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def member(rank: int, folder: Path, micro_batch: int | None) -> None:
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=2
    )
    result = trained(Team(rank, 2), replace(PLAN, micro_batch=micro_batch))
    torch.save(result, folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.parametrize("micro_batch", [None, 2])
def test_two_processes_teach_what_one_teaches(tmp_path: Path, micro_batch: int | None) -> None:
    spawn(member, (tmp_path, micro_batch), nprocs=2)

    one = trained(ALONE, PLAN)
    two = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    assert 0 < float(one["strength"]) < 0.5
    for name, value in one.items():
        assert torch.allclose(two[0][name], value, rtol=1e-6, atol=1e-9), name
        assert torch.equal(two[0][name], two[1][name]), name


def listener(rank: int, folder: Path) -> None:
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=2
    )
    team = Team(rank, 2)
    said = [team.told(message) for message in ([b"go", b""] if rank == 0 else [b"stop", b"no"])]
    (folder / f"{rank}.txt").write_bytes(b"|".join(said))
    distributed.destroy_process_group()


def test_all_hear_the_leading_process_only(tmp_path: Path) -> None:
    spawn(listener, (tmp_path,), nprocs=2)

    assert [(tmp_path / f"{rank}.txt").read_bytes() for rank in range(2)] == [b"go|", b"go|"]
    assert ALONE.told(b"go") == b"go"
