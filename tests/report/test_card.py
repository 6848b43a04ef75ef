"""The card of a pair set: what it says of what is known, and of what is not."""

import re
from typing import Any

import numpy as np
import pytest

from hdgan.artifacts.shipped_generator import CardWords
from hdgan.class_map import ClassMap, TissueClass
from hdgan.report.card import dataset_card
from hdgan.report.card_losses import losses_text, lost_classes
from hdgan.report.card_tables import escaped, histogram_text, number, percent
from hdgan.report.card_words import licence_text
from hdgan.stages.synthesize.describing import checks_of, uncertainty_histogram

OLD: dict[str, Any] = {
    "num_drawn": 10,
    "num_kept": 9,
    "num_dropped": 1,
    "least_uncertainty_dropped_nats": 0.25,
    "largest_uncertainty_nats": 1.0986,
    "side_px": 16,
    "ending": "png",
    "truncation": 0.7,
    "share_of_pixels": {"tubule": 0.966, "arteriole": 0.034},
}
"""What an earlier version wrote."""

COMPOSITION = {
    "wanted": {"arteriole": 0.03},
    "natural_share": {"tubule": 0.997, "arteriole": 0.003},
    "num_pilot": 128,
    "num_missed": 1,
    "draws_per_kept_pair": 14.2,
    "looks_per_kept_pair": 310.0,
    "by_way": {"first": 1, "rejection": 5, "search": 3},
}

ANNOTATION = {
    "digest": "f" * 64,
    "of": "sample-set",
    "tiles": 20,
    "splits": {"training": 16, "validation": 4, "test": 0},
    "annotators": ["Ada | Eva"],
    "minutes": 95.0,
    "tiles_with_minutes": 19,
    "share_of_pixels": {"tubule": 0.99, "arteriole": 0.01},
    "share_unlabelled": 0.02,
}

REAL_TILES = {
    "tiles": 812,
    "encoder": "squeezenet",
    "min_realism": 0.9,
    "num_outside": 1,
    "nearest": [{"pair": "p0000003", "tile": "t1", "distance": 1.5}],
    "median_distance": 3.0,
    "median_distance_of_held_out": 4.0,
}

QUALITY = {
    "digest": "e" * 64,
    "of": "sample-set",
    "images": 16,
    "dice": {"tubule": 0.95, "arteriole": None},
    "macro_dice": 0.95,
    "definition": "Dice[macro, pooled]: the mean of the classes that occur",
}

CLASSES = ClassMap((TissueClass("tubule", "#56b4e9"), TissueClass("arteriole", "#e69f00")))


def checks(share: float, num_annotated: int = 6, side: int = 16) -> dict[str, Any]:
    """Of ten label maps with arterioles in about this part of the pixels, against rarer ones."""
    random = np.random.default_rng(0)

    def pair(part: float, width: int) -> tuple[Any, Any]:
        labels = (random.random((width, width)) < part).astype(np.uint8)
        return np.stack([labels * 100] * 3, axis=-1), labels

    return checks_of(
        [pair(share, 16) for _ in range(10)],
        [pair(0.02, side) for _ in range(num_annotated)],
        CLASSES,
    )


def whole_card(**more: object) -> str:
    known = {
        "images_with_class": {"tubule": 9, "arteriole": 8},
        "uncertainty_histogram": uncertainty_histogram(
            np.linspace(0.01, 0.3, 10), np.arange(10) < 9, 1.0986
        ),
        "licence": "CC-BY-4.0",
        "noise_draws": 1,
        "max_uncertainty_nats": None,
        "composition": None,
        "real_tiles": REAL_TILES,
        "annotation": ANNOTATION,
        "checks": checks(0.02),
    }
    return dataset_card(OLD | known | more, {"generator": "a" * 64})


def chapter(card: str, heading: str) -> str:
    return card.split(f"## {heading}\n")[1].split("\n## ")[0]


def test_what_an_earlier_version_did_not_write_is_said_not_to_be_known() -> None:
    card = dataset_card(OLD, {"generator": "a" * 64})

    assert "None" not in card
    assert "`hdgan synthesize --annotations FOLDER` names them when" in chapter(
        card, "Who annotated"
    )
    assert "Not compared" in chapter(card, "Compared with annotated label maps")
    assert "Not looked for" in chapter(card, "Nearest training tiles")
    assert "Not stated by its maker" in chapter(card, "Licence")
    assert "pairs.csv" in chapter(card, "Uncertainty")
    assert "- Not known: how good the labels are; who annotated" in chapter(card, "Known limits")


