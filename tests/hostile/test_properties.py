"""What is true of readers whatever they are given."""

import io
import json
import pickle
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from hdgan.artifacts.annotation_history import AnnotationHistory, Stroke
from hdgan.artifacts.annotation_set import AnnotationRecord
from hdgan.artifacts.arrays import array_bytes, latents_of, npy_of
from hdgan.artifacts.images import bands_of, png_of, rgb_of
from hdgan.artifacts.inert_pickle import Inert, read_pickle
from hdgan.artifacts.label_maps import label_map_of
from hdgan.artifacts.manifest import is_inside
from hdgan.artifacts.order import Order
from hdgan.artifacts.outlines.reading import drawing_of
from hdgan.artifacts.outlines.tangles import TangledError, refuse_tangle, tangles_counted
from hdgan.artifacts.stored_tensors import nested_storages
from hdgan.artifacts.table import table_of
from hdgan.class_map import KIDNEY, UNLABELLED
from hdgan.errors import DamagedArtifactError, HdganError, LabelError, NetworkFileError
from hdgan.method.segmenter.network import SegmenterShape, predicted_labels, unet
from hdgan.stages.annotate.beginning import with_lineage
from tests.hostile.limited import is_sentence

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "geometry", "coordinates", "properties", "features", "name"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)
KINDS = st.sampled_from(["Feature", "FeatureCollection", "Polygon", "MultiPolygon", "Point"])


def said_of(read: Callable[[], object]) -> str:
    """Why something is refused; `read` if it is not."""
    try:
        read()
    except HdganError as error:
        return str(error)
    return "read"


@given(st.lists(VALUES, max_size=3) | st.dictionaries(st.just("type"), KINDS | VALUES))
def test_any_json_is_read_as_outlines_or_refused_in_a_sentence(document: object) -> None:
    assert is_sentence(said_of(lambda: drawing_of(json.dumps(document).encode(), "file")))


@given(VALUES, VALUES)
def test_any_geometry_is_read_or_refused_in_a_sentence(coordinates: object, named: object) -> None:
    for kind in ("Polygon", "MultiPolygon"):
        geometry = {"type": kind, "coordinates": coordinates}
        feature = {"type": "Feature", "geometry": geometry, "properties": {"name": named}}
        data = json.dumps(feature).encode()
        assert is_sentence(said_of(partial(drawing_of, data, "file")))


@given(st.binary(max_size=60))
def test_any_bytes_are_plain_data_or_no_pickle(data: bytes) -> None:
    allowed = {"collections.OrderedDict"}

    assert is_sentence(said_of(lambda: read_pickle(io.BytesIO(data), allowed, "file")))


@given(VALUES)
def test_plain_data_comes_back_from_its_pickle(value: object) -> None:
    found = read_pickle(io.BytesIO(pickle.dumps(value, protocol=4)), (), "file")

    assert repr(found) == repr(value)


@given(st.text(max_size=80))
def test_any_text_is_a_table_or_damaged(text: str) -> None:
    data = f"image,split\n{text}".encode("utf-8", "ignore")

    assert is_sentence(said_of(lambda: table_of(data, AnnotationRecord, "file")))
    raw = text.encode("utf-8", "surrogatepass")
    assert is_sentence(said_of(lambda: table_of(raw, AnnotationRecord, "file")))


@pytest.mark.parametrize("name", ["../a", "/a", "a/b", "", "a\x00"])
def test_a_name_that_leads_elsewhere_is_damaged(name: str) -> None:
    with pytest.raises(DamagedArtifactError, match=r"file is damaged \(row 0, image"):
        table_of(f'image,split\n"{name}",\n'.encode(), AnnotationRecord, "file")


@given(
    st.lists(st.sampled_from(["..", ".", "a", "b", "", "..a", "\x00"]), max_size=5), st.booleans()
)
def test_what_is_inside_resolves_to_a_place_below(parts: list[str], is_absolute: bool) -> None:  # noqa: FBT001
    name = ("/" if is_absolute else "") + "/".join(parts)

    if is_inside(name):
        assert Path("/folder", name).resolve().is_relative_to("/folder")


