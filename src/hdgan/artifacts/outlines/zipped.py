"""Archives from strangers: read in memory, and never larger than is safe."""

import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import NoReturn

from hdgan.errors import LabelError

MAX_MEMBERS = 20_000
"""Files in an archive."""

MAX_MEMBER_BYTES = 32_000_000
"""A file of an archive, unpacked."""

MAX_BYTES = 256_000_000
"""All files of an archive, unpacked."""

MAX_RATIO = 100
"""How many times smaller a file may be when it is packed, if it is not small anyway."""

SMALL_BYTES = 100_000
"""What is unpacked whatever its ratio."""

_BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1


def is_zip(data: bytes) -> bool:
    """Whether a file begins as an archive does."""
    return data[:4] in _BEGINNINGS


def members_of(data: bytes, name: str, ending: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file with an ending, one at a time, in the archive's order.

    Names are only ever shown: nothing is written to disk.

    Args:
        data: the archive.
        name: what errors call it.
        ending: such as `.roi`; case does not matter.

    Raises:
        LabelError: it is damaged, has no such file, or would grow too large.
    """
    # Each file has such an entry: more are refused before a list of them is made.
    if data.count(b"PK\x01\x02") > MAX_MEMBERS:
        _refuse(name, f"more than {MAX_MEMBERS:,} files")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = [
                member
                for member in archive.infolist()
                if member.filename.lower().endswith(ending)
                and not member.filename.startswith("__MACOSX/")
            ]
            _check(members, name, ending)
            for member in members:
                yield member.filename, _read(archive, member, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise LabelError(
            f"{name} is not a ZIP archive that can be read ({error}). It may be cut short; save it "
            "again."
        ) from error


def _check(members: list[zipfile.ZipInfo], name: str, ending: str) -> None:
    """Refuse by what the archive says of itself."""
    if not members:
        raise LabelError(
            f"{name} is a ZIP archive without a file that ends in {ending}. Needed is what the ROI "
            "manager of ImageJ saves."
        )
    if sum(member.file_size for member in members) > MAX_BYTES:
        _refuse(name, f"more than {MAX_BYTES:,} bytes, unpacked")
    for member in members:
        if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
            _refuse(name, "a file that is encrypted or packed in an unusual way")
        if member.file_size > max(MAX_RATIO * member.compress_size, SMALL_BYTES):
            _refuse(name, f"a file that is packed more than {MAX_RATIO} times")
        if member.file_size > MAX_MEMBER_BYTES:
            _refuse(name, f"a file of more than {MAX_MEMBER_BYTES:,} bytes, unpacked")


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bytes:
    """The content, which may be larger than the archive says."""
    with archive.open(member) as file:
        content = file.read(member.file_size + 1)
    if len(content) != member.file_size:
        _refuse(name, "a file of another size than it says")
    return content


def _refuse(name: str, what: str) -> NoReturn:
    raise LabelError(
        f"{name} has {what}, which no list of regions has. Save it again with the ROI manager of "
        "ImageJ."
    )
