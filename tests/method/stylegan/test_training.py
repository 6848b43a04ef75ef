"""The training loop."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from hdgan.errors import SettingsError
from hdgan.method.stylegan.augment import AugmentGroups
from hdgan.method.stylegan.losses import (
    discriminator_loss,
    generator_loss,
    path_length_slopes,
    r1_penalty,
)
from hdgan.method.stylegan.plan import PATH_LENGTH, R1, TrainingPlan
from hdgan.method.stylegan.presets import planned, preset_named
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator
from hdgan.method.stylegan.training import Reals, TrainingState, new_state, train_generator
from hdgan.method.stylegan.transfer import begun_from, begun_share
from hdgan.settings.train_generator import TrainGeneratorSettings

SHAPE = NetworkShape(
    resolution=8, channel_base=32, channel_max=4, z_dim=4, w_dim=4, mapping_layers=1
)
PLAN = TrainingPlan(
    images=160,
    batch=4,
    learning_rate=0.01,
    gamma=1.0,
    ema_images=100.0,
    ema_ramp=None,
    tick_batches=8,
)
CPU = torch.device("cpu")


def reals(step: int, part: slice) -> Reals:
    """White squares on black: something that can be learned."""
    images = torch.full((4, 3, 8, 8), -1.0)
    images[:, :, 2:6, 2:6] = 1.0
    random = torch.Generator().manual_seed(step)
    return Reals((images + torch.randn(images.shape, generator=random) * 0.1)[part])


def weights(state: TrainingState) -> list[torch.Tensor]:
    return [value.clone() for value in state.average.state_dict().values()]


def first_layer(generator: Generator) -> torch.Tensor:
    return generator.get_parameter("mapping.fc0.weight").detach()


def test_ticks_come_every_so_many_batches_and_at_the_end() -> None:
    plan = replace(PLAN, images=42)

    ticks = list(train_generator(new_state(SHAPE, plan, CPU), plan, reals))

    assert [tick.batches for tick in ticks] == [8, 11]
    assert ticks[-1].images == 44


def test_training_is_the_same_whether_it_was_interrupted_or_not() -> None:
    whole, parts = new_state(SHAPE, PLAN, CPU), new_state(SHAPE, PLAN, CPU)

    list(train_generator(whole, PLAN, reals))
    ticks = train_generator(parts, PLAN, reals)
    next(ticks)
    next(ticks)
    resumed = copy.deepcopy(parts)
    list(train_generator(resumed, PLAN, reals))

    for a, b in zip(weights(whole), weights(resumed), strict=True):
        assert torch.equal(a, b)


def test_another_seed_gives_another_generator() -> None:
    first, second = new_state(SHAPE, PLAN, CPU), new_state(SHAPE, replace(PLAN, seed=1), CPU)

    assert not torch.equal(first_layer(first.generator), first_layer(second.generator))


def test_the_generator_learns_where_it_is_bright() -> None:
    plan = replace(PLAN, images=1200, gamma=0.5, path_length_weight=0.0, style_mixing=0.0)
    state = new_state(SHAPE, plan, CPU)

    list(train_generator(state, plan, reals))

    w = state.average.mapping(torch.randn(8, 4, generator=torch.Generator().manual_seed(0)))
    image = state.average(w, state.average.synthesis.constant_noise()).mean(dim=(0, 1))
    inside, outside = image[2:6, 2:6].mean(), image[:2].mean()
    assert float(inside) > float(outside) + 0.3


def test_the_average_follows_the_generator_with_its_half_life() -> None:
    plan = replace(PLAN, images=4, ema_images=4.0)
    state = new_state(SHAPE, plan, CPU)
    before = first_layer(state.average).clone()

    list(train_generator(state, plan, reals))

    after = first_layer(state.generator)
    assert torch.allclose(first_layer(state.average), (before + after) / 2, atol=1e-6)


def test_what_is_not_learned_is_copied_to_the_average() -> None:
    state = new_state(SHAPE, PLAN, CPU)

    list(train_generator(state, replace(PLAN, images=4), reals))

    assert torch.equal(state.average.mapping.w_avg, state.generator.mapping.w_avg)
    assert float(state.generator.mapping.w_avg.abs().sum()) > 0


def test_lazy_terms_correct_rate_and_decay() -> None:
    state = new_state(SHAPE, PLAN, CPU)

    generator = state.generator_optimizer.param_groups[0]
    discriminator = state.discriminator_optimizer.param_groups[0]
    assert generator["lr"] == pytest.approx(0.01 * 0.8)
    assert generator["betas"] == (0.0, pytest.approx(0.99**0.8))
    assert discriminator["lr"] == pytest.approx(0.01 * 16 / 17)
    assert (R1.interval, PATH_LENGTH.interval) == (16, 4)


def test_losses_are_the_non_saturating_logistic_ones() -> None:
    drawn, real = torch.tensor([0.3, -1.0]), torch.tensor([2.0, 0.5])

    assert torch.allclose(generator_loss(drawn), torch.log1p(torch.exp(-drawn)).mean())
    both = functional.softplus(drawn).mean() + functional.softplus(-real).mean()
    assert torch.allclose(discriminator_loss(drawn, real), both)


def test_r1_is_the_squared_slope_of_the_score() -> None:
    images = torch.randn(2, 3, 4, 4, requires_grad=True)
    direction = torch.randn(3, 4, 4)

    penalty = r1_penalty((images * direction).sum(dim=(1, 2, 3)), images)

    assert torch.allclose(penalty, direction.square().sum().expand(2), rtol=1e-4)


def test_a_batch_that_cannot_be_grouped_is_refused() -> None:
    with pytest.raises(SettingsError, match="batch of 6 cannot be cut into groups of 4"):
        new_state(SHAPE, replace(PLAN, batch=6), CPU)


@pytest.mark.parametrize(
    ("resolution", "batch", "gamma", "channels"),
    [(256, 16, 0.8192, 16384), (1024, 4, 52.4288, 32768), (128, 32, 0.1024, 16384)],
)
def test_the_auto_preset_has_the_published_numbers(
    resolution: int, batch: int, gamma: float, channels: int
) -> None:
    auto = preset_named("auto", resolution)

    assert (auto.batch, auto.channel_base) == (batch, channels)
    assert auto.gamma == pytest.approx(gamma)
    assert auto.ema_kimg == pytest.approx(batch * 10 / 32)


def test_a_choice_of_the_user_wins_over_the_preset() -> None:
    settings = TrainGeneratorSettings(resolution=64, preset="stylegan2", gamma=3.0, batch=8)

    shape, plan = planned(settings)

    assert (plan.gamma, plan.batch, plan.learning_rate) == (3.0, 8, 0.002)
    assert (shape.mapping_layers, shape.channel_base) == (8, 32768)


def test_the_paper_run_augments_colours_only() -> None:
    _, plan = planned(TrainGeneratorSettings(resolution=4096, preset="hdgan"))

    assert plan.augment == AugmentGroups(flips=False, warps=False, colour=True)
    assert plan.batch == 4


def test_frozen_layers_stay_and_the_others_learn() -> None:
    plan = replace(PLAN, frozen_layers=3, images=32)
    state = new_state(SHAPE, plan, CPU)
    before = copy.deepcopy(state.discriminator.state_dict())

    list(train_generator(state, plan, reals))

    moved = {
        name
        for name, tensor in state.discriminator.state_dict().items()
        if not torch.equal(tensor, before[name])
    }
    frozen = {"b8.fromrgb", "b8.conv0", "b8.conv1"}
    assert not {name for name in moved if name.rsplit(".", 1)[0] in frozen}
    assert {"b8.skip.weight", "b4.conv.weight", "b4.fc.weight", "b4.out.weight"} <= moved


def test_the_discriminator_may_learn_alone_first() -> None:
    plan = replace(PLAN, discriminator_first=PLAN.batch * 3 - 1, images=PLAN.batch * 4)
    state, fresh = new_state(SHAPE, plan, CPU), new_state(SHAPE, plan, CPU)
    ticks = train_generator(state, replace(plan, tick_batches=3), reals)
    next(ticks)
    assert not differs(state.generator, fresh.generator)
    assert not differs(state.average, fresh.average)
    assert differs(state.discriminator, fresh.discriminator)
    next(ticks)
    assert differs(state.generator, fresh.generator)


@pytest.mark.parametrize("part", [0.0, 0.25])
def test_what_comes_from_a_start_learns_at_a_part_of_the_rate(part: float) -> None:
    plan = replace(PLAN, images=PLAN.batch, path_length_weight=0.0)
    start, moved = new_state(SHAPE, plan, CPU), []
    for rate in (1.0, part):
        state = new_state(SHAPE, plan, CPU)
        state.begun = begun_share(
            state.generator,
            {
                name: tensor
                for name, tensor in start.generator.state_dict().items()
                if name.startswith("synthesis.b8.")
            },
        )
        list(train_generator(state, replace(plan, start_rate=rate), reals))
        moved.append(
            {
                name: parameter.detach() - start.generator.get_parameter(name).detach()
                for name, parameter in state.generator.named_parameters()
            }
        )

    for name, whole in moved[0].items():
        expected = whole * part if name.startswith("synthesis.b8.") else whole
        torch.testing.assert_close(moved[1][name], expected, rtol=1e-4, atol=1e-7)


def differs(network: nn.Module, other: nn.Module) -> bool:
    return any(
        not torch.equal(a, b) for a, b in zip(network.parameters(), other.parameters(), strict=True)
    )


def test_a_start_is_copied_where_name_and_size_fit() -> None:
    torch.manual_seed(5)
    start, network = Generator(SHAPE), Generator(replace(SHAPE, channel_max=2, resolution=16))

    names = begun_from(network, start.state_dict())

    assert "mapping.fc0.weight" in names
    assert torch.equal(first_layer(network), first_layer(start))
    assert "synthesis.b4.conv1.weight" not in names


def test_a_run_that_begins_from_a_network_follows_its_shape() -> None:
    start = NetworkShape(32, 64, 16, z_dim=7, w_dim=9, mapping_layers=3, clamp=256.0)

    shape, plan = planned(TrainGeneratorSettings(resolution=64), start)

    assert shape == replace(start, resolution=64)
    assert (plan.ada_images, plan.ema_ramp) == (100_000, None)


def test_a_fixed_strength_stays() -> None:
    plan = replace(PLAN, fixed_strength=0.25, images=64)

    ticks = list(train_generator(new_state(SHAPE, plan, CPU), plan, reals))

    assert [tick.strength for tick in ticks] == [0.25, 0.25]


def distance(first: TrainingState, second: TrainingState) -> float:
    """The largest difference of two states' weights, averages and running means."""
    both = zip(
        [*first.generator.state_dict().values(), *weights(first), first.path_length_mean],
        [*second.generator.state_dict().values(), *weights(second), second.path_length_mean],
        strict=True,
    )
    return max(float((a - b).abs().max()) for a, b in both)


