"""Several processes that train one network together, each on its part of every batch.

PyTorch's wrapper for this (DistributedDataParallel) does not follow second derivatives, which R1
and path length need; so gradients are summed by hand, all in one message.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class Team:
    """Who trains together; the default is one process alone, for which nothing is sent."""

    rank: int = 0
    """Which one this process is, from 0."""

    size: int = 1
    """How many there are."""

    @property
    def leads(self) -> bool:
        """Whether this process writes what all have made."""
        return self.rank == 0

    @torch.no_grad()
    def summed(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Each tensor's sum over all processes, of the shapes given. Waits for all of them."""
        if self.size == 1 or not tensors:
            return list(tensors)
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        distributed.all_reduce(flat)
        return _cut(flat, tensors)

    def told(self, message: bytes) -> bytes:
        """What the leading process says, in every process; what the others say is not heard."""
        if self.size == 1:
            return message
        length = torch.tensor([len(message)])
        distributed.broadcast(length, 0)
        said = torch.empty(int(length), dtype=torch.uint8)
        if self.leads and message:
            said = torch.frombuffer(bytearray(message), dtype=torch.uint8)
        distributed.broadcast(said, 0)
        return said.numpy().tobytes()

    def sum_gradients(self, parameters: Sequence[Tensor]) -> None:
        """Sum every parameter's gradient over all processes, in place.

        A parameter that no process has a gradient for keeps none, so that the optimizer leaves it
        alone as it does in one process.
        """
        if self.size == 1:
            return
        learned = [parameter for parameter in parameters if parameter.requires_grad]
        gradients = [
            torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            for parameter in learned
        ]
        has_one = torch.tensor(
            [float(parameter.grad is not None) for parameter in learned],
            device=learned[0].device,
        )
        *sums, counts = self.summed([*gradients, has_one])
        for parameter, total, count in zip(learned, sums, counts.tolist(), strict=True):
            parameter.grad = torch.empty_like(parameter).copy_(total).detach() if count else None


ALONE = Team()


def _cut(flat: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """The flat tensor in pieces of these shapes."""
    pieces = flat.split([tensor.numel() for tensor in like])
    return [piece.reshape(tensor.shape) for piece, tensor in zip(pieces, like, strict=True)]
