"""The recipes' own small programs."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recipes.shipped_annotations import main as draw_shipped

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.sample_set import SampleSet

ROOT = Path(__file__).resolve().parents[1]


def test_touching_objects_are_divided_by_a_boundary(tmp_path: Path) -> None:
    instances = np.zeros((20, 30), dtype=np.uint16)
    instances[4:16, 4:15] = 1
    instances[4:16, 15:26] = 700
    (tmp_path / "in").mkdir()
    Image.fromarray(instances).save(tmp_path / "in" / "a.png")

    program = ROOT / "recipes" / "outlines_to_classes.py"
    subprocess.run([sys.executable, program, tmp_path / "in", tmp_path / "out"], check=True)

    labels = np.asarray(Image.open(tmp_path / "out" / "a.png"))
    assert (labels[instances == 0] == 0).all()
    assert (labels[4:16, 13:17] == 2).all()
    assert (labels[6:14, 6:13] == 1).all()
    assert (labels[4:6, 4:26] == 2).all()


@pytest.mark.parametrize("recipe", ["nuclei", "nuclei_comparison", "phantom_small", "real_labels"])
def test_a_recipe_without_its_data_says_so_in_one_line(tmp_path: Path, recipe: str) -> None:
    result = subprocess.run(
        ["bash", str(ROOT / "recipes" / f"{recipe}.sh"), str(tmp_path / "out")],
        env={"PATH": "/usr/bin:/bin", "HDGAN_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "Set HDGAN_DATA" in result.stderr


@pytest.mark.usefixtures("with_kidney")
def test_the_annotated_drawings_of_a_shipped_generator_are_drawn_again(tmp_path: Path) -> None:
    draw_shipped("kidney", tmp_path)

    annotated = AnnotationSet.open(tmp_path / "annotations")
    samples = SampleSet.open(tmp_path / "samples")
    assert {record.image for record in annotated.records()} == {
        record.sample for record in samples.records()
    }


def test_images_get_the_look_of_one_and_keep_their_tissue(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    tissue = random.random((2, 40, 40, 1))
    violet = 255 - tissue[0] * [120, 160, 60]
    brown = 250 - tissue[1] * [80, 110, 150]
    (tmp_path / "in").mkdir()
    for name, image in (("violet", violet), ("brown", brown)):
        Image.fromarray(image.astype(np.uint8)).save(tmp_path / "in" / f"{name}.png")

    program = ROOT / "recipes" / "one_look.py"
    places = (tmp_path / "in", tmp_path / "in" / "violet.png", tmp_path / "out")
    subprocess.run([sys.executable, program, *places], check=True)

    same, made = (
        np.asarray(Image.open(tmp_path / "out" / f"{name}.png")).astype(float)
        for name in ("violet", "brown")
    )
    assert np.abs(same - violet)[5:-5, 5:-5].mean() < 4
    # As blue as violet is at each brightness, and still dark where the tissue was.
    assert (made[..., 2] >= made[..., 1]).all()
    assert np.corrcoef(made[..., 1].ravel(), tissue[1].ravel())[0, 1] < -0.98


def test_a_kidney_needs_the_generator_of_nuclei(tmp_path: Path) -> None:
    for name in ("kidney_multistain", "kidney_glomeruli_ihc"):
        (tmp_path / name).mkdir()
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "squeezenet_v1_1_imagenet.npz").touch()

    result = subprocess.run(
        ["bash", str(ROOT / "recipes" / "kidney.sh"), str(tmp_path / "out"), str(tmp_path)],
        env={"PATH": "/usr/bin:/bin", "HDGAN_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 2
    assert "Run recipes/nuclei.sh" in result.stderr
