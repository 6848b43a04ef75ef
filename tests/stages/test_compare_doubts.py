"""What makes a comparison doubtful."""

from hdgan.stages.compare.doubts import doubts


def test_a_network_that_gains_nothing_from_more_labels_is_doubtful() -> None:
    (said,) = doubts({("supervised", 4): 0.432, ("all-labels", None): 0.437})

    assert "reaches 43.7, with 4 of them 43.2" in said
    assert "--steps" in said


def test_an_arm_far_above_the_ceiling_is_doubtful() -> None:
    scores = {("supervised", 4): 0.40, ("random-forest", 16): 0.99, ("all-labels", None): 0.45}

    (said,) = doubts(scores)

    assert "16 labels is 54.0 points better" in said


def test_a_comparison_with_a_ceiling_above_all_arms_is_not_doubtful() -> None:
    scores = {("supervised", 4): 0.60, ("hdgan", 4): 0.70, ("all-labels", None): 0.80}

    assert doubts(scores) == []


def test_without_a_ceiling_nothing_is_said() -> None:
    assert doubts({("supervised", 4): 0.1, ("random-forest", 4): 0.9}) == []