def test_a_key_that_is_none_is_as_one_that_is_absent() -> None:
    keys = ("checks", "annotation", "composition", "real_tiles", "licence", "images_with_class")
    new = ("labels_quality", "share_of_pixels_drawn", "images_with_1_percent")
    nothing = dict.fromkeys((*keys, *new, "uncertainty_histogram", "noise_draws"))

    assert dataset_card(OLD | nothing, {}) == dataset_card(OLD, {})


def test_a_changed_composition_stands_at_the_top() -> None:
    card = whole_card(composition=COMPOSITION)

    top = card.split("## Files")[0]
    assert "**These pairs were selected" in top
    assert "Every pair has at least 3.00 % arteriole, by its label map" in top
    assert "128 pairs drawn without selection, 0.30 % are arteriole; here 3.40 % are" in top
    assert "For each kept pair, 14.2 drawings were made" in top
    assert "the 128 drawings without selection come on top" in top
    assert "Do not read frequencies from this dataset" in top
    assert "| arteriole | 3.40 % | 8 of 9 | 0.30 % | 1.00 % |" in card
    assert "areas have to differ" in chapter(card, "Compared with annotated label maps")
    assert "frequencies here are not those" in chapter(card, "Known limits")
    assert "selected" not in whole_card()


def test_every_pair_that_is_missing_has_a_reason() -> None:
    about = {
        "num_drawn": 20,
        "num_dropped": 6,
        "composition": COMPOSITION | {"num_missed": 3},
        "real_tiles": REAL_TILES | {"num_outside": 2},
        "max_uncertainty_nats": 0.5,
    }

    said = chapter(whole_card(**about), "What is in it")

    assert "Of 20 pairs drawn at truncation 0.7, the 6 most uncertain were dropped" in said
    assert "none above 0.5 nats is kept" in said
    assert "2 outside the range of the real tiles" in said
    assert "3 without the wanted composition" in said


def test_drawings_of_one_latent_are_to_stay_in_one_split() -> None:
    assert "keep them in one split" in whole_card(noise_draws=3)
    assert "keep them in one split" not in whole_card(noise_draws=1)


def test_who_annotated_and_for_how_long() -> None:
    said = chapter(whole_card(), "Who annotated")

    assert "fitted to 16 annotated drawings of the generator (4 validation, 20 in all)" in said
    assert r"Annotated by Ada \| Eva." in said
    assert "95 minutes in all, 5 a drawing (known of 19 of the 20)" in said
    assert "Of the pixels of all 20, 2.00 % are unlabelled" in said


def test_an_annotator_who_is_not_named_is_not_made_up() -> None:
    unnamed = ANNOTATION | {"annotators": [], "minutes": None, "tiles_with_minutes": 0}

    said = chapter(whole_card(annotation=unnamed), "Who annotated")

    assert "Nobody is named as their annotator" in said
    assert "How long it took is not known" in said


def test_nearest_tiles_are_shown_with_what_their_distance_means() -> None:
    said = chapter(whole_card(), "Nearest training tiles")

    assert "](nearest.png)" in said
    assert "812 training tiles" in said
    assert "ratio 0.75" in said
    assert "Pairs with a realism below 0.9 were left out: 1" in said
    assert "| `nearest.png` |" in whole_card()
    assert "nearest.png" not in whole_card(real_tiles=None)


def test_a_summary_of_nearest_tiles_may_lie_in_one_place_or_two() -> None:
    medians = {key: REAL_TILES[key] for key in ("median_distance", "median_distance_of_held_out")}
    apart = {key: value for key, value in REAL_TILES.items() if key not in medians}
    apart["nearest"] = {"nearest": REAL_TILES["nearest"], **medians}

    assert whole_card(real_tiles=apart) == whole_card()


def test_a_difference_by_chance_is_not_called_one() -> None:
    said = chapter(whole_card(), "Compared with annotated label maps")

    assert "10 label maps of this dataset against 6 annotated ones" in said
    assert re.search(r"\| arteriole \| area share \|.*\| not shown with so few \|", said)
    assert re.search(r"would have to be off by \d\.\d\d points before it showed", said)


