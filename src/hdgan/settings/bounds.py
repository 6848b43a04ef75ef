"""Refusing numbers that cannot work, in the words of the command line."""

import re

from hdgan.errors import SettingsError

_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_UNITS = {"MB": 10**6, "GB": 10**9, "MIB": 2**20, "GIB": 2**30}


def within(settings: object, low: float | int, high: float | int, *names: str) -> None:
    """Do nothing if each of these fields lies from `low` to `high`, or is None.

    Raises:
        SettingsError: one does not.
    """
    for name in names:
        value = getattr(settings, name)
        if value is not None and not low <= value <= high:
            limit = f"from {low:g} to {high:g}" if high < float("inf") else f"{low:g} or more"
            raise SettingsError(f"--{name.replace('_', '-')} is {value}; it must be {limit}.")


def at_least(settings: object, low: float | int, *names: str) -> None:
    """Do nothing if each of these fields is `low` or more, or None.

    Raises:
        SettingsError: one is less.
    """
    within(settings, low, float("inf"), *names)


def above_zero(settings: object, *names: str) -> None:
    """Do nothing if each of these fields is above 0, or None.

    Raises:
        SettingsError: one is not.
    """
    for name in names:
        value = getattr(settings, name)
        if value is not None and not 0 < value < float("inf"):
            raise SettingsError(f"--{name.replace('_', '-')} is {value}; it must be above 0.")


def ascending(settings: object, low: float | int, name: str) -> None:
    """Do nothing if this pair of numbers is at least `low`, the smaller first.

    Raises:
        SettingsError: it is not.
    """
    first, last = getattr(settings, name)
    if not low <= first <= last < float("inf"):
        raise SettingsError(
            f"--{name.replace('_', '-')} is {first:g} {last:g}; it must be two numbers of {low:g} "
            "or more, the smaller first."
        )


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


def seconds_in(text: str, option: str) -> float:
    """`90s`, `30min`, `1.5 h`, `2d` as seconds.

    Raises:
        SettingsError: it is no such text.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|min|h|d)\s*", text)
    if match is None or float(match[1]) == 0:
        raise SettingsError(
            f"{option} is {text!r}; needed is a number with s, min, h or d, such as 30min or 8h."
        )
    return float(match[1]) * _SECONDS[match[2]]


def share_in(text: str, option: str) -> tuple[str, float]:
    """`arteriole=0.05` or `arteriole=5%` as a name and a part from 0 to 1.

    Raises:
        SettingsError: it is no such text.
    """
    name, equals, number = text.rpartition("=")
    match = re.fullmatch(r"\s*(\d*\.?\d+)\s*(%?)\s*", number)
    share = float(match[1]) / (100 if match[2] else 1) if match else 0.0
    if not (equals and name.strip() and 0 < share <= 1):
        raise SettingsError(
            f"{option} is {text!r}; needed is a class and its least part of the pixels, above 0 "
            "and at most 1, such as arteriole=0.05 or arteriole=5%."
        )
    return name.strip(), share
