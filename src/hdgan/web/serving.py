"""Serving the page on this computer, and nowhere else."""

import asyncio
import logging
import os
import socket
import webbrowser
from collections.abc import Callable
from sys import platform

import uvicorn
from starlette.types import ASGIApp

from hdgan.errors import SettingsError

HOST = "127.0.0.1"

_NEXT_PORTS = 20


def free_socket(port: int) -> socket.socket:
    """A socket of this computer that listens at a port, or at the next that is free.

    Raises:
        SettingsError: all of twenty are taken.
    """
    for candidate in range(port, min(port + _NEXT_PORTS, 65536)):
        listener = socket.socket()
        if os.name == "posix":  # elsewhere it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, candidate))
            listener.listen()  # a port is taken only now
        except OSError:
            listener.close()
            continue
        return listener
    raise SettingsError(
        f"Ports {port} to {port + _NEXT_PORTS - 1} are all in use or closed to this account. Give "
        "another one with --port."
    )


def serve(app: ASGIApp, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Answer requests until the user interrupts; `ready` is called when the first may come."""
    config = uvicorn.Config(
        app,
        http="h11",
        proxy_headers=False,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=3,
        ws="none",
        lifespan="off",
    )
    server = _Server(config, ready)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        asyncio.run(server.serve([listener]))
    except KeyboardInterrupt:
        return  # so a user ends it
    finally:
        listener.close()


class _Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


def open_in_browser(address: str) -> None:
    """Show an address, where there is a screen to show it on."""
    if platform in ("win32", "darwin") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY"))):
        webbrowser.open(address)
