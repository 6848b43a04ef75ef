"""Networks and encoders as bytes, written by hand where no library would write such a thing."""

import io
import pickle
import struct
import zipfile
from collections.abc import Iterable

import numpy as np
import torch
from safetensors.numpy import save


def number_of(number: int) -> bytes:
    """The instruction that puts a number of any length on the stack of a pickle."""
    data = number.to_bytes(number.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8b" + struct.pack("<i", len(data)) + data


def storage_again_and_again(num_tensors: int, num_bytes: int) -> bytes:
    """A storage of PyTorch's zip format that each of many tensors would have a copy of."""
    tensor = _tensor(_stored("0", num_bytes), number_of(num_bytes))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/data.pkl", _state_dict([tensor] * num_tensors))
        archive.writestr("a/data/0", bytes(num_bytes))
    return buffer.getvalue()


def members_in_members(num_members: int, num_bytes: int) -> bytes:
    """PyTorch's zip format; each storage holds the next one with its header."""
    data, directory, tensors = bytes(num_bytes), [], []
    for number in range(num_members):
        tensors.append(_tensor(_stored(str(number), len(data)), b"K\x01"))
        data, entry = _zipped(f"a/data/{number}", data)
        directory.append((entry, len(data)))
    pickled, last = _zipped("a/data.pkl", _state_dict(tensors))
    entries = [
        entry[:42] + struct.pack("<I", len(data) - size) + entry[46:]
        for entry, size in [*directory, (last, 0)]
    ]
    count, size = len(entries), sum(map(len, entries))
    place = len(data) + len(pickled)
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, size, place, 0)
    return b"".join([data, pickled, *entries, end])


def nested(num_tensors: int, num_numbers: int, size: bytes = b"K\x01") -> bytes:
    """A network whose tensors all lie in one storage, as published files nest them."""
    buffer = io.BytesIO()
    storage = torch.storage.TypedStorage(
        wrap_storage=torch.zeros(num_numbers).untyped_storage(),
        dtype=torch.float32,
        _internal=True,
    )
    torch.save(storage, buffer, _use_new_zipfile_serialization=False)
    inner = b"B" + struct.pack("<I", buffer.tell()) + buffer.getvalue()
    first = b"ctorch.storage\n_load_from_bytes\n" + inner + b"\x85Rq\x01"
    tensors = b"".join(
        _text(f"p{number}") + _tensor(b"h\x01" if number else first, size)
        for number in range(num_tensors)
    )
    module = b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n"
    attributes = b"}" + _text("state") + b"}" + _text("_parameters") + b"}(" + tensors + b"uss"
    return b"\x80\x03}" + _text("G_ema") + module + attributes + b"\x85Rs."


def calls_in_calls(depth: int) -> bytes:
    """PyTorch's older format, each of whose tensors is a call of a call of a call."""
    call = b"ctorch._utils\n_rebuild_tensor_v2\nq\x00)R" + b"\x85q\x010h\x00h\x01R" * depth
    names = b"".join(number_of(number) + b"h\x02" for number in range(depth))
    heads = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
    # As PyTorch writes it, the first has ten bytes, which is how its format is known.
    written = b"".join(pickle.dumps(head, protocol=2) for head in heads)
    return written + b"\x80\x02" + call + b"q\x020}(" + names + b"u.\x80\x02]."


def transformer_of(num_blocks: int) -> bytes:
    """A vision transformer as timm names it, of which little is there."""
    sizes = {
        "patch_embed.proj.weight": (64, 3, 1, 1),
        "pos_embed": (1, 2, 64),
        "blocks.0.attn.qkv.weight": (1,),
        "blocks.0.mlp.fc1.weight": (1, 64),
    }
    sizes |= {f"blocks.{number}.norm1.weight": (1,) for number in range(num_blocks)}
    return save({name: np.zeros(size, dtype=np.float32) for name, size in sizes.items()})


def _text(text: str) -> bytes:
    """That for a text."""
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _tensor(storage: bytes, size: bytes) -> bytes:
    """Those for a tensor in a storage."""
    start = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x00(" + size + b"t(K\x01t"
    return start + b"\x89ccollections\nOrderedDict\n)RtR"


def _stored(key: str, num_bytes: int) -> bytes:
    """Those for a storage of bytes."""
    described = b"(" + _text("storage") + b"ctorch\nByteStorage\n" + _text(key) + _text("cpu")
    return described + number_of(num_bytes) + b"tQ"


def _state_dict(tensors: Iterable[bytes]) -> bytes:
    named = (_text(f"synthesis.{number}") + tensor for number, tensor in enumerate(tensors))
    return b"\x80\x02ccollections\nOrderedDict\n)R(" + b"".join(named) + b"u."


def _zipped(name: str, data: bytes) -> tuple[bytes, bytes]:
    """A member of an archive with its header, and its entry in the directory."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, data)
        place = archive.fp.tell()  # type: ignore[union-attr]
    written = buffer.getvalue()
    return written[:place], written[place:-22]
