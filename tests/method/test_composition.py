"""Pairs that hold at least so much of a class."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Float
from torch import Tensor

from hdgan.errors import SettingsError
from hdgan.method.coarse_look import Pilot, Probe, pilot_of, shares_of
from hdgan.method.composition import Finder, Found, SearchChoices
from hdgan.method.composition_candidates import candidate_w, crossed
from hdgan.method.composition_wanted import Wanted, check_wanted, has_wanted
from hdgan.method.features import channels_of, image_and_features
from hdgan.method.label_image import label_image_plainly
from hdgan.method.labelled_drawing import LabelledDrawing, LabelledGenerator
from hdgan.method.latent import w_of
from hdgan.method.pixel_classifier import ClassifierShape, PixelClassifier
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator, Noise

SHAPE = NetworkShape(32, 256, 8, z_dim=16, w_dim=16, mapping_layers=2)
NUM_CLASSES = 4
RARE, COMMON = 0, 1
"""Of the first, images hold 0.3 per cent on the average, and most of them hardly any."""

WANTED: Wanted = {RARE: 0.02}
RARELY = 0.035
"""A share of which hardly any image has as much."""

FEW = SearchChoices(most_glances=128, most_looks=32, most_draws=8)

PAIRS = range(40, 46)


def ensemble(num_channels: int) -> PixelClassifier:
    """Two members whose random weights tell classes apart."""
    shape = ClassifierShape(num_channels, NUM_CLASSES, 2, widths=(8, 6), num_normalised=0)
    classifier = PixelClassifier(shape, seed=3).eval()
    with torch.no_grad():
        for i in range(3):
            classifier.get_parameter(f"weight{i}").mul_(4.0)
    return classifier


@pytest.fixture(scope="module")
def labelled() -> LabelledGenerator:
    torch.manual_seed(0)
    generator = Generator(SHAPE).eval().requires_grad_(requires_grad=False)
    return LabelledGenerator(generator, ensemble(channels_of(SHAPE, None)), None)


@pytest.fixture(scope="module")
def pilot(labelled: LabelledGenerator) -> Pilot:
    return pilot_of(labelled, range(1000, 1064), 0.7, num_classes=NUM_CLASSES)


@pytest.fixture(scope="module")
def probe(pilot: Pilot) -> Probe:
    return Probe.fit(pilot)


class Counting(LabelledGenerator):
    """Counts what it draws."""

    num_drawn = 0

    def bands(
        self, w: Float[Tensor, "1 w_dim"], noise: Noise | None = None
    ) -> Iterator[LabelledDrawing]:
        self.num_drawn += 1
        yield from super().bands(w, noise)


def same(one: Found, other: Found) -> bool:
    """Whether two ways led to the same pair by the same steps."""
    numbers = [(found.way, found.glances, found.looks, found.draws) for found in (one, other)]
    return (
        numbers[0] == numbers[1]
        and bool((one.w == other.w).all())
        and bool((one.shares == other.shares).all())
    )


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        ({}, "No class is wanted"),
        ({4: 0.1}, "Class 4 is wanted, but there are 4 classes"),
        ({-1: 0.1}, "Class -1 is wanted"),
        ({0: 0.0}, "A share of 0 is wanted"),
        ({0: 1.5}, "A share of 1.5 is wanted"),
        ({0: float("nan")}, "A share of nan is wanted"),
        ({0: 0.6, 1: 0.5}, "1.1 of an image together"),
    ],
)
def test_what_no_image_can_hold_is_refused(wanted: Wanted, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        check_wanted(wanted, 4)


def test_shares_that_fill_an_image_exactly_are_no_mistake() -> None:
    wanted = dict.fromkeys(range(10), 0.1)

    check_wanted(wanted, 10)

    assert has_wanted(np.full(10, 0.1), wanted)


def test_no_draw_at_all_is_refused() -> None:
    with pytest.raises(SettingsError, match="--most-draws is 0"):
        SearchChoices(most_draws=0)


def test_an_image_that_has_enough_is_the_one_that_is_drawn_without_a_wish(
    labelled: LabelledGenerator, probe: Probe
) -> None:
    finder = Finder(labelled, probe, {COMMON: 0.01}, SearchChoices(truncation=0.6))

    found = finder.found(7)

    assert (found.way, found.glances, found.looks, found.draws) == ("first", 0, 0, 1)
    assert torch.equal(found.w, w_of(labelled.generator, 7, 0.6))
    assert found.drawing is not None
    assert np.array_equal(found.drawing.labels, labelled.drawing(found.w).labels)


def test_what_is_kept_has_enough_by_the_plain_way_to_a_label_map(
    labelled: LabelledGenerator, probe: Probe
) -> None:
    finder = Finder(labelled, probe, WANTED, FEW)

    kept = [found for found in map(finder.found, PAIRS) if found.way != "missed"]

    assert {found.way for found in kept} >= {"rejection"}
    for found in kept:
        _, pyramid = image_and_features(labelled.generator, found.w, None)
        plain = label_image_plainly(pyramid, ensemble(channels_of(SHAPE, None))).labels
        # A pixel on the edge of two classes may fall to either side by rounding.
        assert (plain == RARE).mean() >= WANTED[RARE] - 2 / plain.size


def test_a_pair_depends_neither_on_others_nor_on_who_finds_it(
    labelled: LabelledGenerator, probe: Probe
) -> None:
    here = Finder(labelled, probe, WANTED, FEW)
    there = Finder(labelled, Probe.of(probe.tensors()), WANTED, FEW)

    forwards = [here.found(seed) for seed in PAIRS]
    backwards = [there.found(seed) for seed in reversed(PAIRS)]

    assert all(map(same, forwards, reversed(backwards)))
    assert len({found.w.numpy().tobytes() for found in forwards}) == len(PAIRS)


def test_without_its_drawing_the_same_pair_is_found(
    labelled: LabelledGenerator, probe: Probe
) -> None:
    keeping = Finder(labelled, probe, WANTED, FEW)
    streaming = Finder(labelled, probe, WANTED, FEW, keep_drawing=False)

    for seed in PAIRS[:4]:
        found = streaming.found(seed)

        assert found.drawing is None
        assert same(found, keeping.found(seed))


@pytest.mark.parametrize("search", [True, False])
def test_what_cannot_be_had_is_missed_within_the_budget(probe: Probe, *, search: bool) -> None:
    torch.manual_seed(0)
    counting = Counting(
        Generator(SHAPE).eval().requires_grad_(requires_grad=False),
        ensemble(channels_of(SHAPE, None)),
        None,
    )
    choices = replace(FEW, search=search, most_looks=32, most_draws=4)

    found = Finder(counting, probe, {RARE: 0.99}, choices).found(3)

    assert (found.way, found.drawing) == ("missed", None)
    assert found.glances == choices.most_glances
    assert found.draws == counting.num_drawn <= (8 if search else 4)
    assert found.looks == (64 if search else 32)
    assert found.shares[RARE] == pytest.approx((counting.drawing(found.w).labels == RARE).mean())


def test_the_search_finds_pairs_that_no_candidate_is(
    labelled: LabelledGenerator, probe: Probe
) -> None:
    few = SearchChoices(most_glances=96, most_looks=96, most_draws=6)
    wanted = {RARE: RARELY}
    searching = Finder(labelled, probe, wanted, few)
    rejecting = Finder(labelled, probe, wanted, replace(few, search=False))

    ways = [(searching.found(seed), rejecting.found(seed)) for seed in (41, 43)]

    by_search = [pair for pair in ways if pair[0].way == "search"]
    assert by_search
    for found, without in by_search:
        assert without.way == "missed"
        assert found.shares[RARE] >= RARELY > without.shares[RARE]
        assert np.linalg.norm(found.w[0].numpy() - probe.centre) <= probe.reach * (1 + 1e-5)
    assert all(same(*pair) for pair in ways if pair[1].way != "missed")


def test_the_probe_saves_draws(labelled: LabelledGenerator, probe: Probe) -> None:
    finder = Finder(labelled, probe, WANTED, FEW)
    natural = [
        (labelled.drawing(w_of(labelled.generator, seed, 0.7)).labels == RARE).mean()
        for seed in range(5000, 5060)
    ]

    found = [finder.found(seed) for seed in PAIRS]

    kept = sum(one.way != "missed" for one in found)
    plain = len(natural) / max(1, sum(bool(share >= WANTED[RARE]) for share in natural))
    assert kept == len(PAIRS)
    assert sum(one.draws for one in found) / kept < plain / 3


def test_a_large_drawing_is_counted_band_by_band_without_being_whole() -> None:
    torch.manual_seed(0)
    shape = NetworkShape(512, 512, 4, z_dim=8, w_dim=8, mapping_layers=1)
    large = LabelledGenerator(
        Generator(shape).eval().requires_grad_(requires_grad=False),
        ensemble(channels_of(shape, 2)),
        2,
    )
    w = w_of(large.generator, 1, 0.7)
    num_bands = sum(1 for _ in large.bands(w))

    shares = shares_of(large, w, NUM_CLASSES)

    labels = large.drawing(w).labels
    assert num_bands > 1
    assert shares == pytest.approx([(labels == place).mean() for place in range(NUM_CLASSES)])


def test_classes_that_objects_vote_on_are_counted_after_the_vote(
    labelled: LabelledGenerator,
) -> None:
    classifier = ensemble(channels_of(SHAPE, None))
    voting = LabelledGenerator(labelled.generator, classifier, None, by_object=(1, 3))
    w = w_of(labelled.generator, 1, 0.7)

    shares = shares_of(voting, w, NUM_CLASSES)

    voted = [(voting.drawing(w).labels == place).mean() for place in range(NUM_CLASSES)]
    assert shares == pytest.approx(voted)
    assert shares != pytest.approx(shares_of(labelled, w, NUM_CLASSES))


def test_seeds_that_torch_takes_for_one_have_candidates_of_their_own(
    labelled: LabelledGenerator,
) -> None:
    generator, alike = labelled.generator, 40 + 2**32
    assert torch.equal(w_of(generator, 40, 1.0), w_of(generator, alike, 1.0))

    own, others = (
        [candidate_w(generator, seed, number, 1.0) for number in (1, 2)] for seed in (40, alike)
    )

    latents = torch.cat([*own, *others, w_of(generator, 40, 1.0)])
    assert torch.pdist(latents).min() > 0.1


def test_all_candidates_have_the_stain_of_their_pair() -> None:
    torch.manual_seed(0)
    generator = Generator(replace(SHAPE, stains=("he", "pas"))).eval()

    asked = candidate_w(generator, 5, 3, 0.7, "pas")

    z = torch.from_numpy(np.random.default_rng([5, 3, 3]).standard_normal((1, 16))).float()
    with torch.no_grad():
        own = generator.mapping(z, torch.tensor([1]))
    assert torch.equal(asked, generator.mapping.truncated(own, 0.7))
    assert torch.equal(candidate_w(generator, 5, 0, 0.7, "pas"), w_of(generator, 5, 0.7, "pas"))


@given(seed=st.integers(0, 10**6), num_parents=st.integers(1, 6), reach=st.floats(0.5, 8.0))
def test_no_child_lies_out_of_reach(seed: int, num_parents: int, reach: float) -> None:
    random = np.random.default_rng(seed)
    latents = torch.from_numpy(random.normal(size=(num_parents, 1, 16))).float()
    centre = torch.from_numpy(random.normal(size=16)).float()

    child = crossed(list(latents), centre, reach, random)

    assert float((child - centre).norm()) <= reach * (1 + 1e-5)
