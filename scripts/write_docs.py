"""Write docs/commands.md from the help of every verb, or with --check compare it."""

import io
import sys
from pathlib import Path

from rich.console import Console

from hdgan.cli import app
from hdgan.pipeline import STAGES

TARGET = Path("docs/commands.md")


def help_text(tokens: list[str]) -> str:
    """What `--help` prints, at a fixed width."""
    text = io.StringIO()
    app.help_print(tokens, console=Console(file=text, width=100, force_terminal=False))
    return "\n".join(line.rstrip() for line in text.getvalue().strip().splitlines())


def document() -> str:
    """The whole page."""
    parts = [
        "# Command line",
        "Made by `scripts/docs` from the help of each verb. A verb reads folders and writes one "
        "new folder; run again after an interruption, it goes on where it stopped. A mistake gives "
        "one line and exit code 2.",
        f"```text\n{help_text([])}\n```",
    ]
    for stage in STAGES:
        reads = ", ".join(stage.reads) or "nothing"
        parts += [
            f"## {stage.verb}",
            f"Reads: {reads}. Writes: {stage.writes or 'nothing'}.",
            f"```text\n{help_text([stage.verb])}\n```",
        ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Write the page, or compare it."""
    wanted = document()
    if "--check" in sys.argv:
        if not TARGET.is_file() or TARGET.read_text() != wanted:
            sys.exit(f"{TARGET} is not what the code says; run scripts/docs.")
        return
    TARGET.write_text(wanted)


if __name__ == "__main__":
    main()
