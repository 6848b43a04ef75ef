"""The card of a pair set: what it says of what is known, and of what is not."""

import re
from typing import Any

import numpy as np
import pytest

from hdgan.class_map import ClassMap, TissueClass
from hdgan.report.card import dataset_card
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
    assert "`hdgan synthesize --annotations FOLDER` names them here" in chapter(
        card, "Who annotated"
    )
    assert "Not compared" in chapter(card, "Compared with annotated label maps")
    assert "Not looked for" in chapter(card, "Nearest training tiles")
    assert "Not stated by its maker" in chapter(card, "Licence")
    assert "pairs.csv" in chapter(card, "Uncertainty")
    assert "- Not known: who annotated" in chapter(card, "Known limits")


def test_a_key_that_is_none_is_as_one_that_is_absent() -> None:
    keys = ("checks", "annotation", "composition", "real_tiles", "licence", "images_with_class")
    nothing = dict.fromkeys((*keys, "uncertainty_histogram", "noise_draws"))

    assert dataset_card(OLD | nothing, {}) == dataset_card(OLD, {})


def test_a_changed_composition_stands_at_the_top() -> None:
    card = whole_card(composition=COMPOSITION)

    top = card.split("## Files")[0]
    assert "**These pairs were selected" in top
    assert "Every pair has at least 3.00 % arteriole" in top
    assert "128 pairs drawn without selection, 0.30 % are arteriole; here 3.40 % are" in top
    assert "A kept pair took 14.2 drawings" in top
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

    assert "20 drawings of the generator were annotated (16 for training, 4 for validation" in said
    assert r"Annotated by Ada \| Eva." in said
    assert "95 minutes in all, 5 a tile (known of 19 of them)" in said
    assert "2.00 % of their pixels are unlabelled" in said


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
    assert re.search(r"\| arteriole \| area share \|.*\| no \|", said)
    assert re.search(r"would have to be off by \d\.\d\d points before it showed", said)


def test_a_difference_beyond_chance_is_a_known_limit() -> None:
    card = whole_card(checks=checks(0.3))

    said = chapter(card, "Compared with annotated label maps")
    assert re.search(r"\| arteriole \| area share \|.*\| \*\*yes\*\* \|", said)
    assert "before it showed" not in said
    limits = chapter(card, "Known limits")
    assert re.search(r"more than chance in: .*area share of arteriole", limits)


def test_label_maps_of_another_size_are_compared_by_shares_alone() -> None:
    said = chapter(whole_card(checks=checks(0.02, side=24)), "Compared with annotated label maps")

    assert "not all of one size" in said
    assert "median component" not in said


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
