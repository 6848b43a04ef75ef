"""The sentence for a text of an artifact that says something else than it should."""

from pathlib import Path

from pydantic import ValidationError

from hdgan.errors import DamagedArtifactError


def not_understood(path: Path, error: ValidationError) -> DamagedArtifactError:
    """The error that names the file, and the first place in it that is wrong.

    Args:
        path: of the file.
        error: what was found.
    """
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "the file"
    return DamagedArtifactError(
        f"{path} cannot be understood ({where}: {first['msg']}). Restore it from a copy, or make "
        "the artifact again."
    )
