"""The rules that a segmenter learns by, each against a plain computation of its paper's formula."""

import math

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from hdgan.class_map import UNLABELLED
from hdgan.method.segmenter.changes import (
    NOISE,
    blurred,
    noisy,
    recoloured,
    strongly_changed,
    turned,
    turned_back,
)
from hdgan.method.segmenter.consistency import (
    MeanTeacher,
    TransformationConsistency,
    consistency_weight,
)
from hdgan.method.segmenter.crops import LabelledCrops, StepCrops, cut_mixed, drawn_boxes
from hdgan.method.segmenter.guessed_labels import FixMatch, PseudoLabel, confident_labels
from hdgan.method.segmenter.losses import (
    entropy_over_all,
    one_hot,
    segmentation_loss,
    soft_entropy,
    squared_error,
)
from hdgan.method.segmenter.mixmatch import MixMatch, Targets, joined, mixed_up, sharpened
from hdgan.method.segmenter.network import SegmenterShape, unet
from hdgan.method.segmenter.plan import SegmenterPlan
from hdgan.method.segmenter.rule import Networks, Rule
from hdgan.method.segmenter.rules import rule_named
from hdgan.method.segmenter.supervised import Supervised
from hdgan.method.segmenter.teacher import follow, ramped_decay, teacher_of
from hdgan.method.segmenter.training import new_segmenter_state, train_segmenter
from hdgan.method.tile_crop import laid
from hdgan.settings.train_segmenter import UNLABELLED_METHODS

SIDE = 16
CLASSES = 3


