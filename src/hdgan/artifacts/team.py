"""Several processes that were started together by `torchrun`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import distributed

from hdgan.artifacts.weights import device_named
from hdgan.errors import SettingsError
from hdgan.method.stylegan.processes import ALONE, Team


def processes_here() -> int:
    """How many of them run on this computer."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


@contextmanager
def team_and_device(
    device: str, patience: timedelta | None = None
) -> Iterator[tuple[Team, torch.device]]:
    """Meet the processes that `torchrun` has started, each on a GPU of its own if there are GPUs.

    Alone, if this process was started in another way.

    Args:
        device: as `device_named` takes it.
        patience: how long a process waits for another; None: half an hour.

    Raises:
        SettingsError: the device is not there, or is one GPU for several processes.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ALONE, device_named(device)
        return
    chosen = _own(device)
    on_gpu = chosen.type == "cuda"
    if on_gpu:
        torch.cuda.set_device(chosen)
    # Bytes that one process tells the others lie in the CPU's memory, gradients on the GPU.
    distributed.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo", timeout=patience)
    try:
        yield Team(distributed.get_rank(), size), chosen
        # Nobody leaves before all have heard the last message.
        distributed.barrier()
    finally:
        distributed.destroy_process_group()


def _own(device: str) -> torch.device:
    """This process's device."""
    chosen = device_named(device)
    if chosen.type != "cuda":
        return chosen
    if chosen.index is not None and processes_here() > 1:
        raise SettingsError(
            f"--device is {device!r}, one GPU for {processes_here()} processes. Use --device cuda, "
            "so that each takes its own."
        )
    number, found = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if number >= found:
        raise SettingsError(
            f"{processes_here()} processes were started, but this computer has {found} GPUs. Give "
            f"torchrun --nproc-per-node {found}."
        )
    return torch.device("cuda", number)
