"""Scores of a generator, and the encoder that they need."""

from pathlib import Path

import numpy as np
import pytest
import torch

from hdgan.artifacts.encoder_file import read_encoder
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.image_quality import CLOSEST, DISTANCES, NEAREST, ImageQualityFolder
from hdgan.artifacts.images import rgb_of
from hdgan.artifacts.manifest import digest_of_file
from hdgan.cli import main
from hdgan.errors import EncoderError
from hdgan.method.latent import image_of, w_of
from hdgan.method.squeezenet import INPUT_PX
from hdgan.settings.score_generator import ScoreGeneratorSettings
from hdgan.stages.score_generator import score_generator
from hdgan.stages.show.run import show
from tests.artifacts.test_encoder_file import Means, scripted
from tests.tiny_world import TinyWorld, write_encoder

FEW = ScoreGeneratorSettings(num_images=24, num_nearest=2)


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    path = tmp_path / "squeezenet.npz"
    write_encoder(path)
    return path


def test_a_generator_is_scored_against_tiles_and_the_noise_floor(
    world: TinyWorld, tmp_path: Path, encoder: Path
) -> None:
    made = score_generator(world.generator, world.tiles, encoder, tmp_path / "quality", FEW)

    text = ImageQualityFolder.open(tmp_path / "quality").text
    assert text.training_folds == [1, 2, 3, 4]
    assert text.held_out_folds == [0]
    assert text.floor is not None
    assert set(text.floor) == set(text.scores) <= set(text.definitions)
    assert [score.snapshot for score in text.snapshots] == ["kimg-000000", "final"]
    assert text.best_snapshot == min(text.snapshots, key=lambda score: score.kid).snapshot
    assert text.snapshots[-1].kid == pytest.approx(text.scores["kid"])
    assert made.facts["encoder"] == text.encoder
    assert show(tmp_path / "quality").facts["made from encoder"] == text.encoder_digest[:12]
    assert made.facts["encoder SHA-256"] == text.encoder_digest == digest_of_file(encoder)
    assert set(text.nearest) == set(text.nearest_of_each) == {"drawings", "held-out crops"}
    for name, each in text.nearest_of_each.items():
        assert len(each) == FEW.num_images
        assert text.nearest[name] == pytest.approx(np.median(each), rel=1e-4)


