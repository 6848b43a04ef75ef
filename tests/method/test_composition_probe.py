"""What a drawing will hold, guessed before it is drawn."""

import numpy as np
import pytest

from hdgan.method.coarse_look import LEAST_SPREAD, PENALTIES, Pilot, Probe, fitted_guess


def pilot_of_random(num_images: int = 40, num_inputs: int = 6) -> Pilot:
    """Roots of shares that are linear in w and in the looks, with a little noise."""
    random = np.random.default_rng(0)
    w = random.normal(size=(num_images, num_inputs)).astype(np.float32)
    roots = 0.5 + w[:, :2] * [0.1, -0.05] + random.normal(scale=0.03, size=(num_images, 2))
    return Pilot(w, w.astype(np.float64) * 3 + 1, np.clip(roots, 0, 1) ** 2)


def ridge(
    inputs: np.ndarray, roots: np.ndarray, penalty: float, mean: np.ndarray, scale: np.ndarray
) -> tuple[np.ndarray, float]:
    """Weights on scaled inputs, and a constant, by the normal equations."""
    scaled = (inputs - mean) / scale
    centred = scaled - scaled.mean(axis=0)
    matrix = centred.T @ centred + penalty * np.eye(scaled.shape[1])
    weights = np.linalg.solve(matrix, centred.T @ (roots - roots.mean()))
    return weights, float(roots.mean() - scaled.mean(axis=0) @ weights)


def test_the_error_is_that_of_leaving_out_each_image_once() -> None:
    pilot = pilot_of_random()
    roots, scale = np.sqrt(pilot.shares), pilot.looks.std(axis=0) * np.sqrt(pilot.looks.shape[1])
    mean = pilot.looks.mean(axis=0)

    guess = fitted_guess(pilot.looks, pilot.shares)

    for k in range(2):
        errors, fits = [], []
        for penalty in PENALTIES:
            missed = []
            for i in range(len(roots)):
                others = np.arange(len(roots)) != i
                weights, constant = ridge(
                    pilot.looks[others], roots[others, k], penalty, mean, scale
                )
                missed.append(roots[i, k] - ((pilot.looks[i] - mean) / scale) @ weights - constant)
            errors.append(np.sqrt(np.mean(np.square(missed))))
            fits.append(ridge(pilot.looks, roots[:, k], penalty, mean, scale)[0])
        assert guess.spread[k] == pytest.approx(min(errors), rel=1e-6)
        assert guess.weight[:, k] == pytest.approx(fits[int(np.argmin(errors))], abs=1e-9)


def test_a_class_that_the_pilot_never_shows_is_not_guessed_without_error() -> None:
    pilot = pilot_of_random()
    shares = np.hstack([pilot.shares, np.zeros((len(pilot.w), 1))])

    guess = fitted_guess(pilot.w, shares)

    assert guess.spread[2] == LEAST_SPREAD
    assert np.array_equal(guess.roots(pilot.w)[:, 2], np.zeros(len(pilot.w)))


def test_an_input_that_never_changes_is_left_out() -> None:
    pilot = pilot_of_random()
    constant = np.hstack([pilot.looks, np.full((len(pilot.w), 1), 7.0)])

    guess = fitted_guess(constant, pilot.shares)

    assert np.array_equal(guess.weight[-1], np.zeros(2))


def test_a_probe_comes_back_from_its_tensors() -> None:
    pilot = pilot_of_random()
    probe = Probe.fit(pilot)

    back = Probe.of(probe.tensors())

    assert np.array_equal(back.look.roots(pilot.looks), probe.look.roots(pilot.looks))
    assert np.array_equal(back.glance.roots(pilot.w), probe.glance.roots(pilot.w))
    assert np.array_equal(back.centre, probe.centre)
    assert back.reach == probe.reach
    assert np.array_equal(back.natural, pilot.shares.mean(axis=0))


def test_parts_of_a_pilot_are_as_good_as_the_whole() -> None:
    pilot = pilot_of_random()
    parts = [
        Pilot(pilot.w[rows], pilot.looks[rows], pilot.shares[rows])
        for rows in (slice(0, 15), slice(15, 40))
    ]

    joined = Pilot.joined(parts)

    for name, tensor in Probe.fit(pilot).tensors().items():
        assert np.array_equal(Probe.fit(joined).tensors()[name], tensor), name


def test_ordinary_latents_are_within_reach() -> None:
    pilot = pilot_of_random(num_images=200)

    probe = Probe.fit(pilot)

    far = np.linalg.norm(pilot.w - pilot.w.mean(axis=0), axis=1)
    assert 0.94 <= (far <= probe.reach).mean() <= 0.96


def test_a_pilot_of_one_image_teaches_nothing() -> None:
    with pytest.raises(ValueError, match="a pilot of 1 images"):
        Probe.fit(pilot_of_random(num_images=1))
