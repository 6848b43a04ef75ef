"""Titles of columns of scores: which score each names, and why some are not read."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

ColumnMeasure = Literal["recall", "precision", "dice", "iou", "pixels"]
"""What a column may be of: a score, or the true pixels of a class."""

MEASURES: dict[ColumnMeasure, str] = {
    "recall": "recall",
    "precision": "precision",
    "dice": "Dice",
    "iou": "IoU",
    "pixels": "pixels",
}
"""What a reader calls them."""

_NAMES: dict[ColumnMeasure, tuple[str, ...]] = {
    "recall": (
        *("recall", "rec", "sensitivity", "sens", "sen", "tpr", "true positive rate"),
        *("accuracy", "acc", "class accuracy", "class-wise accuracy", "classwise accuracy"),
        *("pixel accuracy", "producer's accuracy", "producers accuracy", "per-class accuracy"),
    ),
    "precision": ("precision", "prec", "ppv", "positive predictive value", "user's accuracy"),
    "dice": (
        *("dice", "dsc", "f1", "f1-score", "f1 score", "dice score", "dice coefficient"),
        *("dice similarity coefficient", "f-score", "f score", "f-measure", "sorensen-dice"),
        *("dice similarity", "dice coeff", "dice coef", "f1-measure", "f1 measure"),
    ),
    "iou": (
        *("iou", "jaccard", "jaccard index", "intersection over union", "jaccard score"),
        *("jacc", "jac", "ji", "jaccard coefficient", "jaccard similarity"),
    ),
    "pixels": (
        *("pixels", "true pixels", "support", "count", "n", "num pixels", "number of pixels"),
        *("pixel count", "# pixels", "#pixels", "px"),
    ),
}

_OF_MEANS: dict[str, ColumnMeasure] = {
    **dict.fromkeys(("miou", "mjaccard"), "iou"),
    **dict.fromkeys(("mdice", "mdsc", "mf1", "mfscore"), "dice"),
    **dict.fromkeys(("macc", "mrecall"), "recall"),
    "mprecision": "precision",
}
"""Means over classes or images, by their short names; a row a model has them as columns."""

_MEAN = re.compile(r"^(mean|average|avg\.?)\s+")

_COUNTS = frozenset(["count", "n"])
"""Names of a column that as often counts images."""

LEAST_PIXELS = 10_000
"""A column that may count images counts pixels if its largest number is this."""

NOT_CHECKED: tuple[tuple[str, str], ...] = (
    (r"loss", "a loss is no score"),
    (r"hd ?\d*|hausdorff|m?assd|asd|msd|nsd|surface|distance", "a distance, not checked"),
    (
        r"spec|specificity|tnr|npv|true negative rate|negative predictive value",
        "counts what is not of the class, not checked",
    ),
    (r"m?ap|average precision|auc|auroc|auprc", "a score of a ranking, not checked"),
    (r"error|1 ?- ?(dice|dsc|iou)", "an error is no score"),
)
"""Patterns of what is known and no score of counts of a class, and why it is none."""

_OF_ALL_PIXELS = (r"aacc|oa", "of all pixels at once, not of a class")

_SPREAD = re.compile(
    r"\b(sd|std|stdev|stddev|s\.d|sem|deviations?|standard errors?|variance|iqr|ci\d*|"
    r"confidence (interval|limit|bound)s?)\b|^\W*(±|\\pm|\+/-)"
)
"""What says of a title that it is of a spread, or of a score with its spread."""

WITH_SPREAD = re.compile(r"\d.*(±|\\pm|\+/?-|\(|\[)")
"""A score, and behind it its spread."""

_WITH_SCORE = re.compile(r"\w.*(±|\\pm|\+/-)|\bmean\b")
"""What says of such a title that the score comes first."""

SPREAD_ALONE = "a spread, not checked"
"""Why a column of spreads is not read."""


@dataclass(frozen=True)
class Column:
    """What stands in a column."""

    measure: ColumnMeasure | None
    """Which score; None for a name or what is not understood."""

    has_sign: bool
    """Whether its title says per cent."""

    why_not: str = ""
    """Why it is not read, in a few words; empty if it is, or if nothing is known of it."""

    has_spread: bool = False
    """Whether its title speaks of a spread: then its cells say whether there is a score, too."""

    yields: str = ""
    """Why it is not read where another column is of the same score; empty if it is."""


@lru_cache(maxsize=4096)
def column_of(title: str) -> Column:
    """What a title says of its column."""
    wide = unicodedata.normalize("NFKC", title)
    has_sign = bool(re.search(r"%(?! ?(ci\b|conf))|per ?cent", wide.lower()))
    words = " ".join(re.findall(r"[a-z0-9-]+", wide.lower()))
    for pattern, why_not in (*NOT_CHECKED, _OF_ALL_PIXELS):
        if re.search(rf"\b({pattern})\b", words):
            return Column(None, has_sign, why_not)
    measure = known_column(title) or _mean_named(title)
    has_spread = speaks_of_spread(title) and not _WITH_SCORE.search(wide.lower())
    if measure is None:
        return Column(None, has_sign, SPREAD_ALONE if has_spread else "")
    yields = "" if known_column(title) else "a mean beside the score itself"
    if plain(title) in ("accuracy", "acc"):
        yields = "beside a recall, the accuracy of a class against all others"
    return Column(measure, has_sign, has_spread=has_spread, yields=yields)


def speaks_of_spread(title: str) -> bool:
    """Whether a title is of a spread, or of a score with its spread."""
    words = unicodedata.normalize("NFKC", title).lower().replace("_", " ")
    return _SPREAD.search(words) is not None


def known_column(title: str) -> ColumnMeasure | None:
    """Which score of a class a title names; None if none."""
    name = plain(title)
    if re.search(r"\bloss\b", title.lower()):
        return None
    return next((measure for measure, names in _NAMES.items() if name in names), None)


def may_count_images(title: str) -> bool:
    """Whether a title of counts does not say of what, such as `n`."""
    return plain(title) in _COUNTS and not re.search(r"pixel|px|support", title.lower())


def without_rivals(columns: Sequence[Column]) -> list[Column]:
    """The columns, less those that yield to another one of the same score."""
    certain = {column.measure for column in columns if not column.yields}
    return [
        Column(None, column.has_sign, column.yields)
        if column.yields and column.measure in certain
        else column
        for column in columns
    ]


def plain(title: str) -> str:
    """A title in small letters without brackets, arrows, units, spreads and marks of a font."""
    words = unicodedata.normalize("NFKC", re.sub(r"<[^<>]{1,40}>", "", title)).lower()
    words = re.sub(r"\(.*?\)|\[.*?\]", " ", words)
    words = re.split(r"±|\\pm|\+/-", words, maxsplit=1)[0]  # `dice ± sd` is Dice
    words = re.sub(r"\\[a-z]+|[$\u2190-\u21ff\u25b2-\u25bf\u2b00-\u2bff]", " ", words)
    words = re.sub(r"[%*_`\"\\]|per ?cent\b", " ", words)
    return re.sub(r"\s+in$|[.:,]+$", "", " ".join(words.split())).strip()


def _mean_named(title: str) -> ColumnMeasure | None:
    """Which score a title names the mean of; None if none."""
    name = plain(title)
    if name in _OF_MEANS:
        return _OF_MEANS[name]
    shorter = _MEAN.sub("", name)
    found = known_column(shorter) if shorter != name else None
    return None if found == "pixels" else found
