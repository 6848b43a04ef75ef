"""What each lever of the training step is worth: CPU seconds an image without it, over those with.

usage: levers.py [--ticks 3] [--repeats 2] [--rows usual-64 usual-256 small-64]

Each lever is taken away alone, in a process of its own on one thread, in turn with a run that has
them all; the ratio is that of the medians. The step is that of training.py.
"""

import argparse
import statistics
from collections.abc import Callable
from multiprocessing import get_context
from unittest.mock import patch

import torch
from benchmarks.training import ROWS, Row, measured
from torch import Tensor
from torch.nn import functional

from hdgan.method.stylegan import discriminator, modulated, resample, training
from hdgan.method.stylegan.mapping import GAIN, LEAK
from hdgan.method.stylegan.modulated import StyledConvolution, ToRGB

MODULE = "hdgan.method.stylegan"


def plain_styled(layer: StyledConvolution, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
    """The weights of each image are modulated: a grouped convolution, as it is usually written."""
    batch, weight = x.shape[0], layer.weights_of(w)
    groups = x.reshape(1, -1, *x.shape[2:])
    if layer.doubles:
        kernel = weight.transpose(1, 2).flatten(0, 1)
        y = functional.conv_transpose2d(groups, kernel, stride=2, groups=batch)
        y = y.reshape(batch, -1, *y.shape[2:])
        y = resample.blur(y, padding=1, gain=4.0)
    else:
        y = functional.conv2d(groups, weight.flatten(0, 1), padding=1, groups=batch)
        y = y.reshape(batch, -1, *y.shape[2:])
    if noise is not None:
        y = y + noise * layer.noise_strength
    return functional.leaky_relu((y + layer.bias[:, None, None]) * GAIN, LEAK)


def plain_to_rgb(layer: ToRGB, x: Tensor, w: Tensor) -> Tensor:
    """The same of the step to RGB."""
    batch = x.shape[0]
    weight = layer.weight[None] * (layer.affine(w) * layer.style_gain)[:, None, :, None, None]
    y = functional.conv2d(x.reshape(1, -1, *x.shape[2:]), weight.flatten(0, 1), groups=batch)
    return y.reshape(batch, 3, *y.shape[2:]) + layer.bias[:, None, None]


def modulate_weights() -> None:
    """Scale the weights of each image instead of its feature maps."""
    patch.object(StyledConvolution, "forward", plain_styled).start()
    patch.object(ToRGB, "forward", plain_to_rgb).start()


def torch_gradients() -> None:
    """PyTorch's own derivatives of convolutions and filters, the second ones too."""

    def transposed(x: Tensor, weight: Tensor, *, stride: int) -> Tensor:
        return functional.conv_transpose2d(x, weight.transpose(0, 1), stride=stride)

    for module in (modulated, discriminator):
        patch.object(module, "convolve", functional.conv2d).start()
    patch.object(modulated, "convolve_transposed", transposed).start()
    for name in ("_Blur", "_Double", "_Halve"):
        forward = getattr(resample, name).forward
        applied = staticmethod(lambda *inputs, forward=forward: forward(_Context(), *inputs))
        patch.object(getattr(resample, name), "apply", applied).start()


class _Context:
    """Takes what a function would keep for its gradient."""


def channels_first() -> None:
    """Leave weights and images as PyTorch lays them."""
    patch.object(training, "_lay_channels_last", lambda network: None).start()


def plain_adam() -> None:
    """One small operation after another in the optimizer."""
    usual = torch.optim.Adam

    def adam(*arguments: object, **choices: object) -> torch.optim.Optimizer:
        return usual(*arguments, **(choices | {"fused": False, "foreach": False}))  # type: ignore[arg-type]

    patch.object(torch.optim, "Adam", adam).start()


LEVERS: dict[str, Callable[[], None]] = {
    "scale feature maps, not weights": modulate_weights,
    "own derivatives of convolutions and filters": torch_gradients,
    "channels last": channels_first,
    "fused Adam": plain_adam,
}


def without(lever: str | None, row: Row, ticks: int) -> float:
    """Median CPU seconds an image, one lever taken away."""
    if lever is not None:
        LEVERS[lever]()
    return measured(row, 1, ticks, channels_last=lever != "channels last")[0]


def main() -> None:
    """Print a row a lever, a column a network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--rows", nargs="+", default=["usual-64", "usual-256", "small-64"])
    chosen = parser.parse_args()
    names = {f"{row.name.split(',')[0]}-{row.resolution}": row for row in ROWS}
    rows = [names[name] for name in chosen.rows]
    print(f"| without | {' | '.join(chosen.rows)} |")
    print("| --- |" + " --- |" * len(rows), flush=True)
    for lever in LEVERS:
        ratios = []
        for row in rows:
            times: dict[str | None, list[float]] = {None: [], lever: []}
            for _ in range(chosen.repeats):
                for which, measurements in times.items():
                    with get_context("spawn").Pool(1) as pool:
                        measurements.append(pool.apply(without, (which, row, chosen.ticks)))
            ratios.append(statistics.median(times[lever]) / statistics.median(times[None]))
        print(f"| {lever} | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |", flush=True)


if __name__ == "__main__":
    main()
