"""Documents: what they show runs, what they name is there."""

import json
import re
import shlex
from contextlib import closing
from pathlib import Path

import pytest

from hdgan.artifacts.sample_set import SampleSet
from hdgan.class_map import KIDNEY, ClassMap
from hdgan.cli import app, main
from hdgan.pipeline import STAGES
from hdgan.settings.import_annotations import ImportAnnotationsSettings
from hdgan.stages.import_annotations import import_annotations
from tests.tiny_world import brightness_classes, draw_tiles, paint_samples, write_encoder
from tests.web.served_page import ServedPage, open_client, save_stroke

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])

SMALL = {
    "tile": {"--side-px": "16"},
    "train-generator": {
        "--resolution": "16",
        "--kimg": "0.064",
        "--preset": "small",
        "--channel-max": "4",
        "--latent-dim": "4",
    },
    "sample": {"--num-samples": "9", "--select": "6"},
    "train-classifier": {"--steps": "3", "--batch": "16", "--num-members": "2"},
    "score-generator": {"--num-images": "20", "--num-nearest": "1"},
    "synthesize": {"--num-pairs": "4"},
    "train-segmenter": {"--steps": "2", "--crop-px": "16", "--width": "4"},
    "demo": {"--num-samples": "40", "--classifier-steps": "5", "--num-pairs": "3"},
    "compare": {
        "--arms": "supervised hdgan",
        "--counts": "2",
        "--draws": "1",
        "--seeds": "1",
        "--steps": "2",
        "--width": "4",
        "--num-pairs": "4",
        "--classifier-steps": "3",
        "--classifier-members": "2",
        "--workers": "1",
    },
}
"""What makes a documented command small enough for a test; nothing else is changed."""


def made_small(tokens: list[str]) -> list[str]:
    """The command with its numbers replaced."""
    for option, value in SMALL.get(tokens[0], {}).items():
        if option in tokens:
            tokens[tokens.index(option) + 1] = value
        else:
            tokens += [option, *value.split()]
    return tokens


def commands_of(block: str) -> list[list[str]]:
    """The `hdgan` commands of a shell block, without comments."""
    lines = block.replace("\\\n", " ").splitlines()
    parsed = [shlex.split(line, comments=True) for line in lines]
    return [tokens[1:] for tokens in parsed if tokens and tokens[0] == "hdgan"]


def run_in_order(
    commands: list[list[str]],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Run commands as a user would, with images at hand, painting when it is time to."""
    monkeypatch.chdir(folder)
    draw_tiles(folder, count=20)
    (folder / "images").rename(folder / "slides")
    names = sorted(path.name for path in (folder / "slides").iterdir())
    rows = "".join(f"{name},{name.split('_')[0]}\n" for name in names)
    (folder / "slides.csv").write_text(f"slide,patient\n{rows}")
    write_encoder(folder / "squeezenet.npz")
    (folder / "classes.json").write_text(json.dumps({"classes": KIDNEY.to_records()}))
    (folder / "table.md").write_text("| class | recall | Dice |\n| artery | 0.5 | 0.6 |\n")
    for tokens in commands:
        if tokens[0] == "annotate":
            paint_on_the_page(tokens)
            continue
        if tokens[0] == "compare":
            annotate_tiles(folder)
        if tokens[0] == "import-annotations":
            samples = Path(tokens[1])
            names = [record.sample for record in SampleSet.open(samples).records()]
            paint_samples(samples, folder / "label-maps", names)
        main(made_small(tokens))
        assert capsys.readouterr().out, tokens


def annotate_tiles(folder: Path) -> None:
    """Take in the label maps of real tiles as `runs/real`, unless a command has done so."""
    runs = folder / "runs"
    if not (runs / "real").exists():
        settings = ImportAnnotationsSettings()
        classes = folder / "classes.json"
        import_annotations(runs / "tiles", folder / "labels", runs / "real", settings, classes)


def paint_on_the_page(tokens: list[str]) -> None:
    """Paint every sample on the page that the command opens, and finish."""
    samples = SampleSet.open(Path(tokens[1]))
    with ServedPage(*tokens[1:]) as page, closing(open_client(page)) as client:
        for record in samples.records():
            save_stroke(client, record.sample, brightness_classes(samples.image(record)))
        assert client.post("/api/finish").status_code == 200
        assert "label maps" in page.interrupt()


def shell_blocks(document: Path) -> list[str]:
    return re.findall(r"```sh\n(.*?)```", document.read_text(), flags=re.DOTALL)


def test_the_readme_walk_through_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = shell_blocks(ROOT / "README.md")
    commands = [tokens for block in blocks for tokens in commands_of(block)]

    run_in_order(commands, tmp_path, monkeypatch, capsys)

    verbs = {tokens[0] for tokens in commands}
    assert verbs == {stage.verb for stage in STAGES} - {"demo"}


def test_every_other_line_of_a_readme_block_is_a_script_that_is_there() -> None:
    for block in shell_blocks(ROOT / "README.md"):
        for line in block.splitlines():
            tokens = shlex.split(line, comments=True)
            if tokens and tokens[0] != "hdgan":
                assert (ROOT / tokens[0]).stat().st_mode & 0o111, line


def test_the_class_map_in_the_readme_is_the_kidneys() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)

    assert ClassMap.from_records(json.loads(block)["classes"]) == KIDNEY


@pytest.mark.usefixtures("with_kidney")
def test_the_examples_of_the_help_texts_run_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = [shlex.split(stage.example)[1:] for stage in STAGES]

    run_in_order(commands, tmp_path, monkeypatch, capsys)

    assert (tmp_path / "runs" / "demo" / "report.html").is_file()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        assert (document.parent / link).exists(), link


def test_every_verb_has_a_chapter_with_an_example() -> None:
    text = (ROOT / "docs" / "commands.md").read_text()

    for stage in STAGES:
        assert f"\n## {stage.verb}\n" in text
        assert stage.example.split(" --")[0] in text


def test_modules_that_the_paper_page_names_are_there() -> None:
    text = (ROOT / "docs" / "paper.md").read_text()

    for name in re.findall(r"`((?:method|artifacts)/[a-z_/]+)`", text):
        path = ROOT / "src" / "hdgan" / name
        assert path.is_dir() or path.with_suffix(".py").is_file(), name


@pytest.mark.parametrize("recipe", sorted(ROOT.glob("recipes/*.sh")), ids=lambda path: path.name)
def test_the_commands_of_a_recipe_are_understood(recipe: Path) -> None:
    script = recipe.read_text().replace("\\\n", " ")
    for name, content in re.findall(r"^(\w+)=\((.*?)\)$", script, flags=re.MULTILINE | re.DOTALL):
        script = script.replace(f'"${{{name}[@]}}"', " ".join(content.split()))
    script = script.replace('"$@"', "")
    lines = [line.strip() for line in script.splitlines()]
    commands = [
        shlex.split(re.sub(r"\$\w+", "1", line.removeprefix("$hdgan ")), comments=True)
        for line in lines
        if line.startswith("$hdgan ")
    ]

    assert len(commands) > 2
    for tokens in commands:
        app.parse_args(tokens, exit_on_error=False, print_error=False)


def test_the_changelog_names_the_version() -> None:
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)

    assert version is not None
    assert f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text()
    assert f"version: {version[1]}" in (ROOT / "CITATION.cff").read_text()
