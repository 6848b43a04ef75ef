"""Segmenters that decide pixel by pixel, from labelled tiles to scores."""

import json
import shutil
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from hdgan.artifacts.annotation_set import class_map_bytes
from hdgan.artifacts.encoder_names import TIMM, stored_names
from hdgan.artifacts.images import png_of
from hdgan.artifacts.manifest import MANIFEST, digest_of_file, json_bytes
from hdgan.artifacts.order import Order
from hdgan.artifacts.segmenter import NETWORK, WEIGHTS, SegmenterFolder
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.artifacts.weights import tensor_bytes
from hdgan.class_map import KIDNEY, UNLABELLED
from hdgan.errors import DamagedArtifactError, EncoderError, LabelError, SettingsError
from hdgan.method.latent import tensor_of
from hdgan.method.phantom.drawing import draw_phantom
from hdgan.method.segmenter.network import predicted_labels
from hdgan.method.vision_transformer import TransformerShape, VisionTransformer
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.import_annotations import ImportAnnotationsSettings
from hdgan.settings.segment import SegmentSettings
from hdgan.settings.show import ShowSettings
from hdgan.settings.tile import TileSettings
from hdgan.settings.train_segmenter import (
    SegmenterMethod,
    SegmenterSources,
    TrainSegmenterSettings,
)
from hdgan.stages.evaluate.run import evaluate
from hdgan.stages.import_annotations import import_annotations
from hdgan.stages.segment.run import segment
from hdgan.stages.show.run import show
from hdgan.stages.tile.run import tile
from hdgan.stages.train_segmenter import pixel_methods
from hdgan.stages.train_segmenter.pixel_methods import fit_pixel_method, inner_encoder
from hdgan.stages.train_segmenter.run import train_segmenter

SIDE = 32

METHODS: Sequence[SegmenterMethod] = ("random-forest", "frozen-features")


def random_transformer() -> bytes:
    """A vision transformer of two blocks with random weights, under the names of timm."""
    network = VisionTransformer(TransformerShape(64, 2, 64, 8, 8, 1e-6))
    random = torch.Generator().manual_seed(0)
    tensors = {}
    for name, tensor in network.state_dict().items():
        if not name.endswith("_scale"):
            (stored,) = stored_names(TIMM, name)
            tensors[stored] = torch.randn(tensor.shape, generator=random) * 0.1
    return tensor_bytes(tensors)