class Colour(nn.Module):
    """Logits are a fixed mixture of a pixel's own colour: whatever is turned turns with it."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(3, CLASSES, 1)
        with torch.no_grad():
            self.mix.weight.copy_(5 * torch.eye(3)[:, :, None, None])
            self.mix.bias.zero_()  # type: ignore[union-attr]

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.mix(x)
        return logits


def crops_of(seed: int = 0, batch: int = 4) -> StepCrops:
    """Crops of noise."""
    random = torch.Generator().manual_seed(seed)
    return StepCrops(
        LabelledCrops(
            torch.rand(batch, 3, SIDE, SIDE, generator=random) * 2 - 1,
            torch.randint(0, CLASSES, (batch, SIDE, SIDE), generator=random),
        ),
        torch.rand(batch, 3, SIDE, SIDE, generator=random) * 2 - 1,
        np.random.default_rng(seed),
    )


def networks_of(rule: Rule) -> Networks:
    """A network of one layer, and its teacher, which differs."""
    student = Colour()
    if rule.decay is None:
        return Networks(student)
    teacher = teacher_of(student)
    with torch.no_grad():
        next(teacher.parameters()).mul_(0.5)
    return Networks(student, teacher)


def test_an_average_keeps_its_part_of_weights_and_of_statistics() -> None:
    convolution, norm = nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)
    network = nn.Sequential(convolution, norm)
    convolution.weight.data.fill_(1.0)
    teacher = teacher_of(network)
    convolution.weight.data.fill_(2.0)
    norm.load_state_dict(
        norm.state_dict()
        | {"running_mean": torch.tensor([10.0]), "num_batches_tracked": torch.tensor(7)}
    )

    follow(teacher, network, 0.9)

    state = teacher.state_dict()
    assert float(state["0.weight"]) == pytest.approx(0.9 * 1 + 0.1 * 2)
    assert float(state["1.running_mean"]) == pytest.approx(0.1 * 10)
    assert int(state["1.num_batches_tracked"]) == 7
    assert float(convolution.weight.detach()) == 2.0


def test_an_average_begins_as_a_copy_and_slows_down() -> None:
    steps = (0, 1, 9, 98, 99, 1000)

    assert [ramped_decay(0.99, step, 5000) for step in steps] == pytest.approx(
        [0, 0.5, 0.9, 98 / 99, 0.99, 0.99]
    )


def test_an_average_spans_at_most_an_eighth_of_a_run() -> None:
    assert [ramped_decay(0.996, 9999, steps) for steps in (4, 400, 2000, 9000)] == pytest.approx(
        [0, 1 - 1 / 50, 0.996, 0.996]
    )


def test_a_teacher_is_in_evaluation_mode_and_gets_no_gradient() -> None:
    teacher = teacher_of(unet(SegmenterShape(2, width=4, num_levels=3)))

    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    assert not any(module.training for module in teacher.modules())


@pytest.mark.parametrize("done", [0.1, 0.5, 1.0])
def test_agreement_counts_more_and_more(done: float) -> None:
    assert consistency_weight(0.1, done) == pytest.approx(0.1 * math.exp(-5 * (1 - done) ** 2))
    assert consistency_weight(0.1, 0.0999) == 0


@pytest.mark.parametrize(("done", "weight"), [(0.0, 0), (0.1, 0), (0.35, 0.5), (0.6, 1), (1.0, 1)])
def test_guessed_labels_count_more_and_more(done: float, weight: float) -> None:
    assert PseudoLabel().weight(done) == pytest.approx(weight * PseudoLabel.largest)


def test_only_confident_pixels_get_a_label() -> None:
    probabilities = torch.tensor([[0.96, 0.95, 0.5, 0.02], [0.04, 0.05, 0.5, 0.98]])[
        None, :, :, None
    ]

    labels = confident_labels(probabilities.reshape(1, 2, 2, 2), 0.95)

    assert labels.flatten().tolist() == [0, 0, UNLABELLED, 1]


def test_without_a_threshold_every_pixel_gets_a_label() -> None:
    probabilities = torch.rand(2, CLASSES, SIDE, SIDE).softmax(dim=1)

    labels = confident_labels(probabilities, 0.0)

    assert torch.equal(labels, probabilities.argmax(dim=1))


def test_pixels_without_a_label_weaken_the_rest() -> None:
    logits, labels = torch.randn(2, CLASSES, SIDE, SIDE), torch.randint(0, CLASSES, (2, SIDE, SIDE))
    few = labels.clone()
    few[:, SIDE // 4 :] = UNLABELLED

    loss = entropy_over_all(logits, few)

    known = functional.cross_entropy(logits[:, :, : SIDE // 4], labels[:, : SIDE // 4])
    assert float(loss) == pytest.approx(float(known) / 4, rel=1e-5)
    assert float(entropy_over_all(logits, torch.full_like(labels, UNLABELLED))) == 0


def test_sharpening_is_a_power_that_sums_to_one() -> None:
    probabilities = torch.tensor([0.5, 0.3, 0.2])[None, :, None, None].expand(1, 3, 2, 2)

    sharp = sharpened(probabilities, 0.5)[0, :, 0, 0]

    squares = np.array([0.25, 0.09, 0.04])
    assert sharp.tolist() == pytest.approx(list(squares / squares.sum()), rel=1e-5)


def test_sharpening_of_a_sure_guess_is_finite() -> None:
    sure = torch.tensor([1.0, 0.0, 0.0])[None, :, None, None].expand(1, 3, 2, 2)

    assert torch.allclose(sharpened(sure, 0.5), sure, atol=1e-6)


def test_mixed_images_have_targets_mixed_alike() -> None:
    """The first channel of each image is its own target, so that it must stay so."""
    classes = torch.rand(6, CLASSES, SIDE, SIDE).softmax(dim=1)
    known = torch.ones(6, SIDE, SIDE, dtype=torch.bool)

    mixed = mixed_up(Targets(classes.clone(), classes, known), 0.75, np.random.default_rng(0))

    assert torch.allclose(mixed.images, mixed.classes)
    assert not torch.allclose(mixed.images, classes)
    own = (mixed.images - classes).flatten(1).norm(dim=1)
    other = torch.stack(
        [(mixed.images - classes[i]).flatten(1).norm(dim=1) for i in range(6)]
    ).amin(dim=0)
    assert torch.allclose(own, other)


def test_a_mixture_with_an_unlabelled_pixel_has_no_target() -> None:
    known = torch.zeros(2, SIDE, SIDE, dtype=torch.bool)
    known[:, : SIDE // 2] = True
    known[0, 0, 0] = False
    targets = Targets(torch.rand(2, 3, SIDE, SIDE), torch.rand(2, CLASSES, SIDE, SIDE), known)

    swapped = next(
        mixed
        for mixed in (mixed_up(targets, 0.75, np.random.default_rng(i)) for i in range(50))
        if not mixed.known[1, 0, 0]
    )

    assert swapped.known.sum() == 2 * (SIDE * SIDE // 2 - 1)


def test_probabilities_are_compared_over_known_pixels_only() -> None:
    logits, target = torch.randn(2, CLASSES, SIDE, SIDE), torch.rand(2, CLASSES, SIDE, SIDE)
    known = torch.zeros(2, SIDE, SIDE, dtype=torch.bool)
    known[:, :3] = True

    inside = functional.mse_loss(logits.softmax(dim=1)[:, :, :3], target[:, :, :3])
    assert float(squared_error(logits, target, known)) == pytest.approx(float(inside), rel=1e-5)
    everywhere = functional.mse_loss(logits.softmax(dim=1), target)
    assert float(squared_error(logits, target)) == pytest.approx(float(everywhere), rel=1e-5)


def test_soft_entropy_of_labels_is_cross_entropy_over_the_labelled() -> None:
    logits, labels = torch.randn(2, CLASSES, SIDE, SIDE), torch.randint(0, CLASSES, (2, SIDE, SIDE))
    labels[0, :5] = UNLABELLED

    loss = soft_entropy(logits, *one_hot(labels, CLASSES))

    wanted = functional.cross_entropy(logits, labels, ignore_index=UNLABELLED)
    assert float(loss) == pytest.approx(float(wanted), rel=1e-5)


@pytest.mark.parametrize("way", range(8))
def test_a_crop_is_turned_as_a_tile_is_laid_and_back_exactly(way: int) -> None:
    crops = torch.rand(1, 3, SIDE, SIDE)

    there = turned(crops, [way])

    expected = laid(crops[0].permute(1, 2, 0).numpy(), way)
    assert np.array_equal(there[0].permute(1, 2, 0).numpy(), expected)
    assert torch.equal(turned_back(there, [way]), crops)


def test_a_turn_of_the_crop_is_undone_in_the_answer() -> None:
    """A network that looks at single pixels agrees with itself exactly, however it is turned."""
    rule, crops = TransformationConsistency(), crops_of()
    student = Colour()
    networks = Networks(student, teacher_of(student))
    quiet = crops._replace(random=WithoutNoise())

    loss = rule(networks, quiet, 1.0)

    assert loss.unlabelled is not None
    assert float(loss.unlabelled.detach()) == pytest.approx(0, abs=1e-12)


class WithoutNoise(np.random.Generator):
    """Draws turns as ever, and noise of nothing."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(1))

    def standard_normal(self, size, dtype):  # type: ignore[no-untyped-def, override]
        """Nothing."""
        return np.zeros(size, dtype=dtype)