MANY = replace(PLAN, batch=16, images=16 * 17, tick_batches=17, style_mixing=0.9)
"""Long enough for every penalty to come twice."""


def many_reals(step: int, part: slice) -> Reals:
    images = torch.cat([reals(step * 4 + i, slice(None)).images for i in range(4)])
    return Reals(images[part])


@pytest.mark.parametrize("micro_batch", [4, 8])
def test_a_batch_in_parts_teaches_the_same(micro_batch: int) -> None:
    plan = replace(MANY, fixed_strength=0.5)
    whole, parts = new_state(SHAPE, plan, CPU), new_state(SHAPE, plan, CPU)

    (tick,) = train_generator(whole, plan, many_reals)
    in_parts = replace(plan, micro_batch=micro_batch)
    (tick_in_parts,) = train_generator(parts, in_parts, many_reals)

    assert distance(whole, parts) < 1e-4
    assert distance(whole, new_state(SHAPE, plan, CPU)) > 0.05
    assert tick_in_parts.r1 == pytest.approx(tick.r1, rel=1e-3)
    assert tick_in_parts.path_length == pytest.approx(tick.path_length, rel=1e-3)


def test_parts_that_do_not_fit_the_batch_are_refused() -> None:
    with pytest.raises(SettingsError, match="--micro-batch is 3, but each process has 8 images"):
        replace(MANY, micro_batch=3).num_parts(processes=2)
    with pytest.raises(SettingsError, match="batch of 16 cannot be dealt to 3 processes"):
        MANY.num_parts(processes=3)