def test_a_program_scores_only_if_the_user_trusts_it(
    world: TinyWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, output = tmp_path / "encoder.pt", tmp_path / "quality"
    scripted(Means(), path)
    order = [str(word) for word in (world.generator, world.tiles, path, output)]
    words = ["score-generator", *order, "--num-images", "20", "--num-nearest", "1"]

    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert "--trust-encoder" in capsys.readouterr().err
    main([*words, "--trust-encoder"])

    printed = capsys.readouterr().out
    assert digest_of_file(path) in printed
    assert "TorchScript encoder" in printed


def test_a_generator_whose_folds_nobody_knows_has_no_floor(
    world: TinyWorld, tmp_path: Path, encoder: Path
) -> None:
    from hdgan.settings.export_generator import ExportGeneratorSettings
    from hdgan.settings.import_generator import ImportGeneratorSettings
    from hdgan.stages.export_generator import export_generator
    from hdgan.stages.import_generator import import_generator

    network = tmp_path / "network.safetensors"
    export_generator(world.generator, network, ExportGeneratorSettings())
    import_generator(network, tmp_path / "imported", ImportGeneratorSettings())

    score_generator(tmp_path / "imported", world.tiles, encoder, tmp_path / "quality", FEW)

    text = ImageQualityFolder.open(tmp_path / "quality").text
    assert (text.floor, text.kid_ratio, text.held_out_folds) == (None, None, [])


def test_pictures_show_the_drawings_that_come_nearest_with_and_without_real_crops(
    world: TinyWorld, tmp_path: Path, encoder: Path
) -> None:
    score_generator(world.generator, world.tiles, encoder, tmp_path / "quality", FEW)

    quality = ImageQualityFolder.open(tmp_path / "quality")
    both, drawings = (rgb_of(quality.read(name), name) for name in (NEAREST, CLOSEST))
    assert both.shape == (2 * 18 - 2, 5 * 18 - 2, 3)
    assert drawings.shape == (16, 2 * 18 - 2, 3)
    network = GeneratorFolder.open(world.generator).generator()
    drawn = [
        image_of(network, w_of(network, FEW.seed + i, FEW.truncation)).tobytes()
        for i in range(FEW.num_images)
    ]
    for i in range(2):
        shown = drawings[:, i * 18 : i * 18 + 16]
        assert shown.tobytes() in drawn
        assert np.array_equal(both[i * 18 : i * 18 + 16, :16], shown)
    assert b"held-out crops" in quality.read(DISTANCES)


def test_an_encoder_is_read_with_its_axes_in_place(encoder: Path) -> None:
    read = read_encoder(encoder)

    with np.load(encoder) as arrays:
        kernel = arrays["fire3/expand3x3/kernel"]
    weight = read.encoder.get_parameter("fire3.expand3x3.weight")
    assert torch.equal(weight[5, 7], torch.from_numpy(kernel[:, :, 7, 5]))
    assert read.digest[:12] in read.name


def test_features_are_means_and_do_not_depend_on_the_batch(encoder: Path) -> None:
    network = read_encoder(encoder).encoder
    images = torch.rand(3, 3, 32, 32) * 2 - 1

    together = network(images)

    assert together.shape == (3, 512)
    assert torch.allclose(network(images[1:2]), together[1:2], rtol=1e-4, atol=1e-5)


def test_an_image_of_the_encoders_size_is_taken_as_it_is(encoder: Path) -> None:
    network = read_encoder(encoder).encoder
    seen: list[torch.Tensor] = []
    convolution = network.get_submodule("conv1")
    convolution.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    image = torch.rand(1, 3, INPUT_PX, INPUT_PX) * 2 - 1

    network(image)

    blue = (image[0, 2] + 1) * 127.5 - 103.939
    assert torch.allclose(seen[0][0, 0], blue, atol=1e-3)


@pytest.mark.parametrize("content", [b"", b"nothing", b"PK\x03\x04"])
@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_a_damaged_encoder_is_named(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"encoder{suffix}"
    path.write_bytes(content)

    with pytest.raises(EncoderError, match="is no readable"):
        read_encoder(path)


def test_an_encoder_of_another_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / "encoder.npz"
    np.savez(path, weight=np.zeros(3))

    with pytest.raises(
        EncoderError, match=r"holds no encoder that is known here.*are called weight"
    ):
        read_encoder(path)


def test_an_encoder_with_pickled_arrays_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "encoder.npz"
    np.savez(path, **{"conv1/kernel": np.array([print], dtype=object)})  # type: ignore[arg-type]

    with pytest.raises(EncoderError, match="is no readable"):
        read_encoder(path)


def test_the_real_encoder_tells_tissue_apart(shared_data: Path) -> None:
    encoder = read_encoder(shared_data / "weights" / "squeezenet_v1_1_imagenet.npz").encoder
    folder = shared_data / "kidney_multistain"
    images = [rgb_of(path.read_bytes(), path.name) for path in sorted(folder.glob("*.png"))[:4]]
    halves = torch.stack(
        [
            torch.from_numpy(part.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)
            for image in images
            for part in (image[:500, :500], image[500:, 500:])
        ]
    )

    with torch.no_grad():
        features = torch.nn.functional.normalize(encoder(halves))

    near = features @ features.t() - 2 * torch.eye(8)
    # The other half of the same image is nearest far more often than by chance (once in seven).
    assert int((near.argmax(dim=1) // 2 == torch.arange(8) // 2).sum()) >= 4
