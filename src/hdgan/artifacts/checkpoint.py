"""Checkpoints: everything that is needed to go on exactly, as one safetensors file.

A checkpoint lies in `.unfinished` and goes when the artifact is whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from hdgan.artifacts.unfinished import CHECKPOINT, UnfinishedArtifact
from hdgan.artifacts.weights import about_of, tensor_bytes, tensors_of
from hdgan.errors import DamagedArtifactError


def write_checkpoint(
    unfinished: UnfinishedArtifact, tensors: dict[str, Tensor], about: dict[str, Any]
) -> None:
    """Replace the checkpoint of an unfinished artifact."""
    unfinished.write_scratch(CHECKPOINT, tensor_bytes(tensors, about))


def read_checkpoint(
    unfinished: UnfinishedArtifact,
) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The checkpoint that an earlier run left, or None.

    Raises:
        DamagedArtifactError: it cannot be read.
    """
    path = unfinished.scratch / CHECKPOINT
    if not path.is_file():
        return None
    return tensors_of(path.read_bytes(), str(path)), about_of(str(path))


@dataclass(frozen=True)
class Learning:
    """What changes while networks learn, beside steps and curves."""

    networks: Mapping[str, nn.Module]
    """By the name that their tensors have in the checkpoint."""

    optimizers: Mapping[str, tuple[torch.optim.Optimizer, nn.Module]]
    """Each with the network that it moves."""

    def save(self, unfinished: UnfinishedArtifact, steps: int, curves: list[str]) -> None:
        """Replace the checkpoint of an unfinished artifact."""
        tensors: dict[str, Tensor] = {}
        for name, network in self.networks.items():
            tensors |= network_tensors(name, network)
        for name, (optimizer, network) in self.optimizers.items():
            tensors |= optimizer_tensors(name, optimizer, network)
        write_checkpoint(unfinished, tensors, {"steps": steps, "curves": curves})

    def restored(self, unfinished: UnfinishedArtifact) -> tuple[int, list[str]]:
        """Go back to the last checkpoint: its steps, and the lines of the curves until there.

        Without one nothing changes: 0 and no line.

        Raises:
            DamagedArtifactError: it cannot be read, or is of other networks.
        """
        checkpoint = read_checkpoint(unfinished)
        if checkpoint is None:
            return 0, []
        tensors, about = checkpoint
        for name, network in self.networks.items():
            restore_network(name, network, tensors)
        for name, (optimizer, network) in self.optimizers.items():
            restore_optimizer(name, optimizer, network, tensors)
        steps, curves = about.get("steps"), about.get("curves")
        if (
            not isinstance(steps, int)
            or not isinstance(curves, list)
            or not all(isinstance(line, str) for line in curves)
        ):
            raise DamagedArtifactError(
                "The checkpoint does not say how far it had come. Remove the unfinished folder and "
                "start again."
            )
        return steps, curves


def network_tensors(prefix: str, network: nn.Module) -> dict[str, Tensor]:
    """Weights and buffers under a prefix."""
    return {f"{prefix}.{name}": tensor for name, tensor in network.state_dict().items()}


def optimizer_tensors(
    prefix: str, optimizer: torch.optim.Optimizer, network: nn.Module
) -> dict[str, Tensor]:
    """What an optimizer remembers of each parameter, by the parameter's name."""
    return {
        f"{prefix}.{name}.{key}": torch.as_tensor(value)
        for name, parameter in network.named_parameters()
        for key, value in optimizer.state[parameter].items()
        if value is not None
    }


def restore_network(prefix: str, network: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Put back what `network_tensors` took.

    Raises:
        DamagedArtifactError: it is not all there.
    """
    try:
        network.load_state_dict(_under(prefix, tensors))
    except RuntimeError as error:
        raise DamagedArtifactError(
            f"The checkpoint does not fit the network ({str(error).splitlines()[-1].strip()}). "
            "Remove the unfinished folder and start again."
        ) from error


def restore_optimizer(
    prefix: str,
    optimizer: torch.optim.Optimizer,
    network: nn.Module,
    tensors: dict[str, Tensor],
) -> None:
    """Put back what `optimizer_tensors` took."""
    remembered = _under(prefix, tensors)
    for name, parameter in network.named_parameters():
        for key, value in remembered.items():
            owner, _, what = key.rpartition(".")
            if owner == name:
                # Moments lie in memory as their parameter does; counters stay as they were.
                moment = value.shape == parameter.shape
                optimizer.state[parameter][what] = (
                    torch.empty_like(parameter).copy_(value).detach() if moment else value
                )


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {
        name.removeprefix(start): tensor
        for name, tensor in tensors.items()
        if name.startswith(start)
    }
