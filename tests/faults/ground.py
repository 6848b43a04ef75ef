"""A command, what it makes undisturbed, and what is wrong with a disk after a fault."""

import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from functools import partial
from mmap import mmap
from pathlib import Path

from hdgan.artifacts.manifest import MANIFEST
from tests.faults import events
from tests.faults.commands import KEPT, Command
from tests.faults.forked import Run, run
from tests.faults.timeless import timeless_digest

_KEPT_TEXT = "a user's own notes"


@dataclass(frozen=True)
class Ground:
    """A command and what it makes when nothing befalls it."""

    command: Command
    world: Path
    runs: Path

    wanted: dict[str, str]
    """SHA-256 of every file by its path in `runs`."""

    num_events: int
    """Of the file system, from its start to its end."""

    seconds: float
    cpu_seconds: float
    num_bytes: int
    """Of what it writes."""

    @property
    def words(self) -> list[str]:
        """What follows `hdgan`."""
        return self.command.words(self.world, self.runs)

    def begin(self) -> None:
        """Let the output be as it is before the command."""
        for left in self.runs.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        (self.runs / KEPT).write_text(_KEPT_TEXT, encoding="utf-8")
        if self.command.begins_with is not None:
            place = self.runs / self.command.output
            shutil.copytree(self.world / self.command.begins_with, place)

    def disturbed(self, strike: events.Strike) -> Run:
        """The command with something that happens at an event."""
        return run(self.words, partial(events.watch, self.runs, strike))

    def problem(self) -> str:
        """What is wrong with the disk after a fault; empty if nothing is."""
        kept = self.runs / KEPT
        if not kept.is_file() or kept.read_text(encoding="utf-8") != _KEPT_TEXT:
            return f"{KEPT} beside the output has changed"
        for manifest in self.runs.rglob(MANIFEST):
            wrong = _wrong_file(manifest)
            if wrong:
                return f"{manifest.parent.name} says that it is whole, but {wrong}"
        return ""

    def problem_of(self, disturbed: Run) -> str:
        """The same, and what is wrong with how a disturbed run ended."""
        if disturbed.code == 0 or disturbed.was_killed or disturbed.is_one_sentence:
            return self.problem()
        return f"it ended with {disturbed.code}: {disturbed.said[-1500:]}"

    def problem_after_rerun(self) -> str:
        """Run the command again, now undisturbed: what is wrong with its result.

        A command may refuse to touch a result that is there already, with a sentence.
        """
        was_there = not difference(self.wanted, digests(self.runs))
        again = run(self.words)
        if again.code != 0 and not (was_there and again.is_one_sentence):
            return f"run again, it ends with {again.code}: {again.said[-1500:]}"
        return self.problem() or difference(self.wanted, digests(self.runs))


def surveyed(command: Command, world: Path, runs: Path) -> Ground:
    """Run a command undisturbed. That it makes the same files each time, every trial tells.

    Raises:
        RuntimeError: it fails.
    """
    memory = mmap(-1, 8)
    ground = Ground(command, world, runs, {}, 0, 0.0, 0.0, 0)
    ground.begin()
    before = num_bytes_on_disk(runs)
    ended = ground.disturbed(events.count_into(memory))
    if ended.code != 0:
        raise RuntimeError(f"{command.name} fails undisturbed: {ended.said[-1500:]}")
    num_bytes = num_bytes_on_disk(runs) - before
    return replace(
        ground,
        wanted=digests(runs),
        num_events=int.from_bytes(memory[:8], "little"),
        seconds=ended.seconds,
        cpu_seconds=ended.cpu_seconds,
        num_bytes=num_bytes,
    )


def digests(folder: Path) -> dict[str, str]:
    """What is the same of all that is below a folder each time that it is made, by its path."""
    return {
        path.relative_to(folder).as_posix(): timeless_digest(path) if path.is_file() else "a folder"
        for path in sorted(folder.rglob("*"))
    }


def num_bytes_on_disk(folder: Path) -> int:
    """What files take on a disk of pages of 4096 bytes."""
    sizes = [path.stat().st_size if path.is_file() else 0 for path in folder.rglob("*")]
    return sum(-(-size // 4096) * 4096 for size in sizes)


def _wrong_file(manifest: Path) -> str:
    try:
        files = json.loads(manifest.read_bytes())["files"]
    except (ValueError, KeyError) as error:
        return f"its manifest cannot be read ({error})"
    for name, digest in files.items():
        path = manifest.parent / name
        if not path.is_file():
            return f"{name} is missing"
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            return f"{name} is another file"
    return ""


def difference(wanted: dict[str, str], found: dict[str, str]) -> str:
    """What is missing, new or another, in words; empty if all is the same."""
    missing = sorted(wanted.keys() - found.keys())
    new = sorted(found.keys() - wanted.keys())
    other = sorted(name for name in wanted.keys() & found.keys() if wanted[name] != found[name])
    texts = [
        f"{word} {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}"
        for word, names in (("missing:", missing), ("not wanted:", new), ("another:", other))
        if names
    ]
    return "; ".join(texts)
