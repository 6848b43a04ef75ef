"""A process that has imported everything and forks for every run; it is asked on its input.

usage: python -m tests.faults.template FOLDER [TINY_WORLD]

A request is a line of JSON: the name of a command, how many trials of each fault, and a seed. The
answer is a line too: the outcomes, or why the command cannot be tried.
"""

import contextlib
import dataclasses
import importlib
import json
import os
import pkgutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

OFTEN = ("train_generator", "train_classifier.fitting", "train_segmenter.training")
"""Stages that save now and then; here they do at every tick, so that a kill finds a checkpoint."""

ROOT = Path(__file__).resolve().parents[2]


class Template:
    """The process, from outside. A context manager, which ends it."""

    def __init__(self, folder: Path, tiny_world: Path | None = None) -> None:
        """Start it.

        Args:
            folder: where its world is; if there is none, it is made.
            tiny_world: a tiny world that is copied for it, instead of being made.
        """
        words = [str(place) for place in (folder, tiny_world) if place is not None]
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "ARROW_DEFAULT_MEMORY_POOL": "system",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.template", *words],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Template":
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait()
        self._process.stdout.close()  # type: ignore[union-attr]

    def tried(self, command: str, faults: Mapping[str, int], seed: int = 0) -> dict[str, Any]:
        """What came of trials: `outcomes`, `seconds` and `events` of an undisturbed run.

        Raises:
            RuntimeError: the command fails even undisturbed.
        """
        request = {"command": command, "faults": dict(faults), "seed": seed}
        print(json.dumps(request), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()  # type: ignore[union-attr]
        answer: dict[str, Any] = json.loads(line) if line else {"error": "The template has died."}
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer


def main(folder: Path, tiny_world: Path | None = None) -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    _import_everything()
    from tests.faults.forked import is_single_threaded

    _make_world(folder / "world", tiny_world)
    grounds: dict[str, Any] = {}
    for line in sys.stdin:
        if not is_single_threaded():
            answer = {"error": "The template has several threads, so that it may not fork."}
        else:
            answer = _answered(json.loads(line), folder, grounds)
        print(json.dumps(answer), file=answers, flush=True)


def _answered(request: dict[str, Any], folder: Path, grounds: dict[str, Any]) -> dict[str, Any]:
    from tests.faults.commands import COMMANDS
    from tests.faults.ground import surveyed
    from tests.faults.mounts import may_mount
    from tests.faults.trials import NEED_MOUNTS, tried

    runs = folder / "runs"
    runs.mkdir(exist_ok=True)
    name = request["command"]
    if name not in grounds:
        command = next(command for command in COMMANDS if command.name == name)
        try:
            grounds[name] = surveyed(command, folder / "world", runs)
        except RuntimeError as error:
            return {"error": str(error)}
    ground = grounds[name]
    outcomes = []
    for fault, count in request["faults"].items():
        if fault not in NEED_MOUNTS or may_mount():
            outcomes += tried(ground, fault, count, request["seed"])
    return {
        "outcomes": [dataclasses.asdict(outcome) for outcome in outcomes],
        "seconds": ground.seconds,
        "cpu_seconds": ground.cpu_seconds,
        "events": ground.num_events,
    }


def _import_everything() -> None:
    """All of hdgan, so that forks begin with it; and stages that save at every tick."""
    import torch

    import hdgan

    torch.set_num_threads(1)
    for module in pkgutil.walk_packages(hdgan.__path__, "hdgan."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("pyarrow", "pyarrow.parquet", "rasterio.features", "pycocotools.mask"):
        importlib.import_module(name)
    for stage in OFTEN:
        saving: Any = importlib.import_module(f"hdgan.stages.{stage}")
        saving.CHECKPOINT_SECONDS = 0.0
    train_generator: Any = importlib.import_module("hdgan.stages.train_generator")
    planned = train_generator.planned

    def with_short_ticks(*arguments: Any, **words: Any) -> Any:
        shape, plan = planned(*arguments, **words)
        return shape, dataclasses.replace(plan, tick_batches=2)

    train_generator.planned = with_short_ticks


def _make_world(world: Path, tiny_world: Path | None) -> None:
    from tests.faults.forked import at_forked

    def make() -> str:
        from tests.faults.fault_world import make_fault_world

        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        make_fault_world(world, tiny_world)
        return json.dumps(sorted(sys.modules))

    modules = world.with_name("modules.json")
    if not modules.is_file():
        modules.write_text(at_forked(make), encoding="utf-8")
    _import_what_stages_import(json.loads(modules.read_bytes()))
    from hdgan.artifacts import shipped

    shipped.SHIPPED = world / "shipped"


def _import_what_stages_import(names: list[str]) -> None:
    """Modules that are imported when they are needed, which every fork would do again."""
    for name in names:
        if name.split(".")[0] in {"torch", "scipy", "sklearn", "PIL", "matplotlib", "monai"}:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
