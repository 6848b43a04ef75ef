"""Valid files with something changed, as a stranger might: bytes, numbers, fields, parts."""

import json
import pickletools
import re
import zlib
from collections.abc import Callable
from io import BytesIO
from random import Random
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

Mutation = Callable[[bytes, Random], bytes]

INTEGERS = (0, 1, -1, 2, 7, 127, 128, 255, 256, 1023, 32767, 65535, 65536, 10**6, 2**31 - 1, 2**31)
LARGE = (*INTEGERS, 2**32 - 1, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 10**20, -(2**63))
NUMBERS = (b"0", b"-1", b"1e308", b"1e999", b"-1e999", b"NaN", b"Infinity", b"1" * 40, b"0.5")
TEXTS = (
    *("", " ", "../../outside", "/etc/passwd", "a\x00b", "\ud800", "\U0001f9a0", "x" * 300, "NaN"),
    *("__class__", "%s%n{0}", "\x1b[2J\x07", "a\nb", "..\\..\\x", "1", "-1", "1e400", "\u0663"),
)
PARTS = (b"", b"\x00", b"\xff" * 8, b"\n", b'"', b"<", b">", b"&", b"[", b"]", b"{", b"}", b",")


def changed(data: bytes, random: Random, inside: Mutation | None = None) -> bytes:
    """The file with one to four changes.

    Args:
        data: of the file.
        random: decides.
        inside: changes what only its format has, which is done half of the time.
    """
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        if inside is not None and random.random() < 0.6:
            data = inside(data, random)
        else:
            data = random.choice(BLIND)(data, random)
    return data


def _flipped(data: bytes, random: Random) -> bytes:
    out = bytearray(data or b"\x00")
    for _ in range(random.choice((1, 1, 2, 8))):
        out[random.randrange(len(out))] ^= 1 << random.randrange(8)
    return bytes(out)


def _number_set(data: bytes, random: Random) -> bytes:
    """Some bytes become a whole number that is apt to be mishandled."""
    size = random.choice((1, 2, 4, 8))
    place = random.randrange(max(1, len(data) - size))
    number = random.choice(LARGE) % 256**size
    order: Any = random.choice(("little", "big"))
    return data[:place] + number.to_bytes(size, order) + data[place + size :]


