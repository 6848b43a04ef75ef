"""`hdgan export-generator`: a generator to a file that other programs read."""

from pathlib import Path

import torch

from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.network_file import StoredNetwork, network_bytes
from hdgan.artifacts.writing import write_among_others
from hdgan.errors import SettingsError
from hdgan.pipeline import Made
from hdgan.settings.export_generator import ExportGeneratorSettings


def export_generator(generator: Path, output: Path, settings: ExportGeneratorSettings) -> Made:
    """Write the moving average as a state dict with the names of published networks.

    The file is safetensors; its metadata say what the network is built with, in the words of
    published files.

    Raises:
        SettingsError: the file is called otherwise, or another one is there.
    """
    if output.suffix != ".safetensors":
        raise SettingsError(
            f"{output} does not end in .safetensors, the only format that is written. Any program "
            "with the safetensors library reads it."
        )
    parent = GeneratorFolder.open(generator)
    network, shape = parent.generator(), parent.shape
    kind = {"float32": torch.float32, "float16": torch.float16}[settings.precision]
    stored = StoredNetwork(
        {name: tensor.to(kind).numpy() for name, tensor in network.state_dict().items()},
        {
            "img_resolution": shape.resolution,
            "z_dim": shape.z_dim,
            "w_dim": shape.w_dim,
            "num_layers": shape.mapping_layers,
            "channel_base": shape.channel_base,
            "channel_max": shape.channel_max,
            **({"channel_min": shape.channel_min} if shape.channel_min > 1 else {}),
            "conv_clamp": shape.clamp,
            "c_dim": len(shape.stains),
            **({"stains": list(shape.stains)} if shape.stains else {}),
        },
    )
    data = network_bytes(stored)
    if output.exists() and (not output.is_file() or output.read_bytes() != data):
        raise SettingsError(f"{output} is there already and holds something else. Choose a name.")
    write_among_others(output, data)
    return Made(
        "network file",
        output,
        {
            "resolution": f"{shape.resolution} px",
            "tensors": len(stored.tensors),
            "size": f"{len(data) / 1e6:.1f} MB",
        },
    )
