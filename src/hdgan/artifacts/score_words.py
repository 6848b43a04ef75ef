"""Names and numbers of scores as they are printed."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from hdgan.artifacts.score_titles import Column, plain
from hdgan.method.printed_scores import Averaging, Interval, Measure, Printed

_BACKGROUND = frozenset(
    ["background", "bg", "whitespace", "white space", "glass", "empty glass", "non-tissue"]
)
"""Classes that are the first to be left out."""

_MEASURES: tuple[tuple[str, Measure], ...] = (
    (r"m?dice|m?dsc|f1|f-score|f score|f-measure", "dice"),
    (r"m?iou|jaccard|jacc|intersection over union", "iou"),
    (r"precision|prec|ppv", "precision"),
    (r"recall|rec|sensitivity|sens|tpr|accuracy|acc", "recall"),
)

_AVERAGING: tuple[tuple[str, Averaging], ...] = (
    (r"macro|balanced|miou|class average|mean class", "macro"),
    (r"weighted|frequency", "weighted"),
    (r"(mean|average|avg) pixel", "any"),
    (r"micro|global|overall accuracy|pixel accuracy|overall acc|pixel acc", "micro"),
    (r"mean|average|avg|overall|all classes|total|mdice|mdsc", "any"),
)

_UNITS = {"k": 1e3, "m": 1e6, "million": 1e6, "g": 1e9}

_NUMBER = re.compile(
    r"^[<>~=\s]*([-+]?)(\d{1,15}(?:[,' ]\d{3}){0,5}|\d{0,15})(?:[.,](\d{1,15}))?"
    r"(?:e([-+]?\d{1,2}))?\s*(?:\\?(%)|(k|m|g|million))?(?:\s*(?:±|\\pm|\+/-|\+-|\(|\[).*)?$",
    re.IGNORECASE,
)

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
        *("sensitivity", "sens", "rec", "prec", "ppv", "jacc"),
    ]
)
"""Words that the name of a row of means consists of."""


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
    """The number in a cell, without what is said of its spread; None if there is none."""
    text = cell.strip(" *_`$\\")[:60]
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
    """Whether a row is of all classes, such as `macro avg`, `mean` or `accuracy`."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    return bool(words) and set(words) <= _MEANS and set(words) != {"class"}
