"""Rows of a table of scores: of a class, a mean of classes, or something else such as a spread."""

import re
from collections.abc import Sequence

from hdgan.artifacts.score_titles import (
    NOT_CHECKED,
    SPREAD_ALONE,
    WITH_SPREAD,
    plain,
    speaks_of_spread,
)
from hdgan.artifacts.score_words import (
    averaging_of,
    is_average_precision,
    is_background,
    is_total,
    names_fewer,
    row_of_means,
    summary_words,
    unknown_words,
    wide_of,
)
from hdgan.method.printed_scores import LeavesOut

_OF_WHAT = (
    r"(?: (?:of|over|across|per|in|for|score|value|dice|dsc|iou|f1|recall|precision|case|image|"
    r"fold|run|class|bound|limit)\b.*)?"
)

_NO_CLASS: tuple[tuple[str, str], ...] = (
    (
        rf"(?:min|max|minimum|maximum|median|range|lowest|highest|best|worst|lower|upper|q[1-4]|"
        rf"(?:first |third |lower |upper )?(?:quartiles?|percentiles?|quantiles?)|"
        rf"\d+(?:st|nd|rd|th) (?:percentile|quartile)){_OF_WHAT}",
        "of single values or a range, not checked",
    ),
    (
        r"n(?: ?=.*)?|n (?:of .*|images|cases|patients)|(?:number|num|no\.?|nr\.?) of .*|num .*|"
        r"#.*|number|counts?|support|pixels?|px|(?:total |all |test |training )?"
        r"(?:images|cases|patients|slides|samples|tiles|patches|subjects|crops)",
        "a count, not checked",
    ),
    (
        r"p|p ?[<=>].*|p[- ]?val(?:ue)?s?\b.*|[tfuz][- ]test.*|wilcoxon.*|anova.*|significance|"
        r"cohen'?s? d|effect size",
        "of a test, not checked",
    ),
    (
        r"(?:cohen'?s )?(?:kappa|κ)(?: (?:coefficient|score|value|index))?|mcc|matthews.*|"
        r"(?:samples|sample) (?:avg|average)|(?:geometric|harmonic) mean.*|.*\bper[- ]image\b.*|"
        r".*\bimage mean\b.*",
        "another score, not checked",
    ),
    (
        rf"(?:difference|diff|delta|δ|improvement|gain|change|rank|ranking){_OF_WHAT}",
        "a comparison, not checked",
    ),
    (
        r"params?|parameters|g?flops|(?:inference |training )?time|runtime|fps|epochs?",
        "no score",
    ),
)
"""Names of rows that are of no class, and why not."""

_BESIDE = frozenset(
    [
        *("mean", "average", "avg", "median", "overall", "macro", "micro", "dice", "iou", "the"),
        *("distance", "surface", "symmetric", "normalised", "normalized", "percentile", "rate"),
        *("score", "value", "mm", "px", "um", "of", "precision", "th", "curve", "coefficient"),
        *("95", "95th", "100"),
    ]
)
"""Words beside the name of a score that is not checked."""


def why_no_class(cells: Sequence[str], *, has_names: bool = True) -> str:
    """Why a row is neither of a class nor a mean, by its name; empty if it is either.

    Args:
        cells: the name, and what stands beside it.
        has_names: whether rows of the table have names; then numbers without one may be spreads.
    """
    if has_names and not cells[0].strip() and not any(re.match(r"[^\W\d]", c) for c in cells[1:]):
        return "has no name, not checked"
    name = plain(cells[0]) or " ".join(re.findall(r"\w+", cells[0].lower()))
    if re.fullmatch(r"\d+(\.\d+)? ?%", cells[0].strip(" *_`")):
        return "a percentile, not checked"
    if _is_spread(cells, name):
        return SPREAD_ALONE
    wide = re.sub(r"[()\[\]]", " ", wide_of(cells[0]))
    for pattern, why_not in _NO_CLASS:
        if re.fullmatch(pattern, name) or (row_of_means(name) and re.fullmatch(pattern, wide)):
            return why_not
    if row_of_means(cells[0]):
        return _why_no_mean(cells[0])
    if re.match(r"(macro|micro) ", name):
        return "a class or a mean, not checked"
    return _other_score(name)


def leaves_out(name: str, classes: Sequence[str]) -> LeavesOut:
    """Whether a mean leaves out classes, by its name.

    One that says so leaves nothing out of a table that has no row of what it names.
    """
    wide = wide_of(name)
    if names_fewer(name):
        return "surely" if any(_is_left_out(row, wide) for row in classes) else "perhaps"
    is_whole = re.search(r"\b(incl\w*|with)\b", wide) is not None
    return "perhaps" if unknown_words(name) and not is_whole else "nothing"


def _is_left_out(row: str, mean: str) -> bool:
    """Whether a class is the background, or named in what a mean says of itself."""
    if is_background(row) or re.search(r"\b(background|bg)\b", wide_of(row)):
        return True
    name = plain(row)
    return bool(name) and re.search(rf"\b{re.escape(name)}\b", mean) is not None


def _is_spread(cells: Sequence[str], name: str) -> bool:
    """Whether a row is of spreads alone; of `Mean ± SD` and cells `0.9 ± 0.1` it is not."""
    if not speaks_of_spread(cells[0]):
        return False
    has_both = any(map(WITH_SPREAD.search, cells[1:]))
    if speaks_of_spread(name) or not plain(cells[0]):
        return not (has_both and row_of_means(name))
    comes_first = re.search(r"\w.*(±|\\pm|\+/-)", cells[0]) is not None
    return not (comes_first or has_both or row_of_means(name))


def _why_no_mean(name: str) -> str:
    """Why a row that is named as a mean is not read as one; empty if it is."""
    if is_average_precision(name):
        return "a score of a ranking, not checked"
    why_not = _other_score(plain(name))
    if why_not or averaging_of(name) or summary_words(name) or is_total(name):
        return why_not
    return "names a score, and no class"


def _other_score(name: str) -> str:
    """Why a row named after a score that is not checked is of no class; empty if it is not so."""
    for pattern, why_not in NOT_CHECKED:
        rest = re.sub(rf"\b({pattern})\b", " ", name)
        if rest != name and set(re.findall(r"[a-z0-9]+", rest)) <= _BESIDE:
            return why_not
    return ""
