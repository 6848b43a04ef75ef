"""The command line: help, options, errors of one line."""

import dataclasses
import importlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from hdgan.cli import app, main
from hdgan.pipeline import STAGES

VERBS = [stage.verb for stage in STAGES]


def help_of(verb: str, capsys: pytest.CaptureFixture[str]) -> str:
    main([verb, "--help"])
    return capsys.readouterr().out


@pytest.mark.parametrize("verb", VERBS)
def test_help_says_what_a_verb_does_and_ends_with_an_example(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = next(stage for stage in STAGES if stage.verb == verb)

    text = " ".join(help_of(verb, capsys).split())

    assert " ".join(stage.does.split()) in text
    assert text.endswith(f"Example: {stage.example}")
    assert stage.example.startswith(f"hdgan {verb}")


@pytest.mark.parametrize("verb", VERBS)
def test_options_are_the_fields_of_the_settings(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    module = importlib.import_module(f"hdgan.settings.{verb.replace('-', '_')}")
    name = "".join(part.capitalize() for part in verb.split("-")) + "Settings"
    settings = getattr(module, name)

    text = help_of(verb, capsys)

    for field in dataclasses.fields(settings):
        assert f"--{field.name.replace('_', '-')}" in text


@pytest.mark.parametrize("verb", VERBS)
def test_every_argument_and_option_has_a_sentence(verb: str) -> None:
    """A row of the help is a name, and then a sentence that begins on the same row."""
    text = io.StringIO()
    app.help_print([verb], console=Console(file=text, width=200))

    rows = [line.strip("│ *") for line in text.getvalue().splitlines() if line.startswith("│")]
    for row in rows:
        if row.startswith(("--", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ")) and row.split()[0].isupper():
            assert len(row.split()) > 2, row


def test_help_needs_no_torch() -> None:
    program = (
        "import sys\n"
        "from hdgan.cli import main\n"
        f"for verb in {VERBS}: main([verb, '--help'])\n"
        "heavy = {'torch', 'scipy', 'matplotlib', 'monai'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )

    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stderr


def fails(capsys: pytest.CaptureFixture[str], *tokens: object) -> str:
    """The one line that a command prints before it exits with 2."""
    with pytest.raises(SystemExit) as stopped:
        main([str(token) for token in tokens])
    output = capsys.readouterr()
    assert stopped.value.code == 2
    assert output.out == ""
    lines = [line for line in output.err.splitlines() if line.strip()]
    assert len(lines) == 1, output.err
    assert lines[0].startswith("hdgan: ")
    return lines[0]


def test_an_unknown_option_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--sides" in fails(capsys, "tile", "a", "b", "--sides", "3")


def test_a_missing_argument_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "OUTPUT" in fails(capsys, "sample", "generator")


def test_a_word_where_a_number_is_needed_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--num-samples" in fails(capsys, "sample", "a", "b", "--num-samples", "many")


def test_an_unknown_verb_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "smaple" in fails(capsys, "smaple")


def test_a_result_can_be_read_by_machines(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from tests.tiny_world import draw_tiles

    draw_tiles(tmp_path, count=5)

    main(["tile", str(tmp_path / "images"), str(tmp_path / "tiles"), "--json"])

    made = json.loads(capsys.readouterr().out)
    assert (made["kind"], made["tiles"], made["patients"]) == ("tile-set", 5, 5)


def test_a_result_is_printed_for_people(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from tests.tiny_world import draw_tiles

    draw_tiles(tmp_path, count=5)

    main(["tile", str(tmp_path / "images"), str(tmp_path / "tiles")])

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"tile-set in {tmp_path / 'tiles'}"
    assert "  tiles          5" in lines


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--version"])

    assert capsys.readouterr().out.strip() == importlib.metadata.version("hdgan")


def test_an_interruption_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hdgan.stages.show.run.show", interrupted)

    with pytest.raises(SystemExit) as stopped:
        main(["show", "anything"])

    assert stopped.value.code == 130
    assert "run the same command again to go on" in capsys.readouterr().err


def test_several_folds_follow_one_option() -> None:
    _, bound, _ = app.parse_args("segment a b c --folds 0 2", exit_on_error=False)

    assert bound.arguments["settings"].folds == (0, 2)
