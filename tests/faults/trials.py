"""One fault to one command, and what is left of its result."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from random import Random

from tests.faults import events, mounts
from tests.faults.forked import Run, Started, at_forked, limit_files, run
from tests.faults.ground import Ground, difference, digests, num_bytes_on_disk

Fault = str
"""A kind of fault, as the table calls it."""

_YEARS = 10 * 365 * 86400.0
_ROOM = 2**30


@dataclass(frozen=True)
class Outcome:
    """What became of one trial."""

    fault: Fault
    """What was done to the command."""

    kills: int
    """How often it was killed on the way."""

    problem: str
    """What went wrong; empty if the result is that of an undisturbed run."""

    sentence: str
    """What the disturbed run said, if it ended with an expected error."""


def killed_at_event(ground: Ground, random: Random, part: float) -> Outcome:
    """SIGKILL at an event, perhaps again in the runs that go on, then a run to the end."""

    def once(attempt: int) -> Run:
        where = part if attempt == 0 else random.random()
        return ground.disturbed(events.kill_at(1 + int(where * ground.num_events)))

    return _killed("kill at an event", ground, random, once)


def killed_at_time(ground: Ground, random: Random, part: float) -> Outcome:
    """SIGKILL after a while, to the process alone: what it started must end with it."""

    def once(attempt: int) -> Run:
        where = part if attempt == 0 else random.random()
        started = Started(ground.words)
        time.sleep(where * ground.seconds)
        started.kill()
        ended = started.wait()
        if started.left_behind():
            return Run(1, "Processes of it were left behind.", ended.seconds)
        return ended

    return _killed("kill at a time", ground, random, once)


def killed_in_write(ground: Ground, random: Random, part: float) -> Outcome:
    """An end in the middle of a write: half of a file, or of a line, is on the disk."""
    largest = max((path.stat().st_size for path in _files(ground)), default=1)

    def once(attempt: int) -> Run:
        where = part if attempt == 0 else random.random()
        return run(ground.words, partial(limit_files, int(largest**where)))

    return _killed("kill in a write", ground, random, once)


def _files(ground: Ground) -> list[Path]:
    return [ground.runs / name for name in ground.wanted if (ground.runs / name).is_file()]


def _killed(fault: Fault, ground: Ground, random: Random, once: Callable[[int], Run]) -> Outcome:
    ground.begin()
    kills, problem = 0, ""
    for attempt in range(3):
        ended = once(attempt)
        kills += ended.was_killed
        problem = ground.problem_of(ended)
        if problem or not ended.was_killed or random.random() < 0.7:
            break
    return Outcome(fault, kills, problem or ground.problem_after_rerun(), "")


def disk_filled(ground: Ground, random: Random, part: float) -> Outcome:
    """A small disk of its own that gets full in the middle, and then has room again."""

    def on_disk() -> str:
        mounts.take_own_mounts()
        mounts.mount_disk(ground.runs, _ROOM)
        ground.begin()
        before = num_bytes_on_disk(ground.runs) + 8192
        mounts.enlarge_disk(ground.runs, before + int(part * ground.num_bytes))
        ended = run(ground.words)
        problem = ground.problem_of(ended)
        mounts.enlarge_disk(ground.runs, _ROOM)
        return _told("full disk", ended, problem or ground.problem_after_rerun())

    return Outcome(**json.loads(at_forked(on_disk)))


def folder_protected(ground: Ground, random: Random, part: float) -> Outcome:
    """A folder that is read-only when a run begins, or when it goes on after a kill."""

    def on_mount() -> str:
        mounts.take_own_mounts()
        ground.begin()
        kills = 0
        if random.random() < 0.5:
            moment = 1 + int(part * ground.num_events)
            kills = ground.disturbed(events.kill_at(moment)).was_killed
        mounts.protect(ground.runs)
        ended = run(ground.words)
        problem = ground.problem_of(ended)
        mounts.unprotect(ground.runs)
        problem = problem or ground.problem_after_rerun()
        return _told("read-only folder", ended, problem, kills)

    return Outcome(**json.loads(at_forked(on_mount)))


def _told(fault: Fault, ended: Run, problem: str, kills: int = 0) -> str:
    return json.dumps(asdict(_outcome(fault, ended, problem, kills)))


def _outcome(fault: Fault, ended: Run, problem: str, kills: int = 0) -> Outcome:
    sentence = ended.said.strip().splitlines()[-1] if ended.is_one_sentence else ""
    return Outcome(fault, int(kills), problem, sentence)


def disk_full_at_event(ground: Ground, random: Random, part: float) -> Outcome:
    """What needs room fails from an event on."""
    return _refused("full disk at an event", ground, events.fill_from, part)


def disk_protected_at_event(ground: Ground, random: Random, part: float) -> Outcome:
    """Everything fails from an event on, as on a disk that the system has made read-only."""
    return _refused("read-only at an event", ground, events.protect_from, part)


def _refused(
    fault: Fault, ground: Ground, strike: Callable[[int], events.Strike], part: float
) -> Outcome:
    ground.begin()
    ended = ground.disturbed(strike(1 + int(part * ground.num_events)))
    problem = ground.problem_of(ended)
    return _outcome(fault, ended, problem or ground.problem_after_rerun())


def parent_lost(ground: Ground, random: Random, part: float) -> Outcome:
    """Something that is read is moved away in the middle, and is back for the next run."""
    ground.begin()
    parent = random.choice(ground.command.parents(ground.world))
    away = parent.with_name(f"{parent.name}.away")
    words = ground.words
    strike = events.lose_at(1 + int(part * ground.num_events), parent, away)
    ended = run(words, partial(events.watch, ground.runs, strike))
    if away.exists():
        away.rename(parent)
    problem = ground.problem_of(ended)
    return _outcome("vanished parent", ended, problem or ground.problem_after_rerun())


def clock_set(ground: Ground, random: Random, part: float) -> Outcome:
    """The clock jumps ten years ahead or back; the run must not notice."""
    ground.begin()
    jump = random.choice([-1, 1]) * _YEARS
    moment = 1 + int(part * ground.num_events)
    ended = run(ground.words, lambda: events.watch(ground.runs, events.jump_at(moment, jump)))
    problem = ground.problem_of(ended)
    if ended.code != 0:
        problem = problem or f"it ended with {ended.code}: {ended.said[-1500:]}"
    problem = problem or difference(ground.wanted, digests(ground.runs))
    return _outcome("clock set", ended, problem or ground.problem_after_rerun())


def second_copy(ground: Ground, random: Random, part: float) -> Outcome:
    """A second run of the same command while the first stands still at an event."""
    ground.begin()
    strike = events.stop_at(1 + int(part * ground.num_events))
    first = Started(ground.words, partial(events.watch, ground.runs, strike))
    stopped = first.is_stopped()
    second = run(ground.words)
    if stopped:
        first.go_on()
    ends = (second, first.wait())
    first.left_behind()
    problem = next(filter(None, map(ground.problem_of, ends)), "")
    if not any(ended.code == 0 for ended in ends):
        problem = problem or f"neither run finished: {second.said[-600:]} {ends[1].said[-600:]}"
    told = next((ended for ended in ends if ended.is_one_sentence), second)
    return _outcome("second copy", told, problem or ground.problem_after_rerun())


Trial = Callable[[Ground, Random, float], Outcome]

TRIALS: dict[Fault, Trial] = {
    "kill at an event": killed_at_event,
    "kill at a time": killed_at_time,
    "kill in a write": killed_in_write,
    "full disk": disk_filled,
    "full disk at an event": disk_full_at_event,
    "read-only folder": folder_protected,
    "read-only at an event": disk_protected_at_event,
    "vanished parent": parent_lost,
    "clock set": clock_set,
    "second copy": second_copy,
}
"""Every kind of fault; the number between 0 and 1 says when it strikes."""

NEED_MOUNTS = ("full disk", "read-only folder")
"""Faults that this computer may not allow."""


def tried(ground: Ground, fault: Fault, count: int, seed: int) -> list[Outcome]:
    """So many trials of a kind, spread evenly over the command's run."""
    if fault == "vanished parent" and not ground.command.parents(ground.world):
        return []
    outcomes = []
    for i in range(count):
        random = Random(f"{ground.command.name} {fault} {seed} {i}")
        part = min((i + random.random()) / count, 0.9999)
        outcomes.append(TRIALS[fault](ground, random, part))
    return outcomes