def test_a_box_takes_images_labels_and_probabilities_from_the_same_crop() -> None:
    random = np.random.default_rng(0)
    boxes = drawn_boxes(4, SIDE, 1.0, random)
    images = torch.arange(4.0)[:, None, None, None].expand(4, 3, SIDE, SIDE)
    labels = torch.arange(4)[:, None, None].expand(4, SIDE, SIDE)

    mixed, named = cut_mixed(images, boxes), cut_mixed(labels, boxes)

    assert torch.equal(mixed[:, 0].long(), named)
    assert torch.equal(named[2], torch.where(boxes[2], 1, 2))
    assert torch.equal(named[0], torch.where(boxes[0], 3, 0))


def test_boxes_are_rectangles_of_every_size_and_come_as_often_as_asked() -> None:
    boxes = drawn_boxes(400, SIDE, 0.5, np.random.default_rng(0))

    for box in boxes[:50]:
        rows, columns = box.any(dim=1), box.any(dim=0)
        assert torch.equal(box, rows[:, None] & columns)
    is_cut = boxes.any(dim=2).any(dim=1)
    assert 0.4 < float(is_cut.float().mean()) < 0.55
    areas = boxes.float().mean(dim=(1, 2))
    assert float(areas.max()) > 0.6
    assert not drawn_boxes(9, SIDE, 0.0, np.random.default_rng(0)).any()


def test_a_blur_is_that_of_scipy() -> None:
    from scipy.ndimage import gaussian_filter

    images = torch.rand(20, 3, 32, 32)

    found = blurred(images, np.random.default_rng(3))

    random = np.random.default_rng(3)
    is_changed, spread = random.random(20) < 0.5, random.uniform(0.1, 2.0, size=20)
    for i in range(20):
        wanted = images[i].numpy()
        if is_changed[i]:
            sigma = float(spread[i])
            wanted = gaussian_filter(wanted, (0, sigma, sigma), mode="mirror", truncate=4.0 / sigma)
        assert np.allclose(found[i].numpy(), wanted, atol=1e-4)


