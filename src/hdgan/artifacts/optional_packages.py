"""Packages that only some of what is read and written needs."""

from importlib.util import find_spec

from hdgan.errors import SettingsError


def need(package: str, extra: str, what: str) -> None:
    """Do nothing if a package is installed.

    Args:
        package: as it is imported.
        extra: of `hdgan`, which brings it.
        what: needs it, in the plural.

    Raises:
        SettingsError: it is not installed.
    """
    if find_spec(package) is None:
        raise SettingsError(
            f"{what} need the package {package}, which is not installed. Install it with: "
            f'pip install "hdgan[{extra}]"'
        )
