"""Names and numbers of scores as they are printed."""

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from hdgan.artifacts.score_titles import Column, plain
from hdgan.method.printed_scores import Averaging, Interval, Measure, Printed

_BACKGROUND = frozenset(
    ["background", "bg", "whitespace", "white space", "glass", "empty glass", "non-tissue"]
)
"""Classes that are the first to be left out."""

_MEASURES: tuple[tuple[str, Measure], ...] = (
    (r"m?dice|m?dsc|m?f1|f-score|f score|f-measure|mfscore", "dice"),
    (r"(m|fw)?iou|jaccard|jacc|intersection over union", "iou"),
    (r"m?precision|prec|ppv", "precision"),
    (r"m?recall|rec|sensitivity|sens|tpr|accuracy|[am]?acc|oa", "recall"),
)

_AVERAGING: tuple[tuple[str, Averaging], ...] = (
    (r"aacc|oa", "accuracy"),
    (r"macro|balanced|class average|mean class", "macro"),
    (r"miou|macc|mrecall|mprecision|mfscore", "macro"),
    (r"weighted|frequency|fwiou", "weighted"),
    (r"(mean|average|avg) pixel", "any"),
    (r"micro|global|overall accuracy|pixel accuracy|overall acc|pixel acc", "micro"),
    (r"mean|averaged?|avg|overall|all classes|total|mdice|mdsc|mf1", "any"),
)

_UNITS = {"k": 1e3, "m": 1e6, "million": 1e6, "g": 1e9}

_NUMBER = re.compile(
    r"^[=\s]*([-+]?)(\d{1,15}(?:[,' ]\d{3}){0,5}|\d{0,15})(?:[.,](\d{1,40}))?"
    r"(?:e([-+]?\d{1,2}))?\s*(?:\\?(%)|(k|m|g|million))?(?:\s*(?:±|\\pm|\+/-|\+-|\(|\[).*)?$",
    re.IGNORECASE,
)

_MARKS = re.compile(
    r"<su([bp])>.*?</su\1>|</?[a-z]{1,6}>|\\textsuperscript\{[^{}]*\}|"
    r"\^(?:\{[^{}]*\}|\\[a-z]+|[a-z0-9*])|[*†‡§¶#‖\u2217\u204e↑↓▲▼⁰¹²³⁴-⁹ᵃ-ᶿ]",
    re.IGNORECASE,
)
"""Marks of footnotes, directions and fonts, which are no part of a number."""

_FONT = re.compile(r"\\(?!textsuperscript)[a-z]{1,12}\{([^{}]*)\}")
"""LaTeX for bold, underlined and so on."""

_POWER = re.compile(r"(?<![\d.,])(?:10|2)(?:<sup>|\^|[⁰¹²³⁴-⁹⁻])", re.IGNORECASE)
"""A raised figure that is no mark of a footnote."""

_LETTERS = re.compile(
    r"(?<=[\d%.)\]])(?:\s(?:[a-h]{1,4}|[a-jln-z](?:\s?,\s?[a-z]){0,3}|n\.?s\.?)|[a-d]{1,2})$",
    re.IGNORECASE,
)
"""Letters that say which numbers differ significantly; k, m and g count thousands and more."""

_SPREAD_IN_PER_CENT = re.compile(r"(?:±|\\pm|\+/?-)\s*[\d.,]+\s*\\?%$")

_MEANS = frozenset(
    [
        *("macro", "micro", "weighted", "mean", "average", "avg", "overall", "total", "global"),
        *(
            "balanced",
            "frequency",
            "all",
            "class",
            "classes",
            "pixel",
            "pixels",
            "score",
            "accuracy",
            "acc",
        ),
        *("dice", "dsc", "mdice", "mdsc", "f1", "iou", "miou", "jaccard", "recall", "precision"),
        *("sensitivity", "sens", "rec", "prec", "ppv", "jacc", "averaged", "f", "oa"),
        *("aacc", "macc", "fwiou", "mf1", "mfscore", "mrecall", "mprecision"),
    ]
)
"""Words that the name of a row of means consists of."""

_FIRST = frozenset(["mean", "average", "averaged", "avg", "macro", "micro", "weighted", "overall"])
"""Words that the name of a row of means begins with."""

_PROSE = frozenset(
    [
        *("of", "the", "for", "over", "across", "on", "in", "by", "per", "and", "n", "m", "w", "o"),
        *("sd", "std", "se", "ci", "mean", "means", "arithmetic", "grand", "unweighted", "value"),
        *("test", "set", "data", "validation", "val", "cross", "training", "fold", "folds"),
        *("run", "runs", "seed", "seeds", "image", "images", "scores", "values", "coefficient"),
        *("similarity", "index", "measure", "wise", "classwise", "categories", "labels"),
    ]
)
"""Words beside them that do not say of which classes a mean is."""

_FEWER = re.compile(
    r"\b(w/o|without|excl\w*|except|foreground|fg|ignor\w+|minus|non-?background|"
    r"no (background|bg))\b"
)
"""What says of a mean that it leaves out a class."""


