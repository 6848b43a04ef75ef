"""Whatever befalls a command, run again it makes what it makes undisturbed, and loses nothing.

The smoke part; `scripts/bench faults` tries much more.
"""

import sys
from collections.abc import Iterator

import pytest

from hdgan.pipeline import STAGES
from tests.faults.commands import COMMANDS, WITHOUT_OUTPUT, Command
from tests.faults.template import Template
from tests.tiny_world import TinyWorld

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="faults are laid as Linux has it")

FAULTS = {"kill at an event": 2, "kill in a write": 1, "full disk at an event": 1}

SMOKE = [
    next(command for command in COMMANDS if command.verb == verb)
    for verb in dict.fromkeys(command.verb for command in COMMANDS if not command.slow)
]
"""Of each verb that has a quick command the first; the bench tries all of them."""


@pytest.fixture(scope="module")
def template(world: TinyWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    """A process that forks for each run."""
    with Template(tmp_path_factory.mktemp("faults"), world.folder) as started:
        yield started


def test_every_verb_is_tried() -> None:
    tried = {command.verb for command in COMMANDS} | WITHOUT_OUTPUT.keys()

    assert tried == {stage.verb for stage in STAGES}


@pytest.mark.parametrize("command", SMOKE, ids=lambda command: command.verb)
def test_a_disturbed_command_makes_what_it_makes_undisturbed(
    template: Template, command: Command
) -> None:
    outcomes = template.tried(command.name, FAULTS)["outcomes"]

    assert len(outcomes) == sum(FAULTS.values())
    assert [outcome["problem"] for outcome in outcomes if outcome["problem"]] == []
    assert sum(outcome["kills"] for outcome in outcomes) >= 1
