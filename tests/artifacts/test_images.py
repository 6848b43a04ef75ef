"""Images and label maps from outside."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hdgan.artifacts.annotation_set import class_map_at, class_map_bytes, class_map_of
from hdgan.artifacts.images import MAX_PIXELS, grey_of, image_files, open_image, png_of, rgb_of
from hdgan.artifacts.label_maps import label_map_of
from hdgan.class_map import KIDNEY, UNLABELLED, ClassMap, TissueClass, painted
from hdgan.errors import ClassMapError, ImageError, LabelError

THREE = ClassMap(
    (
        TissueClass("glass", "#ffffff"),
        TissueClass("nucleus", "#0072b2"),
        TissueClass("rim", "#d55e00"),
    )
)
LABELS = np.array([[0, 1], [2, UNLABELLED]], dtype=np.uint8)


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def test_pixels_survive_png() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)

    assert np.array_equal(rgb_of(png_of(pixels), "x"), pixels)
    assert np.array_equal(grey_of(png_of(pixels[..., 0]), "x"), pixels[..., 0])


def test_what_is_transparent_becomes_glass() -> None:
    clear = Image.new("RGBA", (2, 2), (10, 20, 30, 0))

    assert (rgb_of(encoded(clear), "x") == 255).all()


@pytest.mark.parametrize("cut", [8, 40, 100])
def test_a_truncated_png_is_named(cut: int) -> None:
    data = png_of(np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8))

    with pytest.raises(ImageError, match=r"broken.png is (damaged or cut short|not an image)"):
        rgb_of(data[:cut], "broken.png")


def test_text_is_no_image() -> None:
    with pytest.raises(ImageError, match=r"notes.png is not an image"):
        rgb_of(b"not an image at all", "notes.png")


def test_an_absurd_size_is_refused_before_it_is_decoded() -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    side = 20_000
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")

    assert side * side > MAX_PIXELS
    with pytest.raises(ImageError, match=r"bomb.png (declares|is damaged)"):
        open_image(bomb, "bomb.png")


def test_images_are_found_in_subfolders_and_sorted(tmp_path: Path) -> None:
    for name in ("b.png", "a/c.TIF", "a/notes.txt", ".hidden.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")

    names = [path.relative_to(tmp_path).as_posix() for path in image_files(tmp_path)]

    assert names == ["a/c.TIF", "b.png"]


def test_a_folder_without_images_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=f"{tmp_path.name} holds no image"):
        image_files(tmp_path)


@pytest.mark.parametrize("values", ["auto", "index"])
def test_a_grey_label_map_holds_class_numbers(values: str) -> None:
    assert np.array_equal(label_map_of(png_of(LABELS), "x", THREE, values), LABELS)  # type: ignore[arg-type]


def test_a_label_map_of_16_bits_is_read_if_its_numbers_are_classes() -> None:
    data = encoded(Image.fromarray(LABELS.astype(np.uint16)))

    assert np.array_equal(label_map_of(data, "x", THREE, "auto"), LABELS)


def test_a_map_of_single_objects_is_not_taken_for_classes() -> None:
    data = encoded(Image.fromarray(np.full((2, 2), 300, dtype=np.uint16)))

    with pytest.raises(LabelError, match=r"value 300.*single objects"):
        label_map_of(data, "x", THREE, "auto")


def test_a_colour_label_map_holds_class_colours_and_black_is_unlabelled() -> None:
    data = png_of(painted(LABELS, THREE))

    assert np.array_equal(label_map_of(data, "x", THREE, "auto"), LABELS)


def palette_file(colours: list[int]) -> bytes:
    image = Image.new("P", (2, 2))
    image.putdata([0, 1, 2, 3])
    image.putpalette(colours)
    return encoded(image)


def test_a_palette_file_is_read_by_its_colours_if_they_are_the_classes() -> None:
    """Its numbers say 0, 1, 2, 3; its colours say rim, nucleus, glass, unlabelled."""
    data = palette_file([213, 94, 0, 0, 114, 178, 255, 255, 255, 0, 0, 0])

    labels = label_map_of(data, "x", THREE, "auto")

    assert labels.tolist() == [[2, 1], [0, UNLABELLED]]


def test_a_palette_file_of_other_colours_is_read_by_its_numbers() -> None:
    data = palette_file([9, 9, 9, 50, 50, 50, 99, 99, 99, 1, 2, 3])

    assert label_map_of(data, "x", KIDNEY, "auto").tolist() == [[0, 1], [2, 3]]


def test_an_empty_palette_map_is_class_zero_and_not_unlabelled() -> None:
    image = Image.new("P", (2, 2), 0)
    image.putpalette([0, 0, 0])

    assert (label_map_of(encoded(image), "x", THREE, "auto") == 0).all()


def test_a_colour_of_no_class_is_named() -> None:
    data = png_of(np.full((2, 2, 3), (1, 2, 3), dtype=np.uint8))

    with pytest.raises(LabelError, match=r"map.png has 4 pixels of a colour.*#010203"):
        label_map_of(data, "map.png", THREE, "auto")


def test_a_jpeg_is_no_label_map() -> None:
    buffer = BytesIO()
    Image.new("RGB", (4, 4), KIDNEY.classes[0].colour).save(buffer, "JPEG")

    with pytest.raises(LabelError, match="is a JPEG, which changes colours"):
        label_map_of(buffer.getvalue(), "a.jpg", KIDNEY, "auto")


def test_a_class_outside_the_class_map_is_named() -> None:
    data = png_of(np.full((2, 2), 7, dtype=np.uint8))

    with pytest.raises(LabelError, match=r"map.png has 4 pixels of class 7.*ends at 2 \('rim'\)"):
        label_map_of(data, "map.png", THREE, "auto")


def test_colours_asked_for_as_numbers_are_refused() -> None:
    with pytest.raises(LabelError, match="mode RGB, which holds no class numbers"):
        label_map_of(png_of(painted(LABELS, THREE)), "x", THREE, "index")


def test_a_class_map_survives_writing_and_reading() -> None:
    assert class_map_of(class_map_bytes(KIDNEY), "x") == KIDNEY


def test_a_colour_may_be_spelled_color() -> None:
    content = b'{"classes": [{"name": "a", "color": "#00ff00"}]}'

    assert class_map_of(content, "x").classes[0].colour == "#00ff00"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "classes.json is no class map"),
        (b'{"classes": [{"name": "a"}]}', "colour"),
        (b'{"classes": []}', "0 classes"),
        (b'{"classes": [{"name": "a", "colour": "red"}]}', "'red' of class 'a'"),
        (
            b'{"classes": [{"name": "a", "colour": "#000000"},'
            b' {"name": "a", "colour": "#ffffff"}]}',
            "names 'a' twice",
        ),
        (
            b'{"classes": [{"name": "a", "colour": "#00ff00"},'
            b' {"name": "b", "colour": "#00FF00"}]}',
            "Classes 'a' and 'b' have the same colour #00ff00",
        ),
    ],
)
def test_a_broken_class_map_says_what_is_wrong(content: bytes, message: str) -> None:
    with pytest.raises(ClassMapError, match=message):
        class_map_of(content, "classes.json")


def test_a_missing_class_map_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClassMapError, match="There is no class map"):
        class_map_at(tmp_path / "classes.json")


def test_a_real_palette_mask_is_imported(shared_data: Path) -> None:
    """Six tissue classes of a skin section, painted in colours."""
    mask = next(iter(sorted((shared_data / "skin_6class").glob("*mask*"))), None)
    if mask is None:
        pytest.skip("no skin mask in the real data")
    colours = np.unique(rgb_of(mask.read_bytes(), str(mask)).reshape(-1, 3), axis=0)
    classes = ClassMap(
        tuple(
            TissueClass(f"class {i}", "#{:02x}{:02x}{:02x}".format(*(int(v) for v in colour)))
            for i, colour in enumerate(colours)
        )
    )

    labels = label_map_of(mask.read_bytes(), str(mask), classes, "auto")

    assert set(np.unique(labels)) == set(range(len(colours)))


def test_an_image_of_sixteen_bits_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    Image.fromarray(np.full((4, 4), 40_000, dtype=np.uint16)).save(path)

    with pytest.raises(ImageError, match=r"deep\.png has more than 8 bits a pixel"):
        rgb_of(path.read_bytes(), str(path))
