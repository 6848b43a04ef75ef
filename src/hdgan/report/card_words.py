"""What a dataset's card says in sentences: selection, annotation, nearest tiles, licence."""

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from hdgan.report.card_tables import annotated_images, escaped, number, percent

DARK_GREY = 40
"""Of 255; what is no brighter looks black."""


def composition_sentences(about: Mapping[str, Any]) -> list[str] | None:
    """How the composition was changed and at what price; None if it was not."""
    composition = about.get("composition")
    if not composition:
        return None
    natural, here = composition["natural_share"], about["share_of_pixels"]
    asked = [
        f"at least {percent(share)} {escaped(name)}"
        for name, share in composition["wanted"].items()
    ]
    sentences = [
        f"Every pair has {' and '.join(asked)}, by its label map: others were left out or changed."
    ]
    sentences += [
        f"Of the pixels of {composition['num_pilot']} pairs drawn without selection, "
        f"{percent(natural[name])} are {escaped(name)}; here {percent(here[name])} are."
        for name in composition["wanted"]
    ]
    ways = composition["by_way"]
    if composition["draws_per_kept_pair"] is None or not about["num_kept"]:
        return [f"Wanted was {' and '.join(asked)} in every pair, but none was found or kept."]
    sentences.append(
        f"For each kept pair, {number(composition['draws_per_kept_pair'])} drawings were made and "
        f"{number(composition['looks_per_kept_pair'])} quick looks at latents, of which only the "
        f"coarse blocks were drawn; the {composition['num_pilot']} drawings without selection come "
        f"on top. Of the kept pairs, {ways.get('first', 0):,} had enough at once, "
        f"{ways.get('rejection', 0):,} were chosen among several drawings, "
        f"{ways.get('search', 0):,} were reached by changing latents. Not found and left out: "
        f"{composition['num_missed']:,}."
    )
    return [*sentences, _NO_FREQUENCIES]


def selection_text(about: Mapping[str, Any]) -> str:
    """How many pairs were drawn, how, and which were not kept."""
    drawn = f"{about['num_drawn']} pairs drawn at truncation {about['truncation']}"
    draws = about.get("noise_draws") or 1
    noise = ""
    if draws > 1:
        noise = (
            f" Up to {draws} pairs share a latent and differ in their noise alone (those of one "
            "`seed` in `pairs.csv`): keep them in one split."
        )
    reasons = []
    if about["largest_uncertainty_nats"] > 0 and about["num_dropped"]:
        reasons.append(f"the {about['num_dropped']} most uncertain were dropped{_from(about)}")
    if outside := _outside(about):
        reasons.append(f"{outside} outside the range of the real tiles left out")
    if missed := (about.get("composition") or {}).get("num_missed"):
        reasons.append(f"{missed} without the wanted composition left out")
    if reasons:
        return f"Of {drawn}, {', '.join(reasons)}.{noise}"
    why = "" if about["largest_uncertainty_nats"] > 0 else _NO_UNCERTAINTY
    return f"All {drawn} were kept{why}.{noise}"


def annotation_text(about: Mapping[str, Any], *, comes_with_generator: bool) -> str:
    """Who labelled what the classifier was fitted to, and for how long."""
    annotation = about.get("annotation")
    if not annotation:
        return (
            "Not known: the annotations that the classifier was fitted to were not at hand. "
            "`hdgan synthesize --annotations FOLDER` names them when pairs are made."
        )
    text = _fitted_to(annotation)
    names = [escaped(name) for name in annotation["annotators"]]
    text += f"Annotated by {', '.join(names)}. " if names else _NAMELESS
    if not names and comes_with_generator:
        text += "What is known of the drawings that come with the generator stands further below. "
    unlabelled = annotation.get("share_unlabelled") or 0.0
    if unlabelled:
        text += (
            f"Of the pixels of all {annotation['tiles']}, {percent(unlabelled)} are unlabelled. "
        )
    return text + _time(annotation)


def brightness_text(about: Mapping[str, Any]) -> str:
    """What uncertainty maps look like in a viewer, if they look like nothing; else empty."""
    histogram, largest = about.get("uncertainty_histogram"), about["largest_uncertainty_nats"]
    if not histogram or not sum(histogram["kept"]) or largest <= 0:
        return ""
    median = (sum(histogram["kept"]) + 1) // 2
    edge = next(
        edge
        for edge, count in zip(
            histogram["edges_nats"][1:], accumulate(histogram["kept"]), strict=True
        )
        if count >= median
    )
    grey = round(edge / largest * 255)
    if grey > DARK_GREY:
        return ""
    return (
        f"; half of the pairs score at most {number(edge)} nats, which is grey {grey}, so that a "
        "viewer shows a black image until its contrast is stretched"
    )


