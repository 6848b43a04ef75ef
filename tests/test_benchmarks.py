"""Benchmarks run, and what those of levers compare computes the same."""

import subprocess
import sys
from collections.abc import Iterator
from unittest.mock import patch

import pytest
import torch
from benchmarks.levers import LEVERS
from torch import Tensor

from hdgan.method.stylegan.discriminator import Discriminator
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator
from tests.web.browser import NO_CHROMIUM, chromium

SHAPE = NetworkShape(16, 128, 8, z_dim=8, w_dim=8, mapping_layers=1)


@pytest.fixture(autouse=True)
def exact() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    patch.stopall()
    torch.set_default_dtype(torch.float32)


def computed(generator: Generator, discriminator: Discriminator) -> list[Tensor]:
    """Drawings, a gradient of the scores, and what R1 and the drawings teach."""
    for network in (generator, discriminator):
        network.zero_grad()
    z = torch.randn(4, 8, generator=torch.Generator().manual_seed(1))
    drawn = generator.synthesis(generator.styles(z), generator.synthesis.constant_noise())
    images = drawn.detach().requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(images).sum(), images, create_graph=True)
    slope.square().sum().backward()
    drawn.square().sum().backward()
    learned = [
        parameter.grad.clone()
        for network in (generator, discriminator)
        for parameter in network.parameters()
        if parameter.grad is not None
    ]
    return [drawn.detach(), slope.detach(), *learned]


@pytest.mark.parametrize("lever", LEVERS)
def test_without_a_lever_the_same_is_computed(lever: str) -> None:
    torch.manual_seed(0)
    generator, discriminator = Generator(SHAPE), Discriminator(SHAPE)
    for layer in generator.synthesis.convolutions:
        torch.nn.init.constant_(layer.noise_strength, 0.3)
        torch.nn.init.normal_(layer.bias)
    usual = computed(generator, discriminator)

    LEVERS[lever]()
    without = computed(generator, discriminator)

    assert len(usual) > 20
    for one, other in zip(usual, without, strict=True):
        assert torch.allclose(one, other, rtol=1e-9, atol=1e-12)


def test_the_page_is_measured_beside_its_bounds() -> None:
    if chromium() is None:
        pytest.skip(NO_CHROMIUM)
    small = ["--side", "256", "--steps", "20", "--brush", "20", "--prediction-px", "0"]

    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.page", *small],
        check=False,
        capture_output=True,
        text=True,
    )

    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in run.stdout.splitlines()]
    found = {row[0]: row[1:] for row in cells if len(row) == 4}
    assert found["open a tile"][1] == "< 3 s", run.stderr
    assert found["brush step, at 100 %, median of 20"][1] == "< 16 ms"
    assert float(found["memory of the server, at most"][0].split()[0]) > 10
    missed = any(row[-1] == "NO" for row in found.values())
    assert run.returncode == int(missed)


def test_strokes_correct_the_prediction_of_a_shipped_drawing() -> None:
    row = ["--painters", "1", "--rows", "none:1:3"]

    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.page_correction", *row],
        check=False,
        capture_output=True,
        text=True,
    )

    assert run.returncode == 0, run.stderr
    prior, tiles, strokes, *scores = [
        cell.strip() for cell in run.stdout.splitlines()[-1].split("|")[1:-1]
    ]
    assert (prior, tiles, strokes) == ("none", "1", "3")
    assert [bool(score) for score in scores] == [False, True, False, True, True]
    assert all(0 < float(score) <= 100 for score in scores if score)


def test_making_pairs_is_measured_beside_the_generator_alone() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.synthesis", "--rows", "16:6", "--many", "3"],
        capture_output=True,
        text=True,
        check=True,
    )

    _, row, *memory = result.stdout.splitlines()
    side, pairs, members, one, several, ratio, floor, *parts, _start = row.split()
    assert (side, pairs, members) == ("16", "6", "10")
    assert float(several) / float(one) == pytest.approx(float(ratio), abs=0.02)
    assert float(floor) > float(one) > 0
    assert sum(int(part.removesuffix("%")) for part in parts) == pytest.approx(100, abs=2)
    assert [line.split()[0] for line in memory] == ["100", "3", "3"]


def test_a_rare_class_is_raised_and_what_that_costs_is_printed() -> None:
    few = ["--pairs", "1", "--natural", "10", "--pilot", "16", "--share", "0.01"]
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.composition", *few],
        capture_output=True,
        text=True,
        check=True,
    )

    cells = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in result.stdout.splitlines()
    ]
    found = {row[0]: row[1:] for row in cells if len(row) == 3}
    assert found["pairs"][0] == "1, kept 1"
    assert float(found["share of the class"][0].removesuffix("%")) >= 1
    assert float(found["draws a kept pair"][0]) >= 1
    assert float(found["CPU s a kept pair"][0]) > 0
