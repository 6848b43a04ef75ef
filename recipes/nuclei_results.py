"""The table and pictures of recipes/nuclei.sh.

usage: nuclei_results.py FOLDER [PICTURES]    prints Markdown; writes pictures if told where
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.image_quality import DISTANCES, ImageQualityFolder
from hdgan.artifacts.images import rgb_of
from hdgan.artifacts.pair_set import PairSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.tile_set import TileSet
from hdgan.class_map import painted
from hdgan.report.grids import GAP, grid
from hdgan.report.pictures import heat

ARMS = {
    "all": "all labelled training images",
    "sixteen": "16 labelled training images",
    "pairs": "synthetic pairs alone",
}
SEEDS = (0, 1, 2)


def scores_of(folder: Path, arm: str) -> tuple[np.ndarray, np.ndarray, list[str], str]:
    """Macro Dice by seed; Dice by seed and class; class names; the definition."""
    evaluations = [Evaluation.open(folder / f"score-{arm}-{seed}") for seed in SEEDS]
    overall = [evaluation.overall()[0] for evaluation in evaluations]
    classes = [[scores.dice for scores in evaluation.classes()] for evaluation in evaluations]
    return (
        np.array([score.value for score in overall]),
        np.array(classes),
        [scores.name for scores in evaluations[0].classes()],
        overall[0].definition,
    )


def spread(values: np.ndarray) -> str:
    """Mean and range in per cent."""
    low, mean, high = values.min() * 100, values.mean() * 100, values.max() * 100
    return f"{mean:.1f} ({low:.1f} to {high:.1f})"


def num_images(folder: Path, arm: str) -> str:
    """How many labelled images an arm saw."""
    if arm == "sixteen":
        return "16"
    if arm == "pairs":
        return str(PairSet.open(folder / "pairs").about["num_kept"])
    folds = (1, 2, 3, 4)
    return str(len(TileSet.open(folder / "tiles").records(folds)))


def table(folder: Path) -> str:
    """Dice on the real images of fold 0, an arm a row."""
    names = scores_of(folder, "all")[2]
    header = ["trained on", "images", "macro Dice", *(f"Dice {name}" for name in names)]
    rows = [header, ["---"] * len(header)]
    for arm, title in ARMS.items():
        macro, classes, _, _ = scores_of(folder, arm)
        columns = [spread(classes[:, i]) for i in range(len(names))]
        rows.append([title, num_images(folder, arm), spread(macro), *columns])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def classifier_table(folder: Path) -> str:
    """Scores of the ensemble on its own test drawings."""
    evaluation = Evaluation.open(folder / "evaluation")
    rows = [["class", "recall", "Dice"], ["---"] * 3]
    for scores in evaluation.classes():
        rows.append([scores.name, f"{scores.recall * 100:.1f}", f"{scores.dice * 100:.1f}"])
    overall = evaluation.overall()[0]
    rows.append(["**macro**", "", f"{overall.value * 100:.1f}"])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def write_pictures(folder: Path, target: Path) -> None:
    """Drawings, pairs, and the worst label maps of real test images; no real image, nor a cut."""
    target.mkdir(parents=True, exist_ok=True)
    samples = SampleSet.open(folder / "samples")
    drawn = [samples.image(record) for record in samples.records()[:24]]
    save(grid(drawn, columns=8), target / "nuclei-drawn.png")
    # Of the first forty pairs the eight with most nucleus, since much of the tissue is empty.
    picture = pairs_picture(
        PairSet.open(folder / "pairs"), lambda labels: float((labels > 0).mean())
    )
    save(picture, target / "nuclei-pairs.png", zoom=2)
    if (folder / "quality").is_dir():
        quality = ImageQualityFolder.open(folder / "quality")
        (target / "nuclei-distances.svg").write_bytes(quality.read(DISTANCES))
    score = Evaluation.open(folder / "score-pairs-0")
    names = sorted(name for name in score.manifest.files if name.startswith("pictures/"))[:3]
    save(
        grid([label_maps(rgb_of(score.read(name), name)) for name in names], columns=1),
        target / "nuclei-worst.png",
    )


def pairs_picture(pairs: PairSet, worth: Callable[[np.ndarray], float]) -> np.ndarray:
    """Drawing, label map and uncertainty of those eight of the first forty pairs worth most."""
    chosen = sorted(pairs.records()[:40], key=lambda record: -worth(pairs.labels(record)))[:8]
    largest = max(float(pairs.uncertainty(record).max()) for record in chosen)
    strip = [
        *(pairs.image(record) for record in chosen),
        *(painted(pairs.labels(record), pairs.class_map) for record in chosen),
        *(heat(pairs.uncertainty(record), largest) for record in chosen),
    ]
    return grid(strip, columns=8)


def label_maps(comparison: np.ndarray) -> np.ndarray:
    """The true and the predicted label map of image, truth, prediction and errors in a row."""
    step = (comparison.shape[1] + GAP) // 4
    return comparison[:, step : 3 * step - GAP]


def save(pixels: np.ndarray, path: Path, zoom: int = 1) -> None:
    """Write a picture as a small file, each pixel `zoom` pixels wide."""
    picture = Image.fromarray(pixels.repeat(zoom, axis=0).repeat(zoom, axis=1))
    picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=255).save(path, optimize=True)


def expert(folder: Path) -> str:
    """How good the simulated expert is on real images that it has not seen."""
    score = Evaluation.open(folder / "score-all-0").overall()[0]
    return (
        "Simulated expert: a segmenter trained on every outline of the training images; on the "
        f"real images of fold 0 it has itself a macro Dice of {score.value * 100:.1f} per cent."
    )


def quality(folder: Path) -> str:
    """How close the drawings come to real crops, beside held-out real crops."""
    text = ImageQualityFolder.open(folder / "quality").text
    rows = [["", *(name for name in text.scores if name != "kid_deviation")]]
    rows.append(["---"] * len(rows[0]))
    for title, scores in (("drawings", text.scores), ("held-out real crops", text.floor or {})):
        values = [f"{value:.3f}" for name, value in scores.items() if name != "kid_deviation"]
        rows.append([title, *values])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    ratio = "" if text.kid_ratio is None else f" KID over the noise floor: {text.kid_ratio:.1f}."
    return (
        f"Against {text.num_images} random crops of the training images, truncation "
        f"{text.truncation:g}, in the features of {text.encoder}:\n\n{table}\n\n"
        f"Best snapshot by KID: {text.best_snapshot}.{ratio}\n"
    )


def main() -> None:
    """Print the tables."""
    folder = Path(sys.argv[1])
    if len(sys.argv) > 2:
        write_pictures(folder, Path(sys.argv[2]))
    progress = GeneratorFolder.open(folder / "generator").progress()[-1]
    about = PairSet.open(folder / "pairs").about
    annotated = AnnotationSet.open(folder / "annotations").records()
    print(
        f"Generator: {progress.images:,} images shown; {len(annotated)} of its drawings annotated."
    )
    if (folder / "quality").is_dir():
        print(f"\n{quality(folder)}")
    print(expert(folder))
    print(f"Pairs: {about['num_drawn']} drawn, {about['num_kept']} kept.\n")
    print("Ensemble against the expert on 16 test drawings (per cent):\n")
    print(classifier_table(folder))
    print("\nSegmenters on the real images of fold 0 (per cent; mean and range of three seeds):\n")
    print(table(folder))
    print(f"\nMacro Dice: `{scores_of(folder, 'all')[3]}`.")


if __name__ == "__main__":
    main()