@given(arrays(np.int64, array_shapes(min_dims=0, max_dims=3, min_side=0)), st.booleans())
def test_numbers_come_back_from_their_npy_file(array: np.ndarray, in_columns: bool) -> None:  # noqa: FBT001
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array, order="F" if in_columns else "C"))

    found = npy_of(buffer.getvalue(), "file")

    assert found.dtype == array.dtype
    assert np.array_equal(found, array)


@pytest.mark.parametrize(
    "w",
    [
        np.zeros((2, 3), dtype=np.float64),
        np.zeros(3, dtype=np.float32),
        np.full((2, 3), np.nan, dtype=np.float32),
    ],
)
def test_what_are_no_latents_is_refused(w: np.ndarray) -> None:
    with pytest.raises(DamagedArtifactError, match="does not hold latents"):
        latents_of(array_bytes({"w": w}), "file")
    with pytest.raises(DamagedArtifactError, match="does not hold latents"):
        latents_of(array_bytes({"v": np.zeros((2, 3), dtype=np.float32)}), "file")


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE revisions SET tile = 'elsewhere'", "'elsewhere' is none of those"),
        ("UPDATE revisions SET x = 14", "a stroke lies outside of tile 'a'"),
        ("UPDATE revisions SET y = -1", "a stroke lies outside of tile 'a'"),
        ("UPDATE revisions SET labels = x'00'", "is damaged"),
        ("UPDATE revisions SET labels = ?", "is damaged"),
    ],
)
def test_a_history_that_somebody_changed_is_damaged(
    statement: str, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "history.sqlite3"
    with closing(AnnotationHistory(path, {"a": (16, 16)})) as history:
        history.append("a", 1, 0, Stroke("brush", 0, 0, np.ones((4, 4), dtype=np.uint8)), "Anna")
    bomb = zlib.compress(bytes(10**8), 9)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement, (bomb,) if "?" in statement else ())
        connection.commit()

    with closing(AnnotationHistory(path, {"a": (16, 16)})) as history:
        ((tile, reading),) = history.heads()
        with pytest.raises(DamagedArtifactError, match=says):
            history.labels(tile, reading)


@pytest.mark.parametrize("text", ["[", "[]", "1", '{"a": 1}', '{"a": {"b": []}}'])
def test_what_a_history_says_of_its_slides_may_be_damaged(text: str) -> None:
    with pytest.raises(DamagedArtifactError, match="says of its seen-slides"):
        with_lineage(Order("annotation-set", {}, {}), {"seen-slides": text})


def exact_crossings(ring: np.ndarray) -> int:
    """By looking at every pair of edges."""
    edges = [shapely.LineString(pair) for pair in zip(ring, np.roll(ring, -1, axis=0), strict=True)]
    tree = shapely.STRtree(edges)
    return int((tree.query(edges, "crosses")[0] >= 0).sum()) // 2


@pytest.mark.parametrize("corners", [160, 700, 1200])
def test_crossings_are_estimated_as_they_are(corners: int) -> None:
    ring = np.random.default_rng(corners).uniform(0, 100, (corners, 2))
    crossings = exact_crossings(ring)
    area = shapely.Polygon(ring)

    if crossings < 15_000:
        refuse_tangle([area])
        return
    with pytest.raises(TangledError, match=r"about [\d,]+ times") as caught:
        refuse_tangle([area])
    told = int(str(caught.value).split("about ")[1].split(" times")[0].replace(",", ""))
    assert told == pytest.approx(crossings, rel=0.2)


def test_a_tangle_that_avoids_the_edges_of_another_is_one_all_the_same() -> None:
    """The edges that are looked at follow from the corners, so none can be spared beforehand."""
    ring = np.random.default_rng(0).uniform(0, 1000, (3000, 2))
    for spared in np.random.default_rng(3000).integers(3000, size=64):
        ring[(spared + 1) % 3000] = ring[spared] + 1e-6

    with pytest.raises(TangledError, match="times"):
        refuse_tangle([shapely.Polygon(ring)])


