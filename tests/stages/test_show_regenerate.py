"""`hdgan show --regenerate`: do images, latents and networks still belong together?"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hdgan.artifacts.images import png_of, rgb_of
from hdgan.artifacts.manifest import MANIFEST, digest_of_file
from hdgan.artifacts.pair_set import PairSet
from hdgan.cli import main
from hdgan.errors import DamagedArtifactError, MissingArtifactError, SettingsError
from hdgan.settings.show import NUM_REGENERATED, ShowSettings
from hdgan.settings.synthesize import SynthesizeSettings
from hdgan.stages.sample import sample
from hdgan.stages.show.run import show
from hdgan.stages.show.told import Told
from hdgan.stages.synthesize.redrawing import redraw_pairs
from hdgan.stages.synthesize.run import synthesize

LAYOUT_1 = Path(__file__).parents[1] / "fixtures" / "layout-1"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder with one artifact of every kind, which a test may change."""
    return Path(shutil.copytree(LAYOUT_1, tmp_path / "kept"))


def verbs() -> dict[str, Callable[..., Any]]:
    return {"sample": sample, "redraw-pairs": redraw_pairs}


def regenerated(folder: Path, *num: int) -> Told:
    return show(folder, ShowSettings(regenerate=num), verbs)


def verdicts(told: Told) -> set[str]:
    """What is said of each image."""
    return {
        str(fact) for name, fact in told.facts.items() if name[0] in "ps" and name[1:].isdigit()
    }


def brightened(data: bytes, by: int) -> bytes:
    pixels = rgb_of(data, "the image").astype(int) + by
    return png_of(pixels.clip(0, 255).astype(np.uint8))


def test_new_samples_are_equal_to_the_byte(kept: Path) -> None:
    command = f"sample {kept}/generator {kept}/new --num-samples 3 --select 0 --device cpu"
    main(command.split())

    told = regenerated(kept / "new")

    assert not told.differs
    assert verdicts(told) == {"equal to the byte"}
    assert told.facts["latents"] == "equal"
    assert told.facts["drawn again"] == "3 of 3: 3 equal to the byte"


@pytest.mark.parametrize(
    "settings",
    [
        SynthesizeSettings(num_pairs=3),
        SynthesizeSettings(num_pairs=4, noise_draws=2, drop_fraction=0.0, truncation=1.0),
        SynthesizeSettings(num_pairs=3, files="shards", seed=7),
        SynthesizeSettings(num_pairs=2, files="tiff", drop_fraction=0.0),
        SynthesizeSettings(num_pairs=2, at_least=("nucleus=0.1",), num_pilot=4, most_draws=2),
    ],
    ids=["plain", "noise draws", "shards", "tiff", "composition"],
)
def test_new_pairs_are_equal_to_the_byte(settings: SynthesizeSettings, kept: Path) -> None:
    synthesize(kept / "classifier", kept / "new", settings)

    told = regenerated(kept / "new")

    num_kept = len(PairSet.open(kept / "new").records())
    assert not told.differs
    assert told.facts["drawn again"] == (
        f"{num_kept} of {num_kept}: {num_kept} equal to the byte"
        if num_kept
        else "0 of 0: there is none"
    )


def test_what_an_earlier_version_drew_is_drawn_again(kept: Path) -> None:
    for name in ("samples", "pairs"):
        told = regenerated(kept / name)

        assert not told.differs
        assert len(verdicts(told)) >= 1


def test_as_many_are_drawn_as_were_asked_for_spread_over_all(kept: Path) -> None:
    told = regenerated(kept / "samples", 2)

    assert [name for name in told.facts if name.startswith("s0")] == ["s000000", "s000003"]
    assert str(told.facts["drawn again"]).startswith("2 of 4: ")


def test_images_of_something_else_differ(kept: Path) -> None:
    image = kept / "samples" / "images" / "s000002.png"
    image.write_bytes(brightened(image.read_bytes(), 9))

    told = regenerated(kept / "samples")

    assert told.differs
    assert str(told.facts["s000002"]).startswith("DIFFERS: image: by up to 9 grey values, ")
    assert "1 DIFFERS" in str(told.facts["drawn again"])
    assert "What to do: run --check" in str(told.facts["drawn again"])


