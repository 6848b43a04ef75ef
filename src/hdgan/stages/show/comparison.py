"""A comparison: its verdict, and the page that says what it rests on."""

from hdgan.artifacts.comparison import REPORT, Comparison
from hdgan.artifacts.images import rgb_of
from hdgan.pipeline import Fact
from hdgan.report.comparison_page import numbers_of, sections_of
from hdgan.report.comparison_words import title_of
from hdgan.report.tables import percent
from hdgan.stages.show.account import Account, Look, Shown
from hdgan.stages.show.scores import texts


def account_of(comparison: Comparison, look: Look) -> Account:
    """What a comparison found.

    Raises:
        DamagedArtifactError: a file cannot be understood.
    """
    text = comparison.text
    design = text.design
    facts: dict[str, Fact] = {
        "verdict": f"{title_of(text.candidate)} against {title_of(text.reference)} on {text.at} "
        f"labels: {text.verdict}",
    }
    facts["in words"] = text.sentences[0]
    if text.sentences[1:] or text.doubts:
        facts["also"] = " ".join([*text.sentences[1:], *text.doubts])
    facts |= {
        "arms": texts([title_of(arm) for arm in design.arms]),
        "labels": texts(design.counts),
        "repetitions": f"label draws: {design.draws}, seeds: {design.seeds}",
        "tested on": f"{design.num_patients} patients, {design.num_images} images of fold "
        f"{texts(design.folds)}",
        "trainings": design.num_runs,
    }
    for row in text.arms:
        if row.count in (text.at, None) and row.score.mean is not None:
            facts[f"macro Dice, {title_of(row.arm)}"] = percent(row.score.mean)
    facts["report"] = REPORT
    return Account(
        "Ways to a segmenter with the same number of human labels, tested on held-out patients.",
        facts,
        lambda: _shown(comparison, look),
    )


def _shown(comparison: Comparison, look: Look) -> Shown:
    text = comparison.text
    names = comparison.pictures()[: look.num_pictures]
    pictures = [rgb_of(comparison.read(name), str(comparison.folder / name)) for name in names]
    fewer = text.model_copy(update={"worst": text.worst[: len(pictures)]})
    return Shown(numbers_of(text), sections=sections_of(fewer, comparison.class_map, pictures))