def nearest_text(real_tiles: Mapping[str, Any] | None) -> str:
    """Whether drawings repeat what the generator was shown."""
    if not real_tiles:
        return (
            "Not looked for, so nobody knows whether drawings repeat tiles that the generator was "
            "shown. `hdgan synthesize` finds the nearest tile of each pair with `--tiles FOLDER "
            "--encoder FILE`."
        )
    of = real_tiles["nearest"]
    facts = of if isinstance(of, Mapping) else real_tiles
    text = (
        "![Drawings, each beside the training tile that it comes nearest to](nearest.png)\n\n"
        "Some drawings, the closest and some picked by chance, each with the nearest of "
        f"{real_tiles['tiles']:,} training tiles (in any of the eight flips and turns) to its "
        f"right, by distance in the features of {escaped(real_tiles['encoder'])}. A copy would "
        "show the same structures twice; that none is seen here is no proof that there is none."
    )
    median, held_out = facts.get("median_distance"), facts.get("median_distance_of_held_out")
    if median is not None and held_out:
        text += (
            f" Median distance of drawings: {number(median)}; of real tiles that the generator was "
            f"never shown: {number(held_out)} (ratio {number(median / held_out)}; much below 1, "
            "drawings repeat what was shown)."
        )
    elif median is not None:
        text += f" Median distance of drawings: {number(median)}; no tile was held out to compare."
    return text + _realism(real_tiles)


def licence_text(licence: str | None) -> str:
    """Under which the dataset may be used."""
    if licence:
        return escaped(licence)
    return (
        "Not stated by its maker (`hdgan synthesize --licence TEXT` states it). The rights in the "
        "images that the generator learned from may reach this far: ask before sharing."
    )


_NO_FREQUENCIES = (
    "Do not read frequencies from this dataset: neither of classes nor of what comes with them."
)

_NO_UNCERTAINTY = ": without uncertainty none is more uncertain than another"

_NAMELESS = (
    "Nobody is named as their annotator: label maps that were made elsewhere do not say who made "
    "them, not even whether a person did. "
)

_ANNOTATED = {
    "drawings": "annotated drawings of the generator",
    "tiles": "annotated tiles of real tissue",
    "images": "annotated images",
}


def _outside(about: Mapping[str, Any]) -> int:
    """Pairs that were left out as unlike the real tiles."""
    of = about if "num_outside" in about else about.get("real_tiles") or {}
    return int(of.get("num_outside") or 0)


def _fitted_to(annotation: Mapping[str, Any]) -> str:
    """How many annotated images the classifier learned from, and what the others were for."""
    what, splits = _ANNOTATED[annotated_images(annotation)], annotation.get("splits") or {}
    if not splits.get("training"):
        return f"There are {annotation['tiles']} {what}. "
    others = [
        f"{count} {split}" for split, count in splits.items() if count and split != "training"
    ]
    others += [f"{annotation['tiles']} in all"]
    return f"The classifier was fitted to {splits['training']} {what} ({', '.join(others)}). "


def _from(about: Mapping[str, Any]) -> str:
    least, limit = about["least_uncertainty_dropped_nats"], about.get("max_uncertainty_nats")
    text = "" if least is None else f" (those from {least:.4f} nats on)"
    if limit is not None:
        text += f"; none above {number(limit)} nats is kept, whatever their number"
    return text


def _time(annotation: Mapping[str, Any]) -> str:
    minutes = annotation["minutes"]
    if minutes is None:
        return "How long it took is not known; `hdgan annotate` measures it."
    count = annotation.get("tiles_with_minutes") or annotation["tiles"]
    each = annotated_images(annotation).removesuffix("s")
    return f"It took {number(minutes)} minutes in all, {number(minutes / count)} a {each}" + (
        f" (known of {count} of the {annotation['tiles']})." if count < annotation["tiles"] else "."
    )


def _realism(real_tiles: Mapping[str, Any]) -> str:
    limit = real_tiles.get("min_realism")
    if limit is None:
        return ""
    return (
        f"\n\nPairs with a realism below {number(limit)} were left out: "
        f"{_outside(real_tiles):,} (Kynkäänniemi et al. 2019; 1 is the edge of what the real tiles "
        "span)."
    )
