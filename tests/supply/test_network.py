"""Nothing but this computer is spoken to, when hdgan is imported and when its verbs run."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hdgan.pipeline import STAGES
from tests.faults.commands import WITHOUT_OUTPUT
from tests.supply.every_verb import module_names
from tests.supply.two_runs import PATIENCE, ROOT, TwoRuns, guarded

NOWHERE = "192.0.2.1"
"""An address for documents, at which nobody is."""

Attempt = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def attempt(log: Path) -> Attempt:
    """Run some lines of Python under the guard."""

    def attempted(lines: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-c", lines],
            cwd=ROOT,
            env=guarded(log),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return attempted


@pytest.mark.timeout(PATIENCE)
def test_no_module_and_no_verb_connects_to_anything_but_this_computer(two_runs: TwoRuns) -> None:
    assert two_runs.connections == []
    assert two_runs.first.num_modules == two_runs.second.num_modules == len(list(module_names()))
    tried = {name.split()[0] for name in two_runs.first.made} | WITHOUT_OUTPUT.keys()
    assert tried == {stage.verb for stage in STAGES}


@pytest.mark.timeout(PATIENCE)
def test_every_verb_runs_in_a_network_with_nobody_in_it_and_nothing_tries_to_leave(
    two_runs: TwoRuns,
) -> None:
    if two_runs.first.without_route is None:
        pytest.skip("this account may not have a network of its own")

    assert (two_runs.first.without_route, two_runs.second.without_route) == (0, 0)


@pytest.mark.parametrize(
    ("lines", "event"),
    [
        (f"socket.socket().connect(({NOWHERE!r}, 9))", "socket.connect"),
        ("socket.create_connection(('example.invalid', 9), timeout=1)", "socket.getaddrinfo"),
        ("socket.gethostbyname('example.invalid')", "socket.gethostbyname"),
        ("socket.create_server(('', 0))", "socket.bind"),
        ("socket.create_server(('0.0.0.0', 0))", "socket.bind"),
        ("socket.create_server(('::', 0), family=socket.AF_INET6)", "socket.bind"),
        (
            f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', ({NOWHERE!r}, 9))",
            "socket.sendto",
        ),
        (
            "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).connect(('2001:db8::1', 9))",
            "socket.connect",
        ),
        (
            f"import urllib.request; urllib.request.urlopen('http://{NOWHERE}/')",
            "socket.getaddrinfo",
        ),
    ],
)
def test_a_planted_connection_is_refused_and_noted(
    attempt: Attempt, log: Path, lines: str, event: str
) -> None:
    ended = attempt(f"import socket; {lines}")

    assert ended.returncode == 1
    (note,) = log.read_text().splitlines()
    assert note.startswith(f"{event} ")


def test_a_planted_connection_is_noted_though_its_error_is_swallowed(
    attempt: Attempt, log: Path
) -> None:
    ended = attempt(f"""
import contextlib, socket
with contextlib.suppress(OSError):
    socket.create_connection(({NOWHERE!r}, 9), timeout=1)
""")

    assert ended.returncode == 0
    assert NOWHERE in log.read_text()


@pytest.mark.parametrize("way", ["spawn", "fork", "a program"])
def test_a_planted_connection_of_a_process_that_was_started_is_noted(
    attempt: Attempt, log: Path, way: str
) -> None:
    line = f"import socket; socket.create_connection(({NOWHERE!r}, 9), 1)"
    if way == "a program":
        lines = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {line!r}])"
    else:
        lines = (
            "from multiprocessing import get_context\n"
            f"process = get_context({way!r}).Process(target=exec, args=({line!r},))\n"
            "process.start(); process.join()"
        )
    attempt(lines)

    assert NOWHERE in log.read_text()


def test_this_computer_may_be_spoken_to(attempt: Attempt, log: Path) -> None:
    ended = attempt("""
import socket
for host in ("127.0.0.1", "localhost"):
    with socket.create_server((host, 0)) as server:
        socket.create_connection(server.getsockname()).close()
one, other = socket.socketpair()
one.sendmsg([b"x"])
""")

    assert ended.returncode == 0, ended.stderr
    assert not log.exists()


def test_compiled_code_that_tries_to_leave_is_counted(attempt: Attempt, log: Path) -> None:
    ended = attempt(f"""
import ctypes, socket, struct, sys
from tests.supply.lone_network import leave_network, num_without_route
if not leave_network():
    sys.exit(3)
assert num_without_route() == 0
library = ctypes.CDLL(None)
port_and_host = struct.pack("!H4s8x", 9, socket.inet_aton({NOWHERE!r}))
address = struct.pack("=H", socket.AF_INET) + port_and_host
number = library.socket(socket.AF_INET, socket.SOCK_DGRAM, 0)
assert library.connect(number, address, len(address)) == -1
sys.exit(0 if num_without_route() == 1 else 1)
""")
    if ended.returncode == 3:
        pytest.skip("this account may not have a network of its own")

    assert ended.returncode == 0, ended.stderr
    assert not log.exists()  # the guard alone would not have seen it
