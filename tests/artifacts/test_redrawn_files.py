"""Files of images that were made again, compared with those that were kept."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from jaxtyping import UInt8

from hdgan.artifacts.images import png_of
from hdgan.artifacts.redrawn_files import difference_of_files
from hdgan.artifacts.tiled_image import TILE_PX, tiled_images
from hdgan.method.redrawn import Difference
from tests.peak_memory import megabytes

Pixels = UInt8[np.ndarray, "height width *channels"]

COMPARING = """
import sys
from pathlib import Path
from hdgan.artifacts.redrawn_files import difference_of_files
difference_of_files(Path(sys.argv[1]), Path(sys.argv[1]))
before = peak_kb()
found = difference_of_files(Path(sys.argv[1]), Path(sys.argv[2]))
assert found.pixels.num_pixels == 2048**2 and found.pixels.num_differing == 1, found
print(peak_kb() - before)
"""


def png(path: Path, pixels: Pixels) -> Path:
    path.write_bytes(png_of(pixels))
    return path


def tif(path: Path, pixels: Pixels) -> Path:
    with tiled_images({path: 3 if pixels.ndim == 3 else 1}, len(pixels)) as (image,):
        image.add(pixels)
    return path


def noise(side: int, *channels: int) -> Pixels:
    return np.random.default_rng(0).integers(0, 250, (side, side, *channels)).astype(np.uint8)


def test_equal_files_are_not_decoded(tmp_path: Path) -> None:
    for name in ("kept.png", "redrawn.png"):
        (tmp_path / name).write_bytes(b"no image at all")

    found = difference_of_files(tmp_path / "kept.png", tmp_path / "redrawn.png")

    assert found.same_bytes
    assert found.problem == ""


@pytest.mark.parametrize("channels", [(), (3,)], ids=["grey", "RGB"])
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_the_difference_is_that_of_the_pixels(
    ending: str, channels: tuple[int, ...], tmp_path: Path
) -> None:
    kept = noise(2 * TILE_PX, *channels)
    redrawn = kept.copy()
    redrawn[TILE_PX - 1 :, 700] += 5
    write = {"png": png, "tif": tif}[ending]

    found = difference_of_files(
        write(tmp_path / f"kept.{ending}", kept), write(tmp_path / f"redrawn.{ending}", redrawn)
    )

    assert not found.same_bytes
    assert found.pixels == Difference.between(kept, redrawn)
    assert found.pixels.num_differing == TILE_PX + 1


def test_a_content_is_compared_like_a_file(tmp_path: Path) -> None:
    kept, redrawn = noise(16, 3), noise(16, 3) + np.uint8(1)

    found = difference_of_files(png_of(kept), png(tmp_path / "redrawn.png", redrawn))

    assert found.pixels.largest == 1
    assert difference_of_files(png_of(redrawn), tmp_path / "redrawn.png").same_bytes


def test_files_that_are_packed_otherwise_differ_in_no_pixel(tmp_path: Path) -> None:
    pixels = noise(16, 3)
    tifffile.imwrite(tmp_path / "kept.tif", pixels, tile=(16, 16), photometric="rgb")

    found = difference_of_files(tmp_path / "kept.tif", tif(tmp_path / "redrawn.tif", pixels))

    assert not found.same_bytes
    assert found.pixels == Difference(num_pixels=256)


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_images_of_other_sizes_are_said_to_be(ending: str, tmp_path: Path) -> None:
    write = {"png": png, "tif": tif}[ending]
    kept = write(tmp_path / f"kept.{ending}", noise(32, 3))

    found = difference_of_files(kept, write(tmp_path / f"redrawn.{ending}", noise(16, 3)))

    assert found.problem == "it is 32 x 32 px, RGB, but what is drawn is 16 x 16 px, RGB"


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize("content", [b"", b"no image", None], ids=["empty", "text", "cut short"])
def test_a_file_that_is_no_image_is_said_to_be_unreadable(
    content: bytes | None, ending: str, tmp_path: Path
) -> None:
    write = {"png": png, "tif": tif}[ending]
    redrawn = write(tmp_path / f"redrawn.{ending}", noise(64, 3))
    kept = tmp_path / f"kept.{ending}"
    kept.write_bytes(redrawn.read_bytes()[:300] if content is None else content)

    assert difference_of_files(kept, redrawn).problem == "the file cannot be read"


def test_a_missing_file_is_said_to_be(tmp_path: Path) -> None:
    redrawn = png(tmp_path / "redrawn.png", noise(16))

    assert difference_of_files(tmp_path / "kept.png", redrawn).problem == "the file is missing"


def test_of_tiled_images_memory_holds_few_tiles(tmp_path: Path) -> None:
    kept = np.zeros((2048, 2048, 3), dtype=np.uint8)
    redrawn = kept.copy()
    redrawn[2000, 2000] = 9

    more = megabytes(COMPARING, tif(tmp_path / "a.tif", kept), tif(tmp_path / "b.tif", redrawn))

    assert more < 16
