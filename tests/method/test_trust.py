"""Numbers of trust over several images, against the same numbers of all pixels together."""

import math

import numpy as np
import pytest
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from hdgan.class_map import UNLABELLED
from hdgan.method.error_detection import steps_of
from hdgan.method.trust import ALL, DIVERGENCE, UNSURENESS, Judged, MarginChoice, TrustTally
from hdgan.method.trust_scores import Trust

NAMES = ["glass", "tubule", "artery"]


def judged(seed: int, side: int = 24, *, has_members: bool = True) -> Judged:
    """A blurred truth, a prediction that is like it, and some unlabelled rows."""
    random = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(random.normal(size=(2, 3, side, side)), (0, 0, 2, 2)) * 12
    truth = noise[0].argmax(axis=0).astype(np.uint8)
    truth[:2] = UNLABELLED
    logits = noise[0] + 0.6 * noise[1]
    odds = np.exp(logits)
    probabilities = (odds / odds.sum(axis=0)).astype(np.float32)
    predicted = probabilities.argmax(axis=0).astype(np.uint8)
    divergence = random.random((side, side)).astype(np.float32) if has_members else None
    return Judged(truth, predicted, probabilities, divergence)


def trust_of(images: list[Judged], choice: MarginChoice | None = None) -> Trust:
    tally = TrustTally(NAMES, choice or MarginChoice())
    for i, image in enumerate(images):
        tally.add(image, f"tile{i}")
    return tally.trust()


def labelled(images: list[Judged]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Truth, prediction, probabilities and divergence of all labelled pixels."""
    known = [image.truth != UNLABELLED for image in images]
    pairs = list(zip(images, known, strict=True))
    return (
        np.concatenate([image.truth[mask] for image, mask in pairs]),
        np.concatenate([image.predicted[mask] for image, mask in pairs]),
        np.concatenate([image.probabilities[:, mask] for image, mask in pairs], axis=1),
        np.concatenate(
            [image.divergence[mask] for image, mask in pairs if image.divergence is not None]
        ),
    )


def test_detection_is_that_of_all_labelled_pixels_together() -> None:
    images = [judged(seed) for seed in range(3)]
    truth, predicted, probabilities, divergence = labelled(images)
    is_wrong = truth != predicted

    found = {(row.measure, row.name): row for row in trust_of(images).detection}

    for measure, values in ((UNSURENESS, 1 - probabilities.max(axis=0)), (DIVERGENCE, divergence)):
        steps = steps_of(values)
        assert found[measure, ALL].auroc == pytest.approx(roc_auc_score(is_wrong, steps))
        assert found[measure, ALL].wrong == is_wrong.sum()
        here = predicted == 1
        by_class = roc_auc_score(is_wrong[here], steps[here])
        assert found[measure, NAMES[1]].auroc == pytest.approx(by_class)
        assert found[measure, NAMES[1]].pixels == here.sum()


def test_calibration_is_that_of_all_labelled_pixels_together() -> None:
    images = [judged(seed) for seed in range(3)]
    truth, predicted, probabilities, _ = labelled(images)

    rows = {row.name: row for row in trust_of(images).calibration}

    assert list(rows) == [*NAMES, ALL]
    assert sum(row.pixels for row in rows["artery"].bins) == truth.size
    assert rows["artery"].true_pixels == (truth == 2).sum()
    assert rows[ALL].true_pixels == (truth == predicted).sum()
    last = rows["artery"].bins[-1]
    inside = probabilities[2] >= 14 / 15
    assert last.pixels == inside.sum()
    assert last.said == pytest.approx(probabilities[2][inside].mean())
    assert last.true == pytest.approx((truth[inside] == 2).mean())


def test_risk_at_full_coverage_is_the_part_that_is_wrong() -> None:
    images = [judged(seed) for seed in range(2)]
    truth, predicted, *_ = labelled(images)

    curves = trust_of(images).risk

    assert [curve.measure for curve in curves] == [DIVERGENCE, UNSURENESS]
    for curve in curves:
        assert curve.risk[-1] == pytest.approx((truth != predicted).mean())
        assert curve.least_area <= curve.area


def test_what_is_random_tells_nothing_and_what_knows_tells_something() -> None:
    rows = {
        (row.measure, row.name): row
        for row in trust_of([judged(seed) for seed in range(9)]).detection
    }

    random, sure = rows[DIVERGENCE, ALL].auroc, rows[UNSURENESS, ALL].auroc
    assert random is not None
    assert sure is not None
    assert random == pytest.approx(0.5, abs=0.05)
    assert sure > 0.7


def test_without_members_there_is_no_divergence() -> None:
    trust = trust_of([judged(0, has_members=False)])

    assert {row.measure for row in trust.detection} == {UNSURENESS}


def test_margins_need_nine_tiles_and_then_cover_nine_of_ten() -> None:
    images = [judged(seed) for seed in range(12)]

    few = trust_of(images[:8]).margins
    enough = trust_of(images).margins

    assert few[0].px is None
    assert few[0].why_not == "too few calibration units: 8, needed 9"
    for tissue, margin in enumerate(enough):
        assert margin.px is not None
        covered = [_covered(image, tissue, margin.px) for image in images]
        assert sum(part >= 0.99 for part in covered) >= math.ceil(13 * 0.9)
        assert margin.units == len(images)
        assert margin.why_not == ""


def _covered(image: Judged, tissue: int, margin: int) -> float:
    """The part of a true region within the margin of the predicted one."""
    distances = ndimage.distance_transform_edt(image.predicted != tissue)
    return float((distances[image.truth == tissue] <= margin).mean())


def test_the_tiles_of_a_patient_are_one_unit() -> None:
    tally = TrustTally(NAMES, MarginChoice(unit="patient"))
    for seed in range(12):
        tally.add(judged(seed), f"patient{seed % 4}")

    margin = tally.trust().margins[0]

    assert (margin.unit, margin.units) == ("patient", 4)
    assert margin.why_not == "too few calibration units: 4, needed 9"


def test_a_class_that_is_lost_in_many_tiles_has_no_margin() -> None:
    images = []
    for seed in range(9):
        image = judged(seed)
        lost = np.where(image.predicted == 2, np.uint8(0), image.predicted).astype(np.uint8)
        images.append(Judged(image.truth, lost, image.probabilities))

    margin = trust_of(images).margins[2]

    assert margin.px is None
    assert "in 9 of 9 tiles" in margin.why_not


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    images = [judged(seed) for seed in range(2)]
    whole = trust_of(images)

    monkeypatch.setattr("hdgan.method.trust.CHUNK", 100)

    parts = trust_of(images)
    assert parts.detection == whole.detection
    assert parts.calibration[0].expected_error == pytest.approx(whole.calibration[0].expected_error)
