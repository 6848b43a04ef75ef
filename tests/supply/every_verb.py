"""Every module and every verb in one fresh process; what each command made is told.

usage: python -m tests.supply.every_verb FOLDER WORLD ANSWER

FOLDER gets a world and the outputs. WORLD is a tiny world, or a fault world, which is taken as it
is. ANSWER is a file for a line of JSON: the fields of `Told`.
"""

import importlib
import json
import pkgutil
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.faults.commands import COMMANDS, Command
from tests.faults.ground import digests
from tests.supply.lone_network import leave_network, num_without_route


@dataclass(frozen=True)
class Told:
    """What became of it."""

    num_modules: int
    """Of hdgan, all of which were imported."""

    made: dict[str, dict[str, str]]
    """By command, and by the path of each file in its folder: what is the same each time."""

    without_route: int | None
    """How often something tried to leave this computer; None if the system would not tell."""


def main(folder: Path, world: Path, answer: Path) -> None:
    """Run everything."""
    is_alone = leave_network()
    num_modules = len(list(map(importlib.import_module, module_names())))
    make_world(folder / "world", world)
    made = {
        command.name: made_by(command, folder / "world", folder / "runs" / str(i))
        for i, command in enumerate(COMMANDS)
    }
    look_at(folder)
    paint(folder)
    told = Told(num_modules, made, num_without_route() if is_alone else None)
    answer.write_text(json.dumps(asdict(told)), encoding="utf-8")


def module_names() -> Iterator[str]:
    """Every module of hdgan but the one that runs it."""
    import hdgan

    for module in pkgutil.walk_packages(hdgan.__path__, "hdgan."):
        if not module.name.endswith("__main__"):
            yield module.name


def make_world(folder: Path, world: Path) -> None:
    """A copy of a fault world, or one made around a tiny world."""
    from hdgan.artifacts import shipped
    from tests.faults.fault_world import SHIPPED, make_fault_world

    if (world / SHIPPED).is_dir():
        shutil.copytree(world, folder)
    else:
        make_fault_world(folder, world)
    shipped.SHIPPED = folder / SHIPPED


def made_by(command: Command, world: Path, runs: Path) -> dict[str, str]:
    """What a command makes in an empty folder."""
    from hdgan.cli import main as hdgan

    runs.mkdir(parents=True)
    if command.begins_with is not None:
        shutil.copytree(world / command.begins_with, runs / command.output)
    hdgan(command.words(world, runs))
    return digests(runs)


def look_at(folder: Path) -> None:
    """Run the verbs that write nothing."""
    from hdgan.cli import main as hdgan

    table = folder / "table.md"
    table.write_text("| class | recall | Dice |\n| artery | 0.5 | 0.6 |\n", encoding="utf-8")
    hdgan(["check-scores", str(table)])
    hdgan(["show", str(folder / "world" / "pairs"), "--check", "--regenerate", "2"])


def paint(folder: Path) -> None:
    """Paint one stroke on the annotation page, in a process of its own."""
    from hdgan.artifacts.sample_set import SampleSet
    from tests.tiny_world import brightness_classes
    from tests.web.served_page import ServedPage, open_client, save_stroke

    samples = SampleSet.open(folder / "world" / "samples")
    record = samples.records()[0]
    with ServedPage(samples.folder, folder / "page") as page, closing(open_client(page)) as client:
        save_stroke(client, record.sample, brightness_classes(samples.image(record)))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
