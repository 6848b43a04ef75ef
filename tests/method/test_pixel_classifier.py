"""The ensemble against PyTorch's own layers, one member at a time."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from hdgan.method.classifier_presets import recipe_of
from hdgan.method.fitting import (
    FittingPlan,
    LabelledFeatures,
    fit_classifier,
    new_fitting,
    validated,
)
from hdgan.method.pixel_classifier import ClassifierShape, PixelClassifier, vote
from hdgan.settings.train_classifier import TrainClassifierSettings

SHAPE = ClassifierShape(num_channels=5, num_classes=3, num_members=2, widths=(7, 4), dropout=0.0)


def plain_member(classifier: PixelClassifier, member: int) -> nn.Sequential:
    """The same perceptron from PyTorch's layers."""
    sizes = (5, 7, 4, 3)
    linear = [nn.Linear(a, b) for a, b in pairwise(sizes)]
    norms = [nn.BatchNorm1d(size) for size in (7, 4)]
    with torch.no_grad():
        for i, layer in enumerate(linear):
            layer.weight.copy_(classifier.get_parameter(f"weight{i}")[member].t())
            layer.bias.copy_(classifier.get_parameter(f"bias{i}")[member, 0])
        for i, norm in enumerate(norms):
            norm.weight.copy_(classifier.get_parameter(f"gain{i}")[member, 0])
            norm.bias.copy_(classifier.get_parameter(f"shift{i}")[member, 0])
    return nn.Sequential(linear[0], nn.ReLU(), norms[0], linear[1], nn.ReLU(), norms[1], linear[2])


@pytest.mark.parametrize("training", [True, False])
def test_a_member_is_linear_relu_batch_norm_twice_and_linear(training: bool) -> None:  # noqa: FBT001
    classifier = PixelClassifier(SHAPE).train(training)
    x = torch.randn(2, 50, 5)

    logits = classifier(x)

    for member in range(2):
        plain = plain_member(classifier, member).train(training)
        assert torch.allclose(logits[member], plain(x[member]), atol=1e-5)


def test_running_statistics_are_those_of_pytorch() -> None:
    classifier = PixelClassifier(SHAPE).train()
    plain = plain_member(classifier, 1).train()

    for seed in range(3):
        x = torch.randn(1, 50, 5, generator=torch.Generator().manual_seed(seed))
        classifier(x)
        plain(x[0])

    norm = plain.get_submodule("5")
    assert torch.allclose(
        classifier.get_buffer("running_mean1")[1, 0], norm.get_buffer("running_mean")
    )
    assert torch.allclose(
        classifier.get_buffer("running_variance1")[1, 0], norm.get_buffer("running_var")
    )


def test_dropout_leaves_out_its_part_and_keeps_the_mean() -> None:
    classifier = PixelClassifier(ClassifierShape(5, 3, dropout=0.3)).train()

    dropped = classifier._dropped(torch.ones(1, 1000, 50), torch.Generator().manual_seed(0))

    assert float((dropped == 0).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert float(dropped.mean()) == pytest.approx(1.0, abs=0.02)


def test_members_start_from_different_weights() -> None:
    weight = PixelClassifier(SHAPE).get_parameter("weight0")

    assert not torch.equal(weight[0], weight[1])


def test_features_are_scaled_before_the_first_layer() -> None:
    classifier = PixelClassifier(SHAPE).eval()
    x = torch.randn(1, 20, 5)
    plain = classifier(x)

    classifier.mean.fill_(4.0)
    classifier.deviation.fill_(3.0)

    assert torch.allclose(classifier(x * 3.0 + 4.0), plain, atol=1e-5)


def test_votes_are_parts_of_the_members() -> None:
    probabilities = torch.tensor([[[0.6, 0.4]], [[0.9, 0.1]], [[0.2, 0.8]]])

    assert torch.allclose(vote(probabilities), torch.tensor([[2 / 3, 1 / 3]]))


def separable(step: int, members: int = 2, count: int = 64) -> LabelledFeatures:
    """Pixels whose class is the largest of three features."""
    random = torch.Generator().manual_seed(step)
    features = torch.randn(members, count, 5, generator=random)
    return LabelledFeatures(features, features[..., :3].argmax(dim=-1))


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_fitting_finds_a_rule_that_is_there(optimizer: str) -> None:
    rate = 1e-2 if optimizer == "adam" else 0.3
    plan = FittingPlan(200, 64, optimizer, rate, decays=True)  # type: ignore[arg-type]
    validation = separable(10_000, members=1, count=500)
    state = new_fitting(PixelClassifier(SHAPE), plan)

    epochs = list(fit_classifier(state, plan, separable, validation))

    assert [epoch.steps for epoch in epochs] == [100, 200]
    assert epochs[-1].validation_accuracy > 0.9
    assert epochs[-1].loss < epochs[0].loss


def test_members_learn_as_they_would_alone() -> None:
    plan = FittingPlan(5, 64, "sgd", 0.1)
    classifier = PixelClassifier(SHAPE)
    plain = plain_member(classifier, 1).train()
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.1)

    state = new_fitting(classifier, plan)
    list(fit_classifier(state, plan, separable, separable(99, members=1)))
    for step in range(5):
        drawn = separable(step)
        optimizer.zero_grad()
        functional.cross_entropy(plain(drawn.features[1]), drawn.classes[1]).backward()
        optimizer.step()

    first = plain.get_parameter("0.weight").detach()
    assert torch.allclose(classifier.get_parameter("weight0")[1].t(), first, atol=1e-5)