def test_a_difference_beyond_chance_is_a_known_limit() -> None:
    card = whole_card(checks=checks(0.3))

    said = chapter(card, "Compared with annotated label maps")
    assert re.search(r"\| arteriole \| area share \|.*\| \*\*yes\*\* \|", said)
    assert "before it showed" not in said
    limits = chapter(card, "Known limits")
    assert re.search(r"more than chance in: .*arteriole \(area share", limits)


def test_label_maps_of_another_size_are_compared_by_shares_alone() -> None:
    said = chapter(whole_card(checks=checks(0.02, side=24)), "Compared with annotated label maps")

    assert "not all of one size" in said
    assert "component size" not in said


def test_without_annotations_the_speckles_are_said_all_the_same() -> None:
    said = chapter(
        whole_card(checks=checks(0.02, num_annotated=0)), "Compared with annotated label maps"
    )

    assert "10 label maps of this dataset and 0 annotated ones" in said
    assert re.search(r"Speckle index of this dataset: [\d,]+ regions under 30 px", said)


def test_labels_on_edges_are_compared_with_shifted_ones() -> None:
    said = chapter(whole_card(), "Do the labels lie on the edges of the image?")

    assert re.search(r"\| here \| 10 \| 0\.\d{3} \| 0\.\d{3} \|", said)
    assert "| annotated | 6 |" in said


def edges(here: float, annotated: float | None) -> dict[str, Any]:
    """Of labels that lie so far above shifted ones, each by a hundredth or so."""
    of = [
        None
        if above is None
        else {
            "images": 36,
            "auc": 0.5 + above,
            "auc_shifted": 0.5,
            "above_shifted_standard_error": 0.01,
            "shift_px": 8,
        }
        for above in (here, annotated)
    ]
    found: dict[str, Any] = checks(0.02)
    return found | {"edge_alignment": dict(zip(("synthetic", "annotated"), of, strict=True))}


@pytest.mark.parametrize(
    ("here", "annotated", "verdict", "limit"),
    [
        (0.044, 0.127, "less exact than annotated ones", "less exactly on edges of the image"),
        (0.126, 0.127, "not shown with so few", None),
        (0.2, 0.127, "more closely than annotated ones do", None),
        (0.015, 0.127, "no better than shifted ones", "no better than shifted ones"),
        (0.015, None, "no better than shifted ones", "no better than shifted ones"),
        (0.126, None, "0.126 above shifted ones", None),
    ],
)
def test_what_the_edges_mean_is_said(
    here: float, annotated: float | None, verdict: str, limit: str | None
) -> None:
    card = whole_card(checks=edges(here, annotated))

    limits = chapter(card, "Known limits")
    assert verdict in chapter(card, "Do the labels lie on the edges of the image?")
    assert ("edges of the image" in limits) == (limit is not None)
    assert limit is None or limit in limits


def test_classes_that_dropping_made_rarer_are_named_with_the_reason() -> None:
    about = {"share_of_pixels_drawn": {"tubule": 0.95, "arteriole": 0.05}}

    card = whole_card(**about)

    said = chapter(card, "What is in it")
    assert "rarer** (part of the pixels before -> after): arteriole 5.00 % -> 3.40 %." in said
    assert "The most uncertain pairs are dropped first" in said
    assert "| as drawn, before dropping |" in said
    assert "| arteriole | 3.40 % | 8 of 9 | 5.00 % | 1.00 % |" in said
    assert "arteriole 5.00 % -> 3.40 % of the pixels" in chapter(card, "Known limits")


def test_a_class_is_lost_that_loses_more_than_a_quarter() -> None:
    drawn = {"a": 0.4, "b": 0.4, "c": 0.2}
    kept = {"a": 0.31, "b": 0.29, "c": 0.4}
    about = OLD | {"share_of_pixels": kept, "share_of_pixels_drawn": drawn}

    assert lost_classes(about) == {"b": (0.4, 0.29)}
    assert lost_classes(about | {"num_kept": 0}) == {}
    assert lost_classes(OLD) == {}


def test_a_small_loss_is_called_one() -> None:
    drawn = {"tubule": 0.964, "arteriole": 0.036}

    said = losses_text(OLD | {"share_of_pixels_drawn": drawn})

    assert said is not None
    assert "no class more than a quarter" in said
    assert "(most from arteriole 3.60 % -> 3.40 %)" in said


def test_where_nothing_was_dropped_no_loss_is_told() -> None:
    drawn = {"share_of_pixels_drawn": OLD["share_of_pixels"]}
    missed = drawn | {"num_dropped": 0, "composition": COMPOSITION}

    assert losses_text(OLD) is None
    assert losses_text(OLD | drawn | {"num_kept": 10, "num_dropped": 0}) is None
    assert losses_text(OLD | missed) is None
    assert "before dropping" not in whole_card(**missed)