def test_a_few_long_edges_among_many_short_ones_are_looked_at() -> None:
    along = np.linspace(0, 2 * np.pi, 50_000, endpoint=False)
    circle = np.stack([np.cos(along), np.sin(along)], axis=1) * 1000
    tangle = np.random.default_rng(0).uniform(-500, 500, (1500, 2))

    with pytest.raises(TangledError, match="times"):
        refuse_tangle([shapely.Polygon(np.concatenate([circle, tangle]))])


def test_an_outline_of_many_corners_that_crosses_nothing_is_no_tangle() -> None:
    along = np.linspace(0, 2 * np.pi, 50_000, endpoint=False)
    ring = np.stack([np.cos(along), np.sin(along)], axis=1) * 1000

    refuse_tangle([shapely.Polygon(ring)])


def test_crossings_of_a_file_are_counted_together() -> None:
    ring = np.random.default_rng(0).uniform(0, 100, (350, 2))
    area = shapely.Polygon(ring)

    def all_of_a_file(count: int) -> None:
        with tangles_counted():
            for _ in range(count):
                refuse_tangle([area])

    with pytest.raises(TangledError, match="more than 100,000 times"):
        all_of_a_file(20)
    all_of_a_file(1)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "LA"])
def test_an_image_read_in_bands_is_the_image(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hdgan.artifacts.images._BAND_PIXELS", 100)
    pixels = np.random.default_rng(0).integers(0, 256, (37, 23, 4), dtype=np.uint8)
    image = Image.fromarray(pixels).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    glass = Image.new("RGBA", image.size, (255, 255, 255, 255))
    wanted = Image.alpha_composite(glass, image.convert("RGBA")).convert("RGB")

    found = rgb_of(buffer.getvalue(), "file")

    assert np.array_equal(found, np.asarray(wanted))
    assert len(list(bands_of(image))) > 5


def test_colours_in_bands_are_classes_and_strange_ones_are_counted_in_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hdgan.artifacts.images._BAND_PIXELS", 100)
    labels = np.random.default_rng(0).integers(0, 6, (40, 30), dtype=np.uint8)
    labels[labels == 5] = UNLABELLED
    table = np.zeros((256, 3), dtype=np.uint8)
    table[:5] = KIDNEY.palette

    assert np.array_equal(label_map_of(png_of(table[labels]), "file", KIDNEY, "auto"), labels)

    table[UNLABELLED] = (1, 2, 3)
    strange = int((labels == UNLABELLED).sum())
    with pytest.raises(LabelError, match=f"has {strange} pixels of a colour.*#010203"):
        label_map_of(png_of(table[labels]), "file", KIDNEY, "auto")


@pytest.mark.parametrize("sides", [(1, 1), (8, 8), (10, 3), (8, 600)])
def test_a_network_labels_images_that_are_smaller_than_what_it_reflects(
    sides: tuple[int, int],
) -> None:
    network = unet(SegmenterShape(3, 4)).eval()

    labels = predicted_labels(network, np.zeros((*sides, 3), dtype=np.uint8))

    assert labels.shape == sides
    assert labels.max() < 3


def test_a_sentence_is_short_and_no_list_of_what_a_library_found() -> None:
    assert is_sentence("a.png is damaged. Copy it again.")
    assert not is_sentence("")
    assert not is_sentence("a" * 2000)
    assert not is_sentence("3 validation errors for Manifest")


def test_the_instructions_of_all_nested_storages_are_counted_together() -> None:
    storage = b"\x80\x02" + b"N0" * 300_000 + b"N."
    numbers = nested_storages(10**9, "file")
    value = Inert("torch.storage._load_from_bytes", (storage,))

    with pytest.raises(NetworkFileError, match=r"damaged|cut short"):
        numbers(value)
    with pytest.raises(NetworkFileError, match="more than 1,000,000 instructions"):
        numbers(value)