def test_validation_scores_the_mean_of_the_members() -> None:
    classifier = PixelClassifier(SHAPE).eval()
    drawn = separable(0, members=1)

    loss, accuracy = validated(classifier, drawn)

    mean = torch.softmax(classifier(drawn.features), dim=-1).mean(dim=0).detach()
    assert accuracy == pytest.approx(float((mean.argmax(dim=1) == drawn.classes[0]).float().mean()))
    assert loss == pytest.approx(float(functional.nll_loss(mean.log(), drawn.classes[0])), abs=1e-5)


def test_presets_say_what_their_sources_say() -> None:
    paper, code, ancestor = (
        recipe_of(TrainClassifierSettings(preset=preset))
        for preset in ("paper", "authors-code", "datasetgan")
    )

    assert (paper.num_blocks, paper.plan.optimizer, paper.plan.learning_rate) == (5, "sgd", 1e-4)
    assert (paper.plan.momentum, paper.num_members, paper.num_normalised) == (0.0, 10, 2)
    assert (code.num_blocks, code.num_members, code.num_normalised, code.dropout) == (3, 1, 1, 0.3)
    assert (code.plan.batch, code.plan.momentum, code.plan.label_smoothing) == (65536, 0.9, 0.1)
    assert (code.plan.feature_noise, code.plan.class_mix) == (0.1, "balanced")
    assert (ancestor.num_blocks, ancestor.plan.optimizer, ancestor.plan.learning_rate) == (
        None,
        "adam",
        1e-3,
    )
    assert (ancestor.plan.batch, ancestor.scales, ancestor.decision) == (64, False, "vote")
    assert ancestor.widths_for(31) == (128, 32)
    assert ancestor.widths_for(32) == (256, 128)


def test_zero_blocks_means_all() -> None:
    recipe = recipe_of(TrainClassifierSettings(preset="paper", num_blocks=0, num_members=4))

    assert (recipe.num_blocks, recipe.num_members) == (None, 4)
    assert recipe_of(TrainClassifierSettings(num_blocks=0)).for_blocks(6).num_blocks is None


@pytest.mark.parametrize(("total", "wanted"), [(5, 3), (6, 3), (7, 4), (11, 6)])
def test_the_default_reads_the_later_half_of_the_blocks(total: int, wanted: int) -> None:
    assert recipe_of(TrainClassifierSettings()).for_blocks(total).num_blocks == wanted
    given = TrainClassifierSettings(num_blocks=2)
    assert recipe_of(given).for_blocks(total).num_blocks == 2
    paper = TrainClassifierSettings(preset="paper")
    assert recipe_of(paper).for_blocks(total).num_blocks == 5


def test_label_smoothing_and_noise_change_what_is_fitted() -> None:
    weights = []
    for smoothing, noise in ((0.0, 0.0), (0.1, 0.0), (0.0, 0.1)):
        plan = FittingPlan(3, 64, "sgd", 0.1, label_smoothing=smoothing, feature_noise=noise)
        state = new_fitting(PixelClassifier(SHAPE), plan)
        list(fit_classifier(state, plan, separable, separable(99, members=1)))
        weights.append(state.classifier.get_parameter("weight2").detach().numpy())

    assert not np.allclose(weights[0], weights[1])
    assert not np.allclose(weights[0], weights[2])
