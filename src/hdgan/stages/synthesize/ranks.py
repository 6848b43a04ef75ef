"""A rank's part, where `torchrun` has started several processes."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch

from hdgan.method.stylegan.processes import Team
from hdgan.stages.synthesize.drawing import Drawer
from hdgan.stages.synthesize.plan import Plan, Task

RANK_ROWS = 16
"""Consecutive pairs that are one rank's."""


def follow(plan: Plan, team: Team, device: torch.device) -> None:
    """Draw the part of a rank that does not lead; nothing if all was done before.

    Raises:
        StorageError: the disk is full or read-only.
    """
    said = team.told(b"")
    if said:
        content: dict[str, Any] = json.loads(said)
        draw_part(plan, team, device, Task(**content).rows(plan.notes), lambda _: None)


def draw_part(
    plan: Plan,
    team: Team,
    device: torch.device,
    rows: Iterable[int],
    drawn: Callable[[Sequence[int]], None],
) -> None:
    """Draw every row that is this rank's, then wait for the others.

    Args:
        plan: what is drawn.
        team: who draws together.
        device: of this rank.
        rows: those of all ranks, in order.
        drawn: is called with each row that is whole.

    Raises:
        StorageError: the disk is full or read-only.
    """
    torch.set_num_threads(plan.settings.threads)
    own = (row for row in rows if row // RANK_ROWS % team.size == team.rank)
    for row in Drawer(plan, device).draw(own):
        drawn([row])
    team.summed([torch.zeros(1)])  # returns when all ranks are here