class Phantoms:
    """Labelled phantom tiles, an encoder, and a segmenter of each kind."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tiles, self.truth = folder, folder / "tiles", folder / "truth"
        self.encoder = folder / "encoder.safetensors"
        for kind in ("images", "labels"):
            (folder / kind).mkdir()
        for patient in range(10):
            phantom = draw_phantom(SIDE, "rose", patient=patient, seed=patient)
            name = f"patient{patient}.png"
            (folder / "images" / name).write_bytes(png_of(phantom.image))
            (folder / "labels" / name).write_bytes(png_of(phantom.labels))
        (folder / "classes.json").write_bytes(class_map_bytes(KIDNEY))
        tile(folder / "images", self.tiles, TileSettings())
        import_annotations(
            self.tiles,
            folder / "labels",
            self.truth,
            ImportAnnotationsSettings(only="suggested"),
            folder / "classes.json",
        )
        self.encoder.write_bytes(random_transformer())
        for method in METHODS:
            self.train(method, folder / method)

    def train(self, method: SegmenterMethod, output: Path) -> SegmenterFolder:
        """A segmenter from six of the tiles."""
        encoder = self.encoder if method == "frozen-features" else None
        train_segmenter(
            self.truth,
            output,
            TrainSegmenterSettings(method=method, num_images=6, device="cpu"),
            sources=SegmenterSources(encoder=encoder),
        )
        return SegmenterFolder.open(output)


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Phantoms:
    return Phantoms(tmp_path_factory.mktemp("phantoms"))


@pytest.mark.parametrize("method", METHODS)
def test_classes_that_have_their_own_colours_are_learned(
    phantoms: Phantoms, method: SegmenterMethod
) -> None:
    network = SegmenterFolder.open(phantoms.folder / method).network()

    right = [
        predicted_labels(network, unseen.image) == unseen.labels
        for unseen in (draw_phantom(SIDE, "rose", patient=50 + i, seed=i) for i in range(4))
    ]

    assert np.mean(right) > 0.9


@pytest.mark.parametrize("method", METHODS)
def test_a_run_that_ended_before_its_last_file_begins_anew_and_gives_the_same(
    phantoms: Phantoms, method: SegmenterMethod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(pixel_methods, "write_segmenter", interrupted)
        with pytest.raises(KeyboardInterrupt):
            phantoms.train(method, tmp_path / "made")
    again = phantoms.train(method, tmp_path / "made")

    assert again.read(WEIGHTS) == SegmenterFolder.open(phantoms.folder / method).read(WEIGHTS)


def test_where_windows_meet_a_forest_says_what_it_says_of_the_whole_picture(
    phantoms: Phantoms,
) -> None:
    network = SegmenterFolder.open(phantoms.folder / "random-forest").network()
    picture = draw_phantom(640, "rose", patient=3, seed=5).image[300:364]

    in_windows = predicted_labels(network, picture)

    whole = network(tensor_of(picture)[None])[0].argmax(dim=0).numpy()
    assert (in_windows == whole).mean() > 0.995


@pytest.mark.parametrize("method", METHODS)
def test_evaluate_segment_and_show_take_it_as_they_take_a_u_net(
    phantoms: Phantoms, method: SegmenterMethod, tmp_path: Path
) -> None:
    folder = phantoms.folder / method

    evaluate(folder, phantoms.truth, tmp_path / "scores", EvaluateSettings(fold=0))
    segment(folder, phantoms.tiles, tmp_path / "maps", SegmentSettings(folds=(0,)))
    facts = show(folder, ShowSettings(html=tmp_path / "page.html")).facts

    words = {
        "random-forest": "50 trees",
        "frozen-features": "vision-transformer, images enlarged 2",
    }
    assert words[method] in str(facts["network"])
    assert "cross entropy of the pixels learned from" in str(facts["loss at the end"])


@pytest.mark.parametrize("method", METHODS)
def test_two_images_at_once_are_predicted_as_each_alone(
    phantoms: Phantoms, method: SegmenterMethod
) -> None:
    network = SegmenterFolder.open(phantoms.folder / method).network()
    images = torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1

    with torch.no_grad():
        both, alone = network(images), network(images[1:])

    assert both.shape == (2, 5, 32, 48)
    assert torch.allclose(both[1:], alone, atol=1e-5)
    assert torch.allclose(both.exp().sum(dim=1), torch.ones(2, 32, 48), atol=1e-4)


class Striped:
    """Images of two colours that tell their class; counts which were read."""

    def __init__(self, num_images: int, labelled: Callable[[int], bool]) -> None:
        self.read: list[int] = []
        self.images = [partial(self.image, i, known=labelled(i)) for i in range(num_images)]

    def image(self, number: int, *, known: bool) -> np.ndarray:
        """One of them."""
        self.read.append(number)
        image = np.full((8, 8, 4), 40, dtype=np.uint8)
        image[:4] = 200
        image[..., 3] = UNLABELLED
        if known:
            image[:4, :, 3], image[4:, :, 3] = 0, 1
        return image

    def fit(self, folder: Path) -> bytes:
        """Grow a forest on them; its trees come back."""
        unfinished = UnfinishedArtifact(folder, Order("segmenter", {}, {}))
        settings = TrainSegmenterSettings(method="random-forest")
        fit_pixel_method(unfinished, settings, KIDNEY, self.images, None, torch.device("cpu"))
        return (folder / WEIGHTS).read_bytes()


def test_of_thousands_of_images_as_many_are_read_as_there_may_be_pieces(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, again = (Striped(3000, lambda _: True) for _ in range(2))

    same = first.fit(tmp_path / "first") == again.fit(tmp_path / "again")

    assert same
    assert first.read == again.read
    assert len(set(first.read)) == len(first.read) == pixel_methods.MOST_PIECES
    assert max(first.read) > 2000
    assert "256 of the 3,000 images are learned from" in capsys.readouterr().err


def test_images_without_labels_do_not_count_among_those_drawn(tmp_path: Path) -> None:
    sparse = Striped(600, lambda number: number % 100 == 0)

    sparse.fit(tmp_path / "sparse")

    assert sorted(sparse.read) == list(range(600))


def test_the_encoder_lies_in_the_artifact(phantoms: Phantoms) -> None:
    encoder = inner_encoder(phantoms.encoder).encoder

    network = SegmenterFolder.open(phantoms.folder / "frozen-features").network()

    stored = network.get_submodule("encoder").state_dict()
    assert all(torch.equal(stored[n], tensor) for n, tensor in encoder.state_dict().items())


def test_a_program_is_refused_as_an_encoder_for_frozen_features(tmp_path: Path) -> None:
    path = tmp_path / "program.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(torch.nn.Flatten()), str(path))

    with pytest.raises(EncoderError, match="TorchScript, a program that shows only its result"):
        inner_encoder(path)


def test_without_scikit_learn_a_forest_is_refused_in_one_sentence(
    phantoms: Phantoms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hdgan.artifacts.optional_packages.find_spec", lambda _: None)

    with pytest.raises(SettingsError, match=r'pip install "hdgan\[compare\]"'):
        phantoms.train("random-forest", tmp_path / "forest")


@pytest.mark.parametrize("method", METHODS)
def test_images_without_labels_are_refused(
    phantoms: Phantoms, method: SegmenterMethod, tmp_path: Path
) -> None:
    blank = np.full((32, 32, 4), UNLABELLED, dtype=np.uint8)
    settings = TrainSegmenterSettings(method=method)
    device = torch.device("cpu")
    unfinished = UnfinishedArtifact(tmp_path, Order("segmenter", {}, {}))
    with pytest.raises(LabelError, match="Paint at least one class"):
        fit_pixel_method(unfinished, settings, KIDNEY, [lambda: blank], phantoms.encoder, device)


def changed(folder: Path, name: str, content: bytes) -> SegmenterFolder:
    """The artifact with another file in it, and a manifest that says so."""
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest["files"][name] = digest_of_file(folder / name)
    (folder / MANIFEST).write_bytes(json_bytes(manifest))
    return SegmenterFolder.open(folder)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"type": "oracle"}, "of the type 'oracle', which is not known"),
        ({"num_nodes": "many"}, "num_nodes"),
        ({"surprise": 1}, "surprise is not known"),
        ({"num_nodes": 10**15}, "whose num_nodes is 1000000000000000"),
    ],
)
def test_a_damaged_description_is_one_sentence(
    phantoms: Phantoms, tmp_path: Path, change: dict[str, object], match: str
) -> None:
    shutil.copytree(phantoms.folder / "random-forest", tmp_path / "made")
    content = json.loads((tmp_path / "made" / NETWORK).read_bytes()) | change

    damaged = changed(tmp_path / "made", NETWORK, json_bytes(content))

    with pytest.raises(DamagedArtifactError, match=match):
        damaged.network()
