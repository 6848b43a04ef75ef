"""A network with nobody in it: whatever a process tries, compiled code too, finds no route."""

import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_SET_FLAGS, _UP, _RUNNING = 0x8914, 0x1, 0x40


def leave_network() -> bool:
    """Give this process, and all that it starts, a network of its own with loopback alone.

    Call it before there are threads. False if the system does not allow it; nothing has changed
    then.
    """
    if not Path("/proc/self/net/snmp").is_file():
        return False
    user, group = os.getuid(), os.getgid()
    unshare = ctypes.CDLL(None).unshare
    if unshare(_NEW_NETWORK) != 0:
        if unshare(_NEW_USER | _NEW_NETWORK) != 0:
            return False
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh", b"lo", _UP | _RUNNING))
    return True


def num_without_route() -> int:
    """How often something has tried to leave the network of this process."""
    lines = Path("/proc/self/net/snmp").read_text().splitlines()
    names, values = (line.split() for line in lines if line.startswith("Ip:"))
    found = int(dict(zip(names, values, strict=True))["OutNoRoutes"])
    newer = Path("/proc/self/net/snmp6")
    if newer.is_file():
        rows = dict(line.split() for line in newer.read_text().splitlines())
        found += int(rows["Ip6OutNoRoutes"])
    return found
