"""The recipes' own small programs."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

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


def test_a_recipe_without_its_data_says_so_in_one_line(tmp_path: Path) -> None:
    result = subprocess.run(
        ["bash", str(ROOT / "recipes" / "nuclei.sh"), str(tmp_path / "out")],
        env={"PATH": "/usr/bin:/bin", "HDGAN_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "Set HDGAN_DATA" in result.stderr
