"""Importing published networks: what is read agrees, and nothing is ever executed."""

import io
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.network_file import StoredNetwork, network_bytes, read_network_file
from hdgan.errors import HdganError, NetworkFileError
from hdgan.method.latent import image_of, w_of
from hdgan.method.stylegan.discriminator import Discriminator
from hdgan.method.stylegan.published import published_shape
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator
from hdgan.settings.export_generator import ExportGeneratorSettings
from hdgan.settings.import_generator import ImportGeneratorSettings
from hdgan.stages.export_generator import export_generator
from hdgan.stages.import_generator import import_generator
from tests.tiny_world import TinyWorld

SHAPE = NetworkShape(
    resolution=16, channel_base=64, channel_max=12, z_dim=6, w_dim=5, mapping_layers=2, clamp=256.0
)
NO_GRADIENT = False
EXECUTED: list[str] = []
"""Grows if anything in a file is executed."""


def seeded_generator() -> Generator:
    torch.manual_seed(1)
    network = Generator(SHAPE)
    for layer in network.synthesis.convolutions:
        layer.noise_strength.data.fill_(0.3)
    return network.eval()


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The modules that published files refer to, for as long as a file is being written."""
    persistence = types.ModuleType("torch_utils.persistence")
    util = types.ModuleType("dnnlib.util")

    def _reconstruct_persistent_obj(meta: Any) -> None:
        EXECUTED.append("reconstructed")

    class EasyDict(dict[str, Any]):
        pass

    for function, module in ((_reconstruct_persistent_obj, persistence), (EasyDict, util)):
        function.__module__, function.__qualname__ = module.__name__, function.__name__
        setattr(module, function.__name__, function)
    for name in ("torch_utils", "dnnlib"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, persistence.__name__, persistence)
    monkeypatch.setitem(sys.modules, util.__name__, util)
    return util


class Persistent:
    """A module that is pickled as the original pickles its own."""

    def __init__(self, module: nn.Module, arguments: dict[str, Any], easy: type[dict[str, Any]]):
        self.meta = easy(
            type="class",
            version=6,
            module_src="raise SystemExit('the source text was executed')",
            class_name=type(module).__name__,
            state={
                "_init_args": (),
                "_init_kwargs": easy(arguments),
                "_parameters": OrderedDict(module._parameters),
                "_buffers": OrderedDict(module._buffers),
                "_modules": OrderedDict(
                    (name, Persistent(inner, {}, easy)) for name, inner in module.named_children()
                ),
                "training": False,
                "_non_persistent_buffers_set": set(),
                "scale": np.float64(0.5),
            },
        )

    def __reduce__(self) -> Any:
        return sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj, (self.meta,)


def pickled(
    util: types.ModuleType,
    protocol: int,
    *,
    flat: bool = False,
    generator: nn.Module | None = None,
) -> bytes:
    """A file as the original writes it, or with flat arguments as its successor does."""
    inner = {"conv_clamp": 256, "num_fp16_res": 4}
    arguments = {"z_dim": 6, **(inner if flat else {"synthesis_kwargs": util.EasyDict(inner)})}
    networks = {
        "G": None,
        "D": Persistent(Discriminator(SHAPE), {}, util.EasyDict),
        "G_ema": Persistent(generator or seeded_generator(), arguments, util.EasyDict),
        "training_set_kwargs": util.EasyDict(path="tiles.zip"),
        "augment_pipe": None,
    }
    return pickle.dumps(networks, protocol=protocol)


def written(folder: Path, data: bytes, name: str = "network.pkl") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def drawn(folder: Path) -> np.ndarray:
    network = GeneratorFolder.open(folder).generator()
    return image_of(network, w_of(network, 3, 0.7))


def wanted() -> np.ndarray:
    network = seeded_generator()
    return image_of(network, w_of(network, 3, 0.7))


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("flat", [False, True], ids=["original", "successor"])
def test_a_published_file_draws_what_its_network_draws(
    published: types.ModuleType, tmp_path: Path, protocol: int, *, flat: bool
) -> None:
    path = written(tmp_path, pickled(published, protocol, flat=flat))

    made = import_generator(path, tmp_path / "generator", ImportGeneratorSettings())

    folder = GeneratorFolder.open(tmp_path / "generator")
    assert folder.shape == SHAPE
    assert made.facts["discriminator"] == "taken too"
    assert np.array_equal(drawn(tmp_path / "generator"), wanted())
    assert EXECUTED == []


def test_a_network_that_is_not_there_is_named(published: types.ModuleType, tmp_path: Path) -> None:
    path = written(tmp_path, pickled(published, 4))

    with pytest.raises(NetworkFileError, match="holds D and G_ema, but G is wanted"):
        import_generator(path, tmp_path / "generator", ImportGeneratorSettings(network="G"))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "stream"])
def test_a_state_dict_of_pytorch_is_read(tmp_path: Path, *, zipped: bool) -> None:
    path = tmp_path / "network.pt"
    torch.save(seeded_generator().state_dict(), path, _use_new_zipfile_serialization=zipped)

    import_generator(path, tmp_path / "generator", ImportGeneratorSettings())

    assert np.array_equal(drawn(tmp_path / "generator"), wanted())


def test_tensors_that_share_a_storage_are_read_apart(tmp_path: Path) -> None:
    whole = torch.arange(24.0).reshape(4, 6)
    path = tmp_path / "tensors.pt"
    tensors = {
        "synthesis.a": whole[1:, ::2].t(),
        "synthesis.b": whole[0],
        "synthesis.c": whole[2, 3],
    }
    torch.save(tensors, path, _use_new_zipfile_serialization=False)

    (network,) = read_network_file(path).values()

    for name, tensor in tensors.items():
        assert np.array_equal(network.tensors[name], tensor.numpy())


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 0), ("float16", 1)])
def test_a_generator_survives_export_and_import(
    world: TinyWorld, tmp_path: Path, precision: Any, tolerance: int
) -> None:
    path = tmp_path / "network.safetensors"

    export_generator(world.generator, path, ExportGeneratorSettings(precision=precision))
    import_generator(path, tmp_path / "generator", ImportGeneratorSettings())

    before, after = drawn(world.generator), drawn(tmp_path / "generator")
    assert np.abs(before.astype(int) - after.astype(int)).max() <= tolerance
    assert set(read_network_file(path)["G_ema"].tensors) == set(Generator(SHAPE).state_dict())


def test_a_network_with_a_least_number_of_channels_survives_export_and_import(
    tmp_path: Path,
) -> None:
    shape = NetworkShape(64, 256, 64, z_dim=4, w_dim=4, mapping_layers=1, channel_min=8)
    torch.manual_seed(1)
    tensors = {key: value.numpy() for key, value in Generator(shape).state_dict().items()}
    path = written(tmp_path, network_bytes(StoredNetwork(tensors)), "network.safetensors")

    import_generator(path, tmp_path / "generator", ImportGeneratorSettings())
    export_generator(
        tmp_path / "generator", tmp_path / "again.safetensors", ExportGeneratorSettings()
    )

    assert [shape.channels(side) for side in (4, 16, 32, 64)] == [64, 16, 8, 8]
    assert GeneratorFolder.open(tmp_path / "generator").shape == shape
    again = read_network_file(tmp_path / "again.safetensors")["G_ema"]
    assert again.arguments["channel_min"] == 8
    assert all(np.array_equal(again.tensors[key], tensors[key]) for key in tensors)


TOLD = replace(SHAPE, stains=("class-0", "class-1", "class-2"))


def told_generator() -> Generator:
    torch.manual_seed(1)
    return Generator(TOLD).eval().requires_grad_(requires_grad=False)


def test_a_published_network_that_is_told_classes_draws_each(
    published: types.ModuleType, tmp_path: Path
) -> None:
    path = written(tmp_path, pickled(published, 4, generator=told_generator()))

    import_generator(path, tmp_path / "generator", ImportGeneratorSettings())

    network = GeneratorFolder.open(tmp_path / "generator").generator()
    assert network.shape.stains == TOLD.stains
    assert (network.shape.z_dim, network.shape.w_dim) == (SHAPE.z_dim, SHAPE.w_dim)
    images = [image_of(network, w_of(network, 3, 1.0, stain)) for stain in TOLD.stains]
    wanted = [image_of(told_generator(), w_of(told_generator(), 3, 1.0, s)) for s in TOLD.stains]
    assert np.array_equal(images, wanted)
    assert not np.array_equal(images[0], images[1])


def test_names_of_stains_survive_export_and_import(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = Generator(replace(SHAPE, stains=("HE", "PAS")))
    tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    stored = StoredNetwork(tensors, {"stains": ["HE", "PAS"]})
    path = written(tmp_path, network_bytes(stored), "network.safetensors")

    import_generator(path, tmp_path / "generator", ImportGeneratorSettings())
    export_generator(
        tmp_path / "generator", tmp_path / "again.safetensors", ExportGeneratorSettings()
    )

    assert GeneratorFolder.open(tmp_path / "generator").shape.stains == ("HE", "PAS")
    arguments = read_network_file(tmp_path / "again.safetensors")["G_ema"].arguments
    assert (arguments["c_dim"], arguments["stains"]) == (2, ["HE", "PAS"])


def test_a_class_without_room_for_z_is_refused(tmp_path: Path) -> None:
    tensors = {key: value.numpy() for key, value in seeded_generator().state_dict().items()}
    tensors["mapping.embed.weight"] = np.zeros((5, 2), dtype=np.float32)
    tensors["mapping.fc0.weight"] = np.zeros((5, 5), dtype=np.float32)
    path = written(tmp_path, network_bytes(StoredNetwork(tensors)), "network.safetensors")

    with pytest.raises(NetworkFileError, match="no room for z"):
        import_generator(path, tmp_path / "generator", ImportGeneratorSettings())


def test_an_exported_file_is_not_overwritten_by_another(world: TinyWorld, tmp_path: Path) -> None:
    path = written(tmp_path, b"something dear", "network.safetensors")

    with pytest.raises(HdganError, match="is there already and holds something else"):
        export_generator(world.generator, path, ExportGeneratorSettings())

    assert path.read_bytes() == b"something dear"


def test_the_reference_network_is_recognised_by_its_sizes(shared_data: Path) -> None:
    with np.load(shared_data / "stylegan2_reference" / "state_G_ema.npz") as arrays:
        sizes = {name: arrays[name].shape for name in arrays.files}

    shape = published_shape(sizes)

    assert (shape.resolution, shape.channel_base, shape.channel_max) == (64, 512, 40)
    assert (shape.z_dim, shape.w_dim, shape.mapping_layers) == (24, 32, 3)


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> Any:
        return self.function, self.arguments


def executed(word: str) -> None:
    """What hostile files call."""
    EXECUTED.append(word)


def hostile_files() -> dict[str, tuple[Any, str]]:
    """Objects to pickle, and the name that must be refused."""
    import os

    return {
        "system": (Call(os.system, "touch owned"), r"wants to use posix\.system"),
        "eval": (Call(eval, "1 + 1"), r"wants to use builtins\.eval"),
        "own function": (Call(executed, "x"), r"test_network_file\.executed"),
        "nested": ({"G_ema": [OrderedDict(a=(Call(exec, "1"),))]}, r"builtins\.exec"),
        "getattr": (Call(getattr, "", "__class__"), r"builtins\.getattr"),
        "storage": (
            Call(torch.storage._load_from_bytes, pickle.dumps(Call(os.system, "x"), protocol=2)),
            r"holds none|something else",
        ),
    }


@pytest.mark.parametrize("which", list(hostile_files()))
@pytest.mark.parametrize("protocol", [3, 4])
def test_a_hostile_file_is_refused_by_name(tmp_path: Path, which: str, protocol: int) -> None:
    content, message = hostile_files()[which]
    path = written(tmp_path, pickle.dumps(content, protocol=protocol))

    with pytest.raises(NetworkFileError, match=message):
        read_network_file(path)

    assert EXECUTED == []
    assert not (tmp_path / "owned").exists()


def test_a_hostile_pickle_inside_a_storage_is_refused(
    published: types.ModuleType, tmp_path: Path
) -> None:
    import os

    blob = Call(torch.storage._load_from_bytes, pickle.dumps(Call(os.system, "x"), protocol=2))
    tensor = Call(torch._utils._rebuild_tensor_v2, blob, 0, (1,), (1,), NO_GRADIENT, OrderedDict())
    module = nn.Module()
    module._buffers["a"] = tensor  # type: ignore[assignment]
    path = written(tmp_path, pickled(published, 4, generator=module))

    with pytest.raises(NetworkFileError, match=r"wants to use posix\.system"):
        read_network_file(path)


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (0, (2**40,), (1,)),
        (0, (2**20, 2**20), (0, 0)),
        (3, (4,), (1,)),
        (-1, (1,), (1,)),
        (0, (4,), (-1,)),
        (0, (2,), (2**62,)),
        (0, (2, 2), (1,)),
        (0, (10**5000,), (1,)),
        (0, (-(10**5000),), (1,)),
        pytest.param(10**5000, (1,), (1,), id="an offset of 5,001 digits"),
        (0, (1,), (10**5000,)),
        (0, (1,), (2**70,)),
        (0, (1,), (2**61,)),
        (0, (0,), (2**61,)),
        (0, (0, 2**70), (1, 1)),
        (0, (0, 2**40, 2**40), (1, 1, 1)),
        (0, (1,) * 70, (1,) * 70),
        (0, (1,), (1,) * 70),
    ],
)
def test_a_tensor_beyond_its_storage_is_refused(
    published: types.ModuleType,
    tmp_path: Path,
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
) -> None:
    storage = torch.zeros(4).untyped_storage()
    typed = torch.storage.TypedStorage(wrap_storage=storage, dtype=torch.float32, _internal=True)
    module = nn.Module()
    module._buffers["a"] = Call(  # type: ignore[assignment]
        torch._utils._rebuild_tensor_v2, typed, offset, size, stride, NO_GRADIENT, OrderedDict()
    )
    path = written(tmp_path, pickled(published, 4, generator=module))

    with pytest.raises(NetworkFileError, match="declares a tensor of"):
        read_network_file(path)


def of_one_storage(num_tensors: int, num_numbers: int) -> nn.Module:
    """A module whose tensors are the first number of one storage, which is written once."""
    storage = torch.arange(7.0, 7.0 + num_numbers).untyped_storage()
    typed = torch.storage.TypedStorage(wrap_storage=storage, dtype=torch.float32, _internal=True)
    module = nn.Module()
    for number in range(num_tensors):
        module._buffers[f"b{number}"] = Call(  # type: ignore[assignment]
            torch._utils._rebuild_tensor_v2, typed, 0, (1,), (1,), NO_GRADIENT, OrderedDict()
        )
    return module


def test_a_tensor_does_not_keep_a_storage_that_is_larger(
    published: types.ModuleType, tmp_path: Path
) -> None:
    path = written(tmp_path, pickled(published, 4, generator=of_one_storage(3, 1_000_000)))

    tensors = read_network_file(path)["G_ema"].tensors

    assert [tensor.tolist() for tensor in tensors.values()] == [[7.0]] * 3
    assert [tensor.base for tensor in tensors.values()] == [None] * 3


def test_one_storage_is_not_read_without_end(published: types.ModuleType, tmp_path: Path) -> None:
    path = written(tmp_path, pickled(published, 4, generator=of_one_storage(20, 1_000_000)))

    with pytest.raises(NetworkFileError, match="more than 8 times its size"):
        read_network_file(path)


@pytest.mark.parametrize("count", [10**5000, -(10**5000)], ids=["over", "under"])
def test_a_storage_whose_count_is_too_long_to_be_written_is_refused(
    tmp_path: Path, count: int
) -> None:
    buffer = io.BytesIO()
    torch.save({"synthesis.a": torch.zeros(77)}, buffer)
    path = tmp_path / "network.pt"
    long = pickle.dumps(count, protocol=2)[2:-1]
    with zipfile.ZipFile(buffer) as saved, zipfile.ZipFile(path, "w") as spoilt:
        for member in saved.namelist():
            data = saved.read(member)
            is_pickle = member.endswith("data.pkl")
            spoilt.writestr(member, data.replace(b"cpuq\x06KM", b"cpuq\x06" + long))
            assert not is_pickle or b"cpuq\x06KM" in data

    with pytest.raises(NetworkFileError, match="storage is described in a way"):
        read_network_file(path)


def stream_with_storage_of(numbers: int) -> bytes:
    """A file of PyTorch's stream format whose storage declares so many numbers."""
    buffer = io.BytesIO()
    torch.save({"synthesis.a": torch.zeros(4)}, buffer, _use_new_zipfile_serialization=False)
    data = buffer.getvalue()
    place = data.rindex(struct.pack("<q", 4))
    return data[:place] + struct.pack("<q", numbers) + data[place + 8 :]