def test_other_colours_stay_in_range_and_move_nothing() -> None:
    images = torch.full((50, 3, SIDE, SIDE), -0.2)
    images[:, :, :, : SIDE // 2] = torch.tensor([0.3, -0.5, 0.2])[:, None, None]

    changed = recoloured(images, np.random.default_rng(0))

    assert float(changed.min()) >= -1
    assert float(changed.max()) <= 1
    same = (changed == images).flatten(1).all(dim=1)
    assert 0.1 < float(same.float().mean()) < 0.4
    for half in (slice(0, SIDE // 2), slice(SIDE // 2, None)):
        piece = changed[..., half]
        assert torch.equal(piece, piece[..., :1, :1].expand_as(piece))


def test_noise_has_its_deviation_and_a_limit() -> None:
    added = noisy(torch.zeros(8, 3, 64, 64), np.random.default_rng(0))

    assert float(added.std()) == pytest.approx(NOISE, rel=0.15)
    assert float(added.abs().max()) == pytest.approx(2 * NOISE, rel=1e-5)


def test_supervised_learns_from_labels_alone() -> None:
    crops = crops_of()._replace(unlabelled=None)
    networks = networks_of(Supervised())

    loss = Supervised()(networks, crops, 0.3)

    wanted = segmentation_loss(networks.student(crops.labelled.images), crops.labelled.labels)
    assert float(loss.labelled.detach()) == pytest.approx(float(wanted.detach()), rel=1e-6)
    assert loss.unlabelled is None


def test_mean_teacher_is_the_weighted_squared_difference_of_two_noisy_looks() -> None:
    rule, crops = MeanTeacher(), crops_of()
    networks = networks_of(rule)

    loss = rule(networks, crops, 0.8)

    assert crops.unlabelled is not None
    assert networks.teacher is not None
    random = np.random.default_rng(0)
    first, second = (noisy(recoloured(crops.unlabelled, random), random) for _ in range(2))
    target = networks.teacher(first).softmax(dim=1)
    difference = (networks.student(second).softmax(dim=1) - target).square().mean()
    wanted = 0.1 * math.exp(-5 * 0.2**2) * float(difference.detach())
    assert loss.unlabelled is not None
    assert float(loss.unlabelled.detach()) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("rule", [MeanTeacher(), TransformationConsistency(), PseudoLabel()])
def test_at_first_only_labels_count(rule: Rule) -> None:
    assert rule(networks_of(rule), crops_of(), 0.05).unlabelled is None
    assert rule(networks_of(rule), crops_of(), 0.5).unlabelled is not None


@pytest.mark.parametrize("threshold", [0.0, 0.6, 0.95])
def test_fixmatch_learns_a_strong_change_with_the_labels_of_a_weak_one(threshold: float) -> None:
    rule, crops = FixMatch(threshold), crops_of()
    networks = networks_of(rule)

    loss = rule(networks, crops, 0.0)

    assert crops.unlabelled is not None
    assert networks.teacher is not None
    random = np.random.default_rng(0)
    boxes = drawn_boxes(4, SIDE, 0.5, random)
    shown = cut_mixed(strongly_changed(crops.unlabelled, random), boxes)
    probabilities = cut_mixed(networks.teacher(crops.unlabelled).softmax(dim=1), boxes)
    largest, labels = probabilities.max(dim=1)
    entropy = functional.cross_entropy(networks.student(shown), labels, reduction="none")
    wanted = (entropy * (largest >= threshold)).mean()
    assert loss.unlabelled is not None
    assert float(loss.unlabelled.detach()) == pytest.approx(float(wanted.detach()), rel=1e-5)
    if threshold == 0:
        assert bool((largest >= threshold).all())


def test_mixmatch_gives_every_version_of_a_crop_the_same_guess() -> None:
    rule, crops = MixMatch(), crops_of()
    networks = networks_of(rule)
    assert crops.unlabelled is not None

    found = rule.guessed(networks, crops.unlabelled[:2], np.random.default_rng(5))

    random = np.random.default_rng(5)
    total = torch.zeros(2, CLASSES, SIDE, SIDE)
    ways = []
    for _ in range(2):
        way = [int(i) for i in random.integers(0, 8, size=2)]
        seen = turned(recoloured(crops.unlabelled[:2], random), way)
        total += turned_back(networks.student(seen).softmax(dim=1), way).detach()
        ways.append(way)
    squares = (total / 2).square()
    guess = squares / squares.sum(dim=1, keepdim=True)
    wanted = torch.cat([turned(guess, way) for way in ways])
    assert torch.allclose(found.classes, wanted, atol=1e-5)
    assert bool(found.known.all())


def test_mixmatch_is_the_loss_of_labels_and_the_weighted_error_of_mixtures() -> None:
    rule, crops = MixMatch(), crops_of()
    networks = networks_of(rule)
    assert crops.unlabelled is not None

    loss = rule(networks, crops, 0.2)

    random = np.random.default_rng(0)
    free = rule.guessed(networks, crops.unlabelled[:2], random)
    labels = functional.one_hot(crops.labelled.labels, CLASSES).permute(0, 3, 1, 2).float()
    known = torch.ones_like(crops.labelled.labels, dtype=torch.bool)
    pool = joined([Targets(crops.labelled.images, labels, known), free])
    mixed = mixed_up(pool, 0.75, random)
    logits = networks.student(mixed.images)
    entropy = functional.cross_entropy(logits[:4], mixed.classes[:4])
    likely, wanted = logits[:4].softmax(dim=1), mixed.classes[:4]
    overlap = 2 * (likely * wanted).sum(dim=(0, 2, 3)) + 1e-5
    whole = (likely + wanted).sum(dim=(0, 2, 3)) + 1e-5
    labelled = entropy + (1 - overlap / whole).mean()
    error = functional.mse_loss(logits[4:].softmax(dim=1), mixed.classes[4:])
    assert loss.unlabelled is not None
    assert float(loss.labelled.detach()) == pytest.approx(float(labelled.detach()), rel=1e-5)
    assert float(loss.unlabelled.detach()) == pytest.approx(
        5 * 0.5 * float(error.detach()), rel=1e-5
    )


@pytest.mark.parametrize("method", ["supervised", *UNLABELLED_METHODS])
def test_pixels_without_a_label_change_no_rule(method: str) -> None:
    """Whatever colour they have: the network looks at single pixels, so nothing else changes."""
    rule = rule_named(method, threshold=0.5)

    def loss_of(hidden: float) -> float:
        crops = crops_of()
        images, labels = crops.labelled.images.clone(), crops.labelled.labels.clone()
        labels[:, :5] = UNLABELLED
        images[:, :, :5] = hidden
        step = StepCrops(LabelledCrops(images, labels), crops.unlabelled, crops.random)
        loss = rule(networks_of(rule), step, 0.7)
        return float(loss.labelled.detach()) + float(
            0 if loss.unlabelled is None else loss.unlabelled.detach()
        )

    assert loss_of(-0.9) == pytest.approx(loss_of(0.9), rel=1e-6)


@pytest.mark.parametrize("method", ["supervised", *UNLABELLED_METHODS])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_every_rule_teaches_a_u_net(method: str, precision: torch.dtype) -> None:
    plan = SegmenterPlan(20, 4, SIDE, 3e-3, stain_jitter=0.0, precision=precision, tick_steps=10)
    rule = rule_named(method, threshold=0.5)

    def trained() -> tuple[dict[str, Tensor], list[float]]:
        network = unet(SegmenterShape(CLASSES, width=4, num_levels=3))
        state = new_segmenter_state(network, plan, rule)
        ticks = list(train_segmenter(state, plan, rule, bright_stripes))
        return state.result.state_dict(), [tick.loss for tick in ticks]

    first, losses = trained()
    second, _ = trained()

    assert losses[-1] < losses[0]
    assert all(value.dtype in (torch.float32, torch.int64) for value in first.values())
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def bright_stripes(step: int) -> StepCrops:
    """Crops whose class is how bright they are."""
    random = torch.Generator().manual_seed(step)

    def drawn() -> tuple[Float[Tensor, "4 3 side side"], Tensor]:
        levels = torch.randint(0, CLASSES, (4, 4, 4), generator=random)
        labels = levels.repeat_interleave(4, dim=1).repeat_interleave(4, dim=2)
        images = (labels[:, None].float() - 1).expand(-1, 3, -1, -1) * 0.8
        return images.contiguous(), labels

    labelled, (unlabelled, _) = drawn(), drawn()
    return StepCrops(LabelledCrops(*labelled), unlabelled, np.random.default_rng(step))


def test_without_unlabelled_crops_a_rule_that_needs_them_says_so() -> None:
    with pytest.raises(ValueError, match="unlabelled crops"):
        FixMatch()(networks_of(FixMatch()), crops_of()._replace(unlabelled=None), 0.5)


def test_the_teacher_is_kept_where_there_is_one() -> None:
    plan = SegmenterPlan(1, 4, SIDE, 1e-3, stain_jitter=0.0)
    for method in ("supervised", *UNLABELLED_METHODS):
        rule = rule_named(method, threshold=0.95)
        state = new_segmenter_state(Colour(), plan, rule)

        has_teacher = method not in ("supervised", "pseudo-label")

        assert (state.result is not state.network) == has_teacher
