"""`hdgan annotate`: tiles to label maps, by a person in a browser."""

from importlib.util import find_spec
from pathlib import Path

from hdgan.errors import SettingsError
from hdgan.pipeline import Made
from hdgan.settings.annotate import AnnotateSettings, AnnotateSources

PACKAGES = {"starlette": "starlette", "uvicorn": "uvicorn", "skimage": "scikit-image"}
"""What the page needs besides the package's own requirements, by the name of the module."""


def annotate(
    samples: Path,
    output: Path | None,
    settings: AnnotateSettings,
    sources: AnnotateSources | None = None,
) -> Made:
    """Serve the page until the user interrupts; finished there, the folder is an annotation set.

    See `folder.annotated`.

    Raises:
        SettingsError: a package is not installed, or as there.
        WrongArtifactError: as there.
    """
    missing = [name for module, name in PACKAGES.items() if find_spec(module) is None]
    if missing:
        raise SettingsError(
            f"The annotation page needs {', '.join(missing)}. Install what is missing with pip "
            "install 'hdgan[annotate]'; label maps that were painted elsewhere are taken in by "
            "`hdgan import-annotations`."
        )
    from hdgan.stages.annotate.folder import annotated

    return annotated(samples, output, settings, sources)