def test_a_part_smaller_than_the_group_is_refused() -> None:
    plan = replace(MANY, micro_batch=2)

    with pytest.raises(SettingsError, match="parts of 2 images"):
        next(train_generator(new_state(SHAPE, plan, CPU), plan, many_reals))


def test_the_preset_compares_no_more_images_than_a_part_has() -> None:
    settings = TrainGeneratorSettings(resolution=64, preset="stylegan2", micro_batch=2)

    shape, plan = planned(settings)

    assert (shape.minibatch_group, plan.batch, plan.micro_batch) == (2, 32, 2)


def test_lengths_by_their_slopes_teach_as_their_penalty_does() -> None:
    lengths = torch.tensor([1.0, 4.0, 2.5], requires_grad=True)
    before, decay = torch.tensor(2.0), 0.25

    running = torch.lerp(before, lengths.mean(), decay)
    (lengths - running).square().mean().backward()

    mean, running = lengths.detach().mean(), running.detach()
    slopes = path_length_slopes(lengths, float(mean), float(running), decay=decay, count=3)
    assert torch.allclose(lengths.grad, slopes)  # type: ignore[arg-type]


STAINED = replace(SHAPE, stains=("PAS", "silver"))


def stained_reals(step: int, part: slice) -> Reals:
    """The first stain is bright, the second dark."""
    stains = torch.tensor([0, 1, 1, 0])
    images = torch.where(stains == 0, 0.8, -0.8)[:, None, None, None].expand(4, 3, 8, 8)
    random = torch.Generator().manual_seed(step)
    return Reals((images + torch.randn(images.shape, generator=random) * 0.1)[part], stains[part])


