"""The page as a user starts it: a process of its own, which can be killed and started again."""

import os
import re
import signal
import socket
import subprocess
import sys
import zlib
from pathlib import Path
from typing import TypeAlias

import httpx2

from hdgan.class_map import LabelMap

Place: TypeAlias = Path | str


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class ServedPage:
    """`hdgan annotate` in a process of its own. A context manager, which ends it."""

    def __init__(self, *arguments: Place, port: int | None = None) -> None:
        """Prepare the command.

        Args:
            arguments: what follows `hdgan annotate`.
            port: where it serves; None takes a free one, the same at every start.
        """
        self.port = port or free_port()
        options = ["--port", str(self.port), "--no-browser"]
        words = [str(argument) for argument in arguments]
        self.command = [sys.executable, "-m", "hdgan", "annotate", *words, *options]
        self.address = ""
        self.said: list[str] = []
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "ServedPage":
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it, whatever it does."""
        if self._process is not None:
            self.kill()

    @property
    def base(self) -> str:
        """The address without the token."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._process = subprocess.Popen(
            self.command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line)
            found = re.search(r"open (http://\S+)", line)
            if found:
                self.address = found[1]
                return
        self.kill()
        raise AssertionError("".join(self.said))

    def kill(self) -> None:
        """Kill it without warning."""
        self._end(signal.SIGKILL)

    def interrupt(self) -> str:
        """End it as a user does, with Ctrl+C; what it says then comes back."""
        return self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> str:
        assert self._process is not None
        self._process.send_signal(how)
        rest, _ = self._process.communicate(timeout=60)
        self._process = None
        return rest


def open_client(page: ServedPage) -> httpx2.Client:
    """A client that was let in, as Anna's browser."""
    client = httpx2.Client(base_url=page.base, trust_env=False, timeout=60)
    client.headers.update({"origin": page.base, "x-author": "Anna"})
    assert client.get(page.address).status_code == 200
    return client


def save_stroke(client: httpx2.Client, tile: str, labels: LabelMap, base: int = 0) -> None:
    """Save a label map of a whole tile, for which somebody took a minute."""
    height, width = labels.shape
    response = client.post(
        f"/api/tiles/{tile}/readings/1/revisions",
        params={"kind": "brush", "x": 0, "y": 0, "width": width, "height": height, "seconds": 60},
        content=zlib.compress(labels.tobytes()),
        headers={"if-match": f'"{base}"'},
    )
    assert response.status_code == 201, response.text