def test_a_damaged_table_is_reported_by_a_check_that_cannot_draw_again(kept: Path) -> None:
    with (kept / "samples" / "samples.csv").open("ab") as file:
        file.write(b"\n")

    with pytest.raises(DamagedArtifactError):
        regenerated(kept / "samples")
    told = show(kept / "samples", ShowSettings(check=True, regenerate=()), verbs)

    assert told.differs
    assert str(told.facts["drawn again"]).startswith("nothing: ")
    assert str(told.facts["result"]).startswith("DIFFERS: ")


def test_a_difference_of_rounding_is_said_and_is_none(kept: Path) -> None:
    for path in (kept / "samples" / "images").glob("*.png"):
        path.write_bytes(brightened(path.read_bytes(), 1))

    told = regenerated(kept / "samples")

    assert not told.differs
    assert all(
        text.startswith("equal but for rounding: image: by up to") for text in verdicts(told)
    )
    assert "at most 0.1% of an image's pixels" in str(told.facts["counts as rounding"])


def test_labels_and_uncertainty_of_something_else_differ(kept: Path) -> None:
    pairs = kept / "pairs"
    shutil.copy(pairs / "labels" / "p0000000.png", pairs / "labels" / "p0000001.png")
    (pairs / "uncertainty" / "p0000002.png").write_bytes(b"no image")
    (pairs / "images" / "p0000000.png").unlink()

    told = regenerated(pairs)

    assert told.differs
    assert str(told.facts["p0000000"]) == "DIFFERS: image: the file is missing"
    assert str(told.facts["p0000001"]).startswith("DIFFERS: label map: ")
    assert str(told.facts["p0000001"]).endswith("% of the pixels")
    assert str(told.facts["p0000002"]) == "DIFFERS: uncertainty: the file cannot be read"


def test_manifests_that_fit_do_not_hide_another_generator(kept: Path) -> None:
    """All files are whole; only drawing tells that these images are not this generator's."""
    command = (
        f"train-generator {kept}/tiles {kept}/other --resolution 16 --kimg 0.016 --preset small "
        "--batch 8 --channel-base 64 --channel-max 4 --latent-dim 4 --threads 1 --device cpu "
        "--seed 5"
    )
    main(command.split())
    manifest = kept / "samples" / MANIFEST
    content = json.loads(manifest.read_bytes())
    content["parents"]["generator"] = digest_of_file(kept / "other" / MANIFEST)
    manifest.write_text(json.dumps(content))

    assert not show(kept / "samples", ShowSettings(check=True)).differs
    told = regenerated(kept / "samples")

    assert told.differs
    assert all(text.startswith("DIFFERS: image: ") for text in verdicts(told))
    assert str(told.facts["latents"]).startswith("DIFFERS: by up to ")


@pytest.mark.parametrize("name", ["tiles", "generator", "classifier", "dataset", "comparison"])
def test_what_is_not_drawn_from_seeds_cannot_be_regenerated(name: str) -> None:
    with pytest.raises(
        SettingsError, match="cannot be regenerated: only sample-sets and pair-sets"
    ):
        regenerated(LAYOUT_1 / name)


@pytest.mark.parametrize("parent", ["generator", "classifier"])
def test_what_drew_must_lie_beside(parent: str, kept: Path) -> None:
    shutil.rmtree(kept / parent)

    with pytest.raises(MissingArtifactError, match=f"needs the {parent} .* in no folder beside it"):
        regenerated(kept / "pairs")


def test_the_command_draws_again_and_checks(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["show", str(kept / "pairs"), "--regenerate", "1", "--check", "--json"])
    said = json.loads(capsys.readouterr().out)
    (kept / "pairs" / "images" / "p0000000.png").write_bytes(b"")

    with pytest.raises(SystemExit) as stopped:
        main(["show", str(kept / "pairs"), "--regenerate"])

    assert str(said["drawn again"]).startswith("1 of 3: ")
    assert str(said["result"]).startswith("whole")
    assert stopped.value.code == 1


def test_without_a_number_eight_are_drawn_again() -> None:
    assert ShowSettings(regenerate=()).num_regenerated == NUM_REGENERATED == 8
    assert ShowSettings(regenerate=(3,)).num_regenerated == 3
    assert ShowSettings().num_regenerated is None


@pytest.mark.parametrize("num", [(0,), (-1,), (2, 3)])
def test_a_number_that_cannot_be_is_refused(num: tuple[int, ...]) -> None:
    with pytest.raises(SettingsError, match="must be one number of 1 or more"):
        ShowSettings(regenerate=num)
