"""Every reader given files that somebody has changed: what is read, refused, and what goes wrong.

usage: fuzz.py [--inputs 100000] [--seconds 60] [--readers manifest GeoJSON] [--seed 0]
               [--state FILE] [--folder F] [--again FILE] [--atheris READER]

Right files of each format, made by the package itself, are changed at random (tests/hostile):
bytes, numbers, fields, members of archives, instructions of pickles, requests to the annotation
page. Each is read in a process that may take 10 s of the processor and 1 GB of memory for it, and
may execute nothing. `--inputs` are shared among the readers, of which slow ones get fewer;
`--seconds` is for each reader. With `--state` the outcomes are kept in a file: the same call goes
on after the last input, and one with another seed adds to them. What goes wrong is kept in
`--folder`, one input for each place in the code; `--again` reads such a file once more, here, with
its traceback. Where atheris is installed, `--atheris READER` lets it choose the inputs, for
`--seconds`. Ends with 1 if anything went wrong.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from inspect import isfunction
from math import ceil
from pathlib import Path
from random import Random
from typing import Any

import torch
from tests.faults.fault_world import make_fault_world
from tests.hostile.limited import Outcome, tried
from tests.hostile.mutations import changed
from tests.hostile.reader import Reader
from tests.hostile.readers import READERS

from hdgan.errors import HdganError

WRONG = ("traceback", "hang", "memory", "crash")
COLUMNS = ("inputs", "read", "refused", *WRONG)

State = dict[str, dict[str, dict[str, Any]]]
"""By seed and by reader: the next input's number, counts, and what went wrong."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Try, and print the table; 1 if anything went wrong."""
    options = _options(arguments)
    torch.set_num_threads(1)
    with _folder(options.folder) as folder:
        world = folder / "world"
        if not world.is_dir():
            make_fault_world(world)
        if options.again is not None:
            return _read_again(options, world, folder)
        if options.atheris is not None:
            return _by_atheris(_named(options.atheris), world, folder, options.seconds)
        state: State = {}
        if options.state is not None and options.state.is_file():
            state = json.loads(options.state.read_bytes())
        chosen = [r for r in READERS if not options.readers or r.name in options.readers]
        for reader in chosen:
            _add(state, reader, options, world, folder)
            if options.state is not None:
                options.state.write_text(json.dumps(state), encoding="utf-8")
        print(table(chosen, state))
        return 1 if _print_wrong(chosen, state) else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--readers", nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--again", type=Path)
    parser.add_argument("--atheris")
    return parser.parse_args(arguments)


@contextmanager
def _folder(chosen: Path | None) -> Iterator[Path]:
    if chosen is not None:
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _named(name: str) -> Reader:
    return next(reader for reader in READERS if reader.name == name)


def _add(
    state: State, reader: Reader, options: argparse.Namespace, world: Path, folder: Path
) -> None:
    """What came of this reader's share of the inputs, from the one that comes next."""
    shares = sum(one.share for one in READERS)
    last = ceil(options.inputs * reader.share / shares)
    empty = {"next": 0, "counts": {}, "bad": {}}
    found = state.setdefault(str(options.seed), {}).setdefault(reader.name, empty)
    if found["next"] >= last:
        return
    data_of = _inputs(reader, options.seed, world)
    began = time.monotonic()
    outcome = tried(
        lambda: reader.opened(world, _scratch(folder, reader)),
        data_of,
        range(found["next"], last),
        options.seconds,
    )
    found["next"] += sum(outcome.counts.values())
    found["counts"] = dict(Counter(found["counts"]) + outcome.counts)
    found["bad"] |= {str(number): said for number, said in outcome.bad.items()}
    _keep(outcome, reader, options.seed, data_of, folder)
    seconds = time.monotonic() - began
    print(f"{reader.name}: {dict(outcome.counts)}, {seconds:.0f} s", file=sys.stderr, flush=True)


