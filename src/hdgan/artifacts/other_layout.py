"""What is said of an artifact whose layout this version does not read.

The layout is looked at before anything else in a manifest, since a later one may say more, or say
it otherwise. What layout 1 is, `tests/fixtures/layout-1` keeps.
"""

import json
import re
from pathlib import Path

from hdgan.errors import DamagedArtifactError

_MADE_BY = re.compile(r"hdgan (\d[\w.+-]{0,30})")


def refuse_other_layout(folder: Path, manifest: bytes, reads: int) -> None:
    """Do nothing if the layout is the one that is read, or if the manifest says none at all.

    Args:
        folder: the artifact.
        manifest: the text of its manifest, which may be damaged.
        reads: the layout that this version reads.

    Raises:
        DamagedArtifactError: it is of another layout; the sentence says which version reads it.
    """
    try:
        content = json.loads(manifest)
    except (ValueError, RecursionError):
        return
    layout = content.get("layout") if isinstance(content, dict) else None
    if type(layout) is not int or layout == reads:
        return
    raise DamagedArtifactError(
        f"{folder} has layout {layout}; this version of hdgan reads layout {reads}. "
        f"{_advice(str(content.get('made_by')), is_later=layout > reads)}, or make the artifact "
        "again. Nothing in the folder was changed."
    )


def _advice(made_by: str, *, is_later: bool) -> str:
    match = _MADE_BY.fullmatch(made_by)
    if match is None:
        return "Use the version that wrote it"
    version, which, sign = match[1], "that version", "=="
    if is_later:
        which, sign = "that version or a later one", ">="
    return f"It was written by hdgan {version}: use {which} (pip install 'hdgan{sign}{version}')"
