"""The rules of learning by their names."""

from collections.abc import Callable, Mapping

from hdgan.method.segmenter.consistency import MeanTeacher, TransformationConsistency
from hdgan.method.segmenter.guessed_labels import FixMatch, PseudoLabel
from hdgan.method.segmenter.mixmatch import MixMatch
from hdgan.method.segmenter.rule import Rule
from hdgan.method.segmenter.supervised import Supervised

_RULES: Mapping[str, Callable[[], Rule]] = {
    "supervised": Supervised,
    "mean-teacher": MeanTeacher,
    "transformation-consistency": TransformationConsistency,
    "pseudo-label": PseudoLabel,
    "mixmatch": MixMatch,
}


def rule_named(name: str, *, threshold: float) -> Rule:
    """The rule of this name.

    Args:
        name: as the command line has it.
        threshold: of FixMatch; others have none.
    """
    return FixMatch(threshold) if name == "fixmatch" else _RULES[name]()
