"""Every verb killed, without room, without its inputs: what is lost, and what it says of that.

usage: faults.py [--kills 20] [--verbs tile sample] [--seconds 60] [--state FILE] [--folder F]
                 [--seed 0] [--paint SECONDS] [--painters 200]

Each command of tests/faults/commands.py is run undisturbed, and then once for each fault and again
without one; survived is what then has the bytes of the undisturbed run. `--kills` is for each
command; a long one gets fewer, so that its kills take about `--seconds` of CPU. With `--state` the
outcomes are kept in a file: the same call goes on after the last command that was finished, and one
with another seed adds to them. With `--folder` the world that all is tried on is kept too. With
`--paint`, so many painters save strokes on the annotation page at once, for so many seconds, until
its server is killed. Ends with 1 if anything was lost.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.commands import COMMANDS, Command
from tests.faults.page_saves import saved_by_many
from tests.faults.template import Template
from tests.tiny_world import TinyWorld

KILLS = {"kill at an event": 0.7, "kill at a time": 0.15, "kill in a write": 0.15}
"""Which part of the kills is of which kind."""

OTHERS = (
    "full disk",
    "full disk at an event",
    "read-only folder",
    "read-only at an event",
    "vanished parent",
    "clock set",
    "second copy",
)
SMALL = 10
"""With more kills than these, every other fault strikes twice."""

FEW_OTHERS = ("full disk", "read-only at an event", "second copy")
"""What a slow command meets, once."""

COLUMNS = (
    ("kills", tuple(KILLS)),
    ("full disk", ("full disk", "full disk at an event")),
    ("read-only", ("read-only folder", "read-only at an event")),
    ("vanished input", ("vanished parent",)),
    ("clock set", ("clock set",)),
    ("second copy", ("second copy",)),
)
"""Of the table, each with the faults that it counts."""

Outcome = dict[str, Any]

State = dict[str, dict[str, list[Outcome]]]
"""Outcomes by command and by seed: another seed adds to what was tried before."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Try, and print the table; 1 if anything was lost."""
    options = _options(arguments)
    state: State = {}
    if options.state is not None and options.state.is_file():
        state = json.loads(options.state.read_bytes())
    chosen = [command for command in COMMANDS if not options.verbs or command.verb in options.verbs]
    tried = f"seed {options.seed}"
    missing = [command for command in chosen if tried not in state.get(command.name, {})]
    missing.sort(key=lambda command: (command.slow, command.name != command.verb))
    if missing:
        _try_all(missing, state, options)
    print(table(chosen, state))
    lost = _print_lost(chosen, state)
    if options.paint:
        with _folder(None) as folder:
            print(_painted(folder, options.painters, options.paint))
    return 1 if lost else 0


def _try_all(commands: Sequence[Command], state: State, options: argparse.Namespace) -> None:
    """Add what comes of all faults to all commands, and keep it after each."""
    with _folder(options.folder) as folder, Template(folder) as template:
        for command in commands:
            outcomes = _tried(template, command, options)
            state.setdefault(command.name, {})[f"seed {options.seed}"] = outcomes
            if options.state is not None:
                options.state.write_text(json.dumps(state), encoding="utf-8")


def _painted(folder: Path, num_painters: int, seconds: float) -> str:
    """What came of many saves at once; whether all are there was checked."""
    world = TinyWorld.made_in(folder / "world")
    saves = saved_by_many(world.samples, folder / "annotations", num_painters, seconds)
    return (
        f"\n{num_painters} painters for {seconds:g} s, then SIGKILL: {saves.acknowledged} saves "
        f"were acknowledged and all of them found, {saves.conflicts} were told of a conflict, "
        f"{saves.untold} were on the disk though the kill cut off their answers, {saves.others} "
        "got any other answer."
    )


@contextmanager
def _folder(chosen: Path | None) -> Iterator[Path]:
    """Where everything lies: in memory if that can be, whose writes nothing waits for."""
    if chosen is not None:
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen
        return
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--verbs", nargs="*", default=[])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--paint", type=float, default=0.0)
    parser.add_argument("--painters", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


def _tried(template: Template, command: Command, options: argparse.Namespace) -> list[Outcome]:
    """What came of all faults to a command."""
    alone = template.tried(command.name, {})
    seconds = max(0.05, alone["cpu_seconds"])
    # A killed run takes half of its time, and the one after it at most all.
    most = max(2, min(options.kills, int(options.seconds / (1.5 * seconds))))
    faults = {fault: round(part * most) for fault, part in KILLS.items()}
    if command.slow:
        faults |= dict.fromkeys(FEW_OTHERS, 1)
    else:
        faults |= dict.fromkeys(OTHERS, 2 if options.kills > SMALL else 1)
    print(f"{command.name}: {seconds:.1f} s, {alone['events']} events", file=sys.stderr, flush=True)
    outcomes: list[Outcome] = template.tried(command.name, faults, options.seed)["outcomes"]
    for outcome in outcomes:
        if outcome["problem"]:
            print(
                f"  LOST by {outcome['fault']}: {outcome['problem']}", file=sys.stderr, flush=True
            )
    return outcomes


def table(commands: Iterable[Command], state: State) -> str:
    """A line a verb, in Markdown."""
    heads = ["verb", *[name for name, _ in COLUMNS], "survived", "with a sentence", "lost"]
    lines = [f"| {' | '.join(heads)} |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    total: Counter[str] = Counter()
    for verb in dict.fromkeys(command.verb for command in commands):
        outcomes = [
            outcome
            for command in commands
            if command.verb == verb
            for outcome in _outcomes(state, command)
        ]
        counted = _counted(outcomes)
        total.update(counted)
        lines.append(_line(verb, heads, counted))
    return "\n".join([*lines, _line("all", heads, total)])


def _outcomes(state: State, command: Command) -> list[Outcome]:
    return [outcome for outcomes in state.get(command.name, {}).values() for outcome in outcomes]


def _line(name: str, heads: Sequence[str], counted: Counter[str]) -> str:
    return f"| {' | '.join([name, *[str(counted[head]) for head in heads[1:]]])} |"


def _counted(outcomes: Iterable[Outcome]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for outcome in outcomes:
        column = next(name for name, faults in COLUMNS if outcome["fault"] in faults)
        counted["kills"] += outcome["kills"]
        if column != "kills":
            counted[column] += 1
        counted["lost" if outcome["problem"] else "survived"] += 1
        counted["with a sentence"] += bool(outcome["sentence"])
    return counted


def _print_lost(commands: Iterable[Command], state: State) -> int:
    lost = 0
    for command in commands:
        for outcome in _outcomes(state, command):
            if outcome["problem"]:
                lost += 1
                print(f"\n{command.name}, {outcome['fault']}: {outcome['problem']}")
    return lost


if __name__ == "__main__":
    sys.exit(main())