@pytest.mark.parametrize("numbers", [2_500_000_000, -1, 2**62, 5])
def test_a_storage_that_declares_more_than_there_is_is_refused(
    tmp_path: Path, numbers: int
) -> None:
    path = written(tmp_path, stream_with_storage_of(numbers), "network.pt")

    with pytest.raises(NetworkFileError, match="declares a storage of"):
        read_network_file(path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04",
        b"\x80\x04\x8e" + struct.pack("<Q", 10 * 2**30) + b"x.",
        b"\x80\x04" + b"(" * 10_000 + b".",
        b"\x80\x04.",
        b"\x80\x04]\x94h\x00h\x00e.",
        b"\x80\x04K\x01K\x01R.",
        b"\x80\x04}K\x01s.",
        b"I" + b"9" * 100_000 + b"\n.",
        b"not a pickle at all",
        b"PK\x05\x06" + b"\0" * 18,
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(NetworkFileError):
        read_network_file(written(tmp_path, data))


def test_a_file_that_is_cut_anywhere_is_one_sentence(
    published: types.ModuleType, tmp_path: Path
) -> None:
    data = pickled(published, 4)
    for length in range(0, len(data), max(1, len(data) // 97)):
        with pytest.raises(NetworkFileError):
            read_network_file(written(tmp_path, data[:length]))


def test_modules_that_hold_themselves_end(published: types.ModuleType, tmp_path: Path) -> None:
    holder = Persistent(nn.Module(), {}, published.EasyDict)
    for name in ("a", "b"):
        holder.meta["state"]["_modules"][name] = holder
    path = written(tmp_path, pickle.dumps({"G_ema": holder}, protocol=4))

    with pytest.raises(NetworkFileError, match="more than 10000 modules"):
        read_network_file(path)


def test_a_module_with_too_long_a_name_is_told_so(
    published: types.ModuleType, tmp_path: Path
) -> None:
    holder = Persistent(nn.Module(), {}, published.EasyDict)
    holder.meta["state"]["_modules"]["a" * 20_000] = Persistent(nn.Module(), {}, published.EasyDict)
    path = written(tmp_path, pickle.dumps({"G_ema": holder}, protocol=4))

    with pytest.raises(NetworkFileError, match="more than 20,000 characters"):
        read_network_file(path)


def test_a_compressed_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "network.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("network/data.pkl", b"0" * 10_000_000)

    with pytest.raises(NetworkFileError, match="compressed archive"):
        read_network_file(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("synthesis.input.weight", "alias-free network"),
        ("synthesis.b8.skip.weight", "residual kind"),
    ],
)
def test_a_network_of_another_kind_is_named(tmp_path: Path, name: str, message: str) -> None:
    tensors = {key: value.numpy() for key, value in seeded_generator().state_dict().items()}
    tensors[name] = np.zeros((2, 2), dtype=np.float32)
    path = written(tmp_path, network_bytes(StoredNetwork(tensors)), "network.safetensors")

    with pytest.raises(NetworkFileError, match=message):
        import_generator(path, tmp_path / "generator", ImportGeneratorSettings())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra": np.zeros(1, dtype=np.float32)}, "has extra"),
        ({"synthesis.b8.conv0.bias": np.zeros(3, dtype=np.float32)}, "would fit"),
        ({"synthesis.b8.conv0.bias": None}, "lacks synthesis.b8.conv0.bias"),
        ({"synthesis.b8.torgb.weight": np.zeros((0, 2**40, 1, 1), dtype=np.float32)}, "nothing"),
        ({f"synthesis.b{2**40}.torgb.weight": np.zeros((3, 1, 1, 1))}, "would draw 1099511627776"),
        ({"synthesis.b16.conv1.noise_const": np.zeros((2, 2), dtype=np.float32)}, "would fit"),
        ({"synthesis.b8.torgb.weight": np.zeros((3, 5, 1, 1), dtype=np.float32)}, "feature maps"),
    ],
)
def test_tensors_that_do_not_fit_are_named(
    tmp_path: Path, change: dict[str, np.ndarray | None], message: str
) -> None:
    state = seeded_generator().state_dict().items()
    tensors = {key: value.numpy() for key, value in state} | change
    there = {key: value for key, value in tensors.items() if value is not None}
    path = written(tmp_path, network_bytes(StoredNetwork(there)), "network.safetensors")

    with pytest.raises(NetworkFileError, match=message):
        import_generator(path, tmp_path / "generator", ImportGeneratorSettings())


@pytest.mark.parametrize("clamp", ["a lot", True, -1, float("nan"), 10**400])
def test_a_bound_that_is_no_number_is_named(tmp_path: Path, clamp: Any) -> None:
    tensors = {key: value.numpy() for key, value in seeded_generator().state_dict().items()}
    data = network_bytes(StoredNetwork(tensors, {"conv_clamp": clamp}))
    path = written(tmp_path, data, "network.safetensors")

    with pytest.raises(NetworkFileError, match="conv_clamp is"):
        import_generator(path, tmp_path / "generator", ImportGeneratorSettings())
