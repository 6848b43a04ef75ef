"""Memory as people write it, and whether it is enough."""

import pytest

from hdgan.artifacts.memory import LEAST_BYTES, bytes_for_work, held_bytes
from hdgan.errors import SettingsError
from hdgan.settings.bounds import bytes_in


@pytest.mark.parametrize(
    ("text", "size"), [("2GB", 2 * 10**9), ("1500 MB", 1500 * 10**6), ("1.5gib", 3 * 2**29)]
)
def test_memory_is_a_number_with_a_unit(text: str, size: int) -> None:
    assert bytes_in(text, "--memory") == size


@pytest.mark.parametrize("text", ["lots", "2", "500KB", "-1GB", ""])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"--memory is .* needed is a number with MB or GB"):
        bytes_in(text, "--memory")


def test_memory_that_is_not_enough_says_how_much_is() -> None:
    with pytest.raises(SettingsError, match=r"take [\d,]+ MB already; needed are [\d,]+ MB"):
        bytes_for_work("100MB", 64)


def test_what_is_held_already_is_not_free() -> None:
    free = bytes_for_work("100GB", 1000, fixed_bytes=10**9)

    assert free <= 100 * 10**9 - 10**9 - 20 * 10**6 - held_bytes() / 2
    assert free > LEAST_BYTES