def test_what_is_left_out_as_unreal_is_not_put_down_to_uncertainty() -> None:
    about = OLD | {"share_of_pixels_drawn": {"tubule": 0.5, "arteriole": 0.5}, "num_dropped": 0}

    said = losses_text(about)

    assert said is not None
    assert said.startswith("**Leaving pairs out made")
    assert "uncertain" not in said


def test_of_a_changed_composition_both_what_was_found_and_what_is_natural_is_told() -> None:
    drawn = {"tubule": 0.965, "arteriole": 0.035}
    about = {"num_drawn": 11, "share_of_pixels_drawn": drawn, "composition": COMPOSITION}

    said = chapter(whole_card(**about), "What is in it")

    assert (
        "| found, before dropping | drawn without selection | in the annotated drawings |" in said
    )
    assert "| arteriole | 3.40 % | 8 of 9 | 3.50 % | 0.30 % | 1.00 % |" in said


def test_images_are_counted_that_have_a_part_of_a_class_worth_the_name() -> None:
    said = chapter(whole_card(images_with_1_percent={"tubule": 9, "arteriole": 3}), "What is in it")

    assert "| images with at least 1 % of it |" in said
    assert "| arteriole | 3.40 % | 3 of 9 |" in said
    assert "if 1 % of its pixels are of it, or more" in said


def test_annotated_tiles_are_not_called_drawings() -> None:
    card = whole_card(annotation=ANNOTATION | {"of": "tile-set", "splits": {}})

    assert "in the annotated tiles" in chapter(card, "What is in it")
    assert "There are 20 annotated tiles of real tissue." in chapter(card, "Who annotated")


def test_how_good_labels_are_is_told_class_by_class() -> None:
    said = chapter(whole_card(labels_quality=QUALITY), "How good are the labels")

    assert "evaluated on 16 annotated drawings that it was not fitted to" in said
    assert "| tubule | 0.950 |" in said
    assert "| arteriole | - |" in said
    assert r"Dice\[macro, pooled\]: the mean of the classes that occur." in said
    card = whole_card(labels_quality=QUALITY)
    assert "how good the labels are" not in card
    assert card.index("## How good are") < card.index("## Compared with")


def test_without_an_evaluation_the_labels_are_not_measured() -> None:
    card = whole_card()

    assert "`hdgan evaluate CLASSIFIER ANNOTATIONS OUTPUT`" in chapter(
        card, "How good are the labels"
    )
    assert "- Not known: how good the labels are." in card


def test_poor_labels_are_a_known_limit() -> None:
    poor = QUALITY | {"dice": {"tubule": 0.95, "arteriole": 0.51}}

    alone = chapter(whole_card(labels_quality=poor), "Known limits")
    wanted = chapter(whole_card(labels_quality=poor, composition=COMPOSITION), "Known limits")

    assert "Labels of arteriole (Dice 0.51) are poor: what is taught" in alone
    assert "a pair may hold less than was asked for" in wanted
    assert "poor" not in whole_card(labels_quality=QUALITY)


def test_a_sample_of_the_pairs_is_called_one() -> None:
    card = whole_card(num_kept=900, num_drawn=1000)

    said = chapter(card, "Compared with annotated label maps")
    assert "10 of the 900 label maps of this dataset, evenly spread, against 6" in said
    assert said.count("| here (10 of 900) |") == 2
    assert "| here (10 of 900) | 10 | 0." in card
    assert "evenly spread, one of a latent, against" in whole_card(num_kept=900, noise_draws=2)


def test_a_statistic_that_no_deal_can_change_is_left_out() -> None:
    """Each map has tubules, in one piece, so both sets are alike however maps are dealt."""
    said = chapter(whole_card(), "Compared with annotated label maps")

    assert "| tubule | area share |" in said
    assert "| tubule | images with a pixel of it |" not in said
    assert "| tubule | components a megapixel |" not in said
    assert re.search(r"\| arteriole \| component size \| median [\d.]+ px \|", said)
    assert "Of 7 statistics, none" in said


