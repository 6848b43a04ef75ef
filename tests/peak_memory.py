"""The largest memory of a program in a fresh process."""

import subprocess
import sys

PEAK_KB = """
from pathlib import Path
def peak_kb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
"""
"""Unlike `ru_maxrss`, this does not begin at what the process that started this one holds: beside
a large test process that would hide any smaller peak."""


def megabytes(program: str, *tokens: object) -> float:
    """The last number that a program prints, kilobytes, as megabytes; it may call `peak_kb`."""
    return numbers(program, *tokens)[-1] / 1024


def numbers(program: str, *tokens: object) -> list[float]:
    """The numbers in the last line that a program prints."""
    result = subprocess.run(
        [sys.executable, "-c", PEAK_KB + program, *map(str, tokens)],
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(word) for word in result.stdout.splitlines()[-1].split()]
