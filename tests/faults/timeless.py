"""Digests of what is the same each time that a command is run: times are not.

Moments stand in the history of what was painted, and seconds in what a comparison and a
demonstration say of their work. Of these files everything else is compared; of the reports that say
seconds only that they are there.
"""

import csv
import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any


def timeless_digest(path: Path) -> str:
    """SHA-256 of a file, but for times."""
    content = _WITHOUT_TIMES.get(path.name, Path.read_bytes)
    return hashlib.sha256(content(path)).hexdigest()


def _rows(path: Path) -> bytes:
    """Every row of a history, without the moment at which it was written."""
    lines = []
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        names = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        for (table,) in database.execute(names).fetchall():
            rows = [dict(row) for row in database.execute(f"SELECT * FROM {table}")]
            told = [[value for name, value in row.items() if name != "at"] for row in rows]
            lines += [(table, row) for row in sorted(told, key=repr)]
    return repr(lines).encode()


def _columns(path: Path) -> bytes:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = [{name: row[name] for name in row if not _is_time(name)} for row in rows]
    return json.dumps(kept).encode()


def _fields(path: Path) -> bytes:
    return json.dumps(_without_seconds(json.loads(path.read_bytes()))).encode()


def _without_seconds(content: Any) -> Any:
    if isinstance(content, dict):
        return {
            name: _without_seconds(value) for name, value in content.items() if not _is_time(name)
        }
    return [_without_seconds(value) for value in content] if isinstance(content, list) else content


def _is_time(name: str) -> bool:
    return "seconds" in name


def _manifest(path: Path) -> bytes:
    manifest = json.loads(path.read_bytes())
    timed = {"history.sqlite3"}
    if manifest["kind"] == "comparison":
        timed |= {"comparison.json", "runs.csv", "report.html"}
    for name in timed & manifest["files"].keys():
        manifest["files"][name] = ""
    return json.dumps(manifest).encode()


def _report(path: Path) -> bytes:
    says_times = any(path.with_name(name).is_file() for name in ("comparison.json", "times.json"))
    return b"" if says_times else path.read_bytes()


def _names(path: Path) -> bytes:
    return json.dumps(sorted(json.loads(path.read_bytes()))).encode()


_WITHOUT_TIMES: dict[str, Callable[[Path], bytes]] = {
    "history.sqlite3": _rows,
    "runs.csv": _columns,
    "comparison.json": _fields,
    "report.html": _report,
    "times.json": _names,
    "manifest.json": _manifest,
}