def test_how_much_selected_pairs_vary_is_a_known_limit() -> None:
    measured = chapter(whole_card(composition=COMPOSITION), "Known limits")
    unknown = chapter(whole_card(composition=COMPOSITION, checks=None), "Known limits")

    assert re.search(
        r"of the area share: arteriole [\d.]+ % here, [\d.]+ % in the annotated drawings", measured
    )
    assert "how much less was not measured" in unknown
    assert "variety" not in chapter(whole_card(truncation=1.0), "Known limits")


def test_maps_that_look_black_are_said_to() -> None:
    scores = np.linspace(0.005, 0.03, 9)
    dark = uncertainty_histogram(scores, np.ones(9, dtype=bool), 1.0986)
    bright = uncertainty_histogram(scores + 0.9, np.ones(9, dtype=bool), 1.0986)

    said = whole_card(uncertainty_histogram=dark)

    grey = re.search(r"score at most ([\d.]+) nats, which is grey (\d+),", said)
    assert grey is not None
    assert np.median(scores) <= float(grey[1]) <= np.median(scores) + 0.0025
    assert int(grey[2]) == round(float(grey[1]) / 1.0986 * 255)
    assert "black image" not in whole_card(uncertainty_histogram=bright)


def test_of_two_licences_it_is_said_which_is_of_the_pairs() -> None:
    words = dict.fromkeys(CardWords.model_fields, "said") | {"licence": "MIT"}

    card = dataset_card(OLD | {"licence": "CC-BY-4.0"}, {}, CardWords(**words))

    first = chapter(card, "Licence")
    assert "This holds for the pairs, not for the generator" in first
    assert "CC-BY-4.0" in first
    assert card.index("CC-BY-4.0") < card.index("Licence of the generator, not of these pairs: MIT")
    assert "generator" not in chapter(whole_card(), "Licence")


def test_a_class_that_no_pair_has_is_a_known_limit() -> None:
    card = whole_card(images_with_class={"tubule": 9, "arteriole": 0})

    assert "No kept pair has a pixel of arteriole" in chapter(card, "Known limits")


def test_archives_are_said_where_there_are_some() -> None:
    assert "shards/*.zip" in whole_card(in_shards=True)
    assert "shards/*.zip" not in whole_card()


def test_names_with_signs_of_markdown_break_no_table() -> None:
    strange = "a|b\n<script>*"
    card = dataset_card(OLD | {"share_of_pixels": {strange: 1.0}}, {})

    assert r"| a\|b \<script\>\* | 100.00 % |" in card
    assert escaped("proximal_tubule (S1)") == "proximal_tubule (S1)"
    assert licence_text("CC\nBY") == "CC BY"


@pytest.mark.parametrize("more", [{}, {"composition": COMPOSITION}, {"noise_draws": 2}])
def test_every_row_of_a_table_has_the_cells_of_its_header(more: dict[str, Any]) -> None:
    tables = re.findall(r"(?:^\|.*\n)+", whole_card(**more), flags=re.MULTILINE)

    assert len(tables) >= 5
    for table in tables:
        rows = [re.sub(r"\\\|", "", row).count("|") for row in table.splitlines()]
        assert len(set(rows)) == 1
        assert re.fullmatch(r"[|-]+", table.splitlines()[1])


def test_bars_are_as_long_as_their_counts() -> None:
    histogram = {"edges_nats": [0.0, 0.5, 1.0, 1.5], "drawn": [20, 10, 0], "kept": [20, 5, 0]}

    lines = histogram_text(histogram)

    assert lines is not None
    _, first, second = lines.splitlines()
    assert (first.count("█"), first.count("░")) == (40, 0)
    assert (second.count("█"), second.count("░")) == (10, 10)
    assert second.startswith("0.5 to 1.0")


def test_one_of_very_many_pairs_has_a_bar_too() -> None:
    histogram = {"edges_nats": [0.0, 0.1, 0.2], "drawn": [10**6, 1], "kept": [10**6, 0]}

    lines = histogram_text(histogram)

    assert lines is not None
    assert lines.splitlines()[2].endswith("░")


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0.00 %"), (1e-6, "<0.01 %"), (0.003, "0.30 %"), (0.75, "75.00 %"), (1.0, "100.00 %")],
)
def test_only_nothing_is_nought_per_cent(share: float, text: str) -> None:
    assert percent(share) == text


def test_numbers_have_three_digits_or_all_before_the_point() -> None:
    assert [number(value) for value in (0.12345, 14.26, 1703.05, 0.0)] == [
        "0.123", "14.3", "1,703", "0",
    ]  # fmt: skip