def _cut_short(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _part_removed(data: bytes, random: Random) -> bytes:
    begin, end = _stretch(data, random)
    return data[:begin] + data[end:]


def _part_repeated(data: bytes, random: Random) -> bytes:
    begin, end = _stretch(data, random)
    return data[:end] + data[begin:end] * random.choice((1, 1, 2, 20)) + data[end:]


def _part_moved(data: bytes, random: Random) -> bytes:
    begin, end = _stretch(data, random)
    rest = data[:begin] + data[end:]
    place = random.randrange(len(rest) + 1)
    return rest[:place] + data[begin:end] + rest[place:]


def _inserted(data: bytes, random: Random) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + random.choice(PARTS) + data[place:]


def _stretch(data: bytes, random: Random) -> tuple[int, int]:
    begin = random.randrange(len(data) + 1)
    return begin, min(len(data), begin + random.choice((1, 2, 4, 16, 64, 1000)))


BLIND: tuple[Mutation, ...] = (
    _flipped,
    _number_set,
    _cut_short,
    _part_removed,
    _part_repeated,
    _part_moved,
    _inserted,
)
"""Changes that know nothing of a format."""


def in_text(data: bytes, random: Random) -> bytes:
    """A number, a word or a line becomes another one."""
    what = random.choice((rb"-?\d+\.?\d*", rb"\w+", rb"[^\n]*\n", rb'"[^"]*"', rb"[,;:|<>]"))
    found = list(re.finditer(what, data[:100_000]))
    if not found:
        return _inserted(data, random)
    match = random.choice(found)
    new = random.choice(
        (
            random.choice(NUMBERS),
            random.choice(TEXTS).encode("utf-8", "surrogatepass"),
            random.choice(found)[0],
            match[0] * random.choice((0, 2, 3, 50)),
            str(random.choice(LARGE)).encode(),
        )
    )
    return data[: match.start()] + new + data[match.end() :]


def in_json(data: bytes, random: Random) -> bytes:
    """A value, a key or an element of JSON becomes another one; text of other kinds, a word."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return in_text(data, random)
    return json.dumps(_value_changed(document, random)).encode()


def _value_changed(document: Any, random: Random) -> Any:
    """A document with one value changed, at a random depth."""
    at = document
    while isinstance(at, dict | list) and at:
        key = random.choice(list(at)) if isinstance(at, dict) else random.randrange(len(at))
        if not (isinstance(at[key], dict | list) and at[key]) or random.random() < 0.3:
            _entry_changed(at, key, random)
            return document
        at = at[key]
    return _strange_value(document, random)


def _entry_changed(at: Any, key: Any, random: Random) -> None:
    """Another value, no value, another key, or one element more."""
    choice = random.randrange(6)
    if choice == 0:
        del at[key]
    elif choice == 1 and isinstance(at, dict):
        at[random.choice(TEXTS)] = at.pop(key)
    elif choice == 1:
        at[key:key] = [at[key]] * random.choice((1, 2, 100))
    else:
        at[key] = _strange_value(at[key], random)


def _strange_value(value: Any, random: Random) -> Any:
    plain: tuple[Any, ...] = (
        None,
        True,
        False,
        [],
        {},
        [[]],
        {"": None},
        [value],
        {"a": value},
        str(value)[:1000],
    )
    number = random.choice((*LARGE, 0.5, -0.0, float("nan"), float("inf"), 1e308, 10**30))
    deep = json.loads("[" * 50 + "]" * 50)
    return random.choice((random.choice(plain), number, random.choice(TEXTS), deep))


def in_safetensors(data: bytes, random: Random) -> bytes:
    """A field of the header becomes another one, or the header's length."""
    length = int.from_bytes(data[:8], "little")
    if length > len(data) or random.random() < 0.2:
        return random.choice(LARGE).__mod__(2**64).to_bytes(8, "little") + data[8:]
    header = in_json(data[8 : 8 + length], random)
    if random.random() < 0.3:
        kinds = (b"F16", b"BF16", b"F64", b"I8", b"BOOL", b"F8_E4M3", b"F4", b"U64", b"C64")
        header = re.sub(rb'"F32"', b'"' + random.choice(kinds) + b'"', header, count=1)
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


def in_zip(data: bytes, random: Random) -> bytes:
    """A member of an archive has another content, name or way of packing."""
    try:
        with ZipFile(BytesIO(data)) as archive:
            members = [(info.filename, archive.read(info)) for info in archive.infolist()[:200]]
    except (BadZipFile, RuntimeError, OSError, EOFError, ValueError, zlib.error):
        return _flipped(data, random)
    if not members:
        return _flipped(data, random)
    number = random.randrange(len(members))
    name, content = members[number]
    kind = random.randrange(4)
    if kind == 0:
        members[number] = (random.choice((*TEXTS[1:5], "../" * 9 + name)), content)
    elif kind == 1:
        members.append((name, content))
    else:
        members[number] = (name, changed(content, random))
    return _zipped(members, random.choice((0, 0, 8)))


def _zipped(members: list[tuple[str, bytes]], method: int) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", method) as archive:
        for name, content in members:
            info = ZipInfo(name.encode("utf-8", "replace").decode() or "a")
            info.compress_type = method
            archive.writestr(info, content)
    return out.getvalue()


def in_png(data: bytes, random: Random) -> bytes:
    """Something in a chunk is changed, and the chunk's checksum is right again."""
    chunks, place = [], 8
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    if not chunks:
        return _flipped(data, random)
    number = 0 if random.random() < 0.4 else random.randrange(len(chunks))
    kind, content = chunks[number]
    if random.random() < 0.2:
        kind = random.choice((b"PLTE", b"tRNS", b"iCCP", b"zTXt", b"eXIf", b"acTL", b"fdAT"))
    chunks[number] = (kind, random.choice(BLIND)(content, random))
    if random.random() < 0.2:
        chunks.insert(random.randrange(len(chunks)), random.choice(chunks))
    packed = (
        len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4)
        for kind, content in chunks
    )
    return data[:8] + b"".join(packed)


INSTRUCTIONS = b"()0123.NRQabdehlost\x85\x86\x87\x88\x89\x8f\x90\x91\x93\x94]}"
"""Of pickles, those of one byte."""


def in_pickle(data: bytes, random: Random) -> bytes:
    """An instruction of a pickle is left out, repeated, moved or replaced."""
    try:
        places = [place for _, _, place in pickletools.genops(data) if place is not None]
    except (ValueError, IndexError, KeyError, TypeError, OverflowError):
        return _flipped(data, random)
    begin = random.randrange(len(places))
    end = min(len(places), begin + random.choice((1, 1, 1, 2, 5)))
    start, stop = places[begin], (places[end] if end < len(places) else len(data))
    single = bytes(
        [random.choice(b"()0123.NRQabdehlost\x85\x86\x87\x88\x89\x8f\x90\x91\x93\x94]}")]
    )
    piece = data[start:stop]
    new = random.choice((b"", piece * 2, single, piece + single, b"cposix\nsystem\n", b"K\x05"))
    return data[:start] + new + data[stop:]
