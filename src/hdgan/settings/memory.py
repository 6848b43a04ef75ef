"""Memory as people write it."""

import re

from hdgan.errors import SettingsError

_UNITS = {"MB": 10**6, "GB": 10**9, "MIB": 2**20, "GIB": 2**30}


def bytes_in(text: str, option: str) -> int:
    """`2GB`, `1500 MB`, `1.5GiB` as bytes.

    Raises:
        SettingsError: it is no such text.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([MG]i?B)\s*", text, flags=re.IGNORECASE)
    if match is None:
        raise SettingsError(
            f"{option} is {text!r}; needed is a number with MB or GB, such as 2GB or 1500MB."
        )
    return int(float(match[1]) * _UNITS[match[2].upper()])
