"""What an evaluation says of how far the labels may be trusted."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.evaluation import TRUST, Evaluation
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.tile_set import TileSet
from hdgan.errors import DamagedArtifactError
from hdgan.method.context_head import with_context
from hdgan.method.features import image_and_features
from hdgan.method.trust import ALL, DIVERGENCE, UNSURENESS
from hdgan.method.trust_scores import Trust
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.show import ShowSettings
from hdgan.settings.sources import AnnotationSources
from hdgan.stages.evaluate.run import evaluate
from hdgan.stages.show.run import show
from tests.tiny_world import TinyWorld


def trust_in(folder: Path) -> Trust:
    trust = Evaluation.open(folder).trust()
    assert trust is not None
    return trust


def beside(world: TinyWorld) -> AnnotationSources:
    return AnnotationSources(samples=world.samples, generator=world.generator, tiles=world.tiles)


def test_a_classifiers_evaluation_says_how_far_labels_may_be_trusted(world: TinyWorld) -> None:
    evaluation = Evaluation.open(world.evaluation)

    trust = trust_in(world.evaluation)

    names = list(evaluation.class_map.names)
    pixels = int(np.stack(evaluation.confusion()).sum())
    right = sum(int(np.trace(matrix)) for matrix in evaluation.confusion())
    assert [row.name for row in trust.calibration] == [*names, ALL]
    for row in trust.calibration:
        assert sum(one.pixels for one in row.bins) == pixels
    assert trust.calibration[-1].true_pixels == right
    assert [curve.measure for curve in trust.risk] == [DIVERGENCE, UNSURENESS]
    assert trust.risk[0].risk[-1] == pytest.approx(1 - right / pixels)
    over_all = [row for row in trust.detection if row.name == ALL]
    assert {row.wrong for row in over_all} == {pixels - right}
    assert [row.name for row in trust.contours] == names
    assert "not for real tissue" in trust.definitions["margin"]


def test_too_few_tiles_make_no_margin(world: TinyWorld) -> None:
    images = len(Evaluation.open(world.evaluation).images())

    margins = trust_in(world.evaluation).margins

    assert images < 9
    for margin in margins:
        assert margin.px is None
        assert margin.why_not == f"too few calibration units: {margin.units}, needed 9"
        assert margin.unit == "tile"


def test_a_looser_promise_needs_fewer_tiles(world: TinyWorld, tmp_path: Path) -> None:
    settings = EvaluateSettings(margin_alpha=0.5, margin_coverage=0.5)

    evaluate(world.classifier, world.annotations, tmp_path / "loose", settings, beside(world))

    assert any(margin.px is not None for margin in trust_in(tmp_path / "loose").margins)


def test_probabilities_are_those_of_the_ensemble(world: TinyWorld) -> None:
    """The reliability of one class, pixel by pixel by the plain definition."""
    ensemble = ClassifierFolder.open(world.classifier)
    classifier, context = ensemble.classifier(), ensemble.context()
    generator = GeneratorFolder.open(world.generator).generator()
    samples, annotated = SampleSet.open(world.samples), AnnotationSet.open(world.annotations)
    rows = {record.sample: record.row for record in samples.records()}
    assert context is not None
    said = 0.0
    for record in annotated.records("test"):
        w = torch.from_numpy(samples.latents()[rows[record.image]][None])
        _, pyramid = image_and_features(generator, w, ensemble.text.num_blocks)
        pyramid = with_context(pyramid, context.eval())
        features = pyramid.band(0, pyramid.side).flatten(end_dim=1)
        said += float(classifier.probabilities(features).mean(dim=0)[:, 1].sum())

    ours = trust_in(world.evaluation).calibration[1]

    assert sum(one.said * one.pixels for one in ours.bins) == pytest.approx(said, rel=1e-4)


def test_labels_change_with_the_noise_of_a_generator_that_has_some(
    world: TinyWorld, tmp_path: Path
) -> None:
    settings = EvaluateSettings(noise_images=2)

    evaluate(world.classifier, world.annotations, tmp_path / "two", settings, beside(world))

    noise = trust_in(tmp_path / "two").noise
    assert noise is not None
    assert noise.images == 2
    assert noise.share is not None
    assert 0 < noise.share < 1


def test_tiles_of_real_tissue_are_calibrated_by_patient(world: TinyWorld, tmp_path: Path) -> None:
    settings = EvaluateSettings(fold=0)

    evaluate(world.segmenter, world.truth, tmp_path / "real", settings, beside(world))

    trust = trust_in(tmp_path / "real")
    patients = {record.patient for record in TileSet.open(world.tiles).records((0,))}
    assert {margin.unit for margin in trust.margins} == {"patient"}
    assert max(margin.units for margin in trust.margins) == len(patients)
    assert trust.noise is None
    assert [curve.measure for curve in trust.risk] == [UNSURENESS]
    assert "not for real tissue" not in trust.definitions["margin"]


def test_trust_can_be_left_out_and_changes_no_score(world: TinyWorld, tmp_path: Path) -> None:
    settings = EvaluateSettings(trust=False)

    made = evaluate(world.classifier, world.annotations, tmp_path / "bare", settings, beside(world))

    bare, whole = Evaluation.open(tmp_path / "bare"), Evaluation.open(world.evaluation)
    assert bare.trust() is None
    assert np.array_equal(np.stack(bare.confusion()), np.stack(whole.confusion()))
    assert "calibration error" not in made.facts
    assert "calibration error" not in show(tmp_path / "bare").facts


def test_show_says_it_in_lines_and_on_a_page(world: TinyWorld, tmp_path: Path) -> None:
    facts = show(world.evaluation, ShowSettings(html=tmp_path / "page.html")).facts

    text = (tmp_path / "page.html").read_text()
    assert "of the predicted class" in str(facts["calibration error"])
    assert "AUROC" in str(facts[f"errors found by {DIVERGENCE}"])
    assert "too few calibration units" in str(facts["margins"])
    for words in ("Do probabilities mean what they say?", "Does uncertainty find the errors?"):
        assert words in text
    assert "Guo et al. 2017" in text


def test_trust_that_cannot_be_understood_is_one_sentence(
    world: TinyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluation = Evaluation.open(world.evaluation)
    content = json.loads(evaluation.read(TRUST))
    content["calibration"][0]["bins"] = "many"
    monkeypatch.setattr(evaluation, "read", lambda _: json.dumps(content).encode())

    with pytest.raises(DamagedArtifactError, match=r"trust\.json cannot be understood"):
        evaluation.trust()