def _inputs(reader: Reader, seed: int, world: Path) -> Callable[[int], bytes]:
    """The input of a number."""
    seeds = reader.seeds(world)

    def made(number: int) -> bytes:
        random = Random(f"{reader.name} {seed} {number}")
        return changed(random.choice(seeds), random, reader.inside)

    return made


def _scratch(folder: Path, reader: Reader) -> Path:
    place = folder / "scratch" / _plain(reader.name)
    place.mkdir(parents=True, exist_ok=True)
    return place


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name)


def _keep(
    outcome: Outcome, reader: Reader, seed: int, data_of: Callable[[int], bytes], folder: Path
) -> None:
    """Put what went wrong where it can be read again, with what happened beside it."""
    for number, said in outcome.bad.items():
        path = folder / "wrong" / f"{_plain(reader.name)}-{seed}-{number}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data_of(number))
        again = f"scripts/bench fuzz --again {path.name} --readers '{reader.name}'"
        path.with_name(f"{path.name}.txt").write_text(f"{again}\n{said}\n", encoding="utf-8")


def _read_again(options: argparse.Namespace, world: Path, folder: Path) -> int:
    """Read one file, without limits; 1 if that ends in a traceback, which is shown."""
    reader = _named(options.readers[0])
    try:
        reader.opened(world, _scratch(folder, reader))(options.again.read_bytes())
    except HdganError as error:
        print(f"refused: {error}")
        return 0
    print("read")
    return 0


def _by_atheris(reader: Reader, world: Path, folder: Path, seconds: float) -> int:
    """Let atheris choose the inputs by what code they reach."""
    if find_spec("atheris") is None:
        print("atheris is not installed; see whether pip has one for this Python.")
        return 2
    atheris: Any = import_module("atheris")
    read = reader.opened(world, _scratch(folder, reader))
    corpus = folder / "corpus" / _plain(reader.name)
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(reader.seeds(world)):
        (corpus / f"seed-{number}").write_bytes(seed)

    def once(data: bytes) -> None:
        try:
            read(data)
        except HdganError:
            return

    for module in [m for name, m in sys.modules.items() if name.startswith("hdgan.")]:
        for value in vars(module).values():
            if isfunction(value) and value.__module__ == module.__name__:
                atheris.instrument_func(value)
    wrong = folder / "wrong"
    wrong.mkdir(exist_ok=True)
    limits = ["-timeout=10", "-rss_limit_mb=1000", f"-max_total_time={round(seconds)}"]
    places = [str(corpus), f"-artifact_prefix={wrong}/{_plain(reader.name)}-"]
    atheris.Setup([sys.argv[0], *places, *limits], once)
    atheris.Fuzz()
    return 0


def table(readers: Sequence[Reader], state: State) -> str:
    """A line a reader, in Markdown."""
    lines = [f"| reader | {' | '.join(COLUMNS)} |", "|---" + "|---:" * len(COLUMNS) + "|"]
    total: Counter[str] = Counter()
    for reader in readers:
        counts = _counts(reader, state)
        total += counts
        lines.append(_line(reader.name, counts))
    return "\n".join([*lines, _line("all", total)])


def _counts(reader: Reader, state: State) -> Counter[str]:
    """Of all seeds."""
    counts: Counter[str] = Counter()
    for by_reader in state.values():
        counts += Counter(by_reader.get(reader.name, {}).get("counts", {}))
    counts["inputs"] = counts.total()
    return counts


def _line(name: str, counts: Counter[str]) -> str:
    return f"| {' | '.join([name, *(str(counts[column]) for column in COLUMNS)])} |"


def _print_wrong(readers: Sequence[Reader], state: State) -> int:
    wrong = 0
    for seed, by_reader in state.items():
        for reader in readers:
            for number, said in by_reader.get(reader.name, {}).get("bad", {}).items():
                wrong += 1
                print(f"\n{reader.name}, seed {seed}, input {number}: {said}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