@dataclass(frozen=True)
class Number:
    """A number as printed."""

    text: str
    """As it stands there."""

    value: float
    """What it says, per cent not yet divided."""

    unit: float
    """What its last digit counts."""

    has_sign: bool
    """Whether a per cent sign follows it."""

    @property
    def own_scale(self) -> float:
        """What makes it a part of 1, as far as it says itself: 92 is per cent."""
        return 0.01 if self.has_sign or abs(self.value) >= 2 else 1.0

    def printed(self, scale: float, last_digit: float, *, whole: bool = False) -> Printed:
        """With what it may have been.

        Args:
            scale: what makes it a part of 1.
            last_digit: how far it may be off, in units of its last digit.
            whole: whether it is a count, which is exact if its last digit counts ones.
        """
        off = 0.0 if whole and self.unit == 1.0 else last_digit * self.unit
        low, high = (self.value - off) * scale, (self.value + off) * scale
        return Printed(self.text, Interval(low, high))


def number_in(cell: str) -> Number | None:
    """The number in a cell, without its spread and marks of footnotes; None if there is none.

    A bound such as `<0.01` is none: what the number was is not known.
    """
    text = cell.strip(" *_`$")[:120]
    if _POWER.search(text):
        return None
    text = _LETTERS.sub("", _MARKS.sub("", _FONT.sub(r"\1", text)).strip(" _`$\\")).strip()
    match = _NUMBER.match(text)
    if match is None or not (match[2] or match[3]):
        return None
    sign, whole, decimals, exponent, per_cent, unit = match.groups()
    if decimals is None and re.fullmatch(r"0,\d{3}", whole):  # 1,234 is a count, 0,934 is none
        whole, decimals = "0", whole[2:]
    digits = re.sub(r"[,' ]", "", whole) or "0"
    factor = 10.0 ** int(exponent or 0) * _UNITS.get((unit or "").lower(), 1.0)
    value = float(f"{sign}{digits}.{decimals or 0}") * factor
    if not math.isfinite(value):
        return None
    has_sign = per_cent is not None or _SPREAD_IN_PER_CENT.search(text) is not None
    return Number(text, value, 10.0 ** -len(decimals or "") * factor, has_sign)


def is_background(name: str) -> bool:
    """Whether a class is what tables leave out first."""
    return plain(name) in _BACKGROUND


def is_total(name: str) -> bool:
    """Whether a row is of all pixels."""
    return plain(name) in ("total", "all", "all pixels", "all classes", "overall")


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no number."""
    return cell.strip(" *_`-\u2013\u2014.").lower() in ("", "n/a", "na", "n.a", "nan", "none")


def is_per_cent(values: Sequence[float], column: Column) -> bool:
    """Whether a column's numbers are per cent: its title says so, or one is 2 or more."""
    return column.has_sign or max(values, default=0.0) >= 2


def summary_words(text: str) -> tuple[Measure, Averaging] | None:
    """Which score of all classes a few words name, and how it was averaged; None if none.

    `accuracy` alone is the part of all pixels that is right. The average precision of a ranking
    (AP, mAP) is no mean of precisions, and no score here.
    """
    words = _words(text)
    if (
        len(words) > 80
        or is_average_precision(text)
        or re.search(r"per image|image mean|deviation|\bstd\b|\bloss\b|\berror\b", words)
    ):
        return None
    measure = next((m for pattern, m in _MEASURES if re.search(rf"\b({pattern})\b", words)), None)
    if measure is None:
        return None
    if words in ("accuracy", "acc"):
        return measure, "accuracy"
    averaging = averaging_of(words)
    if averaging == "micro" and re.search(r"\b(accuracy|acc)\b", words):
        averaging = "accuracy"
    return None if averaging is None else (measure, averaging)


def averaging_of(text: str) -> Averaging | None:
    """How a mean was taken, by its name; None if that names no mean."""
    words = _words(text)
    return next((a for pattern, a in _AVERAGING if re.search(rf"\b({pattern})\b", words)), None)


def is_average_precision(text: str) -> bool:
    """Whether words name the average precision of a ranking."""
    return re.search(r"\b(average precision|m?ap)\b", _words(text)) is not None


def _words(text: str) -> str:
    return " ".join(re.sub(r"[*_`\"()\[\]%,-]", " ", text.lower()).split())


def row_of_means(name: str) -> bool:
    """Whether a row is of all classes or some, such as `macro avg`, `Mean (n=2)` or `accuracy`."""
    short = plain(name) or name.lower()
    words = re.findall(r"[a-z0-9]+", short)
    if not words or words == ["class"]:
        return False
    if set(words) <= _MEANS:
        return True
    return _begins_as_mean(short) or re.search(r"(?<!-)\b(mean|average|avg)$", short) is not None


def names_fewer(name: str) -> bool:
    """Whether a mean says that it leaves out classes."""
    return _FEWER.search(wide_of(name)) is not None


def wide_of(name: str) -> str:
    """A name in small letters, with all that stands in it."""
    return " ".join(unicodedata.normalize("NFKC", name).lower().split())


def unknown_words(name: str) -> set[str]:
    """Words of the name of a mean that may say of which classes it is."""
    return set(re.findall(r"[a-z]+", _words(name))) - _MEANS - _PROSE


def _begins_as_mean(short: str) -> bool:
    """Whether a name begins with a word for a mean; `mean-looking` is none."""
    first, *more = re.split(r"[^a-z-]", short, maxsplit=1)
    parts = first.split("-")
    if parts[0] not in _FIRST or not set(parts[1:]) <= _MEANS:
        return False
    # `macro vesicular` is rather a class.
    is_certain = parts[0] not in ("macro", "micro") or names_fewer(short)
    return is_certain or not unknown_words("".join(more))
