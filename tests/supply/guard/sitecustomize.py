"""Refuses and notes every connection but to this computer.

Python runs it when it starts, in a process whose PYTHONPATH names this folder, and in every Python
that such a process starts. Compiled code that opens sockets by itself is not seen here; for that
see `tests/supply/lone_network.py`.
"""

import ipaddress
import os
import sys
from typing import Any

LOG = "HDGAN_TEST_NETWORK_LOG"
"""Names the file that takes the notes, a line each."""

_WITH_ADDRESS = {"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"}
_WITH_HOST = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


def hook(event: str, arguments: tuple[Any, ...]) -> None:
    """Look at what a socket is about to do.

    Raises:
        PermissionError: it would reach out of this computer, or let others in.
    """
    host = _host(event, arguments)
    if host is None or _is_this_computer(host):
        return
    said = f"{event} {host!r} by {' '.join(sys.orig_argv)}".replace("\n", " ")
    with open(os.environ[LOG], "a", encoding="utf-8") as file:  # noqa: PTH123 - before pathlib is there
        file.write(f"{said}\n")
    raise PermissionError(said)


def _host(event: str, arguments: tuple[Any, ...]) -> str | None:
    """Whom it is about; None if nobody beyond this computer can be."""
    found = None
    if event in _WITH_HOST:
        found = arguments[0]
    elif event in _WITH_ADDRESS and isinstance(arguments[1], tuple):  # files have no tuple
        found = arguments[1][0]
    return found.decode("latin-1") if isinstance(found, bytes) else found


def _is_this_computer(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


sys.addaudithook(hook)