def test_a_generator_draws_the_stain_that_it_is_told() -> None:
    plan = replace(PLAN, images=1200, gamma=0.5, path_length_weight=0.0, stain_shares=(0.5, 0.5))
    state = new_state(STAINED, plan, CPU)

    list(train_generator(state, plan, stained_reals))

    z = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    bright, dark = (
        state.average(
            state.average.mapping(z, torch.full((8,), stain)),
            state.average.synthesis.constant_noise(),
        ).mean()
        for stain in (0, 1)
    )
    assert float(bright) > float(dark) + 0.5


@pytest.mark.parametrize("half", ["bfloat16", "float16"])
def test_half_precision_learns_too(half: str) -> None:
    plan = replace(PLAN, images=64, half=half, tick_batches=16)
    shape = replace(SHAPE, resolution=16, clamp=256.0)
    single, state = new_state(shape, replace(plan, half=None), CPU), new_state(shape, plan, CPU)

    def large(step: int, part: slice) -> Reals:
        return Reals(functional.interpolate(reals(step, part).images, scale_factor=2))

    (tick,) = train_generator(state, plan, large)
    list(train_generator(single, replace(plan, half=None), large))

    assert tick.r1 > 0
    assert all(bool(torch.isfinite(value).all()) for value in weights(state))
    assert 0 < distance(single, state) < 0.5
    assert {parameter.dtype for parameter in state.generator.parameters()} == {torch.float32}


def test_without_noise_the_latent_alone_decides() -> None:
    state = new_state(SHAPE, replace(PLAN, noise=False), CPU)

    list(train_generator(state, replace(PLAN, noise=False), reals))

    synthesis = state.average.synthesis
    w = state.average.mapping(torch.randn(2, 4, generator=torch.Generator().manual_seed(0)))
    drawn = state.average(w, synthesis.constant_noise())
    assert torch.equal(drawn, state.average(w, synthesis.no_noise()))
    assert all(float(layer.noise_strength) == 0 for layer in synthesis.convolutions)
    noisy = new_state(SHAPE, PLAN, CPU)
    list(train_generator(noisy, PLAN, reals))
    assert any(float(layer.noise_strength) != 0 for layer in noisy.average.synthesis.convolutions)


def test_noise_may_begin_at_a_resolution() -> None:
    plan = replace(PLAN, noise_from=8, images=PLAN.batch * 4)
    state = new_state(SHAPE, plan, CPU)
    list(train_generator(state, plan, reals))

    moved = {
        layer.resolution: float(layer.noise_strength) != 0
        for layer in state.average.synthesis.convolutions
    }
    assert moved == {4: False, 8: True}
    small = TrainGeneratorSettings(preset="small", noise_from=128)
    assert (planned(small)[1].noise, planned(small)[1].noise_from) == (True, 128)
    with pytest.raises(SettingsError, match="--no-noise wants no noise"):
        TrainGeneratorSettings(noise=False, noise_from=128)


def test_the_small_preset_has_no_noise_unless_it_is_asked_for() -> None:
    small = TrainGeneratorSettings(resolution=64, preset="small")

    assert not planned(small)[1].noise
    assert planned(replace(small, noise=True))[1].noise
    assert planned(replace(small, preset="auto"))[1].noise
